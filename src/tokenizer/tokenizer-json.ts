/**
 * A Hugging Face tokenizer.json as checked data: bounds, types and ids are verified before anything is built from it.
 * Only byte-pair models (`"type": "BPE"`) are known, which is what the supported model families use. Also the two
 * derivations the tokenizer needs: the same file without its special tokens, and with further ones.
 * Format: the `Tokenizer` serialisation of huggingface/tokenizers 0.2x.
 */
import { createHash } from 'node:crypto';
import { InputError } from '../errors.ts';

type JsonObject = { [key: string]: unknown };

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

export interface TokenizerFile {
  /** The parsed JSON; treat as immutable. */
  readonly root: JsonObject;
  /** Token of each id; holes are undefined. Length = highest id + 1. */
  readonly tokens: readonly (string | undefined)[];
  readonly added: readonly AddedToken[];
  /** Whether the tokenizer puts a space (or its stand-in) before a text that does not begin with one. */
  readonly addsPrefixSpace: boolean;
}

const MAX_JSON_UNITS = 128 * 1024 * 1024;
const MAX_IDS = 4 * 1024 * 1024;
const MAX_TOKEN_UNITS = 64 * 1024;
const MAX_ADDED = 65_536;

/** Parses and checks. `where` names the source in messages. Throws InputError. */
export function parseTokenizerJson(text: string, where: string): TokenizerFile {
  if (text.length > MAX_JSON_UNITS) {
    refuse(where, `at most ${MAX_JSON_UNITS} characters`, `${text.length}`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new InputError(
      { expected: 'a tokenizer.json', found: 'text that is not JSON', where, remedy: 'Get the file again.' },
      { cause },
    );
  }
  return checkTokenizer(parsed, where);
}

/** Checks a parsed tokenizer.json. Throws InputError. */
export function checkTokenizer(parsed: unknown, where: string): TokenizerFile {
  const root = object(parsed, 'a JSON object', where);
  const model = object(root['model'], 'an object "model"', where);
  if (model['type'] !== 'BPE') {
    refuse(where, 'a tokenizer of type "BPE"', describe(model['type']), 'Only byte-pair tokenizers are implemented.');
  }
  if (typeof model['dropout'] === 'number' && model['dropout'] !== 0) {
    refuse(where, 'a tokenizer without dropout', `dropout ${model['dropout']}`, 'Set "dropout" to null: ids must not be random.');
  }
  const vocab = object(model['vocab'], 'an object "model.vocab"', where);
  checkMerges(model['merges'], vocab, where);
  const tokens: (string | undefined)[] = [];
  const place = (id: number, content: string): void => {
    const taken = tokens[id];
    if (taken !== undefined && taken !== content) {
      refuse(where, 'every id once', `id ${id} for ${describe(taken)} and for ${describe(content)}`);
    }
    tokens[id] = content;
  };
  const entries = Object.entries(vocab);
  if (entries.length > MAX_IDS) refuse(where, `at most ${MAX_IDS} tokens`, `${entries.length}`);
  for (const [content, id] of entries) {
    if (content.length > MAX_TOKEN_UNITS) refuse(where, `tokens of at most ${MAX_TOKEN_UNITS} characters`, `${content.length}`);
    place(checkId(id, content, where), content);
  }
  const added = checkAdded(root['added_tokens'], vocab, where);
  for (const { id, content } of added) place(id, content);
  if (tokens.length === 0) refuse(where, 'at least one token', 'an empty vocabulary');
  return { root, tokens, added, addsPrefixSpace: prefixSpace(root) };
}

function checkMerges(merges: unknown, vocab: JsonObject, where: string): void {
  if (!Array.isArray(merges) || merges.length > MAX_IDS) {
    refuse(where, `an array "model.merges" of at most ${MAX_IDS}`, describe(merges));
  }
  merges.forEach((merge: unknown, rank) => {
    const pair = mergePair(merge);
    if (pair === undefined) return refuse(where, 'merges of two tokens', `${describe(merge)} as merge ${rank}`);
    const missing = [...pair, pair.join('')].find((part) => !Object.hasOwn(vocab, part));
    if (missing !== undefined) refuse(where, 'merges of tokens in the vocabulary', `${describe(missing)} in merge ${rank}`);
  });
}

/** The two tokens of a merge, which is "left right" in older files and [left, right] in newer ones. */
function mergePair(merge: unknown): readonly [string, string] | undefined {
  const parts: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
  if (!Array.isArray(parts) || parts.length !== 2) return undefined;
  const [left, right] = parts as [unknown, unknown];
  return typeof left === 'string' && typeof right === 'string' ? [left, right] : undefined;
}

function checkAdded(list: unknown, vocab: JsonObject, where: string): AddedToken[] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list) || list.length > MAX_ADDED) refuse(where, `an array "added_tokens" of at most ${MAX_ADDED}`, describe(list));
  const seen = new Set<string>();
  return list.map((entry: unknown) => {
    const token = object(entry, 'an object in "added_tokens"', where);
    const { content, special } = token;
    if (typeof content !== 'string' || content === '' || content.length > MAX_TOKEN_UNITS) {
      refuse(where, 'a text "content" in every added token', describe(content));
    }
    if (typeof special !== 'boolean') refuse(where, '"special" true or false in every added token', describe(special));
    const id = checkId(token['id'], content, where);
    if (seen.has(content)) refuse(where, 'every added token once', `${describe(content)} twice`);
    seen.add(content);
    if (Object.hasOwn(vocab, content) && vocab[content] !== id) {
      refuse(where, `id ${String(vocab[content])} for ${describe(content)}, as in the vocabulary`, `id ${id}`);
    }
    return { id, content, special };
  });
}

