/**
 * The types that a model can be exported in, and which of its tensors gets which: llama.cpp's choice, restated
 * (src/llama-quant.cpp of its release v0.4.0). Without an importance matrix, as nothing here makes one.
 */
import { blockLayouts } from '../formats/ggml.ts';
import type { WritableDType } from '../formats/quantise.ts';

interface TypeRule {
  /** `general.file_type`. */
  readonly fileType: number;
  /** The type of most matrices. */
  readonly base: WritableDType;
  /** `plain`: every matrix in `base`. `head`: the head, or the table that stands for it, in Q6_K or Q8_0. `more`: also more bits for some blocks. */
  readonly mix: 'plain' | 'head' | 'more';
}

export const TYPES = {
  f32: { fileType: 0, base: 'F32', mix: 'plain' },
  f16: { fileType: 1, base: 'F16', mix: 'plain' },
  bf16: { fileType: 32, base: 'BF16', mix: 'plain' },
  q8_0: { fileType: 7, base: 'Q8_0', mix: 'head' },
  q4_0: { fileType: 2, base: 'Q4_0', mix: 'head' },
  q4_1: { fileType: 3, base: 'Q4_1', mix: 'head' },
  q5_0: { fileType: 8, base: 'Q5_0', mix: 'head' },
  q5_1: { fileType: 9, base: 'Q5_1', mix: 'head' },
  // llama.cpp has no number for these two: they are what its quantiser makes with --pure, under the name of the nearest recipe.
  q4_k: { fileType: 14, base: 'Q4_K', mix: 'plain' },
  q5_k: { fileType: 16, base: 'Q5_K', mix: 'plain' },
  q6_k: { fileType: 18, base: 'Q6_K', mix: 'head' },
  q4_k_m: { fileType: 15, base: 'Q4_K', mix: 'more' },
  q5_k_m: { fileType: 17, base: 'Q5_K', mix: 'more' },
} as const satisfies Record<string, TypeRule>;

export type ExportType = keyof typeof TYPES;

/** What the choice depends on, beside the tensor. */
export interface Proportions {
  /** `general.architecture`. */
  readonly architecture: string;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** No tensor `output.weight`. */
  readonly tied: boolean;
}

/** Blocks that get more bits: the first and last eighth, and every third between. */
export function moreBits(layer: number, layers: number): boolean {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

/** The type of tensor `name` (its name in a GGUF) with these dimensions. */
export function dtypeOf(type: ExportType, name: string, shape: readonly number[], model: Proportions): WritableDType {
  const { base, mix }: TypeRule = TYPES[type];
  if (shape.length < 2 || !name.endsWith('weight') || name.endsWith('_norm.weight')) return 'F32';
  if (base === 'F32' || base === 'F16' || base === 'BF16') return base;
  const row = shape.at(-1)!;
  return fitting(mix === 'plain' ? base : mixed(base, mix, name, row, model), row);
}

function mixed(base: WritableDType, mix: TypeRule['mix'], name: string, row: number, model: Proportions): WritableDType {
  if (name === 'output.weight' || (model.tied && name === 'token_embd.weight')) {
    if (row % blockLayouts[base].values !== 0) return 'Q8_0';
    return base === 'Q8_0' ? base : 'Q6_K';
  }
  const [, layer, part] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
  const wantsMore = part === 'attn_v' || part === 'attn_qkv' || part === 'ffn_down';
  if (mix === 'more' && wantsMore && moreBits(Number(layer), model.layers)) return 'Q6_K';
  // 80 blocks, Llama's with grouped keys, are taken for a model of 70 billion parameters, whose small v tensors are worth more bits.
  const is70B = model.layers === 80 && (model.architecture === 'qwen2' || (model.architecture === 'llama' && model.heads !== model.kvHeads));
  return is70B && part === 'attn_v' && base === 'Q4_K' ? 'Q5_K' : base;
}

const fallbacks: Partial<Record<WritableDType, WritableDType>> = { Q4_K: 'Q5_0', Q5_K: 'Q5_1', Q6_K: 'Q8_0' };

/** Rows that are no whole blocks fall back to a type with blocks of 32, and to F16 where they are not even those. */
function fitting(dtype: WritableDType, row: number): WritableDType {
  if (row % blockLayouts[dtype].values === 0) return dtype;
  const next = fallbacks[dtype];
  return next && row % blockLayouts[next].values === 0 ? next : 'F16';
}
