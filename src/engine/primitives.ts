/**
 * The closed list of operations with their shape rules. Everything else (linear, attention, loss) is composed of them in
 * `nn/`; what an operation computes is defined by `reference.ts`, its derivative by `gradients.ts`, its ONNX form by
 * `onnx/lower.ts`.
 */
import type { Spec } from './graph.ts';
import { EngineError } from './errors.ts';
import { broadcast, reduceShape, sameCount, sameShape, show, type Dim, type Shape } from './shape.ts';

type None = Readonly<Record<never, never>>;

/** Parameters of each primitive: what is fixed when the graph is made. */
export interface PrimitiveParams {
  // element-wise on two operands, broadcasting
  add: None; sub: None; mul: None; div: None;
  // element-wise
  neg: None; exp: None; log: None; sqrt: None; tanh: None; erf: None; sigmoid: None; silu: None;
  gelu: { readonly form: 'erf' | 'tanh' };
  stopGradient: None;
  // comparison: booleans, no gradient
  equal: None; greaterOrEqual: None; and: None;
  /** condition ? a : b */
  where: None;
  /** alpha * A B over the last two axes, leading axes broadcast; a transposed operand is read in place. */
  matmul: { readonly transA: boolean; readonly transB: boolean; readonly alpha: number };
  reduceSum: { readonly axes: readonly number[]; readonly keep: boolean };
  reduceMax: { readonly axes: readonly number[]; readonly keep: boolean };
  reshape: { readonly shape: Shape };
  transpose: { readonly perm: readonly number[] };
  /** First operand repeated to the shape of the second, whose values are not read. */
  expandLike: None;
  zerosLike: None;
  concat: { readonly axis: number };
  slice: { readonly axis: number; readonly start: number; readonly end: number };
  pad: { readonly axis: number; readonly before: number; readonly after: number };
  /** table [V, ...], indices [N] -> [N, ...] */
  gather: None;
  /** base [V, ...], indices [N], updates [N, ...] -> base with every update added to its row; rows may repeat. */
  scatterAdd: None;
  /** x [M, V], indices [M] -> x with `value` added at column indices[m] of row m. */
  addAt: { readonly value: number };
  /** over the last axis */
  softmax: None;
  /** x [.., D], scale [D], bias [D] -> y, mean [.., 1], inverse deviation [.., 1]; biased variance */
  layerNorm: { readonly epsilon: number };
  /** x [.., D], scale [D] -> y, inverse root mean square [.., 1] */
  rmsNorm: { readonly epsilon: number };
  /** x [T, H, D], positions [T], cos [P, R/2], sin [P, R/2] -> x with its first R components turned; halves or interleaved pairs */
  rotary: { readonly interleaved: boolean };
  /** logits [M, V], targets [M] -> loss [M] (natural log), probabilities [M, V] */
  crossEntropy: None;
}

export type Primitive = keyof PrimitiveParams;
export type ParamsOf<P extends Primitive> = PrimitiveParams[P];
type Rule<P extends Primitive> = (inputs: readonly Spec[], params: ParamsOf<P>) => Spec[];
type Plain = (inputs: readonly Spec[]) => Spec[];

function need(ok: boolean, message: string): asserts ok {
  if (!ok) throw new EngineError(message);
}

function operands(inputs: readonly Spec[], n: number): readonly Spec[] {
  need(inputs.length === n, `takes ${n} operands, got ${inputs.length}`);
  return inputs;
}

const floats = (inputs: readonly Spec[]) => inputs.forEach((s) => need(s.dtype === 'f32', `needs f32 operands, got ${s.dtype}`));

const unary: Plain = (inputs) => {
  const [x] = operands(inputs, 1);
  floats(inputs);
  return [{ shape: x!.shape, dtype: 'f32' }];
};

const binary: Plain = (inputs) => {
  const [a, b] = operands(inputs, 2);
  floats(inputs);
  return [{ shape: broadcast(a!.shape, b!.shape), dtype: 'f32' }];
};

