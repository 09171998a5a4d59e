/**
 * A Hugging Face tokenizer.json from the metadata of a GGUF, so that a `.gguf` base is tokenised by the same library
 * as every other. Byte-level BPE (`tokenizer.ggml.model` "gpt2") under the pre-tokenizers of `gguf-pretokenizers.ts`,
 * and SentencePiece BPE ("llama") with merges ordered by score, as Hugging Face's own converter does. Other models and
 * other pre-tokenizers are refused by name. Keys: llama.cpp's gguf documentation.
 */
import { TokenType, TokenizerMetadata } from './gguf-metadata.ts';
import type { Metadata } from './gguf-metadata.ts';
import { PRE_OF_ARCHITECTURE, PRE_TOKENIZERS } from './gguf-pretokenizers.ts';

export interface GgufTokenizer {
  /** tokenizer.json. */
  readonly json: string;
  readonly bosToken?: string;
  readonly eosToken?: string;
  readonly chatTemplate?: string;
  /** Whether the model expects its begin token before every text. The tokenizer itself never adds it. */
  readonly addBos: boolean;
}

interface Vocabulary {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
}

interface Parts {
  readonly normalizer: unknown;
  readonly preTokenizer: unknown;
  readonly decoder: unknown;
  readonly model: Readonly<Record<string, unknown>>;
  readonly addBos: boolean;
}

/** @param where names the file in messages. Throws InputError for absent, ill-typed or inconsistent metadata. */
export function tokenizerJsonFromGguf(metadata: Metadata, where = 'GGUF metadata'): GgufTokenizer {
  const source = new TokenizerMetadata(metadata, where);
  const model = source.string('tokenizer.ggml.model');
  if (model !== 'gpt2' && model !== 'llama') {
    source.refuse('tokenizer.ggml.model "gpt2" or "llama"', JSON.stringify(model), 'Use a base with one of these tokenizers.');
  }
  const vocabulary = readVocabulary(source);
  const parts = model === 'gpt2' ? byteLevelParts(source, vocabulary) : sentencePieceParts(source, vocabulary);
  const { tokens, types } = vocabulary;
  const bos = source.optionalId('tokenizer.ggml.bos_token_id', tokens.length);
  const eos = source.optionalId('tokenizer.ggml.eos_token_id', tokens.length);
  const chatTemplate = source.optionalString('tokenizer.chat_template');
  const json = JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: tokens.flatMap((content, id) => {
      const type = types[id];
      const special = type === TokenType.control || type === TokenType.unknown;
      if (!special && type !== TokenType.userDefined) return [];
      return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
    }),
    normalizer: parts.normalizer,
    pre_tokenizer: parts.preTokenizer,
    post_processor: null,
    decoder: parts.decoder,
    model: parts.model,
  });
  return {
    json,
    ...(bos === undefined ? {} : { bosToken: tokens[bos] as string }),
    ...(eos === undefined ? {} : { eosToken: tokens[eos] as string }),
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
    addBos: source.optionalBoolean('tokenizer.ggml.add_bos_token') ?? parts.addBos,
  };
}

/** Tokens and types without the converter's padding: trailing `[PADi]` at id i name rows of the embedding, not text. */
function readVocabulary(source: TokenizerMetadata): Vocabulary {
  const tokens = source.strings('tokenizer.ggml.tokens');
  const types = source.numbers('tokenizer.ggml.token_type');
  if (tokens.length !== types.length) {
    source.refuse(`one token type for each of ${tokens.length} tokens`, String(types.length));
  }
  let size = tokens.length;
  while (size > 0 && tokens[size - 1] === `[PAD${size - 1}]`) size--;
  if (size === 0) source.refuse('at least one token', 'an empty vocabulary');
  const ids = new Map<string, number>();
  for (let id = 0; id < size; id++) {
    const token = tokens[id] as string;
    const type = types[id] as number;
    if (token === '') source.refuse('tokens with text', `an empty token at id ${id}`);
    if (ids.has(token)) source.refuse('every token once', `${JSON.stringify(token)} at ids ${ids.get(token)} and ${id}`);
    if (!Number.isInteger(type) || type < TokenType.normal || type > TokenType.byte) {
      source.refuse('token types from 1 to 6', `${type} for token ${id}`);
    }
    ids.set(token, id);
  }
  return { tokens: tokens.slice(0, size), types: types.slice(0, size) };
}

const toVocab = (tokens: readonly string[]): Record<string, number> => {
  const vocab = Object.create(null) as Record<string, number>;
  tokens.forEach((token, id) => {
    vocab[token] = id;
  });
  return vocab;
};

