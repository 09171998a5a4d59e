/** Text to pre-train on: what is read, and how what cannot be used is refused. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { readDocuments } from '../../src/artefacts/document.ts';
import { InputError } from '../../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'roslin-document-'));
after(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

function refused(path: string, message: RegExp): void {
  assert.throws(() => readDocuments(path), (error: Error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.ok(error.message.startsWith(path), error.message);
    assert.match(error.message.slice(path.length), message);
    return true;
  });
}

describe('documents', () => {
  test('are the lines of a .jsonl file, as they are, with their numbers', () => {
    const path = file('a.jsonl', '\n{"text": " One.\\n", "id": 7}\r\n\n{"text": "Zwei 🐑"}');
    assert.deepEqual(readDocuments(path), [{ line: 2, text: ' One.\n' }, { line: 4, text: 'Zwei 🐑' }]);
  });

  test('are a whole .txt file, as it is but for a byte order mark', () => {
    assert.deepEqual(readDocuments(file('a.txt', ' One.\r\n\n{"text": "Zwei 🐑"}\n')), [{ line: 1, text: ' One.\r\n\n{"text": "Zwei 🐑"}\n' }]);
    assert.deepEqual(readDocuments(file('b.txt', '\ufeffOne.')), [{ line: 1, text: 'One.' }]);
  });

  const good = '{"text": "Good."}\n';
  const lines: [string, string | Uint8Array, RegExp][] = [
    ['without the field', `${good}{"content": "x"}\n`, /^ line 2: expected a field "text" with text, found nothing\. Every line needs one document/],
    ['with a number', `${good}\n{"text": 5}\n`, /^ line 3: expected a field "text" with text, found 5\./],
    ['with null', '{"text": null}\n', /^ line 1: .*found null/],
    ['with a list', '{"text": ["a"]}\n', /^ line 1: .*found \["a"\]/],
    ['with an empty text', `${good}{"text": ""}\n`, /^ line 2: .*found none/],
    ['with white space only', `${good}{"text": " \\n\u00a0"}\n`, /^ line 2: .*found white space only/],
    ['with half of a surrogate pair', `${good}{"text": "a\\ud83d"}\n`, /^ line 2: expected Unicode text, found half of a surrogate pair/],
    ['that is not an object', `${good}"text"\n`, /^ line 2/],
    ['that is not UTF-8', Buffer.concat([Buffer.from(good), Buffer.from([0x7b, 0xff, 0x7d])]), /^ line 2 .*UTF-8/],
  ];
  for (const [what, content, message] of lines) test(`refuse a line ${what}`, () => refused(file('bad.jsonl', content), message));
  test('refuse a .jsonl file without a line', () => refused(file('empty.jsonl', ''), /found an empty file/));

  test('refuse a .txt file that is empty, blank or not UTF-8', () => {
    refused(file('c.txt', ''), /^: expected text, found none\. Give a file with text in it/);
    refused(file('c.txt', ' \n\t'), /^: expected text, found white space only/);
    refused(file('c.txt', Buffer.from([0x61, 0xed, 0xa0, 0x80])), /^: expected UTF-8 text, found bytes that are not UTF-8/);
    refused(file('c.txt', Buffer.from('\ufefftext', 'utf16le')), /UTF-8/);
  });

  for (const name of ['none.txt', 'none.jsonl']) test(`refuse ${name} that is not there`, () => refused(join(folder, name), /^: expected .*, found nothing there/));
  for (const name of ['folder.txt', 'folder.jsonl', 'folder']) {
    test(`refuse a folder called ${name}`, () => {
      mkdirSync(join(folder, name));
      refused(join(folder, name), /^: expected a file .*, found a folder/);
    });
  }
});
