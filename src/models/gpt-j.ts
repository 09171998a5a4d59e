/**
 * GPT-J, the base of Dolly 1 (docs/numbers.md 2), as the published code of transformers computes it. One norm a block, which
 * attention and MLP both read; neighbouring components are rotated in pairs; the head has a bias. Weights keep their published
 * order of rows: the pairs are the rotation's business.
 */
import { ops, type Tensor } from '../engine/index.ts';
import { matrix, rowsOf, vector, type Architecture, type BlockWeights } from './architecture.ts';
import { ConfigReader, type Json } from './config.ts';
import { geluOf } from './gelu.ts';

/** The base of the angles is a constant in this family. */
const THETA = 10000;

export function gptJ(config: Json, where: string): Architecture {
  const c = new ConfigReader(config, where);
  const hidden = c.count('n_embd');
  const heads = c.count('n_head');
  const layers = c.count('n_layer');
  const intermediate = c.count('n_inner', 4 * hidden);
  const vocabSize = c.count('vocab_size');
  const contextLength = c.count('n_positions');
  const epsilon = c.number('layer_norm_epsilon', 1e-5);
  const tied = c.flag('tie_word_embeddings', false);
  const rotaryDim = c.count('rotary_dim');
  const activation = geluOf(c, 'activation_function', 'gelu_new');
  c.only('rotary', true);
  c.only('scale_attn_weights', true);
  c.only('n_ctx', contextLength);
  for (const dropout of ['attn_pdrop', 'embd_pdrop', 'resid_pdrop']) c.only(dropout, 0);
  c.finish();
  c.require(hidden % heads === 0, 'n_embd to be a multiple of n_head', `${hidden} and ${heads}`);
  const headDim = hidden / heads;
  c.require(rotaryDim % 2 === 0 && rotaryDim <= headDim, `an even rotary_dim of at most ${headDim}, a head's size`, String(rotaryDim));

  const norm = (w: BlockWeights, name: string, x: Tensor) => ops.layerNorm(x, w.tensor(`${name}.weight`), w.tensor(`${name}.bias`), epsilon)[0];
  const normSpecs = (name: string) => ({ [`${name}.weight`]: vector(hidden), [`${name}.bias`]: vector(hidden) });

  return {
    type: 'gptj', vocabSize, hidden, layers, heads, kvHeads: heads, headDim, contextLength, tied,
    rotary: { dim: rotaryDim, theta: THETA, interleaved: true },
    names: {
      embedding: 'transformer.wte.weight',
      head: tied ? 'transformer.wte.weight' : 'lm_head.weight',
      headBias: 'lm_head.bias',
      block: (layer) => `transformer.h.${layer}.`,
    },
    final: { prefix: '', parameters: { ...normSpecs('transformer.ln_f'), 'lm_head.bias': vector(vocabSize) } },
    block: {
      ...normSpecs('ln_1'),
      'attn.q_proj.weight': matrix(hidden, hidden),
      'attn.k_proj.weight': matrix(hidden, hidden),
      'attn.v_proj.weight': matrix(hidden, hidden),
      'attn.out_proj.weight': matrix(hidden, hidden),
      'mlp.fc_in.weight': matrix(intermediate, hidden),
      'mlp.fc_in.bias': vector(intermediate),
      'mlp.fc_out.weight': matrix(hidden, intermediate),
      'mlp.fc_out.bias': vector(hidden),
    },
    linears: ['attn.q_proj', 'attn.k_proj', 'attn.v_proj', 'attn.out_proj', 'mlp.fc_in', 'mlp.fc_out'],
    isBuffer: (name) => /^transformer\.h\.\d+\.attn\.(bias|masked_bias|embed_positions)$/.test(name),
    normIn: (w, x) => norm(w, 'ln_1', x),
    project: (w, h, part) => {
      const split = (module: string) => ops.reshape(w.linear(h, module), rowsOf(h), heads, headDim);
      return {
        ...(part !== 'kv' ? { q: split('attn.q_proj') } : {}),
        ...(part !== 'q' ? { k: split('attn.k_proj'), v: split('attn.v_proj') } : {}),
      };
    },
    // The norm is computed a second time: cheaper than to keep its rows between the two stages.
    finish: (w, x, context) => {
      const mlp = w.linear(activation(w.linear(norm(w, 'ln_1', x), 'mlp.fc_in')), 'mlp.fc_out');
      return ops.add(ops.add(w.linear(context, 'attn.out_proj'), mlp), x);
    },
    finalNorm: (w, x) => norm(w, 'transformer.ln_f', x),
  };
}
