/**
 * Typed, bounded access to the tokenizer keys of a GGUF's metadata: each getter refuses a value of another type by
 * name. Not the reader of the file (`formats/gguf.ts`). Keys and token types: llama.cpp's gguf documentation.
 */
import { InputError } from '../errors.ts';

export type Metadata = ReadonlyMap<string, unknown>;

/** `tokenizer.ggml.token_type` values. */
export const TokenType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

const MAX_TOKENS = 2 * 1024 * 1024;

export class TokenizerMetadata {
  readonly where: string;
  readonly #metadata: Metadata;

  constructor(metadata: Metadata, where: string) {
    this.#metadata = metadata;
    this.where = where;
  }

  has(key: string): boolean {
    return this.#metadata.has(key);
  }

  /** `undefined` where the key is absent. */
  optionalString(key: string): string | undefined {
    const value = this.#metadata.get(key);
    if (value !== undefined && typeof value !== 'string') this.#illTyped(key, 'a string', value);
    return value;
  }

  string(key: string): string {
    return this.optionalString(key) ?? this.refuse(`a key "${key}"`, 'none');
  }

  optionalBoolean(key: string): boolean | undefined {
    const value = this.#metadata.get(key);
    if (value !== undefined && typeof value !== 'boolean') this.#illTyped(key, 'true or false', value);
    return value;
  }

  strings(key: string): string[] {
    const list = this.#list(key);
    return Array.from(list, (entry) => (typeof entry === 'string' ? entry : this.#illTyped(key, 'strings only', entry)));
  }

  numbers(key: string): number[] {
    const list = this.#list(key);
    return Array.from(list, (entry) => (typeof entry === 'number' ? entry : this.#illTyped(key, 'numbers only', entry)));
  }

  /** An id below `size`, or `undefined` where the key is absent. */
  optionalId(key: string, size: number): number | undefined {
    const value = this.#metadata.get(key);
    if (value === undefined) return undefined;
    const id = typeof value === 'bigint' ? Number(value) : value;
    if (typeof id !== 'number' || !Number.isInteger(id)) this.#illTyped(key, 'an id', value);
    if (id < 0 || id >= size) this.refuse(`an id below ${size} in "${key}"`, String(id));
    return id;
  }

  refuse(expected: string, found: string, remedy = 'Convert the model to GGUF again, with its tokenizer.'): never {
    throw new InputError({ expected, found, where: this.where, remedy });
  }

  #list(key: string): ArrayLike<unknown> & Iterable<unknown> {
    const value = this.#metadata.get(key);
    if (value === undefined) this.refuse(`a key "${key}"`, 'none');
    if (!Array.isArray(value) && !ArrayBuffer.isView(value)) this.#illTyped(key, 'an array', value);
    const list = value as ArrayLike<unknown> & Iterable<unknown>;
    if (list.length > MAX_TOKENS) this.refuse(`at most ${MAX_TOKENS} entries in "${key}"`, String(list.length));
    return list;
  }

  #illTyped(key: string, expected: string, value: unknown): never {
    const found = Array.isArray(value) || ArrayBuffer.isView(value) ? 'an array' : `a ${typeof value}`;
    return this.refuse(`${expected} in "${key}"`, found);
  }
}
