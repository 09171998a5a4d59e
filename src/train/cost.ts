/**
 * Multiply-adds that the loss of rows needs (docs/numbers.md): products of weights and of attention, no recomputation, no
 * padding, logits only at labels, and in the last block only keys and values elsewhere. Backward costs two products for
 * each of forward's, or one where the weight is frozen.
 */
import type { Architecture } from '../models/architecture.ts';
import type { Example } from '../tokenizer/example.ts';

/** Weights of the linear layers of a block, split as the last block needs them. */
function blockWeights(a: Architecture): { all: number; keyValue: number } {
  const all = a.linears.reduce((n, m) => n + a.block[`${m}.weight`]!.shape.reduce((x, y) => x * y, 1), 0);
  return { all, keyValue: 2 * a.kvHeads * a.headDim * a.hidden };
}

/** Multiply-adds of the forward pass over rows: T inputs of each, M of them with a label. */
export function forwardWork(a: Architecture, rows: readonly Pick<Example, 'ids' | 'trained'>[]): { linear: number; attention: number; head: number } {
  const { all, keyValue } = blockWeights(a);
  const width = a.heads * a.headDim;
  let linear = 0;
  let attention = 0;
  let labels = 0;
  for (const { ids, trained } of rows) {
    const T = ids.length - 1;
    let M = 0;
    let pairs = 0;
    for (let t = 0; t < T; t++) {
      if (!trained[t + 1]) continue;
      M++;
      pairs += t + 1;
    }
    linear += (a.layers - 1) * T * all + T * keyValue + M * (all - keyValue);
    attention += 2 * width * (((a.layers - 1) * T * (T + 1)) / 2 + pairs);
    labels += M;
  }
  return { linear, attention, head: labels * a.vocabSize * a.hidden };
}

/** Multiply-adds of attention, and of the products with weights. */
export interface Work {
  readonly products: number;
  readonly attention: number;
}

/** Of an update over rows ('evaluate': of their forward pass). */
export function workOf(a: Architecture, kind: 'full' | 'lora' | 'evaluate', rows: readonly Pick<Example, 'ids' | 'trained'>[]): Work {
  const { linear, attention, head } = forwardWork(a, rows);
  if (kind === 'evaluate') return { products: linear + head, attention };
  // Frozen weights need no gradient of their own.
  return { products: (kind === 'full' ? 3 : 2) * (linear + head), attention: 3 * attention };
}

/** How often a run evaluates its held-out rows. */
export const evaluations = (steps: number): number => (steps < 20 ? 2 : 5);
