/**
 * What is typed or pasted in a chat, as whole messages. Lines come from node:readline. In a terminal a filter stands before it:
 * line breaks of a paste (bracketed paste mode) become a visible mark in the line, so that the paste stays one message that can
 * still be changed; and while an answer comes, keys wait, all but Ctrl-C.
 */
import { createInterface, type Interface } from 'node:readline';
import { Transform, type TransformCallback } from 'node:stream';
import type { InputHistory } from './chat-history.ts';
import { sanitise } from './terminal.ts';

/** Stands for a line break where a message is edited on one line. */
const BREAK = '\u21b5';
const PASTE_START = '\u001b[200~';
const PASTE_END = '\u001b[201~';
const CTRL_C = '\u0003';
/** A key of its own (Escape) is told from a beginning of PASTE_START by what does not come after it. */
const ESCAPE_MS = 50;
/** Keys that wait, at most. */
const WAITING_BYTES = 2 ** 20;

/** Bytes of a terminal on their way to readline. */
export class KeyFilter extends Transform {
  /** For readline. */
  readonly isTTY = true;
  readonly #terminal: Pick<NodeJS.ReadStream, 'setRawMode'>;
  #pasting = false;
  #afterReturn = false;
  /** The beginning of a mark that may still come. */
  #begun = '';
  #timer: NodeJS.Timeout | undefined;
  #interrupt: (() => void) | undefined;
  #waiting = '';

  constructor(terminal: Pick<NodeJS.ReadStream, 'setRawMode'>) {
    super();
    this.#terminal = terminal;
  }

  setRawMode(on: boolean): this {
    this.#terminal.setRawMode(on);
    return this;
  }

  /** From now on keys wait, and Ctrl-C calls `interrupt`. */
  hold(interrupt: () => void): void {
    this.#interrupt = interrupt;
  }

  /** What waited comes, and whatever follows. */
  release(): void {
    this.#interrupt = undefined;
    const waiting = this.#waiting;
    this.#waiting = '';
    this.#pass(waiting);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    // One character a byte: the marks are ASCII, and everything else goes through as it is.
    const bytes = chunk.toString('latin1');
    if (this.#interrupt === undefined) this.#pass(bytes);
    else if (bytes.includes(CTRL_C)) {
      this.#waiting = '';
      this.#interrupt();
    } else this.#waiting = (this.#waiting + bytes).slice(0, WAITING_BYTES);
    done();
  }

  override _flush(done: TransformCallback): void {
    clearTimeout(this.#timer);
    this.#pass(this.#waiting);
    this.#give(this.#begun);
    done();
  }

  #pass(bytes: string): void {
    clearTimeout(this.#timer);
    let text = this.#begun + bytes;
    for (;;) {
      const mark = this.#pasting ? PASTE_END : PASTE_START;
      const at = text.indexOf(mark);
      const piece = at < 0 ? text.slice(0, text.length - begun(text, mark)) : text.slice(0, at);
      this.#give(this.#pasting ? this.#pasted(piece) : piece);
      if (at < 0) {
        this.#begun = text.slice(piece.length);
        break;
      }
      text = text.slice(at + mark.length);
      this.#pasting = !this.#pasting;
      this.#afterReturn = false;
    }
    if (this.#begun === '' || this.#pasting) return;
    this.#timer = setTimeout(() => {
      this.#give(this.#begun);
      this.#begun = '';
    }, ESCAPE_MS);
  }

  #give(bytes: string): void {
    if (bytes !== '') this.push(Buffer.from(bytes, 'latin1'));
  }

  #pasted(bytes: string): string {
    const joined = this.#afterReturn && bytes.startsWith('\n') ? bytes.slice(1) : bytes;
    if (bytes !== '') this.#afterReturn = bytes.endsWith('\r');
    const mark = Buffer.from(BREAK).toString('latin1');
    // Other control characters would be keys to readline.
    return joined.replace(/\r\n?|\n/g, mark).replace(/[\0-\x08\x0b-\x1f\x7f]/g, '');
  }
}

/** Length of the longest end of `text` that `mark` goes on from. */
function begun(text: string, mark: string): number {
  for (let n = Math.min(text.length, mark.length - 1); n > 0; n--) if (mark.startsWith(text.slice(-n))) return n;
  return 0;
}

export interface Message {
  readonly text: string;
  /** From a block: never a command. */
  readonly literal: boolean;
}

const FENCE = '"""';

/** Lines to messages: one that ends with a backslash goes on, and lines between two `"""` are one message. */
export class Gatherer {
  #lines: string[] = [];
  #fenced = false;

  /** Whether a message is begun and not whole. */
  get open(): boolean {
    return this.#fenced || this.#lines.length > 0;
  }

  /** The message that `line` makes whole. */
  add(line: string): Message | undefined {
    let text = line;
    if (!this.open && text.trimStart().startsWith(FENCE)) {
      this.#fenced = true;
      text = text.trimStart().slice(FENCE.length);
      if (text === '') return undefined;
    }
    if (this.#fenced) {
      const end = text.trimEnd().endsWith(FENCE);
      this.#lines.push(end ? text.trimEnd().slice(0, -FENCE.length) : text);
      return end ? this.end() : undefined;
    }
    const backslashes = /\\*$/.exec(text)![0].length;
    this.#lines.push(backslashes % 2 === 1 ? text.slice(0, -1) : text);
    return backslashes % 2 === 1 ? undefined : this.end();
  }

