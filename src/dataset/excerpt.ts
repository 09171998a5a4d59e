/** A few words around a place, for reports. What must not be passed on is hidden but for its first two characters. */
import type { DatasetRecord } from '../artefacts/record-schema.ts';
import { findPersonal } from '../text/personal.ts';
import { findSecrets } from '../text/secrets.ts';
import type { Place } from './checks/check.ts';

/** `match` stands between `before` and `after`. */
export interface Excerpt {
  readonly before: string;
  readonly match: string;
  readonly after: string;
}

const AROUND = 60;
const LONGEST = 160;

export function excerptOf(record: DatasetRecord, { part, from, to, turn = 0 }: Place, secret: boolean): Excerpt {
  const text = veiled(part === 'turns' ? record.turns?.[turn]?.text ?? '' : record[part] ?? '');
  // Half of a character at an edge would be damage of our own.
  const cut = (a: number, b: number) => text.slice(Math.max(0, a), b).toWellFormed();
  const match = cut(from, Math.min(to, from + LONGEST));
  const before = from <= AROUND ? cut(0, from) : `…${cut(from - AROUND, from)}`;
  const end = to - from > LONGEST ? '…' : '';
  const after = to + AROUND >= text.length ? cut(to, text.length) : `${cut(to, to + AROUND)}…`;
  if (!secret) return { before, match: `${match}${end}`, after };
  // Around one number there may be another.
  const hide = (piece: string) => piece.replace(/[\p{L}\p{N}]+@\S+|[\d][\d\s().-]{4,}\d/gu, '••••');
  return { before: hide(before), match: `${Array.from(match).slice(0, 2).join('')}${'•'.repeat(Math.min(12, Math.max(1, to - from - 2)))}`, after: hide(after) };
}

/** The text with personal data and keys hidden, as long as before: a finding of another check may stand beside them, or hold them. */
function veiled(text: string): string {
  let out = text;
  for (const { from, to } of [...findPersonal(text), ...findSecrets(text)]) out = `${out.slice(0, from + 2)}${'•'.repeat(Math.max(0, to - from - 2))}${out.slice(Math.max(to, from + 2))}`;
  return out;
}
