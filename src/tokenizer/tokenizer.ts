/**
 * The tokenizer behind one small interface: a tokenizer.json run by the `tokenizers` library. Text that a person wrote
 * goes through an instance that does not know the special tokens, so it can never become one; special tokens are
 * placed by id, by the template alone. Nothing here adds begin or end tokens, truncates or pads.
 */
import { createHash } from 'node:crypto';
import { Tokenizer as NativeTokenizer } from 'tokenizers';
import { InputError } from '../errors.ts';
import { BYTE_CHARACTERS, occursInUtf8 } from './bytes.ts';
import { NativeEncoder } from './native.ts';
import { addSpecialTokens, hashTokenizer, parseTokenizerJson, textOnlyJson } from './tokenizer-json.ts';
import type { TokenizerFile } from './tokenizer-json.ts';

export interface TextOptions {
  /** The text goes on from text before it: a tokenizer that begins every text with a space then does not. */
  readonly continues?: boolean;
}

export interface Tokenizer {
  /** Base vocabulary and added tokens: highest id + 1. */
  readonly size: number;
  /** SHA-256, hex, of the tokenizer.json with sorted keys. */
  readonly hash: string;
  /** Contents of the special tokens, by id. */
  readonly specialTokens: readonly string[];
  /** Ids of a text that a person wrote. Throws InputError for a character the vocabulary cannot express. */
  encodeText(text: string, options?: TextOptions): number[];
  /** As `encodeText` for many at once, several times faster. */
  encodeTexts(texts: readonly string[], options?: TextOptions): number[][];
  /** Id of the special token with exactly this content. */
  specialId(content: string): number | undefined;
  /** Text of ids; incomplete characters become U+FFFD. Throws InputError for an id outside the vocabulary. */
  decode(ids: ArrayLike<number>, options?: { skipSpecial?: boolean }): string;
  /** A new tokenizer that also has these special tokens, in this order at the next free ids; known ones keep theirs. */
  withSpecialTokens(contents: readonly string[]): Tokenizer;
  /** tokenizer.json, in Hugging Face's format. */
  toJson(): string;
}

/** Loads the text of a tokenizer.json. `where` names it in messages. Throws InputError. */
export function loadTokenizer(jsonText: string, where: string): Tokenizer {
  return new BpeTokenizer(parseTokenizerJson(jsonText, where), where, jsonText);
}

class BpeTokenizer implements Tokenizer {
  readonly size: number;
  readonly specialTokens: readonly string[];
  readonly #file: TokenizerFile;
  readonly #where: string;
  readonly #specialIds: ReadonlyMap<string, number>;
  readonly #isSpecial: Uint8Array;
  readonly #decoder: ReturnType<NativeTokenizer['getDecoder']>;
  readonly #encoder: NativeEncoder;
  /** Hash of the file the encoder was loaded from. */
  readonly #encoderKey: string;
  #continuing: NativeEncoder | undefined;
  readonly #missingBytes: ReadonlySet<number>;
  #json: string | undefined;
  #hash: string | undefined;

  /** @param base a tokenizer whose loaded encoder is shared if texts are encoded alike. */
  constructor(file: TokenizerFile, where: string, json?: string, base?: BpeTokenizer) {
    this.#file = file;
    this.#where = where;
    this.#json = json;
    this.size = file.tokens.length;
    const special = file.added.filter((token) => token.special).sort((a, b) => a.id - b.id);
    this.specialTokens = special.map((token) => token.content);
    this.#specialIds = new Map(special.map((token) => [token.content, token.id]));
    this.#isSpecial = new Uint8Array(this.size);
    for (const { id } of special) this.#isSpecial[id] = 1;
    this.#decoder = this.#load(() => nativeDecoder(file));
    const textJson = textOnlyJson(file, true);
    this.#encoderKey = createHash('sha256').update(textJson).digest('hex');
    this.#encoder =
      base !== undefined && base.#encoderKey === this.#encoderKey ? base.#encoder : this.#load(() => new NativeEncoder(textJson));
    this.#missingBytes = missingBytes(file);
  }

