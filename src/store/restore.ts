/**
 * Reads a backup into an empty workspace. Files of datasets go to a folder beside their place first; then the rows are committed, and with
 * them the name of that folder; then it gets its place by a rename. Killed before the commit, nothing is restored and the folder goes at the
 * next start; killed after it, everything is, and the next start puts the folder in its place.
 */
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, createReadStream, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { CompiledQuery } from 'kysely';
import { InputError, ResourceError } from '../errors.ts';
import { describeWriteError, flushFolder, flushTree, isTemporary } from '../formats/atomic.ts';
import { auditFault } from './audit.ts';
import { CIRCULAR, DATASETS, FETCHED, LONGEST_LINE, quoted, SCHEMA, tablesInOrder, type BackupCount, type Querying } from './backup.ts';
import { MIGRATIONS } from './migrations/index.ts';
import type { Store, Tx } from './store.ts';

/** The row that is committed with the others: which folder belongs to them. */
const SECRET = 'restored files';
/** Advisory lock of a restore: who tidies up leaves the folder of one that runs alone. */
const RESTORING = 7_250_118_405;

/** All or nothing: the hash, the audit chain and every constraint must hold. Throws InputError, or ResourceError while another restore runs. */
export async function restore(store: Store, workspace: string, path: string): Promise<BackupCount> {
  if (!existsSync(path)) throw refuse(path, 'nothing there', 'Check the path.');
  const lock = await store.pool.connect();
  try {
    const { rows } = await lock.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [RESTORING]);
    if (!rows[0]!.got) throw new ResourceError({ expected: 'a workspace that nobody restores', found: 'another restore that runs', where: workspace, remedy: 'Wait until it has ended.' });
    const staging = new Staging(workspace);
    try {
      const counts = await store.db.transaction().execute((tx) => readInto(tx, staging, path));
      await placeFiles(store, workspace, staging.name);
      return counts;
    } catch (error) {
      // Whether a commit that broke was one, the next start sees.
      if (!staging.isSealed) staging.abandon();
      const code = (error as { code?: string }).code;
      if (code === 'Z_DATA_ERROR' || code === 'Z_BUF_ERROR') throw refuse(path, CUT);
      throw describeWriteError(error, workspace);
    }
  } finally {
    // The lock goes with its connection.
    lock.release(true);
  }
}

/** Ends what a killed restore has begun: forwards where its rows are there, else back. */
export async function tidyRestores(store: Store, workspace: string): Promise<void> {
  const left = readdirSync(workspace).filter((name) => name.startsWith(`.${DATASETS}.`) && isTemporary(name));
  if (left.length === 0) return;
  const lock = await store.pool.connect();
  try {
    const { rows } = await lock.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [RESTORING]);
    if (!rows[0]!.got) return;
    const { value } = (await store.db.selectFrom('secrets').select('value').where('name', '=', SECRET).executeTakeFirst()) ?? {};
    for (const name of left) {
      if (name === value) await placeFiles(store, workspace, name);
      else rmSync(join(workspace, name), { recursive: true, force: true });
    }
  } finally {
    lock.release(true);
  }
}

const CUT = 'one that is cut or changed';
const refuse = (where: string, found: string, remedy = 'Take another backup.'): InputError => new InputError({ expected: 'a whole backup of Roslin', found, where, remedy });

function requireNoDatasets(workspace: string): void {
  const folder = join(workspace, DATASETS);
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new InputError({ expected: 'an empty workspace', found: 'one with datasets in it', where: folder, remedy: 'Give a new --workspace, or move this folder away.' });
}

/** Files that are there before anybody can see them. */
class Staging {
  readonly name = `.${DATASETS}.tmp-${randomBytes(6).toString('hex')}`;
  readonly workspace: string;
  readonly #folder: string;
  #open: { readonly name: string; readonly descriptor: number } | undefined;
  /** Nothing but the commit is to come. */
  isSealed = false;

