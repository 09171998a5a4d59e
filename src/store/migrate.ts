/**
 * Brings a database to the schema of this version: forward only, each migration in its own transaction beside the row that
 * remembers it. An advisory lock lets one process at a time do it; the others wait and find it done. A migration that was changed
 * after it ran, or a database that a later version has touched, is refused before anything happens.
 */
import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { InputError } from '../errors.ts';

export interface Migration {
  /** Number and name, e.g. `0001-foundation`. */
  readonly id: string;
  readonly sql: string;
}

/** Any number that no other program on the same database is likely to lock. */
const LOCK = 7_250_118_402;

const checksum = (sql: string): string => createHash('sha256').update(sql).digest('hex');

/** Runs what is missing; returns the ids. Throws InputError where database and program do not fit. */
export async function migrate(pool: Pool, migrations: readonly Migration[]): Promise<string[]> {
  const client = await pool.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    try {
      return await migrateLocked(client, migrations);
    } finally {
      await client.query('select pg_advisory_unlock($1)', [LOCK]);
    }
  } finally {
    client.release();
  }
}

async function migrateLocked(client: PoolClient, migrations: readonly Migration[]): Promise<string[]> {
  await client.query('create table if not exists roslin_migrations (id text primary key, checksum text not null, applied_at timestamptz not null default now())');
  const { rows } = await client.query<{ id: string; checksum: string }>('select id, checksum from roslin_migrations order by id');
  rows.forEach(({ id, checksum: ran }, i) => {
    const known = migrations[i];
    if (known?.id !== id) refuse(`the migration ${id}, which this version does not have`, 'A later version of Roslin was here: use that one, or restore a backup from before it.');
    else if (checksum(known.sql) !== ran) refuse(`another text under the name ${id}`, 'A released migration is never edited. Use the version of Roslin that made this database.');
  });
  const done: string[] = [];
  for (const { id, sql } of migrations.slice(rows.length)) {
    try {
      await client.query('begin');
      await client.query(sql);
      await client.query('insert into roslin_migrations (id, checksum) values ($1, $2)', [id, checksum(sql)]);
      await client.query('commit');
    } catch (error) {
      await client.query('rollback');
      throw error;
    }
    done.push(id);
  }
  return done;
}

function refuse(found: string, remedy: string): never {
  throw new InputError({ expected: 'a database made by this version of Roslin or an earlier one', found, where: 'table roslin_migrations', remedy });
}
