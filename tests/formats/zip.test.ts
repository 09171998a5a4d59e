/** Zip archives: what is stored is found at its place, and a directory that lies in any of its fields is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileBytes } from '../../src/formats/input-file.ts';
import { refuserFor } from '../../src/formats/refuse.ts';
import { readZip } from '../../src/formats/zip.ts';
import { assertRefuses } from './support.ts';
import { memoryFile, u64, zip, type ZipPart } from './torch-writer.ts';

const list = (bytes: Uint8Array) => readZip(memoryFile(bytes), refuserFor('x.zip', 'Get it again.'));
const a: ZipPart = { name: 'm/a', data: Buffer.from('hello') };
const b: ZipPart = { name: 'm/b', data: Buffer.from('world!') };
const wide = (...values: (bigint | number)[]) => Buffer.concat([Buffer.of(1, 0, values.length * 8, 0), ...values.map((value) => u64(value))]);

test('entries at their places, with and without zip64 records', () => {
  for (const zip64 of [true, false]) {
    const bytes = zip([a, b, { name: 'm/empty', data: Buffer.alloc(0) }, { name: 'm/\u00e9', data: Buffer.from('x') }], { zip64 });
    const found = list(bytes).map(({ name, offset, size }) => [name, bytes.toString('utf8', offset, offset + size)]);
    assert.deepEqual(found, [['m/a', 'hello'], ['m/b', 'world!'], ['m/empty', ''], ['m/\u00e9', 'x']]);
  }
  assert.deepEqual(list(zip([])), []);
  const odd = zip([{ ...a, size: 0xffffffff, packed: 0xffffffff, header: 0xffffffff, extra: Buffer.concat([Buffer.of(0x46, 0x42, 1, 0, 0), wide(5, 5, 0)]) }]);
  assert.equal(list(odd)[0]!.size, 5, 'sizes in the zip64 field, after another one');
});

test('entries beyond 4 GiB', () => {
  const start = 5 * 2 ** 30;
  const far: ZipPart = { ...b, header: 0xffffffff, extra: wide(start) };
  // The bytes of a small archive, spread: the first entry at 0, all the rest after a hole.
  const small = zip([{ ...a, size: 0xffffffff, packed: 0xffffffff, sizeInHeader: 0xffffffff, extra: wide(start - 33, start - 33) }, far], { zip64: true, offset: 0xffffffff });
  const cut = 33 + a.data.length;
  const tail = Buffer.from(small.subarray(cut));
  const record = tail.indexOf('PK\u0006\u0006');
  const directory = tail.indexOf('PK\u0001\u0002');
  tail.writeBigUInt64LE(BigInt(start + directory), record + 48);
  tail.writeBigUInt64LE(BigInt(start + record), tail.indexOf('PK\u0006\u0007') + 8);
  const file: FileBytes = {
    path: 'x', size: start + tail.length,
    read(position, target) {
      for (let i = 0; i < target.length; i++) {
        const at = position + i;
        target[i] = (at < start ? (at < cut ? small[at] : 0) : tail[at - start])!;
      }
    },
  };
  const entries = readZip(file, refuserFor('x', 'None.'));
  assert.deepEqual(entries.map(({ name, size }) => [name, size]), [['m/a', start - 33], ['m/b', 6]]);
  assert.equal(entries[1]!.offset, start + 33);
});

test('archives that lie are refused with the reason', () => {
  const patched = (bytes: Buffer, magic: string, at: number, value: bigint | number, width: 2 | 4 | 8): Buffer => {
    const copy = Buffer.from(bytes);
    const place = copy.lastIndexOf(magic) + at;
    if (width === 8) copy.writeBigUInt64LE(BigInt(value), place);
    else copy.writeUIntLE(Number(value), place, width);
    return copy;
  };
  const good = zip([a, b]);
  const plain = zip([a, b], { zip64: false });
  const [end, end64, locator, central, local] = ['PK\u0005\u0006', 'PK\u0006\u0006', 'PK\u0006\u0007', 'PK\u0001\u0002', 'PK\u0003\u0004'] as const;
  const cases: [string, Uint8Array, RegExp][] = [
    ['nothing', Buffer.alloc(0), /at least 22 bytes, found 0/],
    ['no archive', Buffer.alloc(100), /the record that ends a zip archive, found other bytes/],
    ['bytes after the end', Buffer.concat([good, Buffer.of(0)]), /the record that ends a zip archive/],
    ['a comment', zip([a], { comment: 'hi' }), /the record that ends a zip archive/],
    ['a comment that is not there', patched(good, end, 20, 2, 2), /no comment, found one of 2 bytes/],
    ['a part of a split archive', patched(good, end, 4, 1, 2), /an archive in one file, found a part of a split one/],
    ['another part with the directory', patched(good, end, 6, 1, 2), /a part of a split one/],
    ['some entries elsewhere', patched(plain, end, 8, 1, 2), /an archive in one file, found 1 of 2 entries/],
    ['two ends that differ', patched(good, end, 12, 7, 4), /the same directory in both end records/],
    ['two counts that differ', patched(good, end, 10, 1, 2), /the same directory in both end records/],
    ['a zip64 record at 2^63', patched(good, locator, 8, 2n ** 63n, 8), /a record before byte \d+, found a place at 9223372036854775808/],
    ['a zip64 record behind its place', patched(good, locator, 8, good.length, 8), /a record before byte/],
    ['a zip64 record elsewhere', patched(good, locator, 8, 0, 8), /its record, found other bytes at 0/],
    ['a zip64 record of another length', patched(good, end64, 4, 2n ** 64n - 1n, 8), /a record of 44 bytes, found 18446744073709551615/],
    ['a zip64 disk', patched(good, end64, 16, 1, 4), /a part of a split one/],
    ['a locator of several disks', patched(good, locator, 16, 2, 4), /a part of a split one/],
    ['a million entries', zip([a, b], { count: 2 ** 16 - 2 }), /bytes for 65534 entries/],
    ['2^63 entries', patched(patched(patched(good, end64, 24, 2n ** 63n, 8), end64, 32, 2n ** 63n, 8), end, 10, 0xffff, 2), /a directory of at most 262144 entries, found Infinity/],
    ['a directory of 2^63 bytes', patched(patched(good, end64, 40, 2n ** 63n, 8), end, 12, 0xffffffff, 4), /found 2 in Infinity bytes/],
    ['a directory elsewhere', zip([a, b], { offset: 3, zip64: false }), /a directory that ends at byte \d+, found one of \d+ bytes at 3/],
    ['a directory at 2^63', patched(patched(good, end64, 48, 2n ** 63n, 8), end, 16, 0xffffffff, 4), /a directory that ends at byte \d+, found one of \d+ bytes at Infinity/],
    ['a gap after the directory', zip([a, b], { gap: 3 }), /a directory that ends at byte/],
    ['fewer entries than the directory has', zip([a, b], { count: 1 }), /a directory of 49 bytes, the end of its last entry, found 98/],
    ['no entry where one is said to be', patched(good, central, 0, 0, 4), /directory entry 1: expected an entry, found other bytes/],
    ['a name beyond the directory', patched(good, central, 28, 0xffff, 2), /directory entry 1: expected an entry of at most 49 bytes/],
    ['an extra field beyond it', patched(good, central, 30, 0xffff, 2), /an entry of at most 49 bytes/],
    ['an encrypted entry', zip([{ ...a, flags: 0x801 }]), /entry "m\/a": expected an entry that is not encrypted, found an encrypted one/],
    ['a strongly encrypted entry', zip([{ ...a, flags: 0x841 }]), /an encrypted one/],
    ['a masked header', zip([{ ...a, flags: 0x2800 }]), /an encrypted one/],
    ['unknown flags', zip([{ ...a, flags: 0x820 }]), /no flags but those of a stored entry, found flags 2080/],
    ['a compressed entry', zip([{ ...a, method: 8 }]), /entry "m\/a": expected an entry stored as it is, found a compressed one \(method 8\)/],
    ['other sizes packed and unpacked', zip([{ ...a, packed: 4 }]), /5 bytes as they are, found 4 bytes stored/],
    ['an entry on another disk', zip([{ ...a, disk: 1 }]), /an entry on disk 1/],
    ['a zip64 entry without its field', zip([{ ...a, size: 0xffffffff }]), /a zip64 field with its size, found none/],
    ['a zip64 field cut short', zip([{ ...a, size: 0xffffffff, packed: 0xffffffff, extra: wide(5) }]), /every size that is too large for the others, found 8 bytes/],
    ['a zip64 field that runs out', zip([{ ...a, size: 0xffffffff, extra: Buffer.of(1, 0, 200, 0) }]), /a zip64 field with its size, found none/],
    ['an entry of 2^63 bytes', zip([{ ...a, size: 0xffffffff, packed: 0xffffffff, sizeInHeader: 0xffffffff, extra: wide(2n ** 63n, 2n ** 63n) }]), /data that ends before the directory at byte \d+, found an end at Infinity/],
    ['an entry at 2^63', zip([{ ...a, header: 0xffffffff, extra: wide(2n ** 63n) }]), /a header before the directory at byte \d+, found one at Infinity/],
    ['a longer entry', zip([{ ...a, size: 500, sizeInHeader: 500 }]), /data that ends before the directory/],
    ['a longer entry, over the next', zip([{ ...a, size: 9, sizeInHeader: 9 }, b]), /entry "m\/b": expected an entry from byte 42 on, found one at 38, overlapping another/],
    ['two entries in one place', zip([a, { ...b, name: 'm/c', header: 0 }]), /entry "m\/c": expected an entry from byte 38 on, found one at 0/],
    ['an entry in the directory', zip([{ ...a, header: 40 }]), /a header before the directory at byte 38, found one at 40/],
    ['a header that is none', zip([{ ...a, header: 1 }]), /its header at byte 1, found other bytes/],
    ['another name in the header', zip([{ ...a, nameInHeader: 'm/x' }]), /the same name in header and directory, found "m\/x"/],
    ['a longer name in the header', zip([{ ...a, nameInHeader: 'm/aa' }]), /the same name in header and directory/],
    ['another size in the header', zip([{ ...a, sizeInHeader: 4 }]), /5 bytes, as the directory says, found 4 in its header/],
    ['other flags in the header', patched(good, local, 6, 0, 2), /the same flags and method/],
    ['a method in the header alone', patched(good, local, 8, 8, 2), /the same flags and method/],
    ['an extra field of the header over the end', patched(good, local, 28, 0xffff, 2), /data that ends before the directory/],
    ['a name twice', zip([a, { ...b, name: 'm/a' }]), /every name once, found "m\/a" twice/],
    ['an absolute name', zip([{ ...a, name: '/etc/passwd' }]), /a plain relative name, found an empty part in "\/etc\/passwd"/],
    ['a name that climbs', zip([{ ...a, name: 'm/../../x' }]), /a path that climbs in "m\/\.\.\/\.\.\/x"/],
    ['a name with a dot', zip([{ ...a, name: 'm/./x' }]), /a path that climbs/],
    ['a name of Windows', zip([{ ...a, name: 'm\\x' }]), /a path of Windows/],
    ['a drive', zip([{ ...a, name: 'C:x' }]), /a path of Windows/],
    ['a folder', zip([{ ...a, name: 'm/' }]), /an empty part/],
    ['no name', zip([{ ...a, name: '' }]), /an empty part/],
    ['a name with a zero byte', zip([{ ...a, name: 'm/a\0.txt' }]), /invisible characters in "m\/a\\+u0000\.txt"/],
    ['a name that turns around', zip([{ ...a, name: 'm/\u202egnp.exe' }]), /invisible characters in "m\/\\u\{202e\}gnp\.exe"/],
    ['a name that is not text', Buffer.from(good.toString('latin1').replaceAll('m/b', 'm/\xff'), 'latin1'), /a name in UTF-8, found other bytes/],
  ];
  for (const [name, bytes, message] of cases) {
    try {
      assertRefuses(() => list(bytes), message);
    } catch (error) {
      throw new Error(name, { cause: error });
    }
  }
});

test('an archive cut at any byte is refused, and one with any byte before it', () => {
  const good = zip([a, b]);
  for (let length = 0; length < good.length; length++) assertRefuses(() => list(good.subarray(0, length)), /x\.zip/);
  assertRefuses(() => list(Buffer.concat([Buffer.of(0), good])), /x\.zip/);
});
