/** `npm run proof:plan -- --base B --data D [--out DIR] [train flags]`: what `plan` foretold beside what the same run then took. Kept in DIR, if given. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine } from './measure.ts';

const given = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'roslin-plan-'));
const run = given.includes('--out') ? given[given.indexOf('--out') + 1]! : join(folder, 'run');
const flags = given.filter((flag, i) => flag !== '--out' && given[i - 1] !== '--out');
const cli = join(import.meta.dirname, '../src/cli/main.ts');

function roslin(verb: string): Promise<Record<string, number>> {
  const child = spawn(process.execPath, [cli, verb, ...flags, '--out', run, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) => child.on('exit', (code) => (code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`${verb} ended with ${code}: ${text}`)))));
}

try {
  const planned = await roslin('plan');
  const result = await roslin('train');
  const timings = readFileSync(join(run, 'timings.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { memory: number });
  const memory = Math.max(...timings.map((t) => t.memory));
  const report = {
    ...machine(), date: new Date().toISOString(), flags: flags.map((f) => f.split('/').at(-1)),
    seconds: { planned: planned['seconds'], took: result['seconds'], ratio: planned['seconds']! / result['seconds']! },
    memory: { planned: planned['memory'], took: memory, ratio: planned['memory']! / memory },
  };
  // One entry for each set of flags.
  const file = 'bench/results/plan.json';
  const { runs } = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { runs: (typeof report)[] }) : { runs: [] };
  writeFileSync(file, `${JSON.stringify({ runs: [...runs.filter((r) => r.flags.join() !== report.flags.join()), report] }, null, 2)}\n`);
  console.log(JSON.stringify(report, null, 2));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
