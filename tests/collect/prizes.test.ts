/** The pending cap, the prize gate, the audit, and who gets what in the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BoardRow } from '../../src/collect/rules/boards.ts';
import { drawn } from '../../src/collect/rules/chance.ts';
import { pendingCap } from '../../src/collect/rules/pending.ts';
import { FIRST_RULES as R } from '../../src/collect/rules/points-rules.ts';
import { auditOutcome, auditSample, placements, prizeGate, type AuditVote, type CandidateFacts } from '../../src/collect/rules/prizes.ts';
import { wilson } from '../../src/collect/rules/wilson.ts';

test('Wilson bounds, against published ones', () => {
  assert.deepEqual(wilson(0, 0), { lower: 0, upper: 1000 });
  // Newcombe (1998), table I, method 3: 81/263 0.2553 to 0.3662; 15/148 0.0624 to 0.1605; 0/20 0 to 0.1611; 1/29 0.0061 to 0.1718.
  for (const [r, n, lower, upper] of [[81, 263, 0.2553, 0.3662], [15, 148, 0.0624, 0.1605], [0, 20, 0, 0.1611], [1, 29, 0.0061, 0.1718]] as const) {
    const found = wilson(r, n);
    assert.deepEqual([found.lower, found.upper], [Math.floor(lower * 1000), Math.ceil(upper * 1000)], `${r} of ${n}`);
  }
});

test('the pending cap: 5 at first, up to 25 with trust, 2 for a flood, 0 for copying', () => {
  const cap = (accepted: number, rejected: number, stopped = false) => pendingCap(R, { accepted, rejected, stopped });
  assert.deepEqual([cap(0, 0).cap, cap(0, 0).because], [5, 'newcomer']);
  assert.equal(cap(3, 0).cap, 15);
  assert.deepEqual([cap(16, 0).cap, cap(16, 0).because], [25, 'trusted']);
  assert.deepEqual([cap(1, 19).cap, cap(1, 19).because], [2, 'distrusted']);
  assert.deepEqual([cap(50, 0, true).cap, cap(50, 0, true).because], [0, 'stopped']);
  fc.assert(fc.property(fc.nat(100), fc.nat(100), (accepted, rejected) => {
    assert.ok(cap(accepted + 1, rejected).cap >= cap(accepted, rejected).cap, 'an acceptance never lowers it');
    assert.ok(cap(accepted, rejected + 1).cap <= cap(accepted, rejected).cap, 'a rejection never raises it');
  }), { numRuns: 500, seed: 1 });
});

const good: CandidateFacts = { accepted: 40, rejected: 5, categories: 5, gold_right: 8, gold_seen: 10, open_flags: 0, consent_current: true };

test('the prize gate names what is missing', () => {
  const unmet = (change: Partial<CandidateFacts>) => prizeGate({ ...good, ...change }).map(({ condition, found, needed }) => [condition, found, needed]);
  assert.deepEqual(unmet({}), []);
  assert.deepEqual(unmet({ accepted: 29, rejected: 0 }), [['accepted', 29, 30]]);
  assert.deepEqual(unmet({ categories: 3 }), [['categories', 3, 4]]);
  assert.deepEqual(unmet({ rejected: 25 }), [['accept_rate', 493, 600]]);
  assert.deepEqual(unmet({ gold_right: 6 }), [['gold_right', 600, 700]]);
  assert.deepEqual(unmet({ gold_right: 0, gold_seen: 0 }), [], 'who does not review needs no gold');
  assert.deepEqual(unmet({ open_flags: 1, consent_current: false }), [['open_flags', 1, 0], ['consent_current', 0, 1]]);
});

test('the sample of an audit: ten by lot, the same for everybody who looks, another for each person', () => {
  const accepted = Array.from({ length: 60 }, (_, i) => `s${i}`);
  const sample = auditSample(accepted, 'anna', 'head');
  assert.equal(new Set(sample).size, 10);
  assert.deepEqual(auditSample([...accepted].reverse(), 'anna', 'head'), sample);
  assert.notDeepEqual(auditSample(accepted, 'boris', 'head'), sample);
  assert.notDeepEqual(auditSample(accepted, 'anna', 'other head'), sample);
  assert.equal(auditSample(['a', 'b'], 'anna', 'head').length, 2);
  // Every record is drawn about equally often: 2,000 samples of 10 from 60 are 333 each.
  const times = new Map<string, number>();
  for (let i = 0; i < 2000; i++) for (const id of auditSample(accepted, 'anna', `seed ${i}`)) times.set(id, (times.get(id) ?? 0) + 1);
  for (const id of accepted) assert.ok(Math.abs((times.get(id) ?? 0) - 333) < 90, `${id}: ${times.get(id)}`);
});

test('two votes decide a record of the sample, a third where they differ; half failed forfeits', () => {
  const votes = (...each: string[]) => new Map(each.map((text, i) => [`s${i}`, [...text].map((v): AuditVote => (v === '+' ? 'pass' : 'fail'))]));
  assert.deepEqual(auditOutcome(votes('++', '+-', '-', '--')), { done: false, open: ['s1', 's2'] });
  assert.deepEqual(auditOutcome(votes('++', '+-+', '-+-', '--', '++', '++', '++', '++', '++', '++')), { done: true, sampled: 10, failed: ['s2', 's3'], forfeit: false });
  assert.deepEqual(auditOutcome(votes(...Array<string>(5).fill('--'), ...Array<string>(5).fill('++'))), { done: true, sampled: 10, failed: ['s0', 's1', 's2', 's3', 's4'], forfeit: true });
});

const row = (user_id: string, points_mp: number, quality = 4000): BoardRow => ({ user_id, rank: 0, points_mp, accepted: 30, quality });
const PRIZES = [{ id: 'first', rank_from: 1, rank_to: 1 }, { id: 'next', rank_from: 2, rank_to: 3 }];

test('places: by points, then quality, then lot; who cannot win is passed over and the others move up', () => {
  const rows = [row('a', 90), row('b', 80, 4100), row('c', 80, 4200), row('d', 70)];
  const who = (eligible: string[], seed = 's') => placements(rows, new Set(eligible), PRIZES, seed).map(({ user_id, place, prize_id }) => `${place} ${user_id} ${prize_id}`);
  assert.deepEqual(who(['a', 'b', 'c', 'd']), ['1 a first', '2 c next', '3 b next']);
  assert.deepEqual(who(['b', 'c', 'd']), ['1 c first', '2 b next', '3 d next']);
  assert.deepEqual(who([]), []);
  const equal = [row('x', 50), row('y', 50)];
  const winners = Array.from({ length: 200 }, (_, i) => placements(equal, new Set(['x', 'y']), PRIZES, `seed ${i}`)[0]!.user_id);
  assert.ok(winners.filter((w) => w === 'x').length > 70 && winners.filter((w) => w === 'y').length > 70);
  assert.deepEqual(drawn(['b', 'a'], 's'), drawn(['a', 'b'], 's'));
});

test('a forfeit never costs anybody else a place', () => {
  fc.assert(fc.property(fc.uniqueArray(fc.nat(50), { minLength: 2, maxLength: 12 }), fc.nat(11), (points, out) => {
    const rows = points.map((mp, i) => row(`u${i}`, mp));
    const all = new Set(rows.map(({ user_id }) => user_id));
    const gone = `u${out % points.length}`;
    const before = placements(rows, all, PRIZES, 's');
    const after = placements(rows, new Set([...all].filter((id) => id !== gone)), PRIZES, 's');
    for (const { user_id, place } of before) if (user_id !== gone) assert.ok((after.find((p) => p.user_id === user_id)?.place ?? Infinity) <= place);
  }), { numRuns: 300, seed: 2 });
});
