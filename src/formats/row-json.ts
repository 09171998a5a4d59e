/** Rows of JSON lines, and of one JSON array, from pieces of bytes. What is not a JSON object is a fault of its row alone. */
import { InputError } from '../errors.ts';
import { decodeLine, parseLine } from './jsonl.ts';
import { emptyFile, MAX_ROW_BYTES, type Row } from './row.ts';

const NEWLINE = 0x0a;

function toRow(bytes: Uint8Array, line: number, start: number, path: string): Row {
  try {
    const where = `${path} line ${line}`;
    return { line, value: parseLine(decodeLine(bytes, start, where), where) };
  } catch (error) {
    if (error instanceof InputError) return { line, fault: error };
    throw error;
  }
}

const tooLong = (line: number, path: string): Row => ({
  line, fault: new InputError({ expected: `rows of at most ${MAX_ROW_BYTES} bytes`, found: 'a longer one', where: `${path} line ${line}`, remedy: 'Check that every record ends with a newline, or shorten this one.' }),
});

export async function* readJsonLines(pieces: AsyncIterable<Buffer>, path: string): AsyncGenerator<Row, void, void> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let [line, start, rows] = [1, 0, 0];
  const take = (part: Buffer): void => {
    heldBytes += part.length;
    // Of a line that is too long nothing is kept but its length.
    if (heldBytes <= MAX_ROW_BYTES + 1) held.push(part);
    else held = [];
  };
  const finish = (): Row | undefined => {
    const whole = held.length === 1 ? held[0]! : Buffer.concat(held);
    const bytes = whole.at(-1) === 0x0d ? whole.subarray(0, -1) : whole;
    const isLong = heldBytes > MAX_ROW_BYTES + 1 || bytes.length > MAX_ROW_BYTES;
    const isBlank = !isLong && bytes.every((byte) => byte === 0x20 || byte === 0x09);
    const row = isLong ? tooLong(line, path) : isBlank ? undefined : toRow(bytes, line, start, path);
    start += heldBytes + 1;
    line++;
    held = [];
    heldBytes = 0;
    if (row) rows++;
    return row;
  };
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf(NEWLINE); end !== -1; end = piece.indexOf(NEWLINE, from)) {
      take(piece.subarray(from, end));
      from = end + 1;
      const row = finish();
      if (row) yield row;
    }
    take(piece.subarray(from));
  }
  const last = heldBytes > 0 ? finish() : undefined;
  if (last) yield last;
  if (rows === 0) throw emptyFile(path);
}

/** Elements of the array that a file is. Brackets and strings alone are followed here; what is inside is parsed as a line is. */
export async function* readJsonArray(pieces: AsyncIterable<Buffer>, path: string): AsyncGenerator<Row, void, void> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let [line, firstLine, start, position, depth, rows] = [1, 1, 0, 0, 0, 0];
  let [inString, escaped] = [false, false];
  /** 0: before the array; 1: before an element; 2: in one; 3: after the array. */
  let place: 0 | 1 | 2 | 3 = 0;
  let comma = false;
  const refuse = (expected: string, found: string): never => {
    throw new InputError({ expected, found, where: `${path} line ${line}`, remedy: 'Correct the file there: what comes after cannot be told apart. One JSON object a line is easier to mend.' });
  };
  const keep = (part: Buffer): void => {
    heldBytes += part.length;
    if (heldBytes <= MAX_ROW_BYTES) held.push(Buffer.from(part));
    else held = [];
  };
  const finish = (): Row => {
    rows++;
    const row = heldBytes > MAX_ROW_BYTES ? tooLong(firstLine, path) : toRow(Buffer.concat(held), firstLine, start, path);
    held = [];
    heldBytes = 0;
    return row;
  };
  for await (const piece of pieces) {
    let from = 0;
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at]!;
      if (byte === NEWLINE) line++;
      if (place === 2) {
        if (inString) {
          if (escaped) escaped = false;
          else if (byte === 0x5c) escaped = true;
          else if (byte === 0x22) inString = false;
          continue;
        }
        if (byte === 0x22) inString = true;
        else if (byte === 0x7b || byte === 0x5b) depth++;
        else if ((byte === 0x7d || byte === 0x5d) && depth > 0) depth--;
        else if (depth === 0 && (byte === 0x2c || byte === 0x5d)) {
          keep(piece.subarray(from, at));
          yield finish();
          place = byte === 0x2c ? 1 : 3;
          comma = byte === 0x2c;
        }
        continue;
      }
      if (byte === 0x20 || byte === 0x09 || byte === NEWLINE || byte === 0x0d) continue;
      if (place === 0) {
        if (byte !== 0x5b) refuse('"["', JSON.stringify(String.fromCharCode(byte)));
        place = 1;
      } else if (place === 3) refuse('nothing after the array', JSON.stringify(String.fromCharCode(byte)));
      else if (byte === 0x5d) {
        if (comma) refuse('an element after ","', '"]"');
        place = 3;
      } else if (byte === 0x2c) refuse('an element', '","');
      else {
        place = 2;
        [from, start, firstLine] = [at, position + at, line];
        if (byte === 0x22) inString = true;
        else if (byte === 0x7b || byte === 0x5b) depth++;
      }
    }
    if (place === 2) keep(piece.subarray(from));
    position += piece.length;
  }
  // Changed in the loop, which the compiler does not see.
  const ended = place as 0 | 1 | 2 | 3;
  if (ended !== 3) refuse(ended === 0 ? 'an array' : '"]" at the end of the array', 'the end of the file');
  if (rows === 0) throw emptyFile(path);
}
