/**
 * ONE table: primitive -> vector-Jacobian product. A row receives the cotangent of the first output, the operands, the
 * outputs and the parameters, and gives the cotangent of each operand, `null` where there is none. Further outputs
 * (statistics, probabilities) serve these rows only and cannot be differentiated.
 */
import type { Tensor } from './graph.ts';
import * as o from './ops.ts';
import type { ParamsOf, Primitive } from './primitives.ts';
import { broadcastAxes, sameShape } from './shape.ts';

type Row<P extends Primitive> = (dy: Tensor, inputs: readonly Tensor[], outputs: readonly Tensor[], params: ParamsOf<P>) => (Tensor | null)[];

/** Adds over the axes along which `x` was repeated to give `dy`. */
function unbroadcast(dy: Tensor, x: Tensor): Tensor {
  if (sameShape(dy.shape, x.shape)) return dy;
  return o.reshape(o.reduceSum(dy, broadcastAxes(x.shape, dy.shape)), ...x.shape);
}

const lastSize = (x: Tensor) => x.shape.at(-1) as number;
const lastAxis = (x: Tensor) => [x.shape.length - 1];
const leadAxes = (x: Tensor) => x.shape.slice(0, -1).map((_, i) => i);
const square = (x: Tensor) => o.mul(x, x);
const lastMean = (x: Tensor) => o.mul(o.reduceSum(x, lastAxis(x), true), 1 / lastSize(x));

export const GRADIENTS: { readonly [P in Primitive]: Row<P> | null } = {
  add: (dy, [a, b]) => [unbroadcast(dy, a!), unbroadcast(dy, b!)],
  sub: (dy, [a, b]) => [unbroadcast(dy, a!), unbroadcast(o.neg(dy), b!)],
  mul: (dy, [a, b]) => [unbroadcast(o.mul(dy, b!), a!), unbroadcast(o.mul(dy, a!), b!)],
  div: (dy, [a, b], [y]) => [unbroadcast(o.div(dy, b!), a!), unbroadcast(o.neg(o.div(o.mul(dy, y!), b!)), b!)],
  neg: (dy) => [o.neg(dy)],
  exp: (dy, _, [y]) => [o.mul(dy, y!)],
  log: (dy, [x]) => [o.div(dy, x!)],
  sqrt: (dy, _, [y]) => [o.div(o.mul(dy, 0.5), y!)],
  tanh: (dy, _, [y]) => [o.mul(dy, o.sub(1, square(y!)))],
  erf: (dy, [x]) => [o.mul(dy, o.mul(o.exp(o.neg(square(x!))), 2 / Math.sqrt(Math.PI)))],
  sigmoid: (dy, _, [y]) => [o.mul(dy, o.mul(y!, o.sub(1, y!)))],
  silu: (dy, [x]) => {
    const s = o.sigmoid(x!);
    return [o.mul(dy, o.mul(s, o.add(o.mul(x!, o.sub(1, s)), 1)))];
  },
  gelu: (dy, [x], _, { form }) => {
    if (form === 'erf') {
      const u = o.mul(x!, Math.SQRT1_2);
      const density = o.mul(o.mul(x!, o.exp(o.neg(square(u)))), 1 / Math.sqrt(2 * Math.PI));
      return [o.mul(dy, o.add(o.mul(o.add(o.erf(u), 1), 0.5), density))];
    }
    const k = Math.sqrt(2 / Math.PI);
    const x2 = square(x!);
    const t = o.tanh(o.mul(o.mul(x!, o.add(o.mul(x2, 0.044715), 1)), k));
    const inner = o.mul(o.mul(x!, o.add(o.mul(x2, 3 * 0.044715), 1)), 0.5 * k);
    return [o.mul(dy, o.add(o.mul(o.add(t, 1), 0.5), o.mul(inner, o.sub(1, square(t)))))];
  },
  stopGradient: () => [null],
  equal: null,
  greaterOrEqual: null,
  and: null,
  where: (dy, [c, a, b]) => [null, unbroadcast(o.where(c!, dy, 0), a!), unbroadcast(o.where(c!, 0, dy), b!)],
  matmul: (dy, [a, b], _, { transA, transB, alpha }) => {
    const da = transA ? o.matmul(b!, dy, { transA: transB, transB: true, alpha }) : o.matmul(dy, b!, { transB: !transB, alpha });
    const db = transB ? o.matmul(dy, a!, { transA: true, transB: transA, alpha }) : o.matmul(a!, dy, { transA: !transA, alpha });
    return [unbroadcast(da, a!), unbroadcast(db, b!)];
  },
  reduceSum: (dy, [x], _, { axes }) => [o.expandLike(o.reshape(dy, ...x!.shape.map((d, i) => (axes.includes(i) ? 1 : d))), x!)],
  reduceMax: null,
  reshape: (dy, [x]) => [o.reshape(dy, ...x!.shape)],
  transpose: (dy, _, __, { perm }) => [o.transpose(dy, ...perm.map((_p, i) => perm.indexOf(i)))],
  expandLike: (dy, [x]) => [unbroadcast(dy, x!), null],
  zerosLike: () => [null],
  concat: (dy, inputs, _, { axis }) => {
    let start = 0;
    return inputs.map((t) => o.slice(dy, axis, start, (start += t.shape[axis] as number)));
  },
  slice: (dy, [x], _, { axis, start, end }) => [o.pad(dy, axis, start, (x!.shape[axis] as number) - end)],
  pad: (dy, [x], _, { axis, before }) => [o.slice(dy, axis, before, before + (x!.shape[axis] as number))],
  gather: (dy, [table, indices]) => [o.scatterAdd(o.zerosLike(table!), indices!, dy), null],
  scatterAdd: (dy, [, indices]) => [dy, null, o.gather(dy, indices!)],
  addAt: (dy) => [dy, null],
  softmax: (dy, _, [y]) => {
    const weighted = o.mul(dy, y!);
    return [o.sub(weighted, o.mul(y!, o.reduceSum(weighted, lastAxis(y!), true)))];
  },
  layerNorm: (dy, [x, scale], [, mean, inverse]) => {
    const hat = o.mul(o.sub(x!, mean!), inverse!);
    const g = o.mul(dy, scale!);
    const dx = o.mul(o.sub(o.sub(g, lastMean(g)), o.mul(hat, lastMean(o.mul(g, hat)))), inverse!);
    return [dx, o.reduceSum(o.mul(dy, hat), leadAxes(x!)), o.reduceSum(dy, leadAxes(x!))];
  },
  rmsNorm: (dy, [x, scale], [, inverse]) => {
    const hat = o.mul(x!, inverse!);
    const g = o.mul(dy, scale!);
    return [o.mul(o.sub(g, o.mul(hat, lastMean(o.mul(g, hat)))), inverse!), o.reduceSum(o.mul(dy, hat), leadAxes(x!))];
  },
  /** A rotation's transpose is the rotation back. */
  rotary: (dy, [, positions, cos, sin], _, { interleaved }) => [o.rotary(dy, positions!, cos!, o.neg(sin!), interleaved), null, null, null],
  crossEntropy: (dy, [, targets], [, probabilities]) => [o.mul(o.addAt(probabilities!, targets!, -1), o.reshape(dy, dy.shape[0]!, 1)), null],
};
