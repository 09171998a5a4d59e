/** Rows of CSV (RFC 4180) and TSV from pieces of bytes, by csv-parse. The first row has the names of the columns. */
import { parse, type CsvError } from 'csv-parse';
import { InputError } from '../errors.ts';
import { printable } from './printable.ts';
import { emptyFile, MAX_ROW_BYTES, type Row } from './row.ts';

export async function* readDelimited(pieces: AsyncIterable<Buffer>, path: string, delimiter: ',' | '\t'): AsyncGenerator<Row, void, void> {
  const queue: Row[] = [];
  let [line, rows] = [1, 0];
  const where = () => `${path} line ${line}`;
  /** A row begins on the line after the last one's. */
  const begun = (end: number): number => {
    const first = line;
    line = end + 1;
    return first;
  };
  let failure: Error | undefined;
  const parser = parse({
    delimiter, columns: (header: string[]) => {
      begun(parser.info.lines);
      return columnsOf(header, path);
    }, skip_empty_lines: true, max_record_size: MAX_ROW_BYTES, skip_records_with_error: true, record_delimiter: ['\r\n', '\n', '\r'],
    on_record: (value: Record<string, string>, { lines }: { lines: number }) => {
      queue.push({ line: begun(lines), value });
      return null;
    },
    on_skip: (error: CsvError | undefined) => {
      // From there on nothing can be told apart.
      if (error?.code === 'CSV_QUOTE_NOT_CLOSED') return void (failure ??= error);
      const at = begun(Number(error?.['lines'] ?? line));
      queue.push({ line: at, fault: new InputError({ expected: 'a row with a cell for each column', found: printable(error?.message ?? 'another', 200), where: `${path} line ${at}`, remedy: 'Correct the row.' }, { cause: error }) });
    },
  });
  parser.on('error', (error) => (failure ??= error));
  parser.resume();
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const decode = (bytes?: Buffer): string => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (cause) {
      throw new InputError({ expected: 'UTF-8', found: 'bytes that are not', where: where(), remedy: 'Save the file as UTF-8.' }, { cause });
    }
  };
  const give = async (text: string): Promise<void> => {
    if (text !== '') await new Promise<void>((resolve) => parser.write(text, () => resolve()));
    if (failure) throw asInputError(failure, where());
  };
  const drain = function* () {
    rows += queue.length;
    yield* queue.splice(0);
  };
  for await (const piece of pieces) {
    const text = decode(piece);
    // Rows that were read before the fault come out before it.
    const given = await give(text).then(() => undefined, (error: unknown) => ({ error }));
    yield* drain();
    if (given) throw given.error as Error;
  }
  await give(decode());
  await new Promise<void>((resolve) => {
    parser.once('close', resolve);
    parser.end();
  });
  yield* drain();
  if (failure) throw asInputError(failure, where());
  if (rows === 0) throw emptyFile(path);
}

function columnsOf(header: readonly string[], path: string): string[] {
  const twice = header.find((name, i) => header.indexOf(name) !== i);
  if (twice === undefined) return [...header];
  throw new InputError({ expected: 'every column once', found: `the column ${JSON.stringify(printable(twice, 60))} twice`, where: `${path} line 1`, remedy: 'Rename one of them.' });
}

function asInputError(error: Error, where: string): InputError {
  if (error instanceof InputError) return error;
  return new InputError({ expected: 'CSV as RFC 4180 has it', found: printable(error.message, 200), where, remedy: 'Correct the file there: what comes after cannot be told apart.' }, { cause: error });
}
