/**
 * Pages of a Parquet column, held against the footer before hyparquet decodes them: it believes the counts of pages, of runs and of
 * blocks, and a few bytes that say "two billion" keep it busy for minutes or end the process. Counts only; values are its own affair.
 * Layouts: https://parquet.apache.org/docs/file-format/data-pages/encodings/
 */
import type { ColumnMetaData, Compressors, PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, isFlatColumn } from 'hyparquet/src/schema.js';
import { readVarInt } from 'hyparquet/src/thrift.js';

type SchemaPath = Parameters<typeof isFlatColumn>[0];

interface Reader {
  readonly view: DataView<ArrayBuffer>;
  offset: number;
}

/** Writers fill the last run up to a group: of 8 values, some of 512. */
const RUN_PADDING = 512;

/** Largest page, and all pages of a column in a row group, unpacked. */
export const MAX_PAGE_BYTES = 2 ** 28;
export const MAX_COLUMN_BYTES = 2 ** 30;

/** Throws Error where a page says what the footer or its own bytes do not bear out. `bytes` are those of the column in one row group. */
export function checkPages(bytes: Uint8Array<ArrayBuffer>, chunk: ColumnMetaData, path: SchemaPath, rows: number, compressors: Compressors): void {
  const limit = Number(chunk.num_values);
  const flat = isFlatColumn(path);
  if (flat && limit !== rows) throw new Error(`a column of ${limit} values in a row group of ${rows} rows`);
  const reader = readerOf(bytes);
  let [values, unpacked] = [0, 0];
  // As far as hyparquet reads: flat columns to the last row, others to the end.
  while ((!flat || values < rows) && reader.offset < bytes.length - 1) {
    const header = parquetHeader(reader);
    const { compressed_page_size: size, uncompressed_page_size: unpackedSize } = header;
    if (!(size >= 0 && reader.offset + size <= bytes.length && unpackedSize >= 0 && unpackedSize <= MAX_PAGE_BYTES)) throw new Error(`a page of ${size} bytes, ${unpackedSize} unpacked`);
    unpacked += unpackedSize;
    if (unpacked > MAX_COLUMN_BYTES) throw new Error(`pages of ${unpacked} bytes in a column`);
    const packed = bytes.subarray(reader.offset, reader.offset + size);
    reader.offset += size;
    const dictionary = header.type === 'DICTIONARY_PAGE';
    const count = countOf(header);
    if (!(count >= 0 && count <= (dictionary ? unpackedSize : limit - values))) throw new Error(`a page of ${count} values in a column of ${limit}`);
    if (dictionary) continue;
    values += count;
    if (header.type === 'DATA_PAGE') checkPage(packed, header, chunk, path, compressors);
    else checkPageV2(packed, header, chunk, path, compressors);
  }
}

function countOf(header: PageHeader): number {
  switch (header.type) {
    case 'DICTIONARY_PAGE':
      return header.dictionary_page_header?.num_values ?? NaN;
    case 'DATA_PAGE':
      return header.data_page_header?.num_values ?? NaN;
    case 'DATA_PAGE_V2':
      return header.data_page_header_v2?.num_values ?? NaN;
    default:
      throw new Error(`a page of type ${header.type}`);
  }
}

function checkPage(packed: Uint8Array<ArrayBuffer>, header: PageHeader, chunk: ColumnMetaData, path: SchemaPath, compressors: Compressors): void {
  const { num_values: count, encoding } = header.data_page_header!;
  const reader = readerOf(decompressPage(packed, header.uncompressed_page_size, chunk.codec, compressors));
  const repetition = getMaxRepetitionLevel(path);
  if (repetition > 0) skipRuns(reader, bitWidth(repetition), count);
  const highest = getMaxDefinitionLevel(path);
  let present = count;
  if (highest > 0) {
    const from = reader.offset;
    skipRuns(reader, bitWidth(highest), count);
    reader.offset = from;
    const levels = new Int32Array(count);
    readRleBitPackedHybrid(reader, bitWidth(highest), levels);
    present = levels.reduce((sum, level) => (level === highest ? sum + 1 : sum), 0);
  }
  if (!hasRuns(encoding)) checkBlocks(reader, present, encoding);
  else if (chunk.type === 'BOOLEAN') skipRuns(reader, 1, present);
  else {
    const width = widthOf(reader);
    if (width > 0) checkRuns(reader, width, present);
  }
}

