/**
 * Reading a published config.json: every field that changes the meaning of a model is read or refused by name; a field
 * nobody here knows is refused too, unless it is known not to matter for computing the model.
 */
import { InputError } from '../errors.ts';

export type Json = Readonly<Record<string, unknown>>;

/** Fields that say how a model was made or is to be used, not what it computes. */
const HARMLESS = new Set([
  'architectures', 'model_type', 'transformers_version', 'torch_dtype', 'dtype', '_name_or_path', 'use_cache', 'initializer_range', 'bos_token_id', 'eos_token_id',
  'pad_token_id', 'unk_token_id', 'sep_token_id', 'decoder_start_token_id', 'return_dict', 'output_hidden_states', 'output_attentions', 'classifier_dropout', 'custom_pipelines',
  'is_decoder', 'is_encoder_decoder', 'add_cross_attention', 'cross_attention_hidden_size', 'problem_type', 'id2label', 'label2id', 'torchscript',
  'chunk_size_feed_forward', 'task_specific_params', 'prefix', 'finetuning_task', 'tokenizer_class', 'transformers.js_config', 'pretraining_tp', 'is_llama_config', 'use_bfloat16',
  'keys_to_ignore_at_inference', 'tie_encoder_decoder', 'gradient_checkpointing',
  'summary_type', 'summary_use_proj', 'summary_activation', 'summary_proj_to_labels', 'summary_first_dropout',
]);

export class ConfigReader {
  readonly #config: Json;
  readonly #where: string;
  readonly #read = new Set<string>();

  constructor(config: Json, where: string) {
    this.#config = config;
    this.#where = where;
  }

  #fail(field: string, expected: string, found: unknown): never {
    throw new InputError({ expected: `${field} to be ${expected}`, found: JSON.stringify(found) ?? 'nothing', where: this.#where, remedy: 'Use a model whose config says so, or ask for this kind to be added.' });
  }

  #take(field: string): unknown {
    this.#read.add(field);
    return this.#config[field];
  }

  /** A positive integer below 2^31. */
  count(field: string, fallback?: number): number {
    const value = this.#take(field) ?? fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value >= 2 ** 31) this.#fail(field, 'a positive whole number', value);
    return value;
  }

  /** An integer from 0 on. */
  whole(field: string, fallback?: number): number {
    const value = this.#take(field) ?? fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= 2 ** 31) this.#fail(field, 'a whole number', value);
    return value;
  }

  number(field: string, fallback?: number): number {
    const value = this.#take(field) ?? fallback;
    if (typeof value !== 'number' || !(value > 0) || !Number.isFinite(value)) this.#fail(field, 'a positive number', value);
    return value;
  }

  flag(field: string, fallback: boolean): boolean {
    const value = this.#take(field) ?? fallback;
    if (typeof value !== 'boolean') this.#fail(field, 'true or false', value);
    return value;
  }

  /** One of the kinds that are implemented; anything else is refused by name. */
  oneOf<const T extends string>(field: string, kinds: readonly T[], fallback?: T): T {
    const value = this.#take(field) ?? fallback;
    if (!kinds.includes(value as T)) this.#fail(field, `one of ${kinds.join(', ')}`, value);
    return value as T;
  }

  /** A field that must be absent, null or one of the given values. */
  only(field: string, ...values: unknown[]): void {
    const value = this.#take(field) ?? null;
    if (value !== null && !values.includes(value)) this.#fail(field, values.length ? `absent or ${values.map((v) => JSON.stringify(v)).join(' or ')}` : 'absent', value);
  }

  /** A list of one kind only; false where there is none. */
  eachOf(field: string, kind: string): boolean {
    const value = this.#take(field) ?? null;
    if (value !== null && !(Array.isArray(value) && value.every((v) => v === kind))) this.#fail(field, `a list of nothing but "${kind}"`, value);
    return value !== null;
  }

  /** Rotary parameters, in the old spelling (`rope_theta`, `rope_scaling`) or the newer `rope_parameters`; every scaling kind is refused. */
  rotary(thetaField: string, theta: number): { theta: number; partial: number | undefined } {
    const nested = this.#take('rope_parameters') as Json | null | undefined;
    const scaling = (this.#take('rope_scaling') ?? nested ?? {}) as Json;
    const kind = scaling['rope_type'] ?? scaling['type'] ?? 'default';
    if (kind !== 'default') this.#fail('rope_scaling', 'absent: no scaling kind is implemented', kind);
    const allowed = ['rope_theta', 'rope_type', 'type', 'partial_rotary_factor'];
    for (const key of Object.keys(scaling)) if (!allowed.includes(key)) this.#fail(`rope_scaling.${key}`, 'absent', scaling[key]);
    const value = nested?.['rope_theta'] ?? this.#take(thetaField) ?? theta;
    this.#read.add(thetaField);
    if (typeof value !== 'number' || !(value > 0)) this.#fail(thetaField, 'a positive number', value);
    const partial = nested?.['partial_rotary_factor'];
    if (partial !== undefined && (typeof partial !== 'number' || !(partial > 0 && partial <= 1))) this.#fail('partial_rotary_factor', 'above 0 and at most 1', partial);
    return { theta: value, partial: partial as number | undefined };
  }

  /** Theta where the whole of a head is turned; a part of it is refused. */
  wholeRotary(thetaField: string, fallback: number): number {
    const { theta, partial } = this.rotary(thetaField, fallback);
    if (partial !== undefined && partial !== 1) this.#fail('partial_rotary_factor', 'absent or 1', partial);
    return theta;
  }

  /** To be called last: a field that was neither read nor is known to be harmless may change what the model computes. */
  finish(): void {
    for (const [field, value] of Object.entries(this.#config)) {
      if (!this.#read.has(field) && !HARMLESS.has(field) && value !== null && value !== undefined) this.#fail(field, 'absent: this field is not known here and may change what the model computes', value);
    }
  }

  require(ok: boolean, expected: string, found: string): void {
    if (!ok) throw new InputError({ expected, found, where: this.#where });
  }

  /** Grouped heads whose whole size is turned. */
  requireHeads(heads: number, kvHeads: number, headDim: number): void {
    this.require(heads % kvHeads === 0, 'num_attention_heads to be a multiple of num_key_value_heads', `${heads} and ${kvHeads}`);
    this.require(headDim % 2 === 0, 'an even head_dim', String(headDim));
  }
}
