/**
 * Short texts that are nearly the same: a join by prefixes (Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007). With shingles in one
 * order, rare ones first, two sets of Jaccard similarity t share one of their first n − ⌈t·n⌉ + 1: candidates need no luck. Only where a
 * shingle is the rare one of more than 256 texts, older ones of those are no longer looked at.
 */
import type { DisjointSets } from './disjoint.ts';
import { jaccard, shingles } from './shingles.ts';

export const SHORT_WIDTH = 3;
const POSTINGS = 256;

/** Puts two texts of such a similarity into one group, if nothing speaks against it. */
export type Join = (a: number, b: number, by: number) => boolean;

/** Calls `link` for texts among `members` (indexes of `texts`) that are alike and not in one group yet. */
export function linkShort(texts: readonly string[], members: readonly number[], threshold: number, groups: DisjointSets, link: Join): void {
  const sets = members.map((i) => shingles(texts[i]!, SHORT_WIDTH));
  const uses = new Map<number, number>();
  for (const set of sets) for (const shingle of set) uses.set(shingle, (uses.get(shingle) ?? 0) + 1);
  // Short before long, so that a size that is too small is known at once.
  const order = [...members.keys()].sort((x, y) => sets[x]!.length - sets[y]!.length || x - y);
  const postings = new Map<number, number[]>();
  const looked = new Int32Array(members.length).fill(-1);
  for (const x of order) {
    const set = sets[x]!;
    const prefix = [...set].sort((a, b) => uses.get(a)! - uses.get(b)! || a - b).slice(0, set.length - Math.ceil(threshold * set.length - 1e-9) + 1);
    for (const shingle of prefix) {
      const others = postings.get(shingle);
      if (!others) {
        postings.set(shingle, [x]);
        continue;
      }
      for (const y of others) {
        if (looked[y] === x) continue;
        looked[y] = x;
        const other = sets[y]!;
        if (other.length < threshold * set.length || groups.find(members[x]!) === groups.find(members[y]!)) continue;
        const by = jaccard(set, other);
        if (by >= threshold) link(members[x]!, members[y]!, by);
      }
      others.push(x);
      if (others.length > POSTINGS) others.shift();
    }
  }
}
