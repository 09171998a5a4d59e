import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import type { SafetensorsReader } from '../../src/formats/safetensors.ts';
import { elementCount } from '../../src/formats/tensors.ts';
import { assertRefuses, isRefused, temporaryFolder } from './support.ts';

const float32 = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);

/** A file with this header, given as a value or as its text, and this data. */
function file(header: unknown, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

const entry = (dtype: string, shape: unknown, ...data_offsets: unknown[]): unknown => ({ dtype, shape, data_offsets });

const small = file(
  {
    __metadata__: { format: 'pt' },
    b: entry('F32', [2, 2], 4, 20),
    a: entry('BF16', [2], 0, 4),
    half: entry('F16', [1], 20, 22),
    mask: entry('BOOL', [3], 22, 25),
    none: entry('F32', [0, 4], 25, 25),
  },
  Buffer.concat([Buffer.of(0x80, 0x3f, 0x00, 0xc0), float32(1, 2, 3, 4), Buffer.of(0x00, 0x38, 1, 0, 1)]),
);

function opener(t: TestContext): (bytes: Uint8Array) => SafetensorsReader {
  const path = join(temporaryFolder(t), 'x.safetensors');
  return (bytes) => {
    writeFileSync(path, bytes);
    return openSafetensors(path);
  };
}

function read(reader: SafetensorsReader, name: string): number[] {
  const out = new Float32Array(elementCount(reader.tensors.get(name)!.shape)!);
  reader.readFloat32(name, out);
  return [...out];
}

test('tensors of the three float types, in any order and at odd places, with metadata', (t) => {
  const reader = opener(t)(small);
  t.after(() => reader.close());
  assert.deepEqual(reader.metadata, { format: 'pt' });
  assert.deepEqual(read(reader, 'a'), [1, -2]);
  assert.deepEqual(read(reader, 'b'), [1, 2, 3, 4]);
  assert.deepEqual(read(reader, 'half'), [0.5]);
  assert.deepEqual(read(reader, 'none'), []);
  assert.deepEqual(reader.tensors.get('b'), { name: 'b', dtype: 'F32', shape: [2, 2], byteLength: 16 });
  assert.deepEqual([...reader.otherTensors], [['mask', { dtype: 'BOOL', shape: [3] }]]);
  assert.ok(!reader.tensors.has('mask'));
  assertRefuses(() => reader.readFloat32('mask', new Float32Array(3)), /tensor "mask": expected F32, F16 or BF16, found BOOL/);
  assertRefuses(() => reader.readFloat32('c', new Float32Array(3)), /a tensor named "c"/);
  assert.throws(() => reader.readFloat32('b', new Float32Array(3)), RangeError);
});

test('a half-precision tensor longer than one reading piece is read whole', (t) => {
  const count = 2 ** 21 + 5;
  const bits = Uint16Array.from({ length: count }, (_, i) => (i % 251) + 0x3f80);
  const reader = opener(t)(file({ x: entry('BF16', [count], 0, count * 2) }, Buffer.from(bits.buffer)));
  t.after(() => reader.close());
  const out = new Float32Array(count);
  reader.readFloat32('x', out);
  const expected = new Float32Array(Uint32Array.from(bits, (value) => value << 16).buffer);
  assert.ok(Buffer.from(out.buffer).equals(Buffer.from(expected.buffer)));
});

test('headers that do not add up to exactly this file are refused with the reason', (t) => {
  const open = opener(t);
  const lengthIs = (value: bigint): Buffer => {
    const bytes = Buffer.from(small);
    bytes.writeBigUInt64LE(value);
    return bytes;
  };
  const eight = Buffer.alloc(8);
  const cases: [Buffer, RegExp][] = [
    [Buffer.from('version https://git-lfs.github.com/spec/v1\n'), /expected weights, found a Git LFS pointer to them/],
    [file({ 'a\u001b[2J\u009b': 1 }), /tensor "a\\u001b\[2J\\u\{9b\}": expected an object/],
    [Buffer.alloc(7), /a safetensors header of at least 8 bytes, found a file of 7 bytes/],
    [lengthIs(2n ** 63n - 1n), /a length of 9223372036854775807/],
    [lengthIs(2n ** 64n - 1n), /a length of 18446744073709551615/],
    [lengthIs(BigInt(small.length - 7)), /a header of at most \d+ bytes/],
    [file('[1]'), /a JSON object as header, found \[1\]/],
    [file('{"a":'), /of the header: expected a JSON value/],
    [file('\ufeff{}'), /of the header: expected a JSON value/],
    [file('['.repeat(100_000)), /levels of nesting/],
    [Buffer.concat([file('{}').subarray(0, 8), Buffer.of(0xff, 0xfe)]), /UTF-8 in the header/],
    [file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', eight), /the key "a" twice/],
    [file({ a: 1 }), /tensor "a": expected an object/],
    [file({ a: { dtype: 'F32', shape: [1] } }, eight), /data_offsets of two ascending byte positions, found nothing/],
    [file({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8], strides: [1] } }, eight), /also "strides"/],
    [file({ a: entry('F99', [2], 0, 8) }, eight), /expected a dtype out of .*, found "F99"/],
    [file({ a: entry('constructor', [2], 0, 8) }, eight), /found "constructor"/],
    [file({ a: entry('F32', [-2], 0, 8) }, eight), /a shape of non-negative whole numbers, found \[-2\]/],
    [file({ a: entry('F32', [1.5], 0, 8) }, eight), /a shape of non-negative whole numbers/],
    [file({ a: entry('F32', '2', 0, 8) }, eight), /a shape of non-negative whole numbers/],
    [file({ a: entry('F32', [2 ** 32, 2 ** 32], 0, 8) }, eight), /more bytes than a file can have/],
    [file({ a: entry('F32', [2 ** 63], 0, 8) }, eight), /a shape of non-negative whole numbers/],
    [file({ a: entry('F32', [3], 0, 8) }, eight), /expected 12 bytes for F32 of shape \[3\], found 8 bytes/],
    [file({ a: entry('F16', [2], 0, 8) }, eight), /expected 4 bytes for F16 of shape \[2\], found 8 bytes/],
    [file({ a: entry('F32', [2], 8, 0) }, eight), /two ascending byte positions/],
    [file({ a: entry('F32', [2], 0, 2 ** 63) }, eight), /two ascending byte positions/],
    [file({ a: entry('F32', [1], 0, 4), b: entry('F32', [1], 2, 6) }, eight), /tensor "b": expected data from byte 4, found an overlap from 2/],
    [file({ a: entry('F32', [1], 0, 4), b: entry('F32', [1], 0, 4) }, eight), /an overlap from 0/],
    [file({ a: entry('U8', [2], 0, 2), b: entry('F32', [1], 4, 8) }, eight), /tensor "b": expected data from byte 2, found a hole up to 4/],
    [file({ a: entry('F32', [1], 4, 8) }, eight), /a hole up to 4/],
    [file({ a: entry('F32', [3], 0, 12) }, eight), /data within 8 bytes, found an end at 12/],
    [file({ a: entry('F32', [1], 0, 4) }, eight), /the end of the last tensor, found \d+ bytes/],
    [file({}, eight), /the end of the last tensor/],
    [file({ __metadata__: { a: 1 } }), /__metadata__ "a": expected a string, found 1/],
    [file({ __metadata__: [] }), /__metadata__: expected an object of strings/],
  ];
  for (const [bytes, message] of cases) assertRefuses(() => open(bytes), message);
});

