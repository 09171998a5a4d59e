/**
 * The graphs of a model, traced from its architecture: each is compiled once and run for every block, with the weights as
 * inputs. Symbols: T rows of a micro-batch, M rows with a label, Q and K rows of one attention call, S rows of trained tokens.
 */
import { attention, f32, i32, linear, lowRank, ops, trace, type Graph, type Spec, type Tensor, type Tensors } from '../engine/index.ts';
import { loraBlock, type LoraSpec } from './adapter.ts';
import type { Architecture, BlockWeights } from './architecture.ts';

type Specs = Record<string, Spec>;
const specsOf = (parameters: Readonly<Record<string, { shape: readonly number[] }>>): Specs =>
  Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, f32(...shape)]));

export class Stages {
  readonly #a: Architecture;
  readonly #lora: LoraSpec | undefined;
  readonly #block: Specs;
  readonly #final: Specs;
  readonly #rotary: Specs;
  readonly #apart: readonly [first: number, end: number] | undefined;

  /** `apart`: the rows of trained tokens are an array of their own, not part of the table's memory. */
  constructor(a: Architecture, lora?: LoraSpec, apart = false) {
    this.#apart = apart ? lora?.tokenRows : undefined;
    this.#a = a;
    this.#lora = lora;
    this.#block = { ...specsOf(a.block), ...(lora ? specsOf(loraBlock(a, lora)) : {}) };
    this.#final = specsOf(a.final.parameters);
    const half = a.rotary.dim / 2;
    this.#rotary = { cos: f32('P', half), sin: f32('P', half) };
  }

