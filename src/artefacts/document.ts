/** Text to learn language from: a `.txt` file is one document; in a `.jsonl` file every line has one in its field `text`. */
import { readFileSync, statSync } from 'node:fs';
import { InputError } from '../errors.ts';
import { readJsonl } from '../formats/jsonl.ts';

export interface TextDocument {
  readonly text: string;
  /** Line in its file, from 1. */
  readonly line: number;
}

const MOST_BYTES = 1 << 29;

/** @throws InputError with file and line */
export function readDocuments(path: string): TextDocument[] {
  if (path.endsWith('.jsonl')) return [...readJsonl(path)].map(({ line, value }) => ({ line, text: check(value['text'], `${path} line ${line}`) }));
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw new InputError({ expected: 'a .txt or .jsonl file', found: stat ? 'no file' : 'nothing there', where: path, remedy: 'Give a file of text.' });
  if (stat.size > MOST_BYTES) throw new InputError({ expected: `one document of at most ${MOST_BYTES} bytes`, found: String(stat.size), where: path, remedy: 'Give documents one a line, as .jsonl with a field "text".' });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    throw new InputError({ expected: 'UTF-8 text', found: 'bytes that are not UTF-8', where: path, remedy: 'Convert the file to UTF-8.' }, { cause });
  }
  return [{ line: 1, text: check(text, path) }];
}

function check(text: unknown, where: string): string {
  if (typeof text !== 'string' || text.trim() === '') {
    throw new InputError({ expected: 'a field "text" with text', found: typeof text === 'string' ? 'white space only' : (JSON.stringify(text)?.slice(0, 40) ?? 'nothing'), where, remedy: 'Every line needs one document: {"text": "…"}.' });
  }
  if (!text.isWellFormed()) throw new InputError({ expected: 'Unicode text', found: 'half of a surrogate pair', where, remedy: 'Write the character whole, or remove it.' });
  return text;
}