function byteLevelParts(source: TokenizerMetadata, { tokens }: Vocabulary): Parts {
  const architecture = source.optionalString('general.architecture') ?? '';
  const name = source.optionalString('tokenizer.ggml.pre') ?? PRE_OF_ARCHITECTURE.get(architecture);
  if (name === undefined) {
    source.refuse('a key "tokenizer.ggml.pre"', 'none', 'Convert the model again with a current converter: without it digits and spaces would be cut by guess.');
  }
  const pre = PRE_TOKENIZERS.get(name);
  if (pre === undefined) {
    source.refuse(
      `tokenizer.ggml.pre to be one of ${[...PRE_TOKENIZERS.keys()].join(', ')}`,
      JSON.stringify(name),
      'This pre-tokenizer is not implemented: use another base, or the folder this file was made from.',
    );
  }
  const vocab = toVocab(tokens);
  const seen = new Set<string>();
  const merges = source.strings('tokenizer.ggml.merges').map((merge, rank) => {
    const space = merge.indexOf(' ', 1);
    const left = merge.slice(0, space);
    const right = merge.slice(space + 1);
    if (space === -1 || right === '') source.refuse('merges of two tokens', `${JSON.stringify(merge)} as merge ${rank}`);
    if (seen.has(merge)) source.refuse('every merge once', `${JSON.stringify(merge)} again as merge ${rank}`);
    seen.add(merge);
    for (const part of [left, right, left + right]) {
      if (!Object.hasOwn(vocab, part)) {
        source.refuse(`merges of tokens in the vocabulary`, `merge ${rank} with ${JSON.stringify(part)}, which is not`);
      }
    }
    return [left, right];
  });
  return {
    normalizer: pre.normalizer,
    preTokenizer: pre.steps.length === 1 ? pre.steps[0] : { type: 'Sequence', pretokenizers: pre.steps },
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: bpeModel(vocab, merges, { ignore_merges: pre.ignoreMerges }),
    addBos: pre.addBos,
  };
}

/** SentencePiece's mark for a space. */
const SPACE_MARK = '\u2581';

function sentencePieceParts(source: TokenizerMetadata, { tokens, types }: Vocabulary): Parts {
  const scores = source.numbers('tokenizer.ggml.scores');
  if (scores.length < tokens.length) source.refuse(`a score for each of ${tokens.length} tokens`, String(scores.length));
  const vocab = toVocab(tokens);
  for (let byte = 0; byte < 256; byte++) {
    const token = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
    if (!Object.hasOwn(vocab, token)) source.refuse('a token for every byte', `none for ${token}`);
  }
  if (source.optionalBoolean('tokenizer.ggml.remove_extra_whitespaces') === true) {
    source.refuse('tokenizer.ggml.remove_extra_whitespaces false', 'true', 'This normalisation is not implemented: use another base.');
  }
  const unknown = source.optionalId('tokenizer.ggml.unknown_token_id', tokens.length) ?? types.indexOf(TokenType.unknown);
  const prefixSpace = source.optionalBoolean('tokenizer.ggml.add_space_prefix') ?? true;
  const toMark = { type: 'Replace', pattern: { String: ' ' }, content: SPACE_MARK };
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: prefixSpace ? [{ type: 'Prepend', prepend: SPACE_MARK }, toMark] : [toMark],
    },
    preTokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: SPACE_MARK }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixSpace ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: bpeModel(vocab, mergesByScore(vocab, tokens, types, scores), {
      unk_token: tokens[unknown] ?? null,
      fuse_unk: true,
      byte_fallback: true,
    }),
    addBos: true,
  };
}

/**
 * SentencePiece keeps no merges: it joins the two neighbours whose union has the best score. As merges: every cut of a
 * piece into two pieces, pieces by falling score, and of one piece's cuts the longest left part first.
 */
function mergesByScore(
  vocab: Readonly<Record<string, number>>,
  tokens: readonly string[],
  types: readonly number[],
  scores: readonly number[],
): string[][] {
  const cuts: { pair: string[]; score: number; left: number; id: number }[] = [];
  const joinable = (piece: string): boolean => {
    const id = Object.hasOwn(vocab, piece) ? vocab[piece] : undefined;
    return id !== undefined && (types[id] === TokenType.normal || types[id] === TokenType.unused);
  };
  tokens.forEach((token, id) => {
    if (types[id] !== TokenType.normal) return;
    const characters = [...token];
    for (let at = 1; at < characters.length; at++) {
      const left = characters.slice(0, at).join('');
      const right = characters.slice(at).join('');
      if (joinable(left) && joinable(right)) cuts.push({ pair: [left, right], score: scores[id] as number, left: at, id });
    }
  });
  cuts.sort((a, b) => b.score - a.score || a.id - b.id || b.left - a.left);
  return cuts.map((cut) => cut.pair);
}

function bpeModel(vocab: unknown, merges: string[][], options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    ...options,
    vocab,
    merges,
  };
}
