/**
 * A model as the metadata and tensors of a GGUF: general keys, the family's, the tokenizer's, the template's, and our own under
 * `roslin.`. Values are read, merged and put into the file's order of rows when a tensor's turn comes.
 */
import { basename } from 'node:path';
import { InputError } from '../errors.ts';
import type { GgufTensor, GgufTyped } from '../formats/gguf-write.ts';
import type { OpenedModel } from '../inference/open-model.ts';
import { licenceVerdict } from '../licence/verdict.ts';
import { parametersOf, type Architecture } from '../models/architecture.ts';
import { ggufNaming } from '../models/from-gguf.ts';
import { DOLLY_JINJA } from '../tokenizer/dolly.ts';
import { ggufFamilyOf, type GgufFamily } from './families.ts';
import type { MergedWeights } from './merge.ts';
import { dtypeOf, TYPES, type ExportType, type Proportions } from './types.ts';
import { vocabularyKeys } from './vocabulary.ts';

const text = (value: string): GgufTyped => ({ type: 'string', value });
const count = (value: number): GgufTyped => ({ type: 'uint32', value });

/** Version of the blocks' layout: `GGML_QNT_VERSION`. */
const QUANTIZATION_VERSION = 2;

/** A file's or folder's name without what it ends with. */
export const nameOf = (path: string): string => basename(path).replace(/\.(gguf|jsonl|txt)$/, '');

/** The chat template that a program should use: the base's own, or Dolly's. None where the model was taught none. */
export function jinjaOf({ template, text: { chatTemplate } }: OpenedModel): string | undefined {
  return template.name === 'dolly' ? DOLLY_JINJA : template.name === 'chat' ? chatTemplate : undefined;
}

/** What the licences of all that the model was made of come to. */
export function verdictOf({ run, licence }: OpenedModel): { verdict: string; reasons: readonly string[] } {
  return run ? { verdict: run.verdict, reasons: run.verdict_reasons ?? [] } : licenceVerdict([{ part: 'model', licence }]);
}

/** Licences of base and data together, or null where one is not known. */
export function licenceOf({ run, licence }: OpenedModel): string | null {
  if (!run) return licence;
  const parts = [...(run.base ? [run.base.licence] : []), run.data.licence];
  return parts.includes(null) ? null : [...new Set(parts)].join(' AND ');
}

/** All metadata of a model's file. @throws InputError for a family or tokenizer that llama.cpp does not have */
export function metadataOf(model: OpenedModel, type: ExportType, roslin: string, redistributable?: boolean): [string, GgufTyped][] {
  const { architecture: a, config, run, path } = model;
  const family = ggufFamilyOf(a.type, path);
  return [
    ['general.architecture', text(family.architecture)],
    ['general.type', text('model')],
    ...generalKeys(model),
    ['general.file_type', count(TYPES[type].fileType)],
    ['general.quantization_version', count(QUANTIZATION_VERSION)],
    ...Object.entries(family.metadata(a, config)).map(([key, value]) => [`${family.architecture}.${key}`, value] as [string, GgufTyped]),
    ...vocabularyKeys({ json: model.tokenizer.toJson(), size: a.vocabSize, where: path }),
    ...specialKeys(model),
    ['roslin.version', text(roslin)],
    ['roslin.template.name', text(model.template.name)],
    ['roslin.template.hash', text(model.template.hash)],
    ['roslin.licence.verdict', text(verdictOf(model).verdict)],
    ...(redistributable === undefined ? [] : ([['roslin.licence.redistributable', { type: 'bool', value: redistributable }]] as [string, GgufTyped][])),
    ...(run?.data.dataset ? ([['roslin.dataset.root', text(run.data.dataset.root)]] as [string, GgufTyped][]) : []),
    ...(run ? ([['roslin.data.sha256', text(run.data.hash)], ...(run.base ? [['roslin.base.sha256', text(run.base.hash)]] : [])] as [string, GgufTyped][]) : []),
  ];
}

/** What it is called, what it was made of, and under which licences. */
function generalKeys(model: OpenedModel): [string, GgufTyped][] {
  const { run, path } = model;
  const licence = licenceOf(model);
  return [
    ['general.name', text(run?.base ? `${nameOf(run.base.path)} on ${nameOf(run.data.path)}` : nameOf(path))],
    ...(licence === null ? [] : ([['general.license', text(licence)]] as [string, GgufTyped][])),
    ...(run?.base ? ([['general.base_model.count', count(1)], ['general.base_model.0.name', text(nameOf(run.base.path))]] as [string, GgufTyped][]) : []),
    ...(run ? ([['general.dataset.count', count(1)], ['general.dataset.0.name', text(nameOf(run.data.path))]] as [string, GgufTyped][]) : []),
  ];
}

