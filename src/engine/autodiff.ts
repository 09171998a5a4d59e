/**
 * Reverse-mode differentiation of graphs, and the split of forward and backward into two graphs that run apart, with
 * values saved between them or computed again (activation checkpointing).
 */
import { EngineError } from './errors.ts';
import { GRADIENTS } from './gradients.ts';
import { apply, input, topological, type Graph, type Node, type Tensor, type Tensors } from './graph.ts';
import { add, concat, onesLike, scatterAdd } from './ops.ts';
import type { ParamsOf, Primitive } from './primitives.ts';

type Row = (dy: Tensor, inputs: readonly Tensor[], outputs: readonly Tensor[], params: ParamsOf<Primitive>) => (Tensor | null)[];

/** Nodes through which a change of one of `wrt` reaches something. */
function dependents(order: readonly Node[], wrt: ReadonlySet<Tensor>): Set<Node> {
  const set = new Set<Node>();
  for (const node of order) {
    if (node.outputs.some((t) => wrt.has(t)) || node.inputs.some((t) => wrt.has(t) || set.has(t.node))) set.add(node);
  }
  return set;
}

/** What reaches a tensor from its readers, added up. Where they read its parts, one beside the other, the parts are joined. */
function sum(parts: readonly Tensor[]): Tensor {
  return joined(parts) ?? parts.reduce((a, b) => add(a, b));
}

/** Paddings that fill one tensor without a gap or an overlap, as one concatenation; undefined where they do not. */
function joined(parts: readonly Tensor[]): Tensor | undefined {
  const pads = parts.flatMap(({ node }) => (node.op === 'pad' ? [{ ...(node.params as ParamsOf<'pad'>), part: node.inputs[0]! }] : []));
  if (parts.length < 2 || pads.length < parts.length) return undefined;
  pads.sort((a, b) => a.before - b.before);
  const { axis } = pads[0]!;
  let end = 0;
  for (const pad of pads) {
    if (pad.axis !== axis || pad.before !== end) return undefined;
    end += pad.part.shape[axis] as number;
  }
  return end === parts[0]!.shape[axis] ? concat(pads.map(({ part }) => part), axis) : undefined;
}

/**
 * Cotangents of `wrt` given those of `outputs` (pairs by position). Work that no `wrt` needs is not recorded.
 * @throws EngineError if a `wrt` does not reach the outputs, or only through something without a gradient.
 */
export function gradients(outputs: readonly Tensor[], cotangents: readonly Tensor[], wrt: readonly Tensor[]): Tensor[] {
  const order = topological(outputs);
  const active = dependents(order, new Set(wrt));
  const flow = new Map<Tensor, Tensor[]>();
  const feed = (t: Tensor, dy: Tensor) => void (flow.get(t)?.push(dy) ?? flow.set(t, [dy]));
  const total = (t: Tensor) => flow.get(t) && sum(flow.get(t)!);
  outputs.forEach((t, i) => feed(t, cotangents[i]!));
  for (const node of [...order].reverse()) {
    if (!active.has(node) || node.op === 'input' || node.op === 'constant') continue;
    const dy = total(node.outputs[0]!);
    if (node.outputs.slice(1).some((t) => flow.has(t))) throw new EngineError(`${node.op}: only its first output can be differentiated`);
    if (!dy) continue;
    const row = GRADIENTS[node.op] as Row | null;
    if (!row) throw new EngineError(`${node.op} has no gradient`);
    const wanted = node.inputs.map((t) => wrt.includes(t) || active.has(t.node));
    row(dy, node.inputs, node.outputs, node.params).forEach((g, i) => {
      if (g && wanted[i]) feed(node.inputs[i]!, g);
    });
  }
  return wrt.map((t) => {
    const g = total(t);
    if (!g) throw new EngineError(`no gradient reaches ${t.node.op === 'input' ? t.node.name : t.node.op}`);
    return g;
  });
}

/** Rebuilds `outputs` with some tensors replaced; nodes that rest on none of them are kept. */
function substitute(outputs: readonly Tensor[], replaced: ReadonlyMap<Tensor, Tensor>): Tensor[] {
  const made = new Map<Tensor, Tensor>(replaced);
  const now = (t: Tensor) => made.get(t) ?? t;
  for (const node of topological(outputs, (t) => replaced.has(t))) {
    if (node.inputs.every((t) => now(t) === t) || node.op === 'input' || node.op === 'constant') continue;
    const copies = apply(node.op, node.inputs.map(now), node.params as ParamsOf<Primitive>);
    node.outputs.forEach((t, i) => made.has(t) || made.set(t, copies[i]!));
  }
  return outputs.map(now);
}

