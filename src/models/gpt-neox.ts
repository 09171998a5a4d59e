/** GPT-NeoX: Pythia and Dolly 2 (docs/numbers.md 2). Fused query_key_value whose rows lie head by head as q, k, v. */
import { ops, type Tensor } from '../engine/index.ts';
import { matrix, rowsOf, vector, type Architecture, type BlockWeights } from './architecture.ts';
import { ConfigReader, type Json } from './config.ts';
import { geluOf } from './gelu.ts';

export function gptNeox(config: Json, where: string): Architecture {
  const c = new ConfigReader(config, where);
  const hidden = c.count('hidden_size');
  const heads = c.count('num_attention_heads');
  const layers = c.count('num_hidden_layers');
  const intermediate = c.count('intermediate_size');
  const vocabSize = c.count('vocab_size');
  const contextLength = c.count('max_position_embeddings');
  const epsilon = c.number('layer_norm_eps', 1e-5);
  const parallel = c.flag('use_parallel_residual', true);
  const tied = c.flag('tie_word_embeddings', false);
  const biased = c.flag('attention_bias', true);
  const activation = geluOf(c, 'hidden_act', 'gelu');
  const { theta, partial } = c.rotary('rotary_emb_base', 10000);
  const stated = c.number('rotary_pct', partial ?? 0.25);
  const rotaryPct = partial ?? stated;
  c.only('partial_rotary_factor', rotaryPct);
  c.only('rope_theta', theta);
  c.only('hidden_dropout', 0);
  c.only('attention_dropout', 0);
  c.finish();
  c.require(hidden % heads === 0, 'hidden_size to be a multiple of num_attention_heads', `${hidden} and ${heads}`);
  const headDim = hidden / heads;
  const rotaryDim = Math.trunc(headDim * rotaryPct);
  c.require(rotaryDim % 2 === 0 && rotaryDim > 0, 'an even number of rotary dimensions', String(rotaryDim));

  /** Rows of a fused weight, bias or LoRA B that belong to parts [from, to) of q, k, v. */
  const partOf = (from: number, to: number) => (w: Tensor) => {
    const rest = w.shape.slice(1) as number[];
    return ops.reshape(ops.slice(ops.reshape(w, heads, 3, headDim, ...rest), 1, from, to), heads * (to - from) * headDim, ...rest);
  };

  const linearSpecs = (name: string, out: number, inner: number, bias = true) => ({
    [`${name}.weight`]: matrix(out, inner),
    ...(bias ? { [`${name}.bias`]: vector(out) } : {}),
  });
  const norm = (w: BlockWeights, name: string, x: Tensor) => ops.layerNorm(x, w.tensor(`${name}.weight`), w.tensor(`${name}.bias`), epsilon)[0];
  const normSpecs = (name: string) => ({ [`${name}.weight`]: vector(hidden), [`${name}.bias`]: vector(hidden) });
  const mlp = (w: BlockWeights, x: Tensor) => w.linear(activation(w.linear(norm(w, 'post_attention_layernorm', x), 'mlp.dense_h_to_4h')), 'mlp.dense_4h_to_h');

  return {
    type: 'gpt_neox', vocabSize, hidden, layers, heads, kvHeads: heads, headDim, contextLength, tied,
    rotary: { dim: rotaryDim, theta, interleaved: false },
    names: {
      embedding: 'gpt_neox.embed_in.weight',
      head: tied ? 'gpt_neox.embed_in.weight' : 'embed_out.weight',
      block: (layer) => `gpt_neox.layers.${layer}.`,
    },
    final: { prefix: 'gpt_neox.', parameters: normSpecs('final_layer_norm') },
    block: {
      ...normSpecs('input_layernorm'),
      ...linearSpecs('attention.query_key_value', 3 * hidden, hidden, biased),
      ...linearSpecs('attention.dense', hidden, hidden, biased),
      ...normSpecs('post_attention_layernorm'),
      ...linearSpecs('mlp.dense_h_to_4h', intermediate, hidden),
      ...linearSpecs('mlp.dense_4h_to_h', hidden, intermediate),
    },
    linears: ['attention.query_key_value', 'attention.dense', 'mlp.dense_h_to_4h', 'mlp.dense_4h_to_h'],
    isBuffer: (name) => /\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$|^gpt_neox\.rotary_emb\.inv_freq$/.test(name),
    normIn: (w, x) => norm(w, 'input_layernorm', x),
    project: (w, h, part) => {
      const [from, to] = part === 'qkv' ? [0, 3] : part === 'q' ? [0, 1] : [1, 3];
      const fused = w.linear(h, 'attention.query_key_value', part === 'qkv' ? undefined : partOf(from, to));
      const parts = ops.reshape(fused, rowsOf(h), heads, to - from, headDim);
      const take = (i: number) => ops.reshape(ops.slice(parts, 2, i - from, i - from + 1), rowsOf(h), heads, headDim);
      return part === 'qkv' ? { q: take(0), k: take(1), v: take(2) } : part === 'q' ? { q: take(0) } : { k: take(1), v: take(2) };
    },
    finish: (w, x, context) => {
      const attended = ops.add(w.linear(context, 'attention.dense'), x);
      return ops.add(mlp(w, parallel ? x : attended), attended);
    },
    finalNorm: (w, x) => norm(w, 'final_layer_norm', x),
  };
}