test('a file cut at any byte is refused', (t) => {
  const open = opener(t);
  for (let length = 0; length < small.length; length++) {
    assertRefuses(() => open(small.subarray(0, length)), /x\.safetensors/);
  }
});

test('fuzz: overwritten bytes give a reader that reads, or a refusal (seed 21)', (t) => {
  const open = opener(t);
  let refused = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(small.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }), (changes) => {
      const copy = Buffer.from(small);
      for (const [at, value] of changes) copy[at] = value;
      const isOpen = !isRefused(() => {
        const reader = open(copy);
        for (const name of reader.tensors.keys()) read(reader, name);
        reader.close();
      });
      if (!isOpen) refused++;
    }),
    { seed: 21, numRuns: 500 },
  );
  assert.ok(refused > 100 && refused < 500, `${refused} refused: both ways were met`);
});

test('fuzz: headers of the right form open exactly when their ranges tile the data (seed 22)', (t) => {
  const open = opener(t);
  let opened = 0;
  const range = fc.tuple(fc.nat(3), fc.nat(3));
  fc.assert(
    fc.property(fc.array(range, { maxLength: 4 }), fc.nat(6), (ranges, size) => {
      const header = Object.fromEntries(ranges.map(([begin, length], i) => [`t${i}`, entry('U8', [length], begin, begin + length)]));
      const owners = Array.from({ length: size }, (_, byte) => ranges.filter(([b, n]) => b <= byte && byte < b + n).length);
      const inside = ranges.every(([begin, length]) => begin + length <= size);
      // An empty tensor must sit on a border: no other one may hold the bytes on both of its sides.
      const borders = ranges.every(([at, n]) => n > 0 || !ranges.some(([b, m]) => b < at && at < b + m));
      const valid = inside && borders && owners.every((count) => count === 1);
      const isOpen = !isRefused(() => open(file(header, Buffer.alloc(size))).close());
      assert.equal(isOpen, valid);
      if (isOpen) opened++;
    }),
    { seed: 22, numRuns: 600 },
  );
  assert.ok(opened > 15, `${opened} opened`);
});

