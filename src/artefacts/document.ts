/** Text to learn language from: a `.txt` file is one document; in a `.jsonl` file every line has one in its field `text`. */
import { constants } from 'node:buffer';
import { InputError } from '../errors.ts';
import { InputFile } from '../formats/input-file.ts';
import { readJsonl } from '../formats/jsonl.ts';

export interface TextDocument {
  readonly text: string;
  /** Line in its file, from 1. */
  readonly line: number;
}

/** What one string can hold. */
const MOST_BYTES = constants.MAX_STRING_LENGTH;

/** @throws InputError with file and line */
export function readDocuments(path: string): TextDocument[] {
  if (path.endsWith('.jsonl')) return [...readJsonl(path)].map(({ line, value }) => ({ line, text: check(value['text'], 'a field "text" with text', `${path} line ${line}`, 'Every line needs one document: {"text": "…"}.') }));
  return [{ line: 1, text: check(decode(readWhole(path), path), 'text', path, 'Give a file with text in it.') }];
}

function readWhole(path: string): Uint8Array {
  const file = new InputFile(path, 'a file of text');
  try {
    if (file.size > MOST_BYTES) throw new InputError({ expected: `one document of at most ${MOST_BYTES} bytes`, found: String(file.size), where: path, remedy: 'Give documents one a line, as .jsonl with a field "text".' });
    const bytes = new Uint8Array(file.size);
    file.read(0, bytes);
    return bytes;
  } finally {
    file.close();
  }
}

/** A byte order mark is left out: here nothing but text can follow it. */
function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new InputError({ expected: 'UTF-8 text', found: 'bytes that are not UTF-8', where: path, remedy: 'Convert the file to UTF-8.' }, { cause });
  }
}

function check(text: unknown, expected: string, where: string, remedy: string): string {
  const refuse = (found: string): never => {
    throw new InputError({ expected, found, where, remedy });
  };
  if (typeof text !== 'string') return refuse(JSON.stringify(text)?.slice(0, 40) ?? 'nothing');
  if (text.trim() === '') refuse(text === '' ? 'none' : 'white space only');
  if (!text.isWellFormed()) throw new InputError({ expected: 'Unicode text', found: 'half of a surrogate pair', where, remedy: 'Write the character whole, or remove it.' });
  return text;
}
