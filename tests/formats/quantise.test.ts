import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { dequantise } from '../../src/formats/dequantise.ts';
import { blockLayouts } from '../../src/formats/ggml.ts';
import { quantise, writableDTypes } from '../../src/formats/quantise.ts';
import type { WritableDType } from '../../src/formats/quantise.ts';
import { fixture, float32, manyRows, needsShared, sharedVectors } from './ggml-vectors.ts';
import { assertRefuses } from './support.ts';

function bytesOf(dtype: WritableDType, source: Float32Array, rowLength = source.length): Uint8Array {
  const { values, bytes } = blockLayouts[dtype];
  const out = new Uint8Array((source.length / values) * bytes);
  quantise(dtype, source, rowLength, out, 'tensor x');
  return out;
}

function valuesOf(dtype: WritableDType, bytes: Uint8Array): Float32Array {
  const { values, bytes: size } = blockLayouts[dtype];
  const out = new Float32Array((bytes.length / size) * values);
  dequantise(dtype, bytes, out);
  return out;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const filled = (length: number, value: (i: number) => number): Float32Array => Float32Array.from({ length }, (_, i) => value(i));

const quantised = writableDTypes.filter((dtype) => blockLayouts[dtype].values > 1);
/** A block of these holds its own scales exactly: what it holds is quantised to the same block. */
const exact = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1'] as const satisfies WritableDType[];

test("rows of many kinds become the very bytes of llama.cpp's quantisers (made by tools/ggml-fixture)", () => {
  const { rows, quantised: expected } = fixture();
  const source = float32(Buffer.from(rows, 'base64'));
  assert.deepEqual(Object.keys(expected).sort(), writableDTypes.filter((dtype) => dtype !== 'F32').sort());
  for (const [dtype, blocks] of Object.entries(expected) as [WritableDType, string][]) {
    const bytes = bytesOf(dtype, source, 256);
    const size = (256 / blockLayouts[dtype].values) * blockLayouts[dtype].bytes;
    for (let row = 0; row * 256 < source.length; row++) {
      const at = [row * size, (row + 1) * size] as const;
      assert.equal(hex(bytes.subarray(...at)), hex(Buffer.from(blocks, 'base64').subarray(...at)), `${dtype} of row ${row}`);
    }
  }
});

test("half a million values become the very bytes of llama.cpp's quantisers (made by tools/ggml-fixture)", () => {
  const rows = manyRows();
  for (const [dtype, sha256] of Object.entries(fixture().many) as [WritableDType, string][]) {
    assert.equal(createHash('sha256').update(bytesOf(dtype, rows, 256)).digest('hex'), sha256, dtype);
  }
});

for (const [dtype, file] of [
  ['Q8_0', 'q8_0_64'],
  ['Q4_0', 'q4_0_64'],
  ['Q4_1', 'q4_1_64'],
  ['Q5_0', 'q5_0_64'],
  ['Q5_1', 'q5_1_64'],
  ['Q4_K', 'q4_k_512'],
  ['Q5_K', 'q5_k_512'],
  ['Q6_K', 'q6_k_512'],
] as const) {
  test(`shared rows become the very bytes of llama.cpp's ${dtype}`, needsShared, () => {
    const { input, expected } = sharedVectors(file);
    assert.equal(hex(bytesOf(dtype, input)), hex(expected));
  });
}

// float16 below: 0x3c00 = 1, 0x3800 = 0.5, 0xbc00 = -1, 0xc000 = -2, 0x2c00 = 1/16; low byte first.
test('blocks by hand: the largest value sets the scale, halves go away from zero', () => {
  const q8 = bytesOf('Q8_0', filled(32, (i) => [127, -127, 0.5, -0.5, 1.5, 0.49][i] ?? 0));
  assert.equal(hex(q8), `003c7f8101ff0200${'00'.repeat(26)}`);
  // The extreme value gets code 0 whatever its sign; its opposite has no code of its own and takes the last.
  const q4 = bytesOf('Q4_0', filled(32, (i) => [8, 7, -8, 0][i] ?? 1));
  assert.equal(hex(q4), `00bc70717f78${'77'.repeat(12)}`);
  const q5 = bytesOf('Q5_0', filled(32, (i) => [-8, 7.5][i] ?? 0));
  assert.equal(hex(q5), `0038feffffff000f${'00'.repeat(14)}`);
  // Codes from the least value: -2 is 0, 13 is 15; with 31 codes, 29 is 31.
  const q41 = bytesOf('Q4_1', filled(32, (i) => (i < 16 ? i - 2 : 13 - (i - 16))));
  assert.equal(hex(q41), `003c00c0${Array.from({ length: 16 }, (_, i) => ((15 - i) * 16 + i).toString(16).padStart(2, '0')).join('')}`);
  const q51 = bytesOf('Q5_1', filled(32, (i) => i - 2));
  assert.equal(hex(q51), `003c00c00000ffff${Array.from({ length: 16 }, (_, i) => (i * 17).toString(16).padStart(2, '0')).join('')}`);
});

test('blocks of K types by hand: a whole number of steps is kept exactly', () => {
  // All groups hold 0 to 15 (or 31) in steps of 63/64: six-bit scales of 63 at a block scale of 1/64, minima of 0.
  const step = 63 / 64;
  const four = filled(256, (i) => (i % 16) * step);
  assert.deepEqual(valuesOf('Q4_K', bytesOf('Q4_K', four)), four);
  assert.equal(hex(bytesOf('Q4_K', four).subarray(0, 19)), `00240000${'ff'.repeat(4)}${'00'.repeat(4)}${'0f'.repeat(4)}001122`);
  const five = filled(256, (i) => (i % 32) * step);
  assert.deepEqual(valuesOf('Q5_K', bytesOf('Q5_K', five)), five);
  // Codes -32 to 31 around zero; the scale of the most extreme group is -128.
  const six = filled(256, (i) => [-32, 31, 5, -1, 0][i % 5]!);
  assert.deepEqual(valuesOf('Q6_K', bytesOf('Q6_K', six)), six);
  assert.deepEqual([...bytesOf('Q6_K', six).subarray(192)], [...Array.from({ length: 16 }, () => 128), 0x00, 0xa0]);
});

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -10_000, max: 10_000 });
const rows = fc.oneof(
  fc.array(finite, { minLength: 256, maxLength: 256 }),
  fc.tuple(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 256, maxLength: 256 }), fc.integer({ min: -20, max: 3 })).map(([row, power]) => row.map((x) => x * 2 ** power)),
).map((row) => Float32Array.from(row));

