/** Similarity to one's own records: what is copied shows, and what honest people write does not. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Random } from '../../src/artefacts/random.ts';
import { likeness } from '../../src/collect/checks/likeness.ts';
import { FIRST_RULES } from '../../src/collect/rules/points-rules.ts';
import { normalise } from '../../src/text/normalise.ts';
import { similarity } from '../../src/text/similar.ts';

const text = { instruction: 'Why does bread rise before it is baked?', context: '', response: 'Yeast eats sugars of the flour and gives off a gas, whose bubbles stay caught in the elastic net of gluten and lift the dough.' };

test('the same is the same; a half of it is about a third; another passage leaves the question out', () => {
  assert.equal(likeness(text, { ...text, response: text.response.toUpperCase() }), 1);
  const half = likeness(text, { ...text, response: `${text.response.slice(0, 62)} that nobody sees, and salt keeps it in its bounds while a warm room does the rest.` });
  assert.ok(half > 0.3 && half < 0.6, String(half));
  const passages = [{ ...text, context: 'One passage.' }, { ...text, context: 'Another passage.', response: 'Something else entirely is said of it here, at some length, so that it can be compared.' }] as const;
  assert.ok(likeness(...passages) < 0.05);
  assert.equal(likeness({ ...passages[0], response: 'Yes.' }, { ...passages[1], response: 'Yes.' }), 0, 'short answers are nobody’s');
  assert.equal(likeness(passages[0], { ...passages[1], response: text.response }), 1);
});

const part = fileURLToPath(new URL('../../../shared/data/dolly/databricks-dolly-15k.part0.jsonl', import.meta.url));

test('records that have nothing to do with each other are free of it: Dolly’s, in groups as if each were one person’s', { skip: existsSync(part) ? false : 'no ../shared/data/dolly' }, (t) => {
  const rows = readFileSync(part, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as typeof text);
  const random = new Random(5);
  const free = FIRST_RULES.novelty.own.free / 1000;
  const above = { whole: 0, question: 0, records: 0 };
  for (let person = 0; person < 12; person++) {
    const own = Array.from({ length: 40 }, () => rows[Math.floor(random.next() * rows.length)]!);
    for (const [i, record] of own.entries()) {
      if (i === 0) continue;
      above.records++;
      const earlier = own.slice(0, i).filter((other) => other !== record);
      if (earlier.some((other) => likeness(record, other) > free)) above.whole++;
      if (earlier.some((other) => similarity(normalise(record.instruction), normalise(other.instruction)) > free)) above.question++;
    }
  }
  t.diagnostic(`of ${above.records} records ${((100 * above.whole) / above.records).toFixed(1)} % are above ${free} to an earlier one; by the question alone ${((100 * above.question) / above.records).toFixed(1)} %`);
  assert.ok(above.whole < 0.05 * above.records, `${above.whole} of ${above.records}`);
});
