/** The formula and the ledger: figures by hand, and what must hold for any figures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CATEGORIES } from '../../src/collect/rules/categories.ts';
import { auditDelta, countedPoints, entriesOfRecord, entryOfReview, explain, ledgerFaults, recompute, reversalOf, reversalsOf, sumsByUser, type Entry, type NewEntry } from '../../src/collect/rules/ledger.ts';
import { askerPoints, dayFactor, needWeights, noveltyFactor, qualityFactor, recordPoints, reviewPay, type RecordFacts } from '../../src/collect/rules/points.ts';
import { FIRST_RULES, POINTS_RULES, rulesFaults, type PointsRules } from '../../src/collect/rules/points-rules.ts';

const R = FIRST_RULES;
const facts: RecordFacts = { category: 'summarization', words: 90, quality: 4000, similarity: 0, weight: 1000, nth_of_day: 1 };
const mp = (change: Partial<RecordFacts> = {}) => recordPoints(R, { ...facts, ...change }).delta_mp;

test('every published version of the rules is sound', () => {
  assert.equal(new Set(POINTS_RULES.map(({ version }) => version)).size, POINTS_RULES.length);
  for (const rules of POINTS_RULES) assert.deepEqual(rulesFaults(rules), [], rules.version);
  assert.deepEqual(rulesFaults({ ...R, full_a_day: 1.5, quality: [[3000, 700], [3000, 900]] }), ['quality[1] does not rise', 'full_a_day is 1.5, expected a whole number from 1 to 1000']);
});

test('the formula, by hand', () => {
  assert.equal(mp(), 5000);
  assert.equal(mp({ words: 45 }), 3750, 'three quarters of a full summary');
  assert.equal(mp({ quality: 3000 }), 3500);
  assert.equal(mp({ quality: 3500 }), 4250);
  assert.equal(mp({ quality: 5000 }), 6500);
  assert.equal(mp({ quality: 2999 }), 0);
  assert.equal(mp({ similarity: 500 }), 5000);
  assert.equal(mp({ similarity: 600 }), 3500);
  assert.equal(mp({ similarity: 700 }), 2000);
  assert.equal(mp({ weight: 1500 }), 7500);
  assert.equal(mp({ weight: 9000 }), 7500, 'clamped');
  assert.equal(mp({ nth_of_day: 15 }), 5000);
  assert.equal(mp({ nth_of_day: 16 }), 4685, 'floor(15/16) in thousandths is 937');
  assert.equal(mp({ nth_of_day: 30 }), 2500);
  // 5000 x 0.75 x 1.15 x 0.7 x 1.2 x 0.5 = 1811.25
  assert.equal(mp({ words: 45, quality: 4500, similarity: 600, weight: 1200, nth_of_day: 30 }), 1811);
  assert.equal(noveltyFactor(R, 701), undefined);
  assert.deepEqual([0, 150, 425, 700, 701].map((own) => noveltyFactor(R, 300, own)), [1000, 1000, 625, 250, undefined], 'one’s own earlier records count sooner');
  assert.equal(mp({ similarity: 600, own_similarity: 600 }), 1930, 'the lower of the two');
  assert.equal(askerPoints(R, 4999), 499);
});

test('need: the share in what is missing over the share in the goal', () => {
  const needs = (...done: number[]) => needWeights(R, [{ category: 'open_qa', goal: 100, done: done[0]! }, { category: 'closed_qa', goal: 100, done: done[1]! }, { category: 'summarization', goal: 200, done: done[2]! }]);
  assert.deepEqual(needs(0, 0, 0), { open_qa: 1000, closed_qa: 1000, summarization: 1000 });
  assert.deepEqual(needs(100, 50, 50), { open_qa: 700, closed_qa: 1000, summarization: 1500 });
  assert.deepEqual(needs(50, 50, 0), { open_qa: 700, closed_qa: 700, summarization: 1333 });
  assert.deepEqual(needs(100, 100, 250), { open_qa: 1000, closed_qa: 1000, summarization: 1000 }, 'nothing is missing');
});

test('reviews: too fast, alike, gold', () => {
  const pay = (words: number, dwell_ms: number, more: object = {}) => reviewPay(R, { words, dwell_ms, constant: false, ...more });
  assert.deepEqual(pay(200, 20_000), { delta_mp: 500, valid: true, because: 'valid' });
  assert.deepEqual(pay(200, 19_999), { delta_mp: 0, valid: false, because: 'too_fast' }, '200 words at 600 a minute are 20 seconds');
  assert.equal(pay(200, 20_000, { gold: 'right' }).delta_mp, 1000);
  assert.equal(pay(200, 20_000, { gold: 'near' }).delta_mp, 500);
  assert.equal(pay(200, 20_000, { gold: 'wrong' }).delta_mp, 0);
  assert.equal(pay(200, 20_000, { constant: true }).because, 'constant');
  assert.equal(pay(200, 19_999, { gold: 'right' }).delta_mp, 0, 'a right answer in no time is luck');
});

const anyFacts = fc.record<RecordFacts>({
  category: fc.constantFrom(...CATEGORIES), words: fc.nat(700), quality: fc.integer({ min: 1000, max: 5000 }), similarity: fc.nat(700), own_similarity: fc.nat(700), weight: fc.integer({ min: 700, max: 1500 }), nth_of_day: fc.integer({ min: 1, max: 200 }),
});
const anyRules: fc.Arbitrary<PointsRules> = fc
  .record({ full: fc.integer({ min: 1, max: 300 }), base: fc.integer({ min: 0, max: 100_000 }), day: fc.integer({ min: 1, max: 40 }), least: fc.nat(1000), q: fc.tuple(fc.nat(900), fc.nat(900), fc.nat(900)) })
  .map(({ full, base, day, least, q: [a, b, c] }) => ({
    ...R, version: 'any', full_a_day: day, novelty: { ...R.novelty, least, own: { ...R.novelty.own, least } }, quality: [[3000, a], [4000, a + b], [5000, a + b + c]],
    base_mp: Object.fromEntries(CATEGORIES.map((key) => [key, base])) as PointsRules['base_mp'], full_words: Object.fromEntries(CATEGORIES.map((key) => [key, full])) as PointsRules['full_words'],
  }));

test('points are whole, never negative, never above their base times the greatest factors', () => {
  fc.assert(fc.property(anyRules, anyFacts, (rules, f) => {
    const { delta_mp } = recordPoints(rules, f);
    assert.ok(Number.isSafeInteger(delta_mp) && delta_mp >= 0 && delta_mp <= (rules.base_mp[f.category] * rules.quality.at(-1)![1] * 1500) / 1e6);
  }), { numRuns: 1000, seed: 1 });
});

test('better, newer, longer, scarcer and earlier is never worth less', () => {
  fc.assert(fc.property(anyRules, anyFacts, anyFacts, (rules, a, b) => {
    const best = { category: a.category, words: Math.max(a.words, b.words), quality: Math.max(a.quality, b.quality), similarity: Math.min(a.similarity, b.similarity), own_similarity: Math.min(a.own_similarity!, b.own_similarity!), weight: Math.max(a.weight, b.weight), nth_of_day: Math.min(a.nth_of_day, b.nth_of_day) };
    assert.ok(recordPoints(rules, best).delta_mp >= recordPoints(rules, a).delta_mp);
  }), { numRuns: 1000, seed: 2 });
  for (let q = 1001; q <= 5000; q++) assert.ok(qualityFactor(R, q) >= qualityFactor(R, q - 1));
  for (let n = 2; n < 500; n++) assert.ok(dayFactor(R, n) <= dayFactor(R, n - 1));
});

test('a record up to full size, cut into pieces of no better quality, never earns more', () => {
  fc.assert(fc.property(anyRules, anyFacts, fc.array(fc.record({ words: fc.integer({ min: 1, max: 700 }), worse: fc.nat(4000), alike: fc.nat(700) }), { minLength: 2, maxLength: 6 }), (rules, whole, pieces) => {
    const words = Math.min(whole.words, rules.full_words[whole.category]);
    const all = pieces.reduce((sum, piece) => sum + piece.words, 0);
    const total = pieces
      .map((piece, i) => recordPoints(rules, { ...whole, words: Math.floor((piece.words * words) / all), quality: Math.max(1000, whole.quality - piece.worse), similarity: Math.max(whole.similarity, piece.alike), nth_of_day: whole.nth_of_day + i }).delta_mp)
      .reduce((sum, value) => sum + value, 0);
    assert.ok(total <= recordPoints(rules, { ...whole, words }).delta_mp);
  }), { numRuns: 2000, seed: 3 });
});

test('no text earns more per word than a record of full size does', () => {
  fc.assert(fc.property(anyRules, anyFacts, (rules, f) => {
    const full = recordPoints(rules, { ...f, words: rules.full_words[f.category] }).delta_mp;
    // Within the rounding down of the full record.
    assert.ok(recordPoints(rules, f).delta_mp * rules.full_words[f.category] <= (full + 1) * f.words);
  }), { numRuns: 1000, seed: 4 });
});

const anna = { user_id: 'anna', team_id: 'a' };
const boris = { user_id: 'boris', team_id: null };
const numbered = (...entries: NewEntry[]): Entry[] => entries.map((entry, i) => ({ ...entry, seq: i + 1 }));
const record = (id: string, more: Partial<RecordFacts> = {}, asker?: typeof boris) => entriesOfRecord(R, { id, round: 1, work_day: '2026-03-02', author: anna, asker }, { ...facts, ...more });

test('the asker of a question gets a tenth, and nobody asks himself', () => {
  const [own, asked] = record('1', {}, boris);
  assert.deepEqual([own!.delta_mp, asked!.delta_mp, asked!.user_id, asked!.kind], [5000, 500, 'boris', 'question']);
  assert.equal(record('1', {}, anna as unknown as typeof boris).length, 1);
});

test('a withdrawal takes back everything that a record gave, to everybody, once', () => {
  const before = numbered(...record('1', {}, boris), ...record('2'));
  const back = reversalsOf('submission:1', before, 'withdrawn');
  const after = numbered(...before, ...back);
  assert.deepEqual(back.map(({ user_id, delta_mp, reverses }) => [user_id, delta_mp, reverses]), [['anna', -5000, 1], ['boris', -500, 2]]);
  assert.deepEqual(reversalsOf('submission:1', after, 'withdrawn'), []);
  const sums = sumsByUser(after, R);
  assert.deepEqual([sums.get('anna')!.points_mp, sums.get('boris')!.points_mp], [5000, 0]);
  assert.throws(() => reversalOf(after.at(-1)!, 'correction'), RangeError);
  assert.deepEqual(ledgerFaults(after, new Map([[R.version, R]])), []);
});

test('an old ledger under its old rules gives the same sums, whatever the rules are now', () => {
  const newer: PointsRules = { ...R, version: '2026-2', base_mp: { ...R.base_mp, summarization: 9000 }, full_a_day: 3 };
  const old = numbered(...record('1', { nth_of_day: 9 }, boris), entryOfReview(R, { id: '9', work_day: '2026-03-02', reviewer: boris }, { words: 100, dwell_ms: 60_000, constant: false, gold: 'right' }));
  const mixed = [...old, ...entriesOfRecord(newer, { id: '3', round: 1, work_day: '2026-03-03', author: anna }, { ...facts, nth_of_day: 9 }).map((entry) => ({ ...entry, seq: 4 }))];
  const rules = new Map([[R.version, R], [newer.version, newer]]);
  assert.deepEqual(ledgerFaults(mixed, rules), []);
  assert.deepEqual(mixed.map((entry) => recompute(rules.get(entry.rules_version)!, entry.factors)), [5000, 500, 1000, 2997]);
  assert.equal(mixed[3]!.delta_mp, 2997, '9000 x floor(3/9)');
});

test('what does not follow from its facts is found', () => {
  const rules = new Map([[R.version, R]]);
  const good = numbered(...record('1', {}, boris), ...record('2'));
  const fault = (change: (entries: Entry[]) => Entry[]) => ledgerFaults(change(good.map((entry) => ({ ...entry }))), rules);
  assert.match(fault((e) => [{ ...e[0]!, delta_mp: 9000 }, ...e.slice(1)])[0]!, /entry 1: 9000 booked, 5000 by its rules/);
  assert.match(fault((e) => [...e, { ...e[0]!, seq: 4 }])[0]!, /booked twice/);
  assert.match(fault((e) => [{ ...e[0]!, rules_version: 'x' }, ...e.slice(1)])[0]!, /rules x are not known/);
  const back = { ...reversalOf(good[0]!, 'retracted'), seq: 4 };
  assert.deepEqual(ledgerFaults([...good, back], rules), []);
  assert.match(ledgerFaults([...good, back, { ...back, seq: 5, event_id: 'again' }], rules)[0]!, /taken back twice/);
  assert.match(ledgerFaults([...good, { ...back, delta_mp: -1, factors: { kind: 'reversal', of_mp: 1, reason: 'retracted' } }], rules)[0]!, /as it was/);
});

test('reviews are at most 30 % of prize points', () => {
  fc.assert(fc.property(fc.nat(1_000_000), fc.nat(1_000_000), fc.nat(1_000_000), (record_mp, question_mp, review_mp) => {
    const { review_counted_mp, points_mp } = countedPoints(R, { record_mp, question_mp, review_mp, audit_mp: 0 });
    assert.ok(review_counted_mp * 10 <= points_mp * 3 && review_counted_mp <= review_mp);
    assert.ok(review_counted_mp === review_mp || (review_counted_mp + 1) * 10 > (points_mp + 1) * 3, 'and no less than that');
  }), { numRuns: 500, seed: 5 });
});

test('an audit takes the failed share, less what was already taken back', () => {
  assert.equal(auditDelta({ settled_mp: 100_000, reversed_mp: 0, failed: 3, sampled: 10 }), -30_000);
  assert.equal(auditDelta({ settled_mp: 100_000, reversed_mp: 12_000, failed: 3, sampled: 10 }), -18_000);
  assert.equal(auditDelta({ settled_mp: 100_000, reversed_mp: 40_000, failed: 3, sampled: 10 }), 0);
});

test('explained: every factor with what it comes from, and the sum of the entry', () => {
  const [own, asked] = record('1', { words: 45, nth_of_day: 16 }, boris);
  assert.deepEqual(explain(R, own!.factors), [
    { line: 'base', mp: 5000, category: 'summarization' },
    { line: 'size', factor: 750, from: { words: 45, full_words: 60 } },
    { line: 'quality', factor: 1000, from: { quality: 4000 } },
    { line: 'novelty', factor: 1000, from: { similarity: 0 } },
    { line: 'need', factor: 1000, from: { weight: 1000 } },
    { line: 'day', factor: 937, from: { nth_of_day: 16, full_a_day: 15 } },
    { line: 'total', mp: 3513 },
  ]);
  assert.deepEqual(explain(R, asked!.factors).slice(-2), [{ line: 'asker_share', factor: 100 }, { line: 'total', mp: 351 }]);
  fc.assert(fc.property(anyFacts, (f) => {
    const lines = explain(R, { kind: 'record', facts: f });
    const product = lines.reduce((product, line) => (line.line === 'base' ? product * line.mp : 'factor' in line ? (product * line.factor) / 1000 : product), 1);
    const total = lines.at(-1)!;
    assert.ok(total.line === 'total' && Math.abs(total.mp - product) <= 1, 'the lines multiply to the total');
  }), { numRuns: 300, seed: 7 });
});
