/**
 * What was typed in chats before, for the arrow keys: a file of JSON texts, newest last, in the user's state folder, that only
 * its owner can read. Bounded; a file that is damaged or cannot be written costs the history and never the chat.
 */
import { appendFileSync, chmodSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { writeFileAtomic } from '../formats/atomic.ts';

const ENTRIES = 1000;
/** A longer text is for this chat only. */
const ENTRY_UNITS = 20_000;
const FILE_BYTES = 4 * 2 ** 20;

/** `$XDG_STATE_HOME/roslin/chat-history.jsonl`, by default below `~/.local/state`; on Windows below `%LOCALAPPDATA%`. */
export function historyPath(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  const stated = platform === 'win32' ? env['LOCALAPPDATA'] : env['XDG_STATE_HOME'];
  const folder = stated && isAbsolute(stated) ? stated : join(homedir(), '.local', 'state');
  return join(folder, 'roslin', 'chat-history.jsonl');
}

export class InputHistory {
  /** Newest first. */
  readonly entries: string[] = [];
  /** Why nothing is kept, where that is so. */
  problem: string | undefined;
  readonly #path: string | undefined;

  /** @param path undefined: for this chat only */
  constructor(path?: string) {
    this.#path = path;
    if (path !== undefined) this.#guard(() => this.#read(path));
  }

  add(text: string): void {
    if (text === this.entries[0]) return;
    this.entries.unshift(text);
    this.entries.length = Math.min(this.entries.length, ENTRIES);
    const path = this.#path;
    if (path === undefined || this.problem !== undefined || text.length > ENTRY_UNITS) return;
    this.#guard(() => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      appendFileSync(path, `${JSON.stringify(text)}\n`, { mode: 0o600 });
    });
  }

  #read(path: string): void {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return;
    if (!stat.isFile()) throw new Error(`${path} is no file`);
    if ((stat.mode & 0o077) !== 0 && process.platform !== 'win32') chmodSync(path, 0o600);
    const lines = stat.size > FILE_BYTES ? [] : readFileSync(path, 'utf8').split('\n').filter((line) => line !== '');
    const texts = lines.flatMap((line) => textOf(line) ?? []).slice(-ENTRIES);
    this.entries.push(...texts.toReversed());
    // Not at every start: only when there is twice as much as is kept, or something that is no history.
    if (lines.length > 2 * ENTRIES || texts.length < Math.min(lines.length, ENTRIES) || stat.size > FILE_BYTES) {
      writeFileAtomic(path, texts.map((text) => `${JSON.stringify(text)}\n`).join(''), 0o600);
    }
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }
}

function textOf(line: string): string | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'string' && value.length <= ENTRY_UNITS ? value : undefined;
  } catch {
    return undefined;
  }
}