/**
 * The farthest that a value of each group may be from where it was: `steps` of the group's own step, what a rounded small
 * scale moves the ends by, and the rounding of float16 scales, also of subnormal ones.
 */
const kinds = {
  Q8_0: { group: 32, codes: 254, steps: 0.5, smallScales: Infinity },
  Q4_0: { group: 32, codes: 16, steps: 1, smallScales: Infinity },
  Q5_0: { group: 32, codes: 32, steps: 1, smallScales: Infinity },
  Q4_1: { group: 32, codes: 15, steps: 0.5, smallScales: Infinity },
  Q5_1: { group: 32, codes: 31, steps: 0.5, smallScales: Infinity },
  Q4_K: { group: 32, codes: 15, steps: 1.5, smallScales: 63 },
  Q5_K: { group: 32, codes: 31, steps: 1.5, smallScales: 63 },
  Q6_K: { group: 16, codes: 64, steps: 1.5, smallScales: 128 },
};

function span(dtype: string, values: Float32Array): number {
  const [most, least] = [Math.max(...values), Math.min(...values)];
  if (dtype.endsWith('_1')) return most - least;
  return dtype === 'Q4_K' || dtype === 'Q5_K' ? Math.max(most, 0) - Math.min(least, 0) : 2 * Math.max(most, -least);
}

