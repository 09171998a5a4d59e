/**
 * Strict reader of JSON lines: UTF-8, one JSON object a line, read in pieces of bounded size. LF and CRLF both end a
 * line, blank lines are skipped, the last line may lack its end. Refused with line (and byte or column): invalid UTF-8,
 * a byte order mark (RFC 8259, 8.1 forbids writing one; a tool that skipped it silently would hide that another reader
 * fails), a line that is too long, invalid JSON, a key given twice, a value that is not an object, a file without any.
 * Not a schema: what an object must hold is checked by who reads it.
 */
import { InputError } from '../errors.ts';
import { InputFile } from './input-file.ts';
import { findJsonFault } from './json-text.ts';

/** One object of a file. `line` counts from 1, blank lines included. */
export interface JsonLine {
  readonly line: number;
  readonly value: Record<string, unknown>;
}

export interface JsonlOptions {
  /** Longest accepted line in bytes, its end not counted. Default 8 MiB. */
  readonly maxLineBytes?: number;
}

export const DEFAULT_MAX_LINE_BYTES = 8 * 1024 * 1024;
const PIECE_BYTES = 256 * 1024;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Yields the objects of `path` in order. Throws InputError at the first fault; the file is closed either way. */
export function* readJsonl(path: string, options: JsonlOptions = {}): Generator<JsonLine, void, void> {
  const maxLineBytes = options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES;
  const file = new InputFile(path, 'a file of JSON lines');
  try {
    let line = 0;
    let objects = 0;
    for (const { bytes, start } of readLines(file, maxLineBytes)) {
      line++;
      if (line === 1) refuseByteOrderMark(bytes, path);
      const text = decodeLine(bytes, start, `${path} line ${line}`);
      if (/^[ \t]*$/.test(text)) continue;
      objects++;
      yield { line, value: parseLine(text, `${path} line ${line}`) };
    }
    if (objects === 0) {
      throw new InputError({
        expected: 'at least one line with a JSON object',
        found: file.size === 0 ? 'an empty file' : 'blank lines only',
        where: path,
        remedy: 'Give a file with one JSON object a line.',
      });
    }
  } finally {
    file.close();
  }
}

/** Lines without their ends (LF or CRLF) and the byte each starts at; at most one line and one piece are held. */
function* readLines(file: InputFile, maxLineBytes: number): Generator<{ bytes: Uint8Array; start: number }> {
  const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, Math.max(1, file.size)));
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let line = 1;
  let start = 0;
  const take = (part: Uint8Array): void => {
    heldBytes += part.length;
    // One byte more than the bound is let through for the CR of a CRLF, which is checked once the line is whole.
    if (heldBytes > maxLineBytes + 1) refuseLength(file.path, line, maxLineBytes);
    held.push(Uint8Array.prototype.slice.call(part));
  };
  const finish = (): Uint8Array => {
    const whole = held.length === 1 ? (held[0] as Uint8Array) : Buffer.concat(held);
    const bytes = whole.at(-1) === 0x0d ? whole.subarray(0, -1) : whole;
    if (bytes.length > maxLineBytes) refuseLength(file.path, line, maxLineBytes);
    held = [];
    heldBytes = 0;
    line++;
    return bytes;
  };
  for (let position = 0; position < file.size; ) {
    const part = piece.subarray(0, Math.min(piece.length, file.size - position));
    file.read(position, part);
    let from = 0;
    for (let end = part.indexOf(0x0a); end !== -1; end = part.indexOf(0x0a, from)) {
      take(part.subarray(from, end));
      from = end + 1;
      yield { bytes: finish(), start };
      start = position + from;
    }
    take(part.subarray(from));
    position += part.length;
  }
  if (heldBytes > 0) yield { bytes: finish(), start };
}

function refuseLength(path: string, line: number, maxLineBytes: number): never {
  throw new InputError({
    expected: `lines of at most ${maxLineBytes} bytes`,
    found: 'a longer one',
    where: `${path} line ${line}`,
    remedy: 'Check that every record ends with a newline, or shorten this one.',
  });
}

function refuseByteOrderMark(bytes: Uint8Array, path: string): void {
  const utf8 = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (!utf8 && !utf16) return;
  throw new InputError({
    expected: 'UTF-8 without a byte order mark',
    found: utf8 ? 'a byte order mark (EF BB BF)' : 'UTF-16 with a byte order mark',
    where: `${path} line 1 byte 0`,
    remedy: 'Save the file as plain UTF-8 without BOM.',
  });
}

/** Bytes of a line as text. Throws InputError that names the first byte that is no UTF-8; `start` is the line's place in its file. */
export function decodeLine(bytes: Uint8Array, start: number, where: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    const offset = validUtf8Prefix(bytes);
    const value = (bytes[offset] ?? 0).toString(16).toUpperCase().padStart(2, '0');
    throw new InputError(
      {
        expected: 'UTF-8',
        found: `an invalid sequence that begins with byte 0x${value}`,
        where: `${where} byte ${start + offset} of the file`,
        remedy: 'Save the file as UTF-8.',
      },
      { cause },
    );
  }
}

/** Bytes before the first invalid sequence: the longest prefix made of whole characters, found by bisection. */
function validUtf8Prefix(bytes: Uint8Array): number {
  let valid = 0;
  let invalid = bytes.length;
  const streaming = (length: number): boolean => {
    try {
      // `stream` lets a character that is only cut off by the prefix pass.
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  if (streaming(bytes.length)) {
    valid = bytes.length;
  } else {
    while (invalid - valid > 1) {
      const middle = (valid + invalid) >>> 1;
      if (streaming(middle)) valid = middle;
      else invalid = middle;
    }
  }
  // Step back over the unfinished character at the end: continuation bytes, then their lead byte.
  let lead = valid;
  while (lead > 0 && valid - lead < 3 && ((bytes[lead - 1] as number) & 0xc0) === 0x80) lead--;
  if (lead > 0 && (bytes[lead - 1] as number) >= 0xc0) {
    try {
      decoder.decode(bytes.subarray(lead - 1, valid));
    } catch {
      return lead - 1;
    }
  }
  return valid;
}

/** One JSON object. Throws InputError with the column of the first fault. */
export function parseLine(text: string, where: string): Record<string, unknown> {
  const fault = findJsonFault(text);
  if (fault !== undefined) {
    throw new InputError({
      expected: fault.expected,
      found: fault.found,
      where: `${where} column ${Array.from(text.slice(0, fault.at)).length + 1}`,
      remedy: 'Every line must be one JSON object.',
    });
  }
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError({
      expected: 'a JSON object',
      found: Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`,
      where,
      remedy: 'Every line must be one JSON object; a file that is one big array must be split into lines.',
    });
  }
  return value as Record<string, unknown>;
}
