/**
 * The tensor types of llama.cpp's ggml library, and blocks of them back to float32. Not a quantiser.
 * Ids and block layouts: `ggml_type` in ggml/include/ggml.h, `block_*` in ggml/src/ggml-common.h and
 * `dequantize_row_*` in ggml/src/ggml-quants.c. A row is a whole number of blocks; float16 scales are little-endian.
 */
import { InputError } from '../errors.ts';
import { bfloat16ToFloat32, float16ToFloat32, float16Values } from './half-precision.ts';
import type { TensorDType } from './tensors.ts';

export interface BlockLayout {
  /** Values in one block. */
  readonly values: number;
  /** Bytes of one block. */
  readonly bytes: number;
}

export const blockLayouts: Readonly<Record<TensorDType, BlockLayout>> = {
  F32: { values: 1, bytes: 4 },
  F16: { values: 1, bytes: 2 },
  BF16: { values: 1, bytes: 2 },
  Q4_0: { values: 32, bytes: 18 },
  Q4_1: { values: 32, bytes: 20 },
  Q5_0: { values: 32, bytes: 22 },
  Q5_1: { values: 32, bytes: 24 },
  Q8_0: { values: 32, bytes: 34 },
  Q6_K: { values: 256, bytes: 210 },
};

const dtypeOfId: ReadonlyMap<number, TensorDType> = new Map([
  [0, 'F32'],
  [1, 'F16'],
  [2, 'Q4_0'],
  [3, 'Q4_1'],
  [6, 'Q5_0'],
  [7, 'Q5_1'],
  [8, 'Q8_0'],
  [14, 'Q6_K'],
  [30, 'BF16'],
]);

/** Types that llama.cpp knows and this reader does not, so that a refusal can name them. */
const otherNames: ReadonlyMap<number, string> = new Map([
  [4, 'Q4_2'],
  [5, 'Q4_3'],
  [9, 'Q8_1'],
  [10, 'Q2_K'],
  [11, 'Q3_K'],
  [12, 'Q4_K'],
  [13, 'Q5_K'],
  [15, 'Q8_K'],
  [16, 'IQ2_XXS'],
  [17, 'IQ2_XS'],
  [18, 'IQ3_XXS'],
  [19, 'IQ1_S'],
  [20, 'IQ4_NL'],
  [21, 'IQ3_S'],
  [22, 'IQ2_S'],
  [23, 'IQ4_XS'],
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

/**
 * Values of whole blocks of `dtype`.
 * @param bytes blocks, one after the other; for F32, F16 and BF16 it must start at a multiple of the value's size
 * @param out as many values as the blocks hold
 */
export function dequantise(dtype: TensorDType, bytes: Uint8Array, out: Float32Array): void {
  const { values, bytes: blockBytes } = blockLayouts[dtype];
  if (bytes.length * values !== out.length * blockBytes || bytes.length % blockBytes !== 0) {
    throw new RangeError(`${bytes.length} bytes of ${dtype} do not hold ${out.length} values`);
  }
  switch (dtype) {
    case 'F32':
      return out.set(new Float32Array(bytes.buffer, bytes.byteOffset, out.length));
    case 'F16':
      return float16ToFloat32(new Uint16Array(bytes.buffer, bytes.byteOffset, out.length), out);
    case 'BF16':
      return bfloat16ToFloat32(new Uint16Array(bytes.buffer, bytes.byteOffset, out.length), out);
    case 'Q4_0':
      return dequantiseQ4(bytes, out, false);
    case 'Q4_1':
      return dequantiseQ4(bytes, out, true);
    case 'Q5_0':
      return dequantiseQ5(bytes, out, false);
    case 'Q5_1':
      return dequantiseQ5(bytes, out, true);
    case 'Q8_0':
      return dequantiseQ8(bytes, out);
    case 'Q6_K':
      return dequantiseQ6K(bytes, out);
    default:
      dtype satisfies never;
  }
}

/** Scale, with `hasMinimum` also the least value; then 16 bytes: value j in the low half of byte j, j + 16 in the high. */
function dequantiseQ4(bytes: Uint8Array, out: Float32Array, hasMinimum: boolean): void {
  const half = float16Values();
  const centre = hasMinimum ? 0 : 8;
  let at = 0;
  for (let to = 0; to < out.length; to += 32) {
    const scale = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
    at += 2;
    let minimum = -0; // adding it changes nothing, not even the sign of a zero
    if (hasMinimum) {
      minimum = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
      at += 2;
    }
    for (let j = 0; j < 16; j++) {
      const packed = bytes[at + j]!;
      out[to + j] = ((packed & 15) - centre) * scale + minimum;
      out[to + 16 + j] = ((packed >>> 4) - centre) * scale + minimum;
    }
    at += 16;
  }
}

/** As Q4, with the fifth bits of the 32 values in four bytes before the halves. */
function dequantiseQ5(bytes: Uint8Array, out: Float32Array, hasMinimum: boolean): void {
  const half = float16Values();
  const centre = hasMinimum ? 0 : 16;
  let at = 0;
  for (let to = 0; to < out.length; to += 32) {
    const scale = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
    at += 2;
    let minimum = -0;
    if (hasMinimum) {
      minimum = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
      at += 2;
    }
    const high = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    at += 4;
    for (let j = 0; j < 16; j++) {
      const packed = bytes[at + j]!;
      out[to + j] = (((packed & 15) | (((high >>> j) & 1) << 4)) - centre) * scale + minimum;
      out[to + 16 + j] = (((packed >>> 4) | (((high >>> (j + 16)) & 1) << 4)) - centre) * scale + minimum;
    }
    at += 16;
  }
}

function dequantiseQ8(bytes: Uint8Array, out: Float32Array): void {
  const half = float16Values();
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  for (let to = 0; to < out.length; to += 32) {
    const scale = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
    at += 2;
    for (let j = 0; j < 32; j++) out[to + j] = signed[at + j]! * scale;
    at += 32;
  }
}

/** 128 bytes of low halves, 64 bytes of upper bit pairs, 16 signed scales (one for 16 values), then the block's scale. */
function dequantiseQ6K(bytes: Uint8Array, out: Float32Array): void {
  const half = float16Values();
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let block = 0, to = 0; to < out.length; block += 210) {
    const scale = half[bytes[block + 208]! | (bytes[block + 209]! << 8)]!;
    for (let part = 0; part < 2; part++, to += 128) {
      const low = block + part * 64;
      const high = block + 128 + part * 32;
      const scales = block + 192 + part * 8;
      for (let j = 0; j < 32; j++) {
        const a = bytes[low + j]!;
        const b = bytes[low + 32 + j]!;
        const pairs = bytes[high + j]!;
        const s = scales + (j >>> 4);
        out[to + j] = scale * signed[s]! * (((a & 15) | ((pairs & 3) << 4)) - 32);
        out[to + 32 + j] = scale * signed[s + 2]! * (((b & 15) | (((pairs >>> 2) & 3) << 4)) - 32);
        out[to + 64 + j] = scale * signed[s + 4]! * (((a >>> 4) | (((pairs >>> 4) & 3) << 4)) - 32);
        out[to + 96 + j] = scale * signed[s + 6]! * (((b >>> 4) | ((pairs >>> 6) << 4)) - 32);
      }
    }
  }
}
