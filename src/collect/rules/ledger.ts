/**
 * Entries of the points ledger: how they are made, added up, taken back, explained, and worked out again from what they say of
 * themselves. Nothing here changes an entry: what was booked is only ever answered by a reversal. The chain of hashes, the numbers
 * and the instants are the store's.
 */
import { askerPoints, FACTORS, leastDwell, recordPoints, reviewPay, type FactorName, type RecordFacts, type ReviewFacts } from './points.ts';
import type { PointsRules } from './points-rules.ts';

/** `audit` takes back the failed share of an audit in proportion (prizes.ts). */
export const ENTRY_KINDS = ['record', 'review', 'question', 'reversal', 'audit'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** What the column `factors` holds, by kind: the facts that the points follow from. */
export type EntryFactors =
  | { readonly kind: 'record'; readonly facts: RecordFacts }
  | { readonly kind: 'question'; readonly facts: RecordFacts }
  | { readonly kind: 'review'; readonly facts: ReviewFacts }
  | { readonly kind: 'reversal'; readonly of_mp: number; readonly reason: ReversalReason }
  | { readonly kind: 'audit'; readonly settled_mp: number; readonly reversed_mp: number; readonly failed: number; readonly sampled: number };

export type ReversalReason = 'withdrawn' | 'retracted' | 'review_voided' | 'correction';

/** An entry before it has a number, an instant and a place in the chain. */
export interface NewEntry {
  readonly user_id: string;
  readonly team_id: string | null;
  readonly kind: EntryKind;
  /** What it is about: `submission:<id>` or `review:<id>`, or `campaign:<id>` for an audit. */
  readonly subject: string;
  readonly rules_version: string;
  readonly delta_mp: number;
  readonly factors: EntryFactors;
  /** The number of the entry that it takes back. */
  readonly reverses: number | null;
  /** Unique in the ledger, so that nothing is booked twice however often it is tried. */
  readonly event_id: string;
  /** The day of the work in the campaign's time zone, `YYYY-MM-DD`. */
  readonly work_day: string;
}

export interface Entry extends NewEntry {
  readonly seq: number;
}

export interface Person {
  readonly user_id: string;
  readonly team_id: string | null;
}

/** What an accepted record books: its author's points, and the asker's share if somebody else had asked. Entries of 0 are booked too: they explain themselves. */
export function entriesOfRecord(rules: PointsRules, submission: { readonly id: string; readonly round: number; readonly work_day: string; readonly author: Person; readonly asker?: Person | undefined }, facts: RecordFacts): NewEntry[] {
  const { id, round, work_day, author, asker } = submission;
  const shared = { subject: `submission:${id}`, rules_version: rules.version, reverses: null, work_day };
  const points = recordPoints(rules, facts).delta_mp;
  const own: NewEntry = { ...shared, ...author, kind: 'record', delta_mp: points, factors: { kind: 'record', facts }, event_id: `record:${id}:${round}` };
  if (!asker || asker.user_id === author.user_id) return [own];
  return [own, { ...shared, ...asker, kind: 'question', delta_mp: askerPoints(rules, points), factors: { kind: 'question', facts }, event_id: `question:${id}:${round}` }];
}

export function entryOfReview(rules: PointsRules, review: { readonly id: string; readonly work_day: string; readonly reviewer: Person }, facts: ReviewFacts): NewEntry {
  return {
    ...review.reviewer, kind: 'review', subject: `review:${review.id}`, rules_version: rules.version, delta_mp: reviewPay(rules, facts).delta_mp, factors: { kind: 'review', facts },
    reverses: null, event_id: `review:${review.id}`, work_day: review.work_day,
  };
}

/** What an audit takes back beyond the failed records themselves; undefined if nothing. */
export function entryOfAudit(rules: PointsRules, audit: { readonly award_id: string; readonly campaign_id: string; readonly work_day: string; readonly candidate: Person }, facts: Omit<EntryFactors & { kind: 'audit' }, 'kind'>): NewEntry | undefined {
  const delta_mp = auditDelta(facts);
  return delta_mp === 0 ? undefined : {
    ...audit.candidate, kind: 'audit', subject: `campaign:${audit.campaign_id}`, rules_version: rules.version, delta_mp, factors: { kind: 'audit', ...facts }, reverses: null, event_id: `audit:${audit.award_id}`, work_day: audit.work_day,
  };
}

/** The entry that takes another back, whole. Throws RangeError for one that is a reversal itself. */
export function reversalOf(entry: Entry, reason: ReversalReason): NewEntry {
  if (entry.kind === 'reversal') throw new RangeError(`entry ${entry.seq} is a reversal itself`);
  return {
    user_id: entry.user_id, team_id: entry.team_id, kind: 'reversal', subject: entry.subject, rules_version: entry.rules_version, delta_mp: entry.delta_mp === 0 ? 0 : -entry.delta_mp,
    factors: { kind: 'reversal', of_mp: entry.delta_mp, reason }, reverses: entry.seq, event_id: `reversal:${entry.seq}`, work_day: entry.work_day,
  };
}

/** Reversals of every entry about a subject that has none yet. */
export function reversalsOf(subject: string, entries: readonly Entry[], reason: ReversalReason): NewEntry[] {
  const reversed = new Set(entries.map(({ reverses }) => reverses));
  return entries.filter((entry) => entry.subject === subject && entry.kind !== 'reversal' && !reversed.has(entry.seq)).map((entry) => reversalOf(entry, reason));
}

/** What an entry is worth under its own rules, from its facts alone. */
export function recompute(rules: PointsRules, factors: EntryFactors): number {
  switch (factors.kind) {
    case 'record':
      return recordPoints(rules, factors.facts).delta_mp;
    case 'question':
      return askerPoints(rules, recordPoints(rules, factors.facts).delta_mp);
    case 'review':
      return reviewPay(rules, factors.facts).delta_mp;
    case 'reversal':
      return factors.of_mp === 0 ? 0 : -factors.of_mp;
    case 'audit':
      return auditDelta(factors);
  }
}

/** The failed share of what was settled, less what was taken back for the failed records already. Never positive. */
export function auditDelta(audit: { readonly settled_mp: number; readonly reversed_mp: number; readonly failed: number; readonly sampled: number }): number {
  const share = Math.floor((audit.settled_mp * audit.failed) / audit.sampled);
  return share <= audit.reversed_mp ? 0 : audit.reversed_mp - share;
}

/** Everything in a ledger that does not follow from its own facts and rules, as sentences. `rules` holds every version that is used. */
export function ledgerFaults(entries: readonly Entry[], rules: ReadonlyMap<string, PointsRules>): string[] {
  const found: string[] = [];
  const bySeq = new Map(entries.map((entry) => [entry.seq, entry]));
  const reversed = new Set<number>();
  const events = new Set<string>();
  for (const entry of entries) {
    const at = `entry ${entry.seq}`;
    const own = rules.get(entry.rules_version);
    if (!own) found.push(`${at}: rules ${entry.rules_version} are not known`);
    else if (entry.factors.kind !== entry.kind) found.push(`${at}: a ${entry.kind} with the facts of a ${entry.factors.kind}`);
    else if (recompute(own, entry.factors) !== entry.delta_mp) found.push(`${at}: ${entry.delta_mp} booked, ${recompute(own, entry.factors)} by its rules`);
    if (events.has(entry.event_id)) found.push(`${at}: ${entry.event_id} is booked twice`);
    events.add(entry.event_id);
    if (entry.reverses !== null) {
      const other = bySeq.get(entry.reverses);
      if (!other || other.seq >= entry.seq) found.push(`${at}: takes back entry ${entry.reverses}, which is not before it`);
      else if (other.delta_mp + entry.delta_mp !== 0 || other.user_id !== entry.user_id) found.push(`${at}: does not take back entry ${entry.reverses} as it was`);
      if (reversed.has(entry.reverses)) found.push(`${at}: entry ${entry.reverses} is taken back twice`);
      reversed.add(entry.reverses);
    }
  }
  return found;
}

/** Sums of one person, in milli-points. */
export interface Sums {
  record_mp: number;
  question_mp: number;
  review_mp: number;
  audit_mp: number;
  /** What of the reviews counts for boards and prizes. */
  review_counted_mp: number;
  /** Points as boards and prizes have them. */
  points_mp: number;
}

/** The sums of everybody who has an entry. A reversal counts with the kind that it takes back. */
export function sumsByUser(entries: readonly Entry[], rules: PointsRules): Map<string, Sums> {
  const kinds = new Map(entries.map((entry) => [entry.seq, entry.kind]));
  const sums = new Map<string, Sums>();
  for (const entry of entries) {
    const own = sums.get(entry.user_id) ?? { record_mp: 0, question_mp: 0, review_mp: 0, audit_mp: 0, review_counted_mp: 0, points_mp: 0 };
    sums.set(entry.user_id, own);
    const kind = entry.reverses === null ? entry.kind : (kinds.get(entry.reverses) ?? entry.kind);
    if (kind === 'record') own.record_mp += entry.delta_mp;
    else if (kind === 'question') own.question_mp += entry.delta_mp;
    else if (kind === 'review') own.review_mp += entry.delta_mp;
    else own.audit_mp += entry.delta_mp;
  }
  for (const own of sums.values()) Object.assign(own, countedPoints(rules, own));
  return sums;
}

/** Reviews are at most a share of all points: what is above waits until more is written. */
export function countedPoints(rules: PointsRules, own: Pick<Sums, 'record_mp' | 'question_mp' | 'review_mp' | 'audit_mp'>): Pick<Sums, 'review_counted_mp' | 'points_mp'> {
  const written = Math.max(0, own.record_mp + own.question_mp + own.audit_mp);
  const review_counted_mp = Math.min(own.review_mp, Math.floor((written * rules.review.share_max) / (1000 - rules.review.share_max)));
  return { review_counted_mp, points_mp: own.record_mp + own.question_mp + own.audit_mp + review_counted_mp };
}

/** A line of the reckoning that the owner of an entry sees. */
export type Explained =
  | { readonly line: 'base'; readonly mp: number; readonly category: string }
  | { readonly line: FactorName; readonly factor: number; readonly from: Readonly<Record<string, number>> }
  | { readonly line: 'asker_share'; readonly factor: number }
  | { readonly line: 'review'; readonly mp: number; readonly because: string; readonly dwell_ms: number; readonly least_ms: number }
  | { readonly line: 'reversal'; readonly mp: number; readonly reason: ReversalReason }
  | { readonly line: 'audit'; readonly failed: number; readonly sampled: number; readonly reversed_mp: number }
  | { readonly line: 'total'; readonly mp: number };

/** How an entry came to its points, line by line; the last line is the sum. */
export function explain(rules: PointsRules, factors: EntryFactors): Explained[] {
  const total: Explained = { line: 'total', mp: recompute(rules, factors) };
  switch (factors.kind) {
    case 'record':
    case 'question': {
      const { facts } = factors;
      const { base_mp, factors: value } = recordPoints(rules, facts);
      const from: Record<FactorName, Record<string, number>> = {
        size: { words: facts.words, full_words: rules.full_words[facts.category] },
        quality: { quality: facts.quality },
        novelty: { similarity: facts.similarity, ...(facts.own_similarity === undefined ? {} : { own_similarity: facts.own_similarity }) },
        need: { weight: facts.weight },
        day: { nth_of_day: facts.nth_of_day, full_a_day: rules.full_a_day },
      };
      return [
        { line: 'base', mp: base_mp, category: facts.category },
        ...FACTORS.map((name): Explained => ({ line: name, factor: value[name], from: from[name] })),
        ...(factors.kind === 'question' ? [{ line: 'asker_share', factor: rules.asker_share } as const] : []),
        total,
      ];
    }
    case 'review': {
      const pay = reviewPay(rules, factors.facts);
      return [{ line: 'review', mp: pay.delta_mp, because: pay.because, dwell_ms: factors.facts.dwell_ms, least_ms: leastDwell(rules, factors.facts.words) }, total];
    }
    case 'reversal':
      return [{ line: 'reversal', mp: total.mp, reason: factors.reason }, total];
    case 'audit':
      return [{ line: 'audit', failed: factors.failed, sampled: factors.sampled, reversed_mp: factors.reversed_mp }, total];
  }
}
