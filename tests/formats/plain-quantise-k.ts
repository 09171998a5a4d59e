/**
 * The plain form of Q4_K, Q5_K and Q6_K, one group after the other: what src/formats/quantise-k.ts must give to the last bit. Source of the arithmetic:
 * `quantize_row_q*_K_ref`, `make_qkx2_quants` and `make_qx_quants` in ggml/src/ggml-quants.c, which compute in float32 and
 * round after every operation: hence each Math.fround, which gives the same bytes.
 */
import { groupMinimumK4, groupScaleK4 } from '../../src/formats/dequantise-k.ts';
import { float16Values, toFloat16 } from '../../src/formats/half-precision.ts';

const { fround } = Math;
const tenth = fround(0.1);

// Scratch for one block. Nothing here waits, so a thread needs only one.
const codes = new Uint8Array(256);
const trial = new Uint8Array(32);
const weights = new Float32Array(32);
const weighted = new Float32Array(16);
const above = new Float32Array(32);
const scales = new Float32Array(16);
const minima = new Float32Array(8);
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
  const half = float16Values();
  const highest = five ? 31 : 15;
  const blockBytes = five ? 176 : 144;
  for (let from = 0, at = 0; from < source.length; from += 256, at += blockBytes) {
    let mostScale = 0;
    let mostMinimum = 0;
    for (let group = 0; group < 8; group++) {
      weigh(source, from + 32 * group);
      if (five) fitWithMinimum(source, from + 32 * group, group, 31, -0.5, 15);
      else fitWithMinimum(source, from + 32 * group, group, 15, -1, 20);
      if (scales[group]! > mostScale) mostScale = scales[group]!;
      if (minima[group]! > mostMinimum) mostMinimum = minima[group]!;
    }
    const scaleBits = toFloat16(mostScale / 63);
    const minimumBits = toFloat16(mostMinimum / 63);
    out[at] = scaleBits;
    out[at + 1] = scaleBits >>> 8;
    out[at + 2] = minimumBits;
    out[at + 3] = minimumBits >>> 8;
    writeGroupScales(mostScale > 0 ? fround(63 / mostScale) : 0, mostMinimum > 0 ? fround(63 / mostMinimum) : 0, out, at + 4);

    const scale = half[scaleBits]!;
    const minimum = half[minimumBits]!;
    for (let group = 0; group < 8; group++) {
      const groupScale = fround(scale * groupScaleK4(out, at + 4, group));
      if (groupScale === 0) continue; // the codes of the fit stay
      const groupMinimum = fround(minimum * groupMinimumK4(out, at + 4, group));
      for (let i = 32 * group; i < 32 * group + 32; i++) {
        const code = nearest(fround(fround(source[from + i]! + groupMinimum) / groupScale));
        codes[i] = code < 0 ? 0 : code > highest ? highest : code;
      }
    }
    writeCodes45(out, at + 16, five);
  }
}

/** Weights of a group's errors: its root mean square plus the value's magnitude. */
function weigh(source: Float32Array, from: number): void {
  let squares = 0;
  for (let i = from; i < from + 32; i++) squares = fround(squares + fround(source[i]! * source[i]!));
  const typical = fround(Math.sqrt(fround(squares / 32)));
  for (let i = 0; i < 32; i++) weights[i] = typical + Math.abs(source[from + i]!);
}

/**
 * Scale, negated minimum and codes of a group of 32 with x ≈ scale × code + minimum, minimum ≤ 0: starts from the range,
 * then tries `steps` + 1 spacings, fits each by weighted least squares, and takes what lowers the weighted square error.
 * A better fit's minimum also shifts the spacings that are tried after it.
 */
function fitWithMinimum(source: Float32Array, from: number, group: number, highest: number, first: number, steps: number): void {
  let minimum = source[from]!;
  let most = minimum;
  let sumW = weights[0]!;
  let sumX = fround(sumW * minimum);
  for (let i = 1; i < 32; i++) {
    const value = source[from + i]!;
    if (value < minimum) minimum = value;
    if (value > most) most = value;
    const weight = weights[i]!;
    sumW = fround(sumW + weight);
    sumX = fround(sumX + fround(weight * value));
  }
  if (minimum > 0) minimum = 0;
  const to = 32 * group;
  if (most === minimum) {
    codes.fill(0, to, to + 32);
    scales[group] = 0;
    minima[group] = -minimum;
    return;
  }
  let inverse = fround(highest / fround(most - minimum));
  let scale = fround(1 / inverse);
  let leastError = 0;
  for (let i = 0; i < 32; i++) {
    const value = source[from + i]!;
    above[i] = value - minimum;
    let code = nearest(fround(inverse * above[i]!));
    code = code < 0 ? 0 : code > highest ? highest : code;
    codes[to + i] = code;
    const error = fround(fround(fround(scale * code) + minimum) - value);
    leastError = fround(leastError + fround(weights[i]! * fround(error * error)));
  }
  for (let step = 0; step <= steps; step++) {
    inverse = fround(fround(fround(first + fround(tenth * step)) + highest) / fround(most - minimum));
    let sumL = 0;
    let sumLL = 0;
    let sumXL = 0;
    for (let i = 0; i < 32; i++) {
      let code = nearest(fround(inverse * above[i]!));
      code = code < 0 ? 0 : code > highest ? highest : code;
      trial[i] = code;
      const weightedCode = fround(weights[i]! * code);
      sumL = fround(sumL + weightedCode);
      sumLL = fround(sumLL + fround(weightedCode * code));
      sumXL = fround(sumXL + fround(weightedCode * source[from + i]!));
    }
    const determinant = fround(fround(sumW * sumLL) - fround(sumL * sumL));
    if (!(determinant > 0)) continue;
    let trialScale = fround(fround(fround(sumW * sumXL) - fround(sumX * sumL)) / determinant);
    let trialMinimum = fround(fround(fround(sumLL * sumX) - fround(sumL * sumXL)) / determinant);
    if (trialMinimum > 0) {
      trialMinimum = 0;
      trialScale = fround(sumXL / sumLL);
    }
    let trialError = 0;
    let i = 0;
    // The error only grows, so a sum that has reached the least one is not summed to its end.
    for (; i < 32 && trialError < leastError; i++) {
      const error = fround(fround(fround(trialScale * trial[i]!) + trialMinimum) - source[from + i]!);
      trialError = fround(trialError + fround(weights[i]! * fround(error * error)));
    }
    if (i === 32 && trialError < leastError) {
      leastError = trialError;
      scale = trialScale;
      minimum = trialMinimum;
      for (let j = 0; j < 32; j++) {
        codes[to + j] = trial[j]!;
        above[j] = source[from + j]! - minimum;
      }
    }
  }
  scales[group] = scale;
  minima[group] = -minimum;
}

