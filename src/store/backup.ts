/**
 * Backup of a workspace, also of one that is in use (restore.ts reads it): every row as of one instant (repeatable read) and the files of sealed datasets,
 * as gzipped JSON lines that any version can read. The last line holds the SHA-256 of those before it, so that a cut file shows.
 * Sessions, sign-ins that have begun and counters of failed ones are left out: after a restore everybody signs in again.
 */
import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { PassThrough } from 'node:stream';
import { createGzip } from 'node:zlib';
import { InputError } from '../errors.ts';
import { describeWriteError } from '../formats/atomic.ts';
import { MIGRATIONS } from './migrations/index.ts';
import type { Store } from './store.ts';

export const SCHEMA = 'roslin.backup/1';
const LEFT_OUT: ReadonlySet<string> = new Set(['sessions', 'sign_ins', 'throttles', 'roslin_migrations']);
export const FETCHED = 1000;
const CHUNK = 512 * 1024;
/** Lines are bounded: a record has some 30 kB at most, a piece of a file 700 kB. */
export const LONGEST_LINE = 4_000_000;
export const DATASETS = 'datasets';

/** A connection, as far as it is needed here. */
export interface Querying {
  query<T>(text: string, values?: unknown[]): Promise<{ rows: T[] }>;
}

export interface BackupCount {
  readonly rows: number;
  readonly files: number;
}

/** Writes a backup to `path`, which must not be there. Throws InputError. */
export async function backup(store: Store, workspace: string, path: string): Promise<BackupCount> {
  const target = resolve(path);
  if (existsSync(target)) throw new InputError({ expected: 'a new file', found: 'one that is there', where: path, remedy: 'Choose another name.' });
  mkdirSync(dirname(target), { recursive: true });
  const staging = `${target}.part`;
  // It holds hashes of passwords and the key of pseudonyms.
  const file = createWriteStream(staging, { mode: 0o600 });
  const lines = new PassThrough();
  const written = pipeline(lines, createGzip(), file);
  const hash = createHash('sha256');
  const write = async (value: unknown): Promise<void> => {
    const line = `${JSON.stringify(value)}\n`;
    hash.update(line);
    if (!lines.write(line)) await once(lines, 'drain');
  };
  try {
    await write({ schema: SCHEMA, migrations: MIGRATIONS.map(({ id }) => id) });
    const rows = await dumpRows(store, write);
    const files = await dumpFiles(workspace, write);
    lines.end(`${JSON.stringify({ end: { rows, files, sha256: hash.digest('hex') } })}\n`);
    await written;
    renameSync(staging, target);
    return { rows, files };
  } catch (error) {
    lines.destroy();
    await written.catch(() => {});
    rmSync(staging, { force: true });
    throw describeWriteError(error, path);
  }
}

async function dumpRows(store: Store, write: (value: unknown) => Promise<void>): Promise<number> {
  const client = await store.pool.connect();
  let count = 0;
  try {
    await client.query('begin isolation level repeatable read read only');
    for (const table of await tablesInOrder(client)) {
      await client.query(`declare rows no scroll cursor for select row_to_json(t)::text as row from ${quoted(table)} t`);
      for (;;) {
        const { rows } = await client.query<{ row: string }>(`fetch ${FETCHED} from rows`);
        for (const { row } of rows) await write({ table, row });
        count += rows.length;
        if (rows.length < FETCHED) break;
      }
      await client.query('close rows');
    }
    await client.query('commit');
    return count;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

async function dumpFiles(workspace: string, write: (value: unknown) => Promise<void>): Promise<number> {
  const folder = join(workspace, DATASETS);
  if (!existsSync(folder)) return 0;
  let count = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const parts = relative(folder, path).split(sep);
    // What is being sealed just now, or was when its writer was killed.
    if (!entry.isFile() || parts.some((part) => part.startsWith('.'))) continue;
    const bytes = readFileSync(path);
    const name = parts.join('/');
    for (let at = 0; at === 0 || at < bytes.length; at += CHUNK) await write({ file: name, last: at + CHUNK >= bytes.length, base64: bytes.subarray(at, at + CHUNK).toString('base64') });
    count++;
  }
  return count;
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Tables, each after those that it refers to. What closes a circle (a draft that revises a record) is set at the end. */
export async function tablesInOrder(client: Querying): Promise<string[]> {
  const { rows: tables } = await client.query<{ name: string }>(`select relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and relkind = 'r' order by relname`);
  const { rows: links } = await client.query<{ from: string; to: string; columns: string[] }>(`
    select c.relname as from, f.relname as to, array(select attname::text from pg_attribute a where a.attrelid = k.conrelid and a.attnum = any(k.conkey)) as columns
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class f on f.oid = k.confrelid where k.contype = 'f' and k.conrelid <> k.confrelid`);
  const order: string[] = [];
  const visit = (name: string): void => {
    if (order.includes(name) || LEFT_OUT.has(name)) return;
    for (const { to, columns } of links.filter(({ from }) => from === name)) if (!isCircular(name, columns)) visit(to);
    if (!order.includes(name)) order.push(name);
  };
  for (const { name } of tables) visit(name);
  return order;
}

export const CIRCULAR = { table: 'drafts', column: 'revises' } as const;
const isCircular = (table: string, columns: readonly string[]): boolean => table === CIRCULAR.table && columns.includes(CIRCULAR.column);
