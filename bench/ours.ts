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
import { ProductRate } from './measure.ts';

const { values } = parseArgs({ options: { 'model-dir': { type: 'string' }, tokens: { type: 'string' }, out: { type: 'string' }, steps: { type: 'string' }, threads: { type: 'string', default: '2' }, 'micro-tokens': { type: 'string', default: '2048' } } });
const folder = values['model-dir']!;
const { rows, batches } = JSON.parse(readFileSync(values.tokens!, 'utf8')) as { rows: { ids: number[]; trained: number[] }[]; batches: number[][] };
const architecture = architectureOf(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')), folder);
const reader = openSafetensors(folder);
const device = new CpuDevice({ threads: Number(values.threads), arena: false });
const network = new Network(architecture, { device, weights: uploadWeights(readWeights(architecture, sourceOf(reader)), device), train: 'full', keptRows: Number(values['micro-tokens']), mostRows: Math.max(...rows.map(({ ids }) => ids.length)) });
reader.close();
const optimizer = new AdamW(device, network.trained);

const rate = await ProductRate.on(device);
const steps = batches.slice(0, values.steps === undefined ? undefined : Number(values.steps));

interface Pass {
  readonly losses: number[];
  readonly seconds: number[];
  /** Multiply-adds that the losses and their gradients need. */
  work: number;
}

/** Every update once. The runtime's own rate is sampled between them, outside of their time. */
async function pass(index: number): Promise<Pass> {
  const done: Pass = { losses: [], seconds: [], work: 0 };
  for (const [i, batch] of steps.entries()) {
    const start = performance.now();
    const sequences = batch.map((row) => ({ ids: Int32Array.from(rows[row]!.ids), trained: Uint8Array.from(rows[row]!.trained) }));
    const labels = sequences.reduce((n, s) => n + s.trained.reduce((a, b) => a + b, 0), 0);
    network.clearGradients();
    let nats = 0;
    for (const group of groupByTokens(sequences, Number(values['micro-tokens']))) for (const l of await network.forwardBackward(microBatch(group, device))) nats += l;
    await optimizer.step({ rate: learningRate({ schedule: 'dolly', rate: 5e-6, warmup: 50, total: steps.length }, index * steps.length + i), scale: 1 / labels, maxNorm: 1 });
    done.losses.push(nats / labels);
    done.seconds.push((performance.now() - start) / 1000);
    const { products, attention } = workOf(architecture, 'full', sequences);
    done.work += products + attention;
    await rate.sample();
  }
  return done;
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
// The first touches memory for the first time, which on some machines costs seconds a gigabyte: it is what the peers are compared with. The second shows what a step costs.
const first = await pass(0);
const peak = peakMemory();
const second = await pass(1);
const efficiency = ({ work, seconds }: Pass) => (2 * work) / sum(seconds) / 1e9 / rate.gflops;
const result = {
  side: 'ours', steps: steps.length, losses: first.losses, seconds: first.seconds, train_seconds: sum(first.seconds), peak_rss_bytes: peak, product_gflops: rate.gflops, needed_gflop: (2 * first.work) / 1e9,
  step_efficiency: efficiency(second), step_efficiency_first_pass: efficiency(first), second_pass_seconds: second.seconds,
};
writeFileSync(values.out!, JSON.stringify(result));
console.log(JSON.stringify({ ...result, losses: undefined, seconds: undefined, second_pass_seconds: undefined }));
