/**
 * Reads safetensors weights: one file, or a folder in Hugging Face's layout with `model.safetensors` or with shards
 * and their `model.safetensors.index.json`. The writer is in safetensors-write.ts.
 */
import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../errors.ts';
import { blockLayouts } from './ggml.ts';
import { InputFile } from './input-file.ts';
import { printable } from './printable.ts';
import { noSuchTensor, readTensorFloat32 } from './read-tensor.ts';
import { parseJsonObject, readSafetensorsHeader } from './safetensors-header.ts';
import type { SafetensorsEntry } from './safetensors-header.ts';
import type { TensorDType, TensorInfo, TensorReader } from './tensors.ts';

export { writeSafetensors, writeShardedSafetensors } from './safetensors-write.ts';
export type { SafetensorsData, SafetensorsTensor, WrittenFile } from './safetensors-write.ts';

export const singleFileName = 'model.safetensors';
export const indexFileName = 'model.safetensors.index.json';

export interface SafetensorsReader extends TensorReader {
  readonly metadata: Record<string, string>;
  /** Tensors that cannot be read as float32 (integers, masks, float64 …): type and shape by name. */
  readonly otherTensors: ReadonlyMap<string, { readonly dtype: string; readonly shape: readonly number[] }>;
}

interface Placed {
  readonly file: InputFile;
  readonly entry: SafetensorsEntry;
}

/**
 * @param path a .safetensors file, an index file, or a folder with either
 * Throws InputError where the file, the index or a shard is not exactly what its header says.
 */
export function openSafetensors(path: string): SafetensorsReader {
  const start = locate(path);
  const files: InputFile[] = [];
  try {
    return start.endsWith('.json') ? openShards(path, start, files) : openSingle(path, start, files);
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
}

function locate(path: string): string {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  for (const name of [singleFileName, indexFileName]) {
    const candidate = join(path, name);
    if (statSync(candidate, { throwIfNoEntry: false })) return candidate;
  }
  throw new InputError({
    expected: `${singleFileName} or ${indexFileName}`,
    found: 'neither',
    where: path,
    remedy: 'Give a model folder in Hugging Face layout with safetensors weights.',
  });
}

function openSingle(path: string, filePath: string, files: InputFile[]): SafetensorsReader {
  const file = new InputFile(filePath, 'a safetensors file');
  files.push(file);
  const { metadata, entries } = readSafetensorsHeader(file);
  return reader(path, metadata, new Map(entries.map((entry) => [entry.name, { file, entry }])), files);
}

function openShards(path: string, indexPath: string, files: InputFile[]): SafetensorsReader {
  const shardOf = readIndex(indexPath);
  const placed = new Map<string, Placed>();
  const metadata: Record<string, string> = {};
  for (const shard of new Set(shardOf.values())) {
    const file = new InputFile(join(dirname(indexPath), shard), `the shard that ${basename(indexPath)} names`);
    files.push(file);
    const header = readSafetensorsHeader(file);
    Object.assign(metadata, header.metadata);
    for (const entry of header.entries) {
      if (shardOf.get(entry.name) !== shard) {
        const listed = shardOf.get(entry.name);
        refuseIndex(
          file.path,
          `only tensors that ${basename(indexPath)} places in this shard`,
          `${JSON.stringify(entry.name)}, which it ${listed === undefined ? 'does not list' : `places in ${listed}`}`,
        );
      }
      placed.set(entry.name, { file, entry });
    }
  }
  for (const [name, shard] of shardOf) {
    if (!placed.has(name)) refuseIndex(indexPath, `tensor ${JSON.stringify(name)} in ${shard}`, 'no such tensor there');
  }
  return reader(path, metadata, placed, files);
}

/** The file name of the shard of each tensor. Names that leave the folder are refused. */
function readIndex(path: string): Map<string, string> {
  const bytes = readWhole(path, 100_000_000);
  const refuse = (expected: string, found: string, part = ''): never =>
    refuseIndex(`${path}${part && ` ${part}`}`, expected, found);
  const map = parseJsonObject(bytes, 'index', refuse)['weight_map'];
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    return refuse('an object with a weight_map', 'none');
  }
  const shardOf = new Map<string, string>();
  for (const [name, shard] of Object.entries(map)) {
    if (typeof shard !== 'string' || !/^[^/\\\0]+\.safetensors$/.test(shard)) {
      return refuse('names of .safetensors files in the same folder', `${JSON.stringify(shard)} for ${name}`);
    }
    shardOf.set(name, shard);
  }
  if (shardOf.size === 0) refuse('a weight_map with tensors', 'an empty one');
  return shardOf;
}

function readWhole(path: string, maxBytes: number): Uint8Array {
  const file = new InputFile(path, 'an index of shards');
  try {
    if (file.size > maxBytes) refuseIndex(path, `at most ${maxBytes} bytes`, `${file.size} bytes`);
    const bytes = new Uint8Array(file.size);
    file.read(0, bytes);
    return bytes;
  } finally {
    file.close();
  }
}

function refuseIndex(where: string, expected: string, found: string): never {
  throw new InputError({
    expected: printable(expected),
    found: printable(found),
    where,
    remedy: 'Get the index and all of its shards again, from one revision.',
  });
}

function reader(
  path: string,
  metadata: Record<string, string>,
  placed: ReadonlyMap<string, Placed>,
  files: readonly InputFile[],
): SafetensorsReader {
  const tensors = new Map<string, TensorInfo>();
  const otherTensors = new Map<string, { dtype: string; shape: readonly number[] }>();
  for (const [name, { entry }] of placed) {
    const { dtype, shape, byteLength } = entry;
    if (Object.hasOwn(blockLayouts, dtype)) tensors.set(name, { name, dtype: dtype as TensorDType, shape, byteLength });
    else otherTensors.set(name, { dtype, shape });
  }
  return {
    path,
    metadata,
    tensors,
    otherTensors,
    readFloat32(name, out) {
      const tensor = tensors.get(name);
      if (!tensor) throw notReadable(name, path, tensors.size, otherTensors.get(name)?.dtype);
      const { file, entry } = placed.get(name)!;
      readTensorFloat32(file, entry.offset, tensor, out);
    },
    close() {
      for (const file of files) file.close();
    },
  };
}

function notReadable(name: string, path: string, count: number, dtype: string | undefined): InputError {
  if (dtype === undefined) return noSuchTensor(name, path, count);
  return new InputError({
    expected: 'F32, F16 or BF16',
    found: dtype,
    where: `${path} tensor ${JSON.stringify(name)}`,
    remedy: 'Save the weights in one of these types.',
  });
}
