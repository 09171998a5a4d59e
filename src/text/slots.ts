/**
 * Whether two short texts of one frame ask for the same: "Who founded House Rowan?" and "Who founded House Tarly?" are alike by their letters and have
 * nothing to do with each other. What only one has is held against what only the other has: a misspelling leaves most of its letters, an
 * exchanged word does not. In long texts one exchanged word means little, so they are not held to this.
 */

/** Up to here a text is short: words of both together, halved. */
const FRAME_WORDS = 25;

/** Letters and digits, inner marks of a word (don't, 3.5, C#, C++) among them: what separates words may be misspelt too. */
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’.,-][\p{L}\p{M}\p{N}]+)*[#+]*/gu;
const LETTERS = /^[\p{L}\p{M}'’-]+$/u;
const NUMBER = /^[\d.,]+$/;
/** Longer rests are no misspellings; also a bound of the time that comparing them takes. */
const LONGEST_REST = 120;

/** Normalised texts. False only for short ones in which a word was exchanged for another. */
export function sameSlots(a: string, b: string): boolean {
  const [x, y] = [a.match(WORD) ?? [], b.match(WORD) ?? []];
  if (x.length + y.length > 2 * FRAME_WORDS) return true;
  return sameRests(only(x, y), only(y, x)) || sameRests(...outOfOrder(x, y));
}

/** Whether what only one text has is what only the other has, misspelt. */
function sameRests(left: readonly string[], right: readonly string[]): boolean {
  if (left.length === 0 || right.length === 0) return true;
  // A number with another digit is another number.
  if (left.some((word) => NUMBER.test(word)) && right.some((word) => NUMBER.test(word))) return false;
  // Without spaces, so that words run together or apart are the same.
  const [p, q] = [left.join(''), right.join('')];
  const length = Math.max(p.length, q.length);
  if (length > LONGEST_REST) return false;
  return distance(p, q) <= allowed(left, right, length);
}

/** In a single word one change, two from twelve letters on (eastern is not western misspelt), none in signs such as C#; in several one each, or one for four letters. */
function allowed(left: readonly string[], right: readonly string[], length: number): number {
  if (left.length > 1 || right.length > 1) return Math.max(left.length, right.length, Math.floor(length / 4));
  if (length < (LETTERS.test(left[0]! + right[0]!) ? 2 : 4)) return 0;
  return length < 12 ? 1 : 2;
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

/** What is left of two lists without their longest common subsequence: of a word that is there twice, the one in its place. */
function outOfOrder(x: readonly string[], y: readonly string[]): [string[], string[]] {
  const common = Array.from({ length: x.length + 1 }, () => new Int32Array(y.length + 1));
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = y.length - 1; j >= 0; j--) common[i]![j] = x[i] === y[j] ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
  }
  const [left, right]: [string[], string[]] = [[], []];
  let [i, j] = [0, 0];
  while (i < x.length && j < y.length) {
    if (x[i] === y[j]) {
      i++;
      j++;
    } else if (common[i + 1]![j]! >= common[i]![j + 1]!) left.push(x[i++]!);
    else right.push(y[j++]!);
  }
  return [[...left, ...x.slice(i)], [...right, ...y.slice(j)]];
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
