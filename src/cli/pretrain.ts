/** `roslin pretrain`: a small base model from nothing but text, or a base that learns more of it. */
import { Command, Option } from 'commander';
import { UsageError } from '../errors.ts';
import { completeOptions, DEFAULTS, type TrainOptions } from '../train/options.ts';
import { resolveBase } from './resolve.ts';
import { runTraining } from './train.ts';
import { licenceFlag, notNegative, positive, wholeNumber } from './train-options.ts';

type Sizes = { vocabSize: number; hidden: number; layers: number; heads: number; context: number };
const SIZES = ['vocabSize', 'hidden', 'layers', 'heads', 'context'] as const;

type Flags = Sizes & { text: string; offline?: boolean; lr?: number; warmupSteps?: number | 'auto' } & Omit<Partial<TrainOptions>, 'data' | 'fresh' | 'rate' | 'warmup'> & Pick<TrainOptions, 'out'> & { resume?: boolean; json?: boolean };

export function command(): Command {
  return new Command()
    .requiredOption('--text <file>', 'text: one document as .txt, or one a line as .jsonl with a field "text"')
    .requiredOption('--out <folder>', 'where the run and its model go; must be empty or new')
    .option('--base <model>', 'a base to pre-train further, instead of a new one: a model folder, a .gguf file or a hub id')
    .option('--vocab-size <n>', 'tokens of the tokenizer, which is trained on the text', wholeNumber(257), 4096)
    .option('--hidden <n>', 'width', wholeNumber(8), 256)
    .option('--layers <n>', 'blocks', wholeNumber(1), 6)
    .option('--heads <n>', 'attention heads of a block', wholeNumber(1), 4)
    .option('--context <n>', 'longest text in tokens; a longer document becomes several', wholeNumber(2), 256)
    .option('--epochs <n>', 'times through the text', wholeNumber(1))
    .option('--max-steps <n>', 'end after this many updates', wholeNumber(1))
    .option('--lr <x>', 'peak learning rate (default: 1e-3; 3e-4 with --base)', positive)
    .addOption(new Option('--schedule <name>', 'course of the learning rate').choices(['linear', 'cosine', 'constant']).default('cosine'))
    .option('--warmup-steps <n>', 'updates of warm-up (default: 3 % of the run)', wholeNumber(0))
    .option('--batch-tokens <n>', 'tokens of an update', wholeNumber(1), 8192)
    .option('--micro-tokens <n>', `tokens in memory at once (default: ${DEFAULTS.microTokens})`, wholeNumber(1))
    .option('--weight-decay <x>', 'of matrices', notNegative, 0.1)
    .option('--test-size <n>', 'documents held out (default: 5 %, at most 200)', wholeNumber(0))
    .option('--seed <n>', `(default: ${DEFAULTS.seed})`, wholeNumber(0))
    .addOption(new Option('--dtype <name>', 'type of the weights in the file').choices(['f32', 'bf16']).default('bf16'))
    .addOption(new Option('--device <name>', 'where products run').choices(['cpu', 'webgpu']))
    .option('--threads <n>', 'threads of a product (default: all cores)', wholeNumber(1))
    .option('--save-steps <n>', 'updates between checkpoints (default: five minutes)', wholeNumber(1))
    .option('--max-length <n>', 'longest row in tokens (default: the context)', wholeNumber(2))
    .option('--licence <spdx>', 'licence of the text', licenceFlag)
    .option('--base-licence <spdx>', 'licence of the base, where it does not state one', licenceFlag)
    .option('--offline', 'use only what is already here')
    .option('--accept-taint <reason>', 'train on text whose licence forbids it; the model stays tainted')
    .option('--resume', 'go on with a run that was interrupted')
    .option('--json', 'print one JSON object')
    .action(async ({ text, base, vocabSize, hidden, layers, heads, context, lr, warmupSteps, offline, resume, json, ...rest }: Flags, verb: Command) => {
      const size = base === undefined ? undefined : SIZES.find((name) => verb.getOptionValueSource(name) === 'cli');
      if (size) throw new UsageError({ expected: 'no sizes beside --base, which has its own', found: `--${size.replace(/[A-Z]/, (c) => `-${c.toLowerCase()}`)}`, where: '--base', remedy: '--max-length shortens its rows.' });
      const begin = base === undefined ? { base: '', fresh: { vocabSize, hidden, layers, heads, context } } : { base: (await resolveBase({ base, offline }))!, continued: true };
      const options = completeOptions({ ...rest, ...begin, data: text, rate: lr, warmup: warmupSteps } as Parameters<typeof completeOptions>[0]);
      await runTraining(options, { resume, json }, (out) => `Teach it to follow instructions: roslin train --base ${out} --data … --out …`);
    });
}
