/**
 * `npm run proof:fuzz -- [--inputs N] [--minutes M] [--targets a,b] [--seed S]`: fuzzed GGUF, safetensors and PyTorch files to
 * their readers, in threads of bounded memory, until each has had N (a million by default). Counts are kept in
 * bench/results/fuzz.json after every 20,000 and go on from there, as long as the readers' sources are the same. The first
 * fault ends it with exit code 1 and leaves the input in .roslin/fuzz/.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { writeFileAtomic } from '../src/formats/atomic.ts';
import { CONSTANT, sourcesHash, targets } from './fuzz/attempt.ts';
import type { Progress, Task } from './fuzz/worker.ts';
import { machine } from './measure.ts';

const FILE = 'bench/results/fuzz.json';
const CHUNK = 20_000;
/** Without a word from the thread for so long, it hangs. The machine may be busy with something else. */
const HANG_MS = 300_000;

interface Counts {
  inputs: number;
  opened: number;
  bytes: number;
  /** Most new memory that an input took, in bytes. */
  largest_growth: number;
  slowest_seconds: number;
}

interface Report {
  seed: number;
  sources: string;
  bound: string;
  targets: Record<string, Counts>;
  [field: string]: unknown;
}

const { values: flags } = parseArgs({
  options: { inputs: { type: 'string', default: '1000000' }, minutes: { type: 'string', default: 'Infinity' }, targets: { type: 'string', default: Object.keys(targets).join() }, seed: { type: 'string', default: '1' } },
});
const wanted = Number(flags.inputs);
const until = performance.now() + 60_000 * Number(flags.minutes);
const names = flags.targets.split(',');
const report = begin(Number(flags.seed));

const isBehind = (name: string) => report.targets[name]!.inputs < wanted;
while (names.some(isBehind) && performance.now() < until) {
  // The one that has had the fewest is next, so that all grow together.
  const name = names.filter(isBehind).sort((a, b) => report.targets[a]!.inputs - report.targets[b]!.inputs)[0]!;
  const counts = report.targets[name]!;
  const from = counts.inputs;
  const result = await chunk({ target: name, seed: report.seed, from, to: Math.min(wanted, from + CHUNK) });
  if (typeof result === 'string') fail(name, result);
  else if (result.fault) {
    mkdirSync('.roslin/fuzz', { recursive: true });
    const kept = `.roslin/fuzz/${name}-${report.seed}-${result.fault.index}.bin`;
    writeFileSync(kept, result.fault.input);
    fail(name, `input ${result.fault.index} ${result.fault.what}; kept in ${kept}`);
  } else {
    report.targets[name] = {
      inputs: result.at, opened: counts.opened + result.opened, bytes: counts.bytes + result.bytes,
      largest_growth: Math.max(counts.largest_growth, result.growth), slowest_seconds: Math.max(counts.slowest_seconds, result.seconds),
    };
    writeFileAtomic(FILE, `${JSON.stringify({ ...report, ...machine(), date: new Date().toISOString() }, null, 2)}\n`);
    console.log(`${name}: ${result.at} inputs, ${report.targets[name].opened} opened, at most ${report.targets[name].largest_growth} bytes of new memory, ${report.targets[name].slowest_seconds.toFixed(4)} s`);
  }
}

function fail(name: string, what: string): never {
  console.error(`${name}: ${what}`);
  process.exit(1);
}

function begin(seed: number): Report {
  const sources = sourcesHash();
  const empty = () => ({ inputs: 0, opened: 0, bytes: 0, largest_growth: 0, slowest_seconds: 0 });
  const before = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Report) : undefined;
  const goesOn = before?.sources === sources && before.seed === seed;
  const counts = Object.fromEntries(Object.keys(targets).map((name) => [name, (goesOn ? before.targets[name] : undefined) ?? empty()]));
  return { seed, sources, bound: `the file's size and ${CONSTANT} bytes of new memory; 1 s of processor time; nothing thrown but an InputError`, targets: counts };
}

/** The last word of a thread that tries these inputs, or how it ended without one. */
function chunk(task: Task): Promise<Progress | string> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./fuzz/worker.ts', import.meta.url), { workerData: task, resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 48 } });
    let last: Progress | undefined;
    const reached = () => `after input ${(last?.at ?? task.from) - 1}`;
    const hang = () => {
      void worker.terminate();
      resolve(`hangs ${reached()}`);
    };
    let timer = setTimeout(hang, HANG_MS);
    worker.on('message', (progress: Progress) => {
      clearTimeout(timer);
      timer = setTimeout(hang, HANG_MS);
      last = progress;
    });
    worker.on('error', (error) => {
      clearTimeout(timer);
      resolve(`crashed ${reached()}: ${error.message}`);
    });
    worker.on('exit', () => {
      clearTimeout(timer);
      resolve(last && (last.at === task.to || last.fault) ? last : `ended ${reached()}`);
    });
  });
}
