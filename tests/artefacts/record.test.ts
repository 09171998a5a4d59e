import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { InputError } from '../../src/errors.ts';
import { readRecordFile, readRecords, toRecord } from '../../src/artefacts/record.ts';

const folder = mkdtempSync(join(tmpdir(), 'roslin-record-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'a.jsonl');
const good = { instruction: ' Name a sheep.\n', context: 'c', response: 'Dolly', category: 'open_qa' };

describe('instruction records', () => {
  test('are read whole, untrimmed, with line and hash', () => {
    writeFileSync(path, `\n${JSON.stringify({ ...good, id: 7, source: 'x' })}\n${JSON.stringify({ ...good, id: 8 })}\n`);
    const { records, extraFields } = readRecordFile(path);
    const canonical = '{"category":"open_qa","context":"c","instruction":" Name a sheep.\\n","response":"Dolly"}';
    assert.deepEqual(records[0], { ...good, line: 2, hash: createHash('sha256').update(canonical).digest('hex') });
    assert.equal(records[1]?.line, 3);
    assert.equal(records[1]?.hash, records[0]?.hash, 'other fields do not change the hash');
    assert.deepEqual(extraFields, { id: 2, source: 1 });
  });

  test('may lack context and category', () => {
    for (const rest of [{}, { context: null, category: null }, { context: '', category: ' ' }]) {
      const record = toRecord({ instruction: 'i', response: 'r', ...rest }, 1, 'x');
      assert.equal(record.context, '');
      assert.equal(record.category, 'uncategorised');
    }
  });

  test('have hashes that tell the fields apart', () => {
    const a = toRecord({ instruction: 'ab', response: 'c' }, 1, 'x').hash;
    const b = toRecord({ instruction: 'a', response: 'bc' }, 1, 'x').hash;
    assert.notEqual(a, b);
  });

  test('may have choices: different texts, the response among them', () => {
    const record = toRecord({ ...good, choices: ['Shaun', 'Dolly', ''] }, 1, 'x');
    assert.deepEqual(record.choices, ['Shaun', 'Dolly', '']);
    assert.equal(record.hash, toRecord(good, 1, 'x').hash, 'choices do not change the hash');
    for (const choices of [undefined, null, 'Dolly', ['Dolly'], ['Shaun', 'Bo'], ['Dolly', 'Dolly'], ['Dolly', 'Bo', 'Bo'], ['Dolly', 5], ['Dolly', null], ['Dolly', 'a\ud83d'], { a: 'Dolly' }]) {
      assert.equal('choices' in toRecord({ ...good, choices }, 1, 'x'), false, JSON.stringify(choices));
    }
  });

  test('count choices as another field only where they are none', () => {
    writeFileSync(path, [['Dolly', 'Bo'], ['Bo'], 'Dolly'].map((choices) => JSON.stringify({ ...good, choices })).join('\n'));
    const { records, extraFields } = readRecordFile(path);
    assert.deepEqual(records.map((record) => record.choices), [['Dolly', 'Bo'], undefined, undefined]);
    assert.deepEqual(extraFields, { choices: 2 });
  });

  const cases: [string, Record<string, unknown>, RegExp][] = [
    ['a missing response', { instruction: 'i', output: 'r' }, /f line 9: expected a field "response", found only "instruction", "output"\. Every record/],
    ['no fields', {}, /expected a field "instruction", found an object without fields/],
    ['an empty instruction', { ...good, instruction: '' }, /expected a "instruction" with text, found an empty string/],
    ['a blank response', { ...good, response: ' \n\u00a0' }, /expected a "response" with text, found white space only/],
    ['a number', { ...good, response: 5 }, /expected a string in "response", found a number/],
    ['null', { ...good, instruction: null }, /expected a string in "instruction", found null/],
    ['an array', { ...good, context: ['a'] }, /expected a string in "context", found an array/],
    ['half a surrogate pair', { ...good, context: 'a\ud83d' }, /found half of a surrogate pair/],
    ['an inherited field', JSON.parse('{"__proto__":{"response":"r"},"instruction":"i"}') as Record<string, unknown>, /expected a field "response"/],
  ];
  for (const [what, value, message] of cases) {
    test(`refuse ${what}`, () => {
      assert.throws(() => toRecord(value, 9, 'f'), (error: Error) => error instanceof InputError && message.test(error.message));
    });
  }

  test('name the file and line of a fault', () => {
    writeFileSync(path, `${JSON.stringify(good)}\n\n{"instruction":"x","response":""}\n`);
    assert.throws(() => readRecords(path), (error: Error) => error.message.startsWith(`${path} line 3: `));
  });
});

const dolly = '../shared/data/dolly/databricks-dolly-15k.part0.jsonl';
test('databricks-dolly-15k is read as it is', { skip: existsSync(dolly) ? false : 'needs ../shared/data' }, () => {
  const { records, extraFields } = readRecordFile(dolly);
  assert.equal(records.length, 3871);
  assert.deepEqual(extraFields, {});
  assert.equal(new Set(records.map((record) => record.category)).size, 8);
  assert.deepEqual({ ...records[1], hash: '' }, {
    instruction: 'Which is a species of fish? Tope or Rope',
    context: '',
    response: 'Tope',
    category: 'classification',
    line: 2,
    hash: '',
  });
});
