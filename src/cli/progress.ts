/**
 * Progress on standard error: one line that is redrawn on a terminal, or a plain line every few seconds elsewhere, so that
 * a log file stays readable. It never touches standard output.
 */
import { sanitise, truncate } from './terminal.ts';

export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressOptions {
  readonly stream?: ProgressStream;
  /** Shortest time between two lines of a stream that is no terminal, seconds. */
  readonly everySeconds?: number;
  /** Milliseconds since some start. */
  readonly now?: () => number;
}

const REDRAW_MS = 80;

/** A progress line. `update` as often as you like; `note` prints a line that stays; `finish` leaves the last text standing. */
export class Progress implements Disposable {
  readonly #stream: ProgressStream;
  readonly #everyMs: number;
  readonly #now: () => number;
  #shown = '';
  #latest = '';
  #lastAt = -Infinity;

  constructor({ stream = process.stderr, everySeconds = 10, now = () => performance.now() }: ProgressOptions = {}) {
    this.#stream = stream;
    this.#everyMs = everySeconds * 1000;
    this.#now = now;
  }

  /** Shows `text` instead of what was there. */
  update(text: string): void {
    this.#latest = sanitise(text).replaceAll('\n', ' ');
    if (this.#now() - this.#lastAt >= (this.#stream.isTTY ? REDRAW_MS : this.#everyMs)) this.#draw();
  }

  /** Prints `text` above the progress line. */
  note(text: string): void {
    this.#erase();
    this.#stream.write(`${text}\n`);
    if (this.#stream.isTTY && this.#latest !== '') this.#draw();
  }

  /** Leaves the last text (or `text`) as an ordinary line. */
  finish(text = this.#latest): void {
    this.#latest = text;
    if (this.#stream.isTTY) {
      this.#erase();
      if (text !== '') this.#stream.write(`${text}\n`);
    } else if (text !== this.#shown) {
      this.#draw();
    }
    this.#shown = this.#latest = '';
  }

  /** Removes the line from a terminal. */
  [Symbol.dispose](): void {
    this.#erase();
  }

  #draw(): void {
    this.#lastAt = this.#now();
    this.#erase();
    const text = this.#stream.isTTY ? truncate(this.#latest, (this.#stream.columns ?? 80) - 1) : this.#latest;
    this.#stream.write(this.#stream.isTTY ? text : `${text}\n`);
    this.#shown = this.#latest;
  }

  #erase(): void {
    if (this.#stream.isTTY && this.#shown !== '') this.#stream.write('\r\u001b[K');
    this.#shown = '';
  }
}

/** "━━━━────" of `columns` for a share from 0 to 1. */
export function bar(share: number, columns = 20): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * columns);
  return '━'.repeat(full) + '─'.repeat(columns - full);
}