  /** What there is so far, as a message; nothing is begun afterwards. */
  end(): Message {
    const message = { text: this.#lines.join('\n').replace(/^\n+|\n+$/g, ''), literal: this.#fenced };
    this.#lines = [];
    this.#fenced = false;
    return message;
  }
}

export interface ChatInputOptions {
  readonly prompt: string;
  /** Before a line that goes on. */
  readonly continues: string;
  readonly history: InputHistory;
}

/** Messages from standard input. */
export class ChatInput {
  /** Somebody sits there. */
  readonly terminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  readonly #options: ChatInputOptions;
  readonly #filter: KeyFilter | undefined;
  readonly #lines: Interface;
  readonly #gatherer = new Gatherer();
  /** readline's own list. */
  #shown: string[] | undefined;
  #prefilled = '';
  #closed = false;
  #left = false;

  constructor(options: ChatInputOptions) {
    this.#options = options;
    const { prompt, history } = options;
    if (!this.terminal) {
      this.#lines = createInterface({ input: process.stdin });
    } else {
      this.#filter = process.stdin.pipe(new KeyFilter(process.stdin));
      process.stderr.write('\u001b[?2004h');
      process.on('exit', this.#leave);
      this.#lines = createInterface({ input: this.#filter, output: process.stderr, terminal: true, prompt, history: history.entries.map(onOneLine), historySize: 1000 });
      // readline adds every line; a message is one entry, however many lines it took.
      this.#lines.on('history', (shown: string[]) => {
        this.#shown = shown;
        this.#showHistory();
      });
      this.#lines.on('SIGINT', () => this.#dropOrClose());
    }
    this.#lines.on('close', () => (this.#closed = true));
  }

  /** Yields messages until the input ends or is closed. */
  async *messages(): AsyncGenerator<Message> {
    this.#prompt();
    for await (const line of this.#lines) {
      const message = this.#message(line);
      if (message && message.text.trim() !== '') {
        this.#remember(message);
        yield message;
      }
      this.#prompt();
    }
    // A message that the end of the input left open is one all the same.
    if (!this.terminal && this.#gatherer.open) yield this.#gatherer.end();
    this.close();
  }

  /** Runs `work` while keys wait; Ctrl-C calls `interrupt`. */
  async during<T>(interrupt: () => void, work: () => Promise<T>): Promise<T> {
    this.#filter?.hold(interrupt);
    try {
      return await work();
    } finally {
      this.#filter?.release();
    }
  }

  /** The next line begins with `text`, to be changed. */
  prefill(text: string): void {
    this.#prefilled = text;
  }

  close(): void {
    this.#lines.close();
    if (!this.#filter || this.#left) return;
    this.#left = true;
    process.stdin.unpipe(this.#filter);
    process.stdin.pause();
    process.off('exit', this.#leave);
    this.#leave();
  }

  readonly #leave = (): void => void process.stderr.write('\u001b[?2004l');

  #prompt(): void {
    // Lines that were read ahead are still answered after the end of the input, where there is nobody to be asked.
    if (this.#closed || !this.terminal) return;
    this.#lines.setPrompt(this.#gatherer.open ? this.#options.continues : this.#options.prompt);
    this.#lines.prompt();
    if (this.#prefilled !== '') this.#lines.write(onOneLine(this.#prefilled));
    this.#prefilled = '';
  }

  /** A paste is one line with marks, but a line of a message that goes on may be pasted too. */
  #message(line: string): Message | undefined {
    const text = this.terminal ? line.replaceAll(BREAK, '\n') : line;
    if (this.#gatherer.open || !text.includes('\n')) return this.#gatherer.add(text);
    return { text: text.replace(/^\n+|\n+$/g, ''), literal: false };
  }

  #remember({ text, literal }: Message): void {
    if (!this.terminal) return;
    this.#options.history.add(literal ? `${FENCE}${text}${FENCE}` : text);
    this.#showHistory();
  }

  #showHistory(): void {
    this.#shown?.splice(0, this.#shown.length, ...this.#options.history.entries.map(onOneLine));
  }

  /** Ctrl-C at the prompt: what is typed is dropped; where nothing is, the chat ends. */
  #dropOrClose(): void {
    if (!this.#gatherer.open && this.#lines.line === '') {
      process.stderr.write('\n');
      this.#lines.close();
      return;
    }
    if (this.#gatherer.open) this.#gatherer.end();
    this.#lines.write(null, { ctrl: true, name: 'e' });
    this.#lines.write(null, { ctrl: true, name: 'u' });
    process.stderr.write('^C\n');
    this.#prompt();
  }
}

/** A message as it is shown for editing. */
const onOneLine = (text: string): string => sanitise(text).replaceAll('\n', BREAK);
