/** Instructions to answers, as text that comes in pieces: a model opened once, asked as often as wanted. */
import { setImmediate } from 'node:timers/promises';
import { CpuDevice } from '../engine/index.ts';
import { Network } from '../models/network.ts';
import { uploadWeights } from '../models/weights.ts';
import { encodeConversation, encodePrompt } from '../tokenizer/example.ts';
import type { ChatMessage } from '../tokenizer/jinja.ts';
import type { PromptFields } from '../tokenizer/template.ts';
import { generate } from './generate.ts';
import { openModel, type OpenedModel, type OpenOptions } from './open-model.ts';
import type { Sampling } from './sample.ts';

export interface AnswererOptions extends OpenOptions {
  readonly model: string;
  readonly threads?: number | undefined;
}

export interface Asking {
  readonly maxNewTokens: number;
  readonly sampling: Sampling;
  readonly seed: number;
  /** Aborted: the answer ends where it is. */
  readonly signal?: AbortSignal | undefined;
}

export interface Question extends PromptFields, Asking {}

export interface AnswerResult {
  readonly answer: string;
  readonly stopped: boolean;
  readonly tokens: number;
  readonly prompt_tokens: number;
  /** After the first, which waits for the prompt. */
  readonly tokens_per_second: number;
  readonly template: string;
}

export class Answerer {
  readonly model: OpenedModel;
  readonly #device: CpuDevice;
  readonly #network: Network;

  private constructor(model: OpenedModel, device: CpuDevice) {
    this.model = model;
    this.#device = device;
    this.#network = new Network(model.architecture, { device, weights: uploadWeights(model.weights(), device), ...(model.lora ? { lora: model.lora } : {}) });
  }

  static async open(options: AnswererOptions): Promise<Answerer> {
    return new Answerer(await openModel(options.model, options), new CpuDevice(options.threads === undefined ? {} : { threads: options.threads }));
  }

  /** Ids of the prompt for the answer to the last of `messages`. Throws InputError where the template knows no conversations. */
  encode(messages: readonly ChatMessage[]): Int32Array {
    return encodeConversation(messages, this.model.tokenizer, this.model.template);
  }

  /** Yields the answer's text as it grows, whole characters only. */
  ask(question: Question): AsyncGenerator<string, AnswerResult> {
    return this.answer(encodePrompt(question, this.model.tokenizer, this.model.template), question);
  }

  /** The same after a prompt that is encoded already. */
  async *answer(prompt: Int32Array, { signal, ...question }: Asking): AsyncGenerator<string, AnswerResult> {
    const { tokenizer, template } = this.model;
    const ids: number[] = [];
    let shown = '';
    let stopped = false;
    let first = performance.now();
    const settings = { sampling: question.sampling, maxNewTokens: question.maxNewTokens, stopIds: [tokenizer.specialId(template.stopToken)!], seed: question.seed, vocabulary: tokenizer.size };
    const decode = () => tokenizer.decode(ids, { skipSpecial: true }).trimStart();
    for await (const event of generate(this.#network, [prompt], settings)) {
      // Products block the thread: without this, no signal or key would be noticed before the answer's end.
      if (signal) await setImmediate();
      if (signal?.aborted) break;
      if (event.type === 'done') stopped = event.stopped;
      else {
        if (ids.length === 0) first = performance.now();
        ids.push(event.id);
        const text = decode();
        // A character of several tokens decodes to U+FFFD until it is whole.
        if (text.endsWith('\ufffd') || !text.startsWith(shown)) continue;
        yield text.slice(shown.length);
        shown = text;
      }
    }
    const text = decode();
    if (text.startsWith(shown) && text !== shown) yield text.slice(shown.length);
    return { answer: text.trim(), stopped, tokens: ids.length, prompt_tokens: prompt.length, tokens_per_second: (1000 * Math.max(0, ids.length - 1)) / (performance.now() - first), template: template.name };
  }

  release(): Promise<void> {
    return this.#device.release();
  }
}

/** One question to a model that is opened for it. */
export async function* answer(options: AnswererOptions & Question): AsyncGenerator<string, AnswerResult> {
  const answerer = await Answerer.open(options);
  try {
    return yield* answerer.ask(options);
  } finally {
    await answerer.release();
  }
}
