/**
 * The key-value part of a GGUF file, and the cursor that reads it (and the tensor list after it) through a small
 * window, with every count and length checked against what is left of the file before anything is allocated.
 * Format: docs/gguf.md of the ggml project. Meaning of the keys is not looked at here, save for what the file
 * itself needs (gguf.ts).
 */
import { isUtf8 } from 'node:buffer';
import { InputError } from '../errors.ts';
import type { FileBytes } from './input-file.ts';
import { printable } from './printable.ts';

/** 64-bit integers are numbers where exact, else bigint. */
export type GgufValue = string | number | bigint | boolean | readonly GgufValue[];

const limits = {
  /** A GGUF key or tensor name, by the format's own text. */
  keyBytes: 65_535,
  stringBytes: 2 ** 26,
  /** Entries of all arrays together: the largest vocabularies have a few million with their merges and scores. */
  arrayEntries: 2 ** 25,
  arrayDepth: 4,
};

const windowBytes = 2 ** 18;

/** Reads forward from byte 0. Throws InputError with the byte offset. */
export class GgufCursor {
  readonly #file: FileBytes;
  #window: Buffer;
  #windowStart = 0;
  #windowLength = 0;
  #at = 0;
  #arrayEntries = 0;

  constructor(file: FileBytes) {
    this.#file = file;
    this.#window = Buffer.allocUnsafe(Math.min(windowBytes, file.size));
  }

  /** Byte offset of what is read next. */
  get offset(): number {
    return this.#windowStart + this.#at;
  }

  get remaining(): number {
    return this.#file.size - this.offset;
  }

  fail(expected: string, found: string, offset = this.offset, remedy = damaged): never {
    throw new InputError({
      expected: printable(expected),
      found: printable(found),
      where: `${this.#file.path} byte ${offset}`,
      remedy,
    });
  }

  uint32(): number {
    return this.#window.readUInt32LE(this.#take(4));
  }

  /** A count or size: refused where more than `limit`, which the caller derives from what is left of the file. */
  count(what: string, limit: number): number {
    const offset = this.offset;
    const value = this.#window.readBigUInt64LE(this.#take(8));
    if (value > BigInt(limit)) this.fail(`at most ${limit} ${what}`, `${value}`, offset);
    return Number(value);
  }

  string(what: string, maxBytes: number): string {
    const offset = this.offset;
    const length = this.count(`bytes in ${what}`, Math.min(maxBytes, Math.max(0, this.remaining - 8)));
    const start = this.#take(length);
    const text = this.#window.toString('utf8', start, start + length);
    // A wrong byte decodes to U+FFFD: only then is the exact check worth its time.
    if (text.includes('\ufffd') && !isUtf8(this.#window.subarray(start, start + length))) {
      this.fail(`UTF-8 text in ${what}`, 'other bytes', offset);
    }
    return text;
  }

  key(what: string): string {
    return this.string(what, limits.keyBytes);
  }

  /** A value of metadata type `type`, for the key named in messages. */
  value(type: number, key: string, depth = 0): GgufValue {
    const offset = this.offset;
    if (type === 8) return this.string(`the value of ${key}`, limits.stringBytes);
    if (type === 9) return this.#array(key, depth);
    const scalar = scalars.get(type);
    if (!scalar) this.fail(`a metadata type from 0 to 12 for ${key}`, `type ${type}`, offset - 4);
    const read = scalar.read(this.#window, this.#take(scalar.bytes));
    if (read === undefined) this.fail(`a boolean (0 or 1) for ${key}`, `${this.#window[this.#at - 1]}`, offset);
    return read;
  }

  #array(key: string, depth: number): GgufValue[] {
    const offset = this.offset;
    if (depth === limits.arrayDepth) {
      this.fail(`arrays at most ${limits.arrayDepth} deep in ${key}`, 'a deeper one', offset);
    }
    const type = this.uint32();
    const scalar = scalars.get(type);
    const entryBytes = scalar ? scalar.bytes : type === 8 ? 8 : type === 9 ? 12 : undefined;
    if (entryBytes === undefined) {
      this.fail(`a metadata type from 0 to 12 for the entries of ${key}`, `type ${type}`, offset);
    }
    const fit = Math.floor(Math.max(0, this.remaining - 8) / entryBytes);
    const count = this.count(`entries in ${key}`, Math.min(fit, limits.arrayEntries - this.#arrayEntries));
    this.#arrayEntries += count;
    const values: GgufValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.value(type, key, depth + 1));
    return values;
  }

  /** Makes `length` bytes available and passes them; returns where they start in the window. */
  #take(length: number): number {
    if (this.#at + length > this.#windowLength) this.#refill(length);
    const start = this.#at;
    this.#at += length;
    return start;
  }

  #refill(length: number): void {
    const offset = this.offset;
    if (length > this.remaining) {
      this.fail(`${length} more bytes`, `the end of the file after ${this.remaining}`, offset);
    }
    if (length > this.#window.length) this.#window = Buffer.allocUnsafe(length);
    this.#windowStart = offset;
    this.#at = 0;
    this.#windowLength = Math.min(this.#window.length, this.remaining);
    this.#file.read(offset, this.#window.subarray(0, this.#windowLength));
  }
}

export const damaged = 'The file is damaged or truncated: get it again.';

interface Scalar {
  readonly bytes: number;
  readonly read: (bytes: Buffer, at: number) => number | bigint | boolean | undefined;
}

const exact = (value: bigint): number | bigint => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};

const scalars: ReadonlyMap<number, Scalar> = new Map([
  [0, { bytes: 1, read: (bytes, at) => bytes[at]! }],
  [1, { bytes: 1, read: (bytes, at) => bytes.readInt8(at) }],
  [2, { bytes: 2, read: (bytes, at) => bytes.readUInt16LE(at) }],
  [3, { bytes: 2, read: (bytes, at) => bytes.readInt16LE(at) }],
  [4, { bytes: 4, read: (bytes, at) => bytes.readUInt32LE(at) }],
  [5, { bytes: 4, read: (bytes, at) => bytes.readInt32LE(at) }],
  [6, { bytes: 4, read: (bytes, at) => bytes.readFloatLE(at) }],
  [7, { bytes: 1, read: (bytes, at) => (bytes[at] === 0 ? false : bytes[at] === 1 ? true : undefined) }],
  [10, { bytes: 8, read: (bytes, at) => exact(bytes.readBigUInt64LE(at)) }],
  [11, { bytes: 8, read: (bytes, at) => exact(bytes.readBigInt64LE(at)) }],
  [12, { bytes: 8, read: (bytes, at) => bytes.readDoubleLE(at) }],
] satisfies [number, Scalar][]);

/** Reads `count` key-value pairs. A key that comes twice is refused. */
export function readMetadata(cursor: GgufCursor, count: number): Map<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const offset = cursor.offset;
    const key = cursor.key(`metadata key ${i + 1} of ${count}`);
    if (key === '') cursor.fail('a metadata key', 'an empty one', offset);
    if (metadata.has(key)) cursor.fail('every metadata key once', `${JSON.stringify(key)} twice`, offset);
    const type = cursor.uint32();
    metadata.set(key, cursor.value(type, key));
  }
  return metadata;
}
