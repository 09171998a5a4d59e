/**
 * Weights as Hugging Face lays them out, whatever the format of the files: one file, or shards beside an index that says
 * which shard has which tensor. Checks that index and shards agree; what is in a file is the business of its format.
 */
import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../errors.ts';
import { blockLayouts } from './ggml.ts';
import { InputFile, type FileBytes } from './input-file.ts';
import { noSuchTensor, readTensorFloat32 } from './read-tensor.ts';
import { refuserFor } from './refuse.ts';
import { parseJsonObject } from './safetensors-header.ts';
import type { Contents, StoredTensor, TensorDType, TensorInfo, TensorReader } from './tensors.ts';

export interface WeightsFormat {
  /** For messages, with its article. */
  readonly kind: string;
  readonly singleName: string;
  readonly indexName: string;
  /** With its dot. */
  readonly extension: string;
  /** Everything that the file says about its tensors, checked. Throws InputError. */
  readContents(file: FileBytes): Contents;
}

export interface WeightsReader extends TensorReader {
  readonly metadata: Record<string, string>;
  /** Tensors that cannot be read as float32 (integers, masks, float64 …): type and shape by name. */
  readonly otherTensors: ReadonlyMap<string, { readonly dtype: string; readonly shape: readonly number[] }>;
}

interface Placed {
  readonly file: InputFile;
  readonly entry: StoredTensor;
}

/**
 * @param path a file of weights, an index file, or a folder with either
 * Throws InputError where the file, the index or a shard is not exactly what it says of itself.
 */
export function openWeights(path: string, format: WeightsFormat): WeightsReader {
  const start = locate(path, format);
  const files: InputFile[] = [];
  try {
    return start.endsWith('.json') ? openShards(path, start, format, files) : openSingle(path, start, format, files);
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
}

function locate(path: string, { kind, singleName, indexName }: WeightsFormat): string {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  for (const name of [singleName, indexName]) {
    const candidate = join(path, name);
    if (statSync(candidate, { throwIfNoEntry: false })) return candidate;
  }
  throw new InputError({
    expected: `${singleName} or ${indexName}`,
    found: 'neither',
    where: path,
    remedy: `Give a model folder in Hugging Face layout with weights in ${kind}.`,
  });
}

function openSingle(path: string, filePath: string, format: WeightsFormat, files: InputFile[]): WeightsReader {
  const file = new InputFile(filePath, format.kind);
  files.push(file);
  const { metadata, entries } = format.readContents(file);
  return reader(path, metadata, new Map(entries.map((entry) => [entry.name, { file, entry }])), files);
}

function openShards(path: string, indexPath: string, format: WeightsFormat, files: InputFile[]): WeightsReader {
  const shardOf = readIndex(indexPath, format.extension);
  const placed = new Map<string, Placed>();
  const metadata: Record<string, string> = {};
  for (const shard of new Set(shardOf.values())) {
    const file = new InputFile(join(dirname(indexPath), shard), `the shard that ${basename(indexPath)} names`);
    files.push(file);
    const contents = format.readContents(file);
    Object.assign(metadata, contents.metadata);
    for (const entry of contents.entries) {
      if (shardOf.get(entry.name) !== shard) {
        const listed = shardOf.get(entry.name);
        refuserFor(file.path, together)(
          `only tensors that ${basename(indexPath)} places in this shard`,
          `${JSON.stringify(entry.name)}, which it ${listed === undefined ? 'does not list' : `places in ${listed}`}`,
        );
      }
      placed.set(entry.name, { file, entry });
    }
  }
  for (const [name, shard] of shardOf) {
    if (!placed.has(name)) refuserFor(indexPath, together)(`tensor ${JSON.stringify(name)} in ${shard}`, 'no such tensor there');
  }
  return reader(path, metadata, placed, files);
}

const together = 'Get the index and all of its shards again, from one revision.';

/** The file name of the shard of each tensor. Names that leave the folder are refused. */
function readIndex(path: string, extension: string): Map<string, string> {
  const refuse = refuserFor(path, together);
  const map = parseJsonObject(readWhole(path, 100_000_000), 'index', refuse)['weight_map'];
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    return refuse('an object with a weight_map', 'none');
  }
  const shardOf = new Map<string, string>();
  for (const [name, shard] of Object.entries(map)) {
    const isName = typeof shard === 'string' && shard.endsWith(extension) && shard.length > extension.length && !/[/\\\0]/.test(shard);
    if (!isName) return refuse(`names of ${extension} files in the same folder`, `${JSON.stringify(shard)} for ${name}`);
    shardOf.set(name, shard);
  }
  if (shardOf.size === 0) refuse('a weight_map with tensors', 'an empty one');
  return shardOf;
}

function readWhole(path: string, maxBytes: number): Uint8Array {
  const file = new InputFile(path, 'an index of shards');
  try {
    if (file.size > maxBytes) refuserFor(path, together)(`at most ${maxBytes} bytes`, `${file.size} bytes`);
    const bytes = new Uint8Array(file.size);
    file.read(0, bytes);
    return bytes;
  } finally {
    file.close();
  }
}

function reader(
  path: string,
  metadata: Record<string, string>,
  placed: ReadonlyMap<string, Placed>,
  files: readonly InputFile[],
): WeightsReader {
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
      if (entry.strides) {
        refuserFor(path, 'Save a contiguous copy of the tensor (`.contiguous()` in PyTorch).')(
          `values that lie row by row, for shape [${entry.shape.join(', ')}]`, `strides [${entry.strides.join(', ')}]`, `tensor ${JSON.stringify(name)}`,
        );
      }
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
