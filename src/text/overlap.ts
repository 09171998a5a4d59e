/** How much two short texts say the same, by their words: F1 as SQuAD's evaluation defines it (Rajpurkar et al. 2016). */

/** Lower case, without articles and punctuation. */
const words = (text: string): string[] => (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !['a', 'an', 'the'].includes(word));

/** Harmonic mean of the share of `found`'s words that are in `expected` and the share of `expected`'s that are in `found`; 0 to 1. */
export function wordF1(found: string, expected: string): number {
  const [a, b] = [words(found), words(expected)];
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 1 : 0;
  const left = new Map<string, number>();
  for (const word of b) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of a) {
    const n = left.get(word) ?? 0;
    if (n > 0) common++;
    left.set(word, n - 1);
  }
  return (2 * common) / (a.length + b.length);
}
