/**
 * The folder of a run while it goes: `.training/` holds its manifest, a lock and checkpoints; metrics.jsonl holds what is
 * the same in every run of the same inputs, timings.jsonl what is not. run.json is written last: its presence means complete.
 */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, rmdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunManifest } from '../artefacts/run.ts';
import { InputError } from '../errors.ts';
import { removeTemporaries, writeFileAtomic } from '../formats/atomic.ts';
import { SEALED_HERE } from './data.ts';

const STATE = '.training';

/**
 * A process by its number and, where the system tells, the moment it began: numbers are used again. Empty for one that is
 * gone, or that has ended and only waits for its parent to notice.
 */
function processIdentity(pid: number): string {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return '';
  }
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
  // The name in brackets may hold anything; what follows it is: state, then 18 numbers, then the start.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? '' : `${pid} ${fields[19] ?? ''}`.trim();
}

export class RunFolder {
  readonly path: string;
  readonly state: string;
  readonly #made: boolean;

  private constructor(path: string, made: boolean) {
    this.path = path;
    this.state = join(path, STATE);
    this.#made = made;
  }

  /** Takes a folder that is empty or not there. @throws InputError if anything is in it */
  static create(path: string, manifest: RunManifest): RunFolder {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat && !stat.isDirectory()) throw new InputError({ expected: 'a folder to write the run into', found: 'a file', where: path, remedy: 'Give another --out.' });
    if (stat && readdirSync(path).length > 0) {
      const resumable = existsSync(join(path, STATE));
      throw new InputError({ expected: 'an empty or new output folder', found: resumable ? 'a run that has not ended' : 'files in it', where: path, remedy: resumable ? 'Add --resume to go on with it, or give another --out.' : 'Give another --out.' });
    }
    mkdirSync(join(path, STATE), { recursive: true });
    const folder = new RunFolder(path, !stat);
    folder.#lock();
    writeFileAtomic(join(folder.state, 'run.json'), JSON.stringify(manifest, null, 2));
    return folder;
  }

  /** Takes up a run that was interrupted. @throws InputError if there is none or another process is at it */
  static resume(path: string): { folder: RunFolder; manifest: RunManifest } {
    if (!existsSync(join(path, STATE, 'run.json'))) {
      const done = existsSync(join(path, 'run.json'));
      throw new InputError({ expected: 'a run that was interrupted', found: done ? 'one that is complete' : 'none', where: path, remedy: done ? 'Nothing is left to do.' : 'Start it without --resume.' });
    }
    const folder = new RunFolder(path, false);
    folder.#lock();
    removeTemporaries(folder.state);
    removeTemporaries(path);
    return { folder, manifest: JSON.parse(readFileSync(join(folder.state, 'run.json'), 'utf8')) as RunManifest };
  }

  #lock(): void {
    const lock = join(this.state, 'lock');
    const held = existsSync(lock) ? readFileSync(lock, 'utf8') : '';
    const pid = Number.parseInt(held, 10);
    if (pid > 0 && pid !== process.pid && processIdentity(pid) === held) {
      throw new InputError({ expected: 'an output folder that no other run uses', found: `one in use by process ${pid}`, where: this.path, remedy: 'Wait for it, stop it, or give another --out.' });
    }
    writeFileSync(lock, processIdentity(process.pid));
  }

  append(file: 'metrics.jsonl' | 'timings.jsonl', value: object): void {
    appendFileSync(join(this.path, file), `${JSON.stringify(value)}\n`);
  }

  /** Bytes of the two logs, for a checkpoint. */
  logSizes(): Record<string, number> {
    return Object.fromEntries(['metrics.jsonl', 'timings.jsonl'].map((f) => [f, statSync(join(this.path, f), { throwIfNoEntry: false })?.size ?? 0]));
  }

  /** Cuts what was logged after the checkpoint that is gone back to. */
  cutLogs(sizes: Readonly<Record<string, number>>): void {
    for (const file of ['metrics.jsonl', 'timings.jsonl']) if (existsSync(join(this.path, file))) truncateSync(join(this.path, file), sizes[file] ?? 0);
  }

  /** Removes what only an unfinished run needs. */
  complete(): void {
    rmSync(this.state, { recursive: true, force: true });
  }

  /** Leaves nothing behind: for a run that failed before its first update. */
  discard(): void {
    rmSync(this.state, { recursive: true, force: true });
    for (const file of ['metrics.jsonl', 'timings.jsonl', SEALED_HERE]) rmSync(join(this.path, file), { recursive: true, force: true });
    if (this.#made) {
      try {
        rmdirSync(this.path);
      } catch {
        // Somebody else's file is in it by now.
      }
    }
  }

  release(): void {
    rmSync(join(this.state, 'lock'), { force: true });
  }
}
