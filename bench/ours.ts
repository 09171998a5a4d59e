/**
 * Our side of the peer benchmark: full fine-tuning on rows and batches given as ids, one JSON file at the end. Same
 * arguments as the Python sides in tools/peer.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AdamW, CpuDevice, learningRate } from '../src/engine/index.ts';
import { openSafetensors } from '../src/formats/safetensors.ts';
import { groupByTokens, microBatch } from '../src/inference/micro-batches.ts';
import { Network } from '../src/models/network.ts';
import { architectureOf } from '../src/models/registry.ts';
import { readWeights, sourceOf, uploadWeights } from '../src/models/weights.ts';
import { workOf } from '../src/train/cost.ts';
import { peakMemory } from '../src/train/plan.ts';
import { productRate } from './measure.ts';

const { values } = parseArgs({ options: { 'model-dir': { type: 'string' }, tokens: { type: 'string' }, out: { type: 'string' }, steps: { type: 'string' }, threads: { type: 'string', default: '2' }, 'micro-tokens': { type: 'string', default: '2048' } } });
const folder = values['model-dir']!;
const { rows, batches } = JSON.parse(readFileSync(values.tokens!, 'utf8')) as { rows: { ids: number[]; trained: number[] }[]; batches: number[][] };
const architecture = architectureOf(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')), folder);
const reader = openSafetensors(folder);
const device = new CpuDevice({ threads: Number(values.threads), arena: false });
const network = new Network(architecture, { device, weights: uploadWeights(readWeights(architecture, sourceOf(reader)), device), train: 'full' });
reader.close();
const optimizer = new AdamW(device, network.trained);

const losses: number[] = [];
const seconds: number[] = [];
const work: number[] = [];
const steps = batches.slice(0, values.steps === undefined ? undefined : Number(values.steps));
const began = performance.now();
for (const [step, batch] of steps.entries()) {
  const start = performance.now();
  const sequences = batch.map((i) => ({ ids: Int32Array.from(rows[i]!.ids), trained: Uint8Array.from(rows[i]!.trained) }));
  const labels = sequences.reduce((n, s) => n + s.trained.reduce((a, b) => a + b, 0), 0);
  network.clearGradients();
  let nats = 0;
  for (const group of groupByTokens(sequences, Number(values['micro-tokens']))) for (const l of await network.forwardBackward(microBatch(group, device))) nats += l;
  await optimizer.step({ rate: learningRate({ schedule: 'dolly', rate: 5e-6, warmup: 50, total: steps.length }, step), scale: 1 / labels, maxNorm: 1 });
  losses.push(nats / labels);
  seconds.push((performance.now() - start) / 1000);
  const { products, attention } = workOf(architecture, 'full', sequences);
  work.push(products + attention);
}
const train = (performance.now() - began) / 1000;
const peak = peakMemory();
const rate = await productRate(device);
const efficiency = (2 * work.reduce((a, b) => a + b, 0)) / train / 1e9 / rate;
writeFileSync(values.out!, JSON.stringify({ side: 'ours', steps: steps.length, losses, seconds, train_seconds: train, peak_rss_bytes: peak, product_gflops: rate, needed_gflop: (2 * work.reduce((a, b) => a + b, 0)) / 1e9, step_efficiency: efficiency }));
console.log(JSON.stringify({ side: 'ours', train_seconds: train, peak_rss_bytes: peak, step_efficiency: efficiency }));
