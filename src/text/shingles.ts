/**
 * Shingles: all runs of a few characters of a text, as a set of 32-bit hashes. How much two sets have in common says how much of
 * two texts is the same, wherever it stands (Broder 1997). The hash is a rolling polynomial modulo 2^32, then mixed (MurmurHash3's
 * finaliser), so that the hashes of similar runs have nothing in common. Works on UTF-16 units of normalised text.
 */

const BASE = 0x01000193;

/** Spreads a hash over all 32 bits: a bijection. */
export function mix(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Hashes of the runs of `width` units, one for each place; a shorter text is one run of its own. */
export function runHashes(text: string, width: number): Int32Array<ArrayBuffer> {
  const places = text.length - width + 1;
  if (places <= 0) return text === '' ? new Int32Array(0) : Int32Array.of(wholeHash(text));
  let leaving = 1;
  for (let i = 1; i < width; i++) leaving = Math.imul(leaving, BASE);
  const hashes = new Int32Array(places);
  let hash = 0;
  for (let i = 0; i < text.length; i++) {
    if (i >= width) hash = (hash - Math.imul(text.charCodeAt(i - width), leaving)) | 0;
    hash = (Math.imul(hash, BASE) + text.charCodeAt(i)) | 0;
    if (i >= width - 1) hashes[i - width + 1] = mix(hash);
  }
  return hashes;
}

/** Of a whole text. */
export function wholeHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, BASE) + text.charCodeAt(i)) | 0;
  return mix(hash ^ text.length);
}

/** The set of a text's shingles: sorted, each once. */
export function shingles(text: string, width: number): Int32Array<ArrayBuffer> {
  const hashes = runHashes(text, width).sort();
  let kept = 0;
  for (let i = 0; i < hashes.length; i++) if (i === 0 || hashes[i] !== hashes[i - 1]) hashes[kept++] = hashes[i]!;
  return hashes.slice(0, kept);
}

/** Jaccard similarity of two sets, each sorted: what both have over what either has; of two empty sets 1. */
export function jaccard(a: Int32Array, b: Int32Array): number {
  let both = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [x, y] = [a[i]!, b[j]!];
    if (x === y) both++;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  const either = a.length + b.length - both;
  return either === 0 ? 1 : both / either;
}
