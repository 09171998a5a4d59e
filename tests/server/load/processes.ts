/** Servers as processes of their own: `roslin up` itself, and the same studio with a clock that is set from here. What they used of the processor. */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const REPLAY = fileURLToPath(new URL('replay-server.ts', import.meta.url));

export interface Up {
  readonly child: ChildProcess;
  readonly url: string;
  readonly ownerLink: string | null;
  /** What it said on stderr so far. */
  said(): string;
  /** By its signal, as Ctrl-C does. */
  stop(): Promise<void>;
}

/** The command, behind a proxy of this machine that tells people apart. */
export async function roslinUp(workspace: string, port = 0): Promise<Up> {
  const { DATABASE_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, [MAIN, 'up', '--workspace', workspace, '--port', String(port), '--trusted-proxy', '127.0.0.1', '--json'], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let [text, said] = ['', ''];
  child.stderr.on('data', (part: Buffer) => (said += String(part)));
  for await (const part of child.stdout.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    text += String(part);
    if (text.includes('\n')) break;
  }
  if (!text.includes('\n')) throw new Error(`roslin up ended: ${said}`);
  const { url, owner_link } = JSON.parse(text) as { url: string; owner_link: string | null };
  const gone = once(child, 'exit');
  return {
    child, url, ownerLink: owner_link, said: () => said,
    stop: async () => {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

export interface ReplayServer extends Omit<Up, 'said'> {
  readonly faults: readonly string[];
  /** Returns when it is that time there; never backwards. */
  setClock(at: number): Promise<void>;
  /** What happens by itself every 20 s, now. */
  jobs(): Promise<void>;
}

export async function replayServer(workspace: string, at: number): Promise<ReplayServer> {
  const child = fork(REPLAY, [workspace, String(at)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const faults: string[] = [];
  const waiting = new Map<number, () => void>();
  let [n, now] = [0, at];
  const up = await new Promise<{ url: string; ownerLink: string | null }>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the replay's server ended with ${code}`)));
    child.on('message', (message: { up?: { url: string; ownerLink: string | null }; done?: number; fault?: string }) => {
      if (message.up) resolve(message.up);
      if (message.fault !== undefined) faults.push(message.fault);
      if (message.done !== undefined) {
        waiting.get(message.done)?.();
        waiting.delete(message.done);
      }
    });
  });
  const tell = (message: object) => new Promise<void>((resolve) => {
    waiting.set(++n, resolve);
    child.send({ ...message, n });
  });
  const gone = once(child, 'exit');
  return {
    child, ...up, faults,
    setClock: (to) => tell({ clock: (now = Math.max(now, to)) }), jobs: () => tell({ jobs: true }),
    stop: async () => {
      await tell({ stop: true });
      await gone;
    },
  };
}

const HERTZ = 100;

function statOf(pid: number): { parent: number; seconds: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    // utime, stime, and those of children that ended.
    return { parent: Number(fields[1]), seconds: [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0) / HERTZ };
  } catch {
    return undefined;
  }
}

/** Processor seconds of a process and all below it, so far. Linux only; elsewhere 0. */
export function processorSeconds(pid: number): number {
  const own = statOf(pid);
  if (!own) return 0;
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => ({ pid: Number(name), ...statOf(Number(name)) }));
  const below = (parent: number): number => all.filter((one) => one.parent === parent).reduce((sum, one) => sum + one.seconds! + below(one.pid), 0);
  return own.seconds + below(pid);
}

/** The process of the embedded PostgreSQL of a workspace. */
export const postmasterOf = (workspace: string): number => Number(readFileSync(join(workspace, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
