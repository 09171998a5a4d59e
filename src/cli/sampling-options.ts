/** Flags that `generate` and `chat` share: which model, and how its answers are drawn (Dolly's own values by default). */
import type { Command } from 'commander';
import type { Sampling } from '../inference/sample.ts';
import { notNegative, templateOption, wholeNumber } from './train-options.ts';

export interface SamplingFlags {
  readonly model: string;
  readonly template?: 'dolly' | 'chat';
  readonly base?: string;
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly seed?: number;
  readonly threads?: number;
  readonly offline?: boolean;
}

export function addSamplingOptions(command: Command): Command {
  return command
    .requiredOption('--model <model>', 'a run, a model folder, a .gguf file or a hub id')
    .addOption(templateOption())
    .option('--base <model>', 'the base of a LoRA run or adapter: where it is now, or a hub id')
    .option('--max-new-tokens <n>', 'longest answer', wholeNumber(1), 256)
    .option('--temperature <x>', '0: always the most likely token', notNegative, 1)
    .option('--top-p <x>', 'smallest set of tokens with this probability', notNegative, 0.92)
    .option('--top-k <n>', 'most tokens considered, 0: all', wholeNumber(0), 0)
    .option('--seed <n>', 'for the same answer again (default: another every time)', wholeNumber(0))
    .option('--threads <n>', 'threads of a product (default: all cores)', wholeNumber(1))
    .option('--offline', 'use only what is already here');
}

export const samplingOf = (flags: SamplingFlags): Sampling => ({ temperature: flags.temperature, topP: flags.topP || 1, topK: flags.topK });

export const seedOf = (flags: SamplingFlags): number => flags.seed ?? Math.floor(Math.random() * 2 ** 31);
