/** The flags of `train` and `plan`: the same, parsed once. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { ORIGINS, UNKNOWN } from '../artefacts/provenance.ts';
import { parseLicence, writeLicence } from '../licence/expression.ts';
import type { TrainOptions } from '../train/options.ts';
import { completeOptions, DEFAULTS, RECIPES } from '../train/options.ts';
import { resolve } from './resolve.ts';

export const wholeNumber = (least: number) => (text: string): number => {
  const n = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(n) || n < least) throw new InvalidArgumentError(`expected a whole number of at least ${least}, found "${text}".`);
  return n;
};

export const positive = (text: string): number => {
  const n = Number(text);
  if (text.trim() === '' || !(n > 0) || !Number.isFinite(n)) throw new InvalidArgumentError(`expected a number above 0, found "${text}".`);
  return n;
};

export const notNegative = (text: string): number => (Number(text) === 0 && text.trim() !== '' ? 0 : positive(text));

/** `0.05` or `5%`: above 0, at most 1. */
export const share = (text: string): number => {
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 1)) throw new InvalidArgumentError(`expected a share such as 0.05 or 5%, found "${text}".`);
  return value;
};

/** A licence expression in SPDX's own writing. */
export const licenceFlag = (text: string): string => {
  try {
    return writeLicence(parseLicence(text));
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
};

export const templateOption = () => new Option('--template <name>', 'how records are framed: as Dolly does, or as the chat template of the base').choices(['dolly', 'chat']);

export function addTrainOptions(command: Command): Command {
  return command
    .requiredOption('--base <model>', 'base model: a folder, a .gguf file or a hub id')
    .requiredOption('--data <data>', 'records: a sealed dataset, a .jsonl file or a hub id')
    .requiredOption('--out <folder>', 'where the run and its model go; must be empty or new')
    .addOption(new Option('--method <name>', 'train every weight, or a LoRA adapter').choices(['full', 'lora']))
    .addOption(new Option('--recipe <name>', 'values of a known recipe, before the other flags').choices(Object.keys(RECIPES)))
    .option('--epochs <n>', 'times through the data', wholeNumber(1))
    .option('--max-steps <n>', 'end after this many updates', wholeNumber(1))
    .option('--lr <x>', 'peak learning rate', positive)
    .addOption(new Option('--schedule <name>', 'course of the learning rate').choices(['dolly', 'linear', 'cosine', 'constant']))
    .option('--warmup-steps <n>', 'updates of warm-up (default: 3 % of the run)', wholeNumber(0))
    .option('--batch-tokens <n>', `tokens of an update (default: ${DEFAULTS.batchTokens})`, wholeNumber(1))
    .option('--batch-rows <n>', 'rows of an update, instead of tokens', wholeNumber(1))
    .option('--micro-tokens <n>', `tokens in memory at once (default: ${DEFAULTS.microTokens})`, wholeNumber(1))
    .option('--max-length <n>', 'longest row in tokens (default: the context of the base)', wholeNumber(2))
    .addOption(new Option('--overlong <how>', 'longer rows: leave out, or shorten their context').choices(['drop', 'cut-context']))
    .option('--test-size <n>', 'rows held out for evaluation (default: 5 %, at most 200)', wholeNumber(0))
    .option('--seed <n>', `(default: ${DEFAULTS.seed})`, wholeNumber(0))
    .option('--weight-decay <x>', `(default: ${DEFAULTS.weightDecay})`, notNegative)
    .option('--rank <n>', `rank of LoRA (default: ${DEFAULTS.rank})`, wholeNumber(1))
    .option('--alpha <x>', `alpha of LoRA (default: ${DEFAULTS.alpha})`, positive)
    .addOption(templateOption())
    .addOption(new Option('--activations <how>', 'keep them, or compute them again to save memory').choices(['saved', 'recomputed']))
    .addOption(new Option('--device <name>', 'where products run').choices(['cpu', 'webgpu']))
    .option('--threads <n>', 'threads of a product (default: all cores)', wholeNumber(1))
    .option('--save-steps <n>', 'updates between checkpoints (default: five minutes)', wholeNumber(1))
    .addOption(new Option('--dtype <name>', 'type of the weights that a full run writes').choices(['f32', 'bf16']))
    .option('--licence <spdx>', 'licence of the data, where it is a plain file', licenceFlag)
    .addOption(new Option('--origin <who>', 'who or what made the data, where it is a plain file').choices([...ORIGINS]))
    .option('--accept-taint <reason>', 'train on data whose licences forbid it; the model stays tainted')
    .option('--revision <name>', 'revision of a base from the hub')
    .option('--offline', 'use only what is already here')
    .option('--json', 'print one JSON object');
}

type Flags = Readonly<Record<string, unknown>>;

/** To say that nobody knows is not to name a licence. */
const licenceOf = (given: string | undefined) => (given === UNKNOWN ? undefined : given);

/** Flags to options; fetches what is named by hub id. */
export async function trainOptions(flags: Flags): Promise<TrainOptions> {
  const value = <T>(name: string) => flags[name] as T | undefined;
  const offline = value<boolean>('offline');
  const base = await resolve(value<string>('base')!, 'model', { offline, revision: value('revision') });
  const data = await resolve(value<string>('data')!, 'dataset', { offline });
  const given = {
    base: base.path, data: data.path, out: value<string>('out')!, method: value('method'), template: value('template'), epochs: value('epochs'), maxSteps: value('maxSteps'),
    rate: value('lr'), schedule: value('schedule'), warmup: value('warmupSteps'), batchTokens: value('batchTokens'), batchRows: value('batchRows'), microTokens: value('microTokens'),
    maxLength: value('maxLength'), overlong: value('overlong'), testSize: value('testSize'), seed: value('seed'), weightDecay: value('weightDecay'), rank: value('rank'), alpha: value('alpha'),
    activations: value('activations'), device: value('device'), threads: value('threads'), saveSteps: value('saveSteps'), dtype: value('dtype'), licence: licenceOf(value('licence') ?? data.licence), baseLicence: base.licence, origin: value('origin'), acceptTaint: value('acceptTaint'),
  };
  return completeOptions(given as Partial<TrainOptions> & Pick<TrainOptions, 'base' | 'data' | 'out'>, value('recipe'));
}
