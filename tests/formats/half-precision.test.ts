import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float16Values,
  float32ToBfloat16,
  float32ToFloat16,
} from '../../src/formats/half-precision.ts';

const all = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** The definition of binary16, in doubles. */
function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 0x3ff;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}

const toFloat16 = (...values: number[]): number[] => {
  const out = new Uint16Array(values.length);
  float32ToFloat16(Float32Array.from(values), out);
  return [...out];
};
const toBfloat16 = (...values: number[]): number[] => {
  const out = new Uint16Array(values.length);
  float32ToBfloat16(Float32Array.from(values), out);
  return [...out];
};

test('every float16 becomes the float32 of its definition, and comes back', () => {
  const values = new Float32Array(65536);
  float16ToFloat32(all, values);
  for (let bits = 0; bits < 65536; bits++) {
    assert.ok(Object.is(values[bits], float16Value(bits)), `bits ${bits}: ${values[bits]}`);
  }
  assert.deepEqual(float16Values(), values);
  const back = new Uint16Array(65536);
  float32ToFloat16(values, back);
  for (let bits = 0; bits < 65536; bits++) {
    if (Number.isNaN(values[bits])) assert.ok((back[bits]! & 0x7fff) > 0x7c00, `bits ${bits} stay a NaN`);
    else assert.equal(back[bits], bits);
  }
});

test('every bfloat16 comes back, and a NaN stays one', () => {
  const values = new Float32Array(65536);
  bfloat16ToFloat32(all, values);
  assert.equal(values[0x3f80], 1);
  assert.equal(values[0xc0a0], -5);
  assert.equal(values[0x0001], 2 ** -133);
  const back = new Uint16Array(65536);
  float32ToBfloat16(values, back);
  for (let bits = 0; bits < 65536; bits++) {
    if (Number.isNaN(values[bits])) assert.ok((back[bits]! & 0x7fff) > 0x7f80, `bits ${bits} stay a NaN`);
    else assert.equal(back[bits], bits);
  }
});

test('float32 to float16 rounds to nearest, ties to even, at every kind of boundary', () => {
  assert.deepEqual(toFloat16(1 + 2 ** -11, 1 + 3 * 2 ** -11), [0x3c00, 0x3c02], 'ties');
  assert.deepEqual(toFloat16(1 + 2 ** -11 + 2 ** -23, -(1 + 2 ** -11 - 2 ** -23)), [0x3c01, 0xbc00], 'beside a tie');
  assert.deepEqual(toFloat16(65504, 65519.99609375, 65520, -70000, Infinity), [0x7bff, 0x7bff, 0x7c00, 0xfc00, 0x7c00]);
  assert.deepEqual(toFloat16(2 ** -24, 2 ** -25, -(2 ** -25), 2 ** -25 + 2 ** -48, 3 * 2 ** -25), [1, 0, 0x8000, 1, 2]);
  assert.deepEqual(toFloat16(2 ** -14, 2 ** -14 - 2 ** -25, 2 ** -14 - 2 ** -24), [0x400, 0x400, 0x3ff], 'least normal');
  assert.deepEqual(toFloat16(2 ** -149, -0), [0, 0x8000]);
});

test('float32 to float16 gives the nearest of all float16 for values between each two neighbours', () => {
  const between: number[] = [];
  const expected: number[] = [];
  for (let bits = 0; bits < 0x7bff; bits++) {
    const low = float16Value(bits);
    const high = float16Value(bits + 1);
    between.push(low + (high - low) * 0.25, (low + high) / 2, low + (high - low) * 0.75);
    expected.push(bits, bits % 2 === 0 ? bits : bits + 1, bits + 1);
  }
  assert.deepEqual(toFloat16(...between.slice(0, 60000)), expected.slice(0, 60000));
  assert.deepEqual(toFloat16(...between.slice(60000)), expected.slice(60000));
});

test('float32 to bfloat16 rounds to nearest, ties to even, and overflows to infinity', () => {
  assert.deepEqual(toBfloat16(1 + 2 ** -8, 1 + 3 * 2 ** -8), [0x3f80, 0x3f82], 'ties');
  assert.deepEqual(toBfloat16(1 + 2 ** -8 + 2 ** -23, -(1 + 2 ** -8 - 2 ** -23)), [0x3f81, 0xbf80]);
  assert.deepEqual(toBfloat16(3.4028234663852886e38, Infinity, -Infinity), [0x7f80, 0x7f80, 0xff80]);
  assert.deepEqual(toBfloat16(2 ** -133, 2 ** -134, 2 ** -134 + 2 ** -149, -0), [1, 0, 1, 0x8000], 'subnormals');
});

test('a signalling NaN with only low payload bits does not become infinity', () => {
  const source = new Float32Array(new Uint32Array([0x7f800001, 0xff800001]).buffer);
  const out = new Uint16Array(2);
  float32ToBfloat16(source, out);
  assert.deepEqual([...out], [0x7fc0, 0xffc0]);
  float32ToFloat16(source, out);
  assert.deepEqual([...out], [0x7e00, 0xfe00]);
});

test('views into the middle of a buffer are read and written in their place', () => {
  const values = new Float32Array(4);
  bfloat16ToFloat32(Uint16Array.of(0, 0x3f80, 0x4000).subarray(1), values.subarray(1, 3));
  assert.deepEqual([...values], [0, 1, 2, 0]);
  const out = new Uint16Array(4);
  float32ToFloat16(values.subarray(1, 3), out.subarray(2));
  assert.deepEqual([...out], [0, 0, 0x3c00, 0x4000]);
});
