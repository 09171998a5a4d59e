/**
 * Which record a reviewer gets: never one of their choice, never their own, never twice. Blind and by lot, so that friends cannot find
 * each other's records; the chance is an argument.
 */
import { oneOf } from './chance.ts';

export interface WaitingRecord {
  readonly submission_id: string;
  readonly author_id: string;
  /** Who had asked the question, if it answers one: knows the record as well. */
  readonly asker_id: string | null;
  readonly team_id: string | null;
  readonly language: string;
  /** Who has it under review, or reviewed any version of it, in any round. */
  readonly reviewers: readonly string[];
  /** Milliseconds since 1970. */
  readonly waiting_since: number;
}

export interface ReviewerFacts {
  readonly user_id: string;
  readonly team_id: string | null;
  readonly languages: readonly string[];
  /** How many records of an author they have reviewed in this campaign. */
  readonly reviewed: ReadonlyMap<string, number>;
  /** Reviews skipped today. */
  readonly skipped_today: number;
  readonly standing: 'unproven' | 'trusted' | 'resting';
}

export interface AssignmentPolicy {
  /** Teams in the campaign: with three or more, nobody reviews a colleague of the own team. */
  readonly teams: number;
  /** See `pairCap`. */
  readonly pair_cap: number;
}

/** A reviewer who passes on more than this in a day gets no more: skipping must not be a way to choose. */
export const SKIPS_A_DAY = 5;
/** A record that waited so long comes before all others. */
export const OVERDUE_MS = 24 * 3_600_000;

/** Reviews of one author by one reviewer in a campaign: three, or twice an even share where the group is so small that three would stop it. */
export function pairCap(reviewsWanted: number, authors: number, reviewers: number): number {
  const even = authors === 0 || reviewers <= 1 ? 0 : reviewsWanted / authors / (reviewers - 1);
  return Math.max(3, Math.ceil(2 * even));
}

export type Ineligible = 'own' | 'asker' | 'team' | 'seen' | 'pair' | 'language';

/** Why this reviewer cannot have this record; undefined if they can. */
export function ineligible(record: WaitingRecord, reviewer: ReviewerFacts, policy: AssignmentPolicy): Ineligible | undefined {
  if (record.author_id === reviewer.user_id) return 'own';
  if (record.asker_id === reviewer.user_id) return 'asker';
  if (record.reviewers.includes(reviewer.user_id)) return 'seen';
  if (policy.teams >= 3 && record.team_id !== null && record.team_id === reviewer.team_id) return 'team';
  if ((reviewer.reviewed.get(record.author_id) ?? 0) >= policy.pair_cap) return 'pair';
  return reviewer.languages.includes(record.language) ? undefined : 'language';
}

/** Why somebody gets no reviews at all now. */
export function mayReview(reviewer: Pick<ReviewerFacts, 'skipped_today' | 'standing'>): 'resting' | 'skipped' | undefined {
  if (reviewer.standing === 'resting') return 'resting';
  return reviewer.skipped_today >= SKIPS_A_DAY ? 'skipped' : undefined;
}

/** A record by lot among those this reviewer can have, the overdue ones first; undefined if there is none. */
export function assign(waiting: readonly WaitingRecord[], reviewer: ReviewerFacts, policy: AssignmentPolicy, now: number, random: () => number): WaitingRecord | undefined {
  if (mayReview(reviewer)) return undefined;
  const possible = waiting.filter((record) => ineligible(record, reviewer, policy) === undefined);
  const overdue = possible.filter(({ waiting_since }) => now - waiting_since >= OVERDUE_MS);
  return oneOf(overdue.length > 0 ? overdue : possible, random);
}
