/**
 * An answer's ids as text that may be shown: whole characters only, nothing of a stop string, and for Dolly's template only what stands
 * between the response key and the end key, without the white space around it. What was handed out is never taken back.
 */

export interface AnswerTextOptions {
  /** Bytes of each id (tokenizer/token-bytes.ts). */
  readonly bytes: readonly Uint8Array[];
  /** The answer ends before the first of these. */
  readonly stops: readonly string[];
  /** White space at both ends is left out. */
  readonly trims: boolean;
  /** A space that the vocabulary puts before a text is left out. */
  readonly dropsFirstSpace: boolean;
}

/** A token with its end in the answer's text, in UTF-16 units before anything was left out. */
interface Ended<T> {
  readonly token: T;
  readonly from: number;
  readonly to: number;
}

export interface Shown<T> {
  readonly text: string;
  /** Tokens whose text is now settled. */
  readonly tokens: readonly T[];
}

export class AnswerText<T> {
  /** A stop string was met: nothing more will come. */
  stopped = false;
  readonly #options: AnswerTextOptions;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #longest: number;
  #all = '';
  #isFirst: boolean;
  /** Where the text that is shown begins; it moves on while only white space has come that is left out. */
  #shown = 0;
  #begun = false;
  #pending: Ended<T>[] = [];

  constructor(options: AnswerTextOptions) {
    this.#options = options;
    this.#longest = Math.max(0, ...options.stops.map((stop) => stop.length));
    this.#isFirst = options.dropsFirstSpace;
  }

  /** What may be shown after one more id. */
  push(id: number, token: T): Shown<T> {
    return this.#take(this.#decoder.decode(this.#options.bytes[id] ?? new Uint8Array(0), { stream: true }), token);
  }

  /** What was held back, at the end of the answer. */
  finish(): Shown<T> {
    if (!this.stopped) this.#all += this.#decoder.decode();
    return this.#show(this.#all.length, true);
  }

  #take(text: string, token: T): Shown<T> {
    if (this.stopped) return { text: '', tokens: [] };
    if (this.#isFirst && text !== '') {
      this.#isFirst = false;
      if (text.startsWith(' ')) text = text.slice(1);
    }
    const before = this.#all.length;
    this.#all += text;
    this.#pending.push({ token, from: before, to: this.#all.length });
    const searchFrom = Math.max(0, before - this.#longest);
    const found = this.#options.stops.map((stop) => this.#all.indexOf(stop, searchFrom)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.stopped = true;
      this.#all = this.#all.slice(0, Math.min(...found));
      return this.#show(this.#all.length, true);
    }
    return this.#show(this.#all.length - this.#heldForStops(), false);
  }

  /** Length of the longest end of the text that may become a stop string. */
  #heldForStops(): number {
    for (let n = Math.min(this.#longest - 1, this.#all.length); n > 0; n--) {
      const end = this.#all.slice(-n);
      if (this.#options.stops.some((stop) => stop.length > n && stop.startsWith(end))) return n;
    }
    return 0;
  }

  #show(end: number, isEnd: boolean): Shown<T> {
    if (this.#options.trims) {
      if (!this.#begun) {
        while (this.#shown < end && isSpace(this.#all[this.#shown]!)) this.#shown++;
        this.#begun = this.#shown < end;
      }
      while (end > this.#shown && isSpace(this.#all[end - 1]!)) end--;
    }
    const text = end > this.#shown ? this.#all.slice(this.#shown, end) : '';
    this.#shown = Math.max(this.#shown, end);
    // Before a stop string a token that reaches beyond still belongs to the answer if it began inside; an answer that ends by itself has all of its own.
    const settled = (t: Ended<T>) => (!isEnd ? t.to <= this.#shown : !this.stopped || t.from < end || t.to <= end);
    const tokens = this.#pending.filter(settled).map(({ token }) => token);
    this.#pending = isEnd ? [] : this.#pending.filter((t) => !settled(t));
    return { text, tokens };
  }
}

const isSpace = (character: string): boolean => /\s/.test(character);
