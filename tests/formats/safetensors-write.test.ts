import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../../src/errors.ts';
import { sha256File } from '../../src/formats/hash.ts';
import { openSafetensors, writeSafetensors, writeShardedSafetensors } from '../../src/formats/safetensors.ts';
import type { SafetensorsTensor } from '../../src/formats/safetensors.ts';
import { temporaryFolder } from './support.ts';

const float32 = (name: string, shape: number[], ...values: number[]): SafetensorsTensor => ({
  name,
  dtype: 'F32',
  shape,
  data: () => Float32Array.from(values),
});

test("the file has the very bytes of the format's own library (safetensors 0.8.0, save_file of numpy arrays)", async (t) => {
  const path = join(temporaryFolder(t), 'x.safetensors');
  const written = await writeSafetensors(
    path,
    [
      float32('b', [2, 3], 0, 1, 2, 3, 4, 5),
      { name: 'a', dtype: 'F16', shape: [3], data: () => Float32Array.of(0, 1, 2) },
      float32('ä', [3], 0, 1, 2),
      { name: 'z', dtype: 'I64', shape: [2], data: () => BigInt64Array.of(0n, 1n) },
      { name: '10', dtype: 'I32', shape: [2], data: () => Int32Array.of(0, 1) },
      float32('e', [0, 3]),
    ],
    { metadata: { format: 'pt' } },
  );
  const sha256 = 'f1664665725d1c3dfda628533c82950869c93fd160124e09f540f65a2c991137';
  assert.deepEqual(written, { sha256, bytes: 442 });
  assert.equal(await sha256File(path), sha256);
  assert.equal(readFileSync(path).readUInt32LE() % 8, 0);
});

test('values, shapes, types and metadata come back, whatever the names (fuzz, seed 30)', async (t) => {
  const path = join(temporaryFolder(t), 'x.safetensors');
  const source = fc.record({
    name: fc.string({ unit: 'binary' }).filter((name) => name !== '__metadata__' && name.isWellFormed()),
    dtype: fc.constantFrom('F32', 'F16', 'BF16'),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(source, { maxLength: 5, selector: ({ name }) => name }),
      fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
      async (sources, metadata) => {
        const valuesOf = (shape: number[]): Float32Array =>
          Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i - 3); // exact in every type
        const tensors = sources.map(({ name, dtype, shape }) => ({ name, dtype, shape, data: () => valuesOf(shape) }) as SafetensorsTensor);
        await writeSafetensors(path, tensors, { metadata });
        const reader = openSafetensors(path);
        try {
          assert.deepEqual({ ...reader.metadata }, { ...metadata });
          assert.equal(reader.tensors.size, sources.length);
          for (const { name, dtype, shape } of sources) {
            const info = reader.tensors.get(name)!;
            assert.deepEqual([info.dtype, info.shape], [dtype, shape]);
            const out = new Float32Array(valuesOf(shape).length);
            reader.readFloat32(name, out);
            assert.deepEqual(out, valuesOf(shape));
          }
        } finally {
          reader.close();
        }
      },
    ),
    { seed: 30, numRuns: 40 },
  );
});

test('each tensor is asked for once, in its turn, also one longer than a writing piece', async (t) => {
  const path = join(temporaryFolder(t), 'x.safetensors');
  const count = 2 ** 20 + 3;
  const asked: string[] = [];
  const long = Float32Array.from({ length: count }, (_, i) => i % 256);
  const tensor = (name: string): SafetensorsTensor => ({
    name,
    dtype: 'BF16',
    shape: [count],
    data: async () => {
      asked.push(name);
      return long;
    },
  });
  await writeSafetensors(path, [tensor('b'), tensor('a')]);
  assert.deepEqual(asked, ['a', 'b']);
  const reader = openSafetensors(path);
  const out = new Float32Array(count);
  reader.readFloat32('b', out);
  reader.close();
  assert.ok(Buffer.from(out.buffer).equals(Buffer.from(long.buffer)));
});

