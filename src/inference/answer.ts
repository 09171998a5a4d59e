/** One instruction to one answer, as text that comes in pieces. */
import { CpuDevice } from '../engine/index.ts';
import { Network } from '../models/network.ts';
import { uploadWeights } from '../models/weights.ts';
import { encodePrompt } from '../tokenizer/example.ts';
import { generate } from './generate.ts';
import { openModel, type OpenOptions } from './open-model.ts';
import type { Sampling } from './sample.ts';

export interface AnswerOptions extends OpenOptions {
  readonly model: string;
  readonly instruction: string;
  readonly context: string;
  readonly maxNewTokens: number;
  readonly sampling: Sampling;
  readonly seed: number;
  readonly threads?: number | undefined;
}

export interface AnswerResult {
  readonly answer: string;
  readonly stopped: boolean;
  readonly tokens: number;
  readonly prompt_tokens: number;
  /** After the first, which waits for the prompt. */
  readonly tokens_per_second: number;
  readonly template: string;
}

/** Yields the answer's text as it grows, whole characters only. */
export async function* answer(options: AnswerOptions): AsyncGenerator<string, AnswerResult> {
  const model = await openModel(options.model, options);
  const device = new CpuDevice(options.threads === undefined ? {} : { threads: options.threads });
  try {
    const network = new Network(model.architecture, { device, weights: uploadWeights(model.weights(), device), ...(model.lora ? { lora: model.lora } : {}) });
    const prompt = encodePrompt(options, model.tokenizer, model.template);
    const ids: number[] = [];
    let shown = '';
    let stopped = false;
    let first = performance.now();
    const settings = { sampling: options.sampling, maxNewTokens: options.maxNewTokens, stopIds: [model.tokenizer.specialId(model.template.stopToken)!], seed: options.seed, vocabulary: model.tokenizer.size };
    const decode = () => model.tokenizer.decode(ids, { skipSpecial: true }).trimStart();
    for await (const event of generate(network, [prompt], settings)) {
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
    return { answer: text.trim(), stopped, tokens: ids.length, prompt_tokens: prompt.length, tokens_per_second: (1000 * Math.max(0, ids.length - 1)) / (performance.now() - first), template: model.template.name };
  } finally {
    await device.release();
  }
}
