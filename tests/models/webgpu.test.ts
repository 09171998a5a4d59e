/** Training steps on WebGPU against the CPU: losses, every gradient, the norm, and the weights after two updates. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AdamW, CpuDevice, WebGpuDevice, type Device } from '../../src/engine/index.ts';
import { layOut } from '../../src/models/batch.ts';
import { Network } from '../../src/models/network.ts';
import { uploadWeights } from '../../src/models/weights.ts';
import { countBuffers, noAdapter } from '../engine/webgpu-adapter.ts';
import { loadFixture, type Fixture } from './fixture.ts';

const skip = noAdapter();

interface Outcome {
  readonly losses: Float32Array[];
  readonly gradients: Map<string, Float32Array>;
  readonly norms: number[];
  readonly values: Map<string, Float32Array>;
}

function trainable(device: Device, fixture: Fixture, activations: 'saved' | 'recomputed' = 'saved'): Network {
  const hostWeights = fixture.hostWeights();
  return new Network(fixture.architecture, {
    device, weights: uploadWeights(hostWeights, device), hostWeights, activations, ...(fixture.lora ? { lora: fixture.lora, train: 'lora' as const } : { train: 'full' as const }),
  });
}

async function twoUpdates(device: Device, fixture: Fixture): Promise<Outcome> {
  const network = trainable(device, fixture);
  const optimizer = new AdamW(device, network.trained, { weightDecay: 0.01 });
  const read = async (key: 'value' | 'gradient') => {
    const all = new Map<string, Float32Array>();
    for (const t of network.trained) all.set(t.name, ((await device.read(t[key])) as Float32Array).slice());
    return all;
  };
  const batch = layOut(fixture.sequences, device.views ? 'each' : 'all');
  const losses: Float32Array[] = [];
  const norms: number[] = [];
  let gradients = new Map<string, Float32Array>();
  for (let step = 0; step < 2; step++) {
    network.clearGradients();
    losses.push(await network.forwardBackward(batch));
    if (step === 0) gradients = await read('gradient');
    norms.push(await optimizer.step({ rate: 1e-3, scale: 1 / fixture.expected.count, maxNorm: 1 }));
  }
  losses.push(await network.losses(batch));
  return { losses, gradients, norms, values: await read('value') };
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

  for (const name of ['neox-parallel', 'neox-sequential', 'llama-gqa', 'llama-lora', 'llama-lora-tokens', 'gptj', 'gptj-lora-tokens', 'qwen2', 'qwen3']) {
    test(name, async () => {
      const fixture = loadFixture(name);
      const [a, b] = [await twoUpdates(gpu, fixture), await twoUpdates(cpu, fixture)];
      a.losses.forEach((losses, step) => assert.ok(distance(losses, b.losses[step]!) < 1e-3, `losses after ${step} updates`));
      a.norms.forEach((norm, step) => assert.ok(Math.abs(norm / b.norms[step]! - 1) < 1e-3, `norm of update ${step}`));
      assert.deepEqual([...a.gradients.keys()], [...b.gradients.keys()]);
      for (const [parameter, gradient] of b.gradients) {
        const noise = new Set(fixture.expected.undetermined[parameter]);
        const real = (x: Float32Array) => x.filter((_, i) => !noise.has(i));
        assert.ok(distance(real(a.gradients.get(parameter)!), real(gradient)) < 1e-3, `gradient of ${parameter}`);
        assert.ok(distance(real(a.values.get(parameter)!), real(b.values.get(parameter)!)) < 1e-3, `${parameter} after two updates`);
      }
    });
  }

  test('memory is flat over updates whose micro-batches differ in size', async (t) => {
    const buffers = countBuffers(t);
    const fixture = loadFixture('llama-lora-tokens');
    const network = trainable(gpu, fixture, 'recomputed');
    const optimizer = new AdamW(gpu, network.trained, { weightDecay: 0.01 });
    const batches = fixture.sequences.map((_, i) => layOut(fixture.sequences.slice(i), 'all')).filter((batch) => batch.targets.length > 0);
    assert.ok(batches.length > 1);
    const live: number[] = [];
    for (let round = 0; round < 4; round++) {
      for (const batch of batches) {
        network.clearGradients();
        await network.forwardBackward(batch);
        await optimizer.step({ rate: 1e-3, scale: 1 / batch.targets.length, maxNorm: 1 });
      }
      live.push(buffers.live());
    }
    assert.ok(live[1]! > network.trained.length);
    assert.deepEqual(live.slice(1), live.slice(1).fill(live[1]!));
  });
});
