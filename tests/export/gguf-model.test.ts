/** What an exported GGUF holds, read back by our own reader: the weights bit by bit, names, metadata; merged LoRA; refusals. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ggufFamilyOf } from '../../src/export/families.ts';
import { metadataOf, planTensors, tensorsOf } from '../../src/export/gguf-model.ts';
import { addProduct, mergedWeights } from '../../src/export/merge.ts';
import type { ExportType } from '../../src/export/types.ts';
import { blockLayouts } from '../../src/formats/ggml.ts';
import { openGguf } from '../../src/formats/gguf.ts';
import { writeGguf } from '../../src/formats/gguf-write.ts';
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from '../../src/formats/half-precision.ts';
import { dequantise } from '../../src/formats/dequantise.ts';
import { quantise } from '../../src/formats/quantise.ts';
import { openModel, type OpenedModel } from '../../src/inference/open-model.ts';
import type { Json } from '../../src/models/config.ts';
import { parametersOf } from '../../src/models/architecture.ts';
import { architectureOf } from '../../src/models/registry.ts';
import { FIXTURES, loadFixture } from '../models/fixture.ts';
import { CONFIGS, Scratch, writeBase } from '../train/tiny-base.ts';
import { loraRun, weightsOfGguf } from './models.ts';

async function write(path: string, model: OpenedModel, type: ExportType): Promise<string> {
  const weights = mergedWeights(model);
  await writeGguf(path, { metadata: metadataOf(model, type, '0.0.0'), tensors: tensorsOf(model, type, weights), threads: 1 });
  weights.close();
  return path;
}

const SOURCES: Record<string, (scratch: Scratch) => Promise<string>> = {
  'tiny gpt_neox': (scratch) => writeBase(scratch.join('base'), 'gpt_neox'),
  'tiny llama': (scratch) => writeBase(scratch.join('base'), 'llama'),
};
for (const [name, source] of Object.entries(SOURCES)) {
  test(`${name}: F32 comes back bit by bit, F16 and BF16 rounded once, to the nearest`, async () => {
    using scratch = new Scratch();
    const model = await openModel(await source(scratch), { asItIs: true });
    const original = model.weights();
    const rounded = {
      f32: (data: Float32Array) => data,
      f16: (data: Float32Array) => {
        const [half, out] = [new Uint16Array(data.length), new Float32Array(data.length)];
        float32ToFloat16(data, half);
        float16ToFloat32(half, out);
        return out;
      },
      bf16: (data: Float32Array) => {
        const [half, out] = [new Uint16Array(data.length), new Float32Array(data.length)];
        float32ToBfloat16(data, half);
        bfloat16ToFloat32(half, out);
        return out;
      },
    };
    for (const type of ['f32', 'f16', 'bf16'] as const) {
      const back = weightsOfGguf(await write(scratch.join(`${type}.gguf`), model, type));
      assert.deepEqual([...back.keys()], [...original.keys()]);
      for (const [key, { shape, data }] of original) {
        assert.deepEqual(back.get(key)!.shape, shape);
        assert.deepEqual(back.get(key)!.data, shape.length === 1 ? data : rounded[type](data), `${type} ${key}`);
      }
    }
  });

  test(`${name}: quantised types are what quantise.ts makes of the rows, in the file's order`, async () => {
    using scratch = new Scratch();
    const model = await openModel(await source(scratch), { asItIs: true });
    for (const type of ['q8_0', 'q4_0', 'q5_1', 'q4_k_m'] as const) {
      const path = await write(scratch.join(`${type}.gguf`), model, type);
      const [reader, planned] = [openGguf(path), planTensors(model.architecture, type, path)];
      assert.deepEqual([...reader.tensors.values()].map(({ name: n, dtype, shape }) => [n, dtype, shape]), planned.map(({ name: n, dtype, shape }) => [n, dtype, shape]));
      const weights = mergedWeights(model);
      for (const tensor of tensorsOf(model, type, weights)) {
        const data = await tensor.data(new Float32Array(tensor.shape.reduce((x, y) => x * y, 1)));
        const bytes = new Uint8Array((data.length / blockLayouts[tensor.dtype].values) * blockLayouts[tensor.dtype].bytes);
        quantise(tensor.dtype, data, tensor.shape.at(-1)!, bytes, tensor.name);
        const [expected, found] = [new Float32Array(data.length), new Float32Array(data.length)];
        if (tensor.dtype === 'F32') expected.set(data);
        else dequantise(tensor.dtype, bytes, expected);
        reader.readFloat32(tensor.name, found);
        assert.deepEqual(found, expected, `${type} ${tensor.name}`);
      }
      weights.close();
      reader.close();
    }
  });
}

for (const name of ['llama-gqa', 'llama-tied', 'mistral', 'neox-parallel', 'neox-sequential', 'qwen2', 'qwen3']) {
  test(`${name} of the parity fixtures: F32 comes back bit by bit`, async () => {
    using scratch = new Scratch();
    const fixture = loadFixture(name);
    const { architecture } = fixture;
    const config = JSON.parse(readFileSync(join(FIXTURES, name, 'config.json'), 'utf8')) as Json;
    const weights = fixture.hostWeights();
    // No tokenizer belongs to a fixture: the family's keys and the tensors are all that is written.
    const family = ggufFamilyOf(architecture.type, name);
    const metadata = Object.entries(family.metadata(architecture, config)).map(([key, value]) => [`${family.architecture}.${key}`, value] as const);
    const path = scratch.join('x.gguf');
    const tensors = tensorsOf({ architecture, config, path: name } as OpenedModel, 'f32', { read: (key) => weights.get(key)!.data, close: () => {} });
    await writeGguf(path, { metadata: [['general.architecture', { type: 'string', value: family.architecture }], ...metadata], tensors });
    const back = weightsOfGguf(path);
    // A GPT-NeoX whose head is its embedding has it twice in the file.
    const twice = architecture.type === 'gpt_neox' && architecture.tied;
    assert.deepEqual([...back.keys()], [...weights.keys(), ...(twice ? ['embed_out.weight'] : [])]);
    if (twice) assert.deepEqual(back.get('embed_out.weight')!.data, weights.get(architecture.names.embedding)!.data);
    for (const [key, { data }] of weights) assert.deepEqual(back.get(key)!.data, data, key);
  });
}

test('a tied GPT-NeoX gets a head of its own, as llama.cpp wants it, and zeros for biases that it lacks', async () => {
  using scratch = new Scratch();
  const base = await writeBase(scratch.join('base'), 'gpt_neox');
  writeFileSync(join(base, 'config.json'), JSON.stringify({ ...CONFIGS.gpt_neox, tie_word_embeddings: true, attention_bias: false }));
  const model = await openModel(base, { asItIs: true });
  const planned = planTensors(model.architecture, 'f32', 'here').map(({ name }) => name);
  for (const name of ['output.weight', 'blk.0.attn_qkv.bias', 'blk.1.attn_output.bias']) assert.ok(planned.includes(name), name);
  const zero = tensorsOf(model, 'f32', { read: () => assert.fail('read'), close: () => {} }).find(({ name }) => name === 'blk.0.attn_qkv.bias')!;
  assert.deepEqual(await zero.data(new Float32Array(96).fill(1)), new Float32Array(96));
});

test('metadata of a run: sizes, special ids, template, licence, what it was made of', async () => {
  using scratch = new Scratch();
  const model = await openModel(await loraRun(scratch, 'gpt_neox', 'dolly'));
  const path = await write(scratch.join('x.gguf'), model, 'q8_0');
  const reader = openGguf(path);
  const of = (key: string) => reader.metadata.get(key);
  const end = model.tokenizer.specialId('### End');
  assert.deepEqual(
    ['general.architecture', 'general.type', 'general.name', 'general.license', 'general.base_model.count', 'general.base_model.0.name', 'general.dataset.0.name', 'general.file_type', 'general.quantization_version'].map(of),
    ['gptneox', 'model', 'base on train', 'Apache-2.0 AND CC-BY-SA-3.0', 1, 'base', 'train', 7, 2]);
  assert.deepEqual(
    ['vocab_size', 'context_length', 'embedding_length', 'block_count', 'feed_forward_length', 'attention.head_count', 'rope.dimension_count', 'rope.freq_base', 'use_parallel_residual'].map((key) => of(`gptneox.${key}`)),
    [447, 256, 32, 2, 64, 4, 4, 10000, true]);
  assert.ok(Math.abs((of('gptneox.attention.layer_norm_epsilon') as number) - 1e-5) < 1e-12);
  assert.equal(of('tokenizer.ggml.eos_token_id'), end);
  assert.equal(of('tokenizer.ggml.eot_token_id'), end);
  assert.equal(of('tokenizer.ggml.add_bos_token'), false);
  assert.match(of('tokenizer.chat_template') as string, /### Response:\\n' \}\}\{% endif %\}$/);
  assert.deepEqual(['roslin.version', 'roslin.template.name', 'roslin.template.hash', 'roslin.licence.verdict', 'roslin.data.sha256', 'roslin.base.sha256'].map(of),
    ['0.0.0', 'dolly', model.template.hash, 'share-alike', model.run!.data.hash, model.run!.base!.hash]);
  assert.deepEqual((of('tokenizer.ggml.token_type') as number[]).slice(444), [3, 3, 3]);
  reader.close();
});

test('metadata of a base without a template: its own vocabulary and end token, nothing added', async () => {
  using scratch = new Scratch();
  const base = await writeBase(scratch.join('base'), 'llama');
  writeFileSync(join(base, 'tokenizer_config.json'), JSON.stringify({ eos_token: '<|im_end|>' }));
  const model = await openModel(base, { asItIs: true });
  const keys = new Map(metadataOf(model, 'f32', '0.0.0').map(([key, { value }]) => [key, value]));
  assert.equal(keys.get('llama.vocab_size'), 448);
  assert.equal(keys.get('llama.attention.head_count_kv'), 2);
  assert.equal(keys.get('tokenizer.ggml.eos_token_id'), 2);
  assert.equal(keys.has('tokenizer.chat_template'), false);
  assert.equal(keys.get('roslin.template.name'), 'text');
});

for (const type of ['gpt_neox', 'llama'] as const) {
  test(`${type}: LoRA is merged into the weights it lies beside, and token rows into both tables`, async () => {
    using scratch = new Scratch();
    const model = await openModel(await loraRun(scratch, type, 'dolly'));
    const all = model.weights();
    const back = weightsOfGguf(await write(scratch.join('x.gguf'), model, 'f32'));
    for (const [name] of parametersOf(model.architecture)) {
      const expected = all.get(name)!.data.slice();
      const [a, b] = ['lora_A', 'lora_B'].map((part) => name.endsWith('.weight') ? all.get(name.replace(/weight$/, `${part}.weight`))?.data : undefined);
      if (a && b) {
        assert.ok(b.some((x) => x !== 0), 'the run changed B');
        const [rank, inner] = [model.lora!.rank, a.length / model.lora!.rank];
        expected.forEach((w, i) => {
          let sum = 0;
          for (let r = 0; r < rank; r++) sum += b[Math.floor(i / inner) * rank + r]! * a[r * inner + (i % inner)]!;
          expected[i] = w + (model.lora!.alpha / rank) * sum;
        });
      }
      const found = back.get(name)!.data;
      assert.equal(found.length, expected.length);
      found.forEach((x, i) => assert.ok(Math.abs(x - expected[i]!) <= 1e-7 * Math.max(1, Math.abs(x)), `${name} ${i}: ${x}, ${expected[i]}`));
    }
  });
}

test('the product is added once, in the right place', () => {
  const weight = Float32Array.of(1, 1, 1, 1, 1, 1);
  addProduct(weight, Float32Array.of(1, 0, 0, 2), Float32Array.of(1, 2, 3, 4, 5, 6), 2, 0.5);
  assert.deepEqual(weight, Float32Array.of(1.5, 2, 2.5, 5, 6, 7));
});

test('GPT-J is refused with the reason, and what nobody knows by its name', () => {
  assert.throws(() => ggufFamilyOf('gptj', 'x'), /found gptj: llama\.cpp has no code for GPT-J.*Use --to safetensors/);
  assert.throws(() => ggufFamilyOf('mamba', 'x'), /expected a model of a family that is written as GGUF: llama, mistral, qwen2, qwen3, gpt_neox, found mamba/);
});

test('a Qwen3 with biases is refused: llama.cpp would leave them out', () => {
  const biased = architectureOf({ ...CONFIGS.qwen3, attention_bias: true }, 'x');
  assert.throws(() => planTensors(biased, 'f32', 'x'), /expected a qwen3 model without biases.*found model\.layers\.0\.self_attn\.q_proj\.bias.*Use --to safetensors/);
});
