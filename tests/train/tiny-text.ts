/** Text to pre-train a tiny model on, and options with which that takes a second. */
import { writeFileSync } from 'node:fs';
import { Random } from '../../src/artefacts/random.ts';
import { completeOptions, type FreshModel, type TrainOptions } from '../../src/train/options.ts';
import type { Scratch } from './tiny-base.ts';

export const TINY: FreshModel = { vocabSize: 320, hidden: 32, layers: 2, heads: 4, context: 48 };

const ANIMALS = ['otter', 'heron', 'carp', 'newt', 'wren', 'eel', 'mole', 'toad'];
const PLACES = ['by the water', 'in the meadow', 'under the bridge', 'over the hill'];

/** Documents of one to four sentences that follow from a few rules, so that they can be learnt. */
export function texts(n: number): string[] {
  const chance = new Random(3);
  const pick = (list: readonly string[]) => list[Math.floor(chance.next() * list.length)]!;
  return Array.from({ length: n }, (_, i) => Array.from({ length: 1 + (i % 4) }, () => `The ${pick(ANIMALS)} lives ${pick(PLACES)}, and it's number ${Math.floor(20 * chance.next())}.`).join(' '));
}

export function writeTexts(path: string, n: number): string {
  writeFileSync(path, texts(n).map((text) => `${JSON.stringify({ text })}\n`).join(''));
  return path;
}

export const pretrainOptions = (scratch: Scratch, data: string, more: Partial<TrainOptions> = {}): TrainOptions =>
  completeOptions({ base: '', data, out: scratch.join('base'), fresh: TINY, rate: 1e-2, schedule: 'cosine', batchTokens: 600, maxSteps: 40, testSize: 10, weightDecay: 0.1, dtype: 'bf16', threads: 1, ...more });
