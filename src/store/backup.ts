/**
 * Backup and restore of a workspace, also of one that is in use: every row as of one instant (repeatable read) and the files of sealed datasets,
 * as gzipped JSON lines that any version can read. The last line holds the SHA-256 of those before it, so that a cut file shows.
 * Sessions, sign-ins that have begun and counters of failed ones are left out: after a restore everybody signs in again.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { PassThrough } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import type { PoolClient } from 'pg';
import { InputError } from '../errors.ts';
import { describeWriteError, writeFileAtomic } from '../formats/atomic.ts';
import { auditFault } from './audit.ts';
import { MIGRATIONS } from './migrations/index.ts';
import type { Store } from './store.ts';

const SCHEMA = 'roslin.backup/1';
const LEFT_OUT: ReadonlySet<string> = new Set(['sessions', 'sign_ins', 'throttles', 'roslin_migrations']);
const FETCHED = 1000;
const CHUNK = 512 * 1024;
/** Lines are bounded: a record has some 30 kB at most, a piece of a file 700 kB. */
const LONGEST_LINE = 4_000_000;
const DATASETS = 'datasets';

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

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Tables, each after those that it refers to. What closes a circle (a draft that revises a record) is set at the end. */
async function tablesInOrder(client: PoolClient): Promise<string[]> {
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

const CIRCULAR = { table: 'drafts', column: 'revises' } as const;
const isCircular = (table: string, columns: readonly string[]): boolean => table === CIRCULAR.table && columns.includes(CIRCULAR.column);

/** Reads a backup into an empty workspace. All or nothing: the hash, the audit chain and every constraint must hold. Throws InputError. */
export async function restore(store: Store, workspace: string, path: string): Promise<BackupCount> {
  const refuse = (found: string, remedy = 'Take another backup.') => new InputError({ expected: 'a whole backup of Roslin', found, where: path, remedy });
  if (!existsSync(path)) throw refuse('nothing there', 'Check the path.');
  const client = await store.pool.connect();
  const revises: { id: string; revises: string }[] = [];
  const files = new Map<string, Buffer[]>();
  const counts = { rows: 0, files: 0 };
  try {
    await client.query('begin');
    await requireEmpty(client, path);
    const tables = new Set(await tablesInOrder(client));
    const hash = createHash('sha256');
    let end: { rows: number; files: number; sha256: string } | undefined;
    let batch: { table: string; rows: string[] } = { table: '', rows: [] };
    const flush = async () => {
      if (batch.rows.length > 0) await insertRows(client, batch.table, batch.rows);
      batch = { table: '', rows: [] };
    };
    let number = 0;
    for await (const line of linesOf(path)) {
      number++;
      if (end !== undefined || line.length > LONGEST_LINE) throw refuse(`line ${number} too long, or after the end`);
      let value: { schema?: string; migrations?: string[]; table?: string; row?: string; file?: string; last?: boolean; base64?: string; end?: typeof end };
      try {
        value = JSON.parse(line) as typeof value;
      } catch {
        throw refuse(`line ${number}, which is no JSON`);
      }
      if (value.end) end = value.end;
      else hash.update(`${line}\n`);
      if (number === 1) requireFits(value, path);
      else if (value.table !== undefined && value.row !== undefined) {
        if (!tables.has(value.table)) throw refuse(`a table ${JSON.stringify(value.table).slice(0, 60)}`);
        if (value.table !== batch.table || batch.rows.length === FETCHED) await flush();
        batch.table = value.table;
        batch.rows.push(value.table === CIRCULAR.table ? postponed(value.row, revises) : value.row);
        counts.rows++;
      } else if (value.file !== undefined) {
        if (!/^[\w-]+\/\d+\/[\w-]+(?:\.[\w-]+)*$/.test(value.file)) throw refuse('a file outside of the datasets');
        files.set(value.file, [...(files.get(value.file) ?? []), Buffer.from(value.base64 ?? '', 'base64')]);
        if (value.last) counts.files++;
      }
    }
    await flush();
    if (!end || end.rows !== counts.rows || end.files !== counts.files || end.sha256 !== hash.digest('hex')) throw refuse('one that is cut or changed');
    for (const { id, revises: record } of revises) await client.query('update drafts set revises = $2 where id = $1', [id, record]);
    await client.query(`select setval(pg_get_serial_sequence('draft_versions', 'id'), coalesce((select max(id) from draft_versions), 0) + 1, false)`);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => {});
    if (error instanceof InputError) throw error;
    if ((error as { code?: string }).code === 'Z_DATA_ERROR' || (error as { code?: string }).code === 'Z_BUF_ERROR') throw refuse('one that is cut or changed');
    throw error;
  } finally {
    client.release();
  }
  for (const [name, parts] of files) {
    const target = join(workspace, DATASETS, ...name.split('/'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileAtomic(target, Buffer.concat(parts));
  }
  const fault = await auditFault(store.db);
  if (fault !== undefined) throw new InputError({ expected: 'an audit log whose chain verifies', found: fault, where: path, remedy: 'The rows are restored, but somebody changed them before the backup was taken.' });
  return counts;
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const input = createReadStream(path).pipe(createGunzip());
  const failed = new Promise<never>((_, reject) => input.once('error', reject));
  failed.catch(() => {});
  const lines = createInterface({ input, crlfDelay: Infinity })[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([lines.next(), failed]);
    if (next.done) return;
    yield next.value;
  }
}

function requireFits(header: { readonly schema?: string; readonly migrations?: readonly string[] }, where: string): void {
  if (header.schema !== SCHEMA || !Array.isArray(header.migrations)) throw new InputError({ expected: `a backup in the form ${SCHEMA}`, found: 'something else', where, remedy: 'Give a file that "roslin backup" wrote.' });
  const known = MIGRATIONS.map(({ id }) => id);
  if (header.migrations.length !== known.length || header.migrations.some((id, i) => id !== known[i])) throw new InputError({ expected: `a backup of a database with ${known.at(-1)}`, found: `one with ${header.migrations.at(-1)}`, where, remedy: 'Restore it with the version that made it, then upgrade.' });
}

async function requireEmpty(client: PoolClient, where: string): Promise<void> {
  const { rowCount } = await client.query('select from users limit 1');
  if (rowCount) throw new InputError({ expected: 'an empty workspace', found: 'one with people in it', where, remedy: 'Give a new --workspace.' });
  // A studio that was started to look has left these.
  await client.query('delete from secrets');
  await client.query('delete from chains');
}

function postponed(row: string, revises: { id: string; revises: string }[]): string {
  const draft = JSON.parse(row) as { id: string; revises: string | null };
  if (draft.revises === null) return row;
  revises.push({ id: draft.id, revises: draft.revises });
  return JSON.stringify({ ...draft, revises: null });
}

async function insertRows(client: PoolClient, table: string, rows: readonly string[]): Promise<void> {
  await client.query(`insert into ${quoted(table)} overriding system value select * from jsonb_populate_recordset(null::${quoted(table)}, $1::jsonb)`, [`[${rows.join(',')}]`]);
}
