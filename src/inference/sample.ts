/** Choosing the next id from logits. Dolly samples with top_p 0.92, no top_k, temperature 1 (docs/numbers.md 1). */
import type { Random } from '../artefacts/random.ts';

export interface Sampling {
  /** 0: the most likely id, always. */
  readonly temperature: number;
  /** Smallest set of ids whose probabilities reach this sum; 1: all. */
  readonly topP: number;
  /** Most ids considered; 0: all. */
  readonly topK: number;
}

export const DOLLY_SAMPLING: Sampling = { temperature: 1, topP: 0.92, topK: 0 };
export const GREEDY: Sampling = { temperature: 0, topP: 1, topK: 0 };

export function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

/** Ties go to the lower id. */
export function sample(logits: Float32Array, { temperature, topP, topK }: Sampling, random: Random): number {
  if (temperature === 0) return argmax(logits);
  const top = logits[argmax(logits)]!;
  const weights = Float64Array.from(logits, (l) => Math.exp((l - top) / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  // Ids that could not be drawn in any case need not be sorted.
  const order = [...weights.keys()].filter((i) => weights[i]! > total * 1e-9).sort((a, b) => weights[b]! - weights[a]! || a - b);
  let kept = 0;
  let mass = 0;
  while (kept < order.length && (topK === 0 || kept < topK) && mass < topP * total) mass += weights[order[kept++]!]!;
  let draw = random.next() * mass;
  for (let i = 0; i < kept; i++) if ((draw -= weights[order[i]!]!) < 0) return order[i]!;
  return order[kept - 1]!;
}
