/** Weights to begin with: deviations by the formula, biases 0, norms 1, the same from the same seed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parametersOf } from '../../src/models/architecture.ts';
import { initialWeights } from '../../src/models/initial-weights.ts';
import { architectureOf } from '../../src/models/registry.ts';

const CONFIGS = {
  gpt_neox: {
    model_type: 'gpt_neox', hidden_size: 64, num_hidden_layers: 3, num_attention_heads: 2, intermediate_size: 256, vocab_size: 301, max_position_embeddings: 64, rotary_pct: 0.25,
    hidden_act: 'gelu', use_parallel_residual: true, tie_word_embeddings: false,
  },
  llama: {
    model_type: 'llama', hidden_size: 64, num_hidden_layers: 5, num_attention_heads: 4, num_key_value_heads: 4, intermediate_size: 160, vocab_size: 301, max_position_embeddings: 64,
    rms_norm_eps: 1e-5, rope_theta: 10000, tie_word_embeddings: true, hidden_act: 'silu',
  },
  gptj: { model_type: 'gptj', n_embd: 64, n_layer: 2, n_head: 2, n_positions: 64, rotary_dim: 16, vocab_size: 301 },
} as const;

/** Matrices whose product is added to the stream, two a block. */
const ADDING = { gpt_neox: ['attention.dense', 'mlp.dense_4h_to_h'], llama: ['self_attn.o_proj', 'mlp.down_proj'], gptj: ['attn.out_proj', 'mlp.fc_out'] } as const;

/** Norms and biases, given the layers. */
const VECTORS = {
  gpt_neox: (layers: number) => [2 * layers + 1, 2 * layers + 1 + 4 * layers],
  llama: (layers: number) => [2 * layers + 1, 0],
  // The last one is the head's.
  gptj: (layers: number) => [layers + 1, layers + 1 + 2 * layers + 1],
} as const;

const mean = (values: Float32Array) => values.reduce((sum, v) => sum + v, 0) / values.length;
const share = (values: Float32Array, within: number) => values.filter((v) => Math.abs(v) <= within).length / values.length;

for (const type of ['gpt_neox', 'llama', 'gptj'] as const) {
  describe(type, () => {
    const architecture = architectureOf(CONFIGS[type], type);
    const weights = initialWeights(architecture, 1);

    test('has every parameter in its shape', () => {
      assert.deepEqual([...weights].map(([name, { shape }]) => [name, shape]), [...parametersOf(architecture)].map(([name, { shape }]) => [name, shape]));
      for (const { shape, data } of weights.values()) assert.equal(data.length, shape.reduce((a, b) => a * b, 1));
    });

    test('has biases of 0 and norms of 1', () => {
      const vectors = [...weights].filter(([, { shape }]) => shape.length === 1);
      const norms = vectors.filter(([name]) => name.endsWith('.weight'));
      assert.deepEqual([norms.length, vectors.length - norms.length], VECTORS[type](architecture.layers));
      for (const [name, { data }] of vectors) assert.ok(data.every((v) => v === (name.endsWith('.weight') ? 1 : 0)), name);
    });

    test('has normal matrices: 0.02, and 0.02 over the root of twice the layers where a block adds', () => {
      let adding = 0;
      for (const [name, { shape, data }] of weights) {
        if (shape.length === 1) continue;
        const adds = ADDING[type].some((layer) => name.endsWith(`${layer}.weight`));
        if (adds) adding++;
        const expected = adds ? 0.02 / Math.sqrt(2 * architecture.layers) : 0.02;
        const found = Math.sqrt(data.reduce((sum, v) => sum + v * v, 0) / data.length);
        // Four standard errors of either; at least 4096 values.
        assert.ok(Math.abs(found / expected - 1) < 4 / Math.sqrt(2 * data.length), `${name}: ${found} for ${expected}`);
        assert.ok(Math.abs(mean(data)) < (4 * expected) / Math.sqrt(data.length), `${name}: mean ${mean(data)}`);
        assert.ok(Math.abs(share(data, expected) - 0.6827) < 2 / Math.sqrt(data.length), `${name}: within one deviation`);
        assert.ok(Math.abs(share(data, 2 * expected) - 0.9545) < 2 / Math.sqrt(data.length), `${name}: within two deviations`);
        assert.ok(data.every((v) => Number.isFinite(v) && v !== 0), `${name}: every value is drawn`);
      }
      assert.equal(adding, 2 * architecture.layers);
    });

    test('is the same from the same seed, and another from another', () => {
      assert.deepEqual(initialWeights(architecture, 1), weights);
      const other = initialWeights(architecture, 2);
      for (const [name, { shape, data }] of weights) {
        if (shape.length > 1) assert.ok(data.filter((v, i) => v === other.get(name)!.data[i]).length < 0.01 * data.length, name);
      }
    });

    test('has no two matrices alike', () => {
      const beginnings = [...weights.values()].filter(({ shape }) => shape.length > 1).map(({ data }) => data.slice(0, 4).join());
      assert.equal(new Set(beginnings).size, beginnings.length);
    });
  });
}

test('a matrix with an odd number of values is filled to its end', () => {
  const architecture = architectureOf({ ...CONFIGS.gpt_neox, hidden_size: 33, num_attention_heads: 1 }, 'odd');
  const { data } = initialWeights(architecture, 1).get('embed_out.weight')!;
  assert.equal(data.length % 2, 1);
  assert.notEqual(data.at(-1), 0);
});
