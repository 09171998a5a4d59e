/** A thread that tries inputs [from, to) of a target, and tells every now and then how far it is. A crash or a hang ends only it. */
import { parentPort, workerData } from 'node:worker_threads';
import { attempt, targets } from './attempt.ts';
import { randomOf } from './forge.ts';

export interface Task {
  readonly target: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

export interface Progress {
  /** Inputs up to here were tried. */
  readonly at: number;
  readonly opened: number;
  readonly growth: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly fault?: { readonly index: number; readonly what: string; readonly input: Uint8Array };
}

const { target, seed, from, to } = workerData as Task;
const sums = { opened: 0, growth: 0, seconds: 0, bytes: 0 };
for (let index = from; index < to; index++) {
  const input = targets[target]!.make(randomOf(target, seed, index));
  const { opened, growth, seconds, fault } = attempt(targets[target]!, input);
  if (opened) sums.opened++;
  // The first calls compile the reader itself.
  if (index >= from + 200) sums.growth = Math.max(sums.growth, growth);
  sums.seconds = Math.max(sums.seconds, seconds);
  sums.bytes += input.length;
  if (fault !== undefined) {
    parentPort!.postMessage({ at: index + 1, ...sums, fault: { index, what: fault, input } } satisfies Progress);
    break;
  }
  if ((index + 1) % 500 === 0 || index + 1 === to) parentPort!.postMessage({ at: index + 1, ...sums } satisfies Progress);
}
