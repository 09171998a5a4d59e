/**
 * Rows of a file in any of the forms that datasets come in: JSON lines, one JSON array, CSV, TSV, Parquet, each also gzipped. A
 * row that cannot be read is a fault with its line, and reading goes on; only what breaks the file from there on ends it, with an
 * InputError that names a line too. Memory is that of a row, in Parquet that of a row group.
 */
import { InputFile } from './input-file.ts';
import { emptyFile, type Row, type RowFile } from './row.ts';
import { bytesOf } from './row-bytes.ts';

/** How much of a file is looked at to tell what it is. */
const HEAD_BYTES = 64 * 1024;

/** What a file is, by its first bytes; by its name only where CSV and TSV look alike. Throws InputError. */
export async function recogniseContainer(path: string): Promise<RowFile> {
  const gzip = firstBytes(path, 2).equals(Buffer.of(0x1f, 0x8b));
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of bytesOf({ path, gzip })) {
    pieces.push(piece);
    size += piece.length;
    if (size >= HEAD_BYTES) break;
  }
  const head = Buffer.concat(pieces).subarray(0, HEAD_BYTES);
  if (head.toString('latin1', 0, 4) === 'PAR1') return { path, container: 'parquet', gzip };
  const text = head.toString('utf8').trimStart();
  if (text === '') throw emptyFile(path);
  if (text.startsWith('{')) return { path, container: 'jsonl', gzip };
  if (text.startsWith('[')) return { path, container: 'json', gzip };
  const name = path.toLowerCase().replace(/\.gz$/, '');
  const header = text.split(/[\r\n]/, 1)[0]!;
  return { path, container: name.endsWith('.tsv') || (!name.endsWith('.csv') && header.includes('\t')) ? 'tsv' : 'csv', gzip };
}

function firstBytes(path: string, count: number): Buffer {
  const file = new InputFile(path, 'a file of records');
  try {
    const bytes = Buffer.alloc(Math.min(count, file.size));
    file.read(0, bytes);
    return bytes;
  } finally {
    file.close();
  }
}

/** Rows of a file in order. Throws InputError where the rest of it cannot be read. */
export async function* readRows(file: RowFile): AsyncGenerator<Row, void, void> {
  switch (file.container) {
    case 'jsonl': {
      const { readJsonLines } = await import('./row-json.ts');
      return yield* readJsonLines(bytesOf(file), file.path);
    }
    case 'json': {
      const { readJsonArray } = await import('./row-json.ts');
      return yield* readJsonArray(bytesOf(file), file.path);
    }
    case 'csv':
    case 'tsv': {
      const { readDelimited } = await import('./row-csv.ts');
      return yield* readDelimited(bytesOf(file), file.path, file.container === 'csv' ? ',' : '\t');
    }
    case 'parquet': {
      const { readParquet } = await import('./row-parquet.ts');
      return yield* readParquet(file);
    }
  }
}