const compare: Plain = (inputs) => {
  const [a, b] = operands(inputs, 2);
  need(a!.dtype === b!.dtype, `compares one type, got ${a!.dtype} and ${b!.dtype}`);
  return [{ shape: broadcast(a!.shape, b!.shape), dtype: 'bool' }];
};

const reduce = (inputs: readonly Spec[], { axes, keep }: ParamsOf<'reduceSum'>): Spec[] => {
  const [x] = operands(inputs, 1);
  floats(inputs);
  need(axes.every((a) => a >= 0 && a < x!.shape.length), `axes ${axes.join()} outside ${show(x!.shape)}`);
  return [{ shape: reduceShape(x!.shape, axes, keep), dtype: 'f32' }];
};

function axisSize(shape: Shape, axis: number): number {
  const n = shape[axis];
  need(typeof n === 'number', `axis ${axis} of ${show(shape)} has no fixed size`);
  return n;
}

const withAxis = (shape: Shape, axis: number, n: Dim): Shape => shape.map((d, i) => (i === axis ? n : d));
const lastOf = (shape: Shape): Dim => shape.at(-1)!;

/** The first operand's type is kept: these only move values. */
const like = (x: Spec, shape: Shape): Spec[] => [{ shape, dtype: x.dtype }];

export const PRIMITIVES: { readonly [P in Primitive]: Rule<P> } = {
  add: binary, sub: binary, mul: binary, div: binary,
  neg: unary, exp: unary, log: unary, sqrt: unary, tanh: unary, erf: unary, sigmoid: unary, silu: unary, gelu: unary, softmax: unary,
  stopGradient: (inputs) => like(operands(inputs, 1)[0]!, inputs[0]!.shape),
  equal: compare,
  greaterOrEqual: compare,
  and: (inputs) => {
    need(inputs.every((s) => s.dtype === 'bool'), 'needs booleans');
    return compare(inputs);
  },
  where: (inputs) => {
    const [c, a, b] = operands(inputs, 3);
    need(c!.dtype === 'bool' && a!.dtype === b!.dtype, 'needs a boolean condition and two values of one type');
    return like(a!, broadcast(c!.shape, broadcast(a!.shape, b!.shape)));
  },
  matmul: (inputs, { transA, transB }) => {
    const [a, b] = operands(inputs, 2);
    floats(inputs);
    need(a!.shape.length >= 2 && b!.shape.length >= 2, 'needs matrices');
    const [m, ka] = transA ? [a!.shape.at(-1)!, a!.shape.at(-2)!] : [a!.shape.at(-2)!, a!.shape.at(-1)!];
    const [kb, n] = transB ? [b!.shape.at(-1)!, b!.shape.at(-2)!] : [b!.shape.at(-2)!, b!.shape.at(-1)!];
    need(ka === kb, `inner sizes differ: ${ka} and ${kb}`);
    return [{ shape: [...broadcast(a!.shape.slice(0, -2), b!.shape.slice(0, -2)), m, n], dtype: 'f32' }];
  },
  reduceSum: reduce,
  reduceMax: reduce,
  reshape: (inputs, { shape }) => {
    const [x] = operands(inputs, 1);
    need(sameCount(x!.shape, shape), `cannot become ${show(shape)}: another number of elements`);
    need(shape.filter((d) => typeof d === 'string').length <= 1, `at most one symbolic dimension, got ${show(shape)}`);
    return like(x!, shape);
  },
  transpose: (inputs, { perm }) => {
    const [x] = operands(inputs, 1);
    need([...perm].sort((a, b) => a - b).every((p, i) => p === i) && perm.length === x!.shape.length, `${perm.join()} does not permute ${show(x!.shape)}`);
    return like(x!, perm.map((p) => x!.shape[p]!));
  },
  expandLike: (inputs) => {
    const [x, y] = operands(inputs, 2);
    need(sameShape(broadcast(x!.shape, y!.shape), y!.shape), `${show(x!.shape)} does not broadcast to ${show(y!.shape)}`);
    return like(x!, y!.shape);
  },
  zerosLike: unary,
  concat: (inputs, { axis }) => {
    const first = inputs[0];
    need(first !== undefined, 'needs an operand');
    need(inputs.every((s) => sameShape(withAxis(s.shape, axis, 0), withAxis(first.shape, axis, 0)) && s.dtype === first.dtype), 'operands differ beside the axis');
    return like(first, withAxis(first.shape, axis, inputs.reduce((n, s) => n + axisSize(s.shape, axis), 0)));
  },
  slice: (inputs, { axis, start, end }) => {
    const [x] = operands(inputs, 1);
    need(0 <= start && start <= end && end <= axisSize(x!.shape, axis), `${start}..${end} outside axis ${axis} of ${show(x!.shape)}`);
    return like(x!, withAxis(x!.shape, axis, end - start));
  },
  pad: (inputs, { axis, before, after }) => {
    const [x] = operands(inputs, 1);
    need(before >= 0 && after >= 0, 'cannot pad by less than nothing');
    return like(x!, withAxis(x!.shape, axis, axisSize(x!.shape, axis) + before + after));
  },
  gather: (inputs) => {
    const [table, indices] = operands(inputs, 2);
    need(indices!.dtype === 'i32' && indices!.shape.length === 1, 'needs a list of i32 indices');
    return like(table!, [indices!.shape[0]!, ...table!.shape.slice(1)]);
  },
  scatterAdd: (inputs) => {
    const [base, indices, updates] = operands(inputs, 3);
    need(indices!.dtype === 'i32' && indices!.shape.length === 1, 'needs a list of i32 indices');
    need(sameShape(updates!.shape, [indices!.shape[0]!, ...base!.shape.slice(1)]), `updates ${show(updates!.shape)} do not fit`);
    return like(base!, base!.shape);
  },
  addAt: (inputs) => {
    const [x, indices] = operands(inputs, 2);
    need(x!.shape.length === 2 && sameShape(indices!.shape, x!.shape.slice(0, 1)) && indices!.dtype === 'i32', 'needs a matrix and an i32 index a row');
    return like(x!, x!.shape);
  },
  layerNorm: (inputs) => {
    const [x, scale, bias] = operands(inputs, 3);
    floats(inputs);
    const d = lastOf(x!.shape);
    need(sameShape(scale!.shape, [d]) && sameShape(bias!.shape, [d]), 'scale and bias must match the last axis');
    const stat: Spec = { shape: withAxis(x!.shape, x!.shape.length - 1, 1), dtype: 'f32' };
    return [{ shape: x!.shape, dtype: 'f32' }, stat, stat];
  },
  rmsNorm: (inputs) => {
    const [x, scale] = operands(inputs, 2);
    floats(inputs);
    need(sameShape(scale!.shape, [lastOf(x!.shape)]), 'scale must match the last axis');
    return [{ shape: x!.shape, dtype: 'f32' }, { shape: withAxis(x!.shape, x!.shape.length - 1, 1), dtype: 'f32' }];
  },
  rotary: (inputs) => {
    const [x, positions, cos, sin] = operands(inputs, 4);
    need(x!.shape.length === 3 && positions!.dtype === 'i32' && sameShape(positions!.shape, [x!.shape[0]!]), 'needs [T, H, D] and a position a row');
    need(sameShape(cos!.shape, sin!.shape) && 2 * axisSize(cos!.shape, 1) <= axisSize(x!.shape, 2), 'cos and sin do not fit the head size');
    return like(x!, x!.shape);
  },
  crossEntropy: (inputs) => {
    const [logits, targets] = operands(inputs, 2);
    need(logits!.shape.length === 2 && targets!.dtype === 'i32' && sameShape(targets!.shape, logits!.shape.slice(0, 1)), 'needs [M, V] logits and M i32 targets');
    return [{ shape: targets!.shape, dtype: 'f32' }, { shape: logits!.shape, dtype: 'f32' }];
  },
};
