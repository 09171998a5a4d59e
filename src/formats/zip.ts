/**
 * The directory of a zip file whose entries are stored as they are, zip64 included: where each entry's bytes lie, so that
 * they can be read at any place. Nothing is unpacked and no file is written; compressed and encrypted entries are refused.
 * Checksums are not compared: PyTorch can write others on purpose, and a download was verified whole by its hash.
 * Format: PKWARE's APPNOTE 6.3.10, sections 4.3 to 4.5.
 */
import type { FileBytes } from './input-file.ts';
import type { Refuse } from './refuse.ts';

export interface ZipEntry {
  readonly name: string;
  /** Byte of the file where the entry's own bytes start. */
  readonly offset: number;
  readonly size: number;
}

/** Where an entry begins and what the directory says of it, before its local header is looked at. */
interface Listed {
  readonly name: string;
  readonly nameBytes: Buffer;
  readonly flags: number;
  readonly header: number;
  readonly size: number;
}

interface Directory {
  readonly count: number;
  readonly offset: number;
  readonly size: number;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const maxDirectoryBytes = 2 ** 25;
const maxEntries = 2 ** 18;
const endBytes = 22;
const locatorBytes = 20;
const end64Bytes = 56;
const centralBytes = 46;
const localBytes = 30;
const signature = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator: 0x07064b50 };
const flag = { encrypted: 0x2041, descriptor: 0x8, utf8: 0x800 };

/**
 * The entries in the order of their bytes, none overlapping another or the directory. Throws by `refuse`.
 * @param seeName is shown each name before its entry is judged, and may refuse what it recognises
 */
export function readZip(file: FileBytes, refuse: Refuse, seeName: (name: string) => void = () => {}): ZipEntry[] {
  const directory = findDirectory(file, refuse);
  const listed = readDirectory(file, directory, refuse, seeName).toSorted((a, b) => a.header - b.header);
  let free = 0;
  return listed.map((entry) => {
    const part = `entry ${JSON.stringify(entry.name)}`;
    if (entry.header < free) refuse(`an entry from byte ${free} on`, `one at ${entry.header}, overlapping another`, part);
    const offset = dataStart(file, entry, directory.offset, refuse, part);
    free = offset + entry.size;
    if (free > directory.offset) refuse(`data that ends before the directory at byte ${directory.offset}`, `an end at ${free}`, part);
    return { name: entry.name, offset, size: entry.size };
  });
}

/** Exact, or infinite where a double cannot hold it: then every comparison with a bound refuses it. */
function uint64(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(value);
}

function bytesAt(file: FileBytes, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  file.read(position, bytes);
  return bytes;
}

/** Only at the very end of the file, without a comment: so there is one answer to where the directory is. */
function findDirectory(file: FileBytes, refuse: Refuse): Directory {
  const place = 'end of the archive';
  const at = file.size - endBytes;
  if (at < 0) refuse(`at least ${endBytes} bytes`, `${file.size}`, place);
  const end = bytesAt(file, at, endBytes);
  if (end.readUInt32LE(0) !== signature.end) refuse('the record that ends a zip archive', 'other bytes', place);
  if (end.readUInt16LE(20) !== 0) refuse('no comment', `one of ${end.readUInt16LE(20)} bytes`, place);
  if (end.readUInt16LE(4) !== 0 || end.readUInt16LE(6) !== 0) refuse('an archive in one file', 'a part of a split one', place);
  const short = { here: end.readUInt16LE(8), count: end.readUInt16LE(10), size: end.readUInt32LE(12), offset: end.readUInt32LE(16) };
  const long = readEnd64(file, at, refuse);
  const agrees = (few: number, many: number, mark: number): boolean => few === many || few === mark;
  if (long && !(agrees(short.count, long.count, 0xffff) && agrees(short.size, long.size, 0xffffffff) && agrees(short.offset, long.offset, 0xffffffff))) {
    refuse('the same directory in both end records', `${short.count} entries at ${short.offset}, and ${long.count} at ${long.offset}`, place);
  }
  const { here, count, size, offset, start } = long ?? { ...short, start: at };
  if (here !== count) refuse('an archive in one file', `${here} of ${count} entries`, place);
  if (size > maxDirectoryBytes || count > maxEntries) refuse(`a directory of at most ${maxEntries} entries`, `${count} in ${size} bytes`, place);
  if (offset + size !== start) refuse(`a directory that ends at byte ${start}`, `one of ${size} bytes at ${offset}`, place);
  if (count * centralBytes > size) refuse(`at least ${count * centralBytes} bytes for ${count} entries`, `${size}`, place);
  return { count, offset, size };
}

function readEnd64(file: FileBytes, end: number, refuse: Refuse): (Directory & { here: number; start: number }) | undefined {
  const place = 'zip64 end of the archive';
  if (end < locatorBytes) return undefined;
  const locator = bytesAt(file, end - locatorBytes, locatorBytes);
  if (locator.readUInt32LE(0) !== signature.locator) return undefined;
  const start = uint64(locator, 8);
  const room = end - locatorBytes - start;
  if (!(room >= end64Bytes)) refuse(`a record before byte ${end - locatorBytes}`, `a place at ${locator.readBigUInt64LE(8)}`, place);
  const record = bytesAt(file, start, end64Bytes);
  if (record.readUInt32LE(0) !== signature.end64) refuse('its record', `other bytes at ${start}`, place);
  if (uint64(record, 4) !== room - 12) refuse(`a record of ${room - 12} bytes`, `${record.readBigUInt64LE(4)}`, place);
  if (locator.readUInt32LE(4) !== 0 || locator.readUInt32LE(16) > 1 || record.readUInt32LE(16) !== 0 || record.readUInt32LE(20) !== 0) {
    refuse('an archive in one file', 'a part of a split one', place);
  }
  return { here: uint64(record, 24), count: uint64(record, 32), size: uint64(record, 40), offset: uint64(record, 48), start };
}

