/**
 * ggml blocks of 256 values in groups that have small scales of their own (the K types), and the two types whose four
 * bits pick from a table (IQ4), back to float32. Lengths are checked in dequantise.ts, which also says how it is rounded.
 * Source of the layouts: `dequantize_row_*` in ggml/src/ggml-quants.c and `kvalues_iq4nl` in ggml/src/ggml-common.h.
 */
import { float16Values } from './half-precision.ts';

/** 16 bytes (low half scale, high half minimum of 16 values), 64 bytes of bit pairs, the block's scale and minimum scale. */
export function dequantiseQ2K(bytes: Uint8Array, out: Float32Array): void {
  const half = float16Values();
  for (let block = 0, to = 0; to < out.length; block += 84) {
    const scale = half[bytes[block + 80]! | (bytes[block + 81]! << 8)]!;
    const minimum = half[bytes[block + 82]! | (bytes[block + 83]! << 8)]!;
    for (let group = 0; group < 16; group++, to += 16) {
      const packed = bytes[block + group]!;
      const groupScale = scale * (packed & 15);
      const groupMinimum = minimum * (packed >>> 4);
      const pairs = block + 16 + (group >>> 3) * 32 + (group & 1) * 16;
      const shift = group & 6;
      for (let j = 0; j < 16; j++) out[to + j] = groupScale * ((bytes[pairs + j]! >>> shift) & 3) - groupMinimum;
    }
  }
}

/**
 * 32 bytes with the inverted third bits (bit g of byte j: value 32 g + j), 64 bytes of bit pairs, 16 scales of six bits in
 * 12 bytes (low halves in the first 8, upper pairs in the last 4), the block's scale.
 */
export function dequantiseQ3K(bytes: Uint8Array, out: Float32Array): void {
  const half = float16Values();
  for (let block = 0, to = 0; to < out.length; block += 110) {
    const scale = half[bytes[block + 108]! | (bytes[block + 109]! << 8)]!;
    for (let group = 0; group < 16; group++, to += 16) {
      const low = (bytes[block + 96 + (group & 7)]! >>> (group & 8 ? 4 : 0)) & 15;
      const high = (bytes[block + 104 + (group & 3)]! >>> ((group >>> 2) * 2)) & 3;
      const groupScale = scale * ((low | (high << 4)) - 32);
      const thirds = block + (group & 1) * 16;
      const pairs = block + 32 + (group >>> 3) * 32 + (group & 1) * 16;
      const shift = group & 6;
      for (let j = 0; j < 16; j++) {
        const third = ((bytes[thirds + j]! >>> (group >>> 1)) & 1) ^ 1;
        out[to + j] = groupScale * (((bytes[pairs + j]! >>> shift) & 3) - 4 * third);
      }
    }
  }
}

/** The six-bit scale of group `j` of 8 out of the 12 bytes at `at`. */
export function groupScaleK4(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + j]! & 63 : (bytes[at + j + 4]! & 15) | ((bytes[at + j - 4]! >>> 6) << 4);
}

/** The six-bit minimum of group `j` of 8 out of the 12 bytes at `at`. */
export function groupMinimumK4(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + j + 4]! & 63 : (bytes[at + j + 4]! >>> 4) | ((bytes[at + j]! >>> 6) << 4);
}

/**
 * The block's scale and minimum scale, 8 scales and 8 minima of six bits in 12 bytes, for Q5_K 32 bytes of fifth bits
 * (bit g of byte j: value 32 g + j), 128 bytes of halves: of each 32, the low ones are one group and the high ones the next.
 */
export function dequantiseQ45K(bytes: Uint8Array, out: Float32Array, hasFifthBits: boolean): void {
  const half = float16Values();
  const blockBytes = hasFifthBits ? 176 : 144;
  const halvesAt = hasFifthBits ? 48 : 16;
  for (let block = 0, to = 0; to < out.length; block += blockBytes) {
    const scale = half[bytes[block]! | (bytes[block + 1]! << 8)]!;
    const minimum = half[bytes[block + 2]! | (bytes[block + 3]! << 8)]!;
    for (let group = 0; group < 8; group++, to += 32) {
      const groupScale = scale * groupScaleK4(bytes, block + 4, group);
      const groupMinimum = minimum * groupMinimumK4(bytes, block + 4, group);
      const halves = block + halvesAt + (group >>> 1) * 32;
      const shift = (group & 1) * 4;
      if (hasFifthBits) {
        for (let j = 0; j < 32; j++) {
          const code = ((bytes[halves + j]! >>> shift) & 15) | (((bytes[block + 16 + j]! >>> group) & 1) << 4);
          out[to + j] = groupScale * code - groupMinimum;
        }
      } else {
        for (let j = 0; j < 32; j++) out[to + j] = groupScale * ((bytes[halves + j]! >>> shift) & 15) - groupMinimum;
      }
    }
  }
}

/** 128 bytes of low halves, 64 bytes of upper bit pairs, 16 signed scales (one for 16 values), then the block's scale. */
export function dequantiseQ6K(bytes: Uint8Array, out: Float32Array): void {
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

const iq4Values = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

/** As Q4_0: a scale, then 16 bytes of halves that pick from the table. */
export function dequantiseIQ4NL(bytes: Uint8Array, out: Float32Array): void {
  const half = float16Values();
  for (let block = 0, to = 0; to < out.length; block += 18, to += 32) {
    dequantiseIQ4Group(bytes, block + 2, half[bytes[block]! | (bytes[block + 1]! << 8)]!, out, to);
  }
}

/** The block's scale, 16 bits with the upper pairs of 8 group scales, 4 bytes with their low halves, 8 groups of 16 bytes. */
export function dequantiseIQ4XS(bytes: Uint8Array, out: Float32Array): void {
  const half = float16Values();
  for (let block = 0, to = 0; to < out.length; block += 136) {
    const scale = half[bytes[block]! | (bytes[block + 1]! << 8)]!;
    const pairs = bytes[block + 2]! | (bytes[block + 3]! << 8);
    for (let group = 0; group < 8; group++, to += 32) {
      const low = (bytes[block + 4 + (group >>> 1)]! >>> ((group & 1) * 4)) & 15;
      const groupScale = scale * ((low | (((pairs >>> (2 * group)) & 3) << 4)) - 32);
      dequantiseIQ4Group(bytes, block + 8 + group * 16, groupScale, out, to);
    }
  }
}

function dequantiseIQ4Group(bytes: Uint8Array, at: number, scale: number, out: Float32Array, to: number): void {
  for (let j = 0; j < 16; j++) {
    const packed = bytes[at + j]!;
    out[to + j] = scale * iq4Values[packed & 15]!;
    out[to + 16 + j] = scale * iq4Values[packed >>> 4]!;
  }
}
