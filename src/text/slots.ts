/**
 * Whether two short texts of one frame ask for the same: "Who founded House Rowan?" and "Who founded House Tarly?" are alike by their letters and have
 * nothing to do with each other. Words that only one has are matched with those that only the other has, as misspellings; if on
 * both sides one is left, something was exchanged. In long texts one exchanged word means little, so they are not held to this.
 */

/** Up to here a text is short: words of both together, halved. */
export const FRAME_WORDS = 25;

const LETTERS = /^[\p{L}\p{M}'’-]+$/u;

/** Normalised texts. False only for short ones in which a word was exchanged for another. */
export function sameSlots(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => text.split(' ').map((word) => word.replace(/^[\p{P}]+|[.,;:!?'"’”»)\]}]+$/gu, '')).filter((word) => word !== '')) as [string[], string[]];
  if (x.length + y.length > 2 * FRAME_WORDS) return true;
  const [left, right] = [only(x, y), only(y, x)];
  const unmatched = left.filter((word) => {
    const match = right.findIndex((other) => isMisspelt(word, other));
    if (match >= 0) right.splice(match, 1);
    return match < 0;
  });
  // Words run together or apart: "note book" and "notebook".
  return unmatched.length === 0 || right.length === 0 || unmatched.join('') === right.join('');
}

/** Words of a list that another has not, each as often as it is there too much. */
function only(words: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return words.filter((word) => {
    const at = left.indexOf(word);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** One change for each three letters, in words of letters alone: a number with another digit is another number. */
function isMisspelt(a: string, b: string): boolean {
  if (!LETTERS.test(a) || !LETTERS.test(b) || Math.min(a.length, b.length) < 2) return false;
  const allowed = Math.max(1, Math.floor(Math.min(a.length, b.length) / 3));
  return Math.abs(a.length - b.length) <= allowed && a.length < 64 && b.length < 64 && distance(a, b) <= allowed;
}

/** Levenshtein's, neighbours exchanged counting as one (optimal string alignment). */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : Infinity;
      row.push(Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1), exchanged));
    }
    [before, above] = [above, row];
  }
  return above[b.length]!;
}
