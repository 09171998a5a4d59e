import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { dequantise } from '../../src/formats/dequantise.ts';
import { blockLayouts } from '../../src/formats/ggml.ts';
import type { TensorDType } from '../../src/formats/tensors.ts';
import { fixture, needsShared, relativeLoss, sharedVectors } from './ggml-vectors.ts';

const dtypes = Object.keys(blockLayouts) as TensorDType[];

function values(dtype: TensorDType, bytes: Uint8Array): number[] {
  const { values: perBlock, bytes: blockBytes } = blockLayouts[dtype];
  const out = new Float32Array((bytes.length / blockBytes) * perBlock);
  dequantise(dtype, bytes, out);
  return [...out];
}

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

// float16 in the blocks below: 0x3800 = 0.5, 0x3c00 = 1, 0xc000 = -2, 0x3400 = 0.25; low byte first.
test('a block of each four- and five-bit type, worked out by hand', () => {
  const nibbles = 'f0 e1 d2 c3 b4 a5 96 87 78 69 5a 4b 3c 2d 1e 0f'; // low halves 0..15, high halves 15..0
  const up = Array.from({ length: 16 }, (_, i) => i);
  const codes = [...up, ...up.toReversed()];
  assert.deepEqual(values('Q4_0', hex(`0038 ${nibbles}`)), codes.map((code) => (code - 8) * 0.5));
  assert.deepEqual(values('Q4_1', hex(`0038 00c0 ${nibbles}`)), codes.map((code) => code * 0.5 - 2));
  // Fifth bits 1 for values 0, 9 and 31, by bytes 01 02 00 80.
  const five = codes.map((code, i) => code + (i === 0 || i === 9 || i === 31 ? 16 : 0));
  assert.deepEqual(values('Q5_0', hex(`003c 01020080 ${nibbles}`)), five.map((code) => code - 16));
  assert.deepEqual(values('Q5_1', hex(`0034 00c0 01020080 ${nibbles}`)), five.map((code) => code * 0.25 - 2));
});

test('a block of Q8_0 by hand: signed bytes times the scale', () => {
  const block = hex(`0038 7f 81 00 01 ff 02 ${'00'.repeat(26)}`);
  assert.deepEqual(values('Q8_0', block), [63.5, -63.5, 0, 0.5, -0.5, 1, ...Array.from({ length: 26 }, () => 0)]);
});

test('a block of Q6_K by hand: each quarter of a half has its own bits and scales', () => {
  const block = new Uint8Array(210);
  block[0] = 0x21; // low bits of value 0: 1, and of value 64: 2
  block[32] = 0x43; // low bits of value 32: 3, and of value 96: 4
  block[128] = 0b11_10_01_00; // upper bits of values 0, 32, 64, 96: 0, 1, 2, 3
  block[64 + 31] = 0x05; // low bits of value 128 + 31
  block[128 + 32 + 31] = 0b00_00_00_01; // its upper bits
  for (let i = 0; i < 16; i++) block[192 + i] = i + 1; // scales 1..16
  block[192] = 0xff; // scale -1 for values 0..15
  block[209] = 0x38; // 0.5
  const out = values('Q6_K', block);
  assert.equal(out[0], 0.5 * -1 * (1 - 32));
  assert.equal(out[32], 0.5 * 3 * (3 + 16 - 32));
  assert.equal(out[64], 0.5 * 5 * (2 + 32 - 32));
  assert.equal(out[96], 0.5 * 7 * (4 + 48 - 32));
  assert.equal(out[128 + 31], 0.5 * 10 * (5 + 16 - 32));
  assert.equal(out[16], 0.5 * 2 * -32, 'the second scale begins at value 16');
  assert.equal(out[255], 0.5 * 16 * -32);
});

test('F32, F16 and BF16 are blocks of one value', () => {
  assert.deepEqual(values('F32', hex('0000803f 000000c0')), [1, -2]);
  assert.deepEqual(values('F16', hex('003c 00c0')), [1, -2]);
  assert.deepEqual(values('BF16', hex('803f 00c0')), [1, -2]);
});

test('blocks of Q2_K and Q3_K by hand', () => {
  const two = new Uint8Array(84);
  two.set([0x31, 0, 0x02, 0, 0x03, 0, 0x14], 0); // scales and, in the high halves, minima of groups 0, 2, 4, 6
  two[9] = 0x05;
  two[16] = 0b11_10_01_00; // values 0, 32, 64, 96
  two[16 + 32 + 31] = 0b01; // value 128 + 31
  two.set([0x00, 0x3c, 0x00, 0x38], 80); // 1 and 0.5
  const out = values('Q2_K', two);
  assert.deepEqual([out[0], out[32], out[64], out[96], out[159]], [0 - 1.5, 2 * 1, 3 * 2, 4 * 3 - 0.5, 5 * 1]);

  const three = new Uint8Array(110);
  three[0] = 1; // the third bit of value 0
  three[32] = 0b01_11; // pairs of values 0 and 32
  three[95] = 0b10; // the pair of value 159, in group 9
  three[96] = 1; // scale of group 0: 1 + 32 - 32
  three[97] = 0x70;
  three[104] = 0b10;
  three[105] = 0b11_00_00; // scale of group 9: 7 + 48 - 32
  three[109] = 0x38; // 0.5
  const third = values('Q3_K', three);
  assert.deepEqual([third[0], third[32], third[159]], [0.5 * 1 * 3, 0.5 * -32 * (1 - 4), 0.5 * 23 * (2 - 4)]);
});

