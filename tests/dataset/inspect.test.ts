import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { toRecord } from '../../src/artefacts/record.ts';
import { renderInspection } from '../../src/cli/dataset-inspect.ts';
import { inspectDataset } from '../../src/dataset/inspect.ts';
import type { Inspection } from '../../src/dataset/inspect.ts';
import { dollyTemplate } from '../../src/tokenizer/dolly.ts';
import { encodeExamples } from '../../src/tokenizer/example.ts';
import { loadTokenizer } from '../../src/tokenizer/tokenizer.ts';

const tokenizer = loadTokenizer(readFileSync(new URL('../fixtures/tokenizer/tiny.json', import.meta.url), 'utf8'), 'tiny');
const records = Array.from({ length: 40 }, (_, i) =>
  toRecord(
    {
      instruction: `Name animal ${i}`,
      context: i % 2 === 0 ? 'The sheep. '.repeat(i) : '',
      response: 'Goat. '.repeat(1 + (i % 5)),
      category: i % 4 === 0 ? 'lists' : 'open_qa',
    },
    i + 1,
    'x',
  ),
);
const options = { maxLength: 150, overlong: 'drop', preview: 2 } as const;

describe('inspecting a dataset', () => {
  const result = inspectDataset(records, tokenizer, dollyTemplate, options);
  const { examples } = encodeExamples(records, tokenizer.withSpecialTokens(dollyTemplate.addedTokens), dollyTemplate, options);
  const lengths = examples.map((example) => example.ids.length).sort((a, b) => a - b);

  test('counts what becomes an example and what does not', () => {
    assert.equal(result.records, 40);
    assert.equal(result.examples, examples.length);
    assert.ok(result.dropped.length > 0);
    assert.equal(result.examples + result.dropped.length, 40);
    assert.deepEqual(result.cut, []);
  });

  test('measures lengths and the trained share', () => {
    const total = lengths.reduce((a, b) => a + b, 0);
    const trained = examples.reduce((sum, example) => sum + example.trained.reduce((a, b) => a + b, 0), 0);
    assert.equal(result.tokens.total, total);
    assert.equal(result.tokens.trained, trained);
    assert.equal(result.tokens.label_share, trained / total);
    assert.equal(result.tokens.mean, total / lengths.length);
    assert.equal(result.tokens.median, lengths[Math.ceil(lengths.length / 2) - 1]);
    assert.equal(result.tokens.p90, lengths[Math.ceil(lengths.length * 0.9) - 1]);
    assert.equal(result.tokens.max, lengths.at(-1));
    assert.equal(result.histogram.reduce((sum, bucket) => sum + bucket.examples, 0), lengths.length);
    assert.equal(result.histogram.at(-1)?.up_to, 256);
  });

  test('divides by category, the largest first', () => {
    assert.deepEqual(result.categories.map((row) => row.category), ['open_qa', 'lists']);
    const lists = examples.filter((example) => example.category === 'lists');
    const tokens = lists.reduce((sum, example) => sum + example.ids.length, 0);
    const trained = lists.reduce((sum, example) => sum + example.trained.reduce((a, b) => a + b, 0), 0);
    assert.deepEqual(result.categories[1], {
      category: 'lists',
      examples: lists.length,
      mean_tokens: tokens / lists.length,
      label_share: trained / tokens,
    });
  });

  test('knows what padding would cost', () => {
    const equal = records.slice(0, 1).flatMap((record) => Array.from({ length: 16 }, () => record));
    const length = encodeExamples(equal, tokenizer.withSpecialTokens(dollyTemplate.addedTokens), dollyTemplate, options).examples[0]?.ids.length as number;
    const even = inspectDataset(equal, tokenizer, dollyTemplate, options);
    assert.equal(even.padded_useful_share, length / (Math.ceil(length / 8) * 8));
    assert.ok(result.padded_useful_share > 0.4 && result.padded_useful_share < 0.95, String(result.padded_useful_share));
    assert.equal(inspectDataset(records, tokenizer, dollyTemplate, options).padded_useful_share, result.padded_useful_share);
  });

  test('previews rows as runs that add up', () => {
    assert.equal(result.preview.length, 2);
    const [row] = result.preview;
    assert.ok(row);
    assert.equal(row.line, 1);
    assert.deepEqual(row.runs.map(({ text, trained, special }) => [text, trained, special]), [
      ['Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n', false, false],
      ['### Instruction:', false, true],
      ['\nName animal 0\n\n', false, false],
      ['### Response:\n', false, true],
      ['Goat. \n\n', true, false],
      ['### End', true, true],
    ]);
    assert.equal(row.runs.reduce((sum, run) => sum + run.tokens, 0), row.tokens);
    assert.equal(row.runs.filter((run) => run.trained).reduce((sum, run) => sum + run.tokens, 0), row.trained_tokens);
  });

  test('refuses where nothing fits', () => {
    assert.throws(() => inspectDataset(records, tokenizer, dollyTemplate, { ...options, maxLength: 5 }), /found 40 records, all longer than 5 tokens/);
  });
});

