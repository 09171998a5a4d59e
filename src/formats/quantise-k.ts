/**
 * float32 to ggml blocks of 256 values in groups with small scales of their own: Q4_K, Q5_K, Q6_K. What is checked of
 * values and lengths is checked in quantise.ts, scales and codes are fitted in quantise-fit.ts; there is no importance matrix. Source of the arithmetic:
 * `quantize_row_q*_K_ref` in ggml/src/ggml-quants.c, which computes in float32 and rounds after every operation: hence each Math.fround, which gives the same bytes.
 */
import { groupMinimumK4, groupScaleK4 } from './dequantise-k.ts';
import { float16Values, toFloat16 } from './half-precision.ts';
import { FIT_VALUES, fitGroupsCentred, fitGroupsWithMinimum, NEGLIGIBLE, type Fit } from './quantise-fit.ts';

const { fround } = Math;

// Scratch for one block. Nothing here waits, so a thread needs only one.
const codes = new Uint8Array(256);
const sum = new Float32Array(1);
const sumBits = new Int32Array(sum.buffer);

/**
 * The nearest integer of a float32, halves to even: from the mantissa of its sum with 1.5 x 2^23. Beyond 2^22, and for
 * infinities, it is what those bits say, as in C; callers clamp it.
 */
function nearest(value: number): number {
  sum[0] = value + 12582912;
  return (sumBits[0]! & 0x7fffff) - 0x400000;
}

/** Q4_K, and with `five` Q5_K (their layout: dequantise-k.ts). */
export function quantiseQ45K(source: Float32Array, out: Uint8Array, five: boolean): void {
  const blockBytes = five ? 176 : 144;
  for (let from = 0; from < source.length; from += FIT_VALUES) {
    const part = source.subarray(from, from + FIT_VALUES);
    const fit = fitGroupsWithMinimum(part, five);
    for (let block = 0; block < part.length / 256; block++) writeBlock45(part, block, fit, five, out, (from / 256 + block) * blockBytes);
  }
}

function writeBlock45(source: Float32Array, block: number, fit: Fit, five: boolean, out: Uint8Array, at: number): void {
  const half = float16Values();
  const highest = five ? 31 : 15;
  let mostScale = 0;
  let mostMinimum = 0;
  for (let group = 8 * block; group < 8 * block + 8; group++) {
    if (fit.scales[group]! > mostScale) mostScale = fit.scales[group]!;
    if (fit.minima[group]! > mostMinimum) mostMinimum = fit.minima[group]!;
  }
  const scaleBits = toFloat16(mostScale / 63);
  const minimumBits = toFloat16(mostMinimum / 63);
  out[at] = scaleBits;
  out[at + 1] = scaleBits >>> 8;
  out[at + 2] = minimumBits;
  out[at + 3] = minimumBits >>> 8;
  writeGroupScales(fit, block, mostScale > 0 ? fround(63 / mostScale) : 0, mostMinimum > 0 ? fround(63 / mostMinimum) : 0, out, at + 4);

  const scale = half[scaleBits]!;
  const minimum = half[minimumBits]!;
  const from = 256 * block;
  for (let group = 0; group < 8; group++) {
    const groupScale = fround(scale * groupScaleK4(out, at + 4, group));
    const groupMinimum = fround(minimum * groupMinimumK4(out, at + 4, group));
    for (let i = 32 * group; i < 32 * group + 32; i++) {
      if (groupScale === 0) {
        codes[i] = fit.codes[from + i]!;
        continue;
      }
      const code = nearest(fround(fround(source[from + i]! + groupMinimum) / groupScale));
      codes[i] = code < 0 ? 0 : code > highest ? highest : code;
    }
  }
  writeCodes45(out, at + 16, five);
}

