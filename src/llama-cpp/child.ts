/**
 * llama.cpp in a process of its own, so that a crash in it takes nobody down: loads one GGUF, and answers what client.ts asks. In the
 * way that comes nearest to the model's own arithmetic: keys and values in F32, no flash attention.
 */
import { loadModel, said, type ControlledEvaluateInputItem, type LlamaContextSequence, type LoadedModel, type Token } from './load.ts';
import type { LoadRequest, Reply, Request, TokenRow } from './protocol.ts';

interface Loaded extends LoadedModel {
  readonly sequence: LlamaContextSequence;
}

async function load({ entry, path, contextSize, threads, adapter }: LoadRequest): Promise<Loaded> {
  const loaded = await loadModel(entry, path, { threads });
  const context = await loaded.model.createContext({
    contextSize, flashAttention: false, experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32', sequences: 1, ignoreMemorySafetyChecks: true,
    ...(threads === undefined ? {} : { threads }), ...(adapter === undefined ? {} : { lora: adapter }),
  });
  return { ...loaded, sequence: context.getSequence() };
}

/** Positions whose whole distributions are in memory at once: as objects they take many times their bytes. */
const AT_ONCE = 8;

/** Natural logarithms of the probabilities after each id from `from` on, [ids.length - from, vocabulary]. */
async function score({ sequence }: Loaded, ids: readonly number[], from: number, vocabulary: number): Promise<Float32Array> {
  await sequence.clearHistory();
  const out = new Float32Array((ids.length - from) * vocabulary);
  const tokens = ids as readonly Token[];
  if (from > 0) await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(0, from));
  for (let at = from; at < ids.length; at += AT_ONCE) {
    const asked = tokens.slice(at, at + AT_ONCE).map((token): ControlledEvaluateInputItem => [token, { generateNext: { probabilities: true, options: { temperature: 0 } } }]);
    const results = await sequence.controlledEvaluate(asked);
    results.forEach((result, i) => {
      const row = out.subarray((at + i - from) * vocabulary, (at + i - from + 1) * vocabulary);
      // A probability below what single precision holds comes as zero.
      row.fill(LEAST);
      const probabilities = result?.next.probabilities ?? new Map<Token, number>();
      // They were divided by a sum taken in single precision, which is off by some 1e-4.
      let sum = 0;
      for (const p of probabilities.values()) sum += p;
      for (const [token, p] of probabilities) row[token] = Math.max(LEAST, Math.log(p / sum));
    });
  }
  return out;
}

const LEAST = -104;

/** Ids after `ids`, the likeliest each time, up to one that ends a text. */
async function greedy({ sequence, model }: Loaded, ids: readonly number[], most: number): Promise<{ ids: number[]; end: number | undefined }> {
  await sequence.clearHistory();
  const answer: number[] = [];
  const yieldEogToken = true;
  for await (const token of sequence.evaluate(ids as Token[], { temperature: 0, yieldEogToken })) {
    if (model.isEogToken(token)) return { ids: answer, end: token };
    answer.push(token);
    if (answer.length >= most) break;
  }
  return { ids: answer, end: undefined };
}

function tokens({ model }: Loaded, ids: readonly number[]): TokenRow[] {
  return ids.map((id) => ({ id, text: model.detokenize([id as Token], true), eog: model.isEogToken(id as Token) }));
}

let loaded: Loaded | undefined;

async function answer(request: Request): Promise<unknown> {
  if (request.kind === 'load') {
    loaded = await load(request);
    return { bos: loaded.model.tokens.shouldPrependBosToken, system: loaded.llama.systemInfo };
  }
  if (!loaded) throw new Error('nothing is loaded');
  if (request.kind === 'tokenize') return request.texts.map((text) => Array.from(loaded!.model.tokenize(text, request.special, 'trimLeadingSpace')));
  if (request.kind === 'tokens') return tokens(loaded, request.ids);
  if (request.kind === 'score') return score(loaded, request.ids, request.from, request.vocabulary);
  if (request.kind === 'greedy') return greedy(loaded, request.ids, request.most);
  await loaded.llama.dispose();
  return undefined;
}

const send = (reply: Reply) => new Promise<void>((resolve) => process.send!(reply, () => resolve()));

// Ctrl-C reaches the whole process group; the parent decides.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(1));
process.on('message', (request: Request) => {
  void answer(request)
    .then((value): Reply => ({ value }))
    .catch((error: unknown): Reply => ({ error: [error instanceof Error ? error.message : String(error), ...said.slice(-3)].join('; ') }))
    .then(async (reply) => {
      await send(reply);
      if (request.kind === 'end') process.exit(0);
    });
});
