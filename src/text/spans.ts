/** Stretches of a text. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Of stretches that overlap the one that is earlier in the list; in the order of their places. */
export function withoutOverlaps<T extends Span>(ranked: readonly T[]): T[] {
  const kept: { item: T; rank: number }[] = [];
  for (const next of ranked.map((item, rank) => ({ item, rank })).sort((a, b) => a.item.from - b.item.from || a.rank - b.rank)) {
    let last = kept.at(-1);
    // What it overlaps and goes before gives way, however many.
    while (last && last.item.to > next.item.from && last.rank > next.rank) {
      kept.pop();
      last = kept.at(-1);
    }
    if (!last || last.item.to <= next.item.from) kept.push(next);
  }
  return kept.map(({ item }) => item);
}
