/** Chance that can be made again: a lot drawn from a seed that anyone can look up afterwards, such as the hash of the ledger's head. */
import { Random } from '../../artefacts/random.ts';

/** 32 bits of a text (FNV-1a, Fowler, Noll & Vo). To seed a draw, not to hide anything. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

/** These ids in an order drawn by lot; the same for the same seed, in whatever order they come. */
export function drawn(ids: readonly string[], seed: string): string[] {
  const sorted = [...ids].sort();
  return [...new Random(seedOf(seed)).permutation(sorted.length)].map((i) => sorted[i]!);
}

/** One of a list. `random` gives numbers in [0, 1): chance comes in as an argument like everything else. */
export const oneOf = <T>(list: readonly T[], random: () => number): T | undefined => list[Math.floor(random() * list.length)];
