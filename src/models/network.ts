/**
 * A model on a device: weights, their gradients, and the order in which the stages run. Losses and gradients are sums over
 * the rows with a label; whoever steps divides by their number (docs/numbers.md 3), so a split into micro-batches changes nothing.
 */
import { prune, RowSet, rotaryTables, valueAndGradient, type Arrays, type Device, type DeviceArray } from '../engine/index.ts';
import { loraBlock, type LoraSpec } from './adapter.ts';
import { parametersOf, type Architecture } from './architecture.ts';
import type { MicroBatch, Span } from './batch.ts';
import { Compiled, isWeight, type Activations, type Stage } from './compiled.ts';
import { KvCache } from './kv-cache.ts';
import { Stages } from './stages.ts';
import type { Weights } from './weights.ts';
import { Workspace } from './workspace.ts';

export interface Trained {
  readonly name: string;
  readonly value: DeviceArray;
  readonly gradient: DeviceArray;
  readonly decay: boolean;
  /** For an embedding of its own: rows of ids that were seen. All others have a gradient of zero. */
  readonly touched?: RowSet;
}

export interface NetworkOptions {
  readonly device: Device;
  /** Values by published name, LoRA's included; taken over, not copied. */
  readonly weights: ReadonlyMap<string, DeviceArray>;
  readonly lora?: LoraSpec;
  /** The same in host memory: needed for LoRA with token rows on a device without views. */
  readonly hostWeights?: Weights;
  /** Absent: forward only. 'full' trains every parameter, 'lora' those of `lora`. */
  readonly train?: 'full' | 'lora';
  readonly activations?: Activations;
  /** Largest micro-batch, in rows, whose activations are kept; those of a larger one are computed again. Default: no limit. */
  readonly keptRows?: number;
  /** Largest micro-batch of all, in rows, where it is known. */
  readonly mostRows?: number;
  /** Rows with a label whose logits are in memory at once. */
  readonly headRows?: number;
  /** Queries of one attention call. */
  readonly queries?: number;
}

/** Queries of one attention call: more would waste more on hidden keys, fewer would waste more on calls. */
const QUERIES = 128;

/** Arrays of one block alone, whose activations are kept. */
const KEPT_SLOT = /^block\d/;

export class Network {
  readonly architecture: Architecture;
  readonly device: Device;
  readonly trained: readonly Trained[];
  readonly #seen: RowSet;
  /** Rows of trained tokens by the name of their table, where they cannot be part of its memory. */
  readonly #apart: ReadonlyMap<string, DeviceArray>;
  readonly #options: NetworkOptions;
  readonly #stages: Stages;
  /** What the finish stage reads: x, which both branches of a block do, and its weights. */
  readonly #finishReads: ReadonlySet<string>;
  readonly #workspace: Workspace;
  readonly #blocks: Record<string, DeviceArray>[];
  readonly #final: Record<string, DeviceArray>;
  readonly #embedding: DeviceArray;
  readonly #head: DeviceArray;
  readonly #rotary: Record<string, DeviceArray>;
  readonly #gradients = new Map<string, DeviceArray>();
  /** Whether the next micro-batch is the first of its update. */
  #first = true;
  readonly #compiled: Compiled;

