/** What the tokenizer's tests share: the tiny tokenizer, files that may be absent, GGUF-like metadata. Not a test. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer } from '../../src/tokenizer/tokenizer.ts';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts';

export const tinyJson = readFileSync(new URL('../fixtures/tokenizer/tiny.json', import.meta.url), 'utf8');

export interface TokenizerJson {
  added_tokens: { id: number; content: string; special: boolean; [flag: string]: unknown }[];
  model: { type: string; vocab: Record<string, number>; merges: string[]; [field: string]: unknown };
  [field: string]: unknown;
}

/** A fresh copy to damage. */
export function tinyFile(): TokenizerJson {
  return JSON.parse(tinyJson) as TokenizerJson;
}

let tiny: Tokenizer | undefined;
export function tinyTokenizer(): Tokenizer {
  return (tiny ??= loadTokenizer(tinyJson, 'tiny.json'));
}

/** Real tokenizers and records, where this checkout has them beside it. */
export const shared = '../shared/data';

export function needsShared(path: string): { skip: string | false } {
  return { skip: existsSync(join(shared, path)) ? false : 'needs ../shared/data' };
}

const smol = 'SmolLM2-135M-Instruct.gguf';
const found = [process.env['ROSLIN_SMOLLM2_GGUF'], join('.roslin/models', smol)].find(
  (path) => path !== undefined && existsSync(path),
);

/** The real base model: from ROSLIN_SMOLLM2_GGUF or .roslin/models. */
export const smollm2 = found;
export const needsSmollm2 = { skip: found === undefined ? `needs ${smol} (ROSLIN_SMOLLM2_GGUF or .roslin/models)` : false };

/** The tiny tokenizer as GGUF metadata of an architecture with byte-level BPE. */
export function tinyMetadata(): Map<string, unknown> {
  const file = tinyFile();
  const tokens: string[] = [];
  for (const [content, id] of Object.entries(file.model.vocab)) tokens[id] = content;
  const types = tokens.map(() => 1);
  for (const { id, content, special } of file.added_tokens) {
    tokens[id] = content;
    types[id] = special ? 3 : 4;
  }
  return new Map<string, unknown>([
    ['general.architecture', 'gptneox'],
    ['tokenizer.ggml.model', 'gpt2'],
    ['tokenizer.ggml.pre', 'olmo'],
    ['tokenizer.ggml.tokens', tokens],
    ['tokenizer.ggml.token_type', types],
    ['tokenizer.ggml.merges', [...file.model.merges]],
    ['tokenizer.ggml.bos_token_id', 0],
    ['tokenizer.ggml.eos_token_id', 2],
    ['tokenizer.chat_template', '{{ messages[0].content }}'],
  ]);
}
