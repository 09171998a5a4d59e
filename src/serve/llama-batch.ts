/**
 * Continuous batching on llama.cpp: a sequence for each text, and one call of llama.cpp a step, which takes what all of them wait for. Each
 * text asks for its next token in the same turn and no text asks again before all have theirs, so no batch is ever half full.
 */
import { availableParallelism } from 'node:os';
import { Random } from '../artefacts/random.ts';
import { InputError, ResourceError } from '../errors.ts';
import { gbnf } from '../inference/grammar.ts';
import { openModel } from '../inference/open-model.ts';
import { sample } from '../inference/sample.ts';
import { loadModel, said, type LlamaContext, type LlamaContextSequence, type LoadedModel, type SequenceEvaluateOptions, type Token } from '../llama-cpp/load.ts';
import { tokenBytes } from '../tokenizer/token-bytes.ts';
import { failureOf, PROMPT_PIECE, type Batch } from './batch.ts';
import { Grammars, score, type GrammarText } from './draw.ts';
import type { Job, JobEvent, OpenRequest, Scored } from './protocol.ts';

/** Keys and values of the model or of an adapter: llama.cpp lays an adapter beside a whole context. */
interface Lane {
  readonly context: LlamaContext;
  readonly free: LlamaContextSequence[];
}

interface Text {
  readonly job: Job;
  readonly lane: Lane;
  readonly sequence: LlamaContextSequence;
  /** Not yet evaluated. */
  fresh: Token[];
  made: number;
  /** Draws inside llama.cpp, once the prompt is in. */
  tokens: ReturnType<LlamaContextSequence['evaluate']> | undefined;
  /** For log-probabilities the draw is ours. */
  readonly random: Random;
  grammar: GrammarText | undefined;
  readonly prompt: Scored[] | undefined;
}

/** Positions of a prompt that are scored in a step: each comes as an object of the whole vocabulary, which takes milliseconds. */
const SCORED_AT_ONCE = 4;
/** Below what single precision holds: a token without a probability. */
const LEAST = -104;

export class LlamaBatch implements Batch {
  readonly #loaded: LoadedModel;
  readonly #request: OpenRequest;
  readonly #vocabulary: number;
  readonly #lanes = new Map<string, Lane>();
  readonly #texts = new Map<number, Text>();
  readonly #bytes: () => Promise<readonly Uint8Array[]>;
  #grammars: Grammars | undefined;

  private constructor(loaded: LoadedModel, request: OpenRequest, vocabulary: number) {
    this.#loaded = loaded;
    this.#request = request;
    this.#vocabulary = vocabulary;
    this.#bytes = async () => tokenBytes((await openModel(request.model, { template: request.template, asItIs: true })).tokenizer).bytes;
  }

  static async open(given: OpenRequest): Promise<LlamaBatch> {
    // llama.cpp's threads spin while they wait, also for the work between two tokens, which needs a core: on two cores one thread answers faster than two.
    const request = { ...given, threads: given.threads ?? Math.max(1, availableParallelism() - 1) };
    const { model: path, entry, threads, template } = request;
    const { tokenizer } = await openModel(path, { template, asItIs: true });
    const batch = new LlamaBatch(await told(path, () => loadModel(entry!, path, { threads, checksMemory: true })), request, tokenizer.size);
    batch.#lanes.set('', await batch.#lane());
    return batch;
  }

