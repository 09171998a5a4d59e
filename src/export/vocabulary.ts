/**
 * A tokenizer.json as the tokenizer keys of a GGUF: the other way round than src/tokenizer/from-gguf.ts. Byte-level BPE
 * ("gpt2") whose way of cutting text llama.cpp knows by a name, and SentencePiece BPE with byte fallback ("llama").
 * Whatever else is refused: llama.cpp would cut text otherwise, without a word. A normalizer has no place in a GGUF: who sends
 * text to llama.cpp must apply NFC before, where the tokenizer has it.
 */
import { InputError } from '../errors.ts';
import type { GgufTyped } from '../formats/gguf-write.ts';
import { TokenType } from '../tokenizer/gguf-metadata.ts';
import { PRE_TOKENIZERS } from '../tokenizer/gguf-pretokenizers.ts';

type Json = Readonly<Record<string, unknown>>;

export interface VocabularySource {
  /** tokenizer.json. */
  readonly json: string;
  /** Rows of the embedding: tokens beyond the tokenizer's are padding. */
  readonly size: number;
  /** For messages. */
  readonly where: string;
}

interface Token {
  readonly content: string;
  readonly type: number;
}

/** Keys `tokenizer.ggml.*` that describe the tokenizer itself. Throws InputError for one that llama.cpp would not cut alike. */
export function vocabularyKeys({ json, size, where }: VocabularySource): [string, GgufTyped][] {
  const root = JSON.parse(json) as Json;
  const model = root['model'] as Json;
  const merges = (model['merges'] as (string | [string, string])[]).map((merge) => (typeof merge === 'string' ? (merge.split(' ') as [string, string]) : merge));
  const pre = preTokenizerName(root);
  const pieces = pre === undefined && isSentencePiece(root);
  if (pre === undefined && !pieces) {
    const found = JSON.stringify({ normalizer: root['normalizer'], pre_tokenizer: root['pre_tokenizer'] });
    throw new InputError({
      expected: `a tokenizer that llama.cpp knows: ${CANONICAL.join(', ')}, or SentencePiece with byte fallback`,
      found: found.length > 300 ? `${found.slice(0, 300)}…` : found, where, remedy: 'Use --to safetensors.',
    });
  }
  const tokens = tokensOf(root, size, pieces, where);
  return [
    ['tokenizer.ggml.model', { type: 'string', value: pieces ? 'llama' : 'gpt2' }],
    ['tokenizer.ggml.pre', { type: 'string', value: pre ?? 'default' }],
    ['tokenizer.ggml.tokens', { type: 'array', of: 'string', value: tokens.map(({ content }) => content) }],
    ...(pieces ? ([['tokenizer.ggml.scores', { type: 'array', of: 'float32', value: scoresOf(tokens, merges) }]] as [string, GgufTyped][]) : []),
    ['tokenizer.ggml.token_type', { type: 'array', of: 'int32', value: tokens.map(({ type }) => type) }],
    ...(pieces ? [] : ([['tokenizer.ggml.merges', { type: 'array', of: 'string', value: merges.map((pair) => pair.join(' ')) }]] as [string, GgufTyped][])),
    ['tokenizer.ggml.add_space_prefix', { type: 'bool', value: pieces && prefixesSpace(root) }],
  ];
}

function tokensOf(root: Json, size: number, pieces: boolean, where: string): Token[] {
  const model = root['model'] as Json;
  const tokens: Token[] = [];
  const unknown = model['unk_token'];
  for (const [content, id] of Object.entries(model['vocab'] as Record<string, number>)) {
    const byte = pieces && /^<0x[0-9A-F]{2}>$/.test(content);
    tokens[id] = { content, type: byte ? TokenType.byte : pieces && content === unknown ? TokenType.unknown : TokenType.normal };
  }
  for (const added of (root['added_tokens'] ?? []) as { id: number; content: string; special: boolean }[]) {
    if (pieces && added.content === unknown) continue;
    tokens[added.id] = { content: added.content, type: added.special ? TokenType.control : TokenType.userDefined };
  }
  if (tokens.length > size) {
    throw new InputError({ expected: `at most ${size} tokens, as the embedding has rows`, found: String(tokens.length), where, remedy: 'Use the tokenizer that belongs to this model.' });
  }
  return Array.from({ length: size }, (_, id) => tokens[id] ?? { content: `[PAD${id}]`, type: TokenType.unused });
}

/** Names that llama.cpp and our reader both know, the usual one of several first. */
const CANONICAL = ['olmo', 'gpt-2', 'smollm', 'llama-bpe', 'qwen2', 'default'];

/** The name of the way in which a byte-level tokenizer cuts text; one with NFC is told from one without where both have names. */
export function preTokenizerName(root: Json): string | undefined {
  const normalizers = flat(root['normalizer'], 'normalizers').map(({ type }) => type);
  if (normalizers.some((type) => type !== 'NFC')) return undefined;
  const steps = canonical(flat(root['pre_tokenizer'], 'pretokenizers'));
  const ignoreMerges = (root['model'] as Json)['ignore_merges'] === true;
  const alike = CANONICAL.filter((name) => {
    const known = PRE_TOKENIZERS.get(name)!;
    return known.ignoreMerges === ignoreMerges && canonical(known.steps) === steps;
  });
  return alike.find((name) => (PRE_TOKENIZERS.get(name)!.normalizer !== null) === (normalizers.length > 0)) ?? alike[0];
}

/** The steps of a part that is null, one step or a sequence of steps. */
function flat(part: unknown, list: string): readonly Json[] {
  if (typeof part !== 'object' || part === null) return [];
  const step = part as Json;
  return step['type'] === 'Sequence' ? ((step[list] ?? []) as Json[]).flatMap((inner) => flat(inner, list)) : [step];
}

/** What of the steps decides where text is cut. */
function canonical(steps: readonly Json[]): string {
  return JSON.stringify(steps.map((step) => {
    if (step['type'] === 'ByteLevel') return ['ByteLevel', step['add_prefix_space'] === true, step['use_regex'] !== false];
    if (step['type'] === 'Digits') return ['Digits', step['individual_digits'] === true];
    if (step['type'] === 'Split') return ['Split', (step['pattern'] as Json)['Regex'], step['behavior'], step['invert'] === true];
    return step;
  }));
}

const SPACE_MARK = '\u2581';

function isSentencePiece(root: Json): boolean {
  const model = root['model'] as Json;
  const marks = flat(root['normalizer'], 'normalizers').every((step) => step['type'] === 'Prepend' || (step['type'] === 'Replace' && step['content'] === SPACE_MARK));
  const cuts = flat(root['pre_tokenizer'], 'pretokenizers').every((step) => step['type'] === 'Metaspace' && step['split'] === false);
  return model['byte_fallback'] === true && marks && cuts && (root['normalizer'] !== null || root['pre_tokenizer'] !== null);
}

const prefixesSpace = (root: Json): boolean =>
  flat(root['normalizer'], 'normalizers').some((step) => step['type'] === 'Prepend') || flat(root['pre_tokenizer'], 'pretokenizers').some((step) => step['prepend_scheme'] !== 'never');

/** SentencePiece joins the neighbours whose union has the best score: the earlier a token is merged, the better. */
function scoresOf(tokens: readonly Token[], merges: readonly [string, string][]): Float32Array {
  const rank = new Map<string, number>();
  merges.forEach(([left, right]) => {
    if (!rank.has(left + right)) rank.set(left + right, rank.size + 1);
  });
  return Float32Array.from(tokens, ({ content, type }) => (type === TokenType.normal ? -(rank.get(content) ?? rank.size + 1) : 0));
}
