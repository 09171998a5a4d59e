/**
 * Writes safetensors: one file, or shards with an index as Hugging Face names them. Each tensor's values are asked for
 * when their turn comes, so that a model larger than the memory can be written; files appear whole or not at all.
 * Order and layout as the format's own library: larger types first, then names by their bytes; header padded to 8.
 */
import { createHash } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.ts';
import { AtomicFile, requireFreeSpace, writeFileAtomic } from './atomic.ts';
import { float32ToBfloat16, float32ToFloat16 } from './half-precision.ts';
import { safetensorsBits } from './safetensors-header.ts';
import { elementCount } from './tensors.ts';

export type SafetensorsData = Float32Array | Uint16Array | Int32Array | BigInt64Array;

export interface SafetensorsTensor {
  readonly name: string;
  readonly dtype: 'F32' | 'F16' | 'BF16' | 'I32' | 'I64';
  readonly shape: readonly number[];
  /**
   * The values, row-major: Float32Array for F32, F16 and BF16 (rounded to nearest, ties to even), Uint16Array for
   * F16 and BF16 as bits, Int32Array, BigInt64Array. Called once, when the tensor is written.
   */
  data(): SafetensorsData | Promise<SafetensorsData>;
}

export interface WrittenFile {
  /** Hexadecimal SHA-256 of the file. */
  readonly sha256: string;
  readonly bytes: number;
}

const pieceValues = 2 ** 20;

/** Throws InputError or ResourceError; then the place is as it was. */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<SafetensorsTensor>,
  options: { readonly metadata?: Readonly<Record<string, string>> } = {},
): Promise<WrittenFile> {
  const sorted = [...tensors].sort(writingOrder);
  const header = headerOf(sorted, options.metadata);
  requireFreeSpace(dirname(path), header.length + sorted.reduce((sum, tensor) => sum + byteLength(tensor), 0), path);
  const file = new AtomicFile(path);
  const hash = createHash('sha256');
  const write = (bytes: Uint8Array): void => {
    hash.update(bytes);
    file.write(bytes);
  };
  try {
    write(header);
    for (const tensor of sorted) {
      for (const bytes of pieces(tensor, await tensor.data())) {
        write(bytes);
        await new Promise(setImmediate); // writing is synchronous: let timers and signals through between pieces
      }
    }
    file.commit();
  } catch (error) {
    file.abort();
    throw error;
  }
  return { sha256: hash.digest('hex'), bytes: file.bytes };
}

/**
 * Writes `model.safetensors`, or, where that would exceed `maxShardBytes` of data, numbered shards and at last their
 * index. Tensors are dealt to shards in the given order. Returns what was written by file name.
 * Throws InputError where the folder has such files already, and removes what it wrote where it fails.
 */
export async function writeShardedSafetensors(
  folder: string,
  tensors: Iterable<SafetensorsTensor>,
  options: { readonly maxShardBytes?: number; readonly metadata?: Readonly<Record<string, string>> } = {},
): Promise<Map<string, WrittenFile>> {
  const shards = dealShards([...tensors], options.maxShardBytes ?? 5e9);
  refuseWeights(folder);
  const metadata = options.metadata ?? {};
  const written = new Map<string, WrittenFile>();
  if (shards.length === 1) {
    const name = 'model.safetensors';
    return written.set(name, await writeSafetensors(join(folder, name), shards[0]!, { metadata }));
  }
  const digits = (value: number): string => String(value).padStart(5, '0');
  const weightMap: Record<string, string> = {};
  const total = shards.flat().reduce((sum, tensor) => sum + byteLength(tensor), 0);
  requireFreeSpace(folder, total, folder);
  try {
    for (const [i, shard] of shards.entries()) {
      const name = `model-${digits(i + 1)}-of-${digits(shards.length)}.safetensors`;
      written.set(name, await writeSafetensors(join(folder, name), shard, { metadata }));
      for (const tensor of shard) weightMap[tensor.name] = name;
    }
    const index = { metadata: { total_size: total }, weight_map: sortedByKey(weightMap) };
    writeFileAtomic(join(folder, 'model.safetensors.index.json'), `${JSON.stringify(index, null, 2)}\n`);
  } catch (error) {
    for (const name of written.keys()) rmSync(join(folder, name), { force: true });
    throw error;
  }
  return written;
}

