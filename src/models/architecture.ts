/**
 * What a family of models is to the rest: sizes, published weight names, and the functions of a block. A block is read in
 * three parts, so that attention can be given its rows record by record:
 *   project: x -> q, k, v      attend (the engine's attention)      finish: x, context -> next x
 */
import type { Shape, Tensor } from '../engine/index.ts';

/** Weights of one block by their local names, LoRA included where a linear layer has it. */
export interface BlockWeights {
  tensor(local: string): Tensor;
  /** Linear layer `module`; `select` picks output rows from its weight, bias and LoRA's B alike. */
  linear(x: Tensor, module: string, select?: (weight: Tensor) => Tensor): Tensor;
}

export interface Projected {
  /** [.., heads, headDim] before rotation */
  readonly q?: Tensor;
  readonly k?: Tensor;
  readonly v?: Tensor;
}

export interface ParameterSpec {
  readonly shape: readonly number[];
  /** Weight decay applies to matrices, not to biases and norms (docs/numbers.md 3). */
  readonly decay: boolean;
}

export interface Architecture {
  readonly type: string;
  readonly vocabSize: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly contextLength: number;
  readonly rotary: { readonly dim: number; readonly theta: number; readonly interleaved: boolean };
  readonly tied: boolean;
  /** Published names. `head` equals `embedding` where the head is tied; `headBias` is among the parameters of `final`. */
  readonly names: { readonly embedding: string; readonly head: string; readonly headBias?: string; block(layer: number): string };
  /** Final norm and the head's bias by local name, and the prefix of their published names. */
  readonly final: { readonly prefix: string; readonly parameters: Readonly<Record<string, ParameterSpec>> };
  /** Parameters of a block by local name, e.g. `attention.dense.weight`. */
  readonly block: Readonly<Record<string, ParameterSpec>>;
  /** Linear layers of a block: where LoRA goes by default. */
  readonly linears: readonly string[];
  /** Tensors in a published file that are buffers, not weights. */
  isBuffer(name: string): boolean;
  normIn(w: BlockWeights, x: Tensor): Tensor;
  /** Which of q, k, v to compute from the normalised rows. */
  project(w: BlockWeights, h: Tensor, part: 'qkv' | 'q' | 'kv'): Projected;
  finish(w: BlockWeights, x: Tensor, context: Tensor): Tensor;
  finalNorm(w: BlockWeights, x: Tensor): Tensor;
}

export const matrix = (...shape: number[]): ParameterSpec => ({ shape, decay: true });
export const vector = (n: number): ParameterSpec => ({ shape: [n], decay: false });

/** Every parameter of the model by published name, in the order of the forward pass. A tied head appears once. */
export function parametersOf(a: Architecture): Map<string, ParameterSpec> {
  const all = new Map<string, ParameterSpec>([[a.names.embedding, matrix(a.vocabSize, a.hidden)]]);
  for (let layer = 0; layer < a.layers; layer++) {
    for (const [local, spec] of Object.entries(a.block)) all.set(a.names.block(layer) + local, spec);
  }
  for (const [local, spec] of Object.entries(a.final.parameters)) all.set(a.final.prefix + local, spec);
  if (!a.tied) all.set(a.names.head, matrix(a.vocabSize, a.hidden));
  return all;
}

export const parameterCount = (a: Architecture): number =>
  [...parametersOf(a).values()].reduce((n, { shape }) => n + shape.reduce((x, y) => x * y, 1), 0);

/** Whether a parameter has a row, or a number, for each id. */
export const isById = (a: Architecture, name: string): boolean => name === a.names.embedding || name === a.names.head || name === a.names.headBias;

/** Sizes that name a symbol for rows. */
export const rowsOf = (x: Tensor): Shape[number] => x.shape[0]!;
