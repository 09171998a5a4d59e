/** Filters, and the page of records: tokens in their colours, and a person's text that stays text. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { toRecord } from '../../src/artefacts/record.ts';
import { filterRecords } from '../../src/dataset/filter.ts';
import { inspectDataset } from '../../src/dataset/inspect.ts';
import { inspectionPage } from '../../src/dataset/page.ts';
import { dollyTemplate } from '../../src/tokenizer/dolly.ts';
import { loadTokenizer } from '../../src/tokenizer/tokenizer.ts';

const records = [
  { instruction: 'Name an otter.', response: 'Ring of Bright Water', category: 'open_qa' },
  { instruction: 'What swims?', context: 'The ОTTER swims.', response: 'It', category: 'closed_qa' },
  { instruction: '<img src=x onerror=alert(1)>', response: '"></span><script>alert(1)</script>&amp;\u202eabc\u0007', category: '<b>open_qa' },
].map((value, i) => toRecord(value, i + 1, 'x'));

test('filters: category, text in any part whatever its case and alphabet, lines, context', () => {
  const lines = (filter: Parameters<typeof filterRecords>[1]) => filterRecords(records, filter).map(({ line }) => line);
  assert.deepEqual(lines({}), [1, 2, 3]);
  assert.deepEqual(lines({ categories: ['open_qa'] }), [1]);
  assert.deepEqual(lines({ search: 'OTTER' }), [1, 2], 'the second has a Cyrillic O');
  assert.deepEqual(lines({ search: 'bright  water' }), [1]);
  assert.deepEqual(lines({ lines: [2, 3] }), [2, 3]);
  assert.deepEqual([lines({ context: 'with' }), lines({ context: 'without', search: 'otter' })], [[2], [1]]);
});

test('a page in one file, whose own policy allows its style alone', () => {
  const tokenizer = loadTokenizer(readFileSync(join(import.meta.dirname, '../fixtures/tokenizer/tiny.json'), 'utf8'), 'tiny');
  const result = inspectDataset(records, tokenizer, dollyTemplate, { maxLength: 2048, overlong: 'drop', preview: 3 });
  const page = inspectionPage(result, 'a <title>');
  const style = /<style>([\s\S]*?)<\/style>/.exec(page)![1]!;
  assert.ok(page.includes(`content="default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'"`));
  assert.doesNotMatch(page, /<script|<img|onerror=alert\(1\)>|<b>|\u202e|\u0007|src=(?!x)|href=|url\(/);
  assert.match(page, /U\+202E/);
  assert.equal(page.match(/<article>/g)!.length, 3);
  // What the trainer sees: the response and its end key are trained, the keys are special.
  assert.match(page, /<span class="trained" title="\d+ tokens, trained">Ring of Bright Water\n\n<\/span><span class="special trained" title="1 token, special trained">&?#?#?/);
  assert.match(page, /<span class="special ignored" title="1 token, special ignored">### Instruction:<\/span>/);
  assert.match(page, /&#60;img src=x onerror=alert\(1\)&#62;/);
});
