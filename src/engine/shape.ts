/**
 * Shapes with symbolic dimensions: `['T', 768]` is "T rows of 768". A symbol stands for one unknown size throughout a
 * graph; equal names are equal sizes. Pure functions on numbers and names, no tensors.
 */
import { EngineError } from './errors.ts';

export type Dim = number | string;
export type Shape = readonly Dim[];

export const show = (shape: Shape): string => `[${shape.join(', ')}]`;
export const isStatic = (shape: Shape): shape is readonly number[] => shape.every((d) => typeof d === 'number');
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

/** Number of elements of a shape without symbols. */
export function size(shape: Shape): number {
  let n = 1;
  for (const d of shape) {
    if (typeof d !== 'number') throw new EngineError(`size of ${show(shape)}: the dimension ${d} is not known yet`);
    n *= d;
  }
  return n;
}

/** NumPy's rule, aligned at the last axis; a symbol broadcasts only with itself and with 1. */
export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new EngineError(`cannot broadcast ${show(a)} with ${show(b)}`);
    out.push(x === 1 ? y : x);
  }
  return out;
}

/** Axes of `to` over which a value of shape `from` was repeated; adding over them undoes a broadcast. */
export function broadcastAxes(from: Shape, to: Shape): number[] {
  const lead = to.length - from.length;
  return to.flatMap((d, i) => (i < lead || (from[i - lead] === 1 && d !== 1) ? [i] : []));
}

/** Whether both shapes hold the same number of elements, whatever the symbols stand for. */
export function sameCount(a: Shape, b: Shape): boolean {
  const key = (s: Shape) => {
    let n = 1;
    const symbols: string[] = [];
    for (const d of s) {
      if (typeof d === 'number') n *= d;
      else symbols.push(d);
    }
    return `${n} ${symbols.toSorted().join(' ')}`;
  };
  return key(a) === key(b);
}

export function reduceShape(shape: Shape, axes: readonly number[], keep: boolean): Shape {
  return shape.flatMap((d, i) => (axes.includes(i) ? (keep ? [1] : []) : [d]));
}

/** Replaces symbols by the sizes given for them. */
export function bind(shape: Shape, sizes: Readonly<Record<string, number>>): number[] {
  return shape.map((d) => {
    const n = typeof d === 'number' ? d : sizes[d];
    if (n === undefined) throw new EngineError(`no size given for the dimension ${d} of ${show(shape)}`);
    return n;
  });
}
