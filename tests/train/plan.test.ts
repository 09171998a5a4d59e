/** The plan of a run: counts that are the run's own, nothing written; and memory that stays flat over many updates. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { CpuDevice } from '../../src/engine/index.ts';
import { layOut } from '../../src/models/batch.ts';
import { Network } from '../../src/models/network.ts';
import { AdamW } from '../../src/engine/index.ts';
import { completeOptions } from '../../src/train/options.ts';
import { planInProcess, trainInProcess } from '../../src/train/process.ts';
import { forwardWork, workOf } from '../../src/train/cost.ts';
import type { Estimate } from '../../src/train/plan.ts';
import { architectureOf } from '../../src/models/registry.ts';
import { loadFixture } from '../models/fixture.ts';
import { CONFIGS, Scratch, writeBase, writeRecords } from './tiny-base.ts';

test('plan counts what train then does, and leaves nothing', async () => {
  using scratch = new Scratch();
  const base = await writeBase(scratch.join('base'), 'llama');
  const data = writeRecords(scratch.join('train.jsonl'), 40);
  const options = completeOptions({ base, data, out: scratch.join('run'), threads: 1, batchTokens: 300, testSize: 5 });
  const events = planInProcess(options);
  let estimate: Estimate | undefined;
  while (!estimate) {
    const next = await events.next();
    if (next.done) estimate = next.value;
  }
  assert.deepEqual(readdirSync(scratch.path).sort(), ['base', 'train.jsonl']);
  for await (const event of trainInProcess(options)) {
    if (event.type !== 'prepared') continue;
    assert.equal(estimate.steps, event.steps);
    assert.equal(estimate.tokens, event.tokens);
    assert.equal(estimate.train_rows, event.trainRows);
    assert.equal(estimate.trainable, event.trainable);
    assert.equal(estimate.parameters, event.parameters);
  }
  assert.ok(existsSync(scratch.join('run', 'run.json')));
  assert.ok(estimate.seconds > 0 && estimate.memory > 3e7 && estimate.disk > 0);
  assert.ok(estimate.padding_avoided > 0 && estimate.padding_avoided < 1);
  assert.match(estimate.warnings.join(), /fewer than 30/);
});

test('multiply-adds by hand: a row of 4 ids whose last two are trained', () => {
  const a = architectureOf(CONFIGS.gpt_neox, 'tiny');
  const row = { ids: Int32Array.of(1, 2, 3, 4), trained: Uint8Array.of(0, 0, 1, 1) };
  // T = 3 rows, labels at rows 1 and 2; a block has 12 * 32 * 32 - 8 * 32 * 32 + 4 * 32 * 64 weights: qkv 3072, dense 1024, MLP 2 * 2048.
  const all = 3072 + 1024 + 2 * 2048;
  const keyValue = 2048;
  const work = forwardWork(a, [row]);
  assert.equal(work.linear, 3 * all + 3 * keyValue + 2 * (all - keyValue));
  assert.equal(work.attention, 2 * 32 * (6 + 2 + 3));
  assert.equal(work.head, 2 * 448 * 32);
  assert.deepEqual(workOf(a, 'full', [row]), { products: 3 * (work.linear + work.head), attention: 3 * work.attention });
  assert.deepEqual(workOf(a, 'lora', [row]), { products: 2 * (work.linear + work.head), attention: 3 * work.attention });
  assert.deepEqual(workOf(a, 'evaluate', [row]), { products: work.linear + work.head, attention: work.attention });
});

test('memory is flat over 200 updates of changing size', async () => {
  const fixture = loadFixture('llama-gqa');
  const device = new CpuDevice({ threads: 1 });
  const network = new Network(fixture.architecture, { device, weights: fixture.weights(device), train: 'full', keptRows: 64 });
  const optimizer = new AdamW(device, network.trained);
  const resident = () => {
    globalThis.gc?.();
    return process.memoryUsage.rss();
  };
  let warm = 0;
  for (let i = 0; i < 250; i++) {
    if (i === 50) warm = resident();
    network.clearGradients();
    await network.forwardBackward(layOut(fixture.sequences.slice(0, 1 + (i % 3))));
    await optimizer.step({ rate: 1e-4, scale: 0.1, maxNorm: 1 });
  }
  await device.release();
  const grown = (resident() - warm) / 2 ** 20;
  assert.ok(grown < 16, `grew by ${grown.toFixed(1)} MiB`);
});

test('packed, apart and beside others: the same losses and gradients', async () => {
  const fixture = loadFixture('neox-parallel');
  const device = new CpuDevice({ threads: 1 });
  const run = async (batches: (typeof fixture.sequences)[], spans: 'each' | 'all') => {
    const network = new Network(fixture.architecture, { device, weights: fixture.weights(device), train: 'full' });
    const losses: number[] = [];
    for (const rows of batches) losses.push(...(await network.forwardBackward(layOut(rows, spans))));
    return { losses, gradients: network.trained.map((t) => [...(t.gradient as unknown as { data: Float32Array }).data]) };
  };
  const packed = await run([fixture.sequences], 'each');
  const others = [await run([fixture.sequences], 'all'), await run(fixture.sequences.map((s) => [s]), 'each')];
  // Rows without a label beside them are padding in all but name: they change nothing.
  const silent = { ids: Int32Array.of(9, 8, 7, 6, 5), trained: new Uint8Array(5) };
  others.push(await run([[silent, ...fixture.sequences, silent]], 'all'));
  for (const other of others) {
    other.losses.forEach((l, i) => assert.ok(Math.abs(l / packed.losses[i]! - 1) < 1e-5));
    other.gradients.forEach((g, i) => {
      const want = packed.gradients[i]!;
      const scale = Math.hypot(...packed.gradients.flat()) * 1e-6 + Math.hypot(...want) * 1e-5;
      assert.ok(Math.hypot(...g.map((x, j) => x - want[j]!)) <= scale, `gradient ${i}`);
    });
  }
  await device.release();
});
