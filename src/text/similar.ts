/**
 * Which of many texts are nearly the same. Texts of 60 characters and more: candidates by MinHash over runs of five characters, confirmed by their
 * true Jaccard similarity. Shorter ones have too few runs for that: runs of three, and a join that misses nothing (similar-short.ts). What
 * is found is a link between two texts; texts linked through others are one group. The texts must be normalised already.
 *
 * Time grows with the number of texts: a bucket of more than 64 is compared with 64 of its members that are not alike, so that a
 * million variants of one sentence still end up in one group, though not every pair is looked at. Memory: four bytes a character.
 */
import { InputError } from '../errors.ts';
import { DisjointSets } from './disjoint.ts';
import { bandHashes, bandsFor, MinHash, type Bands } from './minhash.ts';
import { jaccard, shingles } from './shingles.ts';
import { linkShort, SHORT_WIDTH, type Join } from './similar-short.ts';

export interface SimilarOptions {
  /** Least Jaccard similarity of two texts that are nearly the same. 0.7: three changed characters in a hundred leave about 0.75. */
  readonly threshold?: number;
  /** Chance with which two texts at the threshold are to become candidates. Default 0.999. */
  readonly recall?: number;
  /** Places of a signature. Default 128. */
  readonly permutations?: number;
  readonly seed?: number;
  /** Asked of each two texts that are alike; false keeps them apart. */
  readonly accept?: (a: string, b: string) => boolean;
}

/** Two texts that are nearly the same; `a` is the earlier one. */
export interface Link {
  readonly a: number;
  readonly b: number;
  readonly similarity: number;
}

export interface Similar {
  /** Enough of them to make the groups; not every pair of a group. */
  readonly links: readonly Link[];
  readonly groups: DisjointSets;
}

export const SIMILAR_DEFAULTS = { threshold: 0.7, recall: 0.999, permutations: 128, seed: 1 } as const;

/** Below this many characters MinHash over runs of five is noise. */
export const SHORT = 60;
const WIDTH = 5;
/** A bucket's key holds 32 bits of hash and 21 of the text's number, exact in a double. */
const MOST = 2 ** 21;
/** Members of a bucket that each further one is compared with. */
const LEADERS = 64;

/** Similarity of two normalised texts as this file means it. */
export function similarity(a: string, b: string): number {
  if (a === b) return 1;
  const width = Math.min(a.length, b.length) < SHORT ? SHORT_WIDTH : WIDTH;
  return jaccard(shingles(a, width), shingles(b, width));
}

/** Empty texts are like no other. Throws InputError for more texts than a key has room for. */
export function findSimilar(texts: readonly string[], options: SimilarOptions = {}): Similar {
  if (texts.length > MOST) throw new InputError({ expected: `at most ${MOST} texts to compare`, found: String(texts.length), remedy: 'Check the records in parts.' });
  const { threshold, recall, permutations, seed } = { ...SIMILAR_DEFAULTS, ...options };
  const groups = new DisjointSets(texts.length);
  const links: Link[] = [];
  const link = (a: number, b: number, by: number): boolean => {
    if (by < 1 && options.accept && !options.accept(texts[a]!, texts[b]!)) return false;
    if (groups.join(a, b)) links.push({ a: Math.min(a, b), b: Math.max(a, b), similarity: by });
    return true;
  };
  // Equal texts first: the rest is done once for each text that is different.
  const first = new Map<string, number>();
  const [long, short]: [number[], number[]] = [[], []];
  for (const [i, text] of texts.entries()) {
    if (text === '') continue;
    const same = first.get(text);
    if (same !== undefined) {
      link(same, i, 1);
      continue;
    }
    first.set(text, i);
    if (text.length >= SHORT) long.push(i);
    // The longest text that a short one can be like.
    if (text.length < SHORT / threshold) short.push(i);
  }
  linkShort(texts, short, threshold, groups, link);
  linkLong(texts, long, threshold, bandsFor(permutations, threshold, recall), new MinHash(permutations, seed), groups, link);
  return { links, groups };
}

function linkLong(texts: readonly string[], members: readonly number[], threshold: number, bands: Bands, minHash: MinHash, groups: DisjointSets, link: Join): void {
  const sets: Int32Array[] = [];
  const hashes = new Int32Array(members.length * bands.bands);
  const signature = new Int32Array(minHash.permutations);
  for (const [at, i] of members.entries()) {
    const set = shingles(texts[i]!, WIDTH);
    sets.push(set);
    bandHashes(minHash.signature(set, signature), bands, hashes, at * bands.bands);
  }
  const seen = new Set<number>();
  const compare = (x: number, y: number): boolean => {
    const [a, b] = [members[x]!, members[y]!];
    if (groups.find(a) === groups.find(b)) return true;
    const pair = Math.min(x, y) * members.length + Math.max(x, y);
    if (seen.has(pair)) return false;
    const [p, q] = [sets[x]!, sets[y]!];
    const by = Math.min(p.length, q.length) < threshold * Math.max(p.length, q.length) ? 0 : jaccard(p, q);
    if (by >= threshold && link(a, b, by)) return true;
    // A set of pairs can hold 2^24; more are compared again.
    if (seen.size < 1 << 23) seen.add(pair);
    return false;
  };
  const keys = new Float64Array(members.length);
  for (let band = 0; band < bands.bands; band++) {
    for (let x = 0; x < members.length; x++) keys[x] = (hashes[x * bands.bands + band]! >>> 0) * MOST + x;
    keys.sort();
    for (let from = 0; from < keys.length; ) {
      let to = from + 1;
      while (to < keys.length && Math.floor(keys[to]! / MOST) === Math.floor(keys[from]! / MOST)) to++;
      if (to - from > 1) compareBucket(Array.from(keys.subarray(from, to), (key) => key % MOST), compare);
      from = to;
    }
  }
}

/** All pairs of a small bucket; in a large one each member with some that are not alike. */
export function compareBucket(bucket: readonly number[], compare: (x: number, y: number) => boolean): void {
  const leaders: number[] = [];
  for (const member of bucket) {
    let alike = false;
    for (const leader of leaders) {
      if (!compare(leader, member)) continue;
      alike = true;
      if (bucket.length > LEADERS) break;
    }
    if (leaders.length < LEADERS && !(alike && bucket.length > LEADERS)) leaders.push(member);
  }
}