  constructor(workspace: string) {
    this.workspace = workspace;
    this.#folder = join(workspace, this.name);
    mkdirSync(this.#folder, { recursive: true });
  }

  /** The next piece of a file; whether it was the last. False, and nothing written, where pieces of one file do not follow each other. */
  write(name: string, piece: Buffer, last: boolean): boolean {
    if (this.#open === undefined) {
      const target = join(this.#folder, ...name.split('/'));
      if (existsSync(target)) return false;
      mkdirSync(dirname(target), { recursive: true });
      this.#open = { name, descriptor: openSync(target, 'wx') };
    }
    if (this.#open.name !== name) return false;
    for (let at = 0; at < piece.length;) at += writeSync(this.#open.descriptor, piece, at);
    if (!last) return true;
    closeSync(this.#open.descriptor);
    this.#open = undefined;
    return true;
  }

  /** Whether every file has had its last piece; then all are on the disk. */
  seal(): boolean {
    if (this.#open) return false;
    flushTree(this.#folder);
    return true;
  }

  abandon(): void {
    if (this.#open) closeSync(this.#open.descriptor);
    this.#open = undefined;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The rename that shows the files, then the row that asked for it goes: twice is no more than once. */
async function placeFiles(store: Store, workspace: string, name: string): Promise<void> {
  const [from, to] = [join(workspace, name), join(workspace, DATASETS)];
  if (statSync(from, { throwIfNoEntry: false })) {
    if (readdirSync(from).length === 0) rmSync(from, { recursive: true });
    else renameSync(from, to);
    flushFolder(workspace);
  }
  await store.db.deleteFrom('secrets').where('name', '=', SECRET).where('value', '=', name).execute();
}

async function readInto(tx: Tx, staging: Staging, path: string): Promise<BackupCount> {
  const client: Querying = { query: async <T>(text: string, values: unknown[] = []) => ({ rows: (await tx.executeQuery<T>(CompiledQuery.raw(text, values))).rows }) };
  const revises: { id: string; revises: string }[] = [];
  const counts = { rows: 0, files: 0 };
  await requireEmpty(client, path);
  requireNoDatasets(staging.workspace);
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
    if (end !== undefined || line.length > LONGEST_LINE) throw refuse(path, `line ${number} too long, or after the end`);
    let value: { schema?: string; migrations?: string[]; table?: string; row?: string; file?: string; last?: boolean; base64?: string; end?: typeof end };
    try {
      value = JSON.parse(line) as typeof value;
    } catch {
      throw refuse(path, `line ${number}, which is no JSON`);
    }
    if (value.end) end = value.end;
    else hash.update(`${line}\n`);
    if (number === 1) requireFits(value, path);
    else if (value.table !== undefined && value.row !== undefined) {
      if (!tables.has(value.table)) throw refuse(path, `a table ${JSON.stringify(value.table).slice(0, 60)}`);
      if (value.table !== batch.table || batch.rows.length === FETCHED) await flush();
      batch.table = value.table;
      batch.rows.push(value.table === CIRCULAR.table ? postponed(value.row, revises) : value.row);
      counts.rows++;
    } else if (value.file !== undefined) {
      if (!/^[\w-]+\/\d+\/[\w-]+(?:\.[\w-]+)*$/.test(value.file)) throw refuse(path, 'a file outside of the datasets');
      if (!staging.write(value.file, Buffer.from(value.base64 ?? '', 'base64'), value.last === true)) throw refuse(path, CUT);
      if (value.last) counts.files++;
    }
  }
  await flush();
  if (!end || end.rows !== counts.rows || end.files !== counts.files || end.sha256 !== hash.digest('hex') || !staging.seal()) throw refuse(path, CUT);
  for (const { id, revises: record } of revises) await client.query('update drafts set revises = $2 where id = $1', [id, record]);
  await client.query(`select setval(pg_get_serial_sequence('draft_versions', 'id'), coalesce((select max(id) from draft_versions), 0) + 1, false)`);
  const fault = await auditFault(tx);
  if (fault !== undefined) throw new InputError({ expected: 'an audit log whose chain verifies', found: fault, where: path, remedy: 'Somebody changed it before the backup was taken: take an earlier backup.' });
  await client.query(`insert into secrets (name, value, created_at) values ($1, $2, now()) on conflict (name) do update set value = excluded.value`, [SECRET, staging.name]);
  staging.isSealed = true;
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

async function requireEmpty(client: Querying, where: string): Promise<void> {
  const { rows } = await client.query('select 1 from users limit 1');
  if (rows.length > 0) throw new InputError({ expected: 'an empty workspace', found: 'one with people in it', where, remedy: 'Give a new --workspace.' });
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

async function insertRows(client: Querying, table: string, rows: readonly string[]): Promise<void> {
  await client.query(`insert into ${quoted(table)} overriding system value select * from jsonb_populate_recordset(null::${quoted(table)}, $1::jsonb)`, [`[${rows.join(',')}]`]);
}
