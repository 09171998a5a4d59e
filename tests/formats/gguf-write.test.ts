/** What the writer writes, our reader reads: metadata of every kind, alignment, tensors in every type; and what is refused leaves nothing. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Random } from '../../src/artefacts/random.ts';
import { InputError, ResourceError } from '../../src/errors.ts';
import { blockLayouts } from '../../src/formats/ggml.ts';
import { openGguf } from '../../src/formats/gguf.ts';
import { writeGguf, type GgufTensor, type GgufTyped } from '../../src/formats/gguf-write.ts';
import { quantise, writableDTypes, type WritableDType } from '../../src/formats/quantise.ts';
import { temporaryFolder } from './support.ts';

const values = (n: number, seed = 1): Float32Array => {
  const random = new Random(seed);
  return Float32Array.from({ length: n }, () => random.next() - 0.5);
};
const tensor = (name: string, dtype: WritableDType, shape: number[], data: Float32Array): GgufTensor => ({ name, dtype, shape, data: () => data });

const METADATA: readonly [string, GgufTyped, unknown][] = [
  ['a.uint8', { type: 'uint8', value: 255 }, 255], ['a.int8', { type: 'int8', value: -128 }, -128],
  ['a.uint16', { type: 'uint16', value: 65535 }, 65535], ['a.int16', { type: 'int16', value: -32768 }, -32768],
  ['a.uint32', { type: 'uint32', value: 4294967295 }, 4294967295], ['a.int32', { type: 'int32', value: -2147483648 }, -2147483648],
  ['a.uint64', { type: 'uint64', value: 2n ** 64n - 1n }, 2n ** 64n - 1n], ['a.int64', { type: 'int64', value: -(2n ** 63n) }, -(2n ** 63n)],
  ['a.float32', { type: 'float32', value: 0.1 }, Math.fround(0.1)], ['a.float64', { type: 'float64', value: 0.1 }, 0.1],
  ['a.bool', { type: 'bool', value: true }, true], ['a.string', { type: 'string', value: 'Wölfe\n🐑' }, 'Wölfe\n🐑'],
  ['a.numbers', { type: 'array', of: 'int32', value: [1, -2, 3] }, [1, -2, 3]], ['a.typed', { type: 'array', of: 'float32', value: Float32Array.of(0.5, 2) }, [0.5, 2]],
  ['a.strings', { type: 'array', of: 'string', value: ['', 'ab'] }, ['', 'ab']], ['a.bools', { type: 'array', of: 'bool', value: [true, false] }, [true, false]],
  ['a.none', { type: 'array', of: 'string', value: [] }, []],
];

for (const alignment of [32, 64, 8]) {
  test(`metadata of every kind and tensors come back, aligned to ${alignment}`, async (t) => {
    const path = join(temporaryFolder(t), 'x.gguf');
    const [a, b] = [values(21), values(6, 2)];
    const progress: number[] = [];
    const written = await writeGguf(path, {
      alignment, metadata: METADATA.map(([key, value]) => [key, value] as const), onProgress: (bytes) => progress.push(bytes),
      tensors: [tensor('one', 'F32', [3, 7], a), tensor('two', 'F32', [6], b), tensor('three', 'F32', [1, 2, 3, 1], b)],
    });
    const reader = openGguf(path);
    for (const [key, , expected] of METADATA) assert.deepEqual(reader.metadata.get(key), expected, key);
    assert.equal(reader.metadata.get('general.alignment'), alignment === 32 ? undefined : alignment);
    assert.deepEqual([...reader.tensors.values()].map(({ name, shape }) => [name, shape]), [['one', [3, 7]], ['two', [6]], ['three', [1, 2, 3, 1]]]);
    const out = new Float32Array(21);
    reader.readFloat32('one', out);
    assert.deepEqual(out, a);
    reader.close();
    const bytes = readFileSync(path);
    assert.equal(bytes.length, written.bytes);
    assert.equal(progress.at(-1), written.bytes);
    assert.equal(bytes.length % alignment, 0);
  });
}

/** The bytes of tensor `name`, from the file itself. */
function stored(path: string, name: string): Uint8Array {
  const reader = openGguf(path);
  const info = reader.tensors.get(name)! as unknown as { offset: number; byteLength: number };
  reader.close();
  return Uint8Array.from(readFileSync(path).subarray(info.offset, info.offset + info.byteLength));
}

for (const dtype of writableDTypes) {
  test(`${dtype}: the bytes that quantise.ts makes, on one thread and on several`, async (t) => {
    const folder = temporaryFolder(t);
    // More than a piece, and no whole number of them.
    const [rows, row] = [1031, 512];
    const data = values(rows * row);
    const expected = new Uint8Array((data.length / blockLayouts[dtype].values) * blockLayouts[dtype].bytes);
    quantise(dtype, data, row, expected, 'here');
    for (const threads of [1, 3]) {
      const path = join(folder, `${threads}.gguf`);
      await writeGguf(path, { metadata: [], tensors: [tensor('w', dtype, [rows, row], data)], threads });
      assert.deepEqual(stored(path, 'w'), expected);
    }
  });
}

