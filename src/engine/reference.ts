/**
 * Every primitive as plain loops in double precision: the definition of right. Never optimised; tests hold ONNX Runtime
 * and the gradient table against it. Booleans are 0 and 1.
 */
import { EngineError } from './errors.ts';
import { topological, type Graph, type Tensor } from './graph.ts';
import type { ParamsOf, Primitive } from './primitives.ts';
import { bind, size } from './shape.ts';

export interface Value {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

type Kernel<P extends Primitive> = (inputs: readonly Value[], params: ParamsOf<P>) => Value[];

const make = (shape: readonly number[], at: (index: number[], flat: number) => number): Value => {
  const data = new Float64Array(size(shape));
  const index = shape.map(() => 0);
  for (let flat = 0; flat < data.length; flat++) {
    data[flat] = at(index, flat);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return { shape, data };
};

/** The element at an index of a larger shape, aligned at the last axis, axes of size 1 repeating. */
function read(v: Value, index: readonly number[]): number {
  const lead = index.length - v.shape.length;
  let flat = 0;
  v.shape.forEach((n, axis) => (flat = flat * n + (n === 1 ? 0 : index[axis + lead]!)));
  return v.data[flat]!;
}

function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    return x === 1 ? y : x;
  });
}

const map = (f: (x: number) => number) => ([x]: readonly Value[]): Value[] => [{ shape: x!.shape, data: x!.data.map(f) }];
const zip = (f: (a: number, b: number) => number) => ([a, b]: readonly Value[]): Value[] => [
  make(broadcastShape(a!.shape, b!.shape), (i) => f(read(a!, i), read(b!, i))),
];

/** Error function by its series below 3 and its continued fraction above: full double precision, Abramowitz & Stegun 7.1.5 and 7.1.14. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) sum += (term *= -(a * a) / n) / (2 * n + 1);
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / ((a + fraction) * Math.sqrt(Math.PI)));
}

const reduce = (start: number, f: (acc: number, x: number) => number) => ([x]: readonly Value[], { axes, keep }: ParamsOf<'reduceSum'>): Value[] => {
  const kept = x!.shape.map((n, i) => (axes.includes(i) ? 1 : n));
  const out = make(kept, () => start);
  make(x!.shape, (index, flat) => {
    let at = 0;
    kept.forEach((n, axis) => (at = at * n + (n === 1 ? 0 : index[axis]!)));
    return (out.data[at] = f(out.data[at]!, x!.data[flat]!));
  });
  return [{ shape: keep ? kept : x!.shape.filter((_, i) => !axes.includes(i)), data: out.data }];
};

/** Applies `f` to each run along the last axis. */
function rows(x: Value, f: (row: Float64Array, i: number) => void): void {
  const d = x.shape.at(-1)!;
  for (let i = 0; i * d < x.data.length; i++) f(x.data.subarray(i * d, (i + 1) * d), i);
}

const softmax: Kernel<'softmax'> = ([x]) => {
  const y = { shape: x!.shape, data: x!.data.slice() };
  rows(y, (row) => {
    const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const total = row.reduce((a, b) => a + Math.exp(b - top), 0);
    row.forEach((v, j) => (row[j] = Math.exp(v - top) / total));
  });
  return [y];
};

const mean = (row: Float64Array) => row.reduce((a, b) => a + b, 0) / row.length;

