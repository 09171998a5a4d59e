/** Records to the rows of a run: held-out rows apart first, the others in the order in which updates will see them. */
import { createHash } from 'node:crypto';
import { Random } from '../artefacts/random.ts';
import { openData, type OpenedData } from '../artefacts/dataset.ts';
import type { InstructionRecord } from '../artefacts/record.ts';
import { InputError, UsageError } from '../errors.ts';
import type { OpenedModel } from '../inference/open-model.ts';
import { encodeExamples, type Example, type OverlongRow } from '../tokenizer/example.ts';
import { refuseOverlap, trainedData, type TrainedData } from './data.ts';
import type { TrainOptions } from './options.ts';

export interface Rows {
  readonly records: number;
  readonly train: readonly Example[];
  readonly heldOut: readonly Example[];
  readonly dropped: readonly OverlongRow[];
  readonly cut: readonly OverlongRow[];
  /** Absent where documents are learnt. */
  readonly data?: TrainedData;
}

/** Twenty rows are the least of which one is held out. */
const heldOutCount = (records: number, size: number | 'auto') => (size === 'auto' ? Math.min(200, Math.floor(records / 20)) : size);

/** What is learnt, and what is held out by the seed, each in its order. @throws InputError where none would be left to learn */
export function holdOut<T>(records: readonly T[], { testSize, seed }: TrainOptions): [train: T[], heldOut: T[]] {
  const test = heldOutCount(records.length, testSize);
  if (test >= records.length) throw new InputError({ expected: `fewer held-out rows than the ${records.length} records`, found: String(test), where: '--test-size', remedy: 'Hold out fewer rows or give more data.' });
  const held = new Set(new Random(seed).permutation(records.length).subarray(0, test));
  return [records.filter((_, i) => !held.has(i)), records.filter((_, i) => held.has(i))];
}

/** @throws InputError for data that cannot be used, naming the line */
export function loadRows(options: TrainOptions, model: OpenedModel): Rows {
  const data = openData(options.data);
  const [toTrain, toHold] = sides(data, options);
  const limit = Math.min(options.maxLength ?? model.architecture.contextLength, model.architecture.contextLength);
  const encode = (records: readonly InstructionRecord[]) => encodeExamples(records, model.tokenizer, model.template, { maxLength: limit, overlong: options.overlong });
  const [train, heldOut] = [encode(toTrain), encode(toHold)];
  if (train.examples.length === 0) throw new InputError({ expected: `a record of at most ${limit} tokens`, found: 'none', where: options.data, remedy: 'Raise --max-length, or use --overlong cut-context.' });
  const byLine = (a: OverlongRow, b: OverlongRow) => a.line - b.line;
  return {
    records: toTrain.length + toHold.length, train: train.examples, heldOut: heldOut.examples, data: trainedData(data, options),
    dropped: [...train.dropped, ...heldOut.dropped].sort(byLine), cut: [...train.cut, ...heldOut.cut].sort(byLine),
  };
}

/** What was held out when the dataset was split stays held out; of other data some is now. */
function sides({ records, heldOut }: OpenedData, options: TrainOptions): [train: readonly InstructionRecord[], heldOut: readonly InstructionRecord[]] {
  if (!heldOut) return holdOut(records, options);
  if (options.testSize !== 'auto') throw new UsageError({ expected: 'no --test-size beside a dataset with its own held-out records', found: String(options.testSize), where: options.data });
  refuseOverlap(records, heldOut, options.data);
  return [records, heldOut];
}

export interface Update {
  readonly epoch: number;
  readonly rows: readonly Example[];
}

/** The updates of a whole run. Every epoch has its own order from the seed; the last update of an epoch may be smaller. */
export function planUpdates(rows: readonly Example[], options: TrainOptions): Update[] {
  const updates: Update[] = [];
  const enough = () => options.maxSteps !== undefined && updates.length >= options.maxSteps;
  for (let epoch = 0; options.maxSteps === undefined ? epoch < options.epochs : !enough(); epoch++) {
    const order = new Random(options.seed ^ Math.imul(epoch + 1, 0x9e3779b9)).permutation(rows.length);
    let current: Example[] = [];
    let tokens = 0;
    const close = () => {
      if (current.length > 0) updates.push({ epoch, rows: current });
      current = [];
      tokens = 0;
    };
    for (const i of order) {
      const row = rows[i]!;
      const full = options.batchRows === undefined ? tokens + row.ids.length > options.batchTokens : current.length >= options.batchRows;
      if (full) close();
      current.push(row);
      tokens += row.ids.length;
    }
    close();
  }
  return options.maxSteps === undefined ? updates : updates.slice(0, options.maxSteps);
}

/** One hash for rows in order. */
export function hashRows(rows: readonly Example[]): string {
  const hash = createHash('sha256');
  for (const row of rows) hash.update(`${row.hash}\n`);
  return hash.digest('hex');
}

export const tokensOf = (rows: readonly Example[]): number => rows.reduce((n, r) => n + r.ids.length, 0);
export const labelsOf = (rows: readonly Example[]): number => rows.reduce((n, r) => n + r.trained.reduce((a, b) => a + b, 0), 0);
