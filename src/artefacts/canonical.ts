/**
 * Canonical JSON (RFC 8785): the one text that a value has, so that its hash is the same on any machine. JSON.stringify
 * already writes numbers and strings as the RFC asks; what is added is the order of keys. Values are what JSON can hold.
 */
import { createHash } from 'node:crypto';

/** Keys in the order of their UTF-16 code units, fields that are undefined left out. Throws TypeError for what JSON cannot hold. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`JSON has no ${typeof value === 'number' ? String(value) : typeof value}`);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(',')}}`;
}

/** SHA-256, hex, of text as UTF-8. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