/** The 8 scales and 8 minima in six bits each, as groupScaleK4 and groupMinimumK4 take them apart. */
function writeGroupScales({ scales, minima }: Fit, block: number, inverseScale: number, inverseMinimum: number, out: Uint8Array, at: number): void {
  for (let group = 0; group < 8; group++) {
    // A negative one wraps to a byte above 63 before it is clamped, as in C.
    const scale = Math.min(63, nearest(fround(inverseScale * scales[8 * block + group]!)) & 255);
    const minimum = Math.min(63, nearest(fround(inverseMinimum * minima[8 * block + group]!)) & 255);
    if (group < 4) {
      out[at + group] = scale;
      out[at + group + 4] = minimum;
    } else {
      out[at + group + 4] = (scale & 15) | ((minimum & 15) << 4);
      out[at + group - 4]! |= (scale >>> 4) << 6;
      out[at + group]! |= (minimum >>> 4) << 6;
    }
  }
}

/** Fifth bits where there are five, then halves. */
function writeCodes45(out: Uint8Array, at: number, five: boolean): void {
  const halves = five ? at + 32 : at;
  for (let pair = 0; pair < 4; pair++) {
    for (let j = 0; j < 32; j++) out[halves + 32 * pair + j] = (codes[64 * pair + j]! & 15) | (codes[64 * pair + 32 + j]! << 4);
  }
  if (!five) return;
  for (let j = 0; j < 32; j++) {
    let fifths = 0;
    for (let group = 0; group < 8; group++) fifths |= (codes[32 * group + j]! >>> 4) << group;
    out[at + j] = fifths;
  }
}

/** Q6_K (its layout: dequantise-k.ts). */
export function quantiseQ6K(source: Float32Array, out: Uint8Array): void {
  for (let from = 0; from < source.length; from += FIT_VALUES) {
    const part = source.subarray(from, from + FIT_VALUES);
    const fit = fitGroupsCentred(part);
    for (let block = 0; block < part.length / 256; block++) writeBlock6(part, block, fit, out, (from / 256 + block) * 210);
  }
}

function writeBlock6(source: Float32Array, block: number, fit: Omit<Fit, 'minima'>, out: Uint8Array, at: number): void {
  let extreme = 0;
  let largest = 0;
  for (let group = 16 * block; group < 16 * block + 16; group++) {
    const scale = fit.scales[group]!;
    if (Math.abs(scale) > largest) {
      largest = Math.abs(scale);
      extreme = scale;
    }
  }
  if (largest < NEGLIGIBLE) {
    out.fill(0, at, at + 210);
    return;
  }
  const inverse = fround(-128 / extreme);
  const scaleBits = toFloat16(1 / inverse);
  out[at + 208] = scaleBits;
  out[at + 209] = scaleBits >>> 8;
  const blockScale = float16Values()[scaleBits]!;
  const from = 256 * block;
  for (let group = 0; group < 16; group++) {
    out[at + 192 + group] = Math.min(127, nearest(fround(inverse * fit.scales[16 * block + group]!)));
    const scale = fround(blockScale * ((out[at + 192 + group]! << 24) >> 24));
    for (let i = 16 * group; i < 16 * group + 16; i++) {
      if (scale === 0) {
        codes[i] = fit.codes[from + i]!;
        continue;
      }
      const code = nearest(fround(source[from + i]! / scale));
      codes[i] = 32 + (code < -32 ? -32 : code > 31 ? 31 : code);
    }
  }
  writeCodes6(out, at);
}

/** Of each 128 codes: 64 bytes of low halves, 32 of upper pairs. */
function writeCodes6(out: Uint8Array, at: number): void {
  for (let part = 0; part < 2; part++) {
    const low = at + 64 * part;
    const high = at + 128 + 32 * part;
    for (let j = 0; j < 32; j++) {
      const a = codes[128 * part + j]!;
      const b = codes[128 * part + 32 + j]!;
      const c = codes[128 * part + 64 + j]!;
      const d = codes[128 * part + 96 + j]!;
      out[low + j] = (a & 15) | ((c & 15) << 4);
      out[low + 32 + j] = (b & 15) | ((d & 15) << 4);
      out[high + j] = (a >>> 4) | ((b >>> 4) << 2) | ((c >>> 4) << 4) | ((d >>> 4) << 6);
    }
  }
}
