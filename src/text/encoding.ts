/**
 * Damage of encodings: UTF-8 that was read as Windows-1252 or 1251 ("Ã©", "РџСЂ"), replacement characters, control characters, direction
 * overrides, HTML entities. Whether a run is read wrongly is tried, not guessed: its bytes in the old encoding must be valid UTF-8 whole.
 */

import { withoutOverlaps } from './spans.ts';

export interface EncodingFinding {
  readonly from: number;
  readonly to: number;
  readonly reason: string;
  /** What should be there, if that is certain. */
  readonly fix?: string;
}

/** Unit → byte of an encoding of one byte a character; bytes without a character stand for their own number, as browsers read them. */
function bytesOf(label: string): Map<string, number> {
  const decoder = new TextDecoder(label);
  return new Map(Array.from({ length: 256 }, (_, byte) => [decoder.decode(Uint8Array.of(byte)), byte]));
}
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What runs of an encoding's characters beyond ASCII look like: a lead byte, then those that may follow. */
function patternOf(bytes: Map<string, number>, least: number): RegExp {
  const set = (from: number, to: number) => [...bytes].filter(([, byte]) => byte >= from && byte <= to).map(([c]) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  const [two, three, four, next] = [set(0xc2, 0xdf), set(0xe0, 0xef), set(0xf0, 0xf4), set(0x80, 0xbf)];
  return new RegExp(`(?:[${two}][${next}]|[${three}][${next}]{2}|[${four}][${next}]{3}){${least},}`, 'gu');
}

const WINDOWS_1252 = bytesOf('windows-1252');
const WINDOWS_1251 = bytesOf('windows-1251');
const MISREAD = [
  // One pair is enough: "Ã©" is no text of any language. A capital letter and a space that does not break is: "À ".
  { bytes: WINDOWS_1252, pattern: patternOf(WINDOWS_1252, 1), name: 'Windows-1252' },
  // "Р»" can end a quotation: three in a row cannot be.
  { bytes: WINDOWS_1251, pattern: patternOf(WINDOWS_1251, 3), name: 'Windows-1251' },
];

const OTHERS: readonly (readonly [pattern: RegExp, reason: string, fix?: (match: string) => string | undefined])[] = [
  [/\ufffd+/gu, 'a replacement character: something was lost here'],
  [/[\0-\x08\x0b\x0e-\x1f\x7f]+/gu, 'control characters', () => ''],
  [/[\x80-\x9f]+/gu, 'control characters of Latin-1, mostly Windows-1252 read as it', (match) => new TextDecoder('windows-1252').decode(Uint8Array.from(match, (c) => c.charCodeAt(0)))],
  [/[\u202a-\u202e\u2066-\u2069]+/gu, 'marks that turn the direction of reading: text may not be what it looks like', () => ''],
  [/\ufeff+/gu, 'a byte order mark inside of text', () => ''],
  [/[\u{e0000}-\u{e007f}]+/gu, 'invisible tag characters: they can hide text', () => ''],
  [/[\ufdd0-\ufdef\ufffe\uffff]+/gu, 'characters that Unicode does not have'],
  [/&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,6}|#x[0-9a-f]{1,5});/giu, 'an HTML entity', entity],
];

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

function entity(match: string): string | undefined {
  const name = match.slice(1, -1).toLowerCase();
  const code = name.startsWith('#x') ? parseInt(name.slice(2), 16) : name.startsWith('#') ? Number(name.slice(1)) : undefined;
  if (code === undefined) return NAMED[name];
  return code > 31 && code < 0x10ffff && !(code >= 0xd800 && code < 0xe000) ? String.fromCodePoint(code) : undefined;
}

/** In the order of their places. */
export function findEncodingDamage(text: string): EncodingFinding[] {
  const found: EncodingFinding[] = [];
  if (/[\x80-\uffff]/u.test(text)) {
    for (const { bytes, pattern, name } of MISREAD) {
      for (const { 0: match, index } of text.matchAll(pattern)) {
        const fix = decoded(match, bytes);
        if (fix !== undefined && !/^[\u0080-\u00a0]+$/u.test(fix) && !/^[ÂÀÃ]\u00a0$/u.test(match)) found.push({ from: index, to: index + match.length, reason: `UTF-8 that was read as ${name}`, fix });
      }
    }
  }
  for (const [pattern, reason, fix] of OTHERS) {
    for (const { 0: match, index } of text.matchAll(pattern)) {
      const to = fix?.(match);
      found.push({ from: index, to: index + match.length, reason, ...(to === undefined ? {} : { fix: to }) });
    }
  }
  return withoutOverlaps(found);
}

function decoded(text: string, bytes: Map<string, number>): string | undefined {
  try {
    return strict.decode(Uint8Array.from(text, (c) => bytes.get(c)!));
  } catch {
    return undefined;
  }
}
