/** What decoding remembers of a text, so that each new id costs one row of work. */
import type { Device, DeviceArray } from '../engine/index.ts';
import type { Architecture } from './architecture.ts';

/** Keys and values of one text, a pair of arrays a block. */
export class KvCache {
  length = 0;
  readonly capacity: number;
  /** 0, 1, 2, …: positions of the keys. */
  readonly order: DeviceArray;
  /** All one segment. */
  readonly segments: DeviceArray;
  readonly #blocks: readonly { readonly k: DeviceArray; readonly v: DeviceArray }[];

  constructor(device: Device, a: Architecture, capacity: number) {
    this.capacity = capacity;
    this.order = device.upload(Int32Array.from({ length: capacity }, (_, i) => i), [capacity]);
    this.segments = device.zeros('i32', [capacity]);
    const make = () => device.zeros('f32', [capacity, a.kvHeads, a.headDim]);
    this.#blocks = Array.from({ length: a.layers }, () => ({ k: make(), v: make() }));
  }

  /** Puts rows [from, to) of block `layer` and gives all rows up to `to`. */
  async write(layer: number, from: number, to: number, k: DeviceArray, v: DeviceArray): Promise<{ k: DeviceArray; v: DeviceArray }> {
    const block = this.#blocks[layer]!;
    await block.k.rows(from, to).copyFrom(k);
    await block.v.rows(from, to).copyFrom(v);
    return { k: block.k.rows(0, to), v: block.v.rows(0, to) };
  }
}
