/** What every measurement here reports beside its figure: the machine, the commit, and the runtime's own rate at this moment. */
import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { f32, ops, trace, type Device } from '../src/engine/index.ts';

/** The middle value, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

/** GFLOP/s of a 2048-cubed fp32 product on a device. */
export async function productRate(device: Device): Promise<number> {
  const n = 2048;
  const product = await device.compile(trace({ a: f32(n, n), b: f32(n, n) }, ({ a, b }) => ({ y: ops.matmul(a!, b!) })));
  const a = device.upload(new Float32Array(n * n).fill(0.5), [n, n]);
  const y = device.zeros('f32', [n, n]);
  const times: number[] = [];
  for (let i = 0; i < 8; i++) {
    const start = performance.now();
    await product.run({ a, b: a }, { y });
    if (i > 0) times.push(performance.now() - start);
  }
  return (2 * n ** 3) / median(times) / 1e6;
}

export function machine(): Record<string, string | number> {
  let commit = 'unknown';
  try {
    commit = execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    // A tarball has no commit.
  }
  return { commit, cpu: cpus()[0]!.model, cores: cpus().length, memory_gb: Math.round(totalmem() / 1e9), node: process.version };
}
