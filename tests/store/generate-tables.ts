/** Writes src/store/tables.ts from a migrated database, so that there is one truth about tables: the migrations. */
import type { Store } from '../../src/store/store.ts';

const TYPES: Readonly<Record<string, string>> = {
  uuid: 'string', text: 'string', int4: 'number', int8: 'number', float8: 'number', bool: 'boolean', timestamptz: 'Date', date: 'string', jsonb: 'Json', _text: 'string[]',
};

interface ColumnRow {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly generated: boolean;
  readonly check: string | null;
}

export async function generateTables({ pool }: Store): Promise<string> {
  const { rows } = await pool.query<ColumnRow>(`
    select c.relname as table, a.attname as name, t.typname as type, not a.attnotnull as nullable, a.atthasdef or a.attidentity <> '' as generated,
      (select pg_get_constraintdef(k.oid) from pg_constraint k where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum] limit 1) as check
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid join pg_type t on t.oid = a.atttypid
    where n.nspname = 'public' and c.relkind = 'r' and c.relname <> 'roslin_migrations' and a.attnum > 0 and not a.attisdropped
    order by c.relname, a.attnum`);
  const tables = Map.groupBy(rows, (row) => row.table);
  const lines = ['/** The tables as the migrations make them. Written by `UPDATE_TABLES=1 npm test -- tests/store/tables.test.ts`; never edited by hand. */', `import type { ColumnType, Generated } from 'kysely';`, '', '/** Written as JSON text, read as the value. */', 'export type Json = ColumnType<unknown, string, string>;', ''];
  for (const [table, columns] of tables) {
    lines.push(`export interface ${nameOf(table)} {`, ...columns.map((column) => `  ${column.name}: ${typeOf(column)};`), '}', '');
  }
  lines.push('export interface Database {', ...[...tables.keys()].map((table) => `  ${table}: ${nameOf(table)};`), '}', '');
  return lines.join('\n');
}

const nameOf = (table: string): string => `${table.split('_').map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')}Table`;

function typeOf({ table, name, type, nullable, generated, check }: ColumnRow): string {
  const plain = TYPES[type];
  if (plain === undefined) throw new Error(`${table}.${name} is ${type}, which this generator does not know`);
  const values = [...(check ?? '').matchAll(/'([^']*)'::text/g)].map((match) => `'${match[1]}'`);
  const narrow = values.length === 0 || /[<>=] ?\d/.test(check ?? '') ? plain : type === '_text' ? `(${values.join(' | ')})[]` : values.join(' | ');
  const whole = nullable ? `${plain === 'Json' ? 'Json' : narrow} | null` : narrow;
  return generated ? `Generated<${whole}>` : whole;
}
