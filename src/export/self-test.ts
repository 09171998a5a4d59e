/**
 * The self-test of an exported GGUF: llama.cpp opens the file, and is compared with our own forward pass on the model it was made
 * of. The same ids for texts and for the template's prompt; the same distributions at the positions of answers within the
 * type's bounds (bounds.ts); greedy answers that end where ours end.
 */
import type { InstructionRecord } from '../artefacts/record.ts';
import { CpuDevice } from '../engine/index.ts';
import { InputError } from '../errors.ts';
import { generate } from '../inference/generate.ts';
import { microBatch } from '../inference/micro-batches.ts';
import type { OpenedModel } from '../inference/open-model.ts';
import { GREEDY } from '../inference/sample.ts';
import { LlamaCpp } from '../llama-cpp/client.ts';
import { Network } from '../models/network.ts';
import { uploadWeights } from '../models/weights.ts';
import { encodeExamples, encodePrompt } from '../tokenizer/example.ts';
import { BOUNDS, type Bound } from './bounds.ts';
import { Comparer, type Comparison } from './compare.ts';
import { TEXTS } from './prompts.ts';
import type { ExportType } from './types.ts';

export interface SelfTest extends Comparison {
  readonly bound: Bound;
  /** Texts that both cut into the same ids, prompts included. */
  readonly texts: number;
  readonly greedy: {
    readonly answers: number;
    /** Answers that ended with the stop token within the limit. */
    readonly stopped: { readonly ours: number; readonly theirs: number };
    /** Answers that are the same to the last id, or to a near tie. */
    readonly same: number;
    readonly tokens: number;
  };
  readonly seconds: number;
}

export interface SelfTestOptions {
  readonly type: ExportType;
  readonly records: readonly Pick<InstructionRecord, 'instruction' | 'context' | 'response'>[];
  /** Ids of a greedy answer. */
  readonly maxNewTokens: number;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** llama.cpp is not to be fetched. */
  readonly offline?: boolean | undefined;
  /** An adapter GGUF, tried beside the base at the path. */
  readonly adapter?: string | undefined;
}

export type SelfTestEvent = { readonly type: 'tested'; readonly what: 'texts' | 'positions' | 'answers'; readonly done: number; readonly of: number };

/** Labelled positions of a record that are compared: distributions are large. */
const POSITIONS = 48;
/** Records whose ids are more are not asked. */
const LONGEST = 768;

/**
 * Compares the file at `path` with `model`. Throws InputError for what makes a file wrong whatever its type: other ids, a stop token
 * that does not end a text, a begin token twice. Whether the bounds hold is `failureOf`.
 */
export async function* selfTest(path: string, model: OpenedModel, options: SelfTestOptions): AsyncGenerator<SelfTestEvent, SelfTest> {
  const began = performance.now();
  const { architecture: a, tokenizer, template } = model;
  const longest = Math.min(LONGEST, a.contextLength - 2);
  const records = options.records.map((record, i) => ({ ...record, category: '', line: i + 1, hash: '' }) as InstructionRecord);
  const { examples } = encodeExamples(records, tokenizer, template, { maxLength: longest, overlong: 'drop' });
  if (examples.length === 0) throw new InputError({ expected: `records of at most ${longest} tokens to try the file with`, found: 'none', where: path, remedy: 'Give others with --data.' });
  const fitting = examples.map(({ line }) => records[line - 1]!);

  await using llama = await LlamaCpp.open(path, { contextSize: longest + options.maxNewTokens + 2, threads: options.threads, signal: options.signal, offline: options.offline, adapter: options.adapter });
  const prompts = fitting.map((record) => encodePrompt(record, tokenizer, template));
  const texts = yield* compareTokens(llama, model, fitting, prompts);

  const device = new CpuDevice(options.threads === undefined ? {} : { threads: options.threads });
  try {
    const network = new Network(a, { device, weights: uploadWeights(model.weights(), device), ...(model.lora ? { lora: model.lora } : {}) });
    const comparer = new Comparer();
    for (const [done, example] of examples.entries()) {
      const labels = [...example.trained.keys()].filter((t) => t > 0 && example.trained[t] === 1).slice(0, POSITIONS);
      const [from, end] = [labels[0]! - 1, labels.at(-1)!];
      const ids = example.ids.slice(0, end + 1);
      const theirs = await llama.score(Array.from(ids.subarray(0, end)), from, a.vocabSize);
      let at = 0;
      for await (const ours of network.logits(microBatch([{ ids, trained: Uint8Array.from(ids, (_, t) => (t > from ? 1 : 0)) }], device))) {
        for (let row = 0; row < ours.length / a.vocabSize; row++, at++) {
          const slice = (all: Float32Array, i: number) => all.subarray(i * a.vocabSize, (i + 1) * a.vocabSize);
          comparer.add(slice(ours, row), slice(theirs, at), ids[from + 1 + at]!);
        }
      }
      yield { type: 'tested', what: 'positions', done: done + 1, of: examples.length };
    }
    const greedy = yield* compareAnswers(llama, network, model, prompts, options.maxNewTokens);
    return { ...comparer.result(), bound: BOUNDS[options.type], texts, greedy, seconds: (performance.now() - began) / 1000 };
  } finally {
    await device.release();
  }
}

