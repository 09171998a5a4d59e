/**
 * Reads GGUF, llama.cpp's file format, versions 2 and 3, little-endian, one file a model. Not a writer, and the
 * meaning of metadata and tensor names is left to tokenizer and models. Format: docs/gguf.md of the ggml project.
 *
 * Layout: "GGUF", version, tensor count, key-value count; the pairs; one entry a tensor (name, dimensions with the
 * innermost first, type, offset); padding to `general.alignment`; the data that the offsets count from.
 */
import { InputError } from '../errors.ts';
import { blockLayouts, dtypeOfGgmlId } from './ggml.ts';
import { damaged, GgufCursor, readMetadata } from './gguf-metadata.ts';
import type { GgufValue } from './gguf-metadata.ts';
import { InputFile, type FileBytes } from './input-file.ts';
import { printable } from './printable.ts';
import { noSuchTensor, readTensorFloat32 } from './read-tensor.ts';
import { elementCount } from './tensors.ts';
import type { TensorInfo, TensorReader } from './tensors.ts';

export type { GgufValue } from './gguf-metadata.ts';

export interface GgufReader extends TensorReader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
}

/** A tensor of the file, with the offset of its data: from the data's start while parsing, from byte 0 after. */
export interface GgufTensor extends TensorInfo {
  readonly offset: number;
}

/** Opens and checks all of the file but the weights' values. Throws InputError with the byte offset. */
export function openGguf(path: string): GgufReader {
  const file = new InputFile(path, 'a GGUF file');
  try {
    const { version, metadata, tensors } = readGgufContents(file);
    return {
      path, version, metadata, tensors,
      readFloat32(name, out) {
        const tensor = tensors.get(name);
        if (!tensor) throw noSuchTensor(name, path, tensors.size);
        readTensorFloat32(file, tensor.offset, tensor, out);
      },
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** All that the file says of itself. Throws InputError with the byte offset. */
export function readGgufContents(file: FileBytes): { version: number; metadata: Map<string, GgufValue>; tensors: Map<string, GgufTensor> } {
  const cursor = new GgufCursor(file);
  const version = readVersion(cursor, file);
  // The smallest tensor entry: empty name, one dimension. The smallest pair: one letter, one byte.
  const tensorCount = cursor.count('tensors', Math.floor(file.size / 32));
  const pairCount = cursor.count('metadata entries', Math.floor(file.size / 14));
  const metadata = readMetadata(cursor, pairCount);
  const alignment = readAlignment(metadata, file.path);
  refuseSplit(metadata, file.path);

  const listed: GgufTensor[] = [];
  const names = new Set<string>();
  for (let i = 0; i < tensorCount; i++) {
    const offset = cursor.offset;
    const tensor = readTensorEntry(cursor, file, i);
    if (names.has(tensor.name)) cursor.fail('every tensor name once', `${JSON.stringify(tensor.name)} twice`, offset);
    if (tensor.offset % alignment !== 0) {
      cursor.fail(`the data of ${tensor.name} at a multiple of ${alignment}`, `offset ${tensor.offset}`, offset);
    }
    names.add(tensor.name);
    listed.push(tensor);
  }
  const dataStart = Math.ceil(cursor.offset / alignment) * alignment;
  return { version, metadata, tensors: placeTensors(listed, dataStart, file) };
}

function readVersion(cursor: GgufCursor, file: FileBytes): number {
  if (file.size < 24) {
    cursor.fail('a GGUF header of 24 bytes', `a file of ${file.size} bytes`, 0);
  }
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(cursor.uint32());
  if (magic.toString('latin1') !== 'GGUF') {
    const remedy = 'Give a .gguf file; older GGML and GGJT files must be converted again with llama.cpp.';
    cursor.fail('the letters GGUF', JSON.stringify(magic.toString('latin1')), 0, remedy);
  }
  const version = cursor.uint32();
  if (version === 2 || version === 3) return version;
  const swapped = version > 0 && (version & 0xffff) === 0;
  const found = swapped ? 'a big-endian file' : `version ${version}`;
  return cursor.fail('GGUF version 2 or 3, little-endian', found, 4, 'Convert the model again with a current llama.cpp.');
}

function readAlignment(metadata: ReadonlyMap<string, GgufValue>, path: string): number {
  const value = metadata.get('general.alignment') ?? 32;
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 2 ** 20 && (value & (value - 1)) === 0) {
    return value;
  }
  throw new InputError({
    expected: 'a power of two up to 1048576',
    found: printable(String(value)),
    where: `${path} general.alignment`,
    remedy: damaged,
  });
}

function refuseSplit(metadata: ReadonlyMap<string, GgufValue>, path: string): void {
  const parts = metadata.get('split.count');
  if (parts === undefined || parts === 0 || parts === 1) return;
  throw new InputError({
    expected: 'a model in one GGUF file',
    found: `one part of ${printable(String(parts))}`,
    where: `${path} split.count`,
    remedy: 'Join the parts with `llama-gguf-split --merge`.',
  });
}

function readTensorEntry(cursor: GgufCursor, file: FileBytes, index: number): GgufTensor {
  const start = cursor.offset;
  const name = cursor.key(`the name of tensor ${index + 1}`);
  if (name === '') cursor.fail('a tensor name', 'an empty one', start);
  const rank = cursor.uint32();
  if (rank < 1 || rank > 4) cursor.fail(`1 to 4 dimensions for ${name}`, `${rank}`, cursor.offset - 4);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) {
    const size = cursor.count(`as dimension ${i} of ${name}`, Number.MAX_SAFE_INTEGER);
    if (size === 0) cursor.fail(`dimensions of at least 1 for ${name}`, '0', cursor.offset - 8);
    shape.unshift(size);
  }
  const dtype = dtypeOfGgmlId(cursor.uint32(), `${file.path} byte ${cursor.offset - 4}, tensor ${printable(name, 80)}`);
  const offset = cursor.count(`bytes before ${name}`, file.size);
  const { values, bytes } = blockLayouts[dtype];
  const row = shape.at(-1)!;
  if (row % values !== 0) cursor.fail(`rows of a multiple of ${values} values for ${dtype} in ${name}`, `${row}`, start);
  const count = elementCount(shape);
  if (count === undefined || (count / values) * bytes > file.size) {
    cursor.fail(`${name} of shape [${shape.join(', ')}] in ${dtype} to fit`, `a file of ${file.size} bytes`, start);
  }
  return { name, dtype, shape, byteLength: (count / values) * bytes, offset };
}

/** Moves offsets to the file's start, and refuses data past the end or shared by two tensors. */
function placeTensors(listed: readonly GgufTensor[], dataStart: number, file: FileBytes): Map<string, GgufTensor> {
  const placed = listed.map((tensor) => ({ ...tensor, offset: dataStart + tensor.offset }));
  const refuse = (expected: string, found: string, offset: number): never => {
    const where = `${file.path} byte ${offset}`;
    throw new InputError({ expected: printable(expected), found: printable(found), where, remedy: damaged });
  };
  let previous: GgufTensor | undefined;
  for (const tensor of placed.toSorted((a, b) => a.offset - b.offset)) {
    const { name, offset, byteLength } = tensor;
    if (offset + byteLength > file.size) {
      refuse(`${byteLength} bytes of tensor ${name}`, `the end of the file at byte ${file.size}`, offset);
    }
    if (previous && previous.offset + previous.byteLength > offset) {
      refuse(`tensors apart from each other`, `${previous.name} and ${name} over each other`, offset);
    }
    previous = tensor;
  }
  return new Map(placed.map((tensor) => [tensor.name, tensor]));
}
