/** Continuous batching on our own engine: every step gives the network the new ids of all texts at once, each with its own cache. */
import { Random } from '../artefacts/random.ts';
import { CpuDevice, type DeviceArray } from '../engine/index.ts';
import { InputError } from '../errors.ts';
import { microBatch } from '../inference/micro-batches.ts';
import { openModel, type OpenedModel } from '../inference/open-model.ts';
import { sample } from '../inference/sample.ts';
import { loraBlock } from '../models/adapter.ts';
import { parametersOf } from '../models/architecture.ts';
import type { KvCache } from '../models/kv-cache.ts';
import { Network } from '../models/network.ts';
import { uploadWeights, type Weights } from '../models/weights.ts';
import { tokenBytes } from '../tokenizer/token-bytes.ts';
import { failureOf, PROMPT_PIECE, type Batch } from './batch.ts';
import { Grammars, score, type GrammarText } from './draw.ts';
import type { Job, JobEvent, OpenRequest, Scored } from './protocol.ts';

/** A model or one of its adapters: adapters share the arrays that they leave as they are. */
interface Served {
  readonly network: Network;
  /** Ids that exist. */
  readonly vocabulary: number;
  readonly model: OpenedModel;
  grammars?: Grammars;
}

interface Text {
  readonly job: Job;
  readonly served: Served;
  readonly random: Random;
  readonly grammar: GrammarText | undefined;
  cache: KvCache | undefined;
  /** Not yet in the cache. */
  fresh: Int32Array;
  made: number;
  promptScored: boolean;
}

/** Tokens of the smallest cache; the others are twice, four times, … as large. */
const LEAST_CACHE = 64;

export class EngineBatch implements Batch {
  readonly #device: CpuDevice;
  readonly #arrays: ReadonlyMap<string, DeviceArray>;
  readonly #served = new Map<string, Served>();
  readonly #texts = new Map<number, Text>();
  /** Caches that were used, by capacity: memory that comes and goes in every size would leave holes. */
  readonly #caches = new Map<number, KvCache[]>();

  private constructor(device: CpuDevice, arrays: ReadonlyMap<string, DeviceArray>, base: Served) {
    this.#device = device;
    this.#arrays = arrays;
    this.#served.set('', base);
  }

  static async open({ model: path, base, template, threads }: OpenRequest): Promise<EngineBatch> {
    const model = await openModel(path, { base, template, asItIs: true });
    const device = new CpuDevice(threads === undefined ? {} : { threads });
    const arrays = uploadWeights(model.weights(), device);
    const network = new Network(model.architecture, { device, weights: arrays, ...(model.lora ? { lora: model.lora } : {}) });
    return new EngineBatch(device, arrays, { network, vocabulary: model.tokenizer.size, model });
  }

  get busy(): boolean {
    return this.#texts.size > 0;
  }

  start(job: Job): void {
    const served = this.#served.get(job.adapter);
    if (!served) throw new InputError({ expected: 'an adapter that is loaded', found: JSON.stringify(job.adapter) });
    const grammar = job.grammar && (served.grammars ??= new Grammars(tokenBytes(served.model.tokenizer).bytes)).begin(job.grammar, job.stopIds);
    this.#texts.set(job.id, { job, served, random: new Random(job.seed), grammar, cache: undefined, fresh: job.ids, made: 0, promptScored: false });
  }

  cancel(id: number): void {
    const cache = this.#texts.get(id)?.cache;
    this.#texts.delete(id);
    if (!cache) return;
    cache.length = 0;
    this.#caches.set(cache.capacity, [...(this.#caches.get(cache.capacity) ?? []), cache]);
  }

