/** What each family reads and refuses: published configs with their counts of parameters, fields by name, buffers, heads with a bias, LoRA's names. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { InputError } from '../../src/errors.ts';
import { adapterConfig } from '../../src/models/adapter.ts';
import { parameterCount, parametersOf, type Architecture } from '../../src/models/architecture.ts';
import type { Json } from '../../src/models/config.ts';
import { architectureOf, publishedClass } from '../../src/models/registry.ts';
import { readWeights } from '../../src/models/weights.ts';
import { FIXTURES, loadFixture } from './fixture.ts';

/** config.json of EleutherAI/gpt-j-6b, Qwen/Qwen2.5-0.5B and Qwen/Qwen3-0.6B, as published. */
const GPT_J = {
  activation_function: 'gelu_new', architectures: ['GPTJForCausalLM'], attn_pdrop: 0, bos_token_id: 50256, embd_pdrop: 0, eos_token_id: 50256, gradient_checkpointing: false, initializer_range: 0.02,
  layer_norm_epsilon: 1e-5, model_type: 'gptj', n_embd: 4096, n_head: 16, n_inner: null, n_layer: 28, n_positions: 2048, resid_pdrop: 0, rotary: true, rotary_dim: 64, scale_attn_weights: true,
  summary_activation: null, summary_first_dropout: 0.1, summary_proj_to_labels: true, summary_type: 'cls_index', summary_use_proj: true,
  task_specific_params: { 'text-generation': { do_sample: true, max_length: 50, temperature: 1 } }, tie_word_embeddings: false, tokenizer_class: 'GPT2Tokenizer', transformers_version: '4.18.0.dev0',
  use_cache: true, vocab_size: 50400,
};
const QWEN2 = {
  architectures: ['Qwen2ForCausalLM'], attention_dropout: 0, bos_token_id: 151643, eos_token_id: 151643, hidden_act: 'silu', hidden_size: 896, initializer_range: 0.02, intermediate_size: 4864,
  max_position_embeddings: 32768, max_window_layers: 24, model_type: 'qwen2', num_attention_heads: 14, num_hidden_layers: 24, num_key_value_heads: 2, rms_norm_eps: 1e-6, rope_theta: 1000000,
  sliding_window: 32768, tie_word_embeddings: true, torch_dtype: 'bfloat16', transformers_version: '4.40.1', use_cache: true, use_mrope: false, use_sliding_window: false, vocab_size: 151936,
};
const QWEN3 = {
  architectures: ['Qwen3ForCausalLM'], attention_bias: false, attention_dropout: 0, bos_token_id: 151643, eos_token_id: 151645, head_dim: 128, hidden_act: 'silu', hidden_size: 1024,
  initializer_range: 0.02, intermediate_size: 3072, max_position_embeddings: 40960, max_window_layers: 28, model_type: 'qwen3', num_attention_heads: 16, num_hidden_layers: 28, num_key_value_heads: 8,
  rms_norm_eps: 1e-6, rope_scaling: null, rope_theta: 1000000, sliding_window: null, tie_word_embeddings: true, torch_dtype: 'bfloat16', transformers_version: '4.51.0', use_cache: true,
  use_sliding_window: false, vocab_size: 151936,
};

describe('published configs', () => {
  for (const [config, parameters, rest] of [
    [GPT_J, 6_050_882_784, { headDim: 256, kvHeads: 16, contextLength: 2048, tied: false, rotary: { dim: 64, theta: 10000, interleaved: true } }],
    [QWEN2, 494_032_768, { headDim: 64, kvHeads: 2, contextLength: 32768, tied: true, rotary: { dim: 64, theta: 1e6, interleaved: false } }],
    [QWEN3, 596_049_920, { headDim: 128, kvHeads: 8, contextLength: 40960, tied: true, rotary: { dim: 128, theta: 1e6, interleaved: false } }],
  ] as const) {
    test(config.architectures[0]!, () => {
      const a = architectureOf(config, 'config.json');
      assert.equal(parameterCount(a), parameters);
      assert.equal(publishedClass(a), config.architectures[0]);
      for (const [key, value] of Object.entries(rest)) assert.deepEqual(a[key as keyof Architecture], value, key);
    });
  }
});

