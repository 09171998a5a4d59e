/** Stops a run that no longer trains: loss or norm not finite, weights that do not move, a loss that stands still. */
import type { Device } from '../engine/index.ts';
import { InputError } from '../errors.ts';
import type { Trained } from '../models/network.ts';
import type { Example } from '../tokenizer/example.ts';

const STANDSTILL = 20;
/** Elements of each parameter that are compared before and after an update. */
const SAMPLE = 1024;

export class Guard {
  readonly #device: Device;
  readonly #trained: readonly Trained[];
  #last: number | undefined;
  #equal = 0;

  constructor(device: Device, trained: readonly Trained[]) {
    this.#device = device;
    this.#trained = trained;
  }

  #stop(expected: string, found: string, rows: readonly Example[], step: number): never {
    throw new InputError({
      expected, found, where: `update ${step}, records of lines ${rows.map((r) => r.line).join(', ')}`,
      remedy: 'Look at these records; if they are sound, lower --lr. Nothing after the last checkpoint was kept.',
    });
  }

  /** Before the update: the loss and its gradients. */
  checkLoss(loss: number, rows: readonly Example[], step: number): void {
    if (!Number.isFinite(loss)) this.#stop('a finite loss', String(loss), rows, step);
    this.#equal = loss === this.#last ? this.#equal + 1 : 1;
    this.#last = loss;
    if (this.#equal >= STANDSTILL) this.#stop(`a loss that changes within ${STANDSTILL} updates`, `${loss} ${STANDSTILL} times`, rows, step);
  }

  async #samples(): Promise<Float32Array[]> {
    if (!this.#device.views) return [];
    const copies: Float32Array[] = [];
    for (const { value } of this.#trained) copies.push(((await this.#device.read(value)) as Float32Array).slice(0, SAMPLE));
    return copies;
  }

  /** Runs the update and sees that it moved something. */
  async watch(rate: number, rows: readonly Example[], step: number, update: () => Promise<number>): Promise<number> {
    const before = await this.#samples();
    const norm = await update();
    if (!Number.isFinite(norm)) this.#stop('a finite gradient norm', String(norm), rows, step);
    const after = await this.#samples();
    const moved = before.length === 0 || after.some((values, i) => values.some((v, j) => v !== before[i]![j]));
    if (rate > 0 && !moved) this.#stop('trained weights that change', `the same weights after an update with a learning rate of ${rate}`, rows, step);
    return norm;
  }
}
