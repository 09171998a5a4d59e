/**
 * `npm run proof:fuzz-import -- [--inputs 200000] [--minutes M] [--seed 1]`: spoilt files over all importers, in a thread; every refusal names a line,
 * nothing crashes or hangs. Counts are kept in bench/results/fuzz-import.json after every 1,000 and go on from there, as long as the
 * importers' sources are the same. The first fault ends it with exit code 1 and leaves the input in .roslin/fuzz/.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { writeFileAtomic } from '../src/formats/atomic.ts';
import { attempt, seeds, spoiltInput } from '../tests/dataset/fuzz-import.ts';
import { machine } from './measure.ts';

const FILE = 'bench/results/fuzz-import.json';
const CHUNK = 1000;
/** Without a word from the thread for so long, it hangs. The machine may be busy with something else. */
const HANG_MS = 120_000;

interface Task {
  readonly folder: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

/** An input that was tried, or the one at fault. */
interface Tried {
  readonly records: number;
  readonly rejects: number;
  readonly refused: boolean;
  readonly cpu_seconds: number;
  readonly fault?: { readonly name: string; readonly what: string; readonly bytes: Uint8Array };
}

interface Report {
  readonly sources: string;
  readonly seed: number;
  inputs: number;
  /** Inputs of each of the files that were spoilt. */
  readonly files: Record<string, number>;
  records: number;
  rejects: number;
  refused: number;
  slowest_cpu_seconds: number;
}

/** A thread that tries inputs [from, to). A crash or a hang ends only it. */
async function work({ folder, seed, from, to }: Task): Promise<void> {
  const files = await seeds(folder);
  for (let index = from; index < to; index++) {
    const { name, bytes } = spoiltInput(files, seed, index);
    const before = process.cpuUsage();
    let tried: Omit<Tried, 'cpu_seconds'>;
    try {
      tried = await attempt(folder, name, bytes);
    } catch (error) {
      tried = { records: 0, rejects: 0, refused: false, fault: { name, what: error instanceof Error ? error.stack ?? error.message : String(error), bytes } };
    }
    const { user, system } = process.cpuUsage(before);
    parentPort!.postMessage({ ...tried, cpu_seconds: (user + system) / 1e6 } satisfies Tried);
    if (tried.fault) return;
  }
}

function sourcesHash(): string {
  const hash = createHash('sha256');
  const paths = (folder: string, wanted: RegExp) => readdirSync(folder).filter((name) => wanted.test(name)).sort().map((name) => join(folder, name));
  for (const path of [...paths('src/formats', /^(row|json|input-file|printable)/), ...paths('src/dataset/forms', /./), 'src/dataset/import.ts', 'src/artefacts/record-schema.ts', 'tests/dataset/fuzz-import.ts']) hash.update(path).update(readFileSync(path));
  return hash.digest('hex').slice(0, 16);
}

function begin(seed: number): Report {
  const sources = sourcesHash();
  const before = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Report) : undefined;
  return before?.sources === sources && before.seed === seed ? before : { sources, seed, inputs: 0, files: {}, records: 0, rejects: 0, refused: 0, slowest_cpu_seconds: 0 };
}

/** Adds what a thread tries to the report. Gives what went wrong, if anything did. */
function chunk(task: Task, report: Report, names: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const worker = new Worker(import.meta.filename, { workerData: task, resourceLimits: { maxOldGenerationSizeMb: 512 } });
    const hang = () => {
      void worker.terminate();
      resolve(`input ${report.inputs} hangs`);
    };
    let timer = setTimeout(hang, HANG_MS);
    worker.on('message', ({ records, rejects, refused, cpu_seconds, fault }: Tried) => {
      clearTimeout(timer);
      timer = setTimeout(hang, HANG_MS);
      if (fault) {
        mkdirSync('.roslin/fuzz', { recursive: true });
        const kept = `.roslin/fuzz/import-${task.seed}-${report.inputs}-${fault.name}`;
        writeFileSync(kept, fault.bytes);
        return resolve(`input ${report.inputs}, kept in ${kept}: ${fault.what}`);
      }
      const name = names[report.inputs++ % names.length]!;
      report.files[name] = (report.files[name] ?? 0) + 1;
      report.records += records;
      report.rejects += rejects;
      if (refused) report.refused++;
      report.slowest_cpu_seconds = Math.max(report.slowest_cpu_seconds, cpu_seconds);
    });
    worker.on('error', (error) => resolve(`input ${report.inputs} crashes: ${error.message}`));
    worker.on('exit', () => {
      clearTimeout(timer);
      resolve(report.inputs === task.to ? undefined : `the thread ended before input ${report.inputs}`);
    });
  });
}

async function main(): Promise<void> {
  const { values: flags } = parseArgs({ options: { inputs: { type: 'string', default: '200000' }, minutes: { type: 'string', default: 'Infinity' }, seed: { type: 'string', default: '1' } } });
  const [wanted, until] = [Number(flags.inputs), performance.now() + 60_000 * Number(flags.minutes)];
  const report = begin(Number(flags.seed));
  const folder = mkdtempSync(join(tmpdir(), 'roslin-fuzz-'));
  try {
    const names = (await seeds(folder)).map(({ name }) => name);
    while (report.inputs < wanted && performance.now() < until) {
      const fault = await chunk({ folder, seed: report.seed, from: report.inputs, to: Math.min(wanted, report.inputs + CHUNK) }, report, names);
      if (fault !== undefined) {
        console.error(fault);
        process.exitCode = 1;
        return;
      }
      writeFileAtomic(FILE, `${JSON.stringify({ ...report, ...machine(), date: new Date().toISOString() }, null, 2)}\n`);
      console.log(`${report.inputs} inputs: ${report.records} records, ${report.rejects} rejects, ${report.refused} refused; slowest ${report.slowest_cpu_seconds.toFixed(3)} s`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (isMainThread) await main();
else await work(workerData as Task);
