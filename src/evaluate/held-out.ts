/** Evaluation of a model on records it never saw: losses, and on request whether greedy answers end by themselves. */
import { unseenRecords } from '../artefacts/dataset.ts';
import type { InstructionRecord } from '../artefacts/record.ts';
import { CpuDevice } from '../engine/index.ts';
import { InputError } from '../errors.ts';
import { heldOutLoss, type HeldOutReport } from '../inference/held-out.ts';
import { openModel, type OpenedModel, type OpenOptions } from '../inference/open-model.ts';
import { Network } from '../models/network.ts';
import { uploadWeights } from '../models/weights.ts';
import { encodeExamples } from '../tokenizer/example.ts';
import { answerAll, answerScores, scoresByCategory, share, type Answer, type AnsweredEvent, type AnswerScores } from './answers.ts';
import { chooseByLikelihood } from './choices.ts';

export interface EvaluateOptions extends OpenOptions {
  readonly model: string;
  readonly data: string;
  /** Records of these categories only. */
  readonly categories?: readonly string[] | undefined;
  /** First records of those only. */
  readonly limit?: number | undefined;
  /** Greedy answers to this many records. */
  readonly answers?: number | undefined;
  readonly maxNewTokens: number;
  readonly threads?: number | undefined;
}

export interface Evaluation extends HeldOutReport, Partial<AnswerScores> {
  readonly template: string;
  readonly dropped: number;
  /** Share of the records with `choices` whose response is the most likely of them. */
  readonly choice_accuracy?: number;
  readonly choice_records?: number;
  readonly answers?: readonly Answer[];
  readonly answers_by_category?: Readonly<Record<string, AnswerScores>>;
}

export type EvaluateEvent =
  | { readonly type: 'scored'; readonly done: number; readonly of: number }
  | { readonly type: 'chosen'; readonly done: number; readonly of: number }
  | AnsweredEvent;

async function* choose(network: Network, model: OpenedModel, records: readonly InstructionRecord[]): AsyncGenerator<EvaluateEvent, boolean[]> {
  const scoring = chooseByLikelihood(network, model, records);
  for (;;) {
    const next = await scoring.next();
    if (next.done) return next.value;
    yield { type: 'chosen', ...next.value };
  }
}

export async function* evaluate(options: EvaluateOptions): AsyncGenerator<EvaluateEvent, Evaluation> {
  const model = await openModel(options.model, options);
  const { categories } = options;
  const records = unseenRecords(options.data).filter((r) => !categories || categories.includes(r.category)).slice(0, options.limit);
  if (records.length === 0) throw new InputError({ expected: `records of the categories ${categories?.join(', ')}`, found: 'none', where: options.data, remedy: 'Name categories that occur in the file.' });
  const { examples, dropped } = encodeExamples(records, model.tokenizer, model.template, { maxLength: model.architecture.contextLength, overlong: 'drop' });
  if (examples.length === 0) {
    throw new InputError({ expected: `a record of at most ${model.architecture.contextLength} tokens, the model's context`, found: `none among ${records.length}`, where: options.data, remedy: 'Give shorter records.' });
  }
  const device = new CpuDevice(options.threads === undefined ? {} : { threads: options.threads });
  try {
    const network = new Network(model.architecture, { device, weights: uploadWeights(model.weights(), device), ...(model.lora ? { lora: model.lora } : {}) });
    const scoring = heldOutLoss(network, examples);
    let next = await scoring.next();
    for (; !next.done; next = await scoring.next()) yield { type: 'scored', done: next.value, of: examples.length };
    const scores = { template: model.template.name, dropped: dropped.length, ...next.value };
    const right = yield* choose(network, model, records.filter((r) => r.choices));
    const base = { ...scores, ...(right.length > 0 ? { choice_accuracy: share(right), choice_records: right.length } : {}) };
    if (!options.answers) return base;

    const tooLong = new Set(dropped.map(({ line }) => line));
    const asked = records.filter(({ line }) => !tooLong.has(line)).slice(0, options.answers);
    const answers = yield* answerAll(network, model, asked, options.maxNewTokens);
    return { ...base, ...answerScores(answers), answers, answers_by_category: scoresByCategory(answers) };
  } finally {
    await device.release();
  }
}