test('F16 and BF16 are also taken as bits; other arrays, lengths and names are refused and leave the old file', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'x.safetensors');
  await writeSafetensors(path, [{ name: 'a', dtype: 'BF16', shape: [2], data: () => Uint16Array.of(0x3f80, 0x4000) }]);
  const reader = openSafetensors(path);
  const out = new Float32Array(2);
  reader.readFloat32('a', out);
  reader.close();
  assert.deepEqual([...out], [1, 2]);

  const before = readFileSync(path);
  const wrong: [SafetensorsTensor[], RegExp][] = [
    [[float32('a', [2], 1)], /a has 1 values for shape \[2\]/],
    [[{ name: 'a', dtype: 'F32', shape: [2], data: () => Int32Array.of(1, 2) }], /a of F32 was given as Int32Array/],
    [[{ name: 'a', dtype: 'I64', shape: [1], data: () => Float32Array.of(1) }], /a of I64 was given as Float32Array/],
    [[float32('a', [1], 1), float32('a', [1], 1)], /name a is taken/],
    [[float32('__metadata__', [1], 1)], /name __metadata__ is taken/],
    [[float32('a', [-1], 1)], /no valid shape/],
    [[float32('a', [1], 1), { ...float32('b', [1]), data: () => assert.fail('no values today') }], /no values today/],
  ];
  for (const [tensors, message] of wrong) {
    await assert.rejects(writeSafetensors(path, tensors), message);
    assert.deepEqual(readdirSync(folder), ['x.safetensors'], 'nothing left behind');
    assert.deepEqual(readFileSync(path), before);
  }
});

test('shards are dealt in the given order, and the index finds every tensor', async (t) => {
  const folder = temporaryFolder(t);
  const tensors = [float32('z', [2], 1, 2), float32('big', [4], 3, 4, 5, 6), float32('a', [1], 7), float32('b', [1], 8)];
  const written = await writeShardedSafetensors(folder, tensors, { maxShardBytes: 8, metadata: { format: 'pt' } });
  const names = [1, 2, 3].map((i) => `model-0000${i}-of-00003.safetensors`);
  assert.deepEqual([...written.keys()], names);
  for (const [name, { sha256 }] of written) assert.equal(await sha256File(join(folder, name)), sha256);
  assert.deepEqual(readdirSync(folder).sort(), [...names, 'model.safetensors.index.json']);
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'model.safetensors.index.json'), 'utf8')), {
    metadata: { total_size: 32 },
    weight_map: { a: names[2], b: names[2], big: names[1], z: names[0] },
  });
  const reader = openSafetensors(folder);
  const out = new Float32Array(4);
  reader.readFloat32('big', out);
  reader.close();
  assert.deepEqual([...out], [3, 4, 5, 6]);
  await assert.rejects(writeShardedSafetensors(folder, tensors), (error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /expected a folder without weights, found model-/);
    return true;
  });
});

test('what fits one shard is one file without an index', async (t) => {
  const folder = temporaryFolder(t);
  const written = await writeShardedSafetensors(folder, [float32('a', [1], 1)], { maxShardBytes: 8 });
  assert.deepEqual([...written.keys()], ['model.safetensors']);
  assert.deepEqual(readdirSync(folder), ['model.safetensors']);
});

test('shards that fail half way are removed, and nothing else', async (t) => {
  const folder = join(temporaryFolder(t), 'out');
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), '{}');
  const failing = { ...float32('b', [1]), data: () => assert.fail('no values today') };
  await assert.rejects(writeShardedSafetensors(folder, [float32('a', [1], 1), failing], { maxShardBytes: 4 }), /no values today/);
  assert.deepEqual(readdirSync(folder), ['config.json']);
  const twice = [float32('a', [1], 1), float32('a', [1], 1)];
  await assert.rejects(writeShardedSafetensors(folder, twice, { maxShardBytes: 4 }), /name a is taken/);
  assert.deepEqual(readdirSync(folder), ['config.json']);
});
