/**
 * The tensor types of llama.cpp's ggml library: names, ids, sizes of a block. What is inside a block is in dequantise.ts
 * and quantise.ts. Sources: `ggml_type` in ggml/include/ggml.h and `block_*` in ggml/src/ggml-common.h. A row of a tensor
 * is a whole number of blocks.
 */
import { InputError } from '../errors.ts';
import type { TensorDType } from './tensors.ts';

export interface BlockLayout {
  /** What stands for the type in a file. */
  readonly id: number;
  /** Values in one block. */
  readonly values: number;
  /** Bytes of one block. */
  readonly bytes: number;
}

export const blockLayouts: Readonly<Record<TensorDType, BlockLayout>> = {
  F32: { id: 0, values: 1, bytes: 4 },
  F16: { id: 1, values: 1, bytes: 2 },
  BF16: { id: 30, values: 1, bytes: 2 },
  Q4_0: { id: 2, values: 32, bytes: 18 },
  Q4_1: { id: 3, values: 32, bytes: 20 },
  Q5_0: { id: 6, values: 32, bytes: 22 },
  Q5_1: { id: 7, values: 32, bytes: 24 },
  Q8_0: { id: 8, values: 32, bytes: 34 },
  Q2_K: { id: 10, values: 256, bytes: 84 },
  Q3_K: { id: 11, values: 256, bytes: 110 },
  Q4_K: { id: 12, values: 256, bytes: 144 },
  Q5_K: { id: 13, values: 256, bytes: 176 },
  Q6_K: { id: 14, values: 256, bytes: 210 },
  IQ4_NL: { id: 20, values: 32, bytes: 18 },
  IQ4_XS: { id: 23, values: 256, bytes: 136 },
};

const dtypeOfId: ReadonlyMap<number, TensorDType> = new Map(
  (Object.keys(blockLayouts) as TensorDType[]).map((dtype) => [blockLayouts[dtype].id, dtype]),
);

/** Types that llama.cpp knows and this reader does not, so that a refusal can name them. */
const otherNames: ReadonlyMap<number, string> = new Map([
  [4, 'Q4_2'],
  [5, 'Q4_3'],
  [9, 'Q8_1'],
  [15, 'Q8_K'],
  [16, 'IQ2_XXS'],
  [17, 'IQ2_XS'],
  [18, 'IQ3_XXS'],
  [19, 'IQ1_S'],
  [21, 'IQ3_S'],
  [22, 'IQ2_S'],
  [24, 'I8'],
  [25, 'I16'],
  [26, 'I32'],
  [27, 'I64'],
  [28, 'F64'],
  [29, 'IQ1_M'],
  [34, 'TQ1_0'],
  [35, 'TQ2_0'],
  [39, 'MXFP4'],
  [40, 'NVFP4'],
  [41, 'Q1_0'],
]);

/** The storage type of a ggml type id. Throws InputError, naming the type, where it is not implemented. */
export function dtypeOfGgmlId(id: number, where: string): TensorDType {
  const dtype = dtypeOfId.get(id);
  if (dtype) return dtype;
  const name = otherNames.get(id);
  throw new InputError({
    expected: `one of the tensor types ${[...dtypeOfId.values()].join(', ')}`,
    found: name ? `${name} (ggml type ${id})` : `the unknown ggml type ${id}`,
    where,
    remedy: 'Take a file of the same model in Q8_0 or F16, or quantise it again from the original weights.',
  });
}
