/**
 * Requests to answers: what a request may take, its place in the batch, its ids in and its text out. Knows nothing of HTTP; how OpenAI writes
 * answers is in format.ts.
 */
import type { Grammar } from '../inference/grammar.ts';
import { grammarOfSchema } from '../inference/json-schema.ts';
import type { TemplateName } from '../inference/open-model.ts';
import type { Sampling } from '../inference/sample.ts';
import { Adapters, type FoundAdapter } from './adapters.ts';
import { AnswerText } from './answer-text.ts';
import { ApiError, invalid, unsupported, unusableAdapter } from './errors.ts';
import type { KeyRecord } from './keys.ts';
import { KeyLimits, Places } from './limits.ts';
import { Metrics } from './metrics.ts';
import { ModelProcess, type Adapter, type EngineName, type ModelEvent } from './model-process.ts';
import type { Scored } from './protocol.ts';
import { promptsOf, type ChatRequest, type CompletionRequest, type EmbeddingRequest } from './requests.ts';
import { nameOf, ServedModel } from './served-model.ts';

export interface ServiceOptions {
  readonly model: string;
  /** What clients call it; the name of its file or folder, if it is not given. */
  readonly name?: string | undefined;
  readonly engine: EngineName;
  /** node-llama-cpp's entry file, for that engine. */
  readonly entry?: string | undefined;
  readonly base?: string | undefined;
  readonly template?: TemplateName | undefined;
  readonly threads?: number | undefined;
  /** Longest text, prompt and answer together; at most what the model knows. */
  readonly context: number;
  /** Texts side by side. */
  readonly parallel: number;
  /** Texts that may wait. */
  readonly queue: number;
  readonly adapters: ReadonlyMap<string, string>;
  readonly adaptersFolder?: string | undefined;
  /** For requests that do not say. */
  readonly sampling: Sampling;
  readonly maxNewTokens: number;
}

/** Who asks, and until when. */
export interface Asker {
  readonly key: KeyRecord | undefined;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** A token of an answer; `logprob` where log-probabilities were asked for. */
export type AnswerToken = Pick<Scored, 'id'> & Partial<Omit<Scored, 'id'>>;

export type ChoiceEvent =
  | { readonly type: 'prompt'; readonly choice: number; readonly scored: readonly Scored[] }
  | { readonly type: 'text'; readonly choice: number; readonly text: string; readonly tokens: readonly AnswerToken[] }
  | { readonly type: 'end'; readonly choice: number; readonly reason: 'stop' | 'length'; readonly tokens: number };

export interface Choice {
  readonly ids: Int32Array;
  readonly seed: number;
}

/** An answer about to begin: everything that can be refused has been looked at. */
export interface Answering {
  readonly model: ServedModel;
  readonly choices: readonly Choice[];
  readonly promptTokens: number;
  /** To be read to its end or left; both free what it holds. */
  readonly events: AsyncGenerator<ChoiceEvent>;
}

interface Found {
  readonly model: ServedModel;
  readonly adapter: Adapter | undefined;
}

interface Wishes {
  readonly most: number;
  readonly sampling: Sampling;
  readonly stops: readonly string[];
  readonly top: number | undefined;
  readonly grammar: Grammar | undefined;
  readonly echo: boolean;
  /** The answer is to a question and not a text that goes on. */
  readonly isAnswer: boolean;
}

/** Adapters whose tokenizer and template are in memory. */
const MOST_OPENED = 16;

export class Service implements AsyncDisposable {
  readonly metrics: Metrics;
  readonly places: Places;
  readonly #options: ServiceOptions;
  readonly #process: ModelProcess;
  readonly #base: ServedModel;
  readonly #context: number;
  readonly #adapters: Adapters;
  readonly #opened = new Map<string, Promise<ServedModel>>();
  readonly #limits = new KeyLimits();
  #lastSeed = Math.floor(Math.random() * 2 ** 32);

