/**
 * float32 values to the bytes of a ggml type, equal to those of llama.cpp's own quantiser without an importance matrix.
 * Not a writer of files, and no choice of types: a row that does not fill whole blocks is refused. A value that is not
 * finite, or too large for the type, is refused too, where C would write a block that reads as NaN.
 */
import { InputError } from '../errors.ts';
import { blockLayouts } from './ggml.ts';
import { float32ToBfloat16, float32ToFloat16 } from './half-precision.ts';
import { quantiseQ45K, quantiseQ6K } from './quantise-k.ts';
import { quantiseCentred, quantiseQ8, quantiseWithMinimum } from './quantise-legacy.ts';
import type { TensorDType } from './tensors.ts';

interface Quantiser {
  /** Fills `out` with the blocks of `source`; lengths are right. */
  readonly write: (source: Float32Array, out: Uint8Array) => void;
  /** Where in a block a value of 16 bits stands that overflows to infinity, and the bits of its exponent. */
  readonly halves: readonly number[];
  readonly exponent: number;
}

const float16 = 0x7c00;
const words = (out: Uint8Array): Uint16Array => new Uint16Array(out.buffer, out.byteOffset, out.length / 2);

const quantisers = {
  F32: { write: (source, out) => new Float32Array(out.buffer, out.byteOffset, source.length).set(source), halves: [], exponent: 0 },
  F16: { write: (source, out) => float32ToFloat16(source, words(out)), halves: [0], exponent: float16 },
  BF16: { write: (source, out) => float32ToBfloat16(source, words(out)), halves: [0], exponent: 0x7f80 },
  Q8_0: { write: quantiseQ8, halves: [0], exponent: float16 },
  Q4_0: { write: (source, out) => quantiseCentred(source, out, false), halves: [0], exponent: float16 },
  Q4_1: { write: (source, out) => quantiseWithMinimum(source, out, false), halves: [0, 2], exponent: float16 },
  Q5_0: { write: (source, out) => quantiseCentred(source, out, true), halves: [0], exponent: float16 },
  Q5_1: { write: (source, out) => quantiseWithMinimum(source, out, true), halves: [0, 2], exponent: float16 },
  Q4_K: { write: (source, out) => quantiseQ45K(source, out, false), halves: [0, 2], exponent: float16 },
  Q5_K: { write: (source, out) => quantiseQ45K(source, out, true), halves: [0, 2], exponent: float16 },
  Q6_K: { write: quantiseQ6K, halves: [208], exponent: float16 },
} as const satisfies Partial<Record<TensorDType, Quantiser>>;

/** The types that can be written. */
export type WritableDType = keyof typeof quantisers;

export const writableDTypes = Object.keys(quantisers) as readonly WritableDType[];

/**
 * Fills `out` with whole rows of `source` as blocks of `dtype`. Throws InputError for values or rows that the type cannot
 * hold, RangeError where the lengths do not belong together.
 * @param rowLength values of a row, the tensor's innermost dimension
 * @param out as many bytes as the blocks take; for F32, F16 and BF16 it must start at a multiple of the value's size
 * @param where names the tensor in a refusal
 */
export function quantise(dtype: WritableDType, source: Float32Array, rowLength: number, out: Uint8Array, where: string): void {
  const { values, bytes } = blockLayouts[dtype];
  if (rowLength % values !== 0) {
    throw new InputError({
      expected: `rows of a multiple of ${values} values for ${dtype}`,
      found: `rows of ${rowLength}`,
      where,
      remedy: values === 256 ? 'Store this tensor in Q8_0 or F16.' : 'Store this tensor in F16.',
    });
  }
  if (!(rowLength > 0) || source.length % rowLength !== 0) {
    throw new RangeError(`${source.length} values are no whole number of rows of ${rowLength}`);
  }
  if (source.length * bytes !== out.length * values) {
    throw new RangeError(`${source.length} values do not fill ${out.length} bytes of ${dtype}`);
  }
  refuseNonFinite(source, where);
  const quantiser: Quantiser = quantisers[dtype];
  quantiser.write(source, out);
  refuseOverflow(dtype, quantiser, out, where);
}

function refuseNonFinite(source: Float32Array, where: string): void {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i]! & 0x7f800000) !== 0x7f800000) continue;
    throw new InputError({
      expected: 'finite values',
      found: `${source[i]} as value ${i + 1} of ${source.length}`,
      where,
      remedy: 'The weights are damaged, or their training diverged.',
    });
  }
}

function refuseOverflow(dtype: WritableDType, { halves, exponent }: Quantiser, out: Uint8Array, where: string): void {
  const { values, bytes } = blockLayouts[dtype];
  for (const offset of halves) {
    for (let at = offset; at < out.length; at += bytes) {
      if (((out[at]! | (out[at + 1]! << 8)) & exponent) !== exponent) continue;
      const first = ((at - offset) / bytes) * values + 1;
      const place = values === 1 ? `value ${first}` : `the scale of the block from value ${first}`;
      throw new InputError({
        expected: `values that ${dtype} can hold`,
        found: `infinity after rounding as ${place}`,
        where,
        remedy: 'Store this tensor in F32.',
      });
    }
  }
}
