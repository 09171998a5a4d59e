/**
 * Writes GGUF version 3, little-endian, one file. Tensors are read ahead into room for the largest of them and converted
 * piece by piece, so memory stays near one tensor; the file appears whole or not at all, and the disk's space is looked at
 * before. Which type a tensor gets, and what the keys mean, is the caller's. Arrays of arrays, which llama.cpp refuses, are
 * not written. Format: docs/gguf.md of the ggml project; layout as in gguf.ts.
 */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { AtomicFile, requireFreeSpace } from './atomic.ts';
import { blockLayouts } from './ggml.ts';
import { bytesOf, QuantisePool, type Piece } from './quantise-pool.ts';
import type { WritableDType } from './quantise.ts';
import { Ring } from './ring.ts';
import type { WrittenFile } from './safetensors-write.ts';
import { elementCount } from './tensors.ts';

interface Kind {
  readonly id: number;
  readonly bytes: number;
  readonly write: (target: Buffer, value: number | bigint, at: number) => void;
  /** Whole numbers of this range alone. */
  readonly range?: readonly [least: bigint, most: bigint];
}

const unsigned = (bits: bigint): readonly [bigint, bigint] => [0n, 2n ** bits - 1n];
const signed = (bits: bigint): readonly [bigint, bigint] => [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];

const numbers = {
  uint8: { id: 0, bytes: 1, write: (b, v, at) => b.writeUInt8(Number(v), at), range: unsigned(8n) },
  int8: { id: 1, bytes: 1, write: (b, v, at) => b.writeInt8(Number(v), at), range: signed(8n) },
  uint16: { id: 2, bytes: 2, write: (b, v, at) => b.writeUInt16LE(Number(v), at), range: unsigned(16n) },
  int16: { id: 3, bytes: 2, write: (b, v, at) => b.writeInt16LE(Number(v), at), range: signed(16n) },
  uint32: { id: 4, bytes: 4, write: (b, v, at) => b.writeUInt32LE(Number(v), at), range: unsigned(32n) },
  int32: { id: 5, bytes: 4, write: (b, v, at) => b.writeInt32LE(Number(v), at), range: signed(32n) },
  float32: { id: 6, bytes: 4, write: (b, v, at) => b.writeFloatLE(Number(v), at) },
  uint64: { id: 10, bytes: 8, write: (b, v, at) => (typeof v === 'number' && v < 128 ? b.fill(0, at, at + 8).writeUInt8(v, at) : b.writeBigUInt64LE(BigInt(v), at)), range: unsigned(64n) },
  int64: { id: 11, bytes: 8, write: (b, v, at) => b.writeBigInt64LE(BigInt(v), at), range: signed(64n) },
  float64: { id: 12, bytes: 8, write: (b, v, at) => b.writeDoubleLE(Number(v), at) },
} as const satisfies Record<string, Kind>;

const boolId = 7;
const stringId = 8;
const arrayId = 9;

export type GgufNumber = keyof typeof numbers;

/** A value of metadata with the type that the file names. */
export type GgufTyped =
  | { readonly type: GgufNumber; readonly value: number | bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly of: GgufNumber; readonly value: ArrayLike<number | bigint> }
  | { readonly type: 'array'; readonly of: 'bool'; readonly value: readonly boolean[] }
  | { readonly type: 'array'; readonly of: 'string'; readonly value: readonly string[] };

export interface GgufTensor {
  readonly name: string;
  readonly dtype: WritableDType;
  /** Row-major, outermost dimension first; the file has them the other way round. */
  readonly shape: readonly number[];
  /** The values, row-major: in `room`, which has their number, or in an array of the caller's. Called once, when the tensor is written. */
  data(room: Float32Array): Float32Array | Promise<Float32Array>;
}