/** The 8 scales and 8 minima in six bits each, as groupScaleK4 and groupMinimumK4 take them apart. */
function writeGroupScales(inverseScale: number, inverseMinimum: number, out: Uint8Array, at: number): void {
  for (let group = 0; group < 8; group++) {
    // A negative one wraps to a byte above 63 before it is clamped, as in C.
    const scale = Math.min(63, nearest(fround(inverseScale * scales[group]!)) & 255);
    const minimum = Math.min(63, nearest(fround(inverseMinimum * minima[group]!)) & 255);
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
  const half = float16Values();
  for (let from = 0, at = 0; from < source.length; from += 256, at += 210) {
    let extreme = 0;
    let largest = 0;
    for (let group = 0; group < 16; group++) {
      const scale = fitCentred(source, from + 16 * group, 16 * group);
      scales[group] = scale;
      if (Math.abs(scale) > largest) {
        largest = Math.abs(scale);
        extreme = scale;
      }
    }
    if (largest < negligible) {
      out.fill(0, at, at + 210);
      continue;
    }
    const inverse = fround(-128 / extreme);
    const scaleBits = toFloat16(1 / inverse);
    out[at + 208] = scaleBits;
    out[at + 209] = scaleBits >>> 8;
    const blockScale = half[scaleBits]!;
    for (let group = 0; group < 16; group++) {
      out[at + 192 + group] = Math.min(127, nearest(fround(inverse * scales[group]!)));
      const scale = fround(blockScale * ((out[at + 192 + group]! << 24) >> 24));
      if (scale === 0) continue; // the codes of the fit stay
      for (let i = 16 * group; i < 16 * group + 16; i++) {
        const code = nearest(fround(source[from + i]! / scale));
        codes[i] = 32 + (code < -32 ? -32 : code > 31 ? 31 : code);
      }
    }
    writeCodes6(out, at);
  }
}

/** A group whose largest value is below this is all zeros. */
const negligible = fround(1e-15);

/**
 * Scale, and codes from 0 to 63, of a group of 16 with x ≈ scale × (code - 32): the largest value gets one of 19 codes
 * around the lowest, the scale is fitted by least squares with weights x², and the best of the fits is taken.
 */
function fitCentred(source: Float32Array, from: number, to: number): number {
  let extreme = 0;
  let largest = 0;
  for (let i = 0; i < 16; i++) {
    const value = source[from + i]!;
    if (Math.abs(value) > largest) {
      largest = Math.abs(value);
      extreme = value;
    }
    weights[i] = value * value;
    weighted[i] = weights[i]! * value;
  }
  if (largest < negligible) {
    codes.fill(0, to, to + 16);
    return 0;
  }
  let scale = 0;
  let best = 0;
  for (let turn = 0; turn < 19; turn++) {
    const step = turn === 0 ? 0 : turn < 10 ? turn - 10 : turn - 9; // 0, then -9 to 9 without 0
    const inverse = fround(-fround(32 + fround(tenth * step)) / extreme);
    let sumXL = 0;
    let sumLL = 0;
    for (let i = 0; i < 16; i++) {
      let code = nearest(fround(inverse * source[from + i]!));
      code = code < -32 ? -32 : code > 31 ? 31 : code;
      trial[i] = code + 32;
      sumXL = fround(sumXL + fround(weighted[i]! * code));
      sumLL = fround(sumLL + fround(fround(weights[i]! * code) * code));
    }
    if (turn > 0 && !(sumLL > 0 && fround(sumXL * sumXL) > fround(best * sumLL))) continue;
    scale = sumLL === 0 ? 0 : fround(sumXL / sumLL);
    best = fround(scale * sumXL);
    for (let i = 0; i < 16; i++) codes[to + i] = trial[i]!;
  }
  return scale;
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