  private constructor(options: ServiceOptions, metrics: Metrics, base: ServedModel, context: number, process: ModelProcess, adapters: Adapters) {
    this.#options = options;
    this.metrics = metrics;
    this.#base = base;
    this.#context = context;
    this.#process = process;
    this.#adapters = adapters;
    this.places = new Places(options.parallel, options.queue);
    this.metrics.gauge('roslin_texts_running', 'Texts in the batch.', () => this.places.taken);
    this.metrics.gauge('roslin_texts_waiting', 'Texts in the queue.', () => this.places.waiting);
    this.metrics.gauge('roslin_model_ready', '1 while the model is open.', () => Number(this.isReady));
  }

  /** Throws InputError or ResourceError where the model cannot be served. */
  static async open(options: ServiceOptions, tell: (event: ModelEvent) => void = () => {}): Promise<Service> {
    const { model: path, engine, base, template, threads, parallel, entry } = options;
    const adapters = new Adapters(engine, options.adapters, options.adaptersFolder);
    const model = await ServedModel.open(path, options.name ?? nameOf(path), '', engine, { base, template });
    const context = Math.min(options.context, model.opened.architecture.contextLength);
    const metrics = new Metrics();
    const told = (event: ModelEvent) => {
      if (event.type === 'ended') metrics.restarts.add();
      tell(event);
    };
    const process = await ModelProcess.open(engine, { kind: 'open', model: path, base, template, threads, context, parallel, entry }, told);
    return new Service(options, metrics, model, context, process, adapters);
  }

  get isReady(): boolean {
    return this.#process.isReady;
  }

  /** Of the process with the model, for those who watch its memory. */
  get modelPid(): number | undefined {
    return this.#process.pid;
  }

  get base(): ServedModel {
    return this.#base;
  }

  get context(): number {
    return this.#context;
  }

  /** Descriptions of all that can be asked. */
  models(): Record<string, unknown>[] {
    return [this.#base.describe(this.#context), ...this.#adapters.list().map((a) => this.#base.describeAdapter(a, this.#context))];
  }

  model(id: string): Record<string, unknown> {
    const adapter = this.#named(id);
    return adapter ? this.#base.describeAdapter(adapter, this.#context) : this.#base.describe(this.#context);
  }

  /** Undefined: the model itself. */
  #named(id: string): FoundAdapter | undefined {
    if (id === this.#base.id) return undefined;
    const found = id.startsWith(`${this.#base.id}:`) ? this.#adapters.find(id.slice(this.#base.id.length + 1)) : undefined;
    if (!found) throw new ApiError({ status: 404, code: 'model_not_found', param: 'model', message: `The model "${id}" is not served here. GET /v1/models lists those that are.` });
    return found;
  }

  async #find(id: string): Promise<Found> {
    const found = this.#named(id);
    if (!found) return { model: this.#base, adapter: undefined };
    return { model: await this.#adapter(found), adapter: { name: `${found.name}@${found.state}`, path: found.path } };
  }

  #adapter({ name, path, state }: FoundAdapter): Promise<ServedModel> {
    const { engine, model, template } = this.#options;
    const key = `${name}@${state}`;
    let opened = this.#opened.get(key);
    if (!opened) {
      for (const old of this.#opened.keys()) if (old.startsWith(`${name}@`)) this.#opened.delete(old);
      const id = `${this.#base.id}:${name}`;
      // llama.cpp's adapters bring neither tokenizer nor template: the model's hold.
      opened = engine === 'roslin' ? ServedModel.open(path, id, name, engine, { base: model, template }) : ServedModel.open(model, id, name, engine, { template });
      opened = opened.catch((cause: unknown) => {
        this.#opened.delete(key);
        throw unusableAdapter(name, cause);
      });
      if (this.#opened.size >= MOST_OPENED) this.#opened.delete(this.#opened.keys().next().value!);
      this.#opened.set(key, opened);
    }
    return opened;
  }

  async chat(request: ChatRequest, asker: Asker): Promise<Answering> {
    const found = await this.#find(request.model);
    const format = request.response_format;
    const grammar = format.type === 'text' ? undefined : grammarOfSchema(format.type === 'json_schema' ? format.json_schema.schema : undefined, 'response_format.json_schema.schema');
    this.#requireShort(found.model, request.messages.reduce((sum, { content }) => sum + content.length, 0));
    const ids = found.model.chatIds(request.messages);
    return this.#begin(found, [ids], request, asker, {
      most: request.max_completion_tokens ?? request.max_tokens ?? this.#options.maxNewTokens, sampling: this.#sampling(request), stops: request.stop,
      top: request.logprobs ? (request.top_logprobs ?? 0) : undefined, grammar, echo: false, isAnswer: true,
    });
  }

  async complete(request: CompletionRequest, asker: Asker): Promise<Answering> {
    const found = await this.#find(request.model);
    const { model } = found;
    const isAnswer = request.instruction !== undefined;
    for (const text of [(request.instruction ?? '') + (request.context ?? ''), ...promptsOf(request)]) this.#requireShort(model, text.length);
    const ids = isAnswer ? [model.questionIds(request.instruction!, request.context ?? '')] : promptsOf(request).map((prompt) => model.textIds(prompt));
    return this.#begin(found, ids, request, asker, {
      most: request.max_tokens ?? this.#options.maxNewTokens, sampling: this.#sampling(request), stops: request.stop, top: request.logprobs,
      grammar: undefined, echo: request.echo, isAnswer,
    });
  }

