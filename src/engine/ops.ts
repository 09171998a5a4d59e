/** The primitives as functions, with the few simplifications that keep gradient graphs small. Numbers become constants. */
import { apply, constant, type Tensor } from './graph.ts';
import { sameShape, type Shape } from './shape.ts';

export type Operand = Tensor | number;
const lift = (x: Operand): Tensor => (typeof x === 'number' ? constant([x]) : x);

/** Whether every element is known to be `value`. */
function isFilled(t: Tensor, value: number): boolean {
  const { node } = t;
  if (node.op === 'constant') return node.data.every((x) => x === value);
  if (node.op === 'zerosLike') return value === 0;
  return (node.op === 'expandLike' || node.op === 'reshape') && isFilled(node.inputs[0]!, value);
}

/** x, if combining it with the neutral element `other` leaves its shape alone. */
function keep(x: Tensor, other: Tensor, result: Tensor): Tensor {
  return sameShape(x.shape, result.shape) && other.shape.length <= result.shape.length ? x : result;
}

export function add(a: Operand, b: Operand): Tensor {
  const [x, y] = [lift(a), lift(b)];
  const sum = apply('add', [x, y], {})[0]!;
  if (isFilled(y, 0)) return keep(x, y, sum);
  return isFilled(x, 0) ? keep(y, x, sum) : sum;
}

export function mul(a: Operand, b: Operand): Tensor {
  const [x, y] = [lift(a), lift(b)];
  const product = apply('mul', [x, y], {})[0]!;
  if (isFilled(y, 1)) return keep(x, y, product);
  return isFilled(x, 1) ? keep(y, x, product) : product;
}

export const sub = (a: Operand, b: Operand): Tensor => apply('sub', [lift(a), lift(b)], {})[0]!;
export const div = (a: Operand, b: Operand): Tensor => apply('div', [lift(a), lift(b)], {})[0]!;
export const neg = (x: Tensor): Tensor => apply('neg', [x], {})[0]!;
export const exp = (x: Tensor): Tensor => apply('exp', [x], {})[0]!;
export const log = (x: Tensor): Tensor => apply('log', [x], {})[0]!;
export const sqrt = (x: Tensor): Tensor => apply('sqrt', [x], {})[0]!;
export const tanh = (x: Tensor): Tensor => apply('tanh', [x], {})[0]!;
export const erf = (x: Tensor): Tensor => apply('erf', [x], {})[0]!;
export const sigmoid = (x: Tensor): Tensor => apply('sigmoid', [x], {})[0]!;
export const silu = (x: Tensor): Tensor => apply('silu', [x], {})[0]!;
export const gelu = (x: Tensor, form: 'erf' | 'tanh'): Tensor => apply('gelu', [x], { form })[0]!;
export const stopGradient = (x: Tensor): Tensor => apply('stopGradient', [x], {})[0]!;
export const softmax = (x: Tensor): Tensor => apply('softmax', [x], {})[0]!;
export const equal = (a: Tensor, b: Tensor): Tensor => apply('equal', [a, b], {})[0]!;
export const greaterOrEqual = (a: Tensor, b: Tensor): Tensor => apply('greaterOrEqual', [a, b], {})[0]!;
export const and = (a: Tensor, b: Tensor): Tensor => apply('and', [a, b], {})[0]!;
export const where = (condition: Tensor, a: Operand, b: Operand): Tensor => apply('where', [condition, lift(a), lift(b)], {})[0]!;
export const zerosLike = (x: Tensor): Tensor => apply('zerosLike', [x], {})[0]!;
export const expandLike = (x: Operand, like: Tensor): Tensor => apply('expandLike', [lift(x), like], {})[0]!;
export const onesLike = (x: Tensor): Tensor => expandLike(1, x);
export const gather = (table: Tensor, indices: Tensor): Tensor => apply('gather', [table, indices], {})[0]!;
export const scatterAdd = (base: Tensor, indices: Tensor, updates: Tensor): Tensor => apply('scatterAdd', [base, indices, updates], {})[0]!;
export const addAt = (x: Tensor, indices: Tensor, value: number): Tensor => apply('addAt', [x, indices], { value })[0]!;
export const concat = (parts: readonly Tensor[], axis: number): Tensor => apply('concat', parts, { axis })[0]!;
export const slice = (x: Tensor, axis: number, start: number, end: number): Tensor => apply('slice', [x], { axis, start, end })[0]!;
export const pad = (x: Tensor, axis: number, before: number, after: number): Tensor => apply('pad', [x], { axis, before, after })[0]!;
export const transpose = (x: Tensor, ...perm: number[]): Tensor => apply('transpose', [x], { perm })[0]!;
export const reduceSum = (x: Tensor, axes: readonly number[], keepAxes = false): Tensor => apply('reduceSum', [x], { axes, keep: keepAxes })[0]!;
export const reduceMax = (x: Tensor, axes: readonly number[], keepAxes = false): Tensor => apply('reduceMax', [x], { axes, keep: keepAxes })[0]!;

export function reshape(x: Tensor, ...shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply('reshape', [x], { shape })[0]!;
}

export function matmul(a: Tensor, b: Tensor, { transA = false, transB = false, alpha = 1 } = {}): Tensor {
  return apply('matmul', [a, b], { transA, transB, alpha })[0]!;
}

/** [normalised, mean, inverse deviation] over the last axis. */
export function layerNorm(x: Tensor, scale: Tensor, bias: Tensor, epsilon: number): [Tensor, Tensor, Tensor] {
  return apply('layerNorm', [x, scale, bias], { epsilon }) as [Tensor, Tensor, Tensor];
}

/** [normalised, inverse root mean square] over the last axis. */
export function rmsNorm(x: Tensor, scale: Tensor, epsilon: number): [Tensor, Tensor] {
  return apply('rmsNorm', [x, scale], { epsilon }) as [Tensor, Tensor];
}

export function rotary(x: Tensor, positions: Tensor, cos: Tensor, sin: Tensor, interleaved = false): Tensor {
  return apply('rotary', [x, positions, cos, sin], { interleaved })[0]!;
}

/** [loss a row in nats, probabilities]. */
export function crossEntropy(logits: Tensor, targets: Tensor): [Tensor, Tensor] {
  return apply('crossEntropy', [logits, targets], {}) as [Tensor, Tensor];
}
