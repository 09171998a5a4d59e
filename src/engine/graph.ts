/**
 * Symbolic tensors. A `Tensor` is one output of a `Node`; a node applies a primitive to tensors. Nodes are immutable and
 * know only their inputs, so a graph is nothing but named inputs and named outputs.
 */
import type { DType } from './dtype.ts';
import { EngineError } from './errors.ts';
import { PRIMITIVES, type ParamsOf, type Primitive } from './primitives.ts';
import { show, type Shape } from './shape.ts';

export interface Spec {
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface Tensor extends Spec {
  readonly node: Node;
  readonly index: number;
}

export type Node =
  | { readonly op: 'input'; readonly name: string; readonly inputs: readonly Tensor[]; readonly outputs: Tensor[] }
  | { readonly op: 'constant'; readonly data: readonly number[]; readonly inputs: readonly Tensor[]; readonly outputs: Tensor[] }
  | { readonly op: Primitive; readonly params: ParamsOf<Primitive>; readonly inputs: readonly Tensor[]; readonly outputs: Tensor[] };

export type Tensors = Readonly<Record<string, Tensor>>;

export interface Graph {
  readonly inputs: Tensors;
  readonly outputs: Tensors;
}

export const f32 = (...shape: Shape): Spec => ({ shape, dtype: 'f32' });
export const i32 = (...shape: Shape): Spec => ({ shape, dtype: 'i32' });

function attach<N extends Node>(node: N, specs: readonly Spec[]): N {
  specs.forEach((s, index) => node.outputs.push({ node, index, shape: s.shape, dtype: s.dtype }));
  return node;
}

export function input(name: string, spec: Spec): Tensor {
  return attach({ op: 'input', name, inputs: [], outputs: [] }, [spec]).outputs[0]!;
}

/** A value known when the graph is made; `shape` must be static. */
export function constant(data: readonly number[], shape: readonly number[] = [], dtype: DType = 'f32'): Tensor {
  if (data.length !== shape.reduce((a, b) => a * b, 1)) throw new EngineError(`constant: ${data.length} values for ${show(shape)}`);
  return attach({ op: 'constant', data, inputs: [], outputs: [] }, [{ shape, dtype }]).outputs[0]!;
}

/** Applies a primitive after its shape rule has accepted the inputs. */
export function apply<P extends Primitive>(op: P, inputs: readonly Tensor[], params: ParamsOf<P>): Tensor[] {
  const rule = PRIMITIVES[op];
  let specs: Spec[];
  try {
    specs = rule(inputs, params);
  } catch (cause) {
    throw new EngineError(`${op}(${inputs.map((t) => `${t.dtype}${show(t.shape)}`).join(', ')}): ${(cause as Error).message}`, { cause });
  }
  return attach({ op, params, inputs, outputs: [] } as Node, specs).outputs;
}

/** Traces a function over symbolic inputs. */
export function trace(specs: Readonly<Record<string, Spec>>, fn: (inputs: Tensors) => Tensors): Graph {
  const inputs = Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, input(name, spec)]));
  return { inputs, outputs: fn(inputs) };
}

/** The nodes that the outputs rest on, every node after its inputs. `stop` ends the search at tensors that are given. */
export function topological(outputs: Iterable<Tensor>, stop: (t: Tensor) => boolean = () => false): Node[] {
  const done = new Set<Node>();
  const order: Node[] = [];
  const stack = [...outputs].reverse().map((t) => ({ tensor: t, expanded: false }));
  while (stack.length > 0) {
    const { tensor, expanded } = stack.pop()!;
    const node = tensor.node;
    if (expanded) {
      if (!done.has(node)) {
        done.add(node);
        order.push(node);
      }
    } else if (!done.has(node) && !stop(tensor)) {
      stack.push({ tensor, expanded: true });
      for (const t of [...node.inputs].reverse()) stack.push({ tensor: t, expanded: false });
    }
  }
  return order;
}
