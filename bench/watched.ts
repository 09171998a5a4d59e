/** Runs a verb of the command line under a watch of its own time and memory. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Watched {
  readonly seconds: number;
  /** Of all its threads: what it would take on a core of its own. */
  readonly cpu_seconds: number;
  /** Most resident memory, in bytes. */
  readonly memory: number;
  readonly result: Record<string, unknown>;
}

/** What a report keeps of it. */
export const figures = ({ seconds, cpu_seconds, memory }: Watched): Omit<Watched, 'result'> => ({ seconds, cpu_seconds, memory });

const CLI = join(import.meta.dirname, '../src/cli/main.ts');

/** `roslin …args --json`. Throws where it ends with another code than 0. */
export function roslin(...args: readonly string[]): Watched {
  const folder = mkdtempSync(join(tmpdir(), 'roslin-watched-'));
  try {
    const [report, watch] = [join(folder, 'report'), join(folder, 'watch.cjs')];
    writeFileSync(watch, `process.on('exit', () => { const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage(); require('node:fs').writeFileSync(${JSON.stringify(report)}, JSON.stringify([maxRSS * 1024, (userCPUTime + systemCPUTime) / 1e6])); })`);
    const began = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--require', watch, CLI, ...args, '--json'], { encoding: 'utf8', maxBuffer: 2 ** 28 });
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stdout}${stderr}`);
    const seconds = (performance.now() - began) / 1000;
    const [memory, cpu] = JSON.parse(readFileSync(report, 'utf8')) as [number, number];
    return { seconds, cpu_seconds: cpu, memory, result: JSON.parse(stdout) as Record<string, unknown> };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
