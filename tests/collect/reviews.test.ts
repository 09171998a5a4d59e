/** Reviews: scores to a quality, verdicts to a decision, who may review what, and how far to rely on whom. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../../src/artefacts/random.ts';
import { assign, ineligible, mayReview, OVERDUE_MS, pairCap, SKIPS_A_DAY, type ReviewerFacts, type WaitingRecord } from '../../src/collect/rules/assignment.ts';
import { FIRST_RULES as R } from '../../src/collect/rules/points-rules.ts';
import { reciprocalPairs, type PairReview } from '../../src/collect/rules/reciprocity.ts';
import { answerTo, bookReviews, goldShare, isConstant, isWornOut, pickGold, reliability, reviewKey, type Answer, type PastReview } from '../../src/collect/rules/reliability.ts';
import { decide, overall, reviewFaults, weightedMedian, type CountedReview, type Flag, type Scores, type Verdict } from '../../src/collect/rules/review-outcome.ts';

const scores = (follows_instruction: number, correct: number, clear: number, category_fit: number, grounded: number | null = null): Scores => ({ follows_instruction, correct, clear, grounded, category_fit });
const same = (score: number) => scores(score, score, score, score);
const given = (verdict: Verdict, score: number, weight = 750, flags: readonly Flag[] = []): CountedReview => ({ verdict, scores: same(score), flags, weight });

test('the overall score: a mean that one essential fault holds down', () => {
  assert.equal(overall(scores(5, 4, 4, 4)), 4250);
  assert.equal(overall(scores(4, 4, 4, 4, 5)), 4200);
  assert.equal(overall(scores(5, 1, 5, 5)), 2000, 'clear, pleasant and wrong');
  assert.equal(overall(scores(5, 5, 1, 5)), 4000, 'unclear is not essential');
  assert.equal(overall(scores(5, 5, 5, 5, 2)), 3000, 'not grounded in its passage');
});

test('verdict, scores and comment of a review must fit together', () => {
  const review = (verdict: Verdict, score: number, comment = '', flags: readonly Flag[] = []) => reviewFaults({ scores: same(score), verdict, flags, comment }, false);
  assert.deepEqual(review('accept', 3), []);
  assert.deepEqual(review('accept', 2), ['accept_below']);
  assert.deepEqual(review('accept', 5, '', ['personal_data']), ['accept_with_alarm']);
  assert.deepEqual(review('accept', 5, '', ['ai_phrases']), []);
  assert.deepEqual(review('reject', 2, 'No.'), ['comment_missing']);
  assert.deepEqual(review('reject', 4, 'I do not like it at all'), ['reject_above']);
  assert.deepEqual(review('reject', 4, 'Copied from a song, word for word', ['copied']), []);
  assert.deepEqual(review('fix', 4, 'The year is wrong: 1969'), []);
  assert.deepEqual(review('accept', 6), ['score_out_of_range']);
  assert.deepEqual(reviewFaults({ scores: same(4), verdict: 'accept', flags: [], comment: '' }, true), ['score_missing'], 'a passage asks for grounded');
  assert.deepEqual(reviewFaults({ scores: scores(4, 4, 4, 4, 4), verdict: 'accept', flags: [], comment: '' }, false), ['score_unwanted']);
});

test('the weighted median, by hand', () => {
  const median = (...pairs: [number, number][]) => weightedMedian(pairs.map(([value, weight]) => ({ value, weight })));
  assert.equal(median([4000, 1]), 4000);
  assert.equal(median([3000, 750], [4000, 750]), 3500, 'equal weights: the mean');
  assert.equal(median([3000, 750], [4000, 751]), 4000);
  assert.equal(median([5000, 900], [1000, 500], [4000, 500]), 4000, 'the order does not matter');
  assert.equal(median([1000, 300], [2000, 300], [5000, 900]), 5000);
  assert.throws(() => median(), RangeError);
});

test('the weighted median lies among its values, rises with them, and does not ask who came first', () => {
  const pair = fc.record({ value: fc.integer({ min: 1000, max: 5000 }), weight: fc.integer({ min: 1, max: 1000 }) });
  fc.assert(fc.property(fc.array(pair, { minLength: 1, maxLength: 6 }), fc.nat(5), fc.nat(2000), (pairs, at, more) => {
    const values = pairs.map(({ value }) => value);
    const median = weightedMedian(pairs);
    assert.ok(median >= Math.min(...values) && median <= Math.max(...values));
    assert.equal(weightedMedian([...pairs].reverse()), median);
    assert.ok(weightedMedian(pairs.map((p, i) => (i === at % pairs.length ? { ...p, value: p.value + more } : p))) >= median);
  }), { numRuns: 500, seed: 1 });
});

test('two who agree decide; else a third; else a moderator', () => {
  assert.deepEqual(decide([], 2), { state: 'waiting', reviews_missing: 2 });
  assert.deepEqual(decide([given('accept', 4)], 2), { state: 'waiting', reviews_missing: 1 });
  assert.deepEqual(decide([given('accept', 4), given('accept', 5)], 2), { state: 'decided', verdict: 'accept', quality: 4500 });
  assert.deepEqual(decide([given('accept', 4), given('reject', 2)], 2), { state: 'waiting', reviews_missing: 1 });
  assert.deepEqual(decide([given('accept', 3), given('accept', 5)], 2), { state: 'waiting', reviews_missing: 1 }, 'one verdict, but two points apart');
  assert.deepEqual(decide([given('accept', 4), given('reject', 2), given('accept', 4)], 2), { state: 'decided', verdict: 'accept', quality: 4000 });
  assert.deepEqual(decide([given('accept', 4), given('reject', 2), given('reject', 1)], 2), { state: 'decided', verdict: 'reject', quality: 2000 });
  assert.deepEqual(decide([given('accept', 4), given('reject', 2), given('fix', 3)], 2), { state: 'adjudicate', because: 'split' });
  assert.deepEqual(decide([given('accept', 3, 300), given('reject', 2, 900), given('accept', 3, 300)], 2), { state: 'adjudicate', because: 'scores' }, 'the most reliable one alone says no');
  assert.deepEqual(decide([given('accept', 4), given('reject', 2, 750, ['personal_data'])], 2), { state: 'adjudicate', because: 'alarm' }, 'at once');
  assert.deepEqual(decide([given('accept', 4, 750, ['ai_phrases']), given('accept', 4)], 2), { state: 'decided', verdict: 'accept', quality: 4000 });
  assert.deepEqual(decide([given('accept', 4)], 1), { state: 'decided', verdict: 'accept', quality: 4000 });
});

test('more reviews never leave a record waiting for ever, and the order of reviews does not matter', () => {
  const review = fc.record({ verdict: fc.constantFrom<Verdict>('accept', 'fix', 'reject'), scores: fc.integer({ min: 1, max: 5 }).map(same), flags: fc.constant([]), weight: fc.integer({ min: 1, max: 1000 }) });
  fc.assert(fc.property(fc.array(review, { maxLength: 6 }), fc.integer({ min: 1, max: 3 }), (reviews, k) => {
    const decision = decide(reviews, k);
    if (reviews.length > k) assert.notEqual(decision.state, 'waiting');
    assert.deepEqual(decide([...reviews].reverse(), k), decision);
    if (decision.state === 'decided' && decision.verdict === 'accept') assert.ok(decision.quality >= 3000);
  }), { numRuns: 500, seed: 2 });
});

const waiting = (submission_id: string, author_id: string, more: Partial<WaitingRecord> = {}): WaitingRecord => ({ submission_id, author_id, asker_id: null, team_id: null, language: 'en', reviewers: [], waiting_since: 0, ...more });
const reviewer: ReviewerFacts = { user_id: 'me', team_id: 'red', languages: ['en'], reviewed: new Map(), skipped_today: 0, standing: 'unproven' };
const policy = { teams: 3, pair_cap: 3 };

test('who cannot review what, and why', () => {
  assert.equal(ineligible(waiting('1', 'me'), reviewer, policy), 'own');
  assert.equal(ineligible(waiting('1', 'you', { asker_id: 'me' }), reviewer, policy), 'asker');
  assert.equal(ineligible(waiting('1', 'you', { team_id: 'red' }), reviewer, policy), 'team');
  assert.equal(ineligible(waiting('1', 'you', { team_id: 'red' }), reviewer, { ...policy, teams: 2 }), undefined, 'with two teams everybody would be out');
  assert.equal(ineligible(waiting('1', 'you', { reviewers: ['me'] }), reviewer, policy), 'seen');
  assert.equal(ineligible(waiting('1', 'you'), { ...reviewer, reviewed: new Map([['you', 3]]) }, policy), 'pair');
  assert.equal(ineligible(waiting('1', 'you', { language: 'ru' }), reviewer, policy), 'language');
  assert.equal(ineligible(waiting('1', 'you'), reviewer, policy), undefined);
  assert.equal(mayReview({ skipped_today: SKIPS_A_DAY, standing: 'trusted' }), 'skipped');
  assert.equal(mayReview({ skipped_today: 0, standing: 'resting' }), 'resting');
  assert.equal(pairCap(6000, 100, 100), 3, 'three, where there are many');
  assert.equal(pairCap(200, 4, 4), 34, 'twice an even share among four');
});

test('assignment is by lot among what is possible, the overdue first', () => {
  const random = new Random(1);
  const records = ['a', 'b', 'c', 'd', 'me'].map((author, i) => waiting(`s${i}`, author));
  const times = new Map<string, number>();
  for (let i = 0; i < 4000; i++) {
    const { submission_id } = assign(records, reviewer, policy, 1, () => random.next())!;
    times.set(submission_id, (times.get(submission_id) ?? 0) + 1);
  }
  assert.deepEqual([...times.keys()].sort(), ['s0', 's1', 's2', 's3']);
  for (const n of times.values()) assert.ok(Math.abs(n - 1000) < 120, `${n} of about 1000`);
  const late = [...records, waiting('late', 'e', { waiting_since: -OVERDUE_MS })];
  assert.equal(assign(late, reviewer, policy, 0, () => random.next())!.submission_id, 'late');
  assert.equal(assign(records, { ...reviewer, standing: 'resting' }, policy, 1, () => 0), undefined);
  assert.equal(assign([waiting('1', 'me')], reviewer, policy, 1, () => 0), undefined);
});

test('gold: right, near, wrong; a Beta of what was answered, the newest ten', () => {
  assert.deepEqual([answerTo('accept', 'accept'), answerTo('reject', 'fix'), answerTo('reject', 'accept'), answerTo('accept', 'fix')], ['right', 'near', 'wrong', 'wrong']);
  const of = (right: number, wrong: number, near = 0) => reliability([...Array<Answer>(wrong).fill('wrong'), ...Array<Answer>(near).fill('near'), ...Array<Answer>(right).fill('right')]);
  assert.deepEqual(of(0, 0), { alpha: 3, beta: 1, gold_n: 0, weight: 750, standing: 'unproven' });
  assert.deepEqual(of(5, 0), { alpha: 8, beta: 1, gold_n: 5, weight: 888, standing: 'trusted' });
  assert.deepEqual(of(2, 3), { alpha: 5, beta: 4, gold_n: 5, weight: 555, standing: 'resting' });
  assert.equal(of(1, 3).standing, 'unproven', 'four say nothing yet');
  assert.equal(of(3, 2).standing, 'unproven', 'neither good nor bad: the pay waits');
  assert.equal(of(0, 0, 9).standing, 'trusted', 'near is nobody’s mistake');
  assert.equal(reliability([...Array<Answer>(20).fill('right'), ...Array<Answer>(6).fill('wrong')]).standing, 'resting', 'who begins to click through is noticed');
  assert.deepEqual(reliability(Array<Answer>(5).fill('right'), ['wrong', 'wrong']).standing, 'trusted', 'hard cases move the weight alone');
  assert.equal(reliability(Array<Answer>(5).fill('right'), ['wrong', 'wrong']).weight, 727);
});

test('gold items: two first, of both kinds; never one’s own, never twice; worn out at 30 %', () => {
  assert.deepEqual([0, 1, 2, 4, 5, 99].map(goldShare), [1000, 1000, 300, 300, 100, 100]);
  const golds = [{ submission_id: 'g1', author_id: 'x', verdict: 'accept' }, { submission_id: 'g2', author_id: 'x', verdict: 'reject' }, { submission_id: 'g3', author_id: 'me', verdict: 'reject' }] as const;
  for (const r of [0, 0.3, 0.99]) {
    assert.equal(pickGold(golds, 'me', new Map([['g1', 'accept']]), () => r)!.submission_id, 'g2');
    assert.equal(pickGold(golds, 'me', new Map([['g1', 'accept'], ['g2', 'reject']]), () => r), undefined);
  }
  assert.ok(!isWornOut(3, 10) && isWornOut(4, 10) && !isWornOut(5, 9));
});

const past = (n: number, more: (i: number) => Partial<PastReview>): PastReview[] => Array.from({ length: n }, (_, i) => ({ id: `r${i}`, key: `key ${i}`, words: 100, dwell_ms: 60_000, state: 'held', ...more(i) }));

test('pay is held until a reviewer is proven, then booked; who falls loses what is newer', () => {
  const unproven = past(10, (i) => (i < 4 ? { gold: 'right' } : {}));
  assert.deepEqual(bookReviews(R, unproven), { standing: 'unproven', constant: false, book: [], void: [] });
  assert.equal(bookReviews(R, unproven, true).book.length, 10, 'at the end few gold items do');
  assert.equal(bookReviews(R, past(10, () => ({})), true).book.length, 10, 'none at all: nothing speaks against them');
  assert.equal(bookReviews(R, past(10, (i) => (i < 2 ? { gold: i === 0 ? 'right' : 'wrong' } : {})), true).book.length, 0, 'half right does not');
  const proven = past(10, (i) => ({ ...(i < 5 ? { gold: 'right' as const } : {}), state: i < 3 ? 'booked' : 'held' }));
  assert.deepEqual(bookReviews(R, proven).book.map(({ id }) => id), ['r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9']);
  const fallen = past(8, (i) => (i < 5 ? { gold: 'wrong' } : {}));
  assert.equal(bookReviews(R, fallen).void.length, 8);
  const later = past(40, (i) => ({ gold: i < 30 ? 'right' : i % 3 === 0 ? 'right' : 'wrong', state: 'booked' }));
  assert.deepEqual(bookReviews(R, later).void, Array.from({ length: 10 }, (_, i) => `r${i + 30}`), 'the last ten gold items and what was between them');
});

test('one answer to everything', () => {
  const key = reviewKey(same(5), 'accept');
  assert.equal(key, '5 5 5 - 5 accept');
  assert.ok(!isConstant(R, Array<string>(19).fill(key)), 'too few to say');
  assert.ok(isConstant(R, [...Array<string>(19).fill(key), 'other']));
  assert.ok(!isConstant(R, [...Array<string>(18).fill(key), 'other', 'another']));
  const bot = past(25, (i) => ({ key, ...(i < 5 ? { gold: 'right' as const } : {}) }));
  assert.deepEqual(bookReviews(R, bot).void, Array.from({ length: 20 }, (_, i) => `r${i + 5}`));
});

test('pairs who are kinder to each other than everybody else is', () => {
  const reviews: PairReview[] = [];
  for (let i = 0; i < 3; i++) {
    reviews.push({ submission_id: `a${i}`, author_id: 'a', reviewer_id: 'b', quality: 5000 }, { submission_id: `a${i}`, author_id: 'a', reviewer_id: 'x', quality: 3000 });
    reviews.push({ submission_id: `b${i}`, author_id: 'b', reviewer_id: 'a', quality: 4500 }, { submission_id: `b${i}`, author_id: 'b', reviewer_id: 'y', quality: 3000 });
    reviews.push({ submission_id: `c${i}`, author_id: 'c', reviewer_id: 'a', quality: 5000 }, { submission_id: `c${i}`, author_id: 'c', reviewer_id: 'x', quality: 3000 });
  }
  assert.deepEqual(reciprocalPairs(reviews), [{ pair: ['a', 'b'], reviews: 6, lean: 1500 }], 'a is kind to c as well, but c not to a');
  assert.deepEqual(reciprocalPairs(reviews, 7), []);
});
