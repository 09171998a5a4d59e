import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { dequantise } from '../../src/formats/dequantise.ts';
import { blockLayouts } from '../../src/formats/ggml.ts';
import type { BlockLayout } from '../../src/formats/ggml.ts';
import { openGguf } from '../../src/formats/gguf.ts';
import type { GgufReader } from '../../src/formats/gguf.ts';
import { elementCount } from '../../src/formats/tensors.ts';
import type { TensorDType } from '../../src/formats/tensors.ts';
import { float32Bytes, ggml, ggufFile, q8Block } from './gguf-writer.ts';
import type { GgufSource, TypedValue } from './gguf-writer.ts';
import { assertRefuses, isRefused, temporaryFolder } from './support.ts';

const codes = Array.from({ length: 32 }, (_, i) => i * 8 - 127);
const small: GgufSource = {
  metadata: [
    ['general.architecture', [8, 'llama']],
    ['k', [9, [8, ['a', 'bc']]]],
    ['n', [4, 7]],
  ],
  tensors: [
    { name: 'a', shape: [2, 3], type: ggml.F32, data: float32Bytes(1, 2, 3, 4, 5, 6) },
    { name: 'b', shape: [4], type: ggml.F16, data: new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0, 0x3800).buffer) },
    { name: 'c', shape: [1, 32], type: ggml.Q8_0, data: q8Block(0x3800, codes) },
  ],
};

function opener(t: TestContext): (bytes: Uint8Array) => GgufReader {
  const path = join(temporaryFolder(t), 'x.gguf');
  return (bytes) => {
    writeFileSync(path, bytes);
    return openGguf(path);
  };
}

function read(reader: GgufReader, name: string): number[] {
  const out = new Float32Array(elementCount(reader.tensors.get(name)!.shape)!);
  reader.readFloat32(name, out);
  return [...out];
}