  constructor(a: Architecture, options: NetworkOptions) {
    this.architecture = a;
    this.device = options.device;
    this.#options = options;
    this.#compiled = new Compiled(options.device, options.train !== undefined);
    this.#seen = new RowSet(a.vocabSize);
    const apart = !options.device.views && options.train === 'lora' && options.lora?.tokenRows !== undefined;
    this.#stages = new Stages(a, options.lora, apart);
    const { keptRows = 0, mostRows = keptRows } = options;
    // Some families read a weight in both; backwards, finish comes first.
    this.#finishReads = new Set(Object.keys(prune(this.#stages.finish()).inputs));
    this.#workspace = new Workspace(options.device, (name) => (KEPT_SLOT.test(name) ? keptRows : Math.max(keptRows, mostRows)));
    const weight = (name: string) => options.weights.get(name)!;
    const locals = [...Object.keys(a.block), ...Object.keys(options.lora ? loraBlock(a, options.lora) : {})];
    this.#blocks = Array.from({ length: a.layers }, (_, l) => Object.fromEntries(locals.map((local) => [local, weight(a.names.block(l) + local)])));
    this.#final = Object.fromEntries(Object.keys(a.final.parameters).map((local) => [local, weight(a.final.prefix + local)]));
    this.#embedding = weight(a.names.embedding);
    this.#head = weight(a.names.head);
    this.#apart = apart ? this.#tokenRowsApart(options.lora!.tokenRows!) : new Map();
    const tables = rotaryTables(a.contextLength, a.rotary.dim, a.rotary.theta);
    const shape = [a.contextLength, a.rotary.dim / 2];
    this.#rotary = { cos: options.device.upload(tables.cos, shape), sin: options.device.upload(tables.sin, shape) };
    this.trained = options.train ? this.#trainedParameters() : [];
  }

