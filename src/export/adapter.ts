/** A LoRA adapter for other programs: PEFT's folder, or llama.cpp's adapter GGUF, whose rows of B lie as those of the weight they are added to. */
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { writeFileAtomic } from '../formats/atomic.ts';
import type { GgufTensor, GgufTyped } from '../formats/gguf-write.ts';
import { writeSafetensors, type WrittenFile } from '../formats/safetensors-write.ts';
import { folderFiles } from '../inference/model-folder.ts';
import type { OpenedModel } from '../inference/open-model.ts';
import { adapterConfig, loraBlock, peftName, type LoraSpec } from '../models/adapter.ts';
import { ggufNaming } from '../models/from-gguf.ts';
import type { ParameterReader } from '../models/weights.ts';
import { ggufFamilyOf } from './families.ts';
import { jinjaOf, nameOf, reordered } from './gguf-model.ts';

/** @throws InputError where the model is no adapter */
export function loraOf(model: OpenedModel): LoraSpec {
  if (model.lora) return model.lora;
  throw new InputError({ expected: 'a LoRA run or a PEFT adapter', found: 'a whole model', where: model.path, remedy: 'Use --to gguf or --to safetensors.' });
}

/** @throws InputError for an adapter with rows of added tokens, which llama.cpp's adapters cannot carry */
export function refuseTokenRows(lora: LoraSpec, where: string): void {
  if (!lora.tokenRows) return;
  throw new InputError({
    expected: 'an adapter of matrices alone, which is all that an adapter GGUF can carry', found: `one with trained rows for ${lora.tokenRows[1] - lora.tokenRows[0]} added tokens`, where,
    remedy: 'Merge instead: --to gguf.',
  });
}

/** Published names and shapes of LoRA's matrices. */
const matricesOf = ({ architecture: a }: OpenedModel, lora: LoraSpec): { name: string; shape: readonly number[] }[] =>
  Array.from({ length: a.layers }, (_, layer) => Object.entries(loraBlock(a, lora)).map(([local, { shape }]) => ({ name: a.names.block(layer) + local, shape }))).flat();

/** Writes adapter_model.safetensors, adapter_config.json and what lies beside them into `folder`. */
export async function writePeft(folder: string, model: OpenedModel, dtype: 'F32' | 'F16' | 'BF16', reader: ParameterReader): Promise<WrittenFile> {
  const lora = loraOf(model);
  const { architecture: a } = model;
  const matrices = matricesOf(model, lora).map(({ name, shape }) => ({ name: peftName(name), dtype, shape, data: () => reader.read(name) }));
  const rows = lora.tokenRows ? [...new Set([a.names.embedding, a.names.head])].map((name) => {
    const [first, end] = lora.tokenRows!;
    return { name: peftName(name), dtype, shape: [end - first, a.hidden], data: () => reader.read(name).slice(first * a.hidden, end * a.hidden) };
  }) : [];
  const written = await writeSafetensors(join(folder, 'adapter_model.safetensors'), [...matrices, ...rows], { metadata: { format: 'pt' } });
  writeFileAtomic(join(folder, 'adapter_config.json'), `${JSON.stringify(adapterConfig(a, lora, model.base ?? ''), null, 2)}\n`);
  for (const [name, content] of Object.entries(folderFiles(model, dtype, jinjaOf(model)))) writeFileAtomic(join(folder, name), content);
  return written;
}

/** Metadata and tensors of an adapter GGUF. @throws InputError */
export function adapterGguf(model: OpenedModel, dtype: 'F32' | 'F16', reader: ParameterReader): { metadata: [string, GgufTyped][]; tensors: GgufTensor[] } {
  const lora = loraOf(model);
  refuseTokenRows(lora, model.path);
  const { architecture: a, config } = model;
  const { architecture } = ggufFamilyOf(a.type, model.path);
  const { rename, rowOf } = ggufNaming(architecture)!;
  const text = (value: string): GgufTyped => ({ type: 'string', value });
  const tensors = matricesOf(model, lora).map(({ name, shape }): GgufTensor => {
    const weight = name.replace(/\.lora_[AB]\.weight$/, '.weight');
    const isB = name.endsWith('.lora_B.weight');
    return {
      name: `${rename(weight)}.lora_${isB ? 'b' : 'a'}`, dtype, shape,
      data: () => reordered(reader.read(name), shape[0]!, isB ? rowOf(weight, { ...config, head_dim: a.headDim }) : undefined),
    };
  });
  return {
    metadata: [
      ['general.architecture', text(architecture)], ['general.type', text('adapter')], ['adapter.type', text('lora')],
      ['adapter.lora.alpha', { type: 'float32', value: lora.alpha }], ['general.name', text(nameOf(model.path))],
      ['general.file_type', { type: 'uint32', value: dtype === 'F16' ? 1 : 0 }], ['general.quantization_version', { type: 'uint32', value: 2 }],
      ['roslin.template.name', text(model.template.name)], ['roslin.template.hash', text(model.template.hash)],
    ],
    tensors,
  };
}
