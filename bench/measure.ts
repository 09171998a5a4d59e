/** What every measurement here reports beside its figure: the machine, the commit, and the runtime's own rate at this moment. */
import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { Random } from '../src/artefacts/random.ts';
import { f32, ops, trace, type Device } from '../src/engine/index.ts';

/** The middle value, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

/** GFLOP/s of 2048-cubed fp32 products on a device, sampled when asked, so that it can be done between the steps of what it is compared with. */
export class ProductRate {
  readonly #run: () => Promise<void>;
  readonly #times: number[] = [];

  private constructor(run: () => Promise<void>) {
    this.#run = run;
  }

  static async on(device: Device): Promise<ProductRate> {
    const product = await device.compile(trace({ a: f32(SIDE, SIDE), b: f32(SIDE, SIDE) }, ({ a, b }) => ({ y: ops.matmul(a!, b!) })));
    const random = new Random(1);
    const matrix = () => device.upload(Float32Array.from({ length: SIDE * SIDE }, () => random.next() - 0.5), [SIDE, SIDE]);
    const [a, b, y] = [matrix(), matrix(), device.zeros('f32', [SIDE, SIDE])];
    const run = () => product.run({ a, b }, { y });
    await run();
    return new ProductRate(run);
  }

  async sample(): Promise<void> {
    // The first finds the caches full of something else.
    await this.#run();
    const start = performance.now();
    await this.#run();
    this.#times.push(performance.now() - start);
  }

  /** The median of the samples. */
  get gflops(): number {
    return (2 * SIDE ** 3) / median(this.#times) / 1e6;
  }
}

const SIDE = 2048;

export function machine(): Record<string, string | number> {
  let commit = 'unknown';
  try {
    commit = execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    // A tarball has no commit.
  }
  return { commit, cpu: cpus()[0]!.model, cores: cpus().length, memory_gb: Math.round(totalmem() / 1e9), node: process.version };
}
