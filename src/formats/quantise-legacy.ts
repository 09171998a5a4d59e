/**
 * float32 to ggml blocks of 32 values: Q8_0, Q4_0, Q4_1, Q5_0, Q5_1. What is checked of values and lengths is checked in
 * quantise.ts. Source of the arithmetic: `quantize_row_*_ref` in ggml/src/ggml-quants.c, which computes in float32 and
 * rounds after every operation: hence each Math.fround, which gives the same bytes.
 */
import { toFloat16 } from './half-precision.ts';

const { fround } = Math;

/** Scale, then 32 signed bytes: value / scale, halves away from zero. */
export function quantiseQ8(source: Float32Array, out: Uint8Array): void {
  const bits = new Int32Array(source.buffer, source.byteOffset, source.length);
  for (let from = 0, at = 0; from < source.length; from += 32, at += 34) {
    let largest = 0;
    for (let i = from; i < from + 32; i++) {
      const size = Math.abs(source[i]!);
      if (size > largest) largest = size;
    }
    const scale = fround(largest / 127);
    const inverse = scale === 0 ? 0 : fround(1 / scale);
    writeFloat16(scale, out, at);
    for (let j = 0; j < 32; j++) {
      // The sign by its bit: a branch on it would be guessed wrong half of the time.
      const sign = bits[from + j]! >> 31;
      out[at + 2 + j] = ((fround(Math.abs(source[from + j]!) * inverse) + 0.5) ^ sign) - sign;
    }
  }
}

/** Q4_0, and with `five` Q5_0: the value of largest magnitude, whatever its sign, gets code 0. */
export function quantiseCentred(source: Float32Array, out: Uint8Array, five: boolean): void {
  const centre = five ? 16 : 8;
  for (let from = 0, at = 0; from < source.length; from += 32) {
    let largest = 0;
    let extreme = 0;
    for (let i = from; i < from + 32; i++) {
      const size = Math.abs(source[i]!);
      if (size > largest) {
        largest = size;
        extreme = source[i]!;
      }
    }
    const scale = fround(extreme / -centre);
    writeFloat16(scale, out, at);
    at = writeCodes(source, from, 0, scale, centre + 0.5, five, out, at + 2);
  }
}

/** Q4_1, and with `five` Q5_1: the codes span the block's range, from its least value. */
export function quantiseWithMinimum(source: Float32Array, out: Uint8Array, five: boolean): void {
  const highest = five ? 31 : 15;
  for (let from = 0, at = 0; from < source.length; from += 32) {
    let least = source[from]!;
    let most = least;
    for (let i = from + 1; i < from + 32; i++) {
      const value = source[i]!;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    const scale = fround(fround(most - least) / highest);
    writeFloat16(scale, out, at);
    writeFloat16(least, out, at + 2);
    at = writeCodes(source, from, least, scale, 0.5, five, out, at + 4);
  }
}

/** Codes of a block, their fifth bits first where they have them; returns the end of what was written. */
function writeCodes(
  source: Float32Array,
  from: number,
  base: number,
  scale: number,
  offset: number,
  five: boolean,
  out: Uint8Array,
  at: number,
): number {
  const inverse = scale === 0 ? 0 : fround(1 / scale);
  const highest = five ? 31 : 15;
  const halves = five ? at + 4 : at;
  let fifths = 0;
  for (let j = 0; j < 16; j++) {
    let low = fround(fround(fround(source[from + j]! - base) * inverse) + offset) | 0;
    let high = fround(fround(fround(source[from + 16 + j]! - base) * inverse) + offset) | 0;
    if (low > highest) low = highest;
    if (high > highest) high = highest;
    out[halves + j] = (low & 15) | (high << 4);
    fifths |= ((low >>> 4) << j) | ((high >>> 4) << (16 + j));
  }
  if (five) {
    out[at] = fifths;
    out[at + 1] = fifths >>> 8;
    out[at + 2] = fifths >>> 16;
    out[at + 3] = fifths >>> 24;
  }
  return halves + 16;
}

function writeFloat16(value: number, out: Uint8Array, at: number): void {
  const bits = toFloat16(value);
  out[at] = bits;
  out[at + 1] = bits >>> 8;
}
