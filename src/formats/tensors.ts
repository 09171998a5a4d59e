/**
 * What every file of weights looks like from above: named tensors with a storage type and a row-major shape,
 * read as float32. Not a tensor library: nothing here computes.
 */

/** How the values are stored. The quantised names are llama.cpp's block types (ggml.ts). */
export type TensorDType =
  | 'F32' | 'F16' | 'BF16'
  | 'Q8_0' | 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1'
  | 'Q2_K' | 'Q3_K' | 'Q4_K' | 'Q5_K' | 'Q6_K'
  | 'IQ4_NL' | 'IQ4_XS';

export interface TensorInfo {
  readonly name: string;
  readonly dtype: TensorDType;
  /** Row-major, outermost dimension first (a GGUF file writes them innermost first). */
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/** A tensor as its file lists it. */
export interface StoredTensor {
  readonly name: string;
  /** Any type of the format, also those that are not read as float32. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Byte of the file where the data starts. */
  readonly offset: number;
  readonly byteLength: number;
  /** Given where the values do not lie row-major one after the other: such a tensor is listed and not read. */
  readonly strides?: readonly number[];
}

/** All that one file of weights says of itself. */
export interface Contents {
  readonly metadata: Record<string, string>;
  readonly entries: readonly StoredTensor[];
}

/** Tensors of one file, or of the shards of one model. Reads are synchronous and in bounded pieces. */
export interface TensorReader {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Fills `out` (length = product of the shape) with the values. Throws InputError for an unknown name. */
  readFloat32(name: string, out: Float32Array): void;
  close(): void;
}

/** Product of the dimensions (1 for a scalar), or undefined where it is no exact non-negative integer in a double. */
export function elementCount(shape: readonly number[]): number | undefined {
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) return undefined;
  if (shape.includes(0)) return 0;
  let count = 1;
  for (const size of shape) {
    count *= size;
    if (count > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return count;
}
