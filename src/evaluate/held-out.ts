/** Evaluation of a model on records it never saw: losses, and on request whether greedy answers end by themselves. */
import { readRecordFile, type InstructionRecord } from '../artefacts/record.ts';
import { CpuDevice } from '../engine/index.ts';
import { InputError } from '../errors.ts';
import { generate, repeats } from '../inference/generate.ts';
import { heldOutLoss, type HeldOutReport } from '../inference/held-out.ts';
import { openModel, type OpenedModel, type OpenOptions } from '../inference/open-model.ts';
import { GREEDY } from '../inference/sample.ts';
import { Network } from '../models/network.ts';
import { uploadWeights } from '../models/weights.ts';
import { wordF1 } from '../text/overlap.ts';
import { encodeExamples, encodePrompt } from '../tokenizer/example.ts';
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

export interface Answer {
  readonly line: number;
  readonly category: string;
  readonly instruction: string;
  readonly answer: string;
  readonly stopped: boolean;
  readonly loops: boolean;
  readonly tokens: number;
  /** Whether it is the response, white space at its ends apart. */
  readonly exact: boolean;
  /** F1 of its words and the response's. */
  readonly overlap: number;
}

/** What greedy answers came to. */
export interface AnswerScores {
  readonly answered: number;
  /** Share that ended with the stop token. */
  readonly stop_rate: number;
  /** Answers in which a run of 20 tokens occurs twice. */
  readonly loops: number;
  /** Share that are the response. */
  readonly exact_rate: number;
  readonly overlap: number;
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
  | { readonly type: 'answered'; readonly done: number; readonly of: number; readonly tokens: number };

const share = (values: readonly boolean[]) => values.filter(Boolean).length / values.length;

const scoresOf = (answers: readonly Answer[]): AnswerScores => ({
  answered: answers.length, stop_rate: share(answers.map((a) => a.stopped)), loops: answers.filter((a) => a.loops).length, exact_rate: share(answers.map((a) => a.exact)),
  overlap: answers.reduce((sum, a) => sum + a.overlap, 0) / answers.length,
});

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
  const records = readRecordFile(options.data).records.filter((r) => !categories || categories.includes(r.category)).slice(0, options.limit);
  if (records.length === 0) throw new InputError({ expected: `records of the categories ${categories?.join(', ')}`, found: 'none', where: options.data, remedy: 'Name categories that occur in the file.' });
  const { examples, dropped } = encodeExamples(records, model.tokenizer, model.template, { maxLength: model.architecture.contextLength, overlong: 'drop' });
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
    const prompts = asked.map((r) => encodePrompt(r, model.tokenizer, model.template));
    const answers: Answer[] = [];
    const settings = { sampling: GREEDY, maxNewTokens: options.maxNewTokens, stopIds: [model.tokenizer.specialId(model.template.stopToken)!], seed: 0, vocabulary: model.tokenizer.size };
    let tokens = 0;
    for await (const event of generate(network, prompts, settings)) {
      if (event.type === 'token') tokens++;
      else {
        const record = asked[event.prompt]!;
        const answer = model.tokenizer.decode(event.ids, { skipSpecial: true }).trim();
        answers.push({
          line: record.line, category: record.category, instruction: record.instruction, answer, stopped: event.stopped, loops: repeats(event.ids), tokens: event.ids.length,
          exact: answer === record.response.trim(), overlap: wordF1(answer, record.response),
        });
      }
      yield { type: 'answered', done: answers.length, of: asked.length, tokens };
    }
    answers.sort((a, b) => a.line - b.line);
    const categoriesSeen = [...new Set(answers.map((a) => a.category))].sort();
    return { ...base, ...scoresOf(answers), answers, answers_by_category: Object.fromEntries(categoriesSeen.map((c) => [c, scoresOf(answers.filter((a) => a.category === c))])) };
  } finally {
    await device.release();
  }
}
