/** Every primitive and its gradient on WebGPU against the reference, and what arrays of that device do. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EngineError, evaluate, f32, gradients, i32, input, ops, trace, WebGpuDevice, type Graph, type Value } from '../../src/engine/index.ts';
import { CASES, graphOf, inputsOf, random } from './cases.ts';
import { runOn } from './run.ts';
import { countBuffers, noAdapter } from './webgpu-adapter.ts';

const skip = noAdapter();
const TOLERANCE = 1e-5;

function assertClose(actual: Value, expected: Value, what: string): void {
  assert.deepEqual([...actual.shape], [...expected.shape], `${what}: shape`);
  expected.data.forEach((e, i) => assert.ok(Math.abs(actual.data[i]! - e) <= TOLERANCE * (1 + Math.abs(e)), `${what}[${i}]: ${actual.data[i]} instead of ${e}`));
}

describe('primitives on WebGPU', { skip }, () => {
  let device: WebGpuDevice;
  before(async () => {
    device = await WebGpuDevice.create();
  });
  after(() => device.release());

  for (const c of CASES) {
    test(c.name, async () => {
      const graph = graphOf(c);
      const inputs = inputsOf(c);
      const y = evaluate(graph, inputs)['y']!;
      assertClose((await runOn(device, graph, inputs))['y']!, y, c.name);
      if (c.wrt.length === 0) return;

      const dy = input('dy', graph.outputs['y']!);
      const found = gradients([graph.outputs['y']!], [dy], c.wrt.map((name) => graph.inputs[name]!));
      const backward: Graph = { inputs: { ...graph.inputs, dy }, outputs: Object.fromEntries(found.map((t, i) => [`d_${c.wrt[i]!}`, t])) };
      const next = random(7);
      const given = { ...inputs, dy: { shape: y.shape, data: y.data.map(() => Math.fround(2 * next() - 1)) } };
      const expected = evaluate(backward, given);
      const actual = await runOn(device, backward, given);
      for (const name of c.wrt) assertClose(actual[`d_${name}`]!, expected[`d_${name}`]!, `d ${name}`);
    });
  }
});

describe('arrays on WebGPU', { skip }, () => {
  let device: WebGpuDevice;
  before(async () => {
    device = await WebGpuDevice.create();
  });
  after(() => device.release());

  const upload = (...values: number[]) => device.upload(Float32Array.from(values), [values.length]);
  const plus = trace({ sum: f32('N'), x: f32('N') }, ({ sum, x }) => ({ next: ops.add(sum!, x!) }));

  test('an output that is an input is updated, also after it was cleared', async () => {
    const add = await device.compile(plus);
    const sum = device.zeros('f32', [2]);
    const x = upload(1, -2);
    for (let i = 0; i < 3; i++) await add.run({ sum, x }, { next: sum });
    assert.deepEqual([...await device.read(sum)], [3, -6]);
    sum.clear();
    assert.deepEqual([...await device.read(sum)], [0, 0]);
    await add.run({ sum, x }, { next: sum });
    assert.deepEqual([...await device.read(sum)], [1, -2]);
    assert.deepEqual([...await device.read(x)], [1, -2]);
  });

  test('clearing forgets values that are not numbers', async () => {
    const sum = upload(NaN, Infinity);
    const add = await device.compile(plus);
    await add.run({ sum, x: upload(0, 0) }, { next: sum });
    sum.clear();
    await add.run({ sum, x: upload(1, 2) }, { next: sum });
    assert.deepEqual([...await device.read(sum)], [1, 2]);
  });

  test('a copy does not change with what it was copied from', async () => {
    const add = await device.compile(plus);
    const from = upload(1, 2);
    const [early, late] = [device.zeros('f32', [2]), device.zeros('f32', [2])];
    await early.copyFrom(from);
    await add.run({ sum: from, x: upload(1, 1) }, { next: from });
    await late.copyFrom(from);
    from.dispose();
    assert.deepEqual([...await device.read(early)], [1, 2]);
    assert.deepEqual([...await device.read(late)], [2, 3]);

    const data = Int32Array.of(5, 6);
    const ids = device.zeros('i32', [2]);
    await ids.copyFrom(device.upload(data, [2]));
    data.fill(0);
    assert.deepEqual([...await device.read(ids)], [5, 6]);
    await assert.rejects(ids.copyFrom(early), /expected values for i32\[2\], got f32\[2\]/);
  });

  test('an output that only passes an input on outlives it', async () => {
    const add = await device.compile(plus);
    const pass = await device.compile(trace({ x: f32('N', 2) }, ({ x }) => ({ same: ops.stopGradient(x!), flat: ops.reshape(x!, 'N', 1, 2) })));
    const x = device.upload(Float32Array.of(1, 2), [1, 2]);
    const [same, flat] = [device.zeros('f32', [1, 2]), device.zeros('f32', [1, 1, 2])];
    await pass.run({ x }, { same, flat });
    x.dispose();
    const others = Array.from({ length: 8 }, () => device.zeros('f32', [2]));
    for (const other of others) await add.run({ sum: upload(7, 7), x: upload(7, 7) }, { next: other });
    assert.deepEqual([...await device.read(same)], [1, 2]);
    assert.deepEqual([...await device.read(flat)], [1, 2]);
  });

  test('parts of an array are refused, the whole is not', () => {
    const x = upload(1, 2, 3);
    assert.equal(x.rows(0, 3), x);
    assert.throws(() => x.rows(0, 2), (e) => e instanceof EngineError && /rows 0 to 2 of \[3\].*CPU/.test(e.message));
  });

  test('what does not fit is refused before it reaches the driver', async () => {
    const add = await device.compile(plus);
    await assert.rejects(add.run({ sum: upload(1, 2), x: upload(1) }, { next: upload(1, 2) }), /input x: expected f32\[N\], got f32\[1\] with N=2/);
    assert.throws(() => device.upload(Float32Array.of(1), [2]), /1 values do not fill \[2\]/);
  });

  test('a graph is compiled once', async () => {
    assert.equal(await device.compile(plus), await device.compile(trace({ sum: f32('N'), x: f32('N') }, ({ sum, x }) => ({ next: ops.add(sum!, x!) }))));
    assert.notEqual(await device.compile(plus), await device.compile(trace({ ids: i32('N'), x: f32(4, 2) }, ({ ids, x }) => ({ next: ops.gather(x!, ids!) }))));
  });

  test('buffers are freed: those replaced at once, all others on release', async (t) => {
    const buffers = countBuffers(t);
    const own = await WebGpuDevice.create();
    const add = await own.compile(plus);
    const [sum, x] = [own.zeros('f32', [4]), own.upload(Float32Array.of(1, 2, 3, 4), [4])];
    const held = new Set<number>();
    for (let i = 0; i < 5; i++) {
      sum.clear();
      await add.run({ sum, x }, { next: sum });
      await own.read(sum);
      held.add(buffers.live());
    }
    assert.deepEqual([...held], [2], 'sum and x');
    await own.release();
    assert.equal(buffers.live(), 0);
    await assert.rejects(own.read(sum), /released/);
    await assert.rejects(own.compile(plus), /released/);
  });
});
