/** One case table for every primitive: ONNX Runtime, gradients and devices are all held against the reference with it. */
import { constant, f32, i32, trace, ops, type Graph, type Spec, type Tensors, type Value } from '../../src/engine/index.ts';

export interface Case {
  readonly name: string;
  readonly primitive: string;
  readonly specs: Readonly<Record<string, Spec>>;
  readonly fn: (x: Tensors) => Tensors;
  /** Sizes of symbols. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Inputs that must be positive, e.g. under a logarithm. */
  readonly positive?: readonly string[];
  /** Upper bound (exclusive) of integer inputs. */
  readonly below?: Readonly<Record<string, number>>;
  /** Inputs to differentiate; [] where there is no gradient. */
  readonly wrt: readonly string[];
}

const one = (primitive: string, fn: (x: Tensors) => Tensors, specs: Record<string, Spec>, more: Partial<Case> = {}): Case => ({
  name: more.name ?? primitive, primitive, specs, fn, wrt: Object.keys(specs).filter((k) => specs[k]!.dtype === 'f32'), sizes: { T: 5 }, ...more,
});
const unary = (primitive: keyof typeof ops, more: Partial<Case> = {}) =>
  one(primitive, ({ x }) => ({ y: (ops[primitive] as (t: unknown) => never)(x) }), { x: f32('T', 4) }, more);
const binary = (primitive: keyof typeof ops, more: Partial<Case> = {}) => [
  one(primitive, ({ a, b }) => ({ y: (ops[primitive] as (t: unknown, u: unknown) => never)(a, b) }), { a: f32('T', 4), b: f32('T', 4) }, more),
  one(primitive, ({ a, b }) => ({ y: (ops[primitive] as (t: unknown, u: unknown) => never)(a, b) }), { a: f32(3, 1, 4), b: f32('T', 1) }, { ...more, name: `${primitive} broadcast` }),
];
const matmuls = ['NN', 'NT', 'TN', 'TT'].map((kind) => {
  const transA = kind[0] === 'T';
  const transB = kind[1] === 'T';
  return one('matmul', ({ a, b }) => ({ y: ops.matmul(a!, b!, { transA, transB, alpha: 0.5 }) }),
    { a: transA ? f32(3, 'T') : f32('T', 3), b: transB ? f32(6, 3) : f32(3, 6) }, { name: `matmul ${kind}` });
});

