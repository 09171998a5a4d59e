/**
 * A GGUF made from a parity fixture by llama.cpp's own rules of conversion (restated here in the forward direction) gives back
 * the fixture's config and every weight: names, q and k rows of llama, fused rows of gptneox, qwen2 and qwen3 as they lie.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { openGguf } from '../../src/formats/gguf.ts';
import type { Architecture } from '../../src/models/architecture.ts';
import { parametersOf } from '../../src/models/architecture.ts';
import { modelFromGguf } from '../../src/models/from-gguf.ts';
import { architectureOf } from '../../src/models/registry.ts';
import { readWeights } from '../../src/models/weights.ts';
import { ggml, ggufFile, type TypedValue } from '../formats/gguf-writer.ts';
import { Scratch } from '../train/tiny-base.ts';
import { loadFixture } from './fixture.ts';

const u32 = (n: number): TypedValue => [4, n];
const f32 = (n: number): TypedValue => [6, n];
const text = (s: string): TypedValue => [8, s];
const flag = (b: boolean): TypedValue => [7, b];

/** Row `from(row)` of the data becomes row `row`. */
function rows(data: Float32Array, n: number, from: (row: number) => number): Float32Array {
  const width = data.length / n;
  const out = new Float32Array(data.length);
  for (let row = 0; row < n; row++) out.set(data.subarray(from(row) * width, (from(row) + 1) * width), row * width);
  return out;
}

const llamaName = (n: string) => n.replace('model.embed_tokens', 'token_embd').replace('model.norm', 'output_norm').replace('lm_head', 'output').replace('model.layers', 'blk')
  .replace('input_layernorm', 'attn_norm').replace('post_attention_layernorm', 'ffn_norm').replace('self_attn.o_proj', 'attn_output').replace(/self_attn\.([qkv])_proj/, 'attn_$1').replace(/mlp\.(\w+)_proj/, 'ffn_$1')
  .replace(/self_attn\.([qk])_norm/, 'attn_$1_norm');

/** No row is moved. The number of ids is that of the tokens: the converter writes no other. */
const qwen = (type: 'qwen2' | 'qwen3') => ({
  name: llamaName,
  data: (_: string, data: Float32Array) => data,
  metadata: (a: Architecture) => ({
    'general.architecture': text(type), [`${type}.embedding_length`]: u32(a.hidden), [`${type}.block_count`]: u32(a.layers), [`${type}.attention.head_count`]: u32(a.heads), [`${type}.attention.head_count_kv`]: u32(a.kvHeads),
    [`${type}.feed_forward_length`]: u32(a.block['mlp.gate_proj.weight']!.shape[0]!), [`${type}.context_length`]: u32(a.contextLength), [`${type}.attention.layer_norm_rms_epsilon`]: f32(1e-6), [`${type}.rope.freq_base`]: f32(a.rotary.theta),
    ...(type === 'qwen3' ? { 'qwen3.attention.key_length': u32(a.headDim), 'qwen3.attention.value_length': u32(a.headDim) } : {}),
    'tokenizer.ggml.tokens': [9, [8, Array.from({ length: a.vocabSize }, (_, id) => `t${id}`)]] as TypedValue,
  }),
});

const FAMILIES = {
  qwen2: qwen('qwen2'),
  qwen3: qwen('qwen3'),
  'llama-gqa': {
    name: llamaName,
    // reshape(heads, 2, d/2).swapaxes(1, 2)
    data: (n: string, data: Float32Array, a: Architecture) => {
      if (!/[qk]_proj\.weight/.test(n)) return data;
      const d = a.headDim;
      return rows(data, data.length / a.hidden, (row) => row - (row % d) + ((row % d) >> 1) + (row % 2 === 1 ? d / 2 : 0));
    },
    metadata: (a: Architecture) => ({
      'general.architecture': text('llama'), 'llama.embedding_length': u32(a.hidden), 'llama.block_count': u32(a.layers), 'llama.attention.head_count': u32(a.heads), 'llama.attention.head_count_kv': u32(a.kvHeads),
      'llama.feed_forward_length': u32(a.block['mlp.gate_proj.weight']!.shape[0]!), 'llama.context_length': u32(a.contextLength), 'llama.attention.layer_norm_rms_epsilon': f32(1e-5), 'llama.rope.freq_base': f32(a.rotary.theta), 'llama.vocab_size': u32(a.vocabSize),
    }),
  },
  'neox-parallel': {
    name: (n: string) => n.replace('gpt_neox.embed_in', 'token_embd').replace('gpt_neox.final_layer_norm', 'output_norm').replace('embed_out', 'output').replace('gpt_neox.layers', 'blk').replace('input_layernorm', 'attn_norm')
      .replace('post_attention_layernorm', 'ffn_norm').replace('attention.query_key_value', 'attn_qkv').replace('attention.dense', 'attn_output').replace('mlp.dense_h_to_4h', 'ffn_up').replace('mlp.dense_4h_to_h', 'ffn_down'),
    // reshape(heads, 3, d), then all q, all k, all v
    data: (n: string, data: Float32Array, a: Architecture) => {
      if (!n.includes('query_key_value')) return data;
      const d = a.headDim;
      return rows(data, 3 * a.hidden, (row) => Math.floor((row % a.hidden) / d) * 3 * d + Math.floor(row / a.hidden) * d + (row % d));
    },
    metadata: (a: Architecture) => ({
      'general.architecture': text('gptneox'), 'gptneox.embedding_length': u32(a.hidden), 'gptneox.block_count': u32(a.layers), 'gptneox.attention.head_count': u32(a.heads), 'gptneox.feed_forward_length': u32(a.block['mlp.dense_h_to_4h.weight']!.shape[0]!),
      'gptneox.context_length': u32(a.contextLength), 'gptneox.attention.layer_norm_epsilon': f32(1e-5), 'gptneox.rope.dimension_count': u32(a.rotary.dim), 'gptneox.use_parallel_residual': flag(true), 'gptneox.vocab_size': u32(a.vocabSize),
    }),
  },
} as const;

