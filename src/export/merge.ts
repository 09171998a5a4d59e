/** The weights that a model computes with, one at a time: LoRA's product is added to the weight it lies beside, in single precision. */
import type { OpenedModel } from '../inference/open-model.ts';

export interface MergedWeights {
  /** A parameter of the model by published name, LoRA's not among them; in `room`, where it is given. */
  read(name: string, room?: Float32Array): Float32Array;
  close(): void;
}

/** @throws InputError where the weights do not belong to the model */
export function mergedWeights(model: OpenedModel): MergedWeights {
  const reader = model.openWeights();
  const { lora, architecture: a } = model;
  const beside = new Set(lora ? Array.from({ length: a.layers }, (_, layer) => lora.modules.map((module) => `${a.names.block(layer)}${module}.weight`)).flat() : []);
  return {
    read: (name, room) => {
      const weight = reader.read(name, room);
      if (!beside.has(name)) return weight;
      const matrix = (part: string) => reader.read(name.replace(/\.weight$/, `.${part}.weight`));
      addProduct(weight, matrix('lora_B'), matrix('lora_A'), lora!.rank, lora!.alpha / lora!.rank);
      return weight;
    },
    close: () => reader.close(),
  };
}

/** weight [out, in] += scale x b [out, rank] x a [rank, in]; the sum of a row is rounded once. */
export function addProduct(weight: Float32Array, b: Float32Array, a: Float32Array, rank: number, scale: number): void {
  const inner = a.length / rank;
  const sums = new Float64Array(inner);
  for (let row = 0; row < b.length / rank; row++) {
    sums.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[row * rank + r]!;
      const from = r * inner;
      for (let i = 0; i < inner; i++) sums[i]! += factor * a[from + i]!;
    }
    const at = row * inner;
    for (let i = 0; i < inner; i++) weight[at + i] = weight[at + i]! + sums[i]!;
  }
}
