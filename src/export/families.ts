/**
 * What a family of models is in a GGUF beside the names of its tensors (src/models/from-gguf.ts): its metadata, and what llama.cpp
 * wants to be there although the model lacks it. A family that has no row here, or that llama.cpp does not run, is refused.
 * Keys: llama.cpp's gguf documentation; what must be there: src/models/ of its release v0.4.0.
 */
import { InputError } from '../errors.ts';
import type { GgufTyped } from '../formats/gguf-write.ts';
import type { Architecture } from '../models/architecture.ts';
import type { Json } from '../models/config.ts';

export interface GgufFamily {
  /** `general.architecture`. */
  readonly architecture: string;
  /** Keys below the architecture's name. */
  metadata(a: Architecture, config: Json): Record<string, GgufTyped>;
  /** llama.cpp wants a tensor for the head also where the embedding stands for it. */
  readonly ownHead?: true;
  /** Biases of a block, by local name, that must be there: they are written as zeros where the model has none. */
  readonly biases?: readonly string[];
  /** llama.cpp has no biases for this family. */
  readonly unbiased?: true;
}

const count = (value: number): GgufTyped => ({ type: 'uint32', value });
const real = (value: number): GgufTyped => ({ type: 'float32', value });
const flag = (value: boolean): GgufTyped => ({ type: 'bool', value });
const numberOf = (config: Json, field: string, fallback: number): number => (typeof config[field] === 'number' ? config[field] : fallback);

/** Keys that every family has. */
const common = (a: Architecture, feedForward: string): Record<string, GgufTyped> => ({
  vocab_size: count(a.vocabSize),
  context_length: count(a.contextLength),
  embedding_length: count(a.hidden),
  block_count: count(a.layers),
  feed_forward_length: count(a.block[`${feedForward}.weight`]!.shape[0]!),
  'attention.head_count': count(a.heads),
  'rope.dimension_count': count(a.rotary.dim),
  'rope.freq_base': real(a.rotary.theta),
});

const llama: GgufFamily = {
  architecture: 'llama',
  metadata: (a, config) => ({
    ...common(a, 'mlp.up_proj'),
    'attention.head_count_kv': count(a.kvHeads),
    'attention.layer_norm_rms_epsilon': real(numberOf(config, 'rms_norm_eps', 1e-6)),
    ...(a.headDim * a.heads === a.hidden ? {} : { 'attention.key_length': count(a.headDim), 'attention.value_length': count(a.headDim) }),
  }),
};

/** By `Architecture.type`. */
const FAMILIES: Readonly<Record<string, GgufFamily>> = {
  llama,
  mistral: llama,
  qwen2: { ...llama, architecture: 'qwen2' },
  qwen3: { ...llama, architecture: 'qwen3', unbiased: true },
  gpt_neox: {
    architecture: 'gptneox',
    metadata: (a, config) => ({
      ...common(a, 'mlp.dense_h_to_4h'),
      'attention.layer_norm_epsilon': real(numberOf(config, 'layer_norm_eps', 1e-5)),
      use_parallel_residual: flag(config['use_parallel_residual'] !== false),
    }),
    ownHead: true,
    biases: ['attention.query_key_value.bias', 'attention.dense.bias'],
  },
};

/** Why llama.cpp runs no model of a family, where that is known. */
const NOT_RUN: Readonly<Record<string, string>> = {
  gptj: 'llama.cpp has no code for GPT-J (it reads the name and computes nothing)',
};

/** @throws InputError, with the reason, for a family that llama.cpp does not run */
export function ggufFamilyOf(type: string, where: string): GgufFamily {
  const family = Object.hasOwn(FAMILIES, type) ? FAMILIES[type] : undefined;
  if (family) return family;
  throw new InputError({
    expected: `a model of a family that is written as GGUF: ${Object.keys(FAMILIES).join(', ')}`,
    found: Object.hasOwn(NOT_RUN, type) ? `${type}: ${NOT_RUN[type]}` : type, where, remedy: 'Use --to safetensors.',
  });
}
