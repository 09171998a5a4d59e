/**
 * What a dataset is for training: how many records become examples, how long they are in tokens, how much of them is
 * trained, what padding would cost, and a few rows as runs of trained and ignored tokens. Reads only; prints nothing
 * (`cli/dataset-inspect.ts` draws it).
 */
import type { InstructionRecord } from '../artefacts/record.ts';
import { InputError } from '../errors.ts';
import { encodeExamples } from '../tokenizer/example.ts';
import type { EncodeOptions, Example, OverlongRow } from '../tokenizer/example.ts';
import { usefulShareIfPadded } from '../tokenizer/padding.ts';
import type { PromptTemplate } from '../tokenizer/template.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

export interface InspectOptions extends EncodeOptions {
  /** Rows in the preview, spread evenly over the file. Default 3. */
  readonly preview?: number;
  /** Seed of the shuffle that the padded batches are drawn from. Default 42. */
  readonly seed?: number;
}

export interface CategoryShare {
  readonly category: string;
  readonly examples: number;
  readonly mean_tokens: number;
  /** Trained tokens over all tokens of the category. */
  readonly label_share: number;
}

/** Examples with more than the bucket before it and at most `up_to` tokens. */
export interface LengthBucket {
  readonly up_to: number;
  readonly examples: number;
}

/** Neighbouring tokens of one kind. `text` is a person's text: it may hold control characters. */
export interface PreviewRun {
  readonly text: string;
  readonly tokens: number;
  readonly trained: boolean;
  readonly special: boolean;
}

export interface PreviewRow {
  readonly line: number;
  readonly category: string;
  readonly tokens: number;
  readonly trained_tokens: number;
  readonly runs: readonly PreviewRun[];
}

export interface Inspection {
  readonly records: number;
  readonly examples: number;
  readonly template: { readonly name: string; readonly hash: string };
  readonly max_length: number;
  readonly dropped: readonly OverlongRow[];
  readonly cut: readonly OverlongRow[];
  readonly tokens: {
    readonly total: number;
    readonly trained: number;
    readonly label_share: number;
    readonly mean: number;
    readonly median: number;
    readonly p90: number;
    readonly p99: number;
    readonly max: number;
  };
  readonly histogram: readonly LengthBucket[];
  /** Largest category first. */
  readonly categories: readonly CategoryShare[];
  /** Share of useful tokens in shuffled batches of 8, each padded to its longest row and to a multiple of 8. */
  readonly padded_useful_share: number;
  readonly preview: readonly PreviewRow[];
}

/** The template's added tokens are put into the tokenizer here. Throws InputError (see `encodeExamples`). */
export function inspectDataset(
  records: readonly InstructionRecord[],
  tokenizer: Tokenizer,
  template: PromptTemplate,
  options: InspectOptions,
): Inspection {
  const ready = tokenizer.withSpecialTokens(template.addedTokens);
  const { examples, dropped, cut } = encodeExamples(records, ready, template, options);
  if (examples.length === 0) {
    throw new InputError({
      expected: 'at least one record that fits',
      found: `${records.length} records, all longer than ${options.maxLength} tokens`,
      remedy: 'Raise --max-length or shorten the records.',
    });
  }
  const lengths = examples.map((example) => example.ids.length);
  const sorted = [...lengths].sort((a, b) => a - b);
  const total = sum(lengths);
  const trained = sum(examples.map(countTrained));
  return {
    records: records.length,
    examples: examples.length,
    template: { name: template.name, hash: template.hash },
    max_length: options.maxLength,
    dropped,
    cut,
    tokens: {
      total,
      trained,
      label_share: trained / total,
      mean: total / examples.length,
      median: quantile(sorted, 0.5),
      p90: quantile(sorted, 0.9),
      p99: quantile(sorted, 0.99),
      max: sorted.at(-1) as number,
    },
    histogram: histogram(sorted),
    categories: byCategory(examples),
    padded_useful_share: usefulShareIfPadded(lengths, options.seed),
    preview: previewIndexes(examples.length, options.preview ?? 3).map((i) => previewRow(examples[i] as Example, ready)),
  };
}

/** Runs of an example's tokens of one kind, each decoded by itself. */
function previewRow(example: Example, tokenizer: Tokenizer): PreviewRow {
  const special = new Set(tokenizer.specialTokens.map((content) => tokenizer.specialId(content)));
  const runs: PreviewRun[] = [];
  const { ids, trained } = example;
  for (let from = 0; from < ids.length; ) {
    const isSpecial = special.has(ids[from]);
    let to = from + 1;
    while (to < ids.length && trained[to] === trained[from] && special.has(ids[to]) === isSpecial) to++;
    runs.push({
      text: tokenizer.decode(ids.subarray(from, to)),
      tokens: to - from,
      trained: trained[from] === 1,
      special: isSpecial,
    });
    from = to;
  }
  const { line, category } = example;
  return { line, category, tokens: ids.length, trained_tokens: countTrained(example), runs };
}

function byCategory(examples: readonly Example[]): CategoryShare[] {
  const groups = new Map<string, { examples: number; tokens: number; trained: number }>();
  for (const example of examples) {
    const group = groups.get(example.category) ?? { examples: 0, tokens: 0, trained: 0 };
    group.examples++;
    group.tokens += example.ids.length;
    group.trained += countTrained(example);
    groups.set(example.category, group);
  }
  return [...groups]
    .map(([category, group]) => ({
      category,
      examples: group.examples,
      mean_tokens: group.tokens / group.examples,
      label_share: group.trained / group.tokens,
    }))
    .sort((a, b) => b.examples - a.examples || (a.category < b.category ? -1 : 1));
}

/** Buckets that double, from 32 tokens up to the first that holds the longest. */
function histogram(sorted: readonly number[]): LengthBucket[] {
  const buckets: LengthBucket[] = [];
  let counted = 0;
  for (let up_to = 32; counted < sorted.length; up_to *= 2) {
    const before = counted;
    while (counted < sorted.length && (sorted[counted] as number) <= up_to) counted++;
    buckets.push({ up_to, examples: counted - before });
  }
  return buckets;
}

function previewIndexes(length: number, rows: number): number[] {
  const count = Math.min(Math.max(0, Math.floor(rows)), length);
  return Array.from({ length: count }, (_, i) => Math.floor((i * length) / count));
}

/** Nearest rank: the smallest value that at least the share `q` does not exceed. */
function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] as number;
}

function countTrained(example: Example): number {
  return example.trained.reduce((count, flag) => count + flag, 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