for (const version of [2, 3]) {
  test(`version ${version}: names, row-major shapes, types and values`, (t) => {
    const reader = opener(t)(ggufFile({ ...small, version }).bytes);
    t.after(() => reader.close());
    assert.equal(reader.version, version);
    assert.deepEqual([...reader.tensors.values()].map(({ name, dtype, shape, byteLength }) => [name, dtype, shape, byteLength]), [
      ['a', 'F32', [2, 3], 24],
      ['b', 'F16', [4], 8],
      ['c', 'Q8_0', [1, 32], 34],
    ]);
    assert.deepEqual(read(reader, 'a'), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(read(reader, 'b'), [1, -2, 0, 0.5]);
    assert.deepEqual(read(reader, 'c'), codes.map((code) => code / 2));
  });
}

test('a tensor of every type is opened and read', (t) => {
  const types = Object.entries(blockLayouts) as [TensorDType, BlockLayout][];
  const tensors = types.map(([name, { id, values, bytes }]) => {
    const data = Uint8Array.from({ length: (512 / values) * bytes }, (_, i) => (i * 37) & 0x3b); // no NaN in any of them
    return { name, shape: [2, 256], type: id, data };
  });
  const reader = opener(t)(ggufFile({ tensors }).bytes);
  t.after(() => reader.close());
  for (const [i, [dtype]] of types.entries()) {
    const expected = new Float32Array(512);
    dequantise(dtype, tensors[i]!.data, expected);
    assert.equal(reader.tensors.get(dtype)!.dtype, dtype);
    assert.deepEqual(read(reader, dtype), [...expected]);
  }
});

test('every type of metadata value, with the extremes of each', (t) => {
  const values: [string, TypedValue, unknown][] = [
    ['u8', [0, 255], 255],
    ['i8', [1, -128], -128],
    ['u16', [2, 65535], 65535],
    ['i16', [3, -32768], -32768],
    ['u32', [4, 4294967295], 4294967295],
    ['i32', [5, -2147483648], -2147483648],
    ['f32', [6, 0.5], 0.5],
    ['true', [7, true], true],
    ['false', [7, false], false],
    ['text', [8, 'Ġ 日本 \u0000'], 'Ġ 日本 \u0000'],
    ['replacement', [8, '\ufffd'], '\ufffd'],
    ['empty', [8, ''], ''],
    ['u64', [10, 2 ** 53 - 1], 2 ** 53 - 1],
    ['big u64', [10, 2n ** 64n - 1n], 2n ** 64n - 1n],
    ['big i64', [11, -(2n ** 63n)], -(2n ** 63n)],
    ['f64', [12, Math.PI], Math.PI],
    ['nested', [9, [9, [[4, [1, 2]], [8, ['x']], [7, []]]]], [[1, 2], ['x'], []]],
    ['__proto__', [8, 'a key like any other'], 'a key like any other'],
  ];
  const reader = opener(t)(ggufFile({ metadata: values.map(([key, value]) => [key, value]) }).bytes);
  t.after(() => reader.close());
  assert.deepEqual([...reader.metadata], values.map(([key, , value]) => [key, value]));
});

test('another alignment is followed, and values larger than the reading window come whole', (t) => {
  const long = 'ä'.repeat(400_000);
  const strings = Array.from({ length: 30_000 }, (_, i) => `token ${i} ${'x'.repeat(i % 40)}`);
  const reader = opener(t)(
    ggufFile({
      ...small,
      alignment: 64,
      metadata: [
        ['general.alignment', [4, 64]],
        ['long', [8, long]],
        ['strings', [9, [8, strings]]],
      ],
    }).bytes,
  );
  t.after(() => reader.close());
  assert.equal(reader.metadata.get('long'), long);
  assert.deepEqual(reader.metadata.get('strings'), strings);
  assert.deepEqual(read(reader, 'b'), [1, -2, 0, 0.5]);
});

test('the metadata of a vocabulary of 50,000 tokens is read in under a second', (t) => {
  const tokens = Array.from({ length: 50_000 }, (_, i) => `Ġtoken${i}`);
  const { bytes } = ggufFile({
    metadata: [
      ['tokens', [9, [8, tokens]]],
      ['types', [9, [5, tokens.map(() => 1)]]],
      ['merges', [9, [8, tokens.map((token) => `${token} x`)]]],
    ],
  });
  const open = opener(t);
  const start = performance.now();
  const reader = open(bytes);
  const seconds = (performance.now() - start) / 1000;
  reader.close();
  assert.ok(seconds < 1, `${seconds} s`);
  assert.equal((reader.metadata.get('merges') as string[]).at(-1), 'Ġtoken49999 x');
});

test('a tensor longer than one reading piece is read whole', (t) => {
  const rows = 3000;
  const data = Buffer.concat(Array.from({ length: rows * 32 }, (_, i) => q8Block(0x3c00, [i % 128])));
  const reader = opener(t)(ggufFile({ tensors: [{ name: 'x', shape: [rows, 1024], type: ggml.Q8_0, data }] }).bytes);
  t.after(() => reader.close());
  const out = new Float32Array(rows * 1024);
  reader.readFloat32('x', out);
  for (let block = 0; block < rows * 32; block++) assert.equal(out[block * 32], block % 128);
});

test('lies about versions, counts, sizes, types and places are refused with the byte', (t) => {
  const open = opener(t);
  const near63 = 2n ** 63n - 1n;
  const u32 = (mark: string, value: number) => (bytes: Buffer, marks: Map<string, number>) =>
    void bytes.writeUInt32LE(value, marks.get(mark)!);
  const u64 = (mark: string, value: bigint) => (bytes: Buffer, marks: Map<string, number>) =>
    void bytes.writeBigUInt64LE(value, marks.get(mark)!);
  const cases: [change: (bytes: Buffer, marks: Map<string, number>) => void, message: RegExp][] = [
    [(bytes) => void bytes.write('ggjt'), /byte 0: expected the letters GGUF, found "ggjt"/],
    [u32('version', 1), /byte 4: expected GGUF version 2 or 3, little-endian, found version 1/],
    [u32('version', 4), /found version 4/],
    [u32('version', 0), /found version 0/],
    [u32('version', 0x03000000), /found a big-endian file/],
    [u64('tensor count', near63), /byte 8: expected at most \d+ tensors, found 9223372036854775807/],
    [u64('tensor count', 2n ** 64n - 1n), /found 18446744073709551615/],
    [u64('tensor count', 4n), /expected/],
    [u64('pair count', near63), /byte 16: expected at most \d+ metadata entries, found 9223372036854775807/],
    [u64('general.architecture key', near63), /bytes in metadata key 1 of 3, found 9223372036854775807/],
    [u64('general.architecture key', 0n), /byte 24: expected a metadata key, found an empty one/],
    [u64('general.architecture value', near63), /bytes in the value of general\.architecture/],
    [(bytes, marks) => void (bytes[marks.get('general.architecture value')! + 8] = 0xff), /expected UTF-8 text in the value/],
    [u32('n type', 13), /metadata type from 0 to 12 for n, found type 13/],
    [u32('n type', 7), /expected a boolean \(0 or 1\) for n, found 7/],
    [u32('k value', 99), /type from 0 to 12 for the entries of k, found type 99/],
    [(bytes, marks) => void bytes.writeBigUInt64LE(near63, marks.get('k value')! + 4), /entries in k, found 9223372036854775807/],
    [u64('a name', near63), /bytes in the name of tensor 1/],
    [u32('a rank', 0), /1 to 4 dimensions for a, found 0/],
    [u32('a rank', 5), /1 to 4 dimensions for a, found 5/],
    [u64('a dimension 0', 0n), /dimensions of at least 1 for a, found 0/],
    [u64('a dimension 0', near63), /dimension 0 of a, found 9223372036854775807/],
    [u64('a dimension 0', 2n ** 52n), /a of shape \[2, 4503599627370496\] in F32 to fit/],
    [u64('c dimension 0', 33n), /rows of a multiple of 32 values for Q8_0 in c, found 33/],
    [u32('a type', 16), /tensor a: expected one of .* found IQ2_XXS \(ggml type 16\)/],
    [u32('a type', 31), /found the unknown ggml type 31/],
    [u64('b offset', 8n), /the data of b at a multiple of 32, found offset 8/],
    [u64('b offset', 0n), /tensors apart from each other, found a and b over each other/],
    [u64('c offset', 96n), /expected 34 bytes of tensor c, found the end of the file/],
    [u64('c offset', near63), /bytes before c, found 9223372036854775807/],
    [(bytes, marks) => void bytes.write('b', marks.get('c name')! + 8), /every tensor name once, found "b" twice/],
    [(bytes, marks) => void bytes.write('k', marks.get('n key')! + 8), /every metadata key once, found "k" twice/],
  ];
  for (const [change, message] of cases) {
    const { bytes, marks } = ggufFile(small);
    change(bytes, marks);
    assertRefuses(() => open(bytes), message);
  }
});

test('metadata that the file itself depends on is checked', (t) => {
  const open = opener(t);
  const withPair = (key: string, value: TypedValue): Buffer => ggufFile({ ...small, metadata: [[key, value]] }).bytes;
  for (const value of [[4, 0], [4, 33], [5, -32], [8, 'x'], [6, 0.5], [10, 2n ** 63n]] as TypedValue[]) {
    assertRefuses(() => open(withPair('general.alignment', value)), /general\.alignment: expected a power of two/);
  }
  assertRefuses(() => open(withPair('split.count', [2, 3])), /expected a model in one GGUF file, found one part of 3/);
  open(withPair('split.count', [2, 1])).close();
  let deep: TypedValue = [9, [4, [1]]];
  for (let i = 0; i < 4; i++) deep = [9, [9, [deep[1]]]];
  assertRefuses(() => open(withPair('deep', deep)), /arrays at most 4 deep in deep/);
});

test('a name out of the file reaches a message without control characters, and cut', (t) => {
  const name = `\u001b[2J${'x'.repeat(5000)}`;
  const { bytes } = ggufFile({ tensors: [{ name, shape: [1], type: 16, data: float32Bytes(1) }] });
  assert.throws(() => opener(t)(bytes), (error: Error) => {
    assert.match(error.message, /tensor \\u\{1b\}\[2Jx+…: expected/);
    return error.message.length < 1000;
  });
});

test('an array count that fits the file but not the bound on entries allocates nothing', (t) => {
  const open = opener(t);
  // 34 million one-byte entries, the file really that long: refused by the bound, not by the file's end.
  const { bytes, marks } = ggufFile({ metadata: [['k', [9, [0, []]]]] });
  const long = Buffer.alloc(bytes.length + 34_000_000);
  bytes.copy(long);
  long.writeBigUInt64LE(34_000_000n, marks.get('k value')! + 4);
  assertRefuses(() => open(long), /at most 33554432 entries in k, found 34000000/);
});

test('a file cut at any byte is refused, and says where', (t) => {
  const open = opener(t);
  const { bytes } = ggufFile(small);
  for (let length = 0; length < bytes.length; length++) {
    assertRefuses(() => open(bytes.subarray(0, length)), /x\.gguf byte \d+: expected/);
  }
});

test('what is no file is refused, and a tensor asked for wrongly', (t) => {
  const folder = temporaryFolder(t);
  assertRefuses(() => openGguf(folder), /expected a GGUF file, found a folder/);
  assertRefuses(() => openGguf(join(folder, 'none.gguf')), /found nothing there/);
  symlinkSync('loop.gguf', join(folder, 'loop.gguf'));
  assertRefuses(() => openGguf(join(folder, 'loop.gguf')), /found links that lead in a circle/);
  assertRefuses(() => openGguf('/dev/null'), /found something that is not a regular file/);
  const reader = opener(t)(ggufFile(small).bytes);
  assertRefuses(() => reader.readFloat32('none', new Float32Array(1)), /a tensor named "none", found 3 tensors/);
  assert.throws(() => reader.readFloat32('a', new Float32Array(5)), /tensor a has 6 values, the given array 5/);
  reader.close();
  reader.close();
  assert.throws(() => reader.readFloat32('a', new Float32Array(6)), /after it was closed/);
});

test('fuzz: overwritten bytes give a reader that reads, or a refusal (seed 20)', (t) => {
  const open = opener(t);
  const { bytes, marks } = ggufFile(small);
  let refused = 0;
  const change = fc.record({
    at: fc.oneof(fc.nat(bytes.length - 1), fc.constantFrom(...marks.values())),
    with: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 8 }),
      fc.bigInt(0n, 2n ** 64n - 1n).map((value) => new Uint8Array(BigUint64Array.of(value).buffer)),
      fc.nat(64).map((value) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer)),
    ),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      const copy = Buffer.from(bytes);
      for (const { at, with: patch } of changes) copy.set(patch.subarray(0, copy.length - at), at);
      const isOpen = !isRefused(() => {
        const reader = open(copy);
        for (const name of reader.tensors.keys()) read(reader, name);
        reader.close();
      });
      if (!isOpen) refused++;
    }),
    { seed: 20, numRuns: 1500 },
  );
  assert.ok(refused > 300 && refused < 1500, `${refused} refused: both ways were met`);
});
