/** What a training run is told, with its defaults (docs/decisions/ says how they were calibrated). */
import type { Origin } from '../artefacts/provenance.ts';
import { UsageError } from '../errors.ts';
import { LORA_DEFAULTS } from '../models/adapter.ts';
import type { Schedule } from '../engine/index.ts';
import type { TemplateName } from '../inference/open-model.ts';

/** Sizes of a model that is pre-trained from nothing. */
export interface FreshModel {
  readonly vocabSize: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** Longest text in tokens. */
  readonly context: number;
}

export interface TrainOptions {
  /** Not read where `fresh` is given. */
  readonly base: string;
  /** A sealed dataset or a file of records; in pre-training, text. */
  readonly data: string;
  /** Pre-train a model of these sizes instead of fine-tuning a base. */
  readonly fresh?: FreshModel | undefined;
  /** Pre-train the base further, on text. */
  readonly continued?: boolean | undefined;
  /** Type in which a full run's weights are written. */
  readonly dtype: 'f32' | 'bf16';
  readonly out: string;
  readonly method: 'full' | 'lora';
  readonly template?: TemplateName | undefined;
  readonly epochs: number;
  /** Ends the run at this many updates, over as many epochs as that takes. */
  readonly maxSteps?: number | undefined;
  readonly rate: number;
  readonly schedule: Schedule;
  readonly warmup: number | 'auto';
  /** An update takes rows until it has this many tokens … */
  readonly batchTokens: number;
  /** … or exactly this many rows. */
  readonly batchRows?: number | undefined;
  /** Tokens in memory at once. */
  readonly microTokens: number;
  readonly maxLength?: number | undefined;
  readonly overlong: 'drop' | 'cut-context';
  /** Rows held out for evaluation; 'auto': one in twenty, at most 200. */
  readonly testSize: number | 'auto';
  readonly seed: number;
  readonly weightDecay: number;
  readonly maxNorm: number;
  readonly rank: number;
  readonly alpha: number;
  readonly activations: 'saved' | 'recomputed';
  readonly device: 'cpu' | 'webgpu';
  readonly threads?: number | undefined;
  /** Seconds between checkpoints, or updates between them. */
  readonly saveSeconds: number;
  readonly saveSteps?: number | undefined;
  /** Licence of the data, and of the base where its source states one. */
  readonly licence?: string | undefined;
  readonly baseLicence?: string | undefined;
  /** Who or what made the data, where it is a plain file. */
  readonly origin?: Origin | undefined;
  /** Why tainted data is trained on all the same. */
  readonly acceptTaint?: string | undefined;
}

const RATES = { full: 1e-5, lora: 1e-3, fresh: 1e-3, continued: 3e-4 } as const;

export const DEFAULTS = {
  method: 'full', epochs: 1, schedule: 'linear', warmup: 'auto', batchTokens: 2048, microTokens: 2048, overlong: 'drop', testSize: 'auto', seed: 42,
  weightDecay: 0, maxNorm: 1, rank: LORA_DEFAULTS.rank, alpha: LORA_DEFAULTS.alpha, activations: 'saved', device: 'cpu', saveSeconds: 300, dtype: 'f32',
} as const;

/** Dolly's own values (docs/numbers.md 1): its notebook's epochs, rate, warm-up and batch; rows of the whole context are dropped. */
export const RECIPES: Readonly<Record<string, Partial<TrainOptions>>> = {
  dolly: { method: 'full', epochs: 2, rate: 5e-6, schedule: 'dolly', warmup: 50, batchRows: 48, maxLength: 2047, seed: 42, template: 'dolly' },
};

type Given = Partial<TrainOptions> & Pick<TrainOptions, 'base' | 'data' | 'out'>;

/** Defaults, then the recipe, then what was given. */
export function completeOptions(given: Given, recipe?: string): TrainOptions {
  const preset = recipe === undefined ? {} : RECIPES[recipe];
  if (!preset) throw new UsageError({ expected: `a recipe among ${Object.keys(RECIPES).join(', ')}`, found: recipe!, where: '--recipe' });
  const present = Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined)) as Given;
  const method = present.method ?? preset.method ?? DEFAULTS.method;
  if ((present.fresh || present.continued) && method === 'lora') throw new UsageError({ expected: 'method full', found: 'lora', where: 'pre-training', remedy: 'All weights learn a language.' });
  const task = present.fresh ? 'fresh' : present.continued ? 'continued' : method;
  // A recipe's rate belongs to its method.
  const rate = present.rate ?? (preset.rate !== undefined && method === preset.method ? preset.rate : RATES[task]);
  return { ...DEFAULTS, ...preset, ...present, method, rate };
}

/** Names as in files: of fields, not of values. */
const snake = (value: unknown): unknown => typeof value !== 'object' || value === null ? value
  : Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined).map(([name, v]) => [name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`), snake(v)]));

/** Options that decide the numbers of a run, named as in files: a resumed run must have the same. */
export function decisive(options: TrainOptions): Record<string, unknown> {
  const { out: _out, saveSeconds: _s, saveSteps: _n, licence: _l, baseLicence: _bl, origin: _or, acceptTaint: _at, base: _b, data: _d, ...rest } = options;
  return snake(rest) as Record<string, unknown>;
}