describe('drawing an inspection', () => {
  const result = inspectDataset(records, tokenizer, dollyTemplate, options);
  // eslint-disable-next-line no-control-regex
  const escapes = /\u001b\[[0-9;]*m/g;

  test('shows figures, aligned columns, bars and both kinds of tokens', () => {
    const text = renderInspection(result, { color: false });
    assert.match(text, /\n  examples +\d+  \d+ left out\n/);
    assert.match(text, /Left out: too long: \d+\n  line \d+ \(\d+ tokens\), /);
    assert.match(text, / {2}⟦Goat\. ⏎⟧\n {2}⟦⏎⟧\n {2}⟦### End⟧\n/);
    const bars = text.split('\n').filter((line) => line.includes('█'));
    assert.equal(new Set(bars.map((line) => line.indexOf('█'))).size, 1);
    const lines = text.split('\n');
    const header = lines.findIndex((line) => line.startsWith('  category'));
    assert.equal(lines[header]?.length, lines[header + 1]?.length, 'columns end together');
    assert.doesNotMatch(text, /\u001b/);
  });

  test('colours trained green and ignored dim, and closes colour on every line', () => {
    const text = renderInspection(result, { color: true });
    assert.ok(text.includes('\u001b[32mGoat. ⏎\u001b[0m\n'));
    assert.ok(text.includes('\u001b[1;32m### End\u001b[0m'));
    assert.ok(text.includes('\u001b[2mName animal 0⏎\u001b[0m'));
    for (const line of text.split('\n')) {
      const codes = line.match(escapes) ?? [];
      assert.ok(codes.every((code, i) => (code === '\u001b[0m') === (i % 2 === 1)) && codes.length % 2 === 0, JSON.stringify(line));
    }
    assert.equal(text.replace(escapes, ''), renderInspection(result, { color: false }).replace(/[⟦⟧]/g, ''));
  });

  test('never lets a text act on the terminal', () => {
    const hostile = '\u001b[2J\u001b]0;title\u0007\u009b31m\b\r\u007f\u202eabc\u2066\u200b\ufeff\u2028';
    const row = { line: 1, category: `a${hostile}\nb`, tokens: 1, trained_tokens: 1, runs: [{ text: `${hostile}\nnext`, tokens: 1, trained: true, special: false }] };
    const poisoned: Inspection = {
      ...result,
      categories: [{ category: hostile, examples: 1, mean_tokens: 1, label_share: 1 }],
      preview: [row],
    };
    for (const color of [false, true]) {
      const text = renderInspection(poisoned, { color }).replace(escapes, '');
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/);
      assert.match(text, /␛\[2J␛\]0;title␇<U\+009B>31m␈␍␡<U\+202E>abc<U\+2066><U\+200B><U\+FEFF><U\+2028>⏎/);
    }
  });

  test('shortens a long run in its middle', () => {
    const runs = [{ text: `${'a'.repeat(2000)}END`, tokens: 1, trained: true, special: false }];
    const text = renderInspection({ ...result, preview: [{ line: 1, category: 'c', tokens: 1, trained_tokens: 1, runs }] }, { color: false });
    assert.match(text, /⟦a{320} … 1,523 more characters … a{157}END⟧/);
  });
});