function write(scratch: Scratch, name: keyof typeof FAMILIES, extra: Readonly<Record<string, TypedValue>> = {}) {
  const fixture = loadFixture(name);
  const family = FAMILIES[name];
  const weights = fixture.hostWeights();
  const tensors = [...weights].map(([n, { shape, data }]) => ({ name: family.name(n), shape, type: ggml.F32, data: new Uint8Array(family.data(n, data, fixture.architecture).slice().buffer) }));
  const path = scratch.join(`${name}.gguf`);
  writeFileSync(path, ggufFile({ metadata: Object.entries({ ...family.metadata(fixture.architecture), ...extra }), tensors }).bytes);
  return { path, weights, architecture: fixture.architecture };
}

const open = (path: string) => modelFromGguf(openGguf(path), (config) => parametersOf(architectureOf(config, path)).keys());

for (const name of ['llama-gqa', 'neox-parallel', 'qwen2', 'qwen3'] as const) {
  test(`${name}: config and weights come back`, () => {
    using scratch = new Scratch();
    const { path, weights, architecture } = write(scratch, name);
    const { config, source } = open(path);
    const back = architectureOf(config, path);
    for (const key of ['hidden', 'layers', 'heads', 'kvHeads', 'headDim', 'contextLength', 'vocabSize', 'tied'] as const) assert.equal(back[key], architecture[key], key);
    assert.deepEqual(back.rotary, architecture.rotary);
    const read = readWeights(back, source);
    assert.deepEqual([...read.keys()], [...weights.keys()]);
    for (const [n, { data }] of weights) assert.deepEqual(read.get(n)!.data, data, n);
  });
}

test('scaling kinds and unknown architectures are refused by name', () => {
  using scratch = new Scratch();
  assert.throws(() => open(write(scratch, 'llama-gqa', { 'llama.rope.scaling.type': text('yarn') }).path), /rope\.scaling\.type = yarn/);
  assert.throws(() => open(write(scratch, 'qwen2', { 'qwen2.rope.scaling.type': text('yarn') }).path), /rope\.scaling\.type = yarn/);
  assert.throws(() => open(write(scratch, 'llama-gqa', { 'general.architecture': text('mamba') }).path), /llama, qwen2, qwen3, gptneox.*mamba/);
  assert.throws(() => open(write(scratch, 'llama-gqa', { 'general.architecture': text('qwen3moe') }).path), /llama, qwen2, qwen3, gptneox.*qwen3moe/);
});

test('a GPT-J is refused with the reason', () => {
  using scratch = new Scratch();
  assert.throws(() => open(write(scratch, 'llama-gqa', { 'general.architecture': text('gptj') }).path), /gptj.*llama\.cpp has the name but no such model.*folder/s);
});

test('what a Qwen computes otherwise is refused by its key', () => {
  using scratch = new Scratch();
  const refused = (name: 'qwen2' | 'qwen3', extra: Record<string, TypedValue>, says: RegExp) => assert.throws(() => open(write(scratch, name, extra).path), says);
  refused('qwen3', { 'qwen3.attention.value_length': u32(8) }, /value_length = 16.*found 8/);
  refused('qwen2', { 'qwen2.rope.dimension_count': u32(4) }, /dimension_count = 8.*found 4/);
  refused('qwen2', { 'qwen2.attention.causal': flag(false) }, /attention\.causal = true.*found false/);
  refused('qwen2', { 'qwen2.attention.sliding_window': u32(32) }, /use_sliding_window false.*32/);
  assert.doesNotThrow(() => open(write(scratch, 'qwen2', { 'qwen2.attention.sliding_window': u32(64) }).path));
});