export interface GgufWriteOptions {
  readonly metadata: Iterable<readonly [key: string, value: GgufTyped]>;
  readonly tensors: Iterable<GgufTensor>;
  /** A power of two, at least 8. */
  readonly alignment?: number;
  /** Threads that quantise. Default: all cores. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  onProgress?(bytes: number, total: number): void;
}

/** What llama.cpp has room for, its end mark counted. */
const MAX_NAME_BYTES = 63;

/** Throws InputError or ResourceError; then the place is as it was. Throws RangeError for what no caller should ask. */
export async function writeGguf(path: string, options: GgufWriteOptions): Promise<WrittenFile> {
  const { alignment = 32 } = options;
  if (!Number.isInteger(alignment) || alignment < 8 || (alignment & (alignment - 1)) !== 0) throw new RangeError(`alignment ${alignment} is no power of two from 8`);
  const tensors = [...options.tensors];
  const sizes = tensors.map(byteLength);
  const padding = (bytes: number): number => (alignment - (bytes % alignment)) % alignment;
  const header = headerOf([...options.metadata, ...(alignment === 32 ? [] : [['general.alignment', { type: 'uint32', value: alignment }] as const])], tensors, sizes, padding);
  const total = header.length + sizes.reduce((sum, bytes) => sum + bytes + padding(bytes), 0);
  requireFreeSpace(dirname(path), total, path);

  const file = new AtomicFile(path);
  const pool = new QuantisePool(options.threads);
  const hash = createHash('sha256');
  const write = (bytes: Uint8Array): void => {
    options.signal?.throwIfAborted();
    hash.update(bytes);
    file.write(bytes);
    options.onProgress?.(file.bytes, total);
  };
  // Read ahead, in room for one largest tensor: while one is converted, those after it are read where they fit.
  const values = tensors.map(({ shape }) => elementCount(shape)!);
  const most = Math.max(0, ...values);
  const buffer = new SharedArrayBuffer(4 * most);
  const ring = new Ring(most);
  const ahead: Piece[] = [];
  const writeOldest = async (): Promise<void> => {
    const piece = ahead.shift()!;
    const bytes = piece.bytes();
    if (bytes instanceof Uint8Array) await new Promise(setImmediate); // lets timers and signals through
    write(bytes instanceof Uint8Array ? bytes : await bytes);
    piece.release();
  };
  try {
    if (tensors.some(({ dtype }, i) => pool.spreads(dtype, values[i]!))) pool.start();
    write(header);
    for (const [i, tensor] of tensors.entries()) {
      const count = values[i]!;
      let from: number | undefined;
      while ((from = ring.take(count)) === undefined) await writeOldest();
      const data = await tensor.data(new Float32Array(buffer, 4 * from, count));
      if (data.length !== count) throw new RangeError(`tensor ${tensor.name} has ${data.length} values for shape [${tensor.shape.join(', ')}]`);
      const [where, rowLength] = [`${path} ${tensor.name}`, tensor.shape.at(-1)!];
      const make = pool.spreads(tensor.dtype, count) ? pool.away.bind(pool) : pool.here.bind(pool);
      for (const source of pool.split(data, rowLength)) {
        let piece: Piece | undefined;
        while (!(piece = make(tensor.dtype, source, rowLength, where))) await writeOldest();
        ahead.push(piece);
      }
      ahead.push({ bytes: () => Buffer.alloc(padding(sizes[i]!)), release: () => ring.free() });
    }
    while (ahead.length > 0) await writeOldest();
    file.commit();
  } catch (error) {
    file.abort();
    throw error;
  } finally {
    await pool.close();
  }
  return { sha256: hash.digest('hex'), bytes: file.bytes };
}

function byteLength({ name, dtype, shape }: GgufTensor): number {
  const count = elementCount(shape);
  if (!count || shape.length > 4) throw new RangeError(`tensor ${name} has no valid shape: [${shape.join(', ')}]`);
  if (shape.at(-1)! % blockLayouts[dtype].values !== 0) throw new RangeError(`rows of ${shape.at(-1)} values in ${name} are no whole blocks of ${dtype}`);
  return bytesOf(dtype, count);
}

function headerOf(metadata: readonly (readonly [string, GgufTyped])[], tensors: readonly GgufTensor[], sizes: readonly number[], padding: (bytes: number) => number): Buffer {
  const out = new Out();
  out.raw(Buffer.from('GGUF'));
  out.number('uint32', 3);
  out.number('uint64', tensors.length);
  out.number('uint64', metadata.length);
  once(metadata.map(([key]) => key), 'metadata key');
  for (const [key, value] of metadata) {
    out.string(key);
    out.typed(value);
  }
  once(tensors.map(({ name }) => name), 'tensor name');
  let offset = 0;
  for (const [i, { name, shape, dtype }] of tensors.entries()) {
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw new RangeError(`tensor name ${name} is longer than ${MAX_NAME_BYTES} bytes`);
    out.string(name);
    out.number('uint32', shape.length);
    for (const size of shape.toReversed()) out.number('uint64', size);
    out.number('uint32', blockLayouts[dtype].id);
    out.number('uint64', offset);
    offset += sizes[i]! + padding(sizes[i]!);
  }
  out.raw(Buffer.alloc(padding(out.length)));
  return out.bytes();
}

function once(names: readonly string[], what: string): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (name === '' || seen.has(name)) throw new RangeError(`${what} ${JSON.stringify(name)} is empty or taken`);
    seen.add(name);
  }
}

/** A buffer that grows: a vocabulary is some hundred thousand values. */
class Out {
  #buffer = Buffer.alloc(2 ** 16);
  length = 0;

  /** Room for so many bytes more; gives where they begin. */
  #room(bytes: number): number {
    const at = this.length;
    this.length += bytes;
    if (this.length > this.#buffer.length) {
      const larger = Buffer.alloc(2 ** Math.ceil(Math.log2(this.length)));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    return at;
  }

  raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#buffer.set(bytes, at);
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }

  number(type: GgufNumber, value: number | bigint): void {
    const { bytes, write, range }: Kind = numbers[type];
    if (range) {
      if (typeof value === 'number' && !Number.isInteger(value)) throw new RangeError(`${value} is no ${type}`);
      // The commonest case apart: a vocabulary of BigInts is megabytes of garbage.
      if (!(typeof value === 'number' && value >= 0 && value < 128) && (BigInt(value) < range[0] || BigInt(value) > range[1])) throw new RangeError(`${value} is no ${type}`);
    }
    const at = this.#room(bytes);
    write(this.#buffer, value, at);
  }

  string(text: string): void {
    const bytes = Buffer.byteLength(text);
    this.number('uint64', bytes);
    const at = this.#room(bytes);
    this.#buffer.write(text, at);
  }

  bool(value: boolean): void {
    const at = this.#room(1);
    this.#buffer[at] = value ? 1 : 0;
  }

  typed(value: GgufTyped): void {
    this.number('uint32', idOf(value.type));
    if (value.type !== 'array') return this.one(value.type, value.value);
    this.number('uint32', idOf(value.of));
    this.number('uint64', value.value.length);
    for (let i = 0; i < value.value.length; i++) this.one(value.of, value.value[i]!);
  }

  one(type: GgufNumber | 'bool' | 'string', value: number | bigint | boolean | string): void {
    if (type === 'string') this.string(value as string);
    else if (type === 'bool') this.bool(value as boolean);
    else this.number(type, value as number | bigint);
  }
}

const idOf = (type: GgufTyped['type']): number => (type === 'string' ? stringId : type === 'bool' ? boolId : type === 'array' ? arrayId : numbers[type].id);
