/**
 * Texts of one collection inside of those of another: evaluation questions in training records. A text is known by its runs of eight
 * words; a run that many texts share is wording of the task and says nothing. Eight, where GPT-3's report took 13: questions are short.
 */
import { normalise } from './normalise.ts';
import { mix, wholeHash } from './shingles.ts';

const RUN_WORDS = 8;
/** Texts that may share a run before it counts as wording. */
const SHARED = 5;

export interface Hit {
  /** Number of the text that was added. */
  readonly text: number;
  /** Share of its runs, without those that are wording, that are there. */
  readonly share: number;
}

function runsOf(text: string): Set<number> {
  const words = (normalise(text).match(/[\p{L}\p{N}]+/gu) ?? []).map(wholeHash);
  const runs = new Set<number>();
  for (let i = 0; i + RUN_WORDS <= words.length; i++) {
    let hash = 0;
    for (let j = i; j < i + RUN_WORDS; j++) hash = mix((Math.imul(hash, 31) + words[j]!) | 0);
    runs.add(hash);
  }
  return runs;
}

export class ContainedTexts {
  readonly #owners = new Map<number, number[]>();
  #count = 0;
  /** Runs of each text that few others share; known when all are added. */
  #telling: Uint32Array | undefined;

  add(text: string): void {
    const number = this.#count++;
    this.#telling = undefined;
    for (const run of runsOf(text)) {
      const owners = this.#owners.get(run);
      if (!owners) this.#owners.set(run, [number]);
      else if (owners.length <= SHARED) owners.push(number);
    }
  }

  /** Texts of which at least `share` is in this one. */
  in(text: string, share: number): Hit[] {
    const telling = (this.#telling ??= this.#countTelling());
    const counts = new Map<number, number>();
    for (const run of runsOf(text)) {
      const owners = this.#owners.get(run);
      if (owners && owners.length <= SHARED) for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    return [...counts].map(([number, count]) => ({ text: number, share: count / telling[number]! })).filter((hit) => hit.share >= share);
  }

  #countTelling(): Uint32Array {
    const counts = new Uint32Array(this.#count);
    for (const owners of this.#owners.values()) if (owners.length <= SHARED) for (const owner of owners) counts[owner]!++;
    return counts;
  }
}
