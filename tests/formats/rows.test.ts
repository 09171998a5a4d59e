/** Rows of all containers: what is read, which line it is, and what is refused, by itself or with the rest of the file. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { InputError } from '../../src/errors.ts';
import { MAX_ROW_BYTES } from '../../src/formats/row.ts';
import { readRows, recogniseContainer } from '../../src/formats/rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'roslin-rows-'));
after(() => rmSync(folder, { recursive: true }));

async function read(name: string, content: string | Uint8Array): Promise<{ rows: unknown[]; container: string; failed?: string }> {
  const path = join(folder, name);
  writeFileSync(path, content);
  const rows: unknown[] = [];
  let container = 'none';
  try {
    const file = await recogniseContainer(path);
    container = `${file.container}${file.gzip ? '.gz' : ''}`;
    for await (const row of readRows(file)) rows.push('fault' in row ? [row.line, row.fault.message.replace(`${folder}/`, '')] : [row.line, row.value]);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { rows, container, failed: error.message.replaceAll(`${folder}/`, '') };
  }
  return { rows, container };
}

describe('JSON lines', () => {
  test('with lines that cannot be used: the others are read', async () => {
    const { rows, container } = await read('a.jsonl', Buffer.concat([Buffer.from('\ufeff{"a":1}\r\n\n{"a":\n[1]\n{"a":1,"a":2}\n{"a":"'), Buffer.of(0xff), Buffer.from('"}\n{"a":3}')]));
    assert.equal(container, 'jsonl');
    assert.deepEqual(rows.map((row) => (row as [number])[0]), [1, 3, 4, 5, 6, 7]);
    const [first, cut, array, twice, bytes, last] = rows.map((row) => (row as [number, unknown])[1]) as [object, string, string, string, string, object];
    assert.deepEqual([first, last], [{ a: 1 }, { a: 3 }]);
    assert.match(cut, /a\.jsonl line 3 column 6: expected a JSON value/);
    assert.match(array, /line 4: expected a JSON object, found an array/);
    assert.match(twice, /the key "a" twice/);
    assert.match(bytes, /expected UTF-8, found an invalid sequence that begins with byte 0xFF/);
  });

  test('too long are refused without being held', async () => {
    const { rows } = await read('long.jsonl', `{"a":"${'x'.repeat(MAX_ROW_BYTES)}"}\n{"a":1}\n`);
    assert.match((rows[0] as [number, string])[1], /line 1: expected rows of at most 8388608 bytes/);
    assert.deepEqual(rows[1], [2, { a: 1 }]);
  });
});

describe('a JSON array', () => {
  test('its elements, each with the line it begins on', async () => {
    const text = '[\n  {"a": "x, ]}\\"\\\\"},\n\n  {\n    "a": [1, {"b": "]"}]\n  }, 7,\n  {"a": 1,}\n]\n';
    const { rows, container } = await read('a.json', text);
    assert.equal(container, 'json');
    assert.deepEqual(rows[0], [2, { a: 'x, ]}"\\' }]);
    assert.deepEqual(rows[1], [4, { a: [1, { b: ']' }] }]);
    assert.match((rows[2] as [number, string])[1], /line 6: expected a JSON object, found a number/);
    assert.match((rows[3] as [number, string])[1], /line 7/);
  });

  const broken: [string, string, RegExp][] = [
    ['that does not end', '[{"a":1},\n{"a":2}', /b\.json line 2: expected "\]" at the end of the array, found the end of the file/],
    ['with a text that does not end', '[{"a":"1}\n]', /line 2: expected "\]"/],
    ['with something after it', '[{"a":1}]\n{"a":2}', /line 2: expected nothing after the array, found "\{"/],
    ['with a comma too many', '[{"a":1},\n]', /line 2: expected an element after ","/],
    ['with nothing in it', '[ ]', /line 1: expected at least one row/],
  ];
  for (const [name, text, says] of broken) {
    test(`${name} is refused with its line`, async () => assert.match((await read('b.json', text)).failed ?? '', says));
  }

  test('is cut as JSON.parse cuts it, wherever the pieces of the file end', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 }), { minLength: 1, maxLength: 6 }), fc.constantFrom(undefined, 2), async (values, space) => {
      const own = values.map((value) => JSON.parse(JSON.stringify(value)) as object);
      const { rows, failed } = await read('c.json', JSON.stringify(own, undefined, space));
      assert.equal(failed, undefined);
      assert.deepEqual(rows.map((row) => (row as [number, unknown])[1]), own);
    }), { numRuns: 200 });
  });
});

describe('CSV and TSV', () => {
  test('cells in quotation marks, several lines in a cell, rows that are too short', async () => {
    const { rows, container } = await read('a.csv', '\ufeffa,b\r\n"1, ""one""\nand more",2\r\n3\r\n4,5,6\r\n\r\n7,8');
    assert.equal(container, 'csv');
    assert.deepEqual(rows[0], [2, { a: '1, "one"\nand more', b: '2' }]);
    assert.match((rows[1] as [number, string])[1], /a\.csv line 4: expected a row with a cell for each column/);
    assert.match((rows[2] as [number, string])[1], /line 5/);
    assert.deepEqual((rows[3] as [number, unknown])[1], { a: '7', b: '8' });
  });

  test('tabs are told from commas by the name or the first line', async () => {
    assert.equal((await read('b.tsv', 'a,b\n1,2\n')).container, 'tsv');
    const { rows, container } = await read('b.txt', 'a\tb\n1\t2,3\n');
    assert.equal(container, 'tsv');
    assert.deepEqual(rows, [[2, { a: '1', b: '2,3' }]]);
  });

  test('what breaks the rest of the file ends with its line', async () => {
    assert.match((await read('c.csv', 'a,b\n1,2\n"3,4\n5,6\n')).failed ?? '', /c\.csv line \d: expected CSV/);
    assert.match((await read('c.csv', 'a,a\n1,2\n')).failed ?? '', /line 1: expected every column once, found the column "a" twice/);
    assert.match((await read('c.csv', Buffer.concat([Buffer.from('a,b\n1,2\n3,'), Buffer.of(0xc3, 0x28), Buffer.from('\n')]))).failed ?? '', /line \d: expected UTF-8/);
  });
});

test('each of them gzipped, also in several parts', async () => {
  const two = Buffer.concat([gzipSync('{"a":1}\n'), gzipSync('{"a":2}\n')]);
  assert.deepEqual(await read('a.jsonl.gz', two), { rows: [[1, { a: 1 }], [2, { a: 2 }]], container: 'jsonl.gz' });
  assert.deepEqual((await read('a.csv.gz', gzipSync('a,b\n1,2\n'))).rows, [[2, { a: '1', b: '2' }]]);
  const whole = gzipSync(Array.from({ length: 5000 }, (_, i) => `{"a":${i * 7919}}\n`).join(''));
  const cut = await read('b.jsonl.gz', whole.subarray(0, whole.length - 40));
  assert.match(cut.failed ?? '', /b\.jsonl\.gz line \d+: expected a whole gzip file/);
});

test('files without rows are refused, and UTF-16', async () => {
  for (const content of ['', '\n \n', '\ufeff']) assert.match((await read('e.jsonl', content)).failed ?? '', /line 1: expected at least one row, found none/);
  assert.match((await read('u.csv', Buffer.from('\ufeffa,b', 'utf16le'))).failed ?? '', /line 1: expected UTF-8, found UTF-16/);
});

test('Parquet that is none is refused with a line', async () => {
  for (const content of ['PAR1', 'PAR1PAR1', `PAR1${'\0'.repeat(40)}PAR1`, `PAR1\xff\xff\xff\x7fPAR1`]) assert.match((await read('p.parquet', Buffer.from(content, 'latin1'))).failed ?? '', /p\.parquet line 1: expected/, JSON.stringify(content));
});
