/** A small network, trained with the engine alone: two moons told apart by a hidden layer of 16. Runs in a second. */
import { AdamW, CpuDevice, f32, i32, linear, ops, trace, valueAndGradient } from '../src/engine/index.ts';

const device = new CpuDevice();
const n = 200;
const points = Float32Array.from({ length: 2 * n }, (_, i) => {
  const angle = (Math.PI * (i >> 1)) / (n / 2);
  const upper = i >> 1 < n / 2;
  return i % 2 === 0 ? Math.cos(angle) + (upper ? 0 : 1) : Math.sin(angle) + (upper ? 0 : 0.5);
});
const labels = Int32Array.from({ length: n }, (_, i) => (i < n / 2 ? 0 : 1));

// A function of symbolic tensors: N rows in, one loss a row out.
const loss = trace(
  { x: f32('N', 2), y: i32('N'), w1: f32(16, 2), b1: f32(16), w2: f32(2, 16), b2: f32(2) },
  ({ x, y, w1, b1, w2, b2 }) => ({ loss: ops.crossEntropy(linear(ops.tanh(linear(x!, w1!, b1!)), w2!, b2!), y!)[0] }),
);
const names = ['w1', 'b1', 'w2', 'b2'] as const;
const step = await device.compile(valueAndGradient(loss, { wrt: names }));

const parameters = names.map((name) => {
  const shape = loss.inputs[name]!.shape as number[];
  const size = shape.reduce((a, b) => a * b, 1);
  const value = device.upload(Float32Array.from({ length: size }, (_, i) => (shape.length > 1 ? Math.sin(7 * i + 1) : 0)), shape);
  return { name, value, gradient: device.zeros('f32', shape), decay: false };
});
const optimizer = new AdamW(device, parameters);
const rows = device.zeros('f32', [n]);
const inputs = { x: device.upload(points, [n, 2]), y: device.upload(labels, [n]), ...Object.fromEntries(parameters.map((p) => [p.name, p.value])) };
const outputs = { loss: rows, ...Object.fromEntries(parameters.map((p) => [`d_${p.name}`, p.gradient])) };
const mean = async () => ((await device.read(rows)) as Float32Array).reduce((a, b) => a + b, 0) / n;

for (let i = 0; i < 300; i++) {
  await step.run(inputs, outputs);
  if (i % 100 === 0) console.log(`step ${i}: loss ${(await mean()).toFixed(4)}`);
  await optimizer.step({ rate: 0.03, scale: 1 / n });
}
const last = await mean();
console.log(`after 300 steps: loss ${last.toFixed(4)}`);
await device.release();
if (!(last < 0.05)) throw new Error(`expected a loss below 0.05, found ${last}`);