export const REFERENCE: { readonly [P in Primitive]: Kernel<P> } = {
  add: zip((a, b) => a + b), sub: zip((a, b) => a - b), mul: zip((a, b) => a * b), div: zip((a, b) => a / b),
  neg: map((x) => -x), exp: map(Math.exp), log: map(Math.log), sqrt: map(Math.sqrt), tanh: map(Math.tanh), erf: map(erf),
  sigmoid: map((x) => 1 / (1 + Math.exp(-x))),
  silu: map((x) => x / (1 + Math.exp(-x))),
  gelu: ([x], { form }) =>
    form === 'erf'
      ? map((v) => (v / 2) * (1 + erf(v * Math.SQRT1_2)))([x!])
      : map((v) => (v / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))))([x!]),
  stopGradient: ([x]) => [x!],
  equal: zip((a, b) => Number(a === b)),
  greaterOrEqual: zip((a, b) => Number(a >= b)),
  and: zip((a, b) => Number(a !== 0 && b !== 0)),
  where: ([c, a, b]) => [
    make(broadcastShape(c!.shape, broadcastShape(a!.shape, b!.shape)), (i) => (read(c!, i) ? read(a!, i) : read(b!, i))),
  ],
  matmul: ([a, b], { transA, transB, alpha }) => {
    const lead = broadcastShape(a!.shape.slice(0, -2), b!.shape.slice(0, -2));
    const m = a!.shape.at(transA ? -1 : -2)!;
    const inner = a!.shape.at(transA ? -2 : -1)!;
    const n = b!.shape.at(transB ? -2 : -1)!;
    return [
      make([...lead, m, n], (index) => {
        const [i, j, batch] = [index.at(-2)!, index.at(-1)!, index.slice(0, -2)];
        let sum = 0;
        for (let k = 0; k < inner; k++) {
          sum += read(a!, [...batch, ...(transA ? [k, i] : [i, k])]) * read(b!, [...batch, ...(transB ? [j, k] : [k, j])]);
        }
        return alpha * sum;
      }),
    ];
  },
  reduceSum: reduce(0, (a, b) => a + b),
  reduceMax: reduce(-Infinity, Math.max),
  reshape: ([x], { shape }) => {
    const known = shape.reduce<number>((n, d) => (typeof d === 'number' ? n * d : n), 1);
    return [{ shape: shape.map((d) => (typeof d === 'number' ? d : x!.data.length / known)), data: x!.data }];
  },
  transpose: ([x], { perm }) => [make(perm.map((p) => x!.shape[p]!), (index) => read(x!, perm.map((_, i) => index[perm.indexOf(i)]!)))],
  expandLike: ([x, y]) => [make(y!.shape, (i) => read(x!, i))],
  zerosLike: ([x]) => [make(x!.shape, () => 0)],
  concat: (inputs, { axis }) => {
    const total = inputs.reduce((n, v) => n + v.shape[axis]!, 0);
    return [
      make(inputs[0]!.shape.map((n, i) => (i === axis ? total : n)), (index) => {
        let at = index[axis]!;
        const part = inputs.find((v) => at < v.shape[axis]! || ((at -= v.shape[axis]!), false))!;
        return read(part, index.map((n, i) => (i === axis ? at : n)));
      }),
    ];
  },
  slice: ([x], { axis, start, end }) => [
    make(x!.shape.map((n, i) => (i === axis ? end - start : n)), (index) => read(x!, index.map((n, i) => (i === axis ? n + start : n)))),
  ],
  pad: ([x], { axis, before, after }) => [
    make(x!.shape.map((n, i) => (i === axis ? n + before + after : n)), (index) => {
      const at = index[axis]! - before;
      return at < 0 || at >= x!.shape[axis]! ? 0 : read(x!, index.map((n, i) => (i === axis ? at : n)));
    }),
  ],
  gather: ([table, indices]) => [make([indices!.data.length, ...table!.shape.slice(1)], ([i, ...rest]) => read(table!, [indices!.data[i!]!, ...rest]))],
  scatterAdd: ([base, indices, updates]) => {
    const out = { shape: base!.shape, data: base!.data.slice() };
    const width = size(base!.shape.slice(1));
    updates!.data.forEach((v, flat) => (out.data[indices!.data[Math.floor(flat / width)]! * width + (flat % width)]! += v));
    return [out];
  },
  addAt: ([x, indices], { value }) => [make(x!.shape, (index, flat) => x!.data[flat]! + (indices!.data[index[0]!] === index[1] ? value : 0))],
  softmax,
  layerNorm: ([x, scale, bias], { epsilon }) => {
    const y = { shape: x!.shape, data: x!.data.slice() };
    const stats = [...x!.shape.slice(0, -1), 1];
    const means = new Float64Array(size(stats));
    const inverses = new Float64Array(size(stats));
    rows(y, (row, i) => {
      const m = (means[i] = mean(row));
      const r = (inverses[i] = 1 / Math.sqrt(mean(row.map((v) => (v - m) ** 2)) + epsilon));
      row.forEach((v, j) => (row[j] = (v - m) * r * scale!.data[j]! + bias!.data[j]!));
    });
    return [y, { shape: stats, data: means }, { shape: stats, data: inverses }];
  },
  rmsNorm: ([x, scale], { epsilon }) => {
    const y = { shape: x!.shape, data: x!.data.slice() };
    const stats = [...x!.shape.slice(0, -1), 1];
    const inverses = new Float64Array(size(stats));
    rows(y, (row, i) => {
      const r = (inverses[i] = 1 / Math.sqrt(mean(row.map((v) => v * v)) + epsilon));
      row.forEach((v, j) => (row[j] = v * r * scale!.data[j]!));
    });
    return [y, { shape: stats, data: inverses }];
  },
  rotary: ([x, positions, cos, sin], { interleaved }) => {
    const half = cos!.shape[1]!;
    return [
      make(x!.shape, ([t, h, d]) => {
        if (d! >= 2 * half) return read(x!, [t!, h!, d!]);
        const pair = interleaved ? d! >> 1 : d! % half;
        const first = interleaved ? d! % 2 === 0 : d! < half;
        const partner = interleaved ? d! ^ 1 : (d! + half) % (2 * half);
        const p = positions!.data[t!]!;
        return read(x!, [t!, h!, d!]) * read(cos!, [p, pair]) + (first ? -1 : 1) * read(x!, [t!, h!, partner]) * read(sin!, [p, pair]);
      }),
    ];
  },
  crossEntropy: ([logits, targets]) => {
    const [probabilities] = softmax([logits!], {});
    const loss = new Float64Array(targets!.data.length);
    rows(logits!, (row, i) => {
      const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
      loss[i] = top + Math.log(row.reduce((a, b) => a + Math.exp(b - top), 0)) - row[targets!.data[i]!]!;
    });
    return [{ shape: [loss.length], data: loss }, probabilities!];
  },
};

/** Runs a graph through the reference kernels. */
export function evaluate(graph: Graph, inputs: Readonly<Record<string, Value>>): Record<string, Value> {
  const values = new Map<Tensor, Value>();
  for (const [name, t] of Object.entries(graph.inputs)) {
    const value = inputs[name];
    if (!value) throw new EngineError(`no value for the input ${name}`);
    values.set(t, value);
  }
  for (const node of topological(Object.values(graph.outputs))) {
    if (node.op === 'input') continue;
    if (node.op === 'constant') {
      values.set(node.outputs[0]!, { shape: bind(node.outputs[0]!.shape, {}), data: Float64Array.from(node.data) });
      continue;
    }
    const kernel = REFERENCE[node.op] as Kernel<Primitive>;
    kernel(node.inputs.map((t) => values.get(t)!), node.params as ParamsOf<Primitive>).forEach((v, i) => values.set(node.outputs[i]!, v));
  }
  return Object.fromEntries(Object.entries(graph.outputs).map(([name, t]) => [name, values.get(t)!]));
}