/** The same ids, special tokens read where the template has them and nowhere else. */
async function* compareTokens(llama: LlamaCpp, { tokenizer, template, text }: OpenedModel, records: readonly InstructionRecord[], prompts: readonly Int32Array[]): AsyncGenerator<SelfTestEvent, number> {
  const refuse = (expected: string, found: string): never => {
    throw new InputError({ expected, found, where: llama.path, remedy: 'Use --to safetensors, and please report it with the model\'s name.' });
  };
  const expressible = TEXTS.filter((sample) => {
    try {
      return tokenizer.encodeText(sample).length > 0;
    } catch {
      return false; // this vocabulary has no bytes
    }
  }).map((sample) => sample.normalize('NFC'));
  const theirs = await llama.tokenize(expressible, false);
  tokenizer.encodeTexts(expressible).forEach((ours, i) => {
    if (ours.join() !== theirs[i]!.join()) refuse(`the ids ${shorten(ours)} for ${JSON.stringify(expressible[i]!.slice(0, 60))}`, `${shorten(theirs[i]!)} in llama.cpp`);
  });
  const framed = records.map((record) => template.prompt(record).map((segment) => segment.special ?? segment.text!.normalize('NFC')).join(''));
  const parsed = await llama.tokenize(framed, true);
  // A record may itself spell a special token: we keep it as text, and a program that sends one text to llama.cpp cannot.
  const spells = (record: InstructionRecord) => tokenizer.specialTokens.some((token) => `${record.instruction}\n${record.context}`.includes(token));
  prompts.forEach((ours, i) => {
    if (!spells(records[i]!) && Array.from(ours).join() !== parsed[i]!.join()) refuse(`the ids ${shorten(Array.from(ours))} for the prompt of record ${i + 1}`, `${shorten(parsed[i]!)} in llama.cpp`);
  });
  const stop = tokenizer.specialId(template.stopToken)!;
  const [row] = await llama.tokens([stop]);
  if (!row!.eog) refuse(`the stop token ${JSON.stringify(template.stopToken)} to end a text`, 'an ordinary token in llama.cpp');
  if (llama.prependsBos !== text.addBos) refuse(text.addBos ? 'a begin token before every text' : 'no begin token before a text', llama.prependsBos ? 'one' : 'none');
  yield { type: 'tested', what: 'texts', done: expressible.length + prompts.length, of: expressible.length + prompts.length };
  return expressible.length + prompts.length;
}

const shorten = (ids: readonly number[]): string => (ids.length > 40 ? `${ids.slice(0, 40).join(' ')} …` : ids.join(' '));

async function* compareAnswers(llama: LlamaCpp, network: Network, { tokenizer, template }: OpenedModel, prompts: readonly Int32Array[], maxNewTokens: number): AsyncGenerator<SelfTestEvent, SelfTest['greedy']> {
  const stop = tokenizer.specialId(template.stopToken)!;
  const ours = new Map<number, { ids: readonly number[]; stopped: boolean }>();
  for await (const event of generate(network, prompts, { sampling: GREEDY, maxNewTokens, stopIds: [stop], seed: 0, vocabulary: tokenizer.size })) {
    if (event.type === 'done') ours.set(event.prompt, event);
  }
  let [same, theirStops, tokens] = [0, 0, 0];
  for (const [i, prompt] of prompts.entries()) {
    const answer = await llama.greedy(Array.from(prompt), Math.min(maxNewTokens, network.architecture.contextLength - prompt.length));
    const own = ours.get(i)!;
    if (answer.end === stop) theirStops++;
    tokens += own.ids.length;
    const alike = answer.ids.join() === own.ids.join() && (answer.end === stop) === own.stopped;
    if (alike || (await isTie(network, prompt, own.ids, own.stopped ? stop : undefined, answer.ids, answer.end))) same++;
    yield { type: 'tested', what: 'answers', done: i + 1, of: prompts.length };
  }
  return { answers: prompts.length, stopped: { ours: [...ours.values()].filter((a) => a.stopped).length, theirs: theirStops }, same, tokens };
}

/** Whether the first id in which two answers differ was, for us, a choice between logits that are closer than sums are exact. */
async function isTie(network: Network, prompt: Int32Array, ours: readonly number[], ourEnd: number | undefined, theirs: readonly number[], theirEnd: number | undefined): Promise<boolean> {
  const [own, other] = [[...ours, ...(ourEnd === undefined ? [] : [ourEnd])], [...theirs, ...(theirEnd === undefined ? [] : [theirEnd])]];
  const at = own.findIndex((id, i) => id !== other[i]);
  if (at === -1 || other[at] === undefined) return false;
  const cache = network.cache(prompt.length + at);
  const logits = await network.extend([{ cache, ids: Int32Array.from([...prompt, ...own.slice(0, at)]) }]);
  return Math.abs(logits[own[at]!]! - logits[other[at]]!) < 1e-3;
}

/** What of the bounds does not hold. Undefined where all do. */
export function failureOf({ bound, top1, kl, perplexity, greedy }: SelfTest): string | undefined {
  if (top1 < bound.top1) return `top-1 agreement ${top1.toFixed(4)}, bound ${bound.top1}`;
  if (!(kl <= bound.kl)) return `KL divergence ${kl.toExponential(2)} nats, bound ${bound.kl}`;
  if (!(Math.abs(perplexity.relative) <= bound.perplexity)) return `a perplexity that differs by ${(100 * perplexity.relative).toFixed(2)} %, bound ${100 * bound.perplexity} %`;
  // What a type may change is the words, not that answers end.
  const missing = greedy.stopped.ours - greedy.stopped.theirs;
  if (missing > Math.max(1, greedy.answers / 4)) return `${greedy.stopped.theirs} of ${greedy.answers} greedy answers that stop, where the model stops in ${greedy.stopped.ours}`;
  return undefined;
}