function checkPageV2(packed: Uint8Array<ArrayBuffer>, header: PageHeader, chunk: ColumnMetaData, path: SchemaPath, compressors: Compressors): void {
  const { num_values: count, num_nulls: nulls, encoding, is_compressed: compressed, repetition_levels_byte_length: first, definition_levels_byte_length: second } = header.data_page_header_v2!;
  const highest = getMaxDefinitionLevel(path);
  if (!(first >= 0 && second >= 0 && first + second <= packed.length && (highest > 0 || second === 0))) throw new Error(`levels of ${first} and ${second} bytes in a page of ${packed.length}`);
  if (!(nulls >= 0 && nulls <= count)) throw new Error(`${nulls} empty values in a page of ${count}`);
  const levels = readerOf(packed);
  const repetition = getMaxRepetitionLevel(path);
  if (repetition > 0) checkRuns(levels, bitWidth(repetition), count);
  levels.offset = first;
  if (highest > 0) checkRuns(levels, bitWidth(highest), count);
  const page = packed.subarray(first + second);
  const reader = readerOf(compressed === false ? page : decompressPage(page, header.uncompressed_page_size - first - second, chunk.codec, compressors));
  if (encoding === 'RLE') skipRuns(reader, 1, count - nulls);
  else if (hasRuns(encoding)) checkRuns(reader, widthOf(reader), count - nulls);
  else checkBlocks(reader, count - nulls, encoding);
}

const hasRuns = (encoding: string): boolean => encoding === 'RLE' || encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY';

function widthOf(reader: Reader): number {
  const width = reader.view.getUint8(reader.offset++);
  if (width > 32) throw new Error(`indices of ${width} bits`);
  return width;
}

/** Runs with their length before them; the reader is after them then. */
function skipRuns(reader: Reader, width: number, count: number): void {
  const length = reader.view.getUint32(reader.offset, true);
  reader.offset += 4;
  const from = reader.offset;
  checkRuns(reader, width, count);
  reader.offset = from + length;
}

/** Runs of one value, and of values packed in groups of eight, until there are `count`; the reader moves as hyparquet's does. */
function checkRuns(reader: Reader, width: number, count: number): void {
  for (let seen = 0; seen < count;) {
    const header = readVarInt(reader);
    const packed = (header & 1) === 1;
    const run = packed ? (header >>> 1) * 8 : header >>> 1;
    if (run > count - seen + RUN_PADDING || (packed && run === 0)) throw new Error(`a run of ${run} values in a page of ${count}`);
    reader.offset += packed ? Math.max(1, (run / 8) * width) : Math.ceil(width / 8);
    seen += run;
  }
}

function checkBlocks(reader: Reader, count: number, encoding: string): void {
  if (!encoding.startsWith('DELTA')) return;
  checkBlockHead(reader);
  if (encoding !== 'DELTA_BYTE_ARRAY') return;
  // The lengths of the ends come after those of the beginnings.
  deltaBinaryUnpack(reader, count, new Int32Array(count));
  checkBlockHead(reader);
}

/** Values of a block, and the parts that it is packed in. The reader stays. */
function checkBlockHead(reader: Reader): void {
  const from = reader.offset;
  const [block, parts] = [readVarInt(reader), readVarInt(reader)];
  if (!(block > 0 && parts > 0 && block % parts === 0 && block <= 2 ** 20)) throw new Error(`blocks of ${block} values in ${parts} parts`);
  reader.offset = from;
}

const readerOf = (bytes: Uint8Array): Reader => ({ view: new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength), offset: 0 });

/** Bits that a level up to `highest` takes. */
const bitWidth = (highest: number): number => 32 - Math.clz32(highest);
