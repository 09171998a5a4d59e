/** Arrays reused from one micro-batch to the next: a name keeps its memory, which grows to the largest rows asked for. */
import type { Device, DeviceArray, DType } from '../engine/index.ts';

export class Workspace {
  readonly #device: Device;
  readonly #reserve: (name: string) => number;
  readonly #arrays = new Map<string, DeviceArray>();

  /** `reserve`: rows that an array gets from the start, so that it need not be made again, and leave a hole in the heap, as batches vary. */
  constructor(device: Device, reserve: (name: string) => number) {
    this.#device = device;
    this.#reserve = device.views ? reserve : () => 0;
  }

  /** An array of `shape`; values are whatever was there. */
  get(name: string, shape: readonly number[], dtype: DType = 'f32'): DeviceArray {
    const known = this.#arrays.get(name);
    const exact = known && known.shape[0] === shape[0];
    if (known && (exact || (this.#device.views && known.shape[0]! > shape[0]!))) return known.rows(0, shape[0]!);
    known?.dispose();
    const rows = Math.max(shape[0]!, this.#reserve(name));
    const made = this.#device.zeros(dtype, [rows, ...shape.slice(1)]);
    this.#arrays.set(name, made);
    return made.rows(0, shape[0]!);
  }
}
