/**
 * LoRA as PEFT defines and stores it (docs/numbers.md 4): delta W = (alpha / r) B A beside a frozen weight, and the rows of
 * added tokens trained in full. Token rows lie in one range, since added tokens have the last ids.
 */
import { InputError } from '../errors.ts';
import type { Architecture, ParameterSpec } from './architecture.ts';

export interface LoraSpec {
  readonly rank: number;
  readonly alpha: number;
  /** Linear layers by local name, e.g. `attention.query_key_value`. */
  readonly modules: readonly string[];
  /** Ids [first, end) whose embedding rows (and head rows) are trained in full. */
  readonly tokenRows?: readonly [first: number, end: number];
}

export const LORA_DEFAULTS = { rank: 16, alpha: 32 } as const;

/** LoRA parameters of one block by local name. */
export function loraBlock(a: Architecture, lora: LoraSpec): Record<string, ParameterSpec> {
  return Object.fromEntries(lora.modules.flatMap((module) => {
    const [out, inner] = a.block[`${module}.weight`]!.shape as [number, number];
    return [
      [`${module}.lora_A.weight`, { shape: [lora.rank, inner], decay: true }],
      [`${module}.lora_B.weight`, { shape: [out, lora.rank], decay: true }],
    ];
  }));
}

const PREFIX = 'base_model.model.';
const DELTA = '.token_adapter.trainable_tokens_delta';
const moduleOf = (weight: string) => weight.replace(/\.weight$/, '');

/** Published name of a trained parameter in adapter_model.safetensors. Token rows carry the embedding's or head's weight name here. */
export const peftName = (name: string): string => PREFIX + (/\.lora_[AB]\.weight$/.test(name) ? name : moduleOf(name) + DELTA);

/** adapter_config.json, every field that decides what PEFT computes written out. */
export function adapterConfig(a: Architecture, lora: LoraSpec, base: string): Record<string, unknown> {
  const ids = lora.tokenRows ? Array.from({ length: lora.tokenRows[1] - lora.tokenRows[0] }, (_, i) => lora.tokenRows![0] + i) : null;
  const last = (name: string) => moduleOf(name).split('.').at(-1)!;
  return {
    peft_type: 'LORA', task_type: 'CAUSAL_LM', base_model_name_or_path: base, inference_mode: true,
    r: lora.rank, lora_alpha: lora.alpha, lora_dropout: 0, bias: 'none', fan_in_fan_out: false, use_rslora: false, use_dora: false, init_lora_weights: true,
    target_modules: lora.modules.map((m) => m.split('.').at(-1)), modules_to_save: null, rank_pattern: {}, alpha_pattern: {}, layers_to_transform: null, layers_pattern: null,
    trainable_token_indices: ids && (a.tied ? ids : { [last(a.names.embedding)]: ids, [last(a.names.head)]: ids }),
  };
}

/**
 * Reads adapter_config.json. What would change the computation and is not implemented is refused by name.
 * @throws InputError
 */
export function loraFromConfig(a: Architecture, config: Readonly<Record<string, unknown>>, where: string): LoraSpec {
  const refuse = (field: string, expected: string): never => {
    throw new InputError({ expected: `${field} to be ${expected}`, found: JSON.stringify(config[field]) ?? 'nothing', where, remedy: 'Use a LoRA adapter without this feature, or merge it with PEFT first.' });
  };
  const empty = (v: unknown) => v === undefined || v === null || v === false || v === 0 || v === 'none' || (typeof v === 'object' && Object.keys(v as object).length === 0);
  if (config['peft_type'] !== 'LORA') refuse('peft_type', '"LORA"');
  for (const field of ['fan_in_fan_out', 'use_rslora', 'use_dora', 'use_qalora', 'lora_bias', 'modules_to_save', 'rank_pattern', 'alpha_pattern', 'layers_to_transform', 'layers_pattern', 'layer_replication', 'target_parameters', 'exclude_modules', 'bias',
    'alora_invocation_tokens', 'use_bdlora', 'arrow_config', 'kasa_config', 'monteclora_config', 'velora_config', 'megatron_config']) {
    if (!empty(config[field])) refuse(field, 'absent');
  }
  // These begin by changing the base itself, and PEFT does it again when it loads such an adapter.
  if (/^(pissa|corda|olora|loftq|mica|lora_ga)/i.test(String(config['init_lora_weights']))) refuse('init_lora_weights', 'a way to begin that leaves the base as it is');
  const rank = config['r'];
  const alpha = config['lora_alpha'];
  if (!Number.isInteger(rank) || (rank as number) < 1 || (rank as number) > a.hidden * 8) refuse('r', 'a positive whole number');
  if (typeof alpha !== 'number' || !(alpha > 0)) refuse('lora_alpha', 'a positive number');
  const targets = config['target_modules'];
  if (!Array.isArray(targets)) refuse('target_modules', 'a list of layer names');
  const modules = a.linears.filter((m) => (targets as unknown[]).some((t) => t === m || m.endsWith(`.${String(t)}`)));
  const unknown = (targets as unknown[]).find((t) => !a.linears.some((m) => t === m || m.endsWith(`.${String(t)}`)));
  if (unknown !== undefined) refuse('target_modules', `among ${a.linears.join(', ')}`);
  const tokenRows = tokenRange(config['trainable_token_indices'], () => refuse('trainable_token_indices', 'one run of consecutive ids, the same for embedding and head'));
  return { rank: rank as number, alpha: alpha as number, modules, ...(tokenRows ? { tokenRows } : {}) };
}

function tokenRange(indices: unknown, refuse: () => never): readonly [number, number] | undefined {
  if (indices === null || indices === undefined) return undefined;
  const lists: unknown[] = Array.isArray(indices) ? [indices] : Object.values(indices);
  const ranges = lists.map((list) => {
    if (!Array.isArray(list) || list.length === 0 || !list.every((id, i) => Number.isInteger(id) && id >= 0 && id === (list[0] as number) + i)) return refuse();
    return [list[0] as number, (list[0] as number) + list.length] as const;
  });
  if (ranges.some(([from, to]) => from !== ranges[0]![0] || to !== ranges[0]![1])) return refuse();
  return ranges[0];
}
