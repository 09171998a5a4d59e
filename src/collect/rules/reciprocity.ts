/**
 * Pairs who are kind to each other: both score the other's records higher than everybody else scores the same records. A hint for
 * moderators, never a verdict: friends may well write alike.
 */
export interface PairReview {
  readonly submission_id: string;
  readonly author_id: string;
  readonly reviewer_id: string;
  /** 1000 to 5000. */
  readonly quality: number;
}

export interface Reciprocal {
  readonly pair: readonly [string, string];
  /** Reviews in both directions that others reviewed as well. */
  readonly reviews: number;
  /** How much higher the two score each other than others do, in thousandths of a point: the lower of the two means. */
  readonly lean: number;
}

/** Pairs with at least so many reviews of each other, and at least so much kinder both ways. */
export function reciprocalPairs(reviews: readonly PairReview[], leastReviews = 4, leastLean = 1000): Reciprocal[] {
  const byRecord = Map.groupBy(reviews, ({ submission_id }) => submission_id);
  const leans = new Map<string, { n: number; sum: number }>();
  for (const group of byRecord.values()) {
    for (const review of group) {
      const others = group.filter(({ reviewer_id }) => reviewer_id !== review.reviewer_id);
      if (others.length === 0) continue;
      const key = `${review.reviewer_id} ${review.author_id}`;
      const own = leans.get(key) ?? { n: 0, sum: 0 };
      const mean = others.reduce((sum, { quality }) => sum + quality, 0) / others.length;
      leans.set(key, { n: own.n + 1, sum: own.sum + review.quality - mean });
    }
  }
  const found: Reciprocal[] = [];
  for (const [key, there] of leans) {
    const [a, b] = key.split(' ') as [string, string];
    const back = leans.get(`${b} ${a}`);
    if (a >= b || !back) continue;
    const lean = Math.round(Math.min(there.sum / there.n, back.sum / back.n));
    if (there.n + back.n >= leastReviews && lean >= leastLean) found.push({ pair: [a, b], reviews: there.n + back.n, lean });
  }
  return found.sort((x, y) => y.lean - x.lean);
}
