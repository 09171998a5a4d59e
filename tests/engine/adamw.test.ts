/** AdamW's two ways against its formula in double precision; what it leaves alone; the schedules' values. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { AdamW, CpuArray, CpuDevice, learningRate, RowSet, type Parameter } from '../../src/engine/index.ts';
import { random } from './cases.ts';

const device = new CpuDevice({ threads: 1 });
after(() => device.release());

const SHAPES = [[7], [5, 12], [3, 4, 5], [1], [64, 33]];
const OPTIONS = { beta1: 0.9, beta2: 0.95, epsilon: 1e-6, weightDecay: 0.1 };

function parameters(view: boolean): Parameter[] {
  const next = random(3);
  return SHAPES.map((shape, i) => {
    const n = shape.reduce((a, b) => a * b, 1);
    const fill = () => new CpuArray('f32', shape, Float32Array.from({ length: n }, () => 2 * next() - 1), view);
    return { name: `p${i}`, value: fill(), gradient: fill(), decay: i % 2 === 0 };
  });
}

const data = (p: Parameter, key: 'value' | 'gradient') => (p[key] as CpuArray).data as Float32Array;

/** The formula, on copies, three steps with new gradients each. */
function expected(start: Parameter[], gradients: (step: number) => Float64Array[], rates: number[]): { values: Float64Array[]; norms: number[] } {
  const values = start.map((p) => Float64Array.from(data(p, 'value')));
  const m = values.map((v) => new Float64Array(v.length));
  const v2 = values.map((v) => new Float64Array(v.length));
  const norms = rates.map((rate, step) => {
    const gs = gradients(step).map((g) => g.map((x) => x / 4));
    const norm = Math.sqrt(gs.reduce((n, g) => n + g.reduce((a, x) => a + x * x, 0), 0));
    const clip = Math.min(1, 1 / (norm + 1e-6));
    const t = step + 1;
    gs.forEach((g, k) => g.forEach((raw, i) => {
      const x = raw * clip;
      if (start[k]!.decay) values[k]![i]! *= 1 - rate * OPTIONS.weightDecay;
      m[k]![i] = OPTIONS.beta1 * m[k]![i]! + (1 - OPTIONS.beta1) * x;
      v2[k]![i] = OPTIONS.beta2 * v2[k]![i]! + (1 - OPTIONS.beta2) * x * x;
      values[k]![i]! -= (rate * m[k]![i]!) / (1 - OPTIONS.beta1 ** t) / (Math.sqrt(v2[k]![i]! / (1 - OPTIONS.beta2 ** t)) + OPTIONS.epsilon);
    }));
    return norm;
  });
  return { values, norms };
}

for (const [name, view] of [['in one pass', false], ['as a graph', true]] as const) {
  test(`three clipped and decayed steps ${name}`, async () => {
    const own = parameters(view);
    const next = random(9);
    const rates = [0.01, 0.02, 0.005];
    const all = rates.map(() => SHAPES.map((s) => Float64Array.from({ length: s.reduce((a, b) => a * b, 1) }, () => Math.fround(2 * next() - 1))));
    const want = expected(own, (step) => all[step]!, rates);
    const optimizer = new AdamW(device, own, OPTIONS);
    for (const [step, rate] of rates.entries()) {
      own.forEach((p, i) => data(p, 'gradient').set(all[step]![i]!));
      const norm = await optimizer.step({ rate, scale: 0.25, maxNorm: 1 });
      assert.ok(Math.abs(norm / want.norms[step]! - 1) < 1e-6, `norm ${norm} instead of ${want.norms[step]}`);
    }
    own.forEach((p, i) => data(p, 'value').forEach((x, j) => assert.ok(Math.abs(x - want.values[i]![j]!) < 2e-6, `${p.name}[${j}]: ${x} instead of ${want.values[i]![j]}`)));
  });
}

test('rows that no gradient has reached change nothing, and are skipped without changing the result', async () => {
  const make = (touched?: RowSet): Parameter => ({
    name: 'table', decay: true, ...(touched ? { touched } : {}),
    value: device.upload(Float32Array.from({ length: 40 }, (_, i) => Math.sin(i)), [10, 4]), gradient: device.zeros('f32', [10, 4]),
  });
  const touched = new RowSet(10);
  const [sparse, dense] = [make(touched), make()];
  const [a, b] = [new AdamW(device, [sparse]), new AdamW(device, [dense])];
  for (const row of [3, 7, 3]) {
    touched.add(row);
    for (const p of [sparse, dense]) {
      p.gradient.clear();
      data(p, 'gradient').fill(0.5, 4 * row, 4 * row + 4);
    }
    assert.equal(await a.step({ rate: 0.1, scale: 1, maxNorm: 1 }), await b.step({ rate: 0.1, scale: 1, maxNorm: 1 }));
  }
  assert.deepEqual(data(sparse, 'value'), data(dense, 'value'));
  assert.deepEqual(touched.rows(), [3, 7]);
  // After a restore the rows are found again from their moments.
  const again = new RowSet(10);
  const restored = new AdamW(device, [make(again)]);
  (restored.moments()[0]!.v as CpuArray).data.set((a.moments()[0]!.v as CpuArray).data);
  await restored.restore(device, 3);
  assert.deepEqual(again.rows(), [3, 7]);
});

test('schedules', () => {
  const at = (schedule: 'dolly' | 'linear' | 'cosine' | 'constant', steps: number[]) => steps.map((s) => learningRate({ schedule, rate: 1, warmup: 4, total: 12 }, s));
  const near = (a: number[], b: number[]) => a.forEach((x, i) => assert.ok(Math.abs(x - b[i]!) < 1e-12, `${a.join()} instead of ${b.join()}`));
  near(at('dolly', [0, 1, 3, 4, 11]), [0, 0.5, 1, 1, 1]);
  near(at('linear', [0, 2, 4, 8, 12]), [0, 0.5, 1, 0.5, 0]);
  near(at('cosine', [0, 2, 4, 8, 12]), [0, 0.5, 1, 0.5, 0]);
  near(at('constant', [0, 3, 4, 11]), [0, 0.75, 1, 1]);
  near([learningRate({ schedule: 'dolly', rate: 5e-6, warmup: 50, total: 600 }, 24)], [5e-6 * Math.log(25) / Math.log(50)]);
});