  #weights(inputs: Tensors): BlockWeights {
    const lora = this.#lora;
    const tensor = (local: string) => inputs[local]!;
    return {
      tensor,
      linear: (x, module, select = (w) => w) => {
        const bias = inputs[`${module}.bias`];
        const y = linear(x, select(tensor(`${module}.weight`)), bias && select(bias));
        if (!lora?.modules.includes(module)) return y;
        return ops.add(y, lowRank(x, tensor(`${module}.lora_A.weight`), select(tensor(`${module}.lora_B.weight`)), lora.alpha / lora.rank));
      },
    };
  }

  #rotate(x: Tensor, positions: Tensor, inputs: Tensors): Tensor {
    return ops.rotary(x, positions, inputs['cos']!, inputs['sin']!, this.#a.rotary.interleaved);
  }

  #rows(): Spec {
    return f32(this.#apart![1] - this.#apart![0], this.#a.hidden);
  }

  /** The table with its trained rows, where those lie apart. */
  #table(table: Tensor, rows: Tensor | undefined): Tensor {
    if (!this.#apart || !rows) return table;
    const [first, end] = this.#apart;
    const parts = [[0, first, table], [0, end - first, rows], [end, this.#a.vocabSize, table]] as const;
    return ops.concat(parts.filter(([from, to]) => to > from).map(([from, to, t]) => ops.slice(t, 0, from, to)), 0);
  }

  /** ids [T], weight [vocabulary, hidden] -> x [T, hidden] */
  embed(): Graph {
    const specs = { ids: i32('T'), weight: f32(this.#a.vocabSize, this.#a.hidden), ...(this.#apart ? { weightRows: this.#rows() } : {}) };
    return trace(specs, (x) => ({ x: ops.gather(this.#table(x['weight']!, x['weightRows']), x['ids']!) }));
  }

  /** x [T, hidden], positions [T] -> q, k, v [T, heads, headDim], turned */
  project(): Graph {
    return trace({ x: f32('T', this.#a.hidden), positions: i32('T'), ...this.#rotary, ...this.#block }, (inputs) => {
      const w = this.#weights(inputs);
      const { q, k, v } = this.#a.project(w, this.#a.normIn(w, inputs['x']!), 'qkv');
      const turn = (t: Tensor) => this.#rotate(t, inputs['positions']!, inputs);
      return { q: turn(q!), k: turn(k!), v: v! };
    });
  }

  /** The last block reads queries at the rows with a label only: x [T, hidden], rows [M] -> q, picked x [M, ..], k, v [T, ..] */
  projectLast(): Graph {
    const specs = { x: f32('T', this.#a.hidden), rows: i32('M'), positions: i32('T'), rowPositions: i32('M'), ...this.#rotary, ...this.#block };
    return trace(specs, (inputs) => {
      const w = this.#weights(inputs);
      const h = this.#a.normIn(w, inputs['x']!);
      const { q } = this.#a.project(w, ops.gather(h, inputs['rows']!), 'q');
      const { k, v } = this.#a.project(w, h, 'kv');
      return {
        q: this.#rotate(q!, inputs['rowPositions']!, inputs),
        k: this.#rotate(k!, inputs['positions']!, inputs),
        v: v!,
        picked: ops.gather(inputs['x']!, inputs['rows']!),
      };
    });
  }

  /** q [Q, ..], k, v [K, ..] with positions and segments -> context [Q, heads * headDim] */
  attend(): Graph {
    const { heads, kvHeads, headDim } = this.#a;
    const specs = {
      q: f32('Q', heads, headDim), k: f32('K', kvHeads, headDim), v: f32('K', kvHeads, headDim),
      qPositions: i32('Q'), kPositions: i32('K'), qSegments: i32('Q'), kSegments: i32('K'),
    };
    return trace(specs, (x) => ({
      context: attention({ q: x['q']!, k: x['k']!, v: x['v']!, qPositions: x['qPositions']!, kPositions: x['kPositions']!, qSegments: x['qSegments']!, kSegments: x['kSegments']! }),
    }));
  }

  /** x [T, hidden], context [T, heads * headDim] -> y [T, hidden] */
  finish(): Graph {
    const specs = { x: f32('T', this.#a.hidden), context: f32('T', this.#a.heads * this.#a.headDim), ...this.#block };
    return trace(specs, (inputs) => ({ y: this.#a.finish(this.#weights(inputs), inputs['x']!, inputs['context']!) }));
  }

  /** Normalised rows -> logits. */
  #head(normalised: Tensor, table: Tensor, inputs: Tensors): Tensor {
    const { names: { headBias }, final } = this.#a;
    return linear(normalised, table, headBias === undefined ? undefined : inputs[headBias.slice(final.prefix.length)]!);
  }

  #logits(inputs: Tensors): Tensor {
    return this.#head(this.#a.finalNorm(this.#weights(inputs), inputs['x']!), this.#table(inputs['head']!, inputs['headRows']), inputs);
  }

  /** x [T, hidden], rows [M] -> picked [M, hidden] */
  pick(): Graph {
    return trace({ x: f32('T', this.#a.hidden), rows: i32('M') }, ({ x, rows }) => ({ picked: ops.gather(x!, rows!) }));
  }

  /** x [M, hidden] -> logits [M, vocabulary] */
  logits(): Graph {
    return trace(this.#headSpecs(), (inputs) => ({ logits: this.#logits(inputs) }));
  }

  /** x [M, hidden] -> y [M, hidden], what the head reads */
  normalised(): Graph {
    return trace({ x: f32('M', this.#a.hidden), ...this.#final }, (inputs) => ({ y: this.#a.finalNorm(this.#weights(inputs), inputs['x']!) }));
  }

  /** x [M, hidden], targets [M] -> loss [M] in nats */
  loss(): Graph {
    return trace({ ...this.#headSpecs(), targets: i32('M') }, (inputs) => ({ loss: ops.crossEntropy(this.#logits(inputs), inputs['targets']!)[0] }));
  }

  /** The loss where, beside x, only the head's rows [first, end) are trained: `headRows` stands for them in the gradient. */
  lossOfRows(first: number, end: number): Graph {
    const { vocabSize, hidden } = this.#a;
    return trace({ ...this.#headSpecs(), targets: i32('M'), headRows: f32(end - first, hidden) }, (inputs) => {
      const normalised = this.#a.finalNorm(this.#weights(inputs), inputs['x']!);
      const rest = this.#head(normalised, this.#table(inputs['head']!, this.#apart && ops.stopGradient(inputs['headRows']!)), inputs);
      // Zero, with the gradient of the trained rows: their logits come from the head, whose memory they share.
      const rows = ops.matmul(ops.stopGradient(normalised), inputs['headRows']!, { transB: true });
      const trained = ops.sub(rows, ops.stopGradient(rows));
      return { loss: ops.crossEntropy(ops.add(rest, ops.pad(trained, 1, first, vocabSize - end)), inputs['targets']!)[0] };
    });
  }

  #headSpecs(): Specs {
    return { x: f32('M', this.#a.hidden), head: f32(this.#a.vocabSize, this.#a.hidden), ...this.#final, ...(this.#apart ? { headRows: this.#rows() } : {}) };
  }

  /** Adds rows `picks` [S] of dx [T, hidden] to the gradients of token rows `into` [S]. */
  tokenRows(first: number, end: number): Graph {
    const { hidden } = this.#a;
    return trace({ dx: f32('T', hidden), picks: i32('S'), into: i32('S'), acc: f32(end - first, hidden) }, ({ dx, picks, into, acc }) => ({
      sum: ops.scatterAdd(acc!, into!, ops.gather(dx!, picks!)),
    }));
  }
}
