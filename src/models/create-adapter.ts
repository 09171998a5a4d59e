/** A fresh LoRA beside given weights: A uniform in +-1/sqrt(in), which is PEFT's Kaiming with a = sqrt(5); B zero (docs/numbers.md 4). */
import { Random } from '../artefacts/random.ts';
import { InputError } from '../errors.ts';
import { loraBlock, type LoraSpec } from './adapter.ts';
import type { Architecture } from './architecture.ts';
import type { Weights } from './weights.ts';

export interface AdapterOptions {
  readonly rank: number;
  readonly alpha: number;
  readonly seed: number;
  /** Ids of tokens that the template added: their rows are trained in full. */
  readonly addedTokens: readonly number[];
}

/** Adds LoRA's matrices to `weights`. */
export function createAdapter(a: Architecture, weights: Weights, { rank, alpha, seed, addedTokens }: AdapterOptions): LoraSpec {
  const ids = [...addedTokens].sort((x, y) => x - y);
  if (ids.some((id, i) => id !== ids[0]! + i)) {
    throw new InputError({ expected: 'added tokens with consecutive ids', found: ids.join(', '), where: 'tokenizer', remedy: 'Use --method full.' });
  }
  const tokens: Partial<LoraSpec> = ids.length > 0 ? { tokenRows: [ids[0]!, ids.at(-1)! + 1] } : {};
  const lora: LoraSpec = { rank, alpha, modules: a.linears, ...tokens };
  const random = new Random(seed);
  for (let layer = 0; layer < a.layers; layer++) {
    for (const [local, { shape }] of Object.entries(loraBlock(a, lora))) {
      const data = new Float32Array(shape[0]! * shape[1]!);
      const bound = 1 / Math.sqrt(shape[1]!);
      if (local.endsWith('lora_A.weight')) for (let i = 0; i < data.length; i++) data[i] = (2 * random.next() - 1) * bound;
      weights.set(a.names.block(layer) + local, { shape, data });
    }
  }
  return lora;
}
