/**
 * What reviews come to: scores of a rubric to one quality, verdicts to a decision. So many reviewers as the campaign says, one more where
 * they disagree, then a moderator. Quality is the median of the reviewers' overall scores, weighted by how reliable each has been.
 */
export const CRITERIA = ['follows_instruction', 'correct', 'clear', 'grounded', 'category_fit'] as const;
export type Criterion = (typeof CRITERIA)[number];

/** What a record cannot do without: it is never more than one point better than the worst of these. `grounded` only where there is a passage. */
const ESSENTIAL: readonly Criterion[] = ['follows_instruction', 'correct', 'grounded'];

/** 1 to 5 each; `grounded` is null where there is no passage. */
export type Scores = Readonly<Record<Criterion, number | null>>;

export const VERDICTS = ['accept', 'fix', 'reject'] as const;
export type Verdict = (typeof VERDICTS)[number];
export const FLAGS = ['personal_data', 'copied', 'unsafe', 'ai_phrases'] as const;
export type Flag = (typeof FLAGS)[number];

/** Flags that bring a record before a moderator at once. Stock phrases do not: they prove nothing. */
export const ALARMS: readonly Flag[] = ['personal_data', 'copied', 'unsafe'];

/** 1000 to 5000: below 3000 a record is not accepted. */
export const ACCEPTABLE = 3000;

/** One reviewer's scores as one number in thousandths: their mean, but at most a point above the worst essential one. */
export function overall(scores: Scores): number {
  const given = CRITERIA.map((criterion) => scores[criterion]).filter((score) => score !== null);
  const mean = Math.round((1000 * given.reduce((sum, score) => sum + score, 0)) / given.length);
  const worst = Math.min(...ESSENTIAL.map((criterion) => scores[criterion]).filter((score) => score !== null));
  return Math.min(mean, 1000 * worst + 1000);
}

export interface WrittenReview {
  readonly scores: Scores;
  readonly verdict: Verdict;
  readonly flags: readonly Flag[];
  readonly comment: string;
}

export const REVIEW_FAULTS = ['score_missing', 'score_out_of_range', 'score_unwanted', 'comment_missing', 'accept_below', 'accept_with_alarm', 'reject_above'] as const;
export type ReviewFault = (typeof REVIEW_FAULTS)[number];

/** Why a review cannot be handed in: verdict, scores and comment must fit together. Empty if they do. */
export function reviewFaults(review: WrittenReview, passage: boolean): ReviewFault[] {
  const found: ReviewFault[] = [];
  for (const criterion of CRITERIA) {
    const score = review.scores[criterion];
    if (score === null) {
      if (criterion !== 'grounded' || passage) found.push('score_missing');
    } else if (criterion === 'grounded' && !passage) found.push('score_unwanted');
    else if (!Number.isInteger(score) || score < 1 || score > 5) found.push('score_out_of_range');
  }
  const alarm = review.flags.some((flag) => ALARMS.includes(flag));
  if (review.verdict !== 'accept' && review.comment.trim().length < 10) found.push('comment_missing');
  if (review.verdict === 'accept' && alarm) found.push('accept_with_alarm');
  if (found.includes('score_missing') || found.includes('score_out_of_range')) return [...new Set(found)];
  const quality = overall(review.scores);
  if (review.verdict === 'accept' && quality < ACCEPTABLE) found.push('accept_below');
  if (review.verdict === 'reject' && quality >= 4000 && !alarm) found.push('reject_above');
  return [...new Set(found)];
}

export interface Weighted {
  readonly value: number;
  /** Positive. */
  readonly weight: number;
}

/** The value at which half of the weight is reached; the mean of two, if it is reached exactly between them. Rounded. */
export function weightedMedian(values: readonly Weighted[]): number {
  const sorted = [...values].sort((a, b) => a.value - b.value);
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  let reached = 0;
  for (const [i, { value, weight }] of sorted.entries()) {
    reached += weight;
    if (2 * reached === total) return Math.round((value + sorted[i + 1]!.value) / 2);
    if (2 * reached > total) return value;
  }
  throw new RangeError('a median needs at least one value');
}

export interface CountedReview {
  readonly verdict: Verdict;
  readonly scores: Scores;
  readonly flags: readonly Flag[];
  /** The reviewer's reliability, in thousandths: `reliability` in reliability.ts. */
  readonly weight: number;
}

export type Decision =
  | { readonly state: 'waiting'; readonly reviews_missing: number }
  | { readonly state: 'adjudicate'; readonly because: 'alarm' | 'split' | 'scores' }
  | { readonly state: 'decided'; readonly verdict: Verdict; readonly quality: number };

/** Reviewers whose overall scores are so far apart disagree, even with one verdict. */
const FAR_APART = 2000;

/** What valid reviews of one version in one round come to. `k` is how many the campaign wants. */
export function decide(reviews: readonly CountedReview[], k: number): Decision {
  if (reviews.some(({ flags }) => flags.some((flag) => ALARMS.includes(flag)))) return { state: 'adjudicate', because: 'alarm' };
  if (reviews.length < k) return { state: 'waiting', reviews_missing: k - reviews.length };
  const scores = reviews.map((review) => overall(review.scores));
  const agree = reviews.every(({ verdict }) => verdict === reviews[0]!.verdict) && Math.max(...scores) - Math.min(...scores) < FAR_APART;
  if (!agree && reviews.length <= k) return { state: 'waiting', reviews_missing: k + 1 - reviews.length };
  const verdict = VERDICTS.find((one) => 2 * reviews.filter((review) => review.verdict === one).length > reviews.length);
  if (!verdict) return { state: 'adjudicate', because: 'split' };
  const quality = weightedMedian(reviews.map((review, i) => ({ value: scores[i]!, weight: review.weight })));
  // More people said yes, but the more reliable ones scored it too low, or the other way round: a person looks.
  if (verdict === 'accept' && quality < ACCEPTABLE) return { state: 'adjudicate', because: 'scores' };
  return { state: 'decided', verdict, quality };
}
