/**
 * What `tokenizer.ggml.pre` of a GGUF stands for, as steps of a Hugging Face tokenizer.json. A GGUF names only the way
 * text is cut before byte-pair merging; the expressions are those llama.cpp has under each name (src/llama-vocab.cpp),
 * in the original form it quotes where it had to rewrite one. A normalizer is not in a GGUF at all: NFC stands where
 * the published tokenizer.json of that family has it, and llama.cpp, which does not apply it, then agrees only on text
 * that is already normalised.
 */

type Step = Readonly<Record<string, unknown>>;

export interface PreTokenizer {
  readonly normalizer: Step | null;
  readonly steps: readonly Step[];
  /** A piece that is a token as it stands is not put together from merges (tiktoken's rule). */
  readonly ignoreMerges: boolean;
  /** Whether a file that does not say so wants its begin token first. */
  readonly addBos: boolean;
}

const NFC: Step = { type: 'NFC' };

/** `useRegex` applies GPT-2's own expression. */
const byteLevel = (useRegex: boolean): Step => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});

const split = (expression: string): Step => ({
  type: 'Split',
  pattern: { Regex: expression },
  behavior: 'Isolated',
  invert: false,
});

const singleDigits: Step = { type: 'Digits', individual_digits: true };

const GPT2_EXPRESSION = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const LLAMA3_EXPRESSION =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const QWEN2_EXPRESSION =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const plain = { normalizer: null, ignoreMerges: false, addBos: false };
const gpt2: PreTokenizer = { ...plain, steps: [byteLevel(true)] };
const gptNeox: PreTokenizer = { ...gpt2, normalizer: NFC };
const digitsApart: PreTokenizer = { ...plain, steps: [singleDigits, byteLevel(true)] };
const llama3: PreTokenizer = { ...plain, steps: [split(LLAMA3_EXPRESSION), byteLevel(false)], ignoreMerges: true, addBos: true };
const qwen2: PreTokenizer = { ...plain, normalizer: NFC, steps: [split(QWEN2_EXPRESSION), byteLevel(false)] };
const standard: PreTokenizer = {
  ...plain,
  steps: [
    split('[\\p{P}\\$\\+<=>\\^~\\|]+'),
    split(GPT2_EXPRESSION),
    split('\\p{N}+'),
    split('[0-9][0-9][0-9]'),
    byteLevel(false),
  ],
};

/** By the name in the file. */
export const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map([
  ['default', standard],
  ['gpt-2', gpt2],
  ['gpt-neox', gptNeox],
  ['olmo', gptNeox],
  ['mpt', gptNeox],
  ['smollm', digitsApart],
  ['starcoder', digitsApart],
  ['llama-bpe', llama3],
  ['llama3', llama3],
  ['llama-v3', llama3],
  ['qwen2', qwen2],
]);

/** For files older than `tokenizer.ggml.pre`: the one architecture whose byte-pair tokenizer is always the same. */
export const PRE_OF_ARCHITECTURE: ReadonlyMap<string, string> = new Map([['gptneox', 'gpt-neox']]);
