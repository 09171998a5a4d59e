/**
 * Memory in which the value, gradient and moments of parameters lie together, so that one pass can read and write all four
 * in place. ONNX Runtime reads and writes the same bytes.
 */
import type { CpuArray } from '../runtime/cpu.ts';
import { kernelOver, type Kernel } from './kernel.ts';

const PAGE = 65536;
/** WebAssembly addresses 4 GiB; larger groups of parameters get slabs of their own. */
const LIMIT = 2 ** 31;
const ALIGN = 64;

export interface Placed {
  readonly kernel: Kernel;
  /** Bytes of one of the four arrays, and where each begins. */
  readonly bytes: number;
  readonly value: number;
  readonly gradient: number;
  readonly m: number;
  readonly v: number;
  readonly moments: { readonly m: Float32Array<ArrayBuffer>; readonly v: Float32Array<ArrayBuffer> };
}

const padded = (array: CpuArray) => Math.ceil((4 * array.data.length) / ALIGN) * ALIGN;

/** Whether four arrays of this size fit into a slab. */
export const fitsSlab = (value: CpuArray): boolean => 4 * padded(value) <= LIMIT;

/** Moves values and gradients into slabs, a place for each pair in order. */
export function place(pairs: readonly { readonly value: CpuArray; readonly gradient: CpuArray }[]): Placed[] {
  const groups: (typeof pairs)[number][][] = [];
  let room = 0;
  for (const pair of pairs) {
    const bytes = 4 * padded(pair.value);
    if (groups.length === 0 || bytes > room) {
      groups.push([]);
      room = LIMIT;
    }
    groups.at(-1)!.push(pair);
    room -= bytes;
  }
  return groups.flatMap((group) => {
    const total = group.reduce((n, { value }) => n + 4 * padded(value), 0);
    const memory = new WebAssembly.Memory({ initial: Math.ceil(total / PAGE) });
    const kernel = kernelOver(memory);
    let at = 0;
    return group.map(({ value, gradient }) => {
      const bytes = padded(value);
      const length = value.data.length;
      const take = () => new Float32Array(memory.buffer, (at += bytes) - bytes, length);
      const [v0, g0, m, v] = [take(), take(), take(), take()];
      value.moveTo(v0);
      gradient.moveTo(g0);
      return { kernel, bytes, value: v0.byteOffset, gradient: g0.byteOffset, m: m.byteOffset, v: v.byteOffset, moments: { m, v } };
    });
  });
}