/** Ids that programs go by, and the template. The stop token ends a text as well as a turn. */
function specialKeys({ tokenizer, template, text: settings, ...rest }: OpenedModel): [string, GgufTyped][] {
  const id = (key: string, token: string | undefined): [string, GgufTyped][] => {
    const found = token === undefined ? undefined : tokenizer.specialId(token);
    return found === undefined ? [] : [[`tokenizer.ggml.${key}_token_id`, count(found)]];
  };
  const jinja = jinjaOf({ tokenizer, template, text: settings, ...rest });
  return [
    ...id('bos', settings.bosToken),
    ...id('eos', template.stopToken),
    ...id('eot', template.stopToken),
    ...id('padding', settings.eosToken),
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: settings.addBos }],
    ['tokenizer.ggml.add_eos_token', { type: 'bool', value: false }],
    ...(jinja === undefined ? [] : ([['tokenizer.chat_template', text(jinja)]] as [string, GgufTyped][])),
  ];
}

/** A tensor before its values are asked for. */
export interface PlannedTensor extends Omit<GgufTensor, 'data'> {
  /** Its published name; absent for zeros. */
  readonly published?: string;
}

export function proportionsOf(a: Architecture, family: GgufFamily): Proportions {
  return { architecture: family.architecture, layers: a.layers, heads: a.heads, kvHeads: a.kvHeads, tied: a.tied && !family.ownHead };
}

/** The tensors in the order of the forward pass, with their types. @throws InputError for a family that llama.cpp does not run */
export function planTensors(a: Architecture, type: ExportType, where: string): PlannedTensor[] {
  const family = ggufFamilyOf(a.type, where);
  const { rename } = ggufNaming(family.architecture)!;
  const proportions = proportionsOf(a, family);
  const parameters = parametersOf(a);
  const bias = family.unbiased && [...parameters.keys()].find((name) => name.endsWith('.bias'));
  if (bias) throw new InputError({ expected: `a ${a.type} model without biases, as llama.cpp computes it`, found: bias, where, remedy: 'Use --to safetensors.' });
  const plan = (name: string, shape: readonly number[], published?: string): PlannedTensor =>
    ({ name, shape, dtype: dtypeOf(type, name, shape, proportions), ...(published === undefined ? {} : { published }) });
  const planned = [...parameters].map(([published, { shape }]) => plan(rename(published), shape, published));
  for (let layer = 0; layer < a.layers; layer++) {
    for (const local of family.biases ?? []) {
      const weight = a.block[local.replace(/bias$/, 'weight')]!;
      if (!a.block[local]) planned.push(plan(rename(a.names.block(layer) + local), [weight.shape[0]!]));
    }
  }
  if (a.tied && family.ownHead) planned.push(plan('output.weight', parameters.get(a.names.embedding)!.shape, a.names.embedding));
  return planned;
}

/** The tensors with their values. */
export function tensorsOf(model: OpenedModel, type: ExportType, weights: MergedWeights): GgufTensor[] {
  const { architecture: a, config, path } = model;
  const { rowOf } = ggufNaming(ggufFamilyOf(a.type, path).architecture)!;
  let spare = new Float32Array(0);
  return planTensors(a, type, path).map(({ published, ...tensor }) => ({
    ...tensor,
    data: (room) => {
      if (published === undefined) return room.fill(0);
      const order = rowOf(published, { ...config, head_dim: a.headDim });
      if (!order) return weights.read(published, room);
      if (spare.length < room.length) spare = new Float32Array(room.length);
      return reordered(weights.read(published, spare.subarray(0, room.length)), tensor.shape[0]!, order, room);
    },
  }));
}

/** Row `row` of the data to row `rowOf(row)`. */
export function reordered(data: Float32Array, rows: number, rowOf: ((row: number) => number) | undefined, out: Float32Array = new Float32Array(data.length)): Float32Array {
  if (!rowOf) return data;
  const width = data.length / rows;
  for (let row = 0; row < rows; row++) out.set(data.subarray(row * width, (row + 1) * width), rowOf(row) * width);
  return out;
}
