/**
 * The whole stage. With llama.cpp at hand: files that it opens and agrees with, adapters beside their base, an export that fails
 * its bounds and is removed. Without: what is refused before, safetensors, PEFT folders.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CpuDevice } from '../../src/engine/index.ts';
import { InputError, ResourceError, UsageError } from '../../src/errors.ts';
import { exportModel, type ExportOptions } from '../../src/export/export.ts';
import type { ExportManifest } from '../../src/export/record.ts';
import { failureOf, type SelfTest } from '../../src/export/self-test.ts';
import { BOUNDS } from '../../src/export/bounds.ts';
import { microBatch } from '../../src/inference/micro-batches.ts';
import { openModel } from '../../src/inference/open-model.ts';
import { LlamaCpp } from '../../src/llama-cpp/client.ts';
import { locateLlama } from '../../src/llama-cpp/install.ts';
import { Network } from '../../src/models/network.ts';
import { uploadWeights } from '../../src/models/weights.ts';
import { writeGguf } from '../../src/formats/gguf-write.ts';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import { Scratch, writeBase, writeRecords } from '../train/tiny-base.ts';
import { loraRun } from './models.ts';

const needsLlama = { skip: locateLlama() === undefined ? 'needs node-llama-cpp, which npm ci brings' : false, timeout: 120_000 };

async function finish(options: ExportOptions): Promise<ExportManifest> {
  const events = exportModel({ threads: 1, maxNewTokens: 6, ...options });
  for (;;) {
    const next = await events.next();
    if (next.done) return next.value;
  }
}

for (const family of ['gpt_neox', 'llama', 'qwen2', 'qwen3'] as const) {
  test(`${family} at F32: llama.cpp's distributions are ours`, needsLlama, async () => {
    using scratch = new Scratch();
    const base = await writeBase(scratch.join('base'), family);
    const out = scratch.join('x.gguf');
    const manifest = await finish({ model: base, to: 'gguf', type: 'f32', out });
    assert.equal(manifest.self_test!.top1, 1);
    assert.ok(manifest.self_test!.kl < 1e-5, `KL ${manifest.self_test!.kl}`);
    assert.deepEqual(readdirSync(scratch.path).sort(), ['base', 'x.gguf', 'x.gguf.export.json', 'x.gguf.md']);
    assert.deepEqual(JSON.parse(readFileSync(`${out}.export.json`, 'utf8')), JSON.parse(JSON.stringify(manifest)));

    const model = await openModel(base, { asItIs: true });
    const ids = Int32Array.from({ length: 40 }, (_, i) => (i * 37 + 5) % 440);
    const device = new CpuDevice({ threads: 1 });
    const network = new Network(model.architecture, { device, weights: uploadWeights(model.weights(), device) });
    await using llama = await LlamaCpp.open(out, { contextSize: 64, threads: 1 });
    const theirs = await llama.score(Array.from(ids.subarray(0, 39)), 0, 448);
    let [at, worst] = [0, 0];
    for await (const logits of network.logits(microBatch([{ ids, trained: new Uint8Array(40).fill(1) }], device), 16)) {
      for (let row = 0; row < logits.length / 448; row++, at++) {
        const own = logits.subarray(row * 448, (row + 1) * 448);
        const log = Math.log(own.reduce((sum, x) => sum + Math.exp(x), 0));
        own.forEach((x, i) => (worst = Math.max(worst, Math.abs(x - log - theirs[at * 448 + i]!))));
      }
    }
    await device.release();
    assert.equal(at, 39);
    // llama.cpp's GELU is the form by tanh, from a table in F16; the rest is the order of sums.
    assert.ok(worst < (family === 'gpt_neox' ? 5e-3 : 2e-4), `greatest difference ${worst}`);
  });
}

test('a run with added tokens: the file carries them, and its card says what it is', needsLlama, async () => {
  using scratch = new Scratch();
  const out = scratch.join('x.gguf');
  const data = writeRecords(scratch.join('heldout.jsonl'), 6);
  const manifest = await finish({ model: await loraRun(scratch, 'llama', 'dolly'), to: 'gguf', type: 'f16', out, data, limit: 3 });
  assert.equal(manifest.self_test!.greedy.answers, 3);
  assert.deepEqual(manifest.template, { name: 'dolly', hash: manifest.template.hash, stop: '### End' });
  assert.equal(manifest.verdict, 'share-alike');
  const card = readFileSync(`${out}.md`, 'utf8');
  for (const says of [/\| Licence verdict \| share-alike: /, /stop token `### End`/, /merged in single precision/, /\| KL divergence, mean, nats \| \d/]) assert.match(card, says);
});

for (const family of ['gpt_neox', 'llama'] as const) {
  test(`${family}: an adapter GGUF beside its base does what the merged model does`, needsLlama, async () => {
    using scratch = new Scratch();
    const run = await loraRun(scratch, family, 'chat');
    const manifest = await finish({ model: run, to: 'adapter', out: scratch.join('a.gguf') });
    assert.equal(manifest.self_test!.top1, 1);
    assert.ok(manifest.self_test!.kl < 1e-5, `KL ${manifest.self_test!.kl}`);
    assert.deepEqual(readdirSync(scratch.path).filter((name) => name.startsWith('a.') || name.startsWith('.')).sort(), ['a.gguf', 'a.gguf.export.json', 'a.gguf.md']);
  });
}

test('an export that is out of its bounds fails, and nothing is left', needsLlama, async () => {
  using scratch = new Scratch();
  // Weights so large that every rounding is another model.
  const base = await writeBase(scratch.join('base'), 'llama', (name, data) => name.endsWith('proj.weight') && data.forEach((x, i) => (data[i] = 40 * x)));
  await assert.rejects(finish({ model: base, to: 'gguf', type: 'q4_0', out: scratch.join('x.gguf') }), (error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /x\.gguf: expected a file within the bounds of q4_0.*The file was removed/);
    assert.doesNotMatch(error.message, /tmp-/);
    return true;
  });
  assert.deepEqual(readdirSync(scratch.path), ['base']);
});

test('a file that llama.cpp cannot read ends with a message, not with a crash', needsLlama, async () => {
  using scratch = new Scratch();
  writeFileSync(scratch.join('x.gguf'), 'GGUF and nothing more');
  await assert.rejects(LlamaCpp.open(scratch.join('x.gguf'), { contextSize: 64, threads: 1 }), InputError);
  // Sound as a file, and no model.
  await writeGguf(scratch.join('y.gguf'), { metadata: [['general.architecture', { type: 'string', value: 'llama' }]], tensors: [{ name: 'w', dtype: 'F32', shape: [4], data: () => new Float32Array(4) }] });
  await assert.rejects(LlamaCpp.open(scratch.join('y.gguf'), { contextSize: 64, threads: 1 }), (error) => error instanceof InputError && /a file that llama\.cpp reads/.test(error.message));
});

test('a file that is cut off is refused by our reader, before llama.cpp waits for the rest for ever', needsLlama, async () => {
  using scratch = new Scratch();
  const whole = scratch.join('whole.gguf');
  await writeGguf(whole, { metadata: [['general.architecture', { type: 'string', value: 'llama' }]], tensors: [{ name: 'w', dtype: 'F32', shape: [64], data: () => new Float32Array(64) }] });
  const bytes = readFileSync(whole);
  for (const length of [3, 30, bytes.length - 100]) {
    writeFileSync(scratch.join('x.gguf'), bytes.subarray(0, length));
    await assert.rejects(LlamaCpp.open(scratch.join('x.gguf'), { contextSize: 64, threads: 1 }), (error) => error instanceof InputError && !/llama\.cpp reads/.test(error.message), `${length} bytes`);
  }
});

test('a process that does not answer within the limit is ended, with a message', needsLlama, async () => {
  using scratch = new Scratch();
  await writeGguf(scratch.join('x.gguf'), { metadata: [['general.architecture', { type: 'string', value: 'llama' }]], tensors: [{ name: 'w', dtype: 'F32', shape: [4], data: () => new Float32Array(4) }] });
  // No process starts within a millisecond.
  await assert.rejects(LlamaCpp.open(scratch.join('x.gguf'), { contextSize: 64, threads: 1, limit: 1 }), (error) => error instanceof ResourceError && /expected llama\.cpp to run, found no answer to "load" within 0\.001 s/.test(error.message));
});

test('each bound is looked at', () => {
  const good: SelfTest = {
    positions: 10, top1: 1, ties: 0, kl: 0, kl_max: 0, perplexity: { ours: 2, theirs: 2, relative: 0 }, bound: BOUNDS.q8_0, texts: 3,
    greedy: { answers: 8, stopped: { ours: 8, theirs: 8 }, same: 8, tokens: 80 }, seconds: 1,
  };
  assert.equal(failureOf(good), undefined);
  assert.match(failureOf({ ...good, top1: 0.5 })!, /top-1/);
  assert.match(failureOf({ ...good, kl: NaN })!, /KL/);
  assert.match(failureOf({ ...good, perplexity: { ours: 2, theirs: 1, relative: -0.5 } })!, /perplexity/);
  assert.match(failureOf({ ...good, greedy: { ...good.greedy, stopped: { ours: 8, theirs: 2 } } })!, /2 of 8 greedy answers that stop/);
});

test('a value too large for the type fails the export, and nothing is left', async () => {
  using scratch = new Scratch();
  const base = await writeBase(scratch.join('base'), 'llama', (name, data) => name.endsWith('1.mlp.up_proj.weight') && data.fill(1e6, 3, 4));
  await assert.rejects(finish({ model: base, to: 'gguf', type: 'f16', out: scratch.join('x.gguf') }), (error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /x\.gguf blk\.1\.ffn_up\.weight: expected values that F16 can hold/);
    return true;
  });
  assert.deepEqual(readdirSync(scratch.path), ['base']);
});

test('safetensors: a folder that opens, merged, with the template that its model was taught', async () => {
  using scratch = new Scratch();
  const run = await loraRun(scratch, 'llama', 'dolly');
  const out = scratch.join('merged');
  const manifest = await finish({ model: run, to: 'safetensors', type: 'f32', out });
  assert.deepEqual(readdirSync(out).sort(), ['README.md', 'config.json', 'export.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']);
  assert.equal(manifest.self_test, null);
  const [merged, trained] = [await openModel(out), await openModel(run)];
  assert.equal(merged.lora, undefined);
  assert.equal(merged.template.stopToken, '### End');
  assert.deepEqual(merged.weights().get('model.norm.weight'), trained.weights().get('model.norm.weight'));
  assert.match(JSON.parse(readFileSync(scratch.join('merged', 'tokenizer_config.json'), 'utf8')).chat_template, /### Response/);
});

test('PEFT: the run\'s own matrices, token rows among them, and it opens', async () => {
  using scratch = new Scratch();
  const run = await loraRun(scratch, 'llama', 'dolly');
  const out = scratch.join('adapter');
  await finish({ model: run, to: 'adapter', out });
  const [own, exported] = [run, out].map((folder) => openSafetensors(`${folder}/adapter_model.safetensors`));
  assert.deepEqual([...exported!.tensors.keys()].sort(), [...own!.tensors.keys()].sort());
  for (const [name, { shape }] of own!.tensors) {
    const [a, b] = [own!, exported!].map((reader) => {
      const values = new Float32Array(shape.reduce((x, y) => x * y, 1));
      reader.readFloat32(name, values);
      return values;
    });
    assert.deepEqual(a, b, name);
  }
  for (const reader of [own!, exported!]) reader.close();
  assert.deepEqual((await openModel(out)).lora, (await openModel(run)).lora);
});

test('refused before anything is written', async () => {
  using scratch = new Scratch();
  const run = await loraRun(scratch, 'llama', 'dolly');
  const base = scratch.join('base');
  const before = readdirSync(scratch.path).sort();
  const refused = async (options: Partial<ExportOptions>, kind: typeof InputError | typeof UsageError, says: RegExp) => {
    await assert.rejects(finish({ model: run, to: 'gguf', out: scratch.join('x.gguf'), ...options }), (error) => error instanceof kind && says.test(error.message));
    assert.deepEqual(readdirSync(scratch.path).sort(), before);
  };
  await refused({ to: 'adapter' }, InputError, /matrices alone.*trained rows for 3 added tokens.*Merge instead: --to gguf/);
  await refused({ to: 'adapter', model: base, out: scratch.join('y') }, InputError, /expected a LoRA run.*found a whole model/);
  await refused({ to: 'safetensors', type: 'q8_0', out: scratch.join('y') }, UsageError, /f32, f16 or bf16 for this format, found q8_0/);
  await refused({ to: 'adapter', type: 'bf16' }, UsageError, /f32 or f16 for an adapter GGUF/);
  await refused({ out: scratch.join('folder') }, UsageError, /ends with \.gguf/);
  await refused({ out: scratch.join('train.jsonl'), to: 'safetensors' }, InputError, /a place where nothing is yet, found a file/);
  writeFileSync(scratch.join('z.gguf'), '');
  before.push('z.gguf');
  before.sort();
  await refused({ out: scratch.join('z.gguf') }, InputError, /a place where nothing is yet/);
  await writeBase(scratch.join('gptj'), 'gptj');
  before.push('gptj');
  before.sort();
  await refused({ model: scratch.join('gptj') }, InputError, /found gptj: llama\.cpp has no code for GPT-J.*Use --to safetensors/);
  mkdirSync(scratch.join('none'));
  before.push('none');
  before.sort();
  await refused({ model: scratch.join('none') }, InputError, /config\.json/);
  assert.ok(existsSync(scratch.join('z.gguf')));
});
