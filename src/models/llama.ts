/**
 * The Llama family without scaling kinds: SmolLM2, TinyLlama, Llama 3, Mistral (docs/numbers.md 2), and the block that it
 * shares with its descendants, whose configs are read elsewhere (`qwen.ts`).
 */
import { ops, type Tensor } from '../engine/index.ts';
import { matrix, rowsOf, vector, type Architecture, type BlockWeights } from './architecture.ts';
import { ConfigReader, type Json } from './config.ts';

export interface LlamaSettings extends Pick<Architecture, 'type' | 'vocabSize' | 'hidden' | 'layers' | 'heads' | 'kvHeads' | 'headDim' | 'contextLength' | 'tied'> {
  readonly intermediate: number;
  readonly epsilon: number;
  readonly theta: number;
  /** Which linear layers have a bias: those of q, k and v, that of attention's output, those of the MLP. */
  readonly bias: { readonly qkv: boolean; readonly output: boolean; readonly mlp: boolean };
  /** Whether each head's q and k are normalised before they are rotated. */
  readonly headNorms: boolean;
}

export function llama(config: Json, where: string): Architecture {
  const c = new ConfigReader(config, where);
  const type = c.oneOf('model_type', ['llama', 'mistral']);
  const hidden = c.count('hidden_size');
  const heads = c.count('num_attention_heads');
  const layers = c.count('num_hidden_layers');
  const intermediate = c.count('intermediate_size');
  const vocabSize = c.count('vocab_size');
  const published = c.count('max_position_embeddings');
  // Inside a window of this many positions a sliding window hides nothing; longer rows are refused by the context.
  const contextLength = Math.min(published, c.count('sliding_window', published));
  const kvHeads = c.count('num_key_value_heads', type === 'mistral' ? 8 : heads);
  const headDim = c.count('head_dim', Math.floor(hidden / heads));
  const epsilon = c.number('rms_norm_eps', 1e-6);
  const tied = c.flag('tie_word_embeddings', false);
  const attentionBias = c.flag('attention_bias', false);
  const mlpBias = c.flag('mlp_bias', false);
  c.oneOf('hidden_act', ['silu'], 'silu');
  const theta = c.wholeRotary('rope_theta', 10000);
  c.only('rope_interleaved', false);
  c.only('attention_dropout', 0);
  c.finish();
  c.requireHeads(heads, kvHeads, headDim);
  const bias = { qkv: attentionBias, output: attentionBias, mlp: mlpBias };
  return llamaArchitecture({ type, vocabSize, hidden, layers, heads, kvHeads, headDim, contextLength, intermediate, epsilon, theta, tied, bias, headNorms: false });
}

export function llamaArchitecture(s: LlamaSettings): Architecture {
  const { type, vocabSize, hidden, layers, heads, kvHeads, headDim, contextLength, tied, intermediate, bias, headNorms } = s;
  const linearSpecs = (name: string, out: number, inner: number, biased: boolean) => ({
    [`${name}.weight`]: matrix(out, inner),
    ...(biased ? { [`${name}.bias`]: vector(out) } : {}),
  });
  /** Over the last axis: a row, or each head of it. */
  const norm = (w: BlockWeights, name: string, x: Tensor) => ops.rmsNorm(x, w.tensor(`${name}.weight`), s.epsilon)[0];

  return {
    type, vocabSize, hidden, layers, heads, kvHeads, headDim, contextLength, tied,
    rotary: { dim: headDim, theta: s.theta, interleaved: false },
    names: {
      embedding: 'model.embed_tokens.weight',
      head: tied ? 'model.embed_tokens.weight' : 'lm_head.weight',
      block: (layer) => `model.layers.${layer}.`,
    },
    final: { prefix: 'model.', parameters: { 'norm.weight': vector(hidden) } },
    block: {
      'input_layernorm.weight': vector(hidden),
      ...linearSpecs('self_attn.q_proj', heads * headDim, hidden, bias.qkv),
      ...linearSpecs('self_attn.k_proj', kvHeads * headDim, hidden, bias.qkv),
      ...linearSpecs('self_attn.v_proj', kvHeads * headDim, hidden, bias.qkv),
      ...(headNorms ? { 'self_attn.q_norm.weight': vector(headDim), 'self_attn.k_norm.weight': vector(headDim) } : {}),
      ...linearSpecs('self_attn.o_proj', hidden, heads * headDim, bias.output),
      'post_attention_layernorm.weight': vector(hidden),
      ...linearSpecs('mlp.gate_proj', intermediate, hidden, bias.mlp),
      ...linearSpecs('mlp.up_proj', intermediate, hidden, bias.mlp),
      ...linearSpecs('mlp.down_proj', hidden, intermediate, bias.mlp),
    },
    linears: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'self_attn.o_proj', 'mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj'],
    isBuffer: (name) => name.endsWith('rotary_emb.inv_freq'),
    normIn: (w, x) => norm(w, 'input_layernorm', x),
    project: (w, h, part) => {
      const split = (module: string, n: number) => ops.reshape(w.linear(h, module), rowsOf(h), n, headDim);
      const normed = (name: string, x: Tensor) => (headNorms ? norm(w, name, x) : x);
      return {
        ...(part !== 'kv' ? { q: normed('self_attn.q_norm', split('self_attn.q_proj', heads)) } : {}),
        ...(part !== 'q' ? { k: normed('self_attn.k_norm', split('self_attn.k_proj', kvHeads)), v: split('self_attn.v_proj', kvHeads) } : {}),
      };
    },
    finish: (w, x, context) => {
      const attended = ops.add(x, w.linear(context, 'self_attn.o_proj'));
      const h = norm(w, 'post_attention_layernorm', attended);
      return ops.add(attended, w.linear(ops.mul(ops.silu(w.linear(h, 'mlp.gate_proj')), w.linear(h, 'mlp.up_proj')), 'mlp.down_proj'));
    },
    finalNorm: (w, x) => norm(w, 'norm', x),
  };
}