test('blocks of Q4_K and Q5_K by hand: scales and minima of groups 0 and 5', () => {
  // Group 0: scale 3, minimum 5. Group 5: scale 1 + 32, minimum 2 + 16, their upper bits above those of group 1.
  const head = [0x00, 0x3c, 0x00, 0x38, 3, 0x80, 0, 0, 5, 0x40, 0, 0, 0, 0x21, 0, 0];
  const four = new Uint8Array(144);
  four.set(head);
  four[16] = 7; // value 0
  four[16 + 64 + 31] = 0x90; // value 191, the last of group 5
  const out = values('Q4_K', four);
  assert.deepEqual([out[0], out[1], out[160], out[191]], [3 * 7 - 2.5, -2.5, -9, 33 * 9 - 9]);

  const five = new Uint8Array(176);
  five.set(head);
  five[16] = 1; // fifth bit of value 0
  five[47] = 1 << 5; // and of value 191
  five[48] = 7;
  five[48 + 64 + 31] = 0x90;
  const fifth = values('Q5_K', five);
  assert.deepEqual([fifth[0], fifth[1], fifth[160], fifth[191]], [3 * 23 - 2.5, -2.5, -9, 33 * 25 - 9]);
});

test('blocks of IQ4_NL and IQ4_XS by hand: halves pick from the table', () => {
  const nl = values('IQ4_NL', hex(`0038 f0 ${'88'.repeat(15)}`));
  assert.deepEqual([nl[0], nl[1], nl[16], nl[17]], [-63.5, 0.5, 56.5, 0.5]);
  const xs = new Uint8Array(136);
  xs.set([0x00, 0x38, 0xc0, 0x00, 0x00, 0x50]); // 0.5; scale of group 3: 5 + 48 - 32, of the others -32
  xs[8 + 3 * 16 + 2] = 0x8f;
  const out = values('IQ4_XS', xs);
  assert.deepEqual([out[0], out[98], out[114]], [0.5 * -32 * -127, 0.5 * 21 * 113, 0.5 * 21 * 1]);
});

test("pseudo-random blocks give the very bits of llama.cpp's own dequantisers (made by tools/ggml-fixture)", () => {
  // The upper bytes of the float16 scales, which are kept small and finite.
  const scales: Partial<Record<TensorDType, number[]>> = { Q4_1: [1, 3], Q5_1: [1, 3], Q4_K: [1, 3], Q5_K: [1, 3], Q2_K: [81, 83], Q3_K: [109], Q6_K: [209] };
  const { dequantised } = fixture();
  assert.deepEqual(Object.keys(dequantised).sort(), dtypes.filter((dtype) => blockLayouts[dtype].values > 1).sort());
  for (const [dtype, sha256] of Object.entries(dequantised) as [TensorDType, string][]) {
    const { bytes: size } = blockLayouts[dtype];
    let state = 1;
    const bytes = Uint8Array.from({ length: 64 * size }, (_, i) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const byte = state >>> 24;
      return (scales[dtype] ?? [1]).includes(i % size) ? (byte & 0x83) | 0x28 : byte;
    });
    const out = Float32Array.from(values(dtype, bytes));
    assert.equal(createHash('sha256').update(new Uint8Array(out.buffer)).digest('hex'), sha256, dtype);
  }
});

// The root mean square of what quantising lost, relative to that of the input: at a uniform spread over the codes it is about
// 1 / (1.7 x codes). A wrong bit, scale or order of values makes it several times as much.
for (const [dtype, file, loss] of [
  ['Q8_0', 'q8_0_64', 0.005],
  ['Q6_K', 'q6_k_512', 0.02],
  ['Q5_0', 'q5_0_64', 0.04],
  ['Q5_1', 'q5_1_64', 0.04],
  ['Q5_K', 'q5_k_512', 0.04],
  ['Q4_0', 'q4_0_64', 0.08],
  ['Q4_1', 'q4_1_64', 0.08],
  ['Q4_K', 'q4_k_512', 0.08],
  ['IQ4_NL', 'iq4_nl_64', 0.08],
  ['Q3_K', 'q3_k_512', 0.15],
  ['Q2_K', 'q2_k_512', 0.3],
] as const) {
  test(`${dtype} bytes of llama.cpp's quantiser give back its input to the type's step`, needsShared, () => {
    const { input, expected } = sharedVectors(file);
    const out = Float32Array.from(values(dtype, expected));
    assert.equal(out.length, input.length);
    assert.ok(relativeLoss(input, out) < loss, `${relativeLoss(input, out)}`);
  });
}

test('bytes that are no whole number of blocks, or not as many as the values, are refused', () => {
  assert.throws(() => dequantise('Q8_0', new Uint8Array(35), new Float32Array(32)), RangeError);
  assert.throws(() => dequantise('Q8_0', new Uint8Array(17), new Float32Array(16)), RangeError);
  assert.throws(() => dequantise('F32', new Uint8Array(8), new Float32Array(3)), RangeError);
});

test('any bytes of whole blocks give as many values, and no others are taken (fuzz)', () => {
  fc.assert(
    fc.property(fc.constantFrom(...dtypes), fc.integer({ min: 0, max: 3 }), fc.infiniteStream(fc.integer({ min: 0, max: 255 })), (dtype, blocks, stream) => {
      const { values: perBlock, bytes: size } = blockLayouts[dtype];
      const bytes = Uint8Array.from(stream.take(blocks * size));
      const out = new Float32Array(blocks * perBlock);
      dequantise(dtype, bytes, out);
      assert.throws(() => dequantise(dtype, new Uint8Array(blocks * size + 1), out), RangeError);
      assert.throws(() => dequantise(dtype, bytes, new Float32Array(blocks * perBlock + 1)), RangeError);
    }),
    { numRuns: 200 },
  );
});
