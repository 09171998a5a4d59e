/** SPDX licence expressions (SPDX 3.0.1, annex B) as trees: read by spdx-expression-parse, names put into SPDX's own case before. */
import parse, { type Info } from 'spdx-expression-parse';
import { InputError } from '../errors.ts';
import { knownLicence } from './table.ts';

/** `id` null: nobody said. */
export type Expression =
  | { readonly id: string | null; readonly exception?: string }
  | { readonly all: readonly [Expression, Expression] }
  | { readonly any: readonly [Expression, Expression] };

/** What stands for a licence that nobody gave inside an expression. */
const NOBODY = 'LicenseRef-unknown';
const UNKNOWN = /^(unknown|noassertion|none|other|licenseref-unknown)$/i;

/** Names that SPDX's grammar does not have, as references while it is read. */
const REFERENCE = 'LicenseRef-roslin-';

/** A name as the table or SPDX writes it. */
function nameOf(word: string): string {
  if (UNKNOWN.test(word)) return NOBODY;
  return knownLicence(word) ?? word;
}

/** Whether SPDX's grammar takes a single name: one of its list, or a reference. */
function isSpdx(name: string): boolean {
  try {
    parse(name);
    return true;
  } catch {
    return false;
  }
}

/** A name in a form that the grammar takes. */
const inGrammar = (name: string): string => (isSpdx(name) ? name : `${REFERENCE}${name.replace(/[^A-Za-z0-9.-]/g, '-')}`);

const OPERATORS = /^(AND|OR|WITH)$/i;

/** @throws InputError for text that is no licence expression */
export function parseLicence(text: string): Expression {
  const names = new Map<string, string>();
  let afterWith = false;
  const grammatical = text.trim().slice(0, 4000).replace(/[^\s()]+/g, (word) => {
    if (afterWith || OPERATORS.test(word)) {
      afterWith = !afterWith && /^WITH$/i.test(word);
      return OPERATORS.test(word) ? word.toUpperCase() : word;
    }
    const plus = word.endsWith('+') && knownLicence(word) === undefined;
    const name = nameOf(plus ? word.slice(0, -1) : word);
    const read = inGrammar(name);
    names.set(read, name);
    return plus && !read.startsWith('LicenseRef-') ? `${read}+` : read;
  });
  try {
    return toTree(parse(grammatical), names);
  } catch (cause) {
    throw new InputError({
      expected: 'an SPDX licence expression such as CC-BY-SA-3.0 or "MIT OR Apache-2.0", a name of your own such as LicenseRef-Organisation, or unknown', found: JSON.stringify(text.slice(0, 100)),
      remedy: 'spdx.org/licenses lists the names.',
    }, { cause });
  }
}

export function isLicence(text: string): boolean {
  try {
    parseLicence(text);
    return true;
  } catch {
    return false;
  }
}

function toTree(info: Info, names: ReadonlyMap<string, string>): Expression {
  if ('conjunction' in info) {
    const sides = [toTree(info.left, names), toTree(info.right, names)] as const;
    return info.conjunction === 'and' ? { all: sides } : { any: sides };
  }
  const name = names.get(info.license) ?? info.license;
  return { id: name === NOBODY ? null : name, ...(info.exception === undefined ? {} : { exception: info.exception }) };
}

/** Names in an expression, each once; null where one is not known. */
export function licencesIn(expression: Expression): (string | null)[] {
  if ('id' in expression) return [expression.id];
  return [...new Set(('all' in expression ? expression.all : expression.any).flatMap(licencesIn))];
}

/** Text of an expression as a single name or in SPDX's own writing; `unknown` for one that nobody gave. */
export function writeLicence(expression: Expression): string {
  return 'id' in expression && expression.id === null ? 'unknown' : write(expression);
}

function write(e: Expression): string {
  if ('id' in e) return `${e.id ?? NOBODY}${e.exception === undefined ? '' : ` WITH ${e.exception}`}`;
  const inner = (side: Expression) => ('any' in e && !('all' in side) ? write(side) : 'any' in side ? `(${write(side)})` : write(side));
  return ('all' in e ? e.all : e.any).map(inner).join('all' in e ? ' AND ' : ' OR ');
}

/** The same for readers that know SPDX's list alone: other names become references, and what nobody gave NOASSERTION. */
export function writeSpdx(expression: Expression): string {
  if ('id' in expression && expression.id === null) return 'NOASSERTION';
  const name = (id: string) => (isSpdx(id) ? id : `LicenseRef-${id.replace(/[^A-Za-z0-9.-]/g, '-')}`);
  const renamed = (e: Expression): Expression => ('id' in e ? { ...e, id: e.id === null ? null : name(e.id) } : 'all' in e ? { all: [renamed(e.all[0]), renamed(e.all[1])] } : { any: [renamed(e.any[0]), renamed(e.any[1])] });
  return write(renamed(expression));
}

/** Several licences that all count, as one expression; one that is none counts as not given. */
export function joinLicences(licences: readonly string[]): string {
  const all = [...new Set(licences.map((licence) => (isLicence(licence) ? licence : NOBODY)))].sort().map(parseLicence);
  if (all.length === 0) return 'unknown';
  return writeLicence(all.reduce((left, right) => ({ all: [left, right] })));
}