  /** Of the model or any adapter: their keys and values have one shape. What it held before is never looked at. */
  #cacheFor(network: Network, tokens: number): KvCache {
    const capacity = Math.min(network.architecture.contextLength, LEAST_CACHE * 2 ** Math.ceil(Math.log2(Math.max(1, tokens / LEAST_CACHE))));
    return this.#caches.get(capacity)?.pop() ?? network.cache(capacity);
  }

  async step(): Promise<JobEvent[]> {
    const events: JobEvent[] = [];
    const groups = new Map<Served, Text[]>();
    for (const text of this.#texts.values()) groups.set(text.served, [...(groups.get(text.served) ?? []), text]);
    for (const [served, texts] of groups) {
      for (const text of texts) if (text.job.echo && !text.promptScored) events.push(await this.#scorePrompt(text));
      events.push(...(await this.#extend(served, texts.filter(({ job }) => this.#texts.has(job.id)))));
    }
    return events;
  }

  async #scorePrompt(text: Text): Promise<JobEvent> {
    const { ids, id, top, most } = text.job;
    const { network, vocabulary } = text.served;
    text.promptScored = true;
    const scored: Scored[] = [];
    if (ids.length > 1) {
      const width = network.architecture.vocabSize;
      for await (const logits of network.logits(microBatch([{ ids, trained: new Uint8Array(ids.length).fill(1) }], this.#device))) {
        for (let at = 0; at < logits.length; at += width) scored.push(score(logits.subarray(at, at + vocabulary), ids[scored.length + 1]!, top ?? 0));
      }
    }
    if (most === 0) this.cancel(id);
    return { id, prompt: scored, ...(most === 0 ? { end: 'length' as const } : {}) };
  }

  async #extend({ network, vocabulary }: Served, texts: readonly Text[]): Promise<JobEvent[]> {
    // Waiting texts take one row each; prompts share what else a step may take, first come first served.
    let room = PROMPT_PIECE;
    const work: { text: Text; ids: Int32Array; whole: boolean }[] = [];
    for (const text of texts) {
      const ids = text.fresh.length === 1 ? text.fresh : text.fresh.subarray(0, room);
      if (ids.length === 0) continue;
      if (text.fresh.length > 1) room -= ids.length;
      text.cache ??= this.#cacheFor(network, text.job.ids.length + text.job.most);
      work.push({ text, ids, whole: ids.length === text.fresh.length });
    }
    if (work.length === 0) return [];
    const logits = await network.extend(work.map(({ text, ids }) => ({ cache: text.cache!, ids })));
    const width = network.architecture.vocabSize;
    const events: JobEvent[] = [];
    for (const [i, { text, ids, whole }] of work.entries()) {
      if (!whole) text.fresh = text.fresh.subarray(ids.length);
      else events.push(this.#next(text, logits.subarray(i * width, i * width + vocabulary)));
    }
    return events;
  }

  #next(text: Text, logits: Float32Array): JobEvent {
    const { id, sampling, stopIds, top, most } = text.job;
    const end = (event: JobEvent): JobEvent => {
      this.cancel(id);
      return event;
    };
    let token: number;
    try {
      token = text.grammar ? text.grammar.draw(logits, sampling, text.random) : sample(logits, sampling, text.random);
    } catch (error) {
      return end({ id, error: failureOf(error) });
    }
    if (stopIds.includes(token)) return end({ id, end: 'stop' });
    text.fresh = Int32Array.of(token);
    text.made++;
    const event = { id, token, ...(top === undefined ? {} : { scored: score(logits, token, top) }) };
    if (text.grammar?.isFinal) return end({ ...event, end: 'stop' });
    return text.made >= most ? end({ ...event, end: 'length' }) : event;
  }

  async embed(adapter: string, ids: Int32Array): Promise<Float32Array> {
    const { network } = this.#served.get(adapter)!;
    // The last id of a row is only a target: one more makes it the input of a row.
    const row = Int32Array.from([...ids, ids[0]!]);
    const states = await network.hidden(microBatch([{ ids: row, trained: new Uint8Array(row.length).fill(1) }], this.#device));
    const width = network.architecture.hidden;
    const mean = new Float32Array(width);
    for (let at = 0; at < states.length; at++) mean[at % width]! += states[at]! / ids.length;
    return mean;
  }

  async loadAdapter(name: string, path: string): Promise<void> {
    const base = this.#served.get('')!.model;
    // Its weights are shared, so it must be the base that the adapter was trained on: a run says which, and openModel compares.
    const model = await openModel(path, { base: base.path, asItIs: true });
    if (!model.lora) throw new InputError({ expected: 'an adapter: a LoRA run or a folder in PEFT\'s format', found: 'a whole model', where: path, remedy: 'Serve it with --model.' });
    if (base.lora) throw new InputError({ expected: 'a model that is no adapter itself', found: base.path, where: path, remedy: 'Serve the base, and both adapters with --adapter.' });
    const own: Weights = new Map();
    const reader = model.openWeights();
    try {
      const a = model.architecture;
      const shapes = new Map([...parametersOf(a)].map(([n, { shape }]) => [n, shape]));
      const changed = (n: string) => (model.lora!.tokenRows !== undefined && (n === a.names.embedding || n === a.names.head)) || !this.#arrays.has(n);
      for (const [n, shape] of shapes) if (changed(n)) own.set(n, { shape, data: reader.read(n) });
      for (let l = 0; l < a.layers; l++) {
        for (const [local, { shape }] of Object.entries(loraBlock(a, model.lora))) own.set(a.names.block(l) + local, { shape, data: reader.read(a.names.block(l) + local) });
      }
    } finally {
      reader.close();
    }
    const network = new Network(model.architecture, { device: this.#device, weights: new Map([...this.#arrays, ...uploadWeights(own, this.#device)]), lora: model.lora });
    this.#served.set(name, { network, vocabulary: model.tokenizer.size, model });
  }

  dropAdapter(name: string): void {
    this.#served.delete(name);
  }
}