  get hash(): string {
    return (this.#hash ??= hashTokenizer(this.#file));
  }

  encodeText(text: string, options?: TextOptions): number[] {
    return this.encodeTexts([text], options)[0] as number[];
  }

  encodeTexts(texts: readonly string[], options?: TextOptions): number[][] {
    for (const text of texts) this.#refuseInexpressible(text);
    let encoder = this.#encoder;
    if (options?.continues === true && this.#file.addsPrefixSpace) {
      encoder = this.#continuing ??= this.#load(() => new NativeEncoder(textOnlyJson(this.#file, false)));
    }
    let rows: number[][];
    try {
      rows = encoder.encode(texts);
    } catch (cause) {
      throw new InputError(
        { expected: 'text that the vocabulary can express', found: (cause as Error).message, where: this.#where },
        { cause },
      );
    }
    for (const row of rows) {
      for (const id of row) {
        if (this.#isSpecial[id] !== 0) {
          throw new InputError({
            expected: 'ids of ordinary tokens for a text',
            found: `id ${id} (${id < this.size ? JSON.stringify(this.#file.tokens[id]) : 'outside the vocabulary'})`,
            where: this.#where,
            remedy: 'The tokenizer file is inconsistent: get it again.',
          });
        }
      }
    }
    return rows;
  }

  specialId(content: string): number | undefined {
    return this.#specialIds.get(content);
  }

  decode(ids: ArrayLike<number>, options?: { skipSpecial?: boolean }): string {
    const tokens: string[] = [];
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      const token = this.#file.tokens[id];
      if (token === undefined) {
        throw new InputError({ expected: `ids below ${this.size} that name a token`, found: `id ${id}`, where: this.#where });
      }
      if (options?.skipSpecial === true && this.#isSpecial[id] === 1) continue;
      tokens.push(token);
    }
    return this.#decoder === null ? tokens.join(' ') : this.#decoder.decode(tokens);
  }

  withSpecialTokens(contents: readonly string[]): Tokenizer {
    if (contents.every((content) => this.#specialIds.has(content))) return this;
    for (const content of contents) {
      if (content === '' || !content.isWellFormed()) {
        throw new InputError({ expected: 'special tokens with text', found: JSON.stringify(content), where: this.#where });
      }
    }
    return new BpeTokenizer(addSpecialTokens(this.#file, contents, this.#where), this.#where, undefined, this);
  }

  toJson(): string {
    return (this.#json ??= JSON.stringify(this.#file.root));
  }

  #load<T>(make: () => T): T {
    try {
      return make();
    } catch (cause) {
      throw new InputError(
        {
          expected: 'a tokenizer.json that the tokenizer library can load',
          found: (cause as Error).message,
          where: this.#where,
          remedy: 'Get the tokenizer file again.',
        },
        { cause },
      );
    }
  }

  /** The library leaves a byte without a token out silently: a text would train or prompt as another text. */
  #refuseInexpressible(text: string): void {
    if (this.#missingBytes.size === 0) return;
    const bytes = Buffer.from(text, 'utf8');
    for (let i = 0; i < bytes.length; i++) {
      if (!this.#missingBytes.has(bytes[i] as number)) continue;
      const character = [...bytes.subarray(0, i).toString('utf8').replace(/\ufffd$/, '')].length;
      const code = [...text][character]?.codePointAt(0) ?? 0;
      throw new InputError({
        expected: 'text that the vocabulary can express',
        found: `U+${code.toString(16).toUpperCase().padStart(4, '0')}, which has no token`,
        where: this.#where,
        remedy: 'Remove that character or use a base whose tokenizer knows it.',
      });
    }
  }
}

/** The decoder alone: it needs no vocabulary. */
function nativeDecoder(file: TokenizerFile): ReturnType<NativeTokenizer['getDecoder']> {
  const shell = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: file.root['decoder'] ?? null,
    model: { type: 'BPE', vocab: {}, merges: [] },
  };
  return NativeTokenizer.fromString(JSON.stringify(shell)).getDecoder();
}

/** Bytes of UTF-8 that a byte-level vocabulary has no token for; empty for one that is not byte-level. */
function missingBytes(file: TokenizerFile): ReadonlySet<number> {
  const missing = new Set<number>();
  const decoder = file.root['decoder'] as { type?: unknown } | null | undefined;
  if (decoder?.type !== 'ByteLevel') return missing;
  const vocab = (file.root['model'] as { vocab: object }).vocab;
  BYTE_CHARACTERS.forEach((character, byte) => {
    if (occursInUtf8(byte) && !Object.hasOwn(vocab, character)) missing.add(byte);
  });
  return missing;
}
