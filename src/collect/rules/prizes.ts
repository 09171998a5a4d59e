/**
 * Prizes: who may win, the blind audit of what they wrote, and who gets which place in the end. Each step is a function of what is
 * known, so that leaving somebody out later moves the others up by itself.
 */
import { drawn } from './chance.ts';
import type { BoardRow } from './boards.ts';
import { wilson } from './wilson.ts';

/** Conditions for a prize, published with the campaign. Shares in thousandths. */
export interface PrizeGate {
  readonly accepted: number;
  readonly categories: number;
  /** Lower Wilson bound of the accept rate. */
  readonly accept_rate: number;
  /** For those who review: hidden gold items answered right. */
  readonly gold_right: number;
}

export const PRIZE_GATE: PrizeGate = { accepted: 30, categories: 4, accept_rate: 600, gold_right: 700 };

export interface CandidateFacts {
  readonly accepted: number;
  readonly rejected: number;
  /** Categories with an accepted record. */
  readonly categories: number;
  readonly gold_right: number;
  readonly gold_seen: number;
  readonly open_flags: number;
  readonly consent_current: boolean;
}

export interface Unmet {
  readonly condition: keyof PrizeGate | 'open_flags' | 'consent_current';
  readonly found: number;
  readonly needed: number;
}

/** What is missing for a prize: empty if nothing is. */
export function prizeGate(facts: CandidateFacts, gate: PrizeGate = PRIZE_GATE): Unmet[] {
  const found: Unmet[] = [];
  const atLeast = (condition: keyof PrizeGate, value: number) => {
    if (value < gate[condition]) found.push({ condition, found: value, needed: gate[condition] });
  };
  atLeast('accepted', facts.accepted);
  atLeast('categories', facts.categories);
  atLeast('accept_rate', wilson(facts.accepted, facts.accepted + facts.rejected).lower);
  if (facts.gold_seen > 0) atLeast('gold_right', Math.floor((1000 * facts.gold_right) / facts.gold_seen));
  if (facts.open_flags > 0) found.push({ condition: 'open_flags', found: facts.open_flags, needed: 0 });
  if (!facts.consent_current) found.push({ condition: 'consent_current', found: 0, needed: 1 });
  return found;
}

/** Records that two moderators look at, who do not know whose they are. */
export const AUDIT_SAMPLE = 10;
/** With so many of the sample failed the place is forfeited and every record of the candidate taken back. */
export const AUDIT_FORFEIT = 5;

/** The sample of one candidate. `seed` is fixed after the last record was accepted (the hash of the ledger's head), so nobody can write for it. */
export const auditSample = (accepted: readonly string[], user_id: string, seed: string, n: number = AUDIT_SAMPLE): string[] => drawn(accepted, `${seed}:${user_id}`).slice(0, n);

export type AuditVote = 'pass' | 'fail';

export type AuditOutcome =
  /** Records that need a vote more: two that agree decide, a third moderator where they do not. */
  | { readonly done: false; readonly open: readonly string[] }
  | { readonly done: true; readonly sampled: number; readonly failed: readonly string[]; readonly forfeit: boolean };

export function auditOutcome(votes: ReadonlyMap<string, readonly AuditVote[]>): AuditOutcome {
  const count = (record: string, vote: AuditVote) => votes.get(record)!.filter((v) => v === vote).length;
  const open = [...votes.keys()].filter((record) => count(record, 'pass') < 2 && count(record, 'fail') < 2);
  if (open.length > 0) return { done: false, open };
  const failed = [...votes.keys()].filter((record) => count(record, 'fail') >= 2);
  // A candidate with few records is measured by the same share.
  return { done: true, sampled: votes.size, failed, forfeit: failed.length > 0 && failed.length * AUDIT_SAMPLE >= AUDIT_FORFEIT * votes.size };
}

export interface Prize {
  readonly id: string;
  readonly rank_from: number;
  readonly rank_to: number;
}

export interface Placement {
  readonly user_id: string;
  /** From 1, among those who can win. */
  readonly place: number;
  readonly prize_id: string;
}

/**
 * Who gets what: those who can win, in the order of the board after audits; equal points by mean quality, equal in both by lot.
 * Whoever is not in `eligible` (gate not met, forfeited) is passed over, and everybody below moves up.
 */
export function placements(rows: readonly BoardRow[], eligible: ReadonlySet<string>, prizes: readonly Prize[], seed: string): Placement[] {
  const lot = new Map(drawn(rows.map(({ user_id }) => user_id), seed).map((user_id, i) => [user_id, i]));
  const order = rows
    .filter(({ user_id }) => eligible.has(user_id))
    .sort((a, b) => b.points_mp - a.points_mp || b.quality - a.quality || lot.get(a.user_id)! - lot.get(b.user_id)!);
  return order.flatMap(({ user_id }, i) => {
    const prize = prizes.find(({ rank_from, rank_to }) => rank_from <= i + 1 && i + 1 <= rank_to);
    return prize ? [{ user_id, place: i + 1, prize_id: prize.id }] : [];
  });
}
