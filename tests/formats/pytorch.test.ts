/** Weights that torch.save wrote: every value against tools/pytorch-fixture, folders and shards, and what is no such file. */
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openWeightsFolder } from '../../src/formats/folder.ts';
import { openPytorch, readPytorchContents } from '../../src/formats/pytorch.ts';
import { elementCount, type TensorReader } from '../../src/formats/tensors.ts';
import { assertRefuses, temporaryFolder } from './support.ts';
import { archive, dict, fourFloats, int, memoryFile, storage, tensor, whole, zip } from './torch-writer.ts';

const fixtures = join(import.meta.dirname, '../fixtures/pytorch');
const { files: expected } = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as {
  files: Record<string, Record<string, { dtype: string; shape: number[]; values: number[] | null }>>;
};

function read(reader: TensorReader, name: string): number[] {
  const out = new Float32Array(elementCount(reader.tensors.get(name)!.shape)!);
  reader.readFloat32(name, out);
  return [...out];
}

/** Stored in other ways than row by row. */
const strided = new Set(['views across']);

for (const [name, tensors] of Object.entries(expected)) {
  test(`what torch saved: ${name}`, () => {
    const reader = openPytorch(join(fixtures, name === 'sharded' ? name : `${name}.bin`));
    assert.deepEqual([...reader.tensors.keys(), ...reader.otherTensors.keys()].toSorted(), Object.keys(tensors).toSorted());
    for (const [key, { dtype, shape, values }] of Object.entries(tensors)) {
      const found = reader.tensors.get(key) ?? reader.otherTensors.get(key)!;
      assert.deepEqual([found.dtype, [...found.shape]], [dtype, shape], key);
      if (!['F32', 'F16', 'BF16'].includes(dtype)) {
        assertRefuses(() => reader.readFloat32(key, new Float32Array(1)), new RegExp(`tensor "${key}": expected F32, F16 or BF16, found ${dtype}`));
      } else if (strided.has(`${name} ${key}`)) {
        assertRefuses(() => read(reader, key), /tensor "across": expected values that lie row by row, for shape \[3, 2\], found strides \[1, 3\]/);
      } else {
        assert.deepEqual(read(reader, key), values, key);
      }
    }
    assertRefuses(() => reader.readFloat32('none.such', new Float32Array(1)), /a tensor named "none\.such"/);
    reader.close();
  });
}

test('a model of a family in both formats is the same to the bit', () => {
  const ours = openPytorch(join(fixtures, 'neox'));
  const twin = openWeightsFolder(join(fixtures, 'neox'));
  assert.match(twin.tensors.get('embed_out.weight')!.dtype, /F16/);
  assert.equal(twin.tensors.size, ours.tensors.size);
  for (const name of twin.tensors.keys()) assert.deepEqual(read(ours, name), read(twin, name));
});

test('a half-precision tensor longer than one reading piece is read whole', (t) => {
  const path = join(temporaryFolder(t), 'x.bin');
  const count = 2 ** 21 + 5;
  const bits = Uint16Array.from({ length: count }, (_, i) => (i % 251) + 0x3f80);
  const pickle = whole(dict({ x: tensor({ from: storage('0', int(count), 'BFloat16Storage'), shape: [int(count)] }) }));
  writeFileSync(path, archive(pickle, { 0: Buffer.from(bits.buffer) }));
  const reader = openPytorch(path);
  const out = new Float32Array(count);
  reader.readFloat32('x', out);
  reader.close();
  assert.ok(Buffer.from(out.buffer).equals(Buffer.from(Uint32Array.from(bits, (value) => value << 16).buffer)));
});

test('a folder: safetensors first, then pytorch_model.bin, then shards by their index', (t) => {
  const folder = temporaryFolder(t);
  assertRefuses(() => openWeightsFolder(folder), /expected weights in model\.safetensors or pytorch_model\.bin, or an index of their shards, found none of them/);
  assertRefuses(() => openPytorch(folder), /expected pytorch_model\.bin or pytorch_model\.bin\.index\.json, found neither/);
  cpSync(join(fixtures, 'sharded'), folder, { recursive: true });
  assert.deepEqual([...openWeightsFolder(folder).tensors.keys()].toSorted(), ['a.bias', 'a.weight', 'b.weight']);
  copyFileSync(join(fixtures, 'f32.bin'), join(folder, 'pytorch_model.bin'));
  assert.ok(openWeightsFolder(folder).tensors.has('scalar'));
  copyFileSync(join(fixtures, 'neox/model.safetensors'), join(folder, 'model.safetensors'));
  assert.ok(openWeightsFolder(folder).tensors.has('embed_out.weight'));
});

