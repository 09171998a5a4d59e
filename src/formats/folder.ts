/** Which weights a model or adapter folder has, and how to open them. Safetensors come first where there are others of the same model. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { pytorchFormat } from './pytorch.ts';
import { safetensorsFormat } from './safetensors.ts';
import { openWeights, type WeightsFormat, type WeightsReader } from './shards.ts';

const formats: readonly WeightsFormat[] = [safetensorsFormat, pytorchFormat];

/** Undefined where the folder has no weights under a name that is known. */
export function weightsFormatOf(folder: string): WeightsFormat | undefined {
  const has = (name: string): boolean => statSync(join(folder, name), { throwIfNoEntry: false }) !== undefined;
  return formats.find(({ singleName, indexName }) => has(singleName) || has(indexName));
}

/** Throws InputError. */
export function openWeightsFolder(folder: string): WeightsReader {
  const format = weightsFormatOf(folder);
  if (format) return openWeights(folder, format);
  throw new InputError({
    expected: `weights in ${formats.map(({ singleName }) => singleName).join(' or ')}, or an index of their shards`,
    found: 'none of them', where: folder, remedy: 'Give a model folder in Hugging Face layout.',
  });
}

/** The weights of an adapter as PEFT saves them. `undefined` where there are none. */
export function adapterFileOf(folder: string): { readonly path: string; readonly format: WeightsFormat } | undefined {
  return formats.map((format) => ({ path: join(folder, `adapter_model${format.extension}`), format })).find(({ path }) => statSync(path, { throwIfNoEntry: false }) !== undefined);
}

/** Throws InputError. */
export function openAdapterWeights(folder: string): WeightsReader {
  const file = adapterFileOf(folder);
  if (file) return openWeights(file.path, file.format);
  throw new InputError({
    expected: `an adapter in ${formats.map(({ extension }) => `adapter_model${extension}`).join(' or ')}`, found: 'neither', where: folder, remedy: 'Give a folder that PEFT or a run wrote.',
  });
}