export const CASES: readonly Case[] = [
  ...binary('add'), ...binary('sub'), ...binary('mul'), ...binary('div', { positive: ['b'] }),
  one('add', ({ x, w, b }) => ({ y: ops.add(ops.matmul(x!, w!, { transB: true }), b!) }), { x: f32('T', 3), w: f32(4, 3), b: f32(4) }, { name: 'add joined to a product' }),
  one('add', ({ x, w, acc }) => ({ y: ops.add(acc!, ops.matmul(x!, w!, { transA: true })) }), { x: f32('T', 3), w: f32('T', 4), acc: f32(3, 4) }, { name: 'add accumulating a product' }),
  unary('neg'), unary('exp'), unary('log', { positive: ['x'] }), unary('sqrt', { positive: ['x'] }), unary('tanh'), unary('erf'), unary('sigmoid'), unary('silu'),
  one('gelu', ({ x }) => ({ y: ops.gelu(x!, 'erf') }), { x: f32('T', 4) }, { name: 'gelu erf' }),
  one('gelu', ({ x }) => ({ y: ops.gelu(x!, 'tanh') }), { x: f32('T', 4) }, { name: 'gelu tanh' }),
  unary('stopGradient', { wrt: [] }),
  one('equal', ({ a, b }) => ({ y: ops.where(ops.equal(a!, b!), 1, 0) }), { a: i32('T', 1), b: i32(1, 'T') }, { below: { a: 3, b: 3 } }),
  one('greaterOrEqual', ({ a, b }) => ({ y: ops.where(ops.greaterOrEqual(a!, b!), 1, 0) }), { a: i32('T', 1), b: i32(1, 'T') }, { below: { a: 3, b: 3 } }),
  one('and', ({ a, b }) => ({ y: ops.where(ops.and(ops.equal(a!, b!), ops.greaterOrEqual(a!, b!)), 1, 0) }), { a: i32('T', 1), b: i32(1, 'T') }, { below: { a: 3, b: 3 } }),
  one('where', ({ c, a, b }) => ({ y: ops.where(ops.equal(c!, constant([0], [], 'i32')), a!, b!) }), { c: i32('T', 1), a: f32('T', 4), b: f32(4) }, { below: { c: 2 } }),
  ...matmuls,
  one('matmul', ({ a, b }) => ({ y: ops.matmul(a!, b!, { transB: true, alpha: 2 }) }), { a: f32(2, 3, 'T', 4), b: f32(2, 1, 'U', 4) }, { name: 'matmul batched, broadcast', sizes: { T: 5, U: 6 } }),
  one('reduceSum', ({ x }) => ({ y: ops.reduceSum(x!, [0]) }), { x: f32('T', 4) }, { name: 'reduceSum rows' }),
  one('reduceSum', ({ x }) => ({ y: ops.reduceSum(x!, [0, 2], true) }), { x: f32('T', 3, 4) }, { name: 'reduceSum kept' }),
  one('reduceMax', ({ x }) => ({ y: ops.reduceMax(x!, [1], true) }), { x: f32('T', 4) }, { wrt: [] }),
  one('reshape', ({ x }) => ({ y: ops.reshape(x!, 'T', 2, 3) }), { x: f32('T', 6) }),
  one('transpose', ({ x }) => ({ y: ops.transpose(x!, 1, 2, 0) }), { x: f32('T', 2, 3) }),
  one('expandLike', ({ x, z }) => ({ y: ops.expandLike(x!, z!) }), { x: f32(1, 4), z: f32('T', 4) }, { wrt: ['x'] }),
  one('zerosLike', ({ x }) => ({ y: ops.zerosLike(x!) }), { x: f32('T', 4) }, { wrt: [] }),
  one('concat', ({ a, b }) => ({ y: ops.concat([a!, b!, a!], 1) }), { a: f32('T', 2), b: f32('T', 3) }),
  one('slice', ({ x }) => ({ y: ops.slice(x!, 1, 1, 3) }), { x: f32('T', 4) }),
  one('pad', ({ x }) => ({ y: ops.pad(x!, 1, 2, 1) }), { x: f32('T', 4) }),
  one('gather', ({ table, i }) => ({ y: ops.gather(table!, i!) }), { table: f32(6, 4), i: i32('T') }, { below: { i: 3 } }),
  one('scatterAdd', ({ base, i, u }) => ({ y: ops.scatterAdd(base!, i!, u!) }), { base: f32(6, 4), i: i32('T'), u: f32('T', 4) }, { below: { i: 3 } }),
  one('addAt', ({ x, i }) => ({ y: ops.addAt(x!, i!, -1) }), { x: f32('T', 4), i: i32('T') }, { below: { i: 4 } }),
  unary('softmax'),
  one('layerNorm', ({ x, s, b }) => ({ y: ops.layerNorm(x!, s!, b!, 1e-5)[0] }), { x: f32('T', 8), s: f32(8), b: f32(8) }),
  one('rmsNorm', ({ x, s }) => ({ y: ops.rmsNorm(x!, s!, 1e-5)[0] }), { x: f32('T', 8), s: f32(8) }),
  one('rmsNorm', ({ x, s }) => ({ y: ops.rmsNorm(x!, s!, 1e-6)[0] }), { x: f32('T', 2, 8), s: f32(8) }, { name: 'rmsNorm of heads' }),
  ...[false, true].flatMap((interleaved) => [4, 2].map((half) =>
    one('rotary', ({ x, p, c, s }) => ({ y: ops.rotary(x!, p!, c!, s!, interleaved) }), { x: f32('T', 2, 8), p: i32('T'), c: f32(3, half), s: f32(3, half) },
      { name: `rotary ${interleaved ? 'pairs' : 'halves'} ${2 * half} of 8`, below: { p: 3 }, wrt: ['x'] }))),
  one('crossEntropy', ({ x, i }) => ({ y: ops.crossEntropy(x!, i!)[0] }), { x: f32('T', 7), i: i32('T') }, { below: { i: 7 } }),
];

/** Mulberry32: a small seeded generator, so that every run of a test sees the same numbers. */
export function random(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function graphOf(c: Case): Graph {
  return trace(c.specs, c.fn);
}

export function inputsOf(c: Case, seed = 1): Record<string, Value> {
  const next = random(seed);
  return Object.fromEntries(Object.entries(c.specs).map(([name, spec]) => {
    const shape = spec.shape.map((d) => (typeof d === 'number' ? d : c.sizes![d]!));
    const data = new Float64Array(shape.reduce((a, b) => a * b, 1)).map(() => {
      if (spec.dtype !== 'f32') return Math.floor(next() * (c.below?.[name] ?? 2));
      return c.positive?.includes(name) ? 0.5 + next() : Math.fround(2 * next() - 1);
    });
    return [name, { shape, data: spec.dtype === 'f32' ? data.map(Math.fround) : data }];
  }));
}