/**
 * The file to encode people's text with: added tokens marked special are gone from the added tokens, the vocabulary
 * and the merges, so that no text can yield them; the others (such as GPT-NeoX's runs of spaces) stay active under
 * their own ids. Nothing truncates, pads, or adds tokens.
 * @param prefixSpace false for text that goes on from text before it: no space is put in front then.
 */
export function textOnlyJson(file: TokenizerFile, prefixSpace: boolean): string {
  const special = new Set(file.added.filter((token) => token.special).map((token) => token.content));
  const plain = file.added.filter((token) => !token.special);
  const model = file.root['model'] as JsonObject;
  const vocab: JsonObject = Object.create(null) as JsonObject;
  for (const [content, id] of Object.entries(model['vocab'] as JsonObject)) {
    if (!special.has(content)) vocab[content] = id;
  }
  // The library numbers added tokens anew unless the model's vocabulary already holds them.
  for (const { content, id } of plain) vocab[content] = id;
  const merges = (model['merges'] as unknown[]).filter((merge) => {
    const pair = mergePair(merge) ?? [];
    return !special.has(pair.join('')) && !pair.some((part) => special.has(part));
  });
  const root = prefixSpace ? file.root : withoutPrefixSpace(file.root);
  const contents = new Set(plain.map((token) => token.content));
  return JSON.stringify({
    ...root,
    truncation: null,
    padding: null,
    post_processor: null,
    decoder: null,
    added_tokens: ((root['added_tokens'] ?? []) as JsonObject[]).filter((token) => contents.has(token['content'] as string)),
    model: { ...model, vocab, merges },
  });
}

/** A copy whose added tokens hold `contents` as special ones: those known keep their id, the others get the next free ids. */
export function addSpecialTokens(file: TokenizerFile, contents: readonly string[], where: string): TokenizerFile {
  const list = [...((file.root['added_tokens'] ?? []) as JsonObject[])];
  const ids = new Map<string, number>();
  file.tokens.forEach((content, id) => {
    if (content !== undefined) ids.set(content, id);
  });
  let next = file.tokens.length;
  for (const content of new Set(contents)) {
    const at = list.findIndex((token) => token['content'] === content);
    const known = at === -1 ? undefined : (list[at] as JsonObject);
    if (known?.['special'] === true) continue;
    const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
    const token = { id: ids.get(content) ?? next++, content, ...flags };
    if (at === -1) list.push(token);
    else list[at] = token;
  }
  return checkTokenizer({ ...file.root, added_tokens: list }, where);
}

/** SHA-256, hex, of the file as JSON with sorted keys. */
export function hashTokenizer(file: TokenizerFile): string {
  return createHash('sha256').update(canonicalJson(file.root)).digest('hex');
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    const sorted = Object.create(null) as JsonObject;
    for (const key of Object.keys(inner).sort()) sorted[key] = (inner as JsonObject)[key];
    return sorted;
  });
}

/** The steps of a normalizer or pre-tokenizer, which is null, one step or a "Sequence" of steps. */
function steps(part: unknown, list: string): JsonObject[] {
  if (typeof part !== 'object' || part === null) return [];
  const step = part as JsonObject;
  return step['type'] === 'Sequence' && Array.isArray(step[list]) ? (step[list] as JsonObject[]) : [step];
}

function prefixSpace(root: JsonObject): boolean {
  return (
    steps(root['normalizer'], 'normalizers').some((step) => step['type'] === 'Prepend') ||
    steps(root['pre_tokenizer'], 'pretokenizers').some(
      (step) =>
        (step['type'] === 'ByteLevel' && step['add_prefix_space'] === true) ||
        (step['type'] === 'Metaspace' && step['prepend_scheme'] !== 'never'),
    )
  );
}

function withoutPrefixSpace(root: JsonObject): JsonObject {
  const normalizers = steps(root['normalizer'], 'normalizers').filter((step) => step['type'] !== 'Prepend');
  const pretokenizers = steps(root['pre_tokenizer'], 'pretokenizers').map((step) => {
    if (step['type'] === 'ByteLevel') return { ...step, add_prefix_space: false };
    if (step['type'] === 'Metaspace') return { ...step, prepend_scheme: 'never' };
    return step;
  });
  return {
    ...root,
    normalizer: normalizers.length === 0 ? null : { type: 'Sequence', normalizers },
    pre_tokenizer: pretokenizers.length === 0 ? null : { type: 'Sequence', pretokenizers },
  };
}

function checkId(id: unknown, content: string, where: string): number {
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= MAX_IDS) {
    refuse(where, `an id from 0 to ${MAX_IDS - 1} for ${describe(content)}`, describe(id));
  }
  return id;
}

function object(value: unknown, expected: string, where: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(where, expected, describe(value));
  return value as JsonObject;
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function refuse(where: string, expected: string, found: string, remedy = 'Get the tokenizer file again.'): never {
  throw new InputError({ expected, found, where, remedy });
}
