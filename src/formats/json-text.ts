/**
 * Checks one JSON text against RFC 8259 without building its value: the place of the first fault, keys given twice in
 * an object (which JSON.parse keeps silently, the last one winning) and nesting deeper than a bound. Not a parser:
 * JSON.parse makes the value. Grammar: RFC 8259; object keys are compared after their escapes are resolved.
 */

/** The first fault of a text: `at` is its offset in UTF-16 units. */
export interface JsonFault {
  readonly at: number;
  readonly expected: string;
  readonly found: string;
}

const MAX_DEPTH = 64;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERALS = ['true', 'false', 'null'] as const;

/** `undefined` where `text` is one JSON value without doubled keys, nested at most `maxDepth` deep. */
export function findJsonFault(text: string, maxDepth: number = MAX_DEPTH): JsonFault | undefined {
  const scanner = new Scanner(text, maxDepth);
  try {
    scanner.document();
    return undefined;
  } catch (fault) {
    if (fault instanceof Fault) return { at: fault.at, expected: fault.expected, found: fault.found };
    throw fault;
  }
}

class Fault extends Error {
  readonly at: number;
  readonly expected: string;
  readonly found: string;

  constructor(at: number, expected: string, found: string) {
    super();
    this.at = at;
    this.expected = expected;
    this.found = found;
  }
}

class Scanner {
  readonly #text: string;
  readonly #maxDepth: number;
  #at = 0;
  /** One entry a container that is open: the keys seen so far, or `null` for an array. */
  readonly #open: (Set<string> | null)[] = [];

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  /** A loop with its own stack instead of recursion: hostile nesting must not reach the call stack. */
  document(): void {
    let valueExpected = true;
    for (;;) {
      if (valueExpected) valueExpected = this.#value();
      if (valueExpected) continue;
      const container = this.#open.at(-1);
      this.#skipSpace();
      if (container === undefined) {
        if (this.#at < this.#text.length) this.#fail('the end of the value');
        return;
      }
      const character = this.#text[this.#at];
      if (character === ',') {
        this.#at++;
        if (container !== null) this.#key(container);
        valueExpected = true;
      } else if (character === (container === null ? ']' : '}')) {
        this.#at++;
        this.#open.pop();
      } else {
        this.#fail(container === null ? '"," or "]"' : '"," or "}"');
      }
    }
  }

  /** Reads a scalar or opens a container. True where another value must follow at once. */
  #value(): boolean {
    this.#skipSpace();
    const character = this.#text[this.#at];
    if (character === '"') {
      this.#string();
      return false;
    }
    if (character === '{' || character === '[') {
      if (this.#open.length >= this.#maxDepth) {
        throw new Fault(this.#at, `at most ${this.#maxDepth} levels of nesting`, 'a deeper one');
      }
      const keys = character === '{' ? new Set<string>() : null;
      this.#open.push(keys);
      this.#at++;
      this.#skipSpace();
      if (this.#text[this.#at] === (keys === null ? ']' : '}')) {
        this.#at++;
        this.#open.pop();
        return false;
      }
      if (keys !== null) this.#key(keys);
      return true;
    }
    for (const literal of LITERALS) {
      if (this.#text.startsWith(literal, this.#at)) {
        this.#at += literal.length;
        return false;
      }
    }
    NUMBER.lastIndex = this.#at;
    const number = NUMBER.exec(this.#text);
    if (number === null) this.#fail('a JSON value');
    else this.#at += number[0].length;
    return false;
  }

  #key(keys: Set<string>): void {
    this.#skipSpace();
    const start = this.#at;
    if (this.#text[start] !== '"') this.#fail('a key in double quotes');
    const escaped = this.#string();
    const key = escaped
      ? (JSON.parse(this.#text.slice(start, this.#at)) as string)
      : this.#text.slice(start + 1, this.#at - 1);
    if (keys.has(key)) throw new Fault(start, 'every key once in an object', `the key ${shorten(key)} twice`);
    keys.add(key);
    this.#skipSpace();
    if (this.#text[this.#at] !== ':') this.#fail('":" after a key');
    this.#at++;
  }

  /** Passes over a string that begins here; true where it holds an escape. */
  #string(): boolean {
    const text = this.#text;
    const start = this.#at;
    let escaped = false;
    let at = start + 1;
    for (;;) {
      const code = text.charCodeAt(at);
      if (Number.isNaN(code)) throw new Fault(start, 'a closing double quote', 'the end of the line');
      if (code === 0x22) break;
      if (code < 0x20) {
        this.#at = at;
        this.#fail('control characters written as escapes');
      }
      if (code === 0x5c) {
        escaped = true;
        const next = text[at + 1] ?? '';
        if (next === 'u' && /^[0-9a-fA-F]{4}$/.test(text.slice(at + 2, at + 6))) at += 6;
        else if (next !== '' && '"\\/bfnrt'.includes(next)) at += 2;
        else {
          this.#at = at;
          throw new Fault(at, 'a JSON escape such as \\n or \\u00e9', shorten(text.slice(at, at + 2)));
        }
      } else {
        at++;
      }
    }
    this.#at = at + 1;
    return escaped;
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) return;
      this.#at++;
    }
  }

  #fail(expected: string): never {
    const character = this.#text.codePointAt(this.#at);
    const found = character === undefined ? 'the end of the line' : shorten(String.fromCodePoint(character));
    throw new Fault(this.#at, expected, found);
  }
}

/** JSON's own quoting, so that a control character in a file never reaches a terminal through a message. */
function shorten(text: string): string {
  const quoted = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
  return quoted.replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
