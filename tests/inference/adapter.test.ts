/** An adapter that PEFT published, without anything of ours beside it: opened in both formats, with PEFT's logits, or refused by name. */
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CpuDevice } from '../../src/engine/index.ts';
import { openSafetensors, writeSafetensors } from '../../src/formats/safetensors.ts';
import { openModel } from '../../src/inference/open-model.ts';
import { identify } from '../../src/inference/source.ts';
import { Network } from '../../src/models/network.ts';
import { uploadWeights } from '../../src/models/weights.ts';
import { Scratch } from '../train/tiny-base.ts';

const fixtures = join(import.meta.dirname, '../fixtures');
const published = join(fixtures, 'pytorch/neox-adapter');
const expected = JSON.parse(readFileSync(join(published, 'expected.json'), 'utf8')) as { ids: number[]; last_logits: number[] };
const scratch = new Scratch();
const device = new CpuDevice({ threads: 1 });
after(async () => {
  await device.release();
  scratch[Symbol.dispose]();
});

const base = scratch.join('base');
mkdirSync(base);
copyFileSync(join(fixtures, 'tokenizer/tiny.json'), join(base, 'tokenizer.json'));
writeFileSync(join(base, 'tokenizer_config.json'), JSON.stringify({ eos_token: '<|im_end|>', chat_template: "{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}" }));
for (const file of ['config.json', 'model.safetensors']) copyFileSync(join(fixtures, 'pytorch/neox', file), join(base, file));

function adapterWith(name: string, change: (settings: Record<string, unknown>) => void = () => {}, weights = 'adapter_model.bin'): string {
  const folder = scratch.join(name);
  mkdirSync(folder);
  copyFileSync(join(published, weights), join(folder, weights));
  const settings = JSON.parse(readFileSync(join(published, 'adapter_config.json'), 'utf8')) as Record<string, unknown>;
  change(settings);
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(settings));
  return folder;
}

async function logits(path: string, given?: string): Promise<Float32Array> {
  const model = await openModel(path, { base: given });
  assert.equal(model.kind, 'adapter');
  assert.equal(model.template.name, 'chat');
  const network = new Network(model.architecture, { device, weights: uploadWeights(model.weights(), device), lora: model.lora! });
  return network.extend([{ cache: network.cache(expected.ids.length), ids: Int32Array.from(expected.ids) }]);
}

const distance = (a: ArrayLike<number>, b: readonly number[]) => Math.max(...b.map((x, i) => Math.abs(x - a[i]!)));

test("has PEFT's logits, from adapter_model.bin and from safetensors, its base given or stated", async () => {
  const pickled = await logits(adapterWith('pickled'), base);
  assert.ok(distance(pickled, expected.last_logits) < 1e-5, String(distance(pickled, expected.last_logits)));
  const stated = adapterWith('stated', (settings) => (settings['base_model_name_or_path'] = base), 'adapter_model.safetensors');
  assert.deepEqual(await logits(stated), pickled);
  const plain = await openModel(base);
  const network = new Network(plain.architecture, { device, weights: uploadWeights(plain.weights(), device) });
  const without = await network.extend([{ cache: network.cache(expected.ids.length), ids: Int32Array.from(expected.ids) }]);
  assert.ok(distance(without, expected.last_logits) > 0.01, 'the adapter changes something');
});

test('has an identity of its own in either format', async () => {
  const [a, b] = [await identify(adapterWith('identity')), await identify(adapterWith('identity-twin', () => {}, 'adapter_model.safetensors'))];
  assert.notEqual(a.hash, b.hash);
  writeFileSync(scratch.join('identity', 'adapter_model.bin'), 'other');
  assert.notEqual((await identify(scratch.join('identity'))).hash, a.hash);
});

test('is refused where its base is not at hand, naming what it states', async () => {
  await assert.rejects(openModel(adapterWith('homeless')), /expected the base of an adapter that was made elsewhere, found nothing at "owner\/neox"\. Name it with --base/);
});

test('is refused where it would compute something else than PEFT does', async () => {
  const refused: [string, unknown, RegExp][] = [
    ['init_lora_weights', 'pissa_niter_4', /init_lora_weights to be a way to begin that leaves the base as it is, found "pissa_niter_4"/],
    ['alora_invocation_tokens', [1, 2], /alora_invocation_tokens to be absent/],
    ['use_bdlora', { nblocks: 2 }, /use_bdlora to be absent/],
    ['use_dora', true, /use_dora to be absent/],
    ['target_modules', '.*dense', /target_modules to be a list/],
  ];
  for (const [field, value, message] of refused) {
    await assert.rejects(openModel(adapterWith(`refused-${field}`, (settings) => (settings[field] = value)), { base }), message);
  }
});

test('is refused where its file has more than the adapter, or its tokenizer more ids than the base has rows', async () => {
  const more = adapterWith('more', () => {}, 'adapter_model.safetensors');
  const reader = openSafetensors(join(published, 'adapter_model.safetensors'));
  const tensors = [...reader.tensors.values()].map(({ name, shape }) => {
    const data = new Float32Array(shape.reduce((x, y) => x * y, 1));
    reader.readFloat32(name, data);
    return { name, dtype: 'F32' as const, shape, data: () => data };
  });
  reader.close();
  await writeSafetensors(join(more, 'adapter_model.safetensors'), [...tensors, { name: 'base_model.model.embed_out.weight', dtype: 'F32', shape: [2], data: () => new Float32Array(2) }]);
  const opened = await openModel(more, { base });
  assert.throws(() => opened.weights(), /expected only what its adapter_config.json speaks of, found "base_model.model.embed_out.weight"/);

  const large = adapterWith('large');
  cpSync(join(base, 'tokenizer.json'), join(large, 'tokenizer.json'));
  const tokenizer = JSON.parse(readFileSync(join(large, 'tokenizer.json'), 'utf8')) as { added_tokens: object[] };
  for (let id = 444; id < 450; id++) tokenizer.added_tokens.push({ id, content: `<|x${id}|>`, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true });
  writeFileSync(join(large, 'tokenizer.json'), JSON.stringify(tokenizer));
  await assert.rejects(openModel(large, { base }), /expected a tokenizer of at most 448 ids, as the embedding has rows, found 450/);
});
