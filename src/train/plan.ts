/**
 * What a run will take, before it runs: rows and tokens counted, then three updates made for real on the rows of this
 * run (nothing is saved), the largest among them, so that memory and time are measured and not guessed.
 */
import { statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { existsSync, readFileSync } from 'node:fs';
import { parameterCount } from '../models/architecture.ts';
import type { OverlongRow } from '../tokenizer/example.ts';
import { usefulShareIfPadded } from '../tokenizer/padding.ts';
import { checkpointBytes } from './checkpoint.ts';
import { evaluationTokens, updateWork } from './cost.ts';
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
  const work = updates.map((u) => updateWork(model.architecture, options.method, u.rows));
  const order = [...updates.keys()].sort((a, b) => work[a]! - work[b]!);
  // The largest first: it also compiles and touches all memory, so it is timed again by scale from the others.
  const probes = [order.at(-1)!, order[Math.floor(order.length / 2)]!, order[Math.floor(order.length / 4)]!];
  const guard = new Guard(device, network.trained);
  const seconds: number[] = [];
  const optimizer: number[] = [];
  for (const [i, step] of probes.entries()) {
    yield { type: 'probing', done: i, of: probes.length };
    const t0 = performance.now();
    const { optimizerSeconds } = await makeUpdate(prepared, options, step, guard);
    seconds.push((performance.now() - t0) / 1000 - optimizerSeconds);
    optimizer.push(optimizerSeconds);
  }
  const rate = fit(probes.slice(1).map((p, i) => ({ work: work[p]!, seconds: seconds[i + 1]! })));
  const total = work.reduce((a, b) => a + b, 0) + evaluationTokens(updates.length) * updateWork(model.architecture, 'evaluate', rows.heldOut);
  const bytes = checkpointBytes(network.trained);
  const tokens = tokensOf(rows.train);
  yield {
    type: 'planned',
    estimate: {
      parameters: parameterCount(model.architecture), trainable: bytes / 12, records: rows.records, train_rows: rows.train.length, held_out_rows: rows.heldOut.length, dropped: rows.dropped,
      tokens, label_share: labelsOf(rows.train) / tokens, padding_avoided: 1 - usefulShareIfPadded(rows.train.map((r) => r.ids.length), options.seed), steps: updates.length,
      seconds: total * rate + updates.length * optimizer.at(-1)!, memory: peakMemory(), disk: 2 * bytes + bytes / 3, disk_free: freeSpace(options.out), template: model.template.name,
      warnings: updates.length < FEW_STEPS ? [`only ${updates.length} updates: fewer than ${FEW_STEPS} seldom teach much; raise --epochs or lower --batch-tokens`] : [],
    },
  };
  await device.release();
}

/** Seconds a unit of work. */
function fit(samples: readonly { work: number; seconds: number }[]): number {
  return samples.reduce((n, s) => n + s.seconds, 0) / samples.reduce((n, s) => n + s.work, 0);
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
