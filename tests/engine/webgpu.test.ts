/** Every primitive on WebGPU against the reference, over whatever adapter there is. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { evaluate, WebGpuDevice } from '../../src/engine/index.ts';
import { CASES, graphOf, inputsOf } from './cases.ts';
import { runOn } from './run.ts';
import { noAdapter } from './webgpu-adapter.ts';

const skip = noAdapter();

describe('primitives on WebGPU', { skip }, () => {
  let device: WebGpuDevice;
  before(async () => {
    device = await WebGpuDevice.create();
  });
  after(() => device.release());

  for (const c of CASES) {
    test(c.name, async () => {
      const inputs = inputsOf(c);
      const expected = evaluate(graphOf(c), inputs)['y']!;
      const actual = (await runOn(device, graphOf(c), inputs))['y']!;
      expected.data.forEach((e, i) => assert.ok(Math.abs(actual.data[i]! - e) <= 1e-4 * (1 + Math.abs(e)), `${i}: ${actual.data[i]} instead of ${e}`));
    });
  }
});
