/** Plain text as rows to learn language from: a document, then the token that ends it. Every token but the first is trained. */
import { createHash } from 'node:crypto';
import type { TextDocument } from '../artefacts/document.ts';
import type { Example } from './example.ts';
import { templateHash, userMessage, type PromptTemplate } from './template.ts';
import type { Tokenizer } from './tokenizer.ts';

export const END_OF_TEXT = '<|endoftext|>';

/** What frames a document: nothing before it, the end token after it. */
export const textTemplate: PromptTemplate = {
  name: 'text',
  hash: templateHash({ template: 'text', end: END_OF_TEXT }),
  addedTokens: [],
  stopToken: END_OF_TEXT,
  example: ({ response }) => [{ text: response, trained: true }, { special: END_OF_TEXT, trained: true }],
  prompt: () => [],
};

/** For a model that was taught no template: the question as it stands, then the answer on a line of its own, ended by the model's end token. */
export const plainTemplate = (end: string): PromptTemplate => {
  const prompt: PromptTemplate['prompt'] = (record) => [{ text: userMessage(record), trained: false }];
  return {
    name: 'text',
    hash: templateHash({ template: 'text', end }),
    addedTokens: [],
    stopToken: end,
    prompt,
    example: (record) => [...prompt(record), { text: `\n${record.response}`, trained: true }, { special: end, trained: true }],
  };
};

/** Documents encoded at once: bounds the memory of a batch. */
const BATCH = 512;

/**
 * Rows of at most `maxLength` tokens. A longer document becomes several, each beginning with the last token of the one
 * before, so that every token is a target once. `tokenizer` must be byte-level and have the end token. The bytes of a row are
 * those of its targets, for its loss is theirs.
 */
export function encodeDocuments(documents: readonly TextDocument[], tokenizer: Tokenizer, maxLength: number): Example[] {
  const end = tokenizer.specialId(END_OF_TEXT)!;
  const bytes = bytesOfTokens(tokenizer);
  const rows: Example[] = [];
  for (let at = 0; at < documents.length; at += BATCH) {
    const batch = documents.slice(at, at + BATCH);
    tokenizer.encodeTexts(batch.map(({ text }) => text)).forEach((encoded, i) => {
      const { text, line } = batch[i]!;
      const ids = Int32Array.from([...encoded, end]);
      const hash = createHash('sha256').update(text).digest('hex');
      for (let from = 0; from === 0 || from + 1 < ids.length; from += maxLength - 1) {
        const part = ids.slice(from, from + maxLength);
        const ends = from + maxLength >= ids.length;
        const whole = from === 0 && ends;
        rows.push({
          ids: part, trained: new Uint8Array(part.length).fill(1).fill(0, 0, 1), line, category: 'text', hash: whole ? hash : `${hash}+${from}`,
          responseBytes: part.subarray(1).reduce((sum, id) => sum + bytes[id]!, 0), ...(ends ? {} : { open: true as const }),
        });
        if (ends) break;
      }
    });
  }
  return rows;
}

/** Bytes of each token: a byte-level vocabulary writes every byte as one character. A special token stands for no text. */
function bytesOfTokens(tokenizer: Tokenizer): Uint32Array {
  const { vocab } = (JSON.parse(tokenizer.toJson()) as { model: { vocab: Record<string, number> } }).model;
  const bytes = new Uint32Array(tokenizer.size);
  for (const [token, id] of Object.entries(vocab)) bytes[id] = token.length;
  for (const content of tokenizer.specialTokens) bytes[tokenizer.specialId(content)!] = 0;
  return bytes;
}
