/** Answers to prompts: several at once, each stopping at its stop id, at its length, or at the end of the context. */
import { InputError } from '../errors.ts';
import { Random } from '../artefacts/random.ts';
import type { KvCache } from '../models/kv-cache.ts';
import type { Network } from '../models/network.ts';
import { sample, type Sampling } from './sample.ts';

export interface GenerateOptions {
  readonly sampling: Sampling;
  readonly maxNewTokens: number;
  readonly stopIds: readonly number[];
  readonly seed: number;
  /** Ids that exist; rows of the embedding beyond are padding and never drawn. */
  readonly vocabulary: number;
  /** Texts decoded side by side. */
  readonly atOnce?: number;
}

export type GenerateEvent =
  | { readonly type: 'token'; readonly prompt: number; readonly id: number }
  | { readonly type: 'done'; readonly prompt: number; readonly ids: readonly number[]; readonly stopped: boolean };

interface Running {
  readonly prompt: number;
  readonly cache: KvCache;
  readonly random: Random;
  readonly ids: number[];
  /** Ids not yet in the cache. */
  fresh: Int32Array;
}

/** Yields tokens as they come and a `done` for each prompt, in the order in which they end. */
export async function* generate(network: Network, prompts: readonly Int32Array[], options: GenerateOptions): AsyncGenerator<GenerateEvent> {
  const context = network.architecture.contextLength;
  prompts.forEach((ids, i) => {
    if (ids.length >= context) throw new InputError({ expected: `a prompt shorter than the model's context of ${context} tokens`, found: `${ids.length} tokens`, where: `prompt ${i + 1}`, remedy: 'Shorten the text.' });
  });
  const waiting = [...prompts.keys()];
  let running: Running[] = [];
  const admit = (prompt: number): Running => ({
    prompt, ids: [], fresh: prompts[prompt]!, random: new Random(options.seed + prompt),
    cache: network.cache(Math.min(context, prompts[prompt]!.length + options.maxNewTokens)),
  });
  while (waiting.length > 0 || running.length > 0) {
    while (waiting.length > 0 && running.length < (options.atOnce ?? 8)) running.push(admit(waiting.shift()!));
    const logits = await network.extend(running.map(({ cache, fresh }) => ({ cache, ids: fresh })));
    const width = network.architecture.vocabSize;
    const next: Running[] = [];
    for (const [i, text] of running.entries()) {
      const id = sample(logits.subarray(i * width, i * width + options.vocabulary), options.sampling, text.random);
      const stopped = options.stopIds.includes(id);
      if (!stopped) {
        text.ids.push(id);
        yield { type: 'token', prompt: text.prompt, id };
      }
      if (stopped || text.ids.length >= options.maxNewTokens || text.cache.length + 1 >= context) {
        yield { type: 'done', prompt: text.prompt, ids: text.ids, stopped };
        continue;
      }
      text.fresh = Int32Array.of(id);
      next.push(text);
    }
    running = next;
  }
}

/** Whether a run of `n` ids occurs twice: the sign of an answer that turns in circles. */
export function repeats(ids: readonly number[], n = 20): boolean {
  const seen = new Set<string>();
  for (let i = 0; i + n <= ids.length; i++) {
    const key = ids.slice(i, i + n).join();
    if (seen.has(key)) return true;
    seen.add(key);
  }
  return false;
}
