/** Agreement beside the figures of the Python packages krippendorff and irrCAC: tools/agreement-fixture made them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { agreementByCriterion, gwetAc1, krippendorffAlpha, rawAgreement, type Metric } from '../../src/collect/rules/agreement.ts';

interface Case {
  readonly name: string;
  readonly ratings: readonly (readonly (number | null)[])[];
  readonly categories: number;
  readonly alpha: Readonly<Record<Metric, number>>;
  readonly ac1: number;
  readonly raw: number;
}

const { cases } = JSON.parse(readFileSync(new URL('../fixtures/agreement.json', import.meta.url), 'utf8')) as { cases: Case[] };

for (const { name, ratings, categories, alpha, ac1, raw } of cases) {
  test(`as others compute it: ${name}`, () => {
    const units = ratings.map((row) => row.filter((value) => value !== null));
    const near = (found: number | undefined, expected: number, what: string) => assert.ok(found !== undefined && Math.abs(found - expected) < 1e-9, `${what}: ${found}, expected ${expected}`);
    for (const metric of ['nominal', 'ordinal', 'interval'] as const) near(krippendorffAlpha(units, metric), alpha[metric], metric);
    near(gwetAc1(units, categories), ac1, 'AC1');
    near(rawAgreement(units), raw, 'raw');
  });
}

test('the worked example of Krippendorff (2011), to the digits that are printed there', () => {
  const worked = cases.find(({ name }) => name === 'Krippendorff 2011')!;
  const units = worked.ratings.map((row) => row.filter((value) => value !== null));
  assert.deepEqual(['nominal', 'ordinal', 'interval'].map((metric) => krippendorffAlpha(units, metric as Metric)!.toFixed(3)), ['0.743', '0.815', '0.849']);
});

test('nearly all accepted: alpha collapses, AC1 and the raw share do not', () => {
  const { alpha, ac1, raw } = cases.at(-1)!;
  assert.ok(alpha.nominal < 0.3 && ac1 > 0.85 && raw > 0.85);
});

test('nothing to compare is no number', () => {
  for (const units of [[], [[1], [2]], [[]]]) {
    assert.equal(krippendorffAlpha(units, 'ordinal'), undefined);
    assert.equal(gwetAc1(units, 3), undefined);
    assert.equal(rawAgreement(units), undefined);
  }
  assert.equal(krippendorffAlpha([[4, 4], [4, 4]], 'ordinal'), undefined, 'one value alone');
  assert.equal(rawAgreement([[4, 4], [4, 4]]), 1);
  assert.equal(krippendorffAlpha([[1, 1], [5, 5]], 'ordinal'), 1);
});

test('by criterion, and on the verdict', () => {
  const review = (version_id: string, clear: number, grounded: number | null, verdict: 'accept' | 'reject') => ({ version_id, verdict, scores: { follows_instruction: 4, correct: clear, clear, grounded, category_fit: 5 } });
  const rows = agreementByCriterion([review('a', 5, 4, 'accept'), review('a', 5, 1, 'accept'), review('b', 2, null, 'reject'), review('b', 2, null, 'reject'), review('c', 4, 2, 'accept'), review('c', 4, 5, 'reject'), review('d', 1, 3, 'reject')]);
  const of = (name: string) => rows.find((row) => row.of === name)!;
  assert.deepEqual(rows.map((row) => [row.of, row.units]), [['follows_instruction', 3], ['correct', 3], ['clear', 3], ['grounded', 2], ['category_fit', 3], ['verdict', 3]]);
  assert.equal(of('clear').alpha, 1);
  assert.ok(of('grounded').alpha! < 0 && of('grounded').raw === 0);
  assert.equal(of('category_fit').alpha, undefined, 'all fives: nothing to tell apart');
  assert.equal(of('category_fit').ac1, 1);
  assert.equal(of('verdict').raw!.toFixed(3), '0.667');
});
