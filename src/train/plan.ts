/**
 * What a run will take, before it runs: rows and tokens counted, then updates made for real on the rows of this run
 * (nothing is saved), one to warm up and three that are timed, the largest among them, so that memory and time are measured and
 * not guessed.
 */
import { statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { existsSync, readFileSync } from 'node:fs';
import { parameterCount } from '../models/architecture.ts';
import type { OverlongRow } from '../tokenizer/example.ts';
import { usefulShareIfPadded } from '../tokenizer/padding.ts';
import { checkpointBytes } from './checkpoint.ts';
import { evaluations, workOf, type Work } from './cost.ts';
import { Guard } from './guard.ts';
import type { TrainOptions } from './options.ts';
import { labelsOf, tokensOf } from './rows.ts';
import { makeUpdate, prepare } from './trainer.ts';

export interface Estimate {
  readonly parameters: number;
  readonly trainable: number;
  readonly records: number;
  readonly train_rows: number;
  readonly held_out_rows: number;
  readonly dropped: readonly OverlongRow[];
  /** Of one epoch. */
  readonly tokens: number;
  readonly label_share: number;
  /** Share that padding to the longest of 8 random rows would waste; this run pads nothing. */
  readonly padding_avoided: number;
  readonly steps: number;
  readonly seconds: number;
  /** Peak resident memory, bytes. */
  readonly memory: number;
  /** Checkpoints and model, bytes. */
  readonly disk: number;
  readonly disk_free: number;
  readonly template: string;
  readonly warnings: readonly string[];
}

export type PlanEvent = { readonly type: 'probing'; readonly done: number; readonly of: number } | { readonly type: 'planned'; readonly estimate: Estimate };

const FEW_STEPS = 30;

export async function* plan(options: TrainOptions): AsyncGenerator<PlanEvent> {
  const prepared = await prepare(options);
  const { rows, updates, network, model, device } = prepared;
  const work = updates.map((u) => workOf(model.architecture, options.method, u.rows));
  const order = [...updates.keys()].sort((i, j) => work[i]!.products + work[i]!.attention - work[j]!.products - work[j]!.attention);
  const [quarter, middle, largest] = [order[Math.floor(order.length / 4)]!, order[Math.floor(order.length / 2)]!, order.at(-1)!];
  // The first compiles graphs and touches memory for the first time, and is not timed.
  const probes = [middle, largest, middle, quarter];
  const guard = new Guard(device, network.trained);
  const samples: Sample[] = [];
  let optimizer = 0;
  for (const [i, step] of probes.entries()) {
    yield { type: 'probing', done: i, of: probes.length };
    const t0 = performance.now();
    const { optimizerSeconds } = await makeUpdate(prepared, options, step, guard);
    samples.push({ ...work[step]!, seconds: (performance.now() - t0) / 1000 - optimizerSeconds });
    optimizer = optimizerSeconds;
  }
  const [, long, ...usual] = samples;
  const evaluation = workOf(model.architecture, 'evaluate', rows.heldOut);
  const seconds = timer(sum(usual), long!)(sum([...work, ...Array.from({ length: evaluations(updates.length) }, () => evaluation)]));
  const bytes = checkpointBytes(network.trained);
  const tokens = tokensOf(rows.train);
  yield {
    type: 'planned',
    estimate: {
      parameters: parameterCount(model.architecture), trainable: bytes / 12, records: rows.records, train_rows: rows.train.length, held_out_rows: rows.heldOut.length, dropped: rows.dropped,
      tokens, label_share: labelsOf(rows.train) / tokens, padding_avoided: 1 - usefulShareIfPadded(rows.train.map((r) => r.ids.length), options.seed), steps: updates.length,
      seconds: seconds + updates.length * optimizer, memory: peakMemory(), disk: 2 * bytes + bytes / 3, disk_free: freeSpace(options.out), template: model.template.name,
      warnings: updates.length < FEW_STEPS ? [`only ${updates.length} update${updates.length === 1 ? '' : 's'}: fewer than ${FEW_STEPS} seldom teach much; raise --epochs or lower --batch-tokens`] : [],
    },
  };
  await device.release();
}

interface Sample extends Work {
  readonly seconds: number;
}

const sum = <T extends Work>(parts: readonly T[]): Sample => parts.reduce<Sample>((a, p) => ({
  products: a.products + p.products, attention: a.attention + p.attention, seconds: a.seconds + ('seconds' in p ? Number(p.seconds) : 0),
}), { products: 0, attention: 0, seconds: 0 });

/** Attention's rate may be this many times lower than that of the products with weights, and not higher. */
const SLOWEST_ATTENTION = 8;

/**
 * Seconds of an amount of work, from usual updates and a long one: two rates where the two tell them apart (attention is
 * slower, and its share grows with the length of a row), else one.
 */
function timer(usual: Sample, long: Sample): (work: Work) => number {
  const determinant = usual.products * long.attention - long.products * usual.attention;
  const perProduct = (usual.seconds * long.attention - long.seconds * usual.attention) / determinant;
  const perAttention = (usual.products * long.seconds - long.products * usual.seconds) / determinant;
  if (perProduct > 0 && perAttention >= perProduct && perAttention <= SLOWEST_ATTENTION * perProduct) return (w) => w.products * perProduct + w.attention * perAttention;
  const one = usual.seconds / (usual.products + usual.attention);
  return (w) => (w.products + w.attention) * one;
}

/** The process's own high-water mark where the system keeps one. */
export function peakMemory(): number {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  const peak = /VmHWM:\s+(\d+) kB/.exec(status);
  return peak ? Number(peak[1]) * 1024 : process.resourceUsage().maxRSS * 1024;
}

function freeSpace(path: string): number {
  let folder = resolve(path);
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
