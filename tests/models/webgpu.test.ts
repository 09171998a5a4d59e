/** Training steps on WebGPU against the CPU: losses, every gradient, and the weights after two updates. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AdamW, CpuDevice, WebGpuDevice, type Device } from '../../src/engine/index.ts';
import { layOut } from '../../src/models/batch.ts';
import { Network } from '../../src/models/network.ts';
import { uploadWeights } from '../../src/models/weights.ts';
import { noAdapter } from '../engine/webgpu-adapter.ts';
import { loadFixture, type Fixture } from './fixture.ts';

const skip = noAdapter();

interface Outcome {
  readonly losses: Float32Array[];
  readonly gradients: Map<string, Float32Array>;
  readonly values: Map<string, Float32Array>;
}

async function twoUpdates(device: Device, fixture: Fixture): Promise<Outcome> {
  const hostWeights = fixture.hostWeights();
  const network = new Network(fixture.architecture, {
    device, weights: uploadWeights(hostWeights, device), hostWeights, ...(fixture.lora ? { lora: fixture.lora, train: 'lora' as const } : { train: 'full' as const }),
  });
  const optimizer = new AdamW(device, network.trained, { weightDecay: 0.01 });
  const read = async (key: 'value' | 'gradient') => {
    const all = new Map<string, Float32Array>();
    for (const t of network.trained) all.set(t.name, ((await device.read(t[key])) as Float32Array).slice());
    return all;
  };
  const losses: Float32Array[] = [];
  let gradients = new Map<string, Float32Array>();
  for (let step = 0; step < 2; step++) {
    network.clearGradients();
    losses.push(await network.forwardBackward(layOut(fixture.sequences, device.views ? 'each' : 'all')));
    if (step === 0) gradients = await read('gradient');
    await optimizer.step({ rate: 1e-3, scale: 1 / fixture.expected.count, maxNorm: 1 });
  }
  return { losses, gradients, values: await read('value') };
}

const distance = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((x, i) => x - b[i]!)) / (Math.hypot(...b) || 1);

describe('two updates on WebGPU and on the CPU', { skip }, () => {
  let gpu: WebGpuDevice;
  const cpu = new CpuDevice({ threads: 1 });
  before(async () => {
    gpu = await WebGpuDevice.create();
  });
  after(async () => {
    await gpu.release();
    await cpu.release();
  });

  for (const name of ['neox-parallel', 'neox-sequential', 'llama-gqa', 'llama-lora', 'llama-lora-tokens']) {
    test(name, async () => {
      const fixture = loadFixture(name);
      const [a, b] = [await twoUpdates(gpu, fixture), await twoUpdates(cpu, fixture)];
      a.losses.forEach((losses, step) => assert.ok(distance(losses, b.losses[step]!) < 1e-3, `losses of update ${step}`));
      for (const [parameter, gradient] of b.gradients) {
        const noise = new Set(fixture.expected.undetermined[parameter]);
        const real = (x: Float32Array) => x.filter((_, i) => !noise.has(i));
        assert.ok(distance(real(a.gradients.get(parameter)!), real(gradient)) < 1e-3, `gradient of ${parameter}`);
        assert.ok(distance(real(a.values.get(parameter)!), real(b.values.get(parameter)!)) < 1e-3, `${parameter} after two updates`);
      }
    });
  }
});