  /** Parameters that training changes, each with a gradient of its own. */
  #trainedParameters(): Trained[] {
    const a = this.architecture;
    const { device, lora, train, weights } = this.#options;
    const make = (name: string, value: DeviceArray, decay: boolean, touched?: RowSet): Trained => {
      const gradient = device.zeros('f32', value.shape);
      this.#gradients.set(name, gradient);
      return { name, value, gradient, decay, ...(touched ? { touched } : {}) };
    };
    if (train === 'full') {
      return [...parametersOf(a)].map(([name, { decay }]) => make(name, weights.get(name)!, decay, name === a.names.embedding && !a.tied && device.views ? this.#seen : undefined));
    }
    const adapters = this.#blocks.flatMap((block, l) => Object.keys(loraBlock(a, lora!)).map((local) => make(a.names.block(l) + local, block[local]!, true)));
    const rows = lora!.tokenRows;
    const tokens = rows ? [...new Set([a.names.embedding, a.names.head])].map((name) => make(name, this.#apart.get(name) ?? weights.get(name)!.rows(...rows), true)) : [];
    return [...adapters, ...tokens];
  }

  #tokenRowsApart([first, end]: readonly [number, number]): Map<string, DeviceArray> {
    const { embedding, head } = this.architecture.names;
    const { hostWeights, device } = this.#options;
    const width = this.architecture.hidden;
    if (!hostWeights) throw new Error('internal: token rows that lie apart need the weights in host memory');
    return new Map([...new Set([embedding, head])].map((name) => [name, device.upload(hostWeights.get(name)!.data.slice(first * width, end * width), [end - first, width])]));
  }

  /** Inputs of the tables: the table, and its trained rows where they lie apart. */
  #tables(): { embed: Record<string, DeviceArray>; head: Record<string, DeviceArray> } {
    const { embedding, head } = this.architecture.names;
    const [rows, headRows] = [this.#apart.get(embedding), this.#apart.get(head)];
    return { embed: { weight: this.#embedding, ...(rows ? { weightRows: rows } : {}) }, head: { head: this.#head, ...(headRows ? { headRows } : {}) } };
  }

  /**
   * Call before the micro-batches of a step: the first writes the gradients, so that they need neither be zeroed nor read. Only
   * rows of an embedding of its own are zeroed, since no micro-batch writes all of them.
   */
  clearGradients(): void {
    this.#first = true;
    const { names, tied } = this.architecture;
    for (const { name, gradient, touched } of this.trained) {
      if (touched) for (const row of touched.rows()) gradient.rows(row, row + 1).clear();
      else if (name === names.embedding && !tied) gradient.clear();
    }
  }

  /** Whether training differentiates this weight of a block or of the final norm. */
  #trains = (local: string): boolean => this.#options.train === 'full' ? isWeight(local) : /lora_[AB]\.weight$/.test(local);

  /** Whether the gradient of the first block's input is wanted: for the embedding or for token rows. */
  get #embeddingTrained(): boolean {
    return this.#options.train === 'full' || this.#options.lora?.tokenRows !== undefined;
  }

  #projectStage(layer: number): Promise<Stage> {
    const needsX = layer > 0 || this.#embeddingTrained;
    const last = layer === this.architecture.layers - 1;
    const wrt = (n: string) => (n === 'x' ? needsX : this.#trains(n));
    return this.#compiled.stage(`project ${needsX} ${last}`, () => (last ? this.#stages.projectLast() : this.#stages.project()), wrt, (n) => this.#finishReads.has(n));
  }

  #attendStage(): Promise<Stage> {
    return this.#compiled.stage('attend', () => this.#stages.attend(), (n) => ['q', 'k', 'v'].includes(n), (n) => n !== 'q', 'recomputed');
  }

  #finishStage(layer: number): Promise<Stage> {
    const needsX = layer > 0 || this.#embeddingTrained;
    return this.#compiled.stage(`finish ${needsX}`, () => this.#stages.finish(), (n) => (n === 'x' ? needsX : n === 'context' || this.#trains(n)));
  }

  /** The arrays of a stage's outputs under `slot`. */
  #outputs(stage: Stage, slot: string, rows: Readonly<Record<string, number>>): Record<string, DeviceArray> {
    return Object.fromEntries(Object.entries(stage.outputs).map(([name, spec]) =>
      [name, this.#workspace.get(`${slot} ${stage.key} ${name}`, spec.shape.map((d) => (typeof d === 'number' ? d : rows[d]!)), spec.dtype)]));
  }

  /** Runs a stage forward into its arrays under `slot`. */
  async #forward(stage: Stage, slot: string, inputs: Arrays, rows: Readonly<Record<string, number>>): Promise<Record<string, DeviceArray>> {
    const outputs = this.#outputs(stage, slot, rows);
    await stage.forward.run(inputs, outputs);
    return outputs;
  }

  /** Accumulators and gradient outputs of the parameters of one block, by local name. */
  #parameterGradients(prefix: string, locals: readonly string[]): Record<string, DeviceArray> {
    const arrays: Record<string, DeviceArray> = {};
    for (const local of locals) {
      const gradient = this.#gradients.get(prefix + local);
      if (gradient) arrays[`acc_${local}`] = arrays[`d_${local}`] = gradient;
    }
    return arrays;
  }

  /**
   * Calls attention piece by piece: some queries of a span, and its keys up to the last of them, since later ones are
   * hidden from all. Scores then take room and time for about half of a long span's square.
   */
  async #attend(batch: Loaded, last: boolean, run: (query: Pick, key: Pick) => Promise<void>): Promise<void> {
    const most = this.device.views ? (this.#options.queries ?? QUERIES) : Infinity;
    for (const s of batch.spans) {
      const [from, to] = last ? [s.labelFrom, s.labelTo] : [s.from, s.to];
      for (let q = from; q < to; q += most) {
        const end = Math.min(to, q + most);
        const keys = !this.device.views ? s.to : last ? batch.labelRows[end - 1]! + 1 : end;
        await run((a) => a.rows(q, end), (a) => a.rows(s.from, keys));
      }
    }
  }

  /** x -> the next x of a block, keeping what its backward pass needs under `slot`. */
  async #forwardBlock(layer: number, slot: string, x: DeviceArray, batch: Loaded): Promise<DeviceArray> {
    const last = layer === this.architecture.layers - 1;
    const weights = { ...this.#blocks[layer]!, ...this.#rotary };
    const size = { T: batch.rows, M: batch.labels };
    const project = await this.#projectStage(layer);
    const projected = await this.#forward(project, slot, { ...weights, ...batch.inputs, x }, size);
    const rows = last ? batch.labels : batch.rows;
    const context = this.#workspace.get(`${slot}.context`, [rows, this.architecture.heads * this.architecture.headDim]);
    const attend = await this.#attendStage();
    await this.#attend(batch, last, (query, key) =>
      attend.forward.run({ ...attentionInputs(batch, last, query, key), q: query(projected['q']!), k: key(projected['k']!), v: key(projected['v']!) }, { context: query(context) }));
    const finish = await this.#finishStage(layer);
    const from = last ? projected['picked']! : x;
    const { y } = await this.#forward(finish, slot, { ...weights, x: from, context }, { T: rows });
    return y!;
  }

