/**
 * Reads safetensors weights: one file, or a folder in Hugging Face's layout with `model.safetensors` or with shards
 * and their `model.safetensors.index.json`. The header is in safetensors-header.ts, the writer in safetensors-write.ts.
 */
import { readSafetensorsHeader } from './safetensors-header.ts';
import { openWeights, type WeightsFormat, type WeightsReader } from './shards.ts';

export { writeSafetensors, writeShardedSafetensors } from './safetensors-write.ts';
export type { SafetensorsData, SafetensorsTensor, WrittenFile } from './safetensors-write.ts';
export type { WeightsReader as SafetensorsReader } from './shards.ts';

export const safetensorsFormat: WeightsFormat = {
  kind: 'a safetensors file',
  singleName: 'model.safetensors',
  indexName: 'model.safetensors.index.json',
  extension: '.safetensors',
  readContents: readSafetensorsHeader,
};

/**
 * @param path a .safetensors file, an index file, or a folder with either
 * Throws InputError where the file, the index or a shard is not exactly what its header says.
 */
export const openSafetensors = (path: string): WeightsReader => openWeights(path, safetensorsFormat);
