/** Stretches of a text. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Of stretches that overlap the one that is earlier in the list; in the order of their places. */
export function withoutOverlaps<T extends Span>(ranked: readonly T[]): T[] {
  const kept: T[] = [];
  for (const span of ranked) {
    // Those kept are in order and apart: the first that does not end before is the only one that it may overlap first.
    let [low, high] = [0, kept.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (kept[middle]!.to <= span.from) low = middle + 1;
      else high = middle;
    }
    const next = kept[low];
    if (!next) kept.push(span);
    else if (next.from >= span.to) kept.splice(low, 0, span);
  }
  return kept;
}
