/** What the CPU runtime owes its callers beside right numbers: results in their memory and nowhere else, and tall products under another shape. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { CpuDevice, f32, ops, trace } from '../../src/engine/index.ts';
import { random } from './cases.ts';

const device = new CpuDevice({ threads: 1 });
after(() => device.release());

test('a run writes into the memory it was given and makes no array of its own', async () => {
  const n = 512;
  const add = await device.compile(trace({ a: f32(n, n) }, ({ a }) => ({ y: ops.add(a!, 1) })));
  const [a, y] = [device.zeros('f32', [n, n]), device.zeros('f32', [n, n])];
  await add.run({ a }, { y });
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 8; i++) await add.run({ a }, { y });
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < 4 * n * n, `${grown} bytes of arrays after eight runs whose result has ${4 * n * n}`);
  assert.ok(y.data.every((x) => x === 1));
});

test('what a run refuses is thrown', async () => {
  const pick = await device.compile(trace({ table: f32(4, 2), ids: { dtype: 'i32', shape: ['N'] } }, ({ table, ids }) => ({ y: ops.gather(table!, ids!) })));
  const ids = device.upload(Int32Array.of(1, 9), [2]);
  await assert.rejects(pick.run({ table: device.zeros('f32', [4, 2]), ids }, { y: device.zeros('f32', [2, 2]) }), /indices element out of data bounds/);
});

for (const rows of [8192, 8209]) {
  test(`a product with ${rows} rows and a transposed left operand`, async () => {
    const [k, columns] = [3, 5];
    const next = random(rows);
    const fill = (count: number) => Float32Array.from({ length: count }, () => 2 * next() - 1);
    const [x, z] = [fill(k * rows), fill(k * columns)];
    const product = await device.compile(trace({ x: f32('T', rows), z: f32('T', columns) }, (t) => ({ y: ops.matmul(t['x']!, t['z']!, { transA: true, alpha: 0.5 }) })));
    const y = device.zeros('f32', [rows, columns]);
    await product.run({ x: device.upload(x, [k, rows]), z: device.upload(z, [k, columns]) }, { y });
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        let want = 0;
        for (let i = 0; i < k; i++) want += 0.5 * x[i * rows + r]! * z[i * columns + c]!;
        assert.ok(Math.abs(y.data[r * columns + c]! - want) < 1e-6, `[${r}, ${c}]: ${y.data[r * columns + c]} instead of ${want}`);
      }
    }
  });
}