test('shards and their index must agree', (t) => {
  const folder = temporaryFolder(t);
  cpSync(join(fixtures, 'sharded'), folder, { recursive: true });
  const [one, two] = ['pytorch_model-00001-of-00002.bin', 'pytorch_model-00002-of-00002.bin'] as const;
  const cases: [unknown, RegExp][] = [
    [{ 'a.weight': one, 'a.bias': one, 'b.weight': two, c: two }, /expected tensor "c" in pytorch_model-00002-of-00002\.bin, found no such tensor there/],
    [{ 'a.weight': one, 'b.weight': two }, /only tensors that .* places in this shard, found "a\.bias", which it does not list/],
    [{ 'a.weight': two, 'a.bias': one, 'b.weight': two }, /"a\.weight", which it places in pytorch_model-00002/],
    [{ a: '../x.bin' }, /names of \.bin files in the same folder, found "\.\.\/x\.bin" for a/],
    [{ a: 'model.safetensors' }, /names of \.bin files in the same folder/],
    [{ a: '.bin' }, /names of \.bin files/],
    [{ a: 'pytorch_model-3.bin' }, /expected the shard .* found nothing there/],
  ];
  for (const [map, message] of cases) {
    writeFileSync(join(folder, 'pytorch_model.bin.index.json'), JSON.stringify({ metadata: {}, weight_map: map }));
    assertRefuses(() => openPytorch(folder), message);
  }
});

test('files of another kind are refused by its name', (t) => {
  const folder = temporaryFolder(t);
  const good = whole(dict({ w: tensor() }));
  const parts = (pickle: Uint8Array, ...others: [string, string][]) => zip([{ name: 'm/data.pkl', data: pickle }, ...others.map(([name, data]) => ({ name, data: Buffer.from(data) }))]);
  const tar = Buffer.alloc(512);
  tar.write('ustar', 257);
  const cases: [string | Uint8Array, RegExp][] = [
    [readFileSync(join(fixtures, 'old-format.bin')), /since PyTorch 1\.6, found the format of older versions of PyTorch\. Load it where PyTorch is.*save it again as safetensors/],
    [readFileSync(join(fixtures, 'torchscript.bin')), /found a TorchScript program \(torchscript\/code\/.*save it again as safetensors/],
    [readFileSync(join(fixtures, 'whole-module.bin')), /found torch\.nn\.modules\.linear\.Linear, by which Python would run code\. Nothing of it was run/],
    [parts(good, ['m/constants.pkl', '']), /found a TorchScript program \(m\/constants\.pkl\)/],
    [tar, /found a tar archive/],
    [good, /found a bare pickle/],
    ['version https://git-lfs.github.com/spec/v1\n', /expected weights, found a Git LFS pointer/],
    ['', /found another beginning/],
    ['<html>', /found another beginning/],
    [parts(good, ['m/version', '3\n'], ['m/byteorder', 'big']), /expected little-endian values, found byteorder "big"/],
    [parts(good, ['m/version', '11\n']), /an entry "version" of at most 10, found "11"/],
    [parts(good, ['m/version', 'new\n']), /found "new"/],
    [parts(good, ['m/version', '3'.repeat(17)]), /a short text in version, found 17 bytes/],
    [parts(good), /an entry "version" of at most 10, found none/],
    [parts(good, ['m/version', '3\n'], ['n/version', '3\n']), /expected all entries below m\/, found "n\/version"/],
    [zip([{ name: 'm/version', data: Buffer.from('3\n') }]), /an entry data\.pkl, found none among 1 entries/],
    [zip([]), /found another beginning/],
    [archive(whole(dict({ w: 'K\u0001' }))), /tensor "w": expected a tensor under every name, found 1\. Save the state dict/],
    [archive(whole(dict({ model: dict({ w: tensor() }) })), fourFloats), /tensor "model": expected a tensor under every name, found a dictionary of 1/],
    [archive(whole(tensor()), fourFloats), /expected a dictionary of tensors, found a tensor \[4\]/],
    [archive(whole('}K\u0001', tensor(), 's'), fourFloats), /expected texts as names of tensors, found 1/],
    [archive(whole('}', 'X\u0001\0\0\0w', tensor(), 's', 'X\u0001\0\0\0w', tensor(), 's'), fourFloats), /tensor "w": expected every name once, found it twice/],
  ];
  for (const [i, [bytes, message]] of cases.entries()) {
    const path = join(folder, `${i}.bin`);
    writeFileSync(path, bytes);
    assertRefuses(() => openPytorch(path), message);
  }
  mkdirSync(join(folder, 'pytorch_model.bin'));
  assertRefuses(() => openPytorch(folder), /expected a PyTorch file \(\.bin\), found a folder/);
});

for (const name of ['module', 'protocol4', 'tied']) {
  test(`a file cut at any byte is refused: ${name}`, () => {
    const bytes = readFileSync(join(fixtures, `${name}.bin`));
    assert.ok(readPytorchContents(memoryFile(bytes)).entries.length > 1);
    for (let length = 0; length < bytes.length; length++) assertRefuses(() => readPytorchContents(memoryFile(bytes.subarray(0, length))), /x\.bin/);
  });
}