  #sampling({ temperature, top_p: topP, top_k: topK }: Pick<ChatRequest, 'temperature' | 'top_p' | 'top_k'>): Sampling {
    const { sampling } = this.#options;
    return { temperature: temperature ?? sampling.temperature, topP: topP ?? sampling.topP, topK: topK ?? sampling.topK };
  }

  #begin(found: Found, prompts: readonly Int32Array[], { n, seed }: { n: number; seed?: number | undefined }, asker: Asker, wishes: Wishes): Answering {
    // llama.cpp shifts a text that fills its context instead of ending it.
    const room = this.#context - 1;
    for (const ids of prompts) this.#requireFits(ids, wishes.most === 0 ? room + 1 : room);
    const longest = Math.max(...prompts.map((ids) => ids.length));
    const most = Math.min(wishes.most, Math.max(0, this.#context - longest));
    const choices = prompts.flatMap((ids) => Array.from({ length: n }, (_, i) => ({ ids, seed: seed === undefined ? this.#nextSeed() : (seed + i) >>> 0 })));
    this.places.requireRoom(choices.length);
    const settle = asker.key ? this.#limits.take(asker.key, choices.reduce((sum, { ids }) => sum + ids.length + most, 0)) : () => {};
    const events = this.#events(found, choices, { ...wishes, most }, asker, settle);
    return { model: found.model, choices, promptTokens: prompts.reduce((sum, ids) => sum + ids.length, 0), events };
  }

  /** A text that cannot fit whatever its tokens are is not tokenised: that would take seconds. */
  #requireShort(model: ServedModel, units: number): void {
    if (units > model.mostUnits(this.#context)) this.#refuseLength('far more tokens than fit');
  }

  #requireFits(ids: Int32Array, room: number): void {
    if (ids.length > room) this.#refuseLength(`${ids.length} tokens`);
  }

  #refuseLength(found: string): never {
    throw new ApiError({ status: 400, code: 'context_length_exceeded', message: `The prompt has ${found}; with an answer this server reads at most ${this.#context}.` });
  }

  #nextSeed(): number {
    return (this.#lastSeed = (this.#lastSeed + 0x9e3779b9) >>> 0);
  }

  /** All choices at once, their events as they come. */
  async *#events(found: Found, choices: readonly Choice[], wishes: Wishes, { signal }: Asker, settle: (used: number) => void): AsyncGenerator<ChoiceEvent> {
    const begun = performance.now();
    const left = new AbortController();
    const either = AbortSignal.any([signal, left.signal]);
    const queue: ChoiceEvent[] = [];
    let running = choices.length;
    let failure: { error: unknown } | undefined;
    let wake = () => {};
    let used = 0;
    let first = true;
    const onToken = () => {
      used++;
      if (first) this.metrics.firstToken.observe((performance.now() - begun) / 1000);
      first = false;
    };
    const runs = choices.map(async (choice, i) => {
      try {
        for await (const event of this.#choice(found, choice, i, wishes, either, (n) => (used += n), onToken)) {
          queue.push(event);
          wake();
        }
      } catch (error) {
        failure ??= { error };
        left.abort(error);
      } finally {
        running--;
        wake();
      }
    });
    try {
      while (running > 0 || queue.length > 0) {
        if (failure) throw failure.error;
        const event = queue.shift();
        if (event) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
      if (failure) throw (failure as { error: unknown }).error;
    } finally {
      left.abort();
      await Promise.all(runs);
      settle(used);
      this.metrics.duration.observe((performance.now() - begun) / 1000);
    }
  }

  async *#choice({ model, adapter }: Found, { ids, seed }: Choice, choice: number, wishes: Wishes, signal: AbortSignal, onPrompt: (tokens: number) => void, onToken: () => void): AsyncGenerator<ChoiceEvent> {
    const { most, sampling, stops, top, grammar, isAnswer } = wishes;
    const echo = wishes.echo && top !== undefined && ids.length > 1;
    if (most === 0 && !echo) return yield { type: 'end', choice, reason: 'length', tokens: 0 };
    const release = await this.places.take(signal);
    try {
      onPrompt(ids.length);
      this.metrics.promptTokens.add({}, ids.length);
      const text = new AnswerText<AnswerToken>({ bytes: model.tokens.bytes, stops, trims: isAnswer && model.trims, dropsFirstSpace: isAnswer && model.tokens.beginsWithSpace });
      let reason: 'stop' | 'length' = 'length';
      let tokens = 0;
      for await (const event of this.#process.run({ ids, most, stopIds: model.stopIds, sampling, seed, top, grammar, echo }, adapter, signal)) {
        if (event.prompt) yield { type: 'prompt', choice, scored: event.prompt };
        if (event.token !== undefined) {
          tokens++;
          onToken();
          this.metrics.answerTokens.add();
          const shown = text.push(event.token, event.scored ?? { id: event.token });
          if (shown.text !== '' || shown.tokens.length > 0) yield { type: 'text', choice, ...shown };
        }
        if (event.end) reason = event.end;
        if (text.stopped) {
          reason = 'stop';
          break;
        }
      }
      signal.throwIfAborted();
      const rest = text.finish();
      if (rest.text !== '' || rest.tokens.length > 0) yield { type: 'text', choice, ...rest };
      yield { type: 'end', choice, reason, tokens };
    } finally {
      release();
    }
  }

  /** Vectors of texts, and the tokens that they took. */
  async embed(request: EmbeddingRequest, { key, signal }: Asker): Promise<{ model: ServedModel; vectors: Float32Array[]; tokens: number }> {
    const { model, adapter } = await this.#find(request.model);
    if (this.#options.engine !== 'roslin') throw unsupported('model', 'llama.cpp gives no hidden states of this model here. Start the server with --engine roslin for embeddings.');
    const inputs = promptsOf({ prompt: request.input });
    for (const text of inputs) this.#requireShort(model, text.length);
    const texts = inputs.map((text) => model.textIds(text));
    for (const ids of texts) this.#requireFits(ids, this.#context);
    if (texts.some((ids) => ids.length === 0)) throw invalid('input', 'An input is empty.');
    const tokens = texts.reduce((sum, ids) => sum + ids.length, 0);
    this.places.requireRoom(1);
    const settle = key ? this.#limits.take(key, tokens) : () => {};
    let used = 0;
    const release = await this.places.take(signal).catch((error: unknown) => {
      settle(0);
      throw error;
    });
    try {
      const vectors: Float32Array[] = [];
      for (const ids of texts) {
        signal.throwIfAborted();
        vectors.push(await this.#process.embed(ids, adapter));
        used += ids.length;
      }
      this.metrics.promptTokens.add({}, used);
      return { model, vectors, tokens };
    } finally {
      release();
      settle(used);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}
