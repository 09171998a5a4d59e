/**
 * Runs that one text has copied from another, by winnowing (Schleimer, Wilkerson and Aiken 2003): of each window of `window` runs of `run`
 * characters the least hash is a fingerprint of the source. Any copy of at least run + window − 1 characters holds one; here 20 and 21, so
 * that 40 characters are found for sure, and below 20 nothing is. A hash that is found is compared letter by letter and the copy
 * followed to both its ends. Case, spacing, citation marks and look-alike letters do not hide a copy; changed words do.
 */
import { fold, type Folded } from './folded.ts';
import { runHashes } from './shingles.ts';

export interface WinnowOptions {
  /** Characters of a run. */
  readonly run?: number;
  /** Runs of a window. */
  readonly window?: number;
}

const WINNOW_DEFAULTS = { run: 20, window: 21 } as const;

/** Places in the original texts, in UTF-16 units. */
export interface Copy {
  readonly from: number;
  readonly to: number;
  readonly sourceFrom: number;
  readonly sourceTo: number;
  /** As it is compared. */
  readonly text: string;
}

/** Fingerprints: hash → its places. Of equal hashes in a window the last is taken. */
function fingerprints(hashes: Int32Array, window: number): Map<number, number[]> {
  const chosen = new Map<number, number[]>();
  // Indexes whose hashes grow: the first is the least of the window.
  const queue = new Int32Array(hashes.length);
  let [head, tail, last] = [0, 0, -1];
  for (let i = 0; i < hashes.length; i++) {
    while (tail > head && hashes[queue[tail - 1]!]! >= hashes[i]!) tail--;
    queue[tail++] = i;
    if (queue[head]! <= i - window) head++;
    const least = queue[head]!;
    if (least === last || i < Math.min(window, hashes.length) - 1) continue;
    last = least;
    const places = chosen.get(hashes[least]!);
    if (!places) chosen.set(hashes[least]!, [least]);
    else if (places.length < PLACES) places.push(least);
  }
  return chosen;
}

/** Places of one hash that are tried: a source that repeats itself has many, and they are all alike. */
const PLACES = 8;

/** A text that others are held against. */
export class Source {
  readonly #folded: Folded;
  readonly #run: number;
  readonly #window: number;
  readonly #prints: Map<number, number[]>;

  constructor(text: string, options: WinnowOptions = {}) {
    ({ run: this.#run, window: this.#window } = { ...WINNOW_DEFAULTS, ...options });
    this.#folded = fold(text);
    const { text: folded } = this.#folded;
    this.#prints = folded.length < this.#run ? new Map() : fingerprints(runHashes(folded, this.#run), this.#window);
  }

  /** Copies of at least run + window − 1 characters, in order, none inside another. */
  copiesIn(text: string): Copy[] {
    const run = this.#run;
    const { text: source, places: sourcePlaces } = this.#folded;
    const { text: copy, places } = fold(text);
    const copies: Copy[] = [];
    if (copy.length < run || source.length < run) return copies;
    const hashes = runHashes(copy, run);
    let done = 0;
    for (let at = 0; at < hashes.length; ) {
      let best = { from: 0, to: 0, at: 0 };
      // The first fingerprint of a copy is in its first window.
      const floor = Math.max(done, at - this.#window);
      for (const place of this.#prints.get(hashes[at]!) ?? []) {
        let [i, j] = [at, place];
        while (i > floor && j > 0 && copy[i - 1] === source[j - 1]) {
          i--;
          j--;
        }
        let [k, l] = [at, place];
        while (k < copy.length && l < source.length && copy[k] === source[l]) {
          k++;
          l++;
        }
        if (k >= at + run && k - i > best.to - best.from) best = { from: i, to: k, at: j };
      }
      const length = best.to - best.from;
      if (length >= run + this.#window - 1) {
        copies.push({ from: places[best.from]!, to: places[best.to]!, sourceFrom: sourcePlaces[best.at]!, sourceTo: sourcePlaces[best.at + length]!, text: copy.slice(best.from, best.to) });
        done = best.to;
      }
      at = Math.max(at + 1, best.to - run + 1);
    }
    return copies;
  }
}
