import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { blockLayouts, dequantise, dtypeOfGgmlId } from '../../src/formats/ggml.ts';
import type { TensorDType } from '../../src/formats/tensors.ts';
import { assertRefuses } from './support.ts';

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

test("pseudo-random blocks give the very bits of llama.cpp's own dequantiser (made by ggml-hashes.py, gguf 0.19.0)", () => {
  const expected: [TensorDType, number[], string][] = [
    ['Q4_0', [1], '4bbcd6e9a6577b7111856b4542315b21ca55b914f66f443d0e1e50e80fa84225'],
    ['Q4_1', [1, 3], '6fc1a05e966f93459856ce9d33b2314bc3cb94a63ba0918f7318f9f703db7e03'],
    ['Q5_0', [1], '9f4cccb1c5ca7ef309c214b46a7c84946190a7691539640550ea74dbeda7cae3'],
    ['Q5_1', [1, 3], '80cd08c37216d95cd55b0f2f7d066fd6e3c10352747d05ecdb26e4282b069bb7'],
    ['Q8_0', [1], 'c212adc1db310adabc7a1dcbab4416a05160943bef6c7792cb0ddd1dda2efee6'],
    ['Q6_K', [209], '4f418a93190e86e368b38c3c9a1a0b92fd163e16b077c0f327324982c4aff74e'],
  ];
  for (const [dtype, scales, sha256] of expected) {
    const { bytes: size } = blockLayouts[dtype];
    let state = 1;
    const bytes = Uint8Array.from({ length: 64 * size }, (_, i) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const byte = state >>> 24;
      return scales.includes(i % size) ? (byte & 0x83) | 0x28 : byte;
    });
    const out = Float32Array.from(values(dtype, bytes));
    assert.equal(createHash('sha256').update(new Uint8Array(out.buffer)).digest('hex'), sha256, dtype);
  }
});

const shared = new URL('../../../shared/data/ggml-quants/', import.meta.url);

// The largest distance from the input, in steps of the block, by the way each type's scale is chosen: half a step where
// it spans the block's range, a whole one at the far end of the types that spend their odd code on one sign. The
// rounding of the scale to float16 comes on top.
for (const [dtype, file, steps] of [
  ['Q4_0', 'q4_0_64', 1],
  ['Q4_1', 'q4_1_64', 0.5],
  ['Q5_0', 'q5_0_64', 1],
  ['Q5_1', 'q5_1_64', 0.5],
  ['Q8_0', 'q8_0_64', 0.5],
  ['Q6_K', 'q6_k_512', 1],
] as [TensorDType, string, number][]) {
  test(`${dtype} bytes of llama.cpp's quantiser give back its input to the type's step`, {
    skip: existsSync(shared) ? false : 'needs ../shared/data',
  }, () => {
    const input = readFileSync(new URL(`${file}_noim_input.bin`, shared));
    const source = new Float32Array(input.buffer.slice(input.byteOffset, input.byteOffset + input.length));
    const out = values(dtype, readFileSync(new URL(`${file}_noim_expected.bin`, shared)));
    assert.equal(out.length, source.length);
    const codes = { Q4_0: 15, Q4_1: 15, Q5_0: 31, Q5_1: 31, Q8_0: 254, Q6_K: 63 }[dtype as 'Q4_0'];
    const group = dtype === 'Q6_K' ? 16 : 32;
    for (let start = 0; start < out.length; start += group) {
      const block = source.subarray(start, start + group);
      const largest = Math.max(...block.map(Math.abs));
      const spans = dtype.endsWith('_1') ? Math.max(...block) - Math.min(...block) : 2 * largest;
      const step = spans / codes;
      for (let i = 0; i < group; i++) {
        const error = Math.abs(out[start + i]! - block[i]!);
        assert.ok(error <= step * steps + largest * 2 ** -9, `value ${start + i}: error ${error}, step ${step}`);
      }
    }
  });
}

test('ids of llama.cpp map to types; others are refused by name or number', () => {
  const ids: [number, TensorDType][] = [
    [0, 'F32'],
    [1, 'F16'],
    [2, 'Q4_0'],
    [3, 'Q4_1'],
    [6, 'Q5_0'],
    [7, 'Q5_1'],
    [8, 'Q8_0'],
    [14, 'Q6_K'],
    [30, 'BF16'],
  ];
  for (const [id, dtype] of ids) assert.equal(dtypeOfGgmlId(id, 'x.gguf'), dtype);
  assertRefuses(() => dtypeOfGgmlId(12, 'x.gguf byte 5'), /^x\.gguf byte 5: expected one of .*Q6_K.* found Q4_K \(ggml type 12\)/);
  assertRefuses(() => dtypeOfGgmlId(99, 'x.gguf'), /found the unknown ggml type 99/);
});

test('bytes that are no whole number of blocks, or not as many as the values, are refused', () => {
  assert.throws(() => dequantise('Q8_0', new Uint8Array(35), new Float32Array(32)), RangeError);
  assert.throws(() => dequantise('Q8_0', new Uint8Array(17), new Float32Array(16)), RangeError);
  assert.throws(() => dequantise('F32', new Uint8Array(8), new Float32Array(3)), RangeError);
});