test('values that a type cannot hold are refused by the name of their tensor, and nothing is left', async (t) => {
  const folder = temporaryFolder(t);
  for (const [dtype, bad] of [['Q8_0', NaN], ['F16', 1e6], ['F32', Infinity]] as const) {
    const data = values(2 ** 19).fill(bad, 2 ** 18 + 5, 2 ** 18 + 6);
    const writing = writeGguf(join(folder, 'x.gguf'), { metadata: [], tensors: [tensor('good', 'F32', [4], values(4)), tensor('blk.0.bad', dtype, [2 ** 11, 2 ** 8], data)], threads: 2 });
    await assert.rejects(writing, (error) => error instanceof InputError && /blk\.0\.bad/.test(error.message));
    assert.deepEqual(readdirSync(folder), []);
  }
});

test('a disk without room is seen before anything is asked for', async (t) => {
  const folder = temporaryFolder(t);
  const huge: GgufTensor = { name: 'w', dtype: 'F32', shape: [2 ** 20, 2 ** 25], data: () => assert.fail('asked for its values') };
  await assert.rejects(writeGguf(join(folder, 'x.gguf'), { metadata: [], tensors: [huge] }), ResourceError);
  assert.deepEqual(readdirSync(folder), []);
});

test('a source that fails, and an interruption, leave nothing', async (t) => {
  const folder = temporaryFolder(t);
  const failing: GgufTensor = { name: 'w', dtype: 'F32', shape: [4], data: () => Promise.reject(new Error('gone')) };
  await assert.rejects(writeGguf(join(folder, 'x.gguf'), { metadata: [], tensors: [failing] }), /gone/);
  const stop = new AbortController();
  const options = { metadata: [], tensors: [tensor('w', 'Q8_0', [2 ** 12, 256], values(2 ** 20))], threads: 2, signal: stop.signal, onProgress: () => stop.abort() };
  await assert.rejects(writeGguf(join(folder, 'x.gguf'), options), { name: 'AbortError' });
  assert.deepEqual(readdirSync(folder), []);
});

test('no more is read ahead than the largest tensor takes', async (t) => {
  const asked: string[] = [];
  let alive = 0;
  const lazy = (name: string): GgufTensor => ({
    name, dtype: 'Q8_0', shape: [64, 64],
    data: async () => {
      assert.equal(alive++, 0, 'the one before is written');
      asked.push(name);
      setImmediate(() => alive--);
      return values(4096);
    },
  });
  await writeGguf(join(temporaryFolder(t), 'x.gguf'), { metadata: [], tensors: [lazy('a'), lazy('b'), lazy('c')] });
  assert.deepEqual(asked, ['a', 'b', 'c']);
});

const WRONG: Record<string, [Partial<Parameters<typeof writeGguf>[1]>, RegExp]> = {
  'a name twice': [{ tensors: [tensor('w', 'F32', [1], values(1)), tensor('w', 'F32', [1], values(1))] }, /"w" is empty or taken/],
  'a key twice': [{ metadata: [['k', { type: 'bool', value: true }], ['k', { type: 'bool', value: true }]] }, /"k" is empty or taken/],
  'a long name': [{ tensors: [tensor('w'.repeat(64), 'F32', [1], values(1))] }, /longer than 63 bytes/],
  'half a block': [{ tensors: [tensor('w', 'Q4_K', [2, 128], values(256))] }, /no whole blocks of Q4_K/],
  'a number that does not fit': [{ metadata: [['k', { type: 'uint8', value: 256 }]] }, /256 is no uint8/],
  'a broken number': [{ metadata: [['k', { type: 'int32', value: 0.5 }]] }, /0\.5 is no int32/],
  'five dimensions': [{ tensors: [tensor('w', 'F32', [1, 1, 1, 1, 1], values(1))] }, /no valid shape/],
  'too few values': [{ tensors: [tensor('w', 'F32', [3], values(2))] }, /2 values for shape \[3\]/],
  'an odd alignment': [{ alignment: 24 }, /no power of two/],
};
for (const [what, [options, says]] of Object.entries(WRONG)) {
  test(`a caller's mistake: ${what}`, async (t) => {
    const folder = temporaryFolder(t);
    await assert.rejects(writeGguf(join(folder, 'x.gguf'), { metadata: [], tensors: [], ...options }), (error) => error instanceof RangeError && says.test(error.message));
    assert.deepEqual(readdirSync(folder), []);
  });
}