  /** dy -> dx of a block, or nothing where nothing before it is trained; adds to the gradients of its parameters. */
  async #backwardBlock(layer: number, slot: string, x: DeviceArray, dy: DeviceArray, batch: Loaded): Promise<DeviceArray | undefined> {
    const a = this.architecture;
    const last = layer === a.layers - 1;
    const needsX = layer > 0 || this.#embeddingTrained;
    const rows = last ? batch.labels : batch.rows;
    const block = this.#blocks[layer]!;
    const prefix = a.names.block(layer);
    const gradients = this.#parameterGradients(prefix, Object.keys(block));
    const weights = { ...block, ...this.#rotary };
    const project = await this.#projectStage(layer);
    const projected = this.#outputs(project, slot, { T: batch.rows, M: batch.labels });
    const finish = await this.#finishStage(layer);
    const context = this.#workspace.get(`${slot}.context`, [rows, a.heads * a.headDim]);
    const dContext = this.#workspace.get('d.context', context.shape);
    const dxFinish = this.#workspace.get(`d.x${layer % 2}${last ? '.last' : ''}`, [rows, a.hidden]);
    await (await finish.backward!(this.#first)).run(
      { ...weights, ...gradients, ...this.#outputs(finish, slot, { T: rows }), x: last ? projected['picked']! : x, context, d_y: dy },
      { ...gradients, d_context: dContext, d_x: dxFinish });

    const attend = await (await this.#attendStage()).backward!(this.#first);
    const d = (name: 'q' | 'k' | 'v') => this.#workspace.get(`d.${name}${last ? '.last' : ''}`, projected[name]!.shape);
    const [dq, dk, dv] = [d('q'), d('k'), d('v')];
    for (const g of [dk, dv]) g.clear();
    await this.#attend(batch, last, (query, key) =>
      attend.run(
        { ...attentionInputs(batch, last, query, key), q: query(projected['q']!), k: key(projected['k']!), v: key(projected['v']!), d_context: query(dContext), acc_k: key(dk), acc_v: key(dv) },
        { d_q: query(dq), d_k: key(dk), d_v: key(dv) }));

    // Both branches read x: the second adds to what the first gave.
    let dx = dxFinish;
    if (last && needsX) {
      dx = this.#workspace.get(`d.x${layer % 2}`, [batch.rows, a.hidden]);
      dx.clear();
    }
    if (project.backward) {
      await (await project.backward(this.#first)).run({ ...weights, ...gradients, ...batch.inputs, ...projected, x, d_q: dq, d_k: dk, d_v: dv, d_picked: dxFinish, acc_x: dx }, { ...gradients, d_x: dx });
    }
    return needsX ? dx : undefined;
  }

  #load(batch: MicroBatch): Loaded {
    const up = (data: Int32Array) => this.device.upload(data, [data.length]);
    const positions = up(batch.positions);
    const rowPositions = up(batch.labelPositions);
    return {
      rows: batch.ids.length, labels: batch.targets.length, spans: batch.spans, labelRows: batch.labelRows, ids: up(batch.ids), targets: up(batch.targets),
      segments: up(batch.segments), rowSegments: up(batch.labelSegments),
      inputs: { positions, rowPositions, rows: up(batch.labelRows) },
    };
  }

  #embedStage(): Promise<Stage> {
    return this.#compiled.stage('embed', () => this.#stages.embed(), (n) => n === 'weight' && this.#options.train === 'full');
  }

  async #embed(batch: Loaded): Promise<DeviceArray> {
    return (await this.#forward(await this.#embedStage(), 'embed', { ids: batch.ids, ...this.#tables().embed }, { T: batch.rows }))['x']!;
  }

  /** Loss in nats of each row with a label; nothing is kept. */
  async losses(micro: MicroBatch): Promise<Float32Array> {
    const batch = this.#load(micro);
    let x = await this.#embed(batch);
    // Two slots in turn: the input of a block must outlive it.
    for (let l = 0; l < this.architecture.layers; l++) x = await this.#forwardBlock(l, `eval${l % 2}`, x, batch);
    const head = await this.#compiled.executable('loss', () => this.#stages.loss());
    const loss = this.#workspace.get('loss', [batch.labels]);
    for (const [from, to] of this.#headChunks(batch.labels)) {
      await head.run({ ...this.#final, ...this.#tables().head, x: x.rows(from, to), targets: batch.targets.rows(from, to) }, { loss: loss.rows(from, to) });
    }
    return ((await this.device.read(loss)) as Float32Array).slice(0, batch.labels);
  }

  /** Logits [rows, vocabulary] of the rows with a label, at most `atOnce` rows at a time; nothing is kept. */
  async *logits(micro: MicroBatch, atOnce = 64): AsyncGenerator<Float32Array> {
    const batch = this.#load(micro);
    let x = await this.#embed(batch);
    for (let l = 0; l < this.architecture.layers; l++) x = await this.#forwardBlock(l, `eval${l % 2}`, x, batch);
    const head = await this.#compiled.executable('logits', () => this.#stages.logits());
    for (let from = 0; from < batch.labels; from += atOnce) {
      const rows = Math.min(atOnce, batch.labels - from);
      const logits = this.#workspace.get('logits', [rows, this.architecture.vocabSize]);
      await head.run({ ...this.#final, ...this.#tables().head, x: x.rows(from, from + rows) }, { logits });
      yield ((await this.device.read(logits)) as Float32Array).slice(0, rows * this.architecture.vocabSize);
    }
  }

  /** What the head would read at the rows with a label, [rows, hidden]; nothing is kept. */
  async hidden(micro: MicroBatch): Promise<Float32Array> {
    const batch = this.#load(micro);
    let x = await this.#embed(batch);
    for (let l = 0; l < this.architecture.layers; l++) x = await this.#forwardBlock(l, `eval${l % 2}`, x, batch);
    const y = this.#workspace.get('hidden', [batch.labels, this.architecture.hidden]);
    await (await this.#compiled.executable('normalised', () => this.#stages.normalised())).run({ ...this.#final, x }, { y });
    return ((await this.device.read(y)) as Float32Array).slice(0, batch.labels * this.architecture.hidden);
  }

  /**
   * Rows for decoding: the new ids of several texts, each going on from its cache. Keys and values are written into the
   * caches; gives the logits [texts, vocabulary] after the last new id of each text.
   */
  async extend(texts: readonly { readonly cache: KvCache; readonly ids: Int32Array }[]): Promise<Float32Array> {
    const a = this.architecture;
    const rows = texts.reduce((n, { ids }) => n + ids.length, 0);
    const up = (values: Int32Array) => this.device.upload(values, [values.length]);
    const positions = new Int32Array(rows);
    const ids = new Int32Array(rows);
    const lasts = new Int32Array(texts.length);
    let at = 0;
    const parts = texts.map(({ cache, ids: fresh }, i) => {
      const from = at;
      for (const id of fresh) {
        positions[at] = cache.length + at - from;
        ids[at++] = id;
      }
      lasts[i] = at - 1;
      return { cache, from, to: at, past: cache.length };
    });
    const onDevice = { ids: up(ids), positions: up(positions) };
    let x = this.#workspace.get('decode x', [rows, a.hidden]);
    await (await this.#compiled.executable('embed', () => this.#stages.embed())).run({ ids: onDevice.ids, ...this.#tables().embed }, { x });
    const attend = await this.#compiled.executable('attend', () => this.#stages.attend());
    const project = await this.#compiled.executable('project', () => this.#stages.project());
    const finish = await this.#compiled.executable('finish', () => this.#stages.finish());
    const shapes = { q: [rows, a.heads, a.headDim], k: [rows, a.kvHeads, a.headDim], v: [rows, a.kvHeads, a.headDim] };
    const [q, k, v] = (['q', 'k', 'v'] as const).map((name) => this.#workspace.get(`decode ${name}`, shapes[name])) as [DeviceArray, DeviceArray, DeviceArray];
    const context = this.#workspace.get('decode context', [rows, a.heads * a.headDim]);
    for (let l = 0; l < a.layers; l++) {
      const weights = { ...this.#blocks[l]!, ...this.#rotary };
      await project.run({ ...weights, positions: onDevice.positions, x }, { q, k, v });
      for (const { cache, from, to, past } of parts) {
        const end = past + to - from;
        const keys = await cache.write(l, past, end, k.rows(from, to), v.rows(from, to));
        for (let at = from; at < to; at += QUERIES) {
          const next = Math.min(to, at + QUERIES);
          const seen = past + next - from;
          await attend.run(
            { q: q.rows(at, next), k: keys.k.rows(0, seen), v: keys.v.rows(0, seen), qPositions: onDevice.positions.rows(at, next), kPositions: cache.order.rows(0, seen), qSegments: cache.segments.rows(0, next - at), kSegments: cache.segments.rows(0, seen) },
            { context: context.rows(at, next) });
        }
      }
      const y = this.#workspace.get(`decode y${l % 2}`, [rows, a.hidden]);
      await finish.run({ ...weights, x, context }, { y });
      x = y;
    }
    for (const { cache, from, to } of parts) cache.length += to - from;
    const picked = this.#workspace.get('decode last', [texts.length, a.hidden]);
    await (await this.#compiled.executable('pick', () => this.#stages.pick())).run({ x, rows: up(lasts) }, { picked });
    const logits = this.#workspace.get('decode logits', [texts.length, a.vocabSize]);
    await (await this.#compiled.executable('logits', () => this.#stages.logits())).run({ ...this.#final, ...this.#tables().head, x: picked }, { logits });
    return (await this.device.read(logits)) as Float32Array;
  }

  /** Room for the keys and values of one text of at most `capacity` tokens. */
  cache(capacity: number): KvCache {
    return new KvCache(this.device, this.architecture, capacity);
  }

  *#headChunks(labels: number): Generator<[number, number]> {
    // Pieces of one size: a short last one would be a slow product.
    const most = this.device.views ? (this.#options.headRows ?? 768) : labels;
    const size = Math.ceil(labels / Math.ceil(labels / most));
    for (let from = 0; from < labels; from += size) yield [from, Math.min(labels, from + size)];
  }

  /** Forward and backward; gradients are added to those of `trained`. Gives the loss in nats of each row with a label. */
  async forwardBackward(micro: MicroBatch): Promise<Float32Array> {
    const { layers } = this.architecture;
    const recompute = this.#options.activations === 'recomputed' || micro.ids.length > (this.#options.keptRows ?? Infinity);
    const batch = this.#load(micro);
    const inputs: DeviceArray[] = [await this.#embed(batch)];
    for (let l = 0; l < layers; l++) {
      const y = await this.#forwardBlock(l, recompute ? 'block' : `block${l}`, inputs[l]!, batch);
      inputs.push(recompute && l < layers - 1 ? await this.#keep(`x${l + 1}`, y) : y);
    }
    const { loss, dx } = await this.#headBackward(batch, inputs[layers]!);
    let flow: DeviceArray | undefined = dx;
    for (let l = layers - 1; l >= 0 && flow; l--) {
      if (recompute && l < layers - 1) await this.#forwardBlock(l, 'block', inputs[l]!, batch);
      flow = await this.#backwardBlock(l, recompute ? 'block' : `block${l}`, inputs[l]!, flow, batch);
    }
    if (flow) await this.#backwardEmbedding(micro, batch, flow);
    this.#first = false;
    return ((await this.device.read(loss)) as Float32Array).slice(0, batch.labels);
  }

  async #keep(name: string, x: DeviceArray): Promise<DeviceArray> {
    const copy = this.#workspace.get(name, x.shape);
    await copy.copyFrom(x);
    return copy;
  }

  async #headBackward(batch: Loaded, x: DeviceArray): Promise<{ loss: DeviceArray; dx: DeviceArray }> {
    const a = this.architecture;
    const { lora, train } = this.#options;
    const rows = train === 'lora' ? lora!.tokenRows : undefined;
    const wrt = ['x', ...(rows ? ['headRows'] : []), ...(train === 'full' ? ['head', ...Object.keys(this.#final)] : [])];
    const graph = () => (rows ? this.#stages.lossOfRows(...rows) : this.#stages.loss());
    const step = (writes: boolean) => this.#compiled.executable(`head ${writes ? 'written' : 'added'}`, () => valueAndGradient(graph(), { wrt, accumulate: writes ? [] : wrt.filter((n) => n !== 'x') }));
    const headGradient = this.#gradients.get(a.names.head);
    const gradients = {
      ...this.#parameterGradients(a.final.prefix, Object.keys(this.#final)),
      ...(headGradient ? (rows ? { acc_headRows: headGradient, d_headRows: headGradient } : { acc_head: headGradient, d_head: headGradient }) : {}),
    };
    const loss = this.#workspace.get('loss', [batch.labels]);
    const dx = this.#workspace.get('d.head', [batch.labels, a.hidden]);
    for (const [from, to] of this.#headChunks(batch.labels)) {
      await (await step(this.#first && from === 0)).run(
        { ...this.#final, ...gradients, head: this.#head, ...(rows ? { headRows: this.#apart.get(a.names.head) ?? this.#head.rows(...rows) } : {}), x: x.rows(from, to), targets: batch.targets.rows(from, to) },
        { ...gradients, loss: loss.rows(from, to), d_x: dx.rows(from, to) });
    }
    return { loss, dx };
  }

  async #backwardEmbedding(micro: MicroBatch, batch: Loaded, dx: DeviceArray): Promise<void> {
    const gradient = this.#gradients.get(this.architecture.names.embedding)!;
    const { lora, train } = this.#options;
    if (train === 'full') {
      for (const id of micro.ids) this.#seen.add(id);
      return (await (await this.#embedStage()).backward!(false)).run({ ids: batch.ids, weight: this.#embedding, acc_weight: gradient, d_x: dx }, { d_weight: gradient });
    }
    const [first, end] = lora!.tokenRows!;
    const picks = [...micro.ids.keys()].filter((t) => micro.ids[t]! >= first && micro.ids[t]! < end);
    if (picks.length === 0) return;
    const up = (values: number[]) => this.device.upload(Int32Array.from(values), [values.length]);
    const add = await this.#compiled.executable('token rows', () => this.#stages.tokenRows(first, end));
    await add.run({ dx, picks: up(picks), into: up(picks.map((t) => micro.ids[t]! - first)), acc: gradient }, { sum: gradient });
  }
}

interface Loaded {
  readonly rows: number;
  readonly labels: number;
  readonly spans: readonly Span[];
  readonly labelRows: Int32Array;
  readonly ids: DeviceArray;
  readonly targets: DeviceArray;
  readonly segments: DeviceArray;
  readonly rowSegments: DeviceArray;
  readonly inputs: { readonly positions: DeviceArray; readonly rowPositions: DeviceArray; readonly rows: DeviceArray };
}

type Pick = (a: DeviceArray) => DeviceArray;

function attentionInputs(batch: Loaded, last: boolean, query: Pick, key: Pick): Record<string, DeviceArray> {
  return {
    qPositions: query(last ? batch.inputs.rowPositions : batch.inputs.positions), kPositions: key(batch.inputs.positions),
    qSegments: query(last ? batch.rowSegments : batch.segments), kSegments: key(batch.segments),
  };
}
