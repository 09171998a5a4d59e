/**
 * What a record, a question and a review are worth under given rules: `base x size x Q x N x W x D`, in whole milli-points, rounded
 * down once at the end. A pure function of facts that the ledger keeps beside the points, so that anyone can work them out again.
 */
import type { CategoryKey } from './categories.ts';
import type { NoveltyLine, PointsRules } from './points-rules.ts';

/** What the points of an accepted record follow from. */
export interface RecordFacts {
  readonly category: CategoryKey;
  /** Words of instruction and response. */
  readonly words: number;
  /** 1000 to 5000: `decide` in review-outcome.ts. */
  readonly quality: number;
  /** To the most similar record that was there before, 0 to 1000. */
  readonly similarity: number;
  /** To the most similar earlier one by the same author, 0 to 1000; absent: not measured apart. */
  readonly own_similarity?: number;
  /** Factor W, fixed when the task was claimed. */
  readonly weight: number;
  /** Its number among the accepted records of that day's work, from 1. */
  readonly nth_of_day: number;
}

export const FACTORS = ['size', 'quality', 'novelty', 'need', 'day'] as const;
export type FactorName = (typeof FACTORS)[number];

export interface RecordPoints {
  readonly delta_mp: number;
  readonly base_mp: number;
  /** In thousandths of one. */
  readonly factors: Readonly<Record<FactorName, number>>;
}

export function recordPoints(rules: PointsRules, facts: RecordFacts): RecordPoints {
  const base_mp = rules.base_mp[facts.category];
  const factors: Record<FactorName, number> = {
    size: sizeFactor(rules, facts.category, facts.words),
    quality: qualityFactor(rules, facts.quality),
    novelty: noveltyFactor(rules, facts.similarity, facts.own_similarity) ?? 0,
    need: clamp(facts.weight, rules.need.min, rules.need.max),
    day: dayFactor(rules, facts.nth_of_day),
  };
  // The product of six such numbers does not fit into a double.
  const product = FACTORS.reduce((sum, name) => sum * BigInt(factors[name]), BigInt(base_mp));
  return { delta_mp: Number(product / 1000n ** BigInt(FACTORS.length)), base_mp, factors };
}

const clamp = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));

/** A record of fewer words than a full one is worth as much less, so that no text pays more in pieces than as full records. */
export const sizeFactor = (rules: PointsRules, category: CategoryKey, words: number): number => Math.min(1000, Math.floor((1000 * words) / rules.full_words[category]));

/** Q: 0 below the first point of the line, flat after the last. */
export function qualityFactor(rules: PointsRules, quality: number): number {
  const line = rules.quality;
  if (quality < line[0]![0]) return 0;
  for (let i = 1; i < line.length; i++) {
    const [[x0, y0], [x1, y1]] = [line[i - 1]!, line[i]!];
    if (quality < x1) return y0 + Math.floor(((y1 - y0) * (quality - x0)) / (x1 - x0));
  }
  return line.at(-1)![1];
}

/** N; undefined if the record is too similar to be handed in at all. */
export function noveltyFactor(rules: PointsRules, similarity: number, ownSimilarity = 0): number | undefined {
  const [all, own] = [onLine(rules.novelty, similarity), onLine(rules.novelty.own, ownSimilarity)];
  return all === undefined || own === undefined ? undefined : Math.min(all, own);
}

function onLine({ free, most, least }: NoveltyLine, similarity: number): number | undefined {
  if (similarity > most) return undefined;
  if (similarity <= free) return 1000;
  return 1000 - Math.ceil(((1000 - least) * (similarity - free)) / (most - free));
}

/** D. */
export const dayFactor = (rules: PointsRules, nth: number): number => (nth <= rules.full_a_day ? 1000 : Math.floor((1000 * rules.full_a_day) / nth));

export interface CategoryNeed {
  readonly category: CategoryKey;
  readonly goal: number;
  /** Accepted records, and those that are on their way there: in review, or claimed. */
  readonly done: number;
}

/** W of every category: its share in what is missing over its share in the goal. 1000 for all once nothing is missing. */
export function needWeights(rules: PointsRules, categories: readonly CategoryNeed[]): Partial<Record<CategoryKey, number>> {
  const missing = (c: CategoryNeed) => Math.max(0, c.goal - c.done);
  const goal = categories.reduce((sum, c) => sum + c.goal, 0);
  const left = categories.reduce((sum, c) => sum + missing(c), 0);
  return Object.fromEntries(
    categories.map((c) => [c.category, left === 0 ? 1000 : c.goal === 0 ? rules.need.min : clamp(Math.floor((1000 * missing(c) * goal) / (left * c.goal)), rules.need.min, rules.need.max)]),
  );
}

/** What the person who asked a question gets once its answer is accepted. */
export const askerPoints = (rules: PointsRules, answer_mp: number): number => Math.floor((answer_mp * rules.asker_share) / 1000);

/** What the pay of a review follows from. */
export interface ReviewFacts {
  /** Words of everything that had to be read. */
  readonly words: number;
  readonly dwell_ms: number;
  /** Undefined: no gold item. */
  readonly gold?: 'right' | 'near' | 'wrong';
  /** The reviewer's last reviews are too much alike, this one among them. */
  readonly constant: boolean;
}

export type ReviewPay = { readonly delta_mp: number; readonly valid: boolean; readonly because: 'valid' | 'gold_right' | 'gold_wrong' | 'too_fast' | 'constant' };

/** Milliseconds below which nobody has read so many words. */
export const leastDwell = (rules: PointsRules, words: number): number => Math.ceil((words * 60_000) / rules.review.words_a_minute);

export function reviewPay(rules: PointsRules, facts: ReviewFacts): ReviewPay {
  if (facts.dwell_ms < leastDwell(rules, facts.words)) return { delta_mp: 0, valid: false, because: 'too_fast' };
  if (facts.constant) return { delta_mp: 0, valid: false, because: 'constant' };
  if (facts.gold === 'right') return { delta_mp: rules.review.gold_mp, valid: true, because: 'gold_right' };
  if (facts.gold === 'wrong') return { delta_mp: 0, valid: true, because: 'gold_wrong' };
  return { delta_mp: rules.review.pay_mp, valid: true, because: 'valid' };
}
