/**
 * The store: a pool of connections and typed queries over it. The same on the embedded PostgreSQL and on one's own. It knows tables
 * and transactions and nothing of campaigns: rules are in src/collect.
 */
import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import { InputError, ResourceError } from '../errors.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations/index.ts';
import type { Database } from './tables.ts';

export type Db = Kysely<Database>;
/** Inside of a transaction. A function that takes one changes several rows together. */
export type Tx = Transaction<Database>;

export interface StoreOptions {
  /** Connections at most. Default 10. */
  readonly connections?: number;
  /** Told of a connection that broke while idle; the pool replaces it. */
  readonly onBroken?: (error: Error) => void;
}

export interface Store extends AsyncDisposable {
  readonly db: Db;
  readonly pool: pg.Pool;
  /** What was run on opening. */
  readonly migrated: readonly string[];
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const OLDEST_POSTGRES = 14;
/** SQLSTATEs after which the same transaction may go through: serialisation failure, deadlock. */
const RETRIED: ReadonlySet<string> = new Set(['40001', '40P01']);
const TRIES = 5;

// 64-bit counts come as text by default. Ours are far below 2^53. Dates stay text: a day has no time zone.
const types = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (format !== 'binary' && oid === pg.types.builtins.INT8) return Number;
    if (format !== 'binary' && oid === pg.types.builtins.DATE) return (text: string) => text;
    return pg.types.getTypeParser(oid, format as 'text');
  }) as typeof pg.types.getTypeParser,
};

/** Connects, checks the server and migrates. Throws ResourceError where nobody answers, InputError where the database does not fit. */
export async function openStore(connection: pg.ClientConfig, options: StoreOptions = {}): Promise<Store> {
  const pool = new pg.Pool({ ...connection, types, max: options.connections ?? 10, application_name: 'roslin' });
  pool.on('error', options.onBroken ?? (() => {}));
  // One that breaks while it is lent says so between two queries as well; whoever has it learns by the next.
  pool.on('connect', (client) => client.on('error', () => {}));
  try {
    await checkServer(pool);
    const migrated = await migrate(pool, MIGRATIONS);
    const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
    let closing: Promise<void> | undefined;
    const close = () => (closing ??= db.destroy());
    return { db, pool, migrated, close, transaction: (work) => inTransaction(db, work), [Symbol.asyncDispose]: close };
  } catch (error) {
    await pool.end();
    throw error;
  }
}

/** A connection from the value of DATABASE_URL. */
export function connectionFromUrl(url: string): pg.ClientConfig {
  // Without a host it is a socket's (…@/database?host=/run/postgresql), which PostgreSQL's programs and pg take, and URL does not.
  if (/^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url.replace('@/', '@socket/'))) return { connectionString: url };
  // The value holds a password: it is not repeated.
  throw new InputError({ expected: 'an address such as postgres://user:password@host:5432/database', found: 'something else', where: 'DATABASE_URL', remedy: 'Correct it, or unset it to use the embedded database.' });
}

async function checkServer(pool: pg.Pool): Promise<void> {
  let number: number;
  try {
    const { rows } = await pool.query<{ server_version_num: string }>('show server_version_num');
    number = Number(rows[0]!.server_version_num);
  } catch (cause) {
    throw new ResourceError({ expected: 'a PostgreSQL server that lets Roslin in', found: cause instanceof Error ? cause.message || cause.name : 'none', where: 'database', remedy: 'Check that it runs, and DATABASE_URL if that is set.' }, { cause });
  }
  if (number >= OLDEST_POSTGRES * 10_000) return;
  throw new InputError({ expected: `PostgreSQL ${OLDEST_POSTGRES} or later`, found: `version ${Math.floor(number / 10_000)}`, where: 'database', remedy: 'Upgrade it, or unset DATABASE_URL to use the embedded database.' });
}

/**
 * All or nothing. Read committed: what must not change in between is locked by its row, and the order of locks is user, submission,
 * chain. After a deadlock the work is done again from its start, so it must do nothing outside of the database.
 */
async function inTransaction<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let left = TRIES - 1; ; left--) {
    try {
      return await db.transaction().execute(async (tx) => {
        const last: (() => Promise<void>)[] = [];
        lastDeeds.set(tx, last);
        const result = await work(tx);
        for (const deed of last) await deed();
        return result;
      });
    } catch (error) {
      if (left === 0 || !RETRIED.has(sqlState(error))) throw error;
    }
  }
}

const lastDeeds = new WeakMap<Tx, (() => Promise<void>)[]>();

/** Runs right before the transaction commits: for what takes a lock that every writer wants. */
export function beforeCommit(tx: Tx, deed: () => Promise<void>): void {
  const last = lastDeeds.get(tx);
  if (!last) throw new Error('this transaction was not begun by store.transaction');
  last.push(deed);
}

/** Whoever asks for a lock of this name waits until the transaction that has it ends. For what has no row to lock. */
export async function lockName(tx: Tx, name: string): Promise<void> {
  await tx.selectNoFrom((eb) => eb.fn('pg_advisory_xact_lock', [eb.fn('hashtextextended', [eb.val(name), eb.lit(0)])]).as('locked')).execute();
}

/** The five characters by which PostgreSQL names an error, or ''. */
export const sqlState = (error: unknown): string => (error instanceof pg.DatabaseError ? (error.code ?? '') : '');

export const isUniqueViolation = (error: unknown, constraint?: string): boolean => sqlState(error) === '23505' && (constraint === undefined || (error as pg.DatabaseError).constraint === constraint);
