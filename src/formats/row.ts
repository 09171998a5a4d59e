/** What a row of a file of records is, and the file itself. How they are read is in rows.ts. */
import { InputError } from '../errors.ts';

/** A row, or why there is none. `line` counts from 1; in Parquet it is the number of the row. */
export type Row = { readonly line: number; readonly value: Readonly<Record<string, unknown>> } | { readonly line: number; readonly fault: InputError };

export type Container = 'jsonl' | 'json' | 'csv' | 'tsv' | 'parquet';

export interface RowFile {
  readonly path: string;
  readonly container: Container;
  readonly gzip: boolean;
}

export const MAX_ROW_BYTES = 8 * 1024 * 1024;

export function emptyFile(path: string): InputError {
  return new InputError({ expected: 'at least one row', found: 'none', where: `${path} line 1`, remedy: 'Give a file with records.' });
}
