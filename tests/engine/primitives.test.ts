import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { CpuDevice, evaluate, gradients, input, type Graph, type Value } from '../../src/engine/index.ts';
import { PRIMITIVES } from '../../src/engine/primitives.ts';
import { CASES, graphOf, inputsOf, random } from './cases.ts';
import { runOn } from './run.ts';

const device = new CpuDevice({ threads: 1 });
after(() => device.release());

function assertClose(actual: Value, expected: Value, tolerance: number, what: string): void {
  assert.deepEqual([...actual.shape], [...expected.shape], `${what}: shape`);
  expected.data.forEach((e, i) => {
    const a = actual.data[i]!;
    assert.ok(Math.abs(a - e) <= tolerance * (1 + Math.abs(e)), `${what}[${i}]: ${a} instead of ${e}`);
  });
}

test('the case table covers every primitive', () => {
  assert.deepEqual(new Set(CASES.map((c) => c.primitive)), new Set(Object.keys(PRIMITIVES)));
});

for (const c of CASES) {
  test(`${c.name}: ONNX Runtime agrees with the reference`, async () => {
    const graph = graphOf(c);
    const inputs = inputsOf(c);
    assertClose((await runOn(device, graph, inputs))['y']!, evaluate(graph, inputs)['y']!, 2e-6, c.name);
  });

  if (c.wrt.length > 0) {
    test(`${c.name}: gradient agrees with finite differences, and ONNX Runtime with it`, async () => {
      const graph = graphOf(c);
      const inputs = inputsOf(c);
      const y = graph.outputs['y']!;
      const dy = input('dy', y);
      const found = gradients([y], [dy], c.wrt.map((name) => graph.inputs[name]!));
      const backward: Graph = { inputs: { ...graph.inputs, dy }, outputs: Object.fromEntries(found.map((t, i) => [`d_${c.wrt[i]!}`, t])) };
      const out = evaluate(graph, inputs)['y']!;
      const next = random(7);
      const given = { ...inputs, dy: { shape: out.shape, data: out.data.map(() => Math.fround(2 * next() - 1)) } };
      const analytic = evaluate(backward, given);
      const along = (values: Record<string, Value>) => evaluate(graph, values)['y']!.data.reduce((sum, v, i) => sum + v * given.dy.data[i]!, 0);
      for (const name of c.wrt) {
        const x = inputs[name]!;
        const numeric = x.data.map((v, i) => {
          const h = 1e-5;
          const moved = (d: number) => ({ ...inputs, [name]: { shape: x.shape, data: x.data.with(i, v + d) } });
          return (along(moved(h)) - along(moved(-h))) / (2 * h);
        });
        assertClose(analytic[`d_${name}`]!, { shape: x.shape, data: numeric }, 1e-8, `d ${name}`);
      }
      const run = await runOn(device, backward, given);
      for (const name of c.wrt) assertClose(run[`d_${name}`]!, analytic[`d_${name}`]!, 5e-6, `ONNX d ${name}`);
    });
  }
}