function dealShards(tensors: readonly SafetensorsTensor[], maxShardBytes: number): SafetensorsTensor[][] {
  const shards: SafetensorsTensor[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    const size = byteLength(tensor);
    if (bytes > 0 && bytes + size > maxShardBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)!.push(tensor);
    bytes += size;
  }
  refuseTwice(tensors);
  return shards;
}

/** Old shards beside new ones would be read as one model, or hide it. */
function refuseWeights(folder: string): void {
  const found = readdirSync(folder).find((name) => /^model.*\.safetensors(\.index\.json)?$/.test(name));
  if (found === undefined) return;
  throw new InputError({
    expected: 'a folder without weights',
    found,
    where: folder,
    remedy: 'Write to a new folder, or move the old weights away.',
  });
}

const rank = new Map(Object.keys(safetensorsBits).map((dtype, i) => [dtype, i]));

function writingOrder(a: SafetensorsTensor, b: SafetensorsTensor): number {
  return rank.get(b.dtype)! - rank.get(a.dtype)! || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}

function headerOf(sorted: readonly SafetensorsTensor[], metadata: Readonly<Record<string, string>> = {}): Buffer {
  refuseTwice(sorted);
  const header = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) header.set('__metadata__', sortedByKey(metadata));
  let at = 0;
  for (const tensor of sorted) {
    const { name, dtype, shape } = tensor;
    const end = at + byteLength(tensor);
    header.set(name, { dtype, shape, data_offsets: [at, end] });
    at = end;
  }
  // Object.fromEntries would put names that look like array indices first, so the text is made entry by entry.
  const entries = [...header].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const text = Buffer.from(`{${entries.join(',')}}`);
  const padded = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  text.copy(padded, 8);
  return padded;
}

function refuseTwice(tensors: readonly SafetensorsTensor[]): void {
  const names = new Set<string>();
  for (const { name } of tensors) {
    if (names.has(name) || name === '__metadata__') throw new RangeError(`tensor name ${name} is taken`);
    names.add(name);
  }
}

function byteLength(tensor: SafetensorsTensor): number {
  const count = elementCount(tensor.shape);
  if (count === undefined) throw new RangeError(`tensor ${tensor.name} has no valid shape: [${tensor.shape.join(', ')}]`);
  return (count * safetensorsBits[tensor.dtype]!) / 8;
}

/** The bytes to write, as views of the data where it is stored as it is, else converted a piece at a time. */
function* pieces(tensor: SafetensorsTensor, data: SafetensorsData): Generator<Uint8Array> {
  const { name, dtype } = tensor;
  if (data.length !== elementCount(tensor.shape)) {
    throw new RangeError(`tensor ${name} has ${data.length} values for shape [${tensor.shape.join(', ')}]`);
  }
  const half = dtype === 'F16' || dtype === 'BF16';
  const convert = half && data instanceof Float32Array;
  const fits =
    convert ||
    (half && data instanceof Uint16Array) ||
    (dtype === 'F32' && data instanceof Float32Array) ||
    (dtype === 'I32' && data instanceof Int32Array) ||
    (dtype === 'I64' && data instanceof BigInt64Array);
  if (!fits) throw new TypeError(`tensor ${name} of ${dtype} was given as ${data.constructor.name}`);
  for (let at = 0; at < data.length; at += pieceValues) {
    let piece: SafetensorsData = data.subarray(at, at + pieceValues);
    if (convert) {
      const source = piece as Float32Array;
      piece = new Uint16Array(source.length);
      if (dtype === 'F16') float32ToFloat16(source, piece);
      else float32ToBfloat16(source, piece);
    }
    yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
  }
}

function sortedByKey(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
