/** A base whose weights are in pytorch_model.bin opens, gives the logits of its safetensors twin, and has an identity of its own. */
import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CpuDevice } from '../../src/engine/index.ts';
import { openModel } from '../../src/inference/open-model.ts';
import { identify } from '../../src/inference/source.ts';
import { Network } from '../../src/models/network.ts';
import { uploadWeights } from '../../src/models/weights.ts';
import { assertRefuses } from '../formats/support.ts';
import { Scratch } from '../train/tiny-base.ts';

const fixtures = join(import.meta.dirname, '../fixtures');
const scratch = new Scratch();
const device = new CpuDevice({ threads: 1 });
after(async () => {
  await device.release();
  scratch[Symbol.dispose]();
});

function folderWith(name: string, ...weights: string[]): string {
  const folder = scratch.join(name);
  mkdirSync(folder);
  copyFileSync(join(fixtures, 'tokenizer/tiny.json'), join(folder, 'tokenizer.json'));
  for (const file of ['config.json', ...weights]) copyFileSync(join(fixtures, 'pytorch/neox', file), join(folder, file));
  return folder;
}

async function logits(path: string): Promise<Float32Array> {
  const model = await openModel(path);
  const network = new Network(model.architecture, { device, weights: uploadWeights(model.weights(), device) });
  const ids = Int32Array.from([1, 40, 300, 7, 7, 443]);
  return network.extend([{ cache: network.cache(ids.length), ids }]);
}

test('the logits of both formats are the same to the bit', async () => {
  const pickled = await logits(folderWith('pickled', 'pytorch_model.bin'));
  const twin = await logits(folderWith('twin', 'model.safetensors'));
  assert.ok(pickled.some((value) => Math.abs(value) > 0.01) && pickled.every(Number.isFinite));
  assert.deepEqual(pickled, twin);
});

test('beside safetensors a pickle is not looked at, and does not change the identity', async () => {
  const both = folderWith('both', 'model.safetensors');
  const before = await identify(both);
  writeFileSync(join(both, 'pytorch_model.bin'), 'not even a pickle');
  assert.equal((await openModel(both)).weights().get('embed_out.weight')!.shape[1], 8);
  assert.equal((await identify(both)).hash, before.hash);
});

test('without safetensors the pickle is part of the identity', async () => {
  const folder = folderWith('identity', 'pytorch_model.bin');
  const before = await identify(folder);
  appendFileSync(join(folder, 'pytorch_model.bin'), 'x');
  const after = await identify(folder);
  assert.notEqual(after.hash, before.hash);
  assert.equal(after.bytes, before.bytes + 1);
});

test('a folder without weights is refused with the names that are looked for', async () => {
  const folder = folderWith('none', 'pytorch_model.bin');
  renameSync(join(folder, 'pytorch_model.bin'), join(folder, 'weights.bin'));
  const model = await openModel(folder);
  assertRefuses(() => model.weights(), /expected weights in model\.safetensors or pytorch_model\.bin, or an index of their shards, found none of them/);
});