/** Cheaper to compute again than to keep: they move or compare, or fill. */
const FREE: ReadonlySet<string> = new Set<Primitive>(['reshape', 'slice', 'expandLike', 'zerosLike', 'neg', 'equal', 'greaterOrEqual', 'and', 'stopGradient']);

export interface DifferentiateOptions {
  /** Inputs to differentiate; a gradient is named `d_<input>`. */
  readonly wrt: readonly string[];
  /** Of those, the ones whose gradient is added to a given `acc_<input>`: results over micro-batches, or over branches. */
  readonly accumulate?: readonly string[];
  /** 'saved' keeps what backward needs; 'recomputed' keeps nothing and runs the forward graph again inside backward. */
  readonly activations?: 'saved' | 'recomputed';
}

export interface Differentiated {
  /** The graph's outputs and, after them, `saved<i>`. */
  readonly forward: Graph;
  /** Inputs: those of the graph that are needed, `saved<i>`, `d_<output>`, `acc_<input>`. Outputs: `d_<input>`. */
  readonly backward: Graph;
  readonly saved: Tensors;
}

function accumulated(name: string, gradient: Tensor): { acc: Tensor; sum: Tensor } {
  const acc = input(`acc_${name}`, gradient);
  const { node } = gradient;
  // A sum of rows over zeros goes straight into the accumulator.
  const rows = node.op === 'scatterAdd' && node.inputs[0]!.node.op === 'zerosLike';
  return { acc, sum: rows ? scatterAdd(acc, node.inputs[1]!, node.inputs[2]!) : add(acc, gradient) };
}

/** The forward graph and the backward graph of `graph`, and what passes between them. */
export function differentiate(graph: Graph, { wrt, accumulate = [], activations = 'saved' }: DifferentiateOptions): Differentiated {
  const differentiable = Object.entries(graph.outputs).filter(([, t]) => t.dtype === 'f32');
  const cotangents: Tensors = Object.fromEntries(differentiable.map(([name, t]) => [`d_${name}`, input(`d_${name}`, t)]));
  const found = gradients(differentiable.map(([, t]) => t), Object.values(cotangents), wrt.map((name) => graph.inputs[name]!));

  const forward = new Set(topological(Object.values(graph.outputs)));
  const given = new Set([...Object.values(graph.inputs), ...Object.values(cotangents)]);
  const saved = new Map<Tensor, Tensor>();
  const isFree = (node: Node) => activations === 'recomputed' || node.op === 'constant' || FREE.has(node.op);
  topological(found, (t) => {
    if (given.has(t)) return true;
    if (!forward.has(t.node) || isFree(t.node)) return false;
    if (!saved.has(t)) saved.set(t, input(`saved${saved.size}`, t));
    return true;
  });

  const outputs: Record<string, Tensor> = {};
  const accumulators: Record<string, Tensor> = {};
  substitute(found, saved).forEach((g, i) => {
    const name = wrt[i]!;
    if (!accumulate.includes(name)) return void (outputs[`d_${name}`] = g);
    const { acc, sum } = accumulated(name, g);
    accumulators[`acc_${name}`] = acc;
    outputs[`d_${name}`] = sum;
  });
  const savedOutputs = Object.fromEntries([...saved.keys()].map((t, i) => [`saved${i}`, t]));
  const savedInputs = Object.fromEntries([...saved.values()].map((t, i) => [`saved${i}`, t]));
  return {
    forward: { inputs: graph.inputs, outputs: { ...graph.outputs, ...savedOutputs } },
    backward: prune({ inputs: { ...graph.inputs, ...savedInputs, ...cotangents, ...accumulators }, outputs }),
    saved: savedOutputs,
  };
}

/** Value and gradient in one graph: outputs of `graph`, and `d_<input>` of the sum of all elements of its first output. */
export function valueAndGradient(graph: Graph, { wrt, accumulate = [] }: DifferentiateOptions): Graph {
  const loss = Object.values(graph.outputs)[0]!;
  const outputs: Record<string, Tensor> = { ...graph.outputs };
  const inputs: Record<string, Tensor> = { ...graph.inputs };
  gradients([loss], [onesLike(loss)], wrt.map((name) => graph.inputs[name]!)).forEach((g, i) => {
    const name = wrt[i]!;
    const { acc, sum } = accumulated(name, g);
    if (accumulate.includes(name)) inputs[`acc_${name}`] = acc;
    outputs[`d_${name}`] = accumulate.includes(name) ? sum : g;
  });
  return prune({ inputs, outputs });
}

/** Leaves out inputs that no output reads. */
export function prune(graph: Graph): Graph {
  const used = new Set(topological(Object.values(graph.outputs)));
  return { inputs: Object.fromEntries(Object.entries(graph.inputs).filter(([, t]) => used.has(t.node))), outputs: graph.outputs };
}
