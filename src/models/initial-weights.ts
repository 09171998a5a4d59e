/** Weights to begin pre-training with, as GPT-2 and its descendants do: small normal values, smaller where a block adds to its input. */
import { Random } from '../artefacts/random.ts';
import { parametersOf, type Architecture } from './architecture.ts';
import type { Weights } from './weights.ts';

/** Standard deviation of every matrix. */
const DEVIATION = 0.02;

/** Layers whose output is added to the stream: two a block, so their sum over all blocks keeps its size (Radford et al. 2019, 2.3). */
const ADDS = /(attention\.dense|mlp\.dense_4h_to_h|attn\.out_proj|mlp\.fc_out|self_attn\.o_proj|mlp\.down_proj)\.weight$/;

export function initialWeights(a: Architecture, seed: number): Weights {
  const random = new Random(seed);
  const weights: Weights = new Map();
  for (const [name, { shape, decay }] of parametersOf(a)) {
    const data = new Float32Array(shape.reduce((x, y) => x * y, 1));
    // Vectors are biases, which begin at 0, and scales of a norm, which begin at 1.
    if (!decay) data.fill(name.endsWith('.weight') ? 1 : 0);
    else fillNormal(data, random, ADDS.test(name) ? DEVIATION / Math.sqrt(2 * a.layers) : DEVIATION);
    weights.set(name, { shape, data });
  }
  return weights;
}

/** Box and Muller's method: two values at a time. */
function fillNormal(data: Float32Array, random: Random, deviation: number): void {
  for (let i = 0; i < data.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - random.next()));
    const angle = 2 * Math.PI * random.next();
    data[i] = radius * Math.cos(angle);
    if (i + 1 < data.length) data[i + 1] = radius * Math.sin(angle);
  }
}
