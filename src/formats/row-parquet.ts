/**
 * Rows of Parquet, a row group at a time, by hyparquet. Compressions that it lacks come from Node. What a footer says is held
 * against the file, and what pages say against the footer (row-parquet-pages.ts), before anything is allocated by it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { parquetMetadataAsync, parquetReadObjects, parquetSchema, type AsyncBuffer, type ColumnMetaData, type Compressors, type FileMetaData, type RowGroup } from 'hyparquet';
import { getTreePath } from 'hyparquet/src/schema.js';
import { InputError } from '../errors.ts';
import { InputFile } from './input-file.ts';
import { LineWriter } from './line-writer.ts';
import { checkPages, MAX_COLUMN_BYTES, MAX_PAGE_BYTES } from './row-parquet-pages.ts';
import { printable } from './printable.ts';
import { emptyFile, type Row, type RowFile } from './row.ts';
import { bytesOf } from './row-bytes.ts';

/** Largest row group that is read, unpacked; writers make them of 128 MB, or of 100,000 rows. */
const MAX_GROUP_ROWS = 4_000_000;
/** Values of a column, and of all columns in a row group: an array of more ends the process. */
const MAX_COLUMN_VALUES = 2 ** 25;
const MAX_GROUP_VALUES = 2 ** 26;

const bounded = (unpack: (input: Uint8Array, options: { maxOutputLength: number }) => Buffer) => (input: Uint8Array, size: number): Uint8Array => {
  if (!(size >= 0 && size <= MAX_PAGE_BYTES)) throw new Error(`a page of ${size} bytes`);
  return unpack(input, { maxOutputLength: Math.max(1, size) });
};

const compressors: Compressors = { GZIP: bounded(gunzipSync), BROTLI: bounded(brotliDecompressSync), ZSTD: bounded(zstdDecompressSync) };

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text as it is, or its bytes where they are no UTF-8: that is a fault of its row alone. */
function textOf<T extends Uint8Array | undefined>(bytes: T): string | T {
  try {
    return bytes ? decoder.decode(bytes) : bytes;
  } catch {
    return bytes;
  }
}

/** Instead of the library's own, which leave out a mark at the beginning of a text and write over what is no UTF-8. */
const parsers = { stringFromBytes: textOf, jsonFromBytes: textOf };

