/**
 * Blocks of every ggml type back to float32; here those of 32 values and the unquantised, dequantise-k.ts has the rest.
 * Not a reader of files. Source of the layouts: `dequantize_row_*` in ggml/src/ggml-quants.c. Scales are little-endian
 * float16. A value is computed in double precision, where it is exact, and rounded once, as C rounds it in float32.
 */
import { dequantiseIQ4NL, dequantiseIQ4XS, dequantiseQ2K, dequantiseQ3K, dequantiseQ45K, dequantiseQ6K } from './dequantise-k.ts';
import { blockLayouts } from './ggml.ts';
import { bfloat16ToFloat32, float16ToFloat32, float16Values } from './half-precision.ts';
import type { TensorDType } from './tensors.ts';

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
    case 'Q2_K':
      return dequantiseQ2K(bytes, out);
    case 'Q3_K':
      return dequantiseQ3K(bytes, out);
    case 'Q4_K':
      return dequantiseQ45K(bytes, out, false);
    case 'Q5_K':
      return dequantiseQ45K(bytes, out, true);
    case 'Q6_K':
      return dequantiseQ6K(bytes, out);
    case 'IQ4_NL':
      return dequantiseIQ4NL(bytes, out);
    case 'IQ4_XS':
      return dequantiseIQ4XS(bytes, out);
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
