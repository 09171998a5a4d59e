/** Evaluation of a model on records it never saw: losses, and on request whether greedy answers end by themselves. */
import { readRecordFile } from '../artefacts/record.ts';
import { CpuDevice } from '../engine/index.ts';
import { InputError } from '../errors.ts';
import { generate, repeats } from '../inference/generate.ts';
import { heldOutLoss, type HeldOutReport } from '../inference/held-out.ts';
import { openModel, type OpenOptions } from '../inference/open-model.ts';
import { GREEDY } from '../inference/sample.ts';
import { Network } from '../models/network.ts';
import { uploadWeights } from '../models/weights.ts';
import { encodeExamples, encodePrompt } from '../tokenizer/example.ts';

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
}

export interface Evaluation extends HeldOutReport {
  readonly template: string;
  readonly dropped: number;
  /** Share of greedy answers that ended with the stop token. */
  readonly stop_rate?: number;
  /** Answers in which a run of 20 tokens occurs twice. */
  readonly loops?: number;
  readonly answers?: readonly Answer[];
}

export type EvaluateEvent =
  | { readonly type: 'scored'; readonly done: number; readonly of: number }
  | { readonly type: 'answered'; readonly done: number; readonly of: number; readonly tokens: number };

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
    const base = { template: model.template.name, dropped: dropped.length, ...next.value };
    if (!options.answers) return base;

    const asked = records.slice(0, options.answers);
    const prompts = asked.map((r) => encodePrompt(r, model.tokenizer, model.template));
    const answers: Answer[] = [];
    const settings = { sampling: GREEDY, maxNewTokens: options.maxNewTokens, stopIds: [model.tokenizer.specialId(model.template.stopToken)!], seed: 0, vocabulary: model.tokenizer.size };
    let tokens = 0;
    for await (const event of generate(network, prompts, settings)) {
      if (event.type === 'token') tokens++;
      else {
        const record = asked[event.prompt]!;
        answers.push({
          line: record.line, category: record.category, instruction: record.instruction, answer: model.tokenizer.decode(event.ids, { skipSpecial: true }).trim(),
          stopped: event.stopped, loops: repeats(event.ids), tokens: event.ids.length,
        });
      }
      yield { type: 'answered', done: answers.length, of: asked.length, tokens };
    }
    answers.sort((a, b) => a.line - b.line);
    return { ...base, stop_rate: answers.filter((a) => a.stopped).length / answers.length, loops: answers.filter((a) => a.loops).length, answers };
  } finally {
    await device.release();
  }
}