describe('refused by name', () => {
  const cases: [base: Json, change: Json, says: RegExp][] = [
    [GPT_J, { model_type: 'gpt_bigcode' }, /gpt_neox, gptj, llama, mistral, qwen2, qwen3, found "gpt_bigcode"/],
    [GPT_J, { model_type: undefined }, /qwen3, found nothing/],
    [GPT_J, { activation_function: 'relu' }, /activation_function to be one of gelu, gelu_new.*found "relu"/],
    [GPT_J, { rotary: false }, /rotary to be absent or true, found false/],
    [GPT_J, { rotary_dim: null }, /rotary_dim to be a positive whole number/],
    [GPT_J, { rotary_dim: 258 }, /even rotary_dim of at most 256.*found 258/],
    [GPT_J, { rotary_dim: 63 }, /even rotary_dim.*found 63/],
    [GPT_J, { n_head: 15 }, /n_embd to be a multiple of n_head, found 4096 and 15/],
    [GPT_J, { n_ctx: 1024 }, /n_ctx to be absent or 2048, found 1024/],
    [GPT_J, { scale_attn_weights: false }, /scale_attn_weights/],
    [GPT_J, { resid_pdrop: 0.1 }, /resid_pdrop to be absent or 0, found 0\.1/],
    [GPT_J, { rope_scaling: { rope_type: 'linear', factor: 2 } }, /rope_scaling to be absent/],
    [GPT_J, { rope_theta: 5000 }, /rope_theta to be absent/],
    [QWEN2, { model_type: 'qwen2_moe' }, /qwen2, qwen3, found "qwen2_moe"/],
    [QWEN2, { num_experts: 8 }, /num_experts to be absent/],
    [QWEN2, { use_sliding_window: true, sliding_window: 4096, max_window_layers: 12 }, /use_sliding_window false.*4096 from layer 12 on/],
    [QWEN2, { use_sliding_window: true, sliding_window: 4096, max_window_layers: 0 }, /4096 from layer 0 on/],
    [QWEN2, { layer_types: ['full_attention', 'sliding_attention'] }, /layer_types to be a list of nothing but "full_attention"/],
    [QWEN2, { rope_scaling: { type: 'yarn', factor: 4, original_max_position_embeddings: 32768 } }, /rope_scaling.*yarn/],
    [QWEN2, { rope_parameters: { rope_type: 'dynamic', rope_theta: 1e6, factor: 2 } }, /rope_scaling.*dynamic/],
    [QWEN2, { rope_parameters: { rope_type: 'default', rope_theta: 1e6, partial_rotary_factor: 0.5 } }, /partial_rotary_factor.*0\.5/],
    [QWEN2, { use_mrope: true }, /use_mrope/],
    [QWEN2, { hidden_act: 'gelu' }, /hidden_act.*silu.*gelu/],
    [QWEN2, { attention_bias: true }, /attention_bias to be absent/],
    [QWEN2, { num_key_value_heads: 4 }, /multiple of num_key_value_heads, found 14 and 4/],
    [QWEN2, { num_key_value_heads: null }, /num_key_value_heads to be a positive whole number/],
    [QWEN3, { head_dim: 127 }, /even head_dim, found 127/],
    [QWEN3, { attention_dropout: 0.1 }, /attention_dropout/],
    [QWEN3, { tie_word_embeddings: 'yes' }, /tie_word_embeddings to be true or false/],
  ];
  for (const [base, change, says] of cases) {
    test(`${String(base['model_type'])} ${JSON.stringify(change)}`, () => {
      assert.throws(() => architectureOf({ ...base, ...change }, 'config.json'), (error: Error) => error instanceof InputError && says.test(error.message.replaceAll('\n', ' ')));
    });
  }

  test('but not a window that hides nothing', () => {
    for (const change of [{ use_sliding_window: true, sliding_window: 32768, max_window_layers: 0 }, { use_sliding_window: true, sliding_window: 8, max_window_layers: 24 }, { use_sliding_window: true, sliding_window: 8, layer_types: ['full_attention'] }]) {
      assert.equal(architectureOf({ ...QWEN2, ...change }, 'config.json').contextLength, 32768);
    }
  });
});

