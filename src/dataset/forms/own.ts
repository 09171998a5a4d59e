/** Roslin's own records, and forms that a person describes with --map. In tables the parts that are no text are JSON in a cell. */
import { toDatasetRecord, type DatasetRecord } from '../../artefacts/record-schema.ts';
import { UsageError } from '../../errors.ts';
import { parsed } from './flat.ts';
import { filled, isObject, optional, type Draft, type Form, type Value } from './form.ts';

/** Fields that are no text. */
export const JSON_FIELDS = ['turns', 'choices', 'provenance', 'checks'] as const;
export const TEXT_FIELDS = ['instruction', 'context', 'response', 'category', 'language', 'rejected'] as const;

/** A column of tables that names the cells of a row which were given an apostrophe, so that no spreadsheet takes them for a formula. */
export const QUOTED = 'formula_quoted';

function unquoted(value: Value): Value {
  const names = value[QUOTED];
  if (typeof names !== 'string' || names === '') return value;
  const quoted = new Set(names.split(' '));
  return Object.fromEntries(Object.entries(value).map(([name, cell]) => [name, quoted.has(name) && typeof cell === 'string' && cell.startsWith("'") ? cell.slice(1) : cell]));
}

/** A row of a table as a record's fields. */
function fieldsOf(row: Value): Record<string, unknown> {
  const value = unquoted(row);
  const fields: Record<string, unknown> = {};
  for (const name of TEXT_FIELDS) if (value[name] !== undefined && value[name] !== null) fields[name] = value[name];
  // An empty cell is an absent field but for the one that may be empty.
  for (const name of ['language', 'rejected']) if (fields[name] === '') delete fields[name];
  for (const name of JSON_FIELDS) {
    const cell = value[name];
    if (cell === undefined || cell === null || cell === '') continue;
    fields[name] = typeof cell === 'string' ? parsed(cell, name) : cell;
  }
  return fields;
}

const looksOwn = (value: Value): boolean => {
  const { provenance } = value;
  return isObject(provenance) ? isObject(provenance['record']) : typeof provenance === 'string' && provenance.startsWith('{');
};

export const own: Form = {
  name: 'roslin',
  mapping: [...TEXT_FIELDS, ...JSON_FIELDS].map((name) => [name, name] as const),
  recognises: (value) => Object.hasOwn(value, 'instruction') && Object.hasOwn(value, 'response') && looksOwn(value),
  drafts: (value) => [toDatasetRecord(fieldsOf(value), '') as DatasetRecord & Draft],
};

const MAPPED = ['instruction', 'context', 'response', 'category', 'language', 'rejected'] as const;

/** `instruction=question,response=answer.text`: a form by hand. Throws UsageError. */
export function mappedForm(text: string): Form {
  const pairs = text.split(',').map((pair) => {
    const [to, from, ...more] = pair.split('=').map((word) => word.trim());
    if (!MAPPED.includes(to as (typeof MAPPED)[number]) || !from || more.length > 0) {
      throw new UsageError({ expected: `pairs such as instruction=question, with ${MAPPED.join(', ')} on the left`, found: JSON.stringify(pair), where: '--map' });
    }
    return [to!, from] as const;
  });
  const from = new Map<string, string>(pairs);
  if (from.size !== pairs.length) throw new UsageError({ expected: 'every part once', found: JSON.stringify(text), where: '--map' });
  for (const needed of ['instruction', 'response']) if (!from.has(needed)) throw new UsageError({ expected: `a field for ${needed}`, found: JSON.stringify(text), where: '--map' });
  const at = (value: Value, part: string): unknown => (from.has(part) ? find(value, from.get(part)!) : undefined);
  return {
    name: 'mapped', mapping: pairs, recognises: () => true,
    drafts(value) {
      const extra = Object.fromEntries(['category', 'language', 'rejected'].map((part) => [part, optional(at(value, part), from.get(part) ?? part)] as const).filter(([, given]) => given.trim() !== ''));
      return [{ instruction: filled(at(value, 'instruction'), from.get('instruction')!), context: optional(at(value, 'context'), from.get('context') ?? 'context'), response: filled(at(value, 'response'), from.get('response')!), ...extra }];
    },
  };
}

/** A field by its name, or inside of others by names joined with dots. */
function find(value: Value, path: string): unknown {
  if (Object.hasOwn(value, path)) return value[path];
  return path.split('.').reduce<unknown>((inner, name) => (isObject(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined), value);
}