export async function* readParquet({ path, gzip }: RowFile): AsyncGenerator<Row, void, void> {
  if (!gzip) return yield* readPlain(path, path);
  // Its end must be read first, so it is unpacked beside.
  const folder = mkdtempSync(join(tmpdir(), 'roslin-parquet-'));
  try {
    const unpacked = join(folder, 'unpacked.parquet');
    const out = new LineWriter(unpacked);
    try {
      for await (const piece of bytesOf({ path, gzip })) out.write(piece);
      out.commit();
    } catch (error) {
      out.abort();
      throw error;
    }
    yield* readPlain(unpacked, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param name what messages call the file */
async function* readPlain(path: string, name: string): AsyncGenerator<Row, void, void> {
  const input = new InputFile(path, 'a Parquet file');
  try {
    const file = sourceOf(input);
    const metadata = await attempt(file, () => parquetMetadataAsync(file, { parsers, geoparquet: false }), name, 1);
    checkFooter(metadata, input.size, name);
    let line = 1;
    for (const group of metadata.row_groups) {
      const rows = Number(group.num_rows);
      if (rows === 0) continue;
      await attempt(file, () => checkGroup(input, metadata, group, rows), name, line);
      const values = await attempt(file, () => parquetReadObjects({ file, metadata, rowStart: line - 1, rowEnd: line - 1 + rows, compressors, parsers, utf8: true }), name, line);
      if (values.length !== rows) throw fault(`${rows} rows in a row group`, String(values.length), name, line);
      for (const value of values) yield { line: line++, value };
    }
    if (line === 1) throw emptyFile(name);
  } finally {
    input.close();
  }
}

/** Bytes for the library, and an end to them. */
interface Source extends AsyncBuffer {
  /** Fails where bytes were asked for that are not there; never comes to anything else. */
  readonly failed: Promise<never>;
  stop(): void;
}

/**
 * The library begins with all columns of a group and, where it then refuses one, forgets the promises of the others. So bytes come a
 * turn later, and none after a refusal, its own or that of bytes: what nobody waits for must not fail, since that would end the process.
 */
function sourceOf(input: InputFile): Source {
  let stopped = false;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => (fail = reject));
  failed.catch(() => {});
  const read = (start: number, end: number): ArrayBuffer => {
    const from = start < 0 ? Math.max(0, input.size + start) : start;
    if (!(from >= 0 && end >= from && end <= input.size)) throw new Error(`bytes ${start} to ${end} of ${input.size}`);
    const bytes = new Uint8Array(end - from);
    input.read(from, bytes);
    return bytes.buffer;
  };
  return {
    byteLength: input.size,
    failed,
    slice: (start, end = input.size) => new Promise((resolve) => setImmediate(() => {
      if (stopped) return;
      try {
        resolve(read(start, end));
      } catch (error) {
        stopped = true;
        fail(error);
      }
    })),
    stop: () => (stopped = true),
  };
}

/** Holds the pages of a row group against the footer, a column at a time. */
async function checkGroup(input: InputFile, metadata: FileMetaData, group: RowGroup, rows: number): Promise<void> {
  const tree = parquetSchema(metadata);
  for (const { meta_data: chunk } of group.columns) {
    if (!chunk) throw new Error('a column without its place');
    const bytes = new Uint8Array(Number(chunk.total_compressed_size));
    input.read(startOf(chunk), bytes);
    checkPages(bytes, chunk, getTreePath(tree, chunk.path_in_schema), rows, compressors);
    await new Promise(setImmediate); // lets timers and signals through
  }
}

const startOf = (chunk: ColumnMetaData | undefined): number => Number(chunk?.dictionary_page_offset || chunk?.data_page_offset || 0);

function checkFooter({ row_groups: groups, num_rows: rows }: FileMetaData, size: number, name: string): void {
  let line = 1;
  for (const group of groups) {
    const count = Number(group.num_rows);
    if (!(Number.isSafeInteger(count) && count >= 0 && count <= MAX_GROUP_ROWS)) throw fault(`row groups of at most ${MAX_GROUP_ROWS} rows`, String(group.num_rows), name, line);
    let all = 0;
    for (const { meta_data: chunk } of group.columns) {
      const [packed, unpacked, values] = [Number(chunk?.total_compressed_size ?? 0), Number(chunk?.total_uncompressed_size ?? 0), Number(chunk?.num_values ?? 0)];
      const from = startOf(chunk);
      if (!(packed >= 0 && from >= 0 && from + packed <= size)) throw fault('columns inside of the file', `one of ${packed} bytes at byte ${from}`, name, line);
      if (!(unpacked >= 0 && unpacked <= MAX_COLUMN_BYTES)) throw fault(`columns of at most ${MAX_COLUMN_BYTES} bytes in a row group`, String(unpacked), name, line);
      all += values;
      if (!(values >= 0 && values <= MAX_COLUMN_VALUES && all <= MAX_GROUP_VALUES)) throw fault(`at most ${MAX_COLUMN_VALUES} values in a column of a row group, ${MAX_GROUP_VALUES} in all`, `${values}, ${all}`, name, line);
    }
    line += count;
  }
  if (BigInt(line - 1) !== BigInt(rows)) throw fault(`${rows} rows, as the footer says`, String(line - 1), name, 1);
}

async function attempt<T>(file: Source, read: () => Promise<T>, name: string, line: number): Promise<T> {
  try {
    return await Promise.race([read(), file.failed]);
  } catch (cause) {
    file.stop();
    if (cause instanceof InputError && cause.parts.where?.includes(' line ')) throw cause;
    throw fault('Parquet that can be read', printable(cause instanceof Error ? cause.message : String(cause), 200), name, line, cause);
  }
}

const fault = (expected: string, found: string, name: string, line: number, cause?: unknown): InputError =>
  new InputError({ expected, found, where: `${name} line ${line}`, remedy: 'Get the file again, or write it anew with another program.' }, { cause });
