/** Logits, loss, every gradient and ten AdamW steps against Hugging Face transformers, peft and PyTorch (tools/parity). */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { AdamW, CpuDevice } from '../../src/engine/index.ts';
import { peftName } from '../../src/models/adapter.ts';
import { layOut } from '../../src/models/batch.ts';
import { Network } from '../../src/models/network.ts';
import { FIXTURES, loadFixture } from './fixture.ts';

const device = new CpuDevice({ threads: 1 });
after(() => device.release());

/** |a - b| / |b| in the Euclidean norm. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(difference / (norm || 1));
}
const sum = (x: Float32Array) => x.reduce((a, b) => a + b, 0);

const cases = readdirSync(FIXTURES, { withFileTypes: true }).filter((d) => d.isDirectory()).map((d) => d.name);
assert.ok(cases.length >= 13, 'fixtures are missing');

for (const name of cases) {
  describe(name, () => {
    const fixture = loadFixture(name);
    const mode = fixture.lora ? ('lora' as const) : ('full' as const);
    const make = (options: { train?: 'full' | 'lora'; activations?: 'saved' | 'recomputed'; headRows?: number; queries?: number } = {}) =>
      new Network(fixture.architecture, { device, weights: fixture.weights(device), ...(fixture.lora ? { lora: fixture.lora } : {}), ...options });
    const published = (parameter: string) => (mode === 'lora' ? peftName(parameter) : parameter);

    test('loss of a forward pass', async () => {
      const losses = await make().losses(layOut(fixture.sequences));
      assert.equal(losses.length, fixture.expected.count);
      assert.ok(Math.abs(sum(losses) / fixture.expected.count / fixture.expected.loss - 1) < 1e-5);
    });

    for (const activations of ['saved', 'recomputed'] as const) {
      test(`every gradient, activations ${activations}`, async () => {
        const network = make({ train: mode, activations, headRows: 4, queries: 3 });
        const losses = await network.forwardBackward(layOut(fixture.sequences));
        assert.ok(Math.abs(sum(losses) / fixture.expected.count / fixture.expected.loss - 1) < 1e-5);
        for (const { name: parameter, gradient } of network.trained) {
          const ours = ((await device.read(gradient)) as Float32Array).map((g) => g / fixture.expected.count);
          const d = distance(ours, fixture.tensor(`grad.${published(parameter)}`));
          assert.ok(d < 1e-3, `${parameter}: ${d}`);
        }
      });
    }

    test('ten AdamW steps with clip and warm-up', async () => {
      const network = make({ train: mode });
      const optimizer = new AdamW(device, network.trained, { weightDecay: 0.01 });
      for (let step = 0; step < 10; step++) {
        network.clearGradients();
        const loss = sum(await network.forwardBackward(layOut(fixture.sequences))) / fixture.expected.count;
        assert.ok(Math.abs(loss / fixture.expected.losses[step]! - 1) < 1e-4, `loss of step ${step}: ${loss} instead of ${fixture.expected.losses[step]}`);
        const norm = await optimizer.step({ rate: fixture.expected.lrs[step]!, scale: 1 / fixture.expected.count, maxNorm: 1 });
        assert.ok(Math.abs(norm / fixture.expected.grad_norms[step]! - 1) < 1e-4, `norm of step ${step}: ${norm}`);
      }
      for (const { name: parameter, value } of network.trained) {
        // Where the true gradient is zero (a key's bias that is not turned cancels in the softmax) Adam steps along noise.
        const noise = new Set(fixture.expected.undetermined[published(parameter)]);
        const real = (x: Float32Array) => x.filter((_, i) => !noise.has(i));
        const d = distance(real((await device.read(value)) as Float32Array), real(fixture.tensor(`final.${published(parameter)}`)));
        assert.ok(d < 1e-4, `${parameter} after ten steps: ${d}`);
      }
    });
  });
}