function readDirectory(file: FileBytes, directory: Directory, refuse: Refuse, seeName: (name: string) => void): Listed[] {
  const bytes = bytesAt(file, directory.offset, directory.size);
  const seen = new Set<string>();
  const listed: Listed[] = [];
  let at = 0;
  for (let i = 0; i < directory.count; i++) {
    const part = `directory entry ${i}`;
    if (at + centralBytes > bytes.length || bytes.readUInt32LE(at) !== signature.central) refuse('an entry', 'other bytes', part);
    const [nameLength, extraLength, commentLength] = [bytes.readUInt16LE(at + 28), bytes.readUInt16LE(at + 30), bytes.readUInt16LE(at + 32)];
    const next = at + centralBytes + nameLength + extraLength + commentLength;
    if (next > bytes.length) refuse(`an entry of at most ${bytes.length - at} bytes`, `${next - at}`, part);
    const nameBytes = bytes.subarray(at + centralBytes, at + centralBytes + nameLength);
    const name = nameOf(nameBytes, refuse, part);
    if (seen.has(name)) refuse('every name once', `${JSON.stringify(name)} twice`, part);
    seen.add(name);
    seeName(name);
    const extra = bytes.subarray(at + centralBytes + nameLength, at + centralBytes + nameLength + extraLength);
    listed.push(readListed(bytes.subarray(at, at + centralBytes), nameBytes, name, extra, refuse));
    at = next;
  }
  if (at !== bytes.length) refuse(`a directory of ${at} bytes, the end of its last entry`, `${bytes.length}`, 'directory');
  return listed;
}

function readListed(fixed: Buffer, nameBytes: Buffer, name: string, extra: Buffer, refuse: Refuse): Listed {
  const part = `entry ${JSON.stringify(name)}`;
  const flags = fixed.readUInt16LE(8);
  const method = fixed.readUInt16LE(10);
  if (flags & flag.encrypted) refuse('an entry that is not encrypted', `an encrypted one (flags ${flags})`, part);
  if (flags & ~(flag.descriptor | flag.utf8)) refuse('no flags but those of a stored entry', `flags ${flags}`, part);
  if (method !== 0) refuse('an entry stored as it is', `a compressed one (method ${method})`, part);
  const long = [fixed.readUInt32LE(24), fixed.readUInt32LE(20), fixed.readUInt32LE(42)].map((value) => (value === 0xffffffff ? undefined : value));
  const wide = long.includes(undefined) ? zip64Field(extra, refuse, part) : Buffer.alloc(0);
  let at = 0;
  // The wide field holds, in this order, only what did not fit into the narrow ones.
  const [size, packed, header] = long.map((value) => {
    if (value !== undefined) return value;
    if (at + 8 > wide.length) refuse('a zip64 field with every size that is too large for the others', `${wide.length} bytes`, part);
    at += 8;
    return uint64(wide, at - 8);
  }) as [number, number, number];
  if (size !== packed) refuse(`${size} bytes as they are`, `${packed} bytes stored`, part);
  if (fixed.readUInt16LE(34) !== 0) refuse('an archive in one file', `an entry on disk ${fixed.readUInt16LE(34)}`, part);
  return { name, nameBytes, flags, header, size };
}

function zip64Field(extra: Buffer, refuse: Refuse, part: string): Buffer {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2);
    if (at + 4 + length > extra.length) break;
    if (extra.readUInt16LE(at) === 1) return extra.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  return refuse('a zip64 field with its size', 'none', part);
}

/** Names are never used as paths here. What tries to be a dangerous one is refused all the same. */
function nameOf(bytes: Buffer, refuse: Refuse, part: string): string {
  let name: string;
  try {
    name = utf8.decode(bytes);
  } catch {
    return refuse('a name in UTF-8', 'other bytes', part);
  }
  const parts = name.split('/');
  const problem = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name) ? 'invisible characters'
    : name.includes('\\') || /^[a-z]:/i.test(name) ? 'a path of Windows'
    : parts.includes('..') || parts.includes('.') ? 'a path that climbs'
    : parts.includes('') ? 'an empty part' : undefined;
  return problem === undefined ? name : refuse('a plain relative name', `${problem} in ${JSON.stringify(name)}`, part);
}

/** The local header must say what the directory says; with the descriptor flag its sizes may be left to the directory. */
function dataStart(file: FileBytes, entry: Listed, limit: number, refuse: Refuse, part: string): number {
  const { nameBytes, flags, header, size } = entry;
  if (!(header + localBytes + nameBytes.length <= limit)) refuse(`a header before the directory at byte ${limit}`, `one at ${header}`, part);
  const local = bytesAt(file, header, localBytes + nameBytes.length);
  if (local.readUInt32LE(0) !== signature.local) refuse(`its header at byte ${header}`, 'other bytes', part);
  if (local.readUInt16LE(6) !== flags || local.readUInt16LE(8) !== 0) refuse('the same flags and method in header and directory', 'others', part);
  if (local.readUInt16LE(26) !== nameBytes.length || !local.subarray(localBytes).equals(nameBytes)) {
    refuse('the same name in header and directory', JSON.stringify(local.toString('utf8', localBytes)), part);
  }
  for (const stated of [local.readUInt32LE(18), local.readUInt32LE(22)]) {
    const left = stated === 0xffffffff || (stated === 0 && (flags & flag.descriptor) !== 0);
    if (stated !== size && !left) refuse(`${size} bytes, as the directory says`, `${stated} in its header`, part);
  }
  return header + local.length + local.readUInt16LE(28);
}