for (const [dtype, { group, codes, steps, smallScales }] of Object.entries(kinds) as [WritableDType, typeof kinds.Q8_0][]) {
  test(`${dtype}: every value comes back to within its group's step (fuzz)`, () => {
    fc.assert(
      fc.property(rows, (row) => {
        const out = valuesOf(dtype, bytesOf(dtype, row));
        const ofBlock = span(dtype, row) / smallScales + Math.max(...row.map(Math.abs)) * 2 ** -10;
        const ofSubnormals = 2 ** -25 * 128 * Math.min(smallScales, 128);
        for (let start = 0; start < 256; start += group) {
          const bound = (span(dtype, row.subarray(start, start + group)) / codes) * steps + ofBlock + ofSubnormals;
          for (let i = start; i < start + group; i++) {
            const error = Math.abs(out[i]! - row[i]!);
            if (error > bound) assert.fail(`value ${i}: ${row[i]} came back as ${out[i]}, ${error} > ${bound}`);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
}

test('what a block holds is quantised to the same block again (fuzz)', () => {
  fc.assert(
    fc.property(fc.constantFrom(...exact), fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 64, maxLength: 64 }), (dtype, row) => {
      const bytes = bytesOf(dtype, filled(64, (i) => row[i]! / 7));
      assert.equal(hex(bytesOf(dtype, valuesOf(dtype, bytes))), hex(bytes), dtype);
    }),
  );
});

test('a row gives the bytes that it gives alone, so rows may be shared out to threads', () => {
  const rowsOf = filled(1024, (i) => Math.sin(i * i) * (i % 7));
  for (const dtype of writableDTypes) {
    const whole = bytesOf(dtype, rowsOf, 256);
    const parts = [0, 256, 512, 768].map((at) => bytesOf(dtype, rowsOf.slice(at, at + 256)));
    assert.equal(hex(whole), hex(Buffer.concat(parts)), dtype);
  }
});

test('zeros stay zeros; values too small for a float16 scale become zeros', () => {
  for (const dtype of quantised) {
    for (const size of [0, 1e-40, 1e-20]) {
      const out = valuesOf(dtype, bytesOf(dtype, filled(256, (i) => (i % 3 === 0 ? -size : size))));
      assert.ok(out.every((value) => value === 0), `${dtype} of ${size}`);
    }
  }
});

test('a constant comes back to within the rounding of a float16', () => {
  for (const dtype of quantised) {
    for (const value of [1, -1, 3.3, -0.7, 1000]) {
      const out = valuesOf(dtype, bytesOf(dtype, filled(256, () => value)));
      assert.ok(out.every((got) => Math.abs(got - value) <= Math.abs(value) * 2 ** -10), `${dtype} of ${value}: ${out[0]}`);
    }
  }
});

test('one large value among small ones keeps its own group from the others', () => {
  const row = filled(256, (i) => (i === 40 ? 1000 : Math.cos(i) / 10));
  for (const dtype of ['Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1'] as const) {
    const out = valuesOf(dtype, bytesOf(dtype, row));
    assert.ok(Math.abs(out[40]! - 1000) < 1, `${dtype}: ${out[40]}`);
    for (let i = 64; i < 256; i++) assert.ok(Math.abs(out[i]! - row[i]!) < 0.015, `${dtype} value ${i}`);
  }
});

test('a value that is not finite is refused with its place', () => {
  for (const dtype of writableDTypes) {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const row = filled(256, (i) => (i === 100 ? bad : i));
      assertRefuses(() => bytesOf(dtype, row), new RegExp(`^tensor x: expected finite values, found ${bad} as value 101 of 256`));
    }
  }
});

test('a value too large for the type is refused, and one that just fits is not', () => {
  const largest: [WritableDType, number][] = [
    ['F16', 65504],
    ['Q8_0', 65504 * 127],
    ['Q4_0', 65504 * 8],
    ['Q5_0', 65504 * 16],
    ['Q4_1', 65504 * 15],
    ['Q5_1', 65504 * 31],
    ['Q4_K', 65504 * 15 * 63],
    ['Q5_K', 65504 * 30 * 63],
    ['Q6_K', 65504 * 32 * 128],
  ];
  for (const [dtype, value] of largest) {
    const out = valuesOf(dtype, bytesOf(dtype, filled(256, (i) => (i === 70 ? value : 0))));
    assert.ok(Math.abs(out[70]! - value) < value / 20, `${dtype}: ${out[70]}`);
    const place = { 1: 'value 71', 32: 'block from value 65', 256: 'block from value 1' }[blockLayouts[dtype].values];
    const refused = new RegExp(`^tensor x: expected values that ${dtype} can hold, found infinity after rounding as .*${place}\\. Store this tensor in F32`);
    assertRefuses(() => bytesOf(dtype, filled(256, (i) => (i === 70 ? value * 1.1 : 0))), refused);
  }
  assertRefuses(() => bytesOf('BF16', filled(1, () => 3.4e38)), /that BF16 can hold/);
  assertRefuses(() => bytesOf('Q4_1', filled(32, () => -70_000)), /that Q4_1 can hold/);
});

test('rows that do not fill whole blocks are refused; lengths that do not belong together are a mistake of the program', () => {
  assertRefuses(() => quantise('Q4_K', new Float32Array(576), 288, new Uint8Array(324), 'blk.0.x'), /^blk\.0\.x: expected rows of a multiple of 256 values for Q4_K, found rows of 288\. Store this tensor in Q8_0/);
  assertRefuses(() => quantise('Q8_0', new Float32Array(64), 16, new Uint8Array(68), 'x'), /rows of a multiple of 32 values for Q8_0, found rows of 16/);
  assert.throws(() => quantise('Q8_0', new Float32Array(64), 0, new Uint8Array(68), 'x'), RangeError);
  assert.throws(() => quantise('Q8_0', new Float32Array(64), 96, new Uint8Array(68), 'x'), RangeError);
  assert.throws(() => quantise('Q8_0', new Float32Array(64), 32, new Uint8Array(67), 'x'), RangeError);
  quantise('Q8_0', new Float32Array(0), 32, new Uint8Array(0), 'x');
});
