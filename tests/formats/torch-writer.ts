/** Writes what torch.save writes, and what it never would: zip archives and pickles from their parts, for the tests of both. */
import type { FileBytes } from '../../src/formats/input-file.ts';
import { InputError } from '../../src/errors.ts';

/** A file in memory that counts the bytes its reader made room for. */
export function memoryFile(bytes: Uint8Array, path = 'x.bin'): FileBytes & { readonly asked: number } {
  let asked = 0;
  return {
    path,
    size: bytes.length,
    get asked() {
      return asked;
    },
    read(position, target) {
      asked += target.length;
      if (position + target.length > bytes.length) throw new InputError({ expected: 'bytes', found: 'the end', where: path, remedy: 'None.' });
      target.set(bytes.subarray(position, position + target.length));
    },
  };
}

const u16 = (value: number): Buffer => Buffer.of(value & 255, value >>> 8);
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
export const u64 = (value: bigint | number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};

export interface ZipPart {
  readonly name: string;
  readonly data: Uint8Array;
  /** Lies: what is written instead of the truth. */
  readonly flags?: number;
  readonly method?: number;
  readonly size?: number;
  readonly packed?: number;
  readonly header?: number;
  readonly disk?: number;
  readonly nameInHeader?: string;
  readonly sizeInHeader?: number;
  readonly extra?: Uint8Array;
}

/** Stored entries one after the other, a directory, and with `zip64` both of its end records; `end` replaces fields of it. */
export function zip(parts: readonly ZipPart[], { zip64 = true, comment = '', count, offset, gap = 0 }: { zip64?: boolean; comment?: string; count?: number; offset?: number; gap?: number } = {}): Buffer {
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const part of parts) {
    const { name, data, flags = 0x800, method = 0, size = data.length, packed = size, disk = 0, extra = Buffer.alloc(0) } = part;
    const inHeader = Buffer.from(part.nameInHeader ?? name);
    const stated = part.sizeInHeader ?? data.length;
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), u16(0), u16(flags), u16(method), u32(0), u32(0), u32(stated), u32(stated), u16(inHeader.length), u16(0), inHeader, data]);
    const bytes = Buffer.from(name);
    directory.push(Buffer.concat([
      Buffer.from('PK\u0001\u0002'), u16(0), u16(0), u16(flags), u16(method), u32(0), u32(0), u32(packed), u32(size), u16(bytes.length), u16(extra.length), u16(0), u16(disk), u16(0), u32(0),
      u32(part.header ?? at), bytes, extra,
    ]));
    pieces.push(local);
    at += local.length;
  }
  const listing = Buffer.concat(directory);
  const n = count ?? parts.length;
  const start = offset ?? at;
  const wide = Buffer.concat([Buffer.from('PK\u0006\u0006'), u64(44), u16(0x31e), u16(45), u32(0), u32(0), u64(n), u64(n), u64(listing.length), u64(start), Buffer.from('PK\u0006\u0007'), u32(0), u64(at + listing.length + gap), u32(1)]);
  return Buffer.concat([
    ...pieces, listing, Buffer.alloc(gap), zip64 ? wide : Buffer.alloc(0), Buffer.from('PK\u0005\u0006'), u16(0), u16(0), u16(n), u16(n), u32(listing.length), u32(start), u16(comment.length), Buffer.from(comment),
  ]);
}

/** The archive of torch.save with this pickle and these storages. */
export function archive(pickle: Uint8Array, storages: Readonly<Record<string, Uint8Array>> = {}, others: readonly ZipPart[] = []): Buffer {
  return zip([
    { name: 'model/data.pkl', data: pickle },
    { name: 'model/byteorder', data: Buffer.from('little') },
    ...Object.entries(storages).map(([key, data]) => ({ name: `model/data/${key}`, data })),
    { name: 'model/version', data: Buffer.from('3\n') },
    ...others,
  ]);
}

export const float32 = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);

type Piece = Uint8Array | string | number;

/** Opcodes one after the other; a number is a byte, a string its characters. */
export const ops = (...pieces: Piece[]): Buffer => Buffer.concat(pieces.map((piece) => (typeof piece === 'number' ? Buffer.of(piece) : typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)));

export const text = (value: string): Buffer => ops('X', u32(Buffer.byteLength(value)), Buffer.from(value));
export const int = (value: number): Buffer => {
  if (value >= 0 && value < 256) return ops('K', value);
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return ops(0x8a, 8, bytes);
};
export const long = (value: bigint): Buffer => ops(0x8a, 8, u64(BigInt.asUintN(64, value)));
export const global = (module: string, name: string): Buffer => ops('c', module, '\n', name, '\n');
export const tuple = (...items: Piece[]): Buffer => ops('(', ...items, 't');
export const orderedDict = ops(global('collections', 'OrderedDict'), ')R');
export const whole = (...pieces: Piece[]): Buffer => ops(0x80, 2, ...pieces, '.');

export const storage = (key: string, count: Piece, type = 'FloatStorage'): Buffer => ops(tuple(text('storage'), global('torch', type), text(key), text('cpu'), count), 'Q');

export interface View {
  readonly from?: Piece;
  readonly offset?: Piece;
  readonly shape?: readonly Piece[];
  readonly strides?: readonly Piece[];
  readonly hooks?: Piece;
  readonly rest?: readonly Piece[];
}

/** A tensor of four floats in storage 0, unless told otherwise. */
export function tensor({ from = storage('0', int(4)), offset = int(0), shape = [int(4)], strides = [int(1)], hooks = orderedDict, rest = [] }: View = {}): Buffer {
  return ops(global('torch._utils', '_rebuild_tensor_v2'), tuple(from, offset, tuple(...shape), tuple(...strides), 0x89, hooks, ...rest), 'R');
}

/** A dictionary of these values by name. */
export const dict = (entries: Readonly<Record<string, Piece>>): Buffer => ops('}(', ...Object.entries(entries).flatMap(([name, value]) => [text(name), value]), 'u');

export const fourFloats = { 0: float32(1, 2, 3, 4) };