describe('weights', () => {
  const small = { ...GPT_J, n_embd: 8, n_head: 2, n_layer: 1, n_positions: 16, rotary_dim: 4, vocab_size: 5 };

  test('an MLP of GPT-J is four times as wide unless n_inner says otherwise', () => {
    const width = (change: object) => architectureOf({ ...small, ...change }, 'x').block['mlp.fc_in.weight']!.shape;
    assert.deepEqual([width({}), width({ n_inner: 12 })], [[32, 8], [12, 8]]);
  });

  test('a tied head of GPT-J keeps its bias', () => {
    const names = [...parametersOf(architectureOf({ ...small, tie_word_embeddings: true }, 'x')).keys()];
    assert.ok(names.includes('lm_head.bias') && !names.includes('lm_head.weight'));
  });

  test('a norm of a head has the head\'s size, beside weights of another', () => {
    const { block } = architectureOf({ ...QWEN3, attention_bias: true }, 'x');
    assert.deepEqual(block['self_attn.q_norm.weight']!.shape, [128]);
    assert.deepEqual([block['self_attn.q_proj.weight']!.shape, block['self_attn.q_proj.bias']!.shape, block['self_attn.o_proj.weight']!.shape, block['self_attn.o_proj.bias']!.shape], [[2048, 1024], [2048], [1024, 2048], [1024]]);
  });

  test('Qwen2 has a bias on q, k and v, and nowhere else', () => {
    assert.deepEqual(Object.keys(architectureOf(QWEN2, 'x').block).filter((name) => name.endsWith('bias')), ['self_attn.q_proj.bias', 'self_attn.k_proj.bias', 'self_attn.v_proj.bias']);
  });

  for (const [vocabulary, bias] of [[3, [0, 1, 2]], [7, [0, 1, 2, 3, 4, 2, 2]]] as const) {
    test(`5 ids read as ${vocabulary}: the head's bias goes with its rows, and the buffers of old files are passed over`, () => {
      const shapes = new Map([...parametersOf(architectureOf(small, 'x'))].map(([name, { shape }]) => [name, shape]));
      for (const buffer of ['bias', 'masked_bias']) shapes.set(`transformer.h.0.attn.${buffer}`, [1]);
      const source = { path: 'x', names: () => shapes.keys(), shape: (name: string) => shapes.get(name), read: (_: string, out: Float32Array) => out.forEach((_v, i) => (out[i] = i)) };
      const weights = readWeights(architectureOf({ ...small, vocab_size: vocabulary }, 'x'), source);
      assert.deepEqual(weights.get('lm_head.bias'), { shape: [vocabulary], data: Float32Array.from(bias) });
      assert.deepEqual(weights.get('lm_head.weight')!.shape, [vocabulary, 8]);
      assert.ok(![...weights.keys()].some((name) => name.includes('attn.bias')));
      shapes.set('transformer.h.0.attn.q_proj.bias', [8]);
      assert.throws(() => readWeights(architectureOf(small, 'x'), source), /a tensor transformer\.h\.0\.attn\.q_proj\.bias/);
    });
  }
});

describe('an adapter is described as PEFT describes it', () => {
  for (const name of ['neox-lora', 'llama-lora', 'llama-lora-tokens', 'gptj-lora-tokens', 'qwen3-lora']) {
    test(name, () => {
      const { architecture, lora } = loadFixture(name);
      const theirs = JSON.parse(readFileSync(join(FIXTURES, name, 'adapter', 'adapter_config.json'), 'utf8'));
      const ours = adapterConfig(architecture, lora!, 'base');
      assert.deepEqual([...(ours['target_modules'] as string[])].sort(), theirs.target_modules);
      assert.deepEqual(ours['trainable_token_indices'], theirs.trainable_token_indices);
      assert.deepEqual(lora!.modules, architecture.linears);
    });
  }
});
