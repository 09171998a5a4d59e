/** Bytes of a file of rows in pieces, unpacked where they are gzipped. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InputError } from '../errors.ts';
import { InputFile } from './input-file.ts';
import type { RowFile } from './row.ts';

const PIECE_BYTES = 256 * 1024;

/** Bytes of a file, unpacked, without a byte order mark. Throws InputError with a line for one that cannot be unpacked. */
export async function* bytesOf({ path, gzip }: Pick<RowFile, 'path' | 'gzip'>): AsyncGenerator<Buffer, void, void> {
  // Opened once before: a stream's own errors would come without the words of InputFile.
  new InputFile(path, 'a file of records').close();
  const raw = createReadStream(path, { highWaterMark: PIECE_BYTES });
  const stream = gzip ? pipeline(raw, createGunzip(), () => {}) : raw;
  let lines = 1;
  let first = true;
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) {
      const bytes = first ? withoutMark(piece, path) : piece;
      first = false;
      for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) lines++;
      if (bytes.length > 0) yield bytes;
    }
  } catch (cause) {
    if (!/^(Z_|ERR_)/.test(String((cause as NodeJS.ErrnoException).code))) throw cause;
    throw new InputError({ expected: 'a whole gzip file', found: (cause as Error).message, where: `${path} line ${lines}`, remedy: 'Get the file again.' }, { cause });
  } finally {
    raw.destroy();
  }
}

/** Other programs write a mark before UTF-8; UTF-16 is refused. */
function withoutMark(bytes: Buffer, path: string): Buffer {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return bytes.subarray(3);
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new InputError({ expected: 'UTF-8', found: 'UTF-16', where: `${path} line 1`, remedy: 'Save the file as UTF-8.' });
  }
  return bytes;
}
