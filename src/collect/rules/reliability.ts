/**
 * How far a reviewer can be relied on: from hidden gold items, and from records that a moderator decided. Agreement with other reviewers
 * does not enter: that would reward following the crowd, and rings.
 */
import { CRITERIA, type Scores, type Verdict } from './review-outcome.ts';
import { oneOf } from './chance.ts';
import type { PointsRules } from './points-rules.ts';
import type { ReviewFacts } from './points.ts';

export type Answer = 'right' | 'near' | 'wrong';

/** `near`: changes instead of rejection or the other way round. It is nobody's mistake, and nobody's merit. */
export function answerTo(gold: Verdict, said: Verdict): Answer {
  if (gold === said) return 'right';
  return gold !== 'accept' && said !== 'accept' ? 'near' : 'wrong';
}

/** A reviewer's share of right answers as Beta(a, b): begun with what is expected of somebody unknown. */
export const PRIOR = { a: 3, b: 1 } as const;
/** Only the newest so many gold items count, so that who begins to click through is noticed. */
export const GOLD_WINDOW = 10;
/** With fewer gold items nothing is said for or against somebody. */
export const GOLD_PROVEN = 5;
/** Mean of Beta(a, b), in thousandths, below which a reviewer rests, and from which their reviews are paid. */
export const RESTING_BELOW = 600;
export const TRUSTED_FROM = 700;

export interface Reliability {
  readonly alpha: number;
  readonly beta: number;
  readonly gold_n: number;
  /** Mean of Beta(alpha, beta), in thousandths: the weight of this reviewer's scores. */
  readonly weight: number;
  /** `unproven`: reviews count, their pay waits. `resting`: gets no reviews any more, and the last ones do not count. */
  readonly standing: 'unproven' | 'trusted' | 'resting';
}

/** `gold` and `adjudicated` in the order in which they were answered, those of voided reviews too: nobody begins anew by falling. A moderator decides the hard cases, so those move the weight alone. */
export function reliability(gold: readonly Answer[], adjudicated: readonly Answer[] = []): Reliability {
  const recent = gold.slice(-GOLD_WINDOW);
  const count = (answers: readonly Answer[], answer: Answer) => answers.filter((one) => one === answer).length;
  const mean = (right: number, wrong: number) => Math.floor((1000 * (PRIOR.a + right)) / (PRIOR.a + PRIOR.b + right + wrong));
  const alpha = PRIOR.a + count(recent, 'right') + count(adjudicated, 'right');
  const beta = PRIOR.b + count(recent, 'wrong') + count(adjudicated, 'wrong');
  const onGold = mean(count(recent, 'right'), count(recent, 'wrong'));
  const standing = gold.length < GOLD_PROVEN ? 'unproven' : onGold < RESTING_BELOW ? 'resting' : onGold < TRUSTED_FROM ? 'unproven' : 'trusted';
  return { alpha, beta, gold_n: gold.length, weight: Math.floor((1000 * alpha) / (alpha + beta)), standing };
}

/** The chance that the next review is a gold item, in thousandths, by how many gold items (not reviews) somebody has answered: two to begin with, many until proven, then a tenth. */
export const goldShare = (goldAnswered: number): number => (goldAnswered < 2 ? 1000 : goldAnswered < GOLD_PROVEN ? 300 : 100);

export const nextIsGold = (goldAnswered: number, random: () => number): boolean => random() * 1000 < goldShare(goldAnswered);

export interface GoldItem {
  readonly submission_id: string;
  readonly author_id: string;
  readonly verdict: Verdict;
}

/** A gold item that this reviewer has not seen and did not write: of the verdict that they have seen least, so that one answer for all never fits. */
export function pickGold(golds: readonly GoldItem[], reviewer: string, seen: ReadonlyMap<string, Verdict>, random: () => number): GoldItem | undefined {
  const open = golds.filter((gold) => gold.author_id !== reviewer && !seen.has(gold.submission_id));
  const times = (gold: GoldItem) => [...seen.values()].filter((verdict) => (verdict === 'accept') === (gold.verdict === 'accept')).length;
  const least = Math.min(...open.map(times));
  return oneOf(open.filter((gold) => times(gold) === least), random);
}

/** A gold item that more than 30 % of the reviewers know is no secret any more. In a group under ten everybody sees it once. */
export const isWornOut = (seenBy: number, reviewers: number): boolean => reviewers >= 10 && seenBy * 10 > reviewers * 3;

/** What a review says at a glance: two with the same key are alike. */
export const reviewKey = (scores: Scores, verdict: Verdict): string => [...CRITERIA.map((criterion) => scores[criterion] ?? '-'), verdict].join(' ');

/** Too many of the newest reviews are alike. Gold items are among them, so an honest reader cannot do that for long. */
export function isConstant(rules: PointsRules, keys: readonly string[]): boolean {
  const recent = keys.slice(-rules.review.alike.of);
  if (recent.length < rules.review.alike.of) return false;
  const times = new Map<string, number>();
  for (const key of recent) times.set(key, (times.get(key) ?? 0) + 1);
  return Math.max(...times.values()) > rules.review.alike.most;
}

/** A review that was handed in, as the booking of its pay sees it. */
export interface PastReview {
  readonly id: string;
  readonly key: string;
  readonly words: number;
  readonly dwell_ms: number;
  readonly gold?: Answer;
  readonly state: 'held' | 'booked' | 'voided';
}

export interface ReviewBooking {
  readonly standing: Reliability['standing'];
  readonly constant: boolean;
  /** Reviews to book now, with the facts of their pay. */
  readonly book: readonly { readonly id: string; readonly facts: ReviewFacts }[];
  /** Reviews that do not count any more: void them, and take back what was booked for them. */
  readonly void: readonly string[];
}

/**
 * What is to be done after a reviewer handed in a review, given all of theirs in order. Pay is held until the reviewer is proven; at the
 * end of the campaign (`last`) also who saw few gold items is paid, if these were right more often than not, and who saw none, since nothing
 * speaks against them. Who falls below the line, or gives one answer to everything, loses the reviews since.
 */
export function bookReviews(rules: PointsRules, reviews: readonly PastReview[], last = false): ReviewBooking {
  const golds = reviews.filter((review) => review.gold !== undefined);
  const { standing } = reliability(golds.map((review) => review.gold!));
  const constant = isConstant(rules, reviews.map(({ key }) => key));
  const live = reviews.filter(({ state }) => state !== 'voided');
  if (standing === 'resting') {
    const since = golds.length > GOLD_WINDOW ? reviews.indexOf(golds.at(-GOLD_WINDOW - 1)!) + 1 : 0;
    return { standing, constant, book: [], void: reviews.slice(since).filter(({ state }) => state !== 'voided').map(({ id }) => id) };
  }
  if (constant) {
    const recent = new Set(reviews.slice(-rules.review.alike.of).map(({ id }) => id));
    return { standing, constant, book: [], void: live.filter(({ id }) => recent.has(id)).map(({ id }) => id) };
  }
  const right = golds.filter(({ gold }) => gold === 'right').length;
  const wrong = golds.filter(({ gold }) => gold === 'wrong').length;
  if (standing !== 'trusted' && !(last && (right > wrong || golds.length === 0))) return { standing, constant, book: [], void: [] };
  const held = live.filter(({ state }) => state === 'held');
  return {
    standing, constant, void: [],
    book: held.map(({ id, words, dwell_ms, gold }) => ({ id, facts: { words, dwell_ms, constant: false, ...(gold ? { gold } : {}) } })),
  };
}
