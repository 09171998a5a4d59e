/**
 * The header of one safetensors file: eight bytes of length, then JSON that gives each tensor's type, shape and byte
 * range. Parsed and checked whole, so that a range can be trusted afterwards; the values are not looked at.
 * Format and limits: the README and safetensors/src/tensor.rs of the safetensors project.
 */
import type { FileBytes } from './input-file.ts';
import { findJsonFault } from './json-text.ts';
import { refuseLfsPointer, refuserFor, type Refuse } from './refuse.ts';
import { elementCount, type Contents, type StoredTensor } from './tensors.ts';

/** Bits of one value, in the order in which the format's own library ranks the types. */
export const safetensorsBits: Readonly<Record<string, number>> = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
};

const maxHeaderBytes = 100_000_000;
const damaged = 'The file is damaged, truncated or no safetensors file: get it again.';

/** Throws InputError, naming the tensor, for anything that does not add up to exactly this file. */
export function readSafetensorsHeader(file: FileBytes): Contents {
  const refuse: Refuse = refuserFor(file.path, damaged);
  if (file.size < 8) refuse('a safetensors header of at least 8 bytes', `a file of ${file.size} bytes`);
  const lengthBytes = Buffer.alloc(8);
  file.read(0, lengthBytes);
  const length = lengthBytes.readBigUInt64LE();
  const limit = Math.min(maxHeaderBytes, file.size - 8);
  refuseLfsPointer(file.path, lengthBytes);
  if (length > BigInt(limit)) refuse(`a header of at most ${limit} bytes`, `a length of ${length}`, 'byte 0');

  const bytes = new Uint8Array(Number(length));
  file.read(8, bytes);
  const header = parseJsonObject(bytes, 'header', refuse);
  const dataStart = 8 + bytes.length;
  const metadata = readMetadata(header['__metadata__'], refuse);
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => readEntry(name, value, dataStart, refuse));
  checkRanges(entries, dataStart, file.size, refuse);
  return { metadata, entries };
}

/** The object that `bytes` hold as JSON, for the header here and for the index of shards. */
export function parseJsonObject(bytes: Uint8Array, what: string, refuse: Refuse): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse(`UTF-8 in the ${what}`, 'other bytes');
  }
  const fault = findJsonFault(text);
  if (fault) return refuse(fault.expected, fault.found, `character ${fault.at} of the ${what}`);
  const value: unknown = JSON.parse(text);
  return isObject(value) ? value : refuse(`a JSON object as ${what}`, describe(value));
}

function readMetadata(value: unknown, refuse: Refuse): Record<string, string> {
  if (value === undefined) return {};
  if (!isObject(value)) return refuse('an object of strings', describe(value), '__metadata__');
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry !== 'string') refuse('a string', describe(entry), `__metadata__ ${JSON.stringify(key)}`);
  }
  return value as Record<string, string>;
}

function readEntry(name: string, value: unknown, dataStart: number, refuse: Refuse): StoredTensor {
  const part = `tensor ${JSON.stringify(name)}`;
  if (!isObject(value)) return refuse('an object with dtype, shape and data_offsets', describe(value), part);
  const { dtype, shape, data_offsets: offsets, ...others } = value;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) refuse('dtype, shape and data_offsets', `also ${JSON.stringify(unknown)}`, part);
  if (typeof dtype !== 'string' || !Object.hasOwn(safetensorsBits, dtype)) {
    return refuse(`a dtype out of ${Object.keys(safetensorsBits).join(', ')}`, describe(dtype), part);
  }
  if (!isSizes(shape)) return refuse('a shape of non-negative whole numbers', describe(shape), part);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    return refuse('data_offsets of two ascending byte positions', describe(offsets), part);
  }
  const [begin, end] = offsets as [number, number];
  const count = elementCount(shape);
  const bits = safetensorsBits[dtype]!;
  if (count === undefined || count * bits !== (end - begin) * 8) {
    const size = count === undefined ? 'more bytes than a file can have' : `${(count * bits) / 8} bytes`;
    refuse(`${size} for ${dtype} of shape [${shape.join(', ')}]`, `${end - begin} bytes`, part);
  }
  return { name, dtype, shape, offset: dataStart + begin, byteLength: end - begin };
}

/** The ranges must follow each other without overlap or hole, and end with the file. */
function checkRanges(entries: readonly StoredTensor[], dataStart: number, size: number, refuse: Refuse): void {
  let at = dataStart;
  const sorted = entries.toSorted((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  for (const { name, offset, byteLength } of sorted) {
    const part = `tensor ${JSON.stringify(name)}`;
    if (offset < at) refuse(`data from byte ${at - dataStart}`, `an overlap from ${offset - dataStart}`, part);
    if (offset > at) refuse(`data from byte ${at - dataStart}`, `a hole up to ${offset - dataStart}`, part);
    at = offset + byteLength;
    if (at > size) refuse(`data within ${size - dataStart} bytes`, `an end at ${at - dataStart}`, part);
  }
  if (at !== size) refuse(`a file of ${at} bytes, the end of the last tensor`, `${size} bytes`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
