/** Which weights a model folder has, and how to open them. Safetensors come first where there are others of the same model. */
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
