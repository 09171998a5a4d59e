/**
 * Qwen2 (and 2.5) and Qwen3, dense and for text: Llama's block with a bias on q, k and v (Qwen2), or with a norm on each
 * head's q and k (Qwen3); docs/numbers.md 2. Their mixtures of experts and models for pictures have a `model_type` of
 * their own and are refused by it. Fields and defaults: transformers' configurations of the two.
 */
import type { Architecture } from './architecture.ts';
import { ConfigReader, type Json } from './config.ts';
import { llamaArchitecture } from './llama.ts';

export function qwen(config: Json, where: string): Architecture {
  const c = new ConfigReader(config, where);
  const type = c.oneOf('model_type', ['qwen2', 'qwen3']);
  const hidden = c.count('hidden_size');
  const heads = c.count('num_attention_heads');
  const layers = c.count('num_hidden_layers');
  const intermediate = c.count('intermediate_size');
  const vocabSize = c.count('vocab_size');
  const contextLength = c.count('max_position_embeddings');
  const kvHeads = c.count('num_key_value_heads');
  const headDim = c.count('head_dim', type === 'qwen3' ? 128 : Math.floor(hidden / heads));
  const epsilon = c.number('rms_norm_eps', 1e-6);
  const tied = c.flag('tie_word_embeddings', false);
  const attentionBias = type === 'qwen3' && c.flag('attention_bias', false);
  c.oneOf('hidden_act', ['silu'], 'silu');
  const theta = c.wholeRotary('rope_theta', 10000);
  refuseWindow(c, layers, contextLength);
  c.only('use_mrope', false);
  c.only('mlp_bias', false);
  c.only('attention_dropout', 0);
  c.finish();
  c.requireHeads(heads, kvHeads, headDim);
  const bias = { qkv: type === 'qwen2' || attentionBias, output: attentionBias, mlp: false };
  return llamaArchitecture({ type, vocabSize, hidden, layers, heads, kvHeads, headDim, contextLength, intermediate, epsilon, theta, tied, bias, headNorms: type === 'qwen3' });
}

/**
 * Layers from `max_window_layers` on see a window only, where `use_sliding_window` says so; `layer_types` says it layer by
 * layer and decides where it stands. A window as long as the context hides nothing.
 * @throws InputError where a window would hide something
 */
function refuseWindow(c: ConfigReader, layers: number, contextLength: number): void {
  const stated = c.eachOf('layer_types', 'full_attention');
  const used = c.flag('use_sliding_window', false);
  const [window, from] = [c.count('sliding_window', 4096), c.whole('max_window_layers', 28)];
  const hides = used && !stated && from < layers && window < contextLength;
  c.require(!hides, 'use_sliding_window false: no window is computed', `true, with a sliding_window of ${window} from layer ${from} on (max_window_layers)`);
}
