/**
 * A lock file that keeps two processes from fetching one blob at the same time. Node has no flock, so the holder writes its
 * host and process id and touches the file while it lives; a lock whose process is gone, or that nobody touched for a while,
 * is taken over. That can in theory let two in at once. It costs bandwidth only: a partial file is named by the hash of what
 * it will hold, every writer writes the same bytes at the same places, and a blob appears only after its hash was right.
 * Python's client locks another file with flock, which cannot be seen from here; against it the same reasoning holds.
 */
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { asDiskError } from './cache.ts';

const TOUCH_EVERY_MS = 5_000;
const STALE_AFTER_MS = 60_000;

export interface HeldLock {
  release(): void;
}

/** The lock, or undefined while somebody else holds it. */
export function tryLock(path: string): HeldLock | undefined {
  mkdirSync(dirname(path), { recursive: true });
  const mine = JSON.stringify({ host: hostname(), pid: process.pid, key: randomBytes(8).toString('hex') });
  for (let round = 0; round < 2; round += 1) {
    try {
      const file = openSync(path, 'wx');
      try {
        writeSync(file, mine);
      } finally {
        closeSync(file);
      }
      return hold(path, mine);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw asDiskError(error, path);
    }
    if (!isStale(path)) return undefined;
    removeStale(path);
  }
  return undefined;
}

function hold(path: string, mine: string): HeldLock {
  const timer = setInterval(() => {
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      // Taken over or deleted by hand: harmless, see above.
    }
  }, TOUCH_EVERY_MS);
  timer.unref();
  return {
    release() {
      clearInterval(timer);
      if (read(path) === mine) rmSync(path, { force: true });
    },
  };
}

function isStale(path: string): boolean {
  try {
    if (Date.now() - statSync(path).mtimeMs > STALE_AFTER_MS) return true;
    const holder = JSON.parse(read(path) ?? '') as { host?: unknown; pid?: unknown };
    return holder.host === hostname() && typeof holder.pid === 'number' && !isAlive(holder.pid);
  } catch {
    // Just being written, or just gone.
    return false;
  }
}

function removeStale(path: string): void {
  // By rename: of two that find the lock stale, one gets it and the other finds nothing.
  const aside = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    renameSync(path, aside);
    rmSync(aside, { force: true });
  } catch {
    // The other was first.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
