/**
 * A version of the points formula, as data that is published and never changed: a new rule is a new version, and entries keep the one
 * they were booked under. Points are integers in thousandths (`_mp`, milli-points), factors are integers in thousandths of one.
 */
import type { CategoryKey } from './categories.ts';

export interface NoveltyLine {
  readonly free: number;
  readonly most: number;
  readonly least: number;
}

export interface PointsRules {
  readonly version: string;
  /** What an accepted record of full size is worth: about the minutes that it takes. */
  readonly base_mp: Readonly<Record<CategoryKey, number>>;
  /** Words of instruction and response of a record of full size; a shorter one is worth as much less. */
  readonly full_words: Readonly<Record<CategoryKey, number>>;
  /** Factor Q by quality (1000 to 5000): points of a line, rising; below the first there is nothing. */
  readonly quality: readonly (readonly [quality: number, factor: number])[];
  /**
   * Factor N: 1000 up to `free` (similarity 0 to 1000), then falling in a line to `least` at `most`; above that a record cannot be handed in.
   * `own` is for the author's own earlier records: to change what one wrote is quick, so it pays as much less.
   */
  readonly novelty: NoveltyLine & { readonly own: NoveltyLine };
  /** Factor W: the share of a category in what is missing over its share in the goal, within these. */
  readonly need: { readonly min: number; readonly max: number };
  /** Factor D: 1 for so many records accepted of one day's work, then so many divided by the record's number. */
  readonly full_a_day: number;
  /** What the asker of a question gets of its answer's points, in thousandths. */
  readonly asker_share: number;
  readonly review: {
    readonly pay_mp: number;
    /** A hidden gold item answered right. */
    readonly gold_mp: number;
    /** Nobody reads faster: a review that took less earns nothing. */
    readonly words_a_minute: number;
    /** The most that reviews may be of anyone's prize points, in thousandths. */
    readonly share_max: number;
    /** Of so many reviews in a row at most so many may be alike. */
    readonly alike: { readonly of: number; readonly most: number };
  };
  /** Records waiting for a decision that one person may have: from `newcomer` up to `trusted` as the lower Wilson bound of the accept rate rises to `trusted_at`; `distrusted` while the upper one is below `distrusted_at`. */
  readonly pending: { readonly newcomer: number; readonly trusted: number; readonly trusted_at: number; readonly distrusted: number; readonly distrusted_at: number };
}

/**
 * The rules that a new campaign begins with. Base: product design, to be measured in a pilot; general_qa is longer than open_qa. Full
 * size: about the median of databricks-dolly-15k, by category (11,624 records: 32 to 135 words).
 */
export const FIRST_RULES: PointsRules = {
  version: '2026-1',
  base_mp: { open_qa: 3000, general_qa: 4000, closed_qa: 5000, information_extraction: 5000, summarization: 5000, brainstorming: 2000, classification: 3000, creative_writing: 4000 },
  full_words: { open_qa: 35, general_qa: 80, closed_qa: 30, information_extraction: 30, summarization: 60, brainstorming: 45, classification: 30, creative_writing: 130 },
  quality: [[3000, 700], [4000, 1000], [5000, 1300]],
  novelty: { free: 500, most: 700, least: 400, own: { free: 150, most: 700, least: 250 } },
  need: { min: 700, max: 1500 },
  full_a_day: 15,
  asker_share: 100,
  review: { pay_mp: 500, gold_mp: 1000, words_a_minute: 600, share_max: 300, alike: { of: 20, most: 18 } },
  pending: { newcomer: 5, trusted: 25, trusted_at: 800, distrusted: 2, distrusted_at: 500 },
};

/** Every version that the program knows; a campaign may add its own. */
export const POINTS_RULES: readonly PointsRules[] = [FIRST_RULES];

/** What is wrong with a set of rules, as sentences: rules come from people too. Empty if they can be used. */
export function rulesFaults(rules: PointsRules): string[] {
  const found: string[] = [];
  const whole = (name: string, value: number, min: number, max: number) => {
    if (!Number.isSafeInteger(value) || value < min || value > max) found.push(`${name} is ${value}, expected a whole number from ${min} to ${max}`);
  };
  for (const [key, value] of Object.entries(rules.base_mp)) whole(`base_mp.${key}`, value, 0, 1_000_000);
  for (const [key, value] of Object.entries(rules.full_words)) whole(`full_words.${key}`, value, 1, 10_000);
  if (rules.quality.length === 0) found.push('quality has no points');
  rules.quality.forEach(([quality, factor], i) => {
    whole(`quality[${i}][0]`, quality, 1000, 5000);
    whole(`quality[${i}][1]`, factor, 0, 10_000);
    const before = rules.quality[i - 1];
    if (before && (before[0] >= quality || before[1] > factor)) found.push(`quality[${i}] does not rise`);
  });
  for (const [name, line] of [['novelty', rules.novelty], ['novelty.own', rules.novelty.own]] as const) {
    whole(`${name}.free`, line.free, 0, 1000);
    whole(`${name}.most`, line.most, line.free, 1000);
    whole(`${name}.least`, line.least, 0, 1000);
  }
  whole('need.min', rules.need.min, 0, 1000);
  whole('need.max', rules.need.max, 1000, 10_000);
  whole('full_a_day', rules.full_a_day, 1, 1000);
  whole('asker_share', rules.asker_share, 0, 1000);
  whole('review.pay_mp', rules.review.pay_mp, 0, 1_000_000);
  whole('review.gold_mp', rules.review.gold_mp, 0, 1_000_000);
  whole('review.words_a_minute', rules.review.words_a_minute, 1, 10_000);
  whole('review.share_max', rules.review.share_max, 0, 999);
  whole('review.alike.of', rules.review.alike.of, 2, 1000);
  whole('review.alike.most', rules.review.alike.most, 1, rules.review.alike.of);
  whole('pending.newcomer', rules.pending.newcomer, 1, 1000);
  whole('pending.trusted', rules.pending.trusted, rules.pending.newcomer, 1000);
  whole('pending.trusted_at', rules.pending.trusted_at, 1, 1000);
  whole('pending.distrusted', rules.pending.distrusted, 0, rules.pending.newcomer);
  whole('pending.distrusted_at', rules.pending.distrusted_at, 0, 1000);
  return found;
}