  async #lane(lora?: string): Promise<Lane> {
    const { context: contextSize, parallel: sequences, threads, model: path } = this.#request;
    return told(lora ?? path, async () => {
      const context = await this.#loaded.model.createContext({ contextSize, sequences, failedCreationRemedy: false, ...(threads === undefined ? {} : { threads }), ...(lora === undefined ? {} : { lora }) });
      return { context, free: Array.from({ length: sequences }, () => context.getSequence()) };
    });
  }

  get busy(): boolean {
    return this.#texts.size > 0;
  }

  start(job: Job): void {
    const lane = this.#lanes.get(job.adapter);
    const sequence = lane?.free.pop();
    if (!lane || !sequence) throw new Error(`internal: no ${lane ? 'free sequence' : `adapter ${job.adapter}`}`);
    this.#texts.set(job.id, {
      job, lane, sequence, fresh: Array.from(job.ids) as Token[], made: 0, tokens: undefined, random: new Random(job.seed),
      grammar: undefined, prompt: job.echo ? [] : undefined,
    });
  }

  async cancel(id: number): Promise<void> {
    const text = this.#texts.get(id);
    if (!text) return;
    this.#texts.delete(id);
    await text.tokens?.return();
    await text.sequence.clearHistory();
    text.lane.free.push(text.sequence);
  }

  async step(): Promise<JobEvent[]> {
    let decoding = 0;
    for (const { fresh } of this.#texts.values()) if (fresh.length <= 1) decoding++;
    let room = decoding > 0 ? PROMPT_PIECE : 2 * PROMPT_PIECE;
    const work = [...this.#texts.values()].map(async (text): Promise<JobEvent[]> => {
      const { id } = text.job;
      try {
        if (text.prompt && text.prompt.length < text.job.ids.length - 1) return await this.#scorePrompt(text);
        if (text.fresh.length > 1) {
          const piece = text.fresh.slice(0, room);
          room -= piece.length;
          if (piece.length === 0) return [];
          // The last id of a prompt is left for the first draw.
          if (piece.length === text.fresh.length) piece.pop();
          text.fresh = text.fresh.slice(piece.length);
          await text.sequence.evaluateWithoutGeneratingNewTokens(piece);
          return [];
        }
        return await this.#next(text);
      } catch (error) {
        return [{ id, error: failureOf(error) }];
      }
    });
    const events = (await Promise.all(work)).flat();
    for (const { id, end, error } of events) if (end !== undefined || error !== undefined) await this.cancel(id);
    return events;
  }

  async #next(text: Text): Promise<JobEvent[]> {
    const { id, stopIds, most, top } = text.job;
    const drawn = top === undefined ? await this.#drawn(text) : await this.#drawnHere(text, top);
    if (drawn === undefined || stopIds.includes(drawn.token)) return [{ id, end: 'stop' }];
    text.made++;
    const event = { id, ...drawn };
    if (text.grammar?.isFinal) return [{ ...event, end: 'stop' }];
    return [text.made >= most ? { ...event, end: 'length' } : event];
  }

  async #drawn(text: Text): Promise<{ token: Token } | undefined> {
    text.tokens ??= text.sequence.evaluate(text.fresh, this.#options(text.job));
    const next = await text.tokens.next();
    return next.done ? undefined : { token: next.value };
  }

  #options({ sampling: { temperature, topP, topK }, seed, grammar }: Job): SequenceEvaluateOptions {
    const { library, llama, model } = this.#loaded;
    return {
      temperature, topP, seed,
      // 0 would sort the whole vocabulary before each draw; null leaves the cut out.
      topK: topK === 0 ? (null as unknown as number) : topK,
      ...(grammar ? { grammarEvaluationState: new library.LlamaGrammarEvaluationState({ model, grammar: new library.LlamaGrammar(llama, { grammar: gbnf(grammar) }) }) } : {}),
    };
  }

  /** llama.cpp gives the probabilities that its own draw would use, already cut; those of the model itself come with a greedy one. */
  async #drawnHere(text: Text, top: number): Promise<{ token: Token; scored: Scored }> {
    const { sampling, stopIds, grammar } = text.job;
    const results = await text.sequence.controlledEvaluate([[text.fresh[0]!, { generateNext: { probabilities: true, options: { temperature: 0 } } }]]);
    const logits = this.#logs(results[0]?.next.probabilities);
    if (grammar) text.grammar ??= (this.#grammars ??= new Grammars(await this.#bytes())).begin(grammar, stopIds);
    const token = (text.grammar ? text.grammar.draw(logits, sampling, text.random) : sample(logits, sampling, text.random)) as Token;
    text.fresh = [token];
    return { token, scored: score(logits, token, top) };
  }

  /** Distributions after the next positions, and what they say of the ids that follow. */
  async #scorePrompt(text: Text): Promise<JobEvent[]> {
    const { id, ids, top, most } = text.job;
    const prompt = text.prompt!;
    const piece = text.fresh.slice(0, Math.min(SCORED_AT_ONCE, ids.length - 1 - prompt.length));
    const results = await text.sequence.controlledEvaluate(piece.map((token) => [token, { generateNext: { probabilities: true, options: { temperature: 0 } } }]));
    for (let i = 0; i < piece.length; i++) prompt.push(score(this.#logs(results[i]?.next.probabilities), ids[prompt.length + 1]!, top ?? 0));
    text.fresh = text.fresh.slice(piece.length);
    if (prompt.length < ids.length - 1) return [];
    return [{ id, prompt, ...(most === 0 ? { end: 'length' as const } : {}) }];
  }

  #logs(probabilities: ReadonlyMap<Token, number> | undefined): Float32Array {
    const logs = new Float32Array(this.#vocabulary).fill(LEAST);
    for (const [token, p] of probabilities ?? []) if (token < logs.length) logs[token] = Math.max(LEAST, Math.log(p));
    return logs;
  }

  embed(): Promise<Float32Array> {
    throw new InputError({ expected: 'an engine that gives hidden states', found: 'llama.cpp', remedy: 'Start the server with --engine roslin.' });
  }

  async loadAdapter(name: string, path: string): Promise<void> {
    this.#lanes.set(name, await this.#lane(path));
  }

  async dropAdapter(name: string): Promise<void> {
    const lane = this.#lanes.get(name);
    this.#lanes.delete(name);
    await lane?.context.dispose();
  }
}

/** llama.cpp's own errors with what it said before them, and its lack of memory as ours. */
async function told<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const found = [error instanceof Error ? error.message : String(error), ...said.slice(-3)].join('; ');
    if (/memory/i.test(found)) throw new ResourceError({ expected: 'memory for the model and its texts', found, where: path, remedy: 'Try a smaller --context or --parallel.' }, { cause: error });
    throw new InputError({ expected: 'a file that llama.cpp reads', found, where: path, remedy: 'Try --engine roslin.' }, { cause: error });
  }
}