test('a folder: its one file, or the shards of its index', (t) => {
  const folder = temporaryFolder(t);
  assertRefuses(() => openSafetensors(folder), /expected model\.safetensors or model\.safetensors\.index\.json, found neither/);
  const index = (map: unknown): void =>
    writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: map }));
  const one = 'model-00001-of-00002.safetensors';
  const two = 'model-00002-of-00002.safetensors';
  writeFileSync(join(folder, one), file({ __metadata__: { format: 'pt' }, a: entry('F32', [1], 0, 4) }, float32(1)));
  writeFileSync(join(folder, two), file({ b: entry('F32', [2], 0, 8) }, float32(2, 3)));
  index({ a: one, b: two });
  for (const path of [folder, join(folder, 'model.safetensors.index.json')]) {
    const reader = openSafetensors(path);
    assert.deepEqual([read(reader, 'a'), read(reader, 'b')], [[1], [2, 3]]);
    assert.deepEqual(reader.metadata, { format: 'pt' });
    assert.equal(reader.path, path);
    reader.close();
  }

  const cases: [unknown, RegExp][] = [
    [{ a: one, b: two, c: two }, /expected tensor "c" in model-00002-of-00002\.safetensors, found no such tensor there/],
    [{ a: one, b: one }, /expected tensor "b" in model-00001/],
    [{ a: two, b: two }, /expected tensor "a" in model-00002/],
    [{ b: two, c: one }, /only tensors that .* places in this shard, found "a", which it does not list/],
    [{ a: one, b: 'model-3.safetensors' }, /model-3\.safetensors: expected the shard .* found nothing there/],
    [{ a: '../x.safetensors' }, /file.* in the same folder, found "\.\.\/x\.safetensors" for a/],
    [{ a: 'model.safetensors.index.json' }, /in the same folder, found "model\.safetensors\.index\.json" for a/],
    [{ a: 1 }, /in the same folder, found 1 for a/],
    [{}, /a weight_map with tensors, found an empty one/],
    [[], /an object with a weight_map, found none/],
    [undefined, /an object with a weight_map, found none/],
  ];
  for (const [map, message] of cases) {
    index(map);
    assertRefuses(() => openSafetensors(folder), message);
  }
  for (const text of ['{', 'null', '{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}']) {
    writeFileSync(join(folder, 'model.safetensors.index.json'), text);
    assertRefuses(() => openSafetensors(folder), /expected (a key|a JSON object as index|every key once)/);
  }

  writeFileSync(join(folder, 'model.safetensors'), file({ a: entry('F32', [1], 0, 4) }, float32(9)));
  const reader = openSafetensors(folder);
  assert.deepEqual(read(reader, 'a'), [9], 'the one file comes first, as in Hugging Face');
  reader.close();
});

test('weights that PyTorch wrote are read', () => {
  const path = fileURLToPath(new URL('../fixtures/parity/llama-gqa/model.safetensors', import.meta.url));
  const reader = openSafetensors(path);
  const bytes = readFileSync(path);
  const [name, { shape }] = [...reader.tensors][0]!;
  const start = Number(bytes.readBigUInt64LE()) + 8;
  const header = JSON.parse(bytes.toString('utf8', 8, start)) as Record<string, { data_offsets: [number, number] }>;
  const [begin, end] = header[name]!.data_offsets;
  const data = Uint8Array.from(bytes.subarray(start + begin, start + end));
  assert.deepEqual(read(reader, name), [...new Float32Array(data.buffer)]);
  assert.equal(elementCount(shape), (end - begin) / 4);
  reader.close();
});
