/**
 * Databases for tests. A migrated cluster is made once per machine and schema and copied from then on; each test file has a server
 * of its own on a copy, without fsync, and each store is a new database in it. ROSLIN_TEST_DATABASE_URL runs the same tests on a
 * PostgreSQL of one's own (its user must be allowed to create databases).
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, chmodSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { Cluster } from '../../src/store/cluster.ts';
import { MIGRATIONS } from '../../src/store/migrations/index.ts';
import { POSTGRES_VERSION } from '../../src/store/postgres-version.ts';
import { connectionFromUrl, openStore, type Store } from '../../src/store/store.ts';

const FLAGS = ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off', '-c', 'shared_buffers=32MB', '-c', 'max_wal_size=256MB'];
const TEMPLATE = 'roslin_template';

export class TestDatabase implements AsyncDisposable {
  readonly #make: (name: string) => Promise<pg.ClientConfig>;
  readonly #end: () => Promise<void>;
  readonly #stores: Store[] = [];

  private constructor(make: (name: string) => Promise<pg.ClientConfig>, end: () => Promise<void>) {
    this.#make = make;
    this.#end = end;
  }

  static async start(): Promise<TestDatabase> {
    const url = process.env['ROSLIN_TEST_DATABASE_URL'];
    if (url) return TestDatabase.#elsewhere(url);
    const folder = mkdtempSync(join(tmpdir(), 'roslin-db-'));
    chmodSync(folder, 0o711);
    const home = join(folder, 'postgres');
    execFileSync('cp', ['-a', join(await template(), 'postgres'), home]);
    const cluster = await Cluster.open(home, { flags: FLAGS });
    // Also where the tests end by an exception: the server would live on.
    const stop = () => {
      const pid = readPid(home);
      if (pid !== undefined) process.kill(pid, 'SIGQUIT');
      rmSync(folder, { recursive: true, force: true });
    };
    process.once('exit', stop);
    return new TestDatabase(
      async (name) => {
        await cluster.administrate(`create database ${name} template ${TEMPLATE}`);
        return cluster.connection(name);
      },
      () => cluster.close(),
    );
  }

  static async #elsewhere(url: string): Promise<TestDatabase> {
    const admin = new pg.Client(connectionFromUrl(url));
    await admin.connect();
    const made: string[] = [];
    return new TestDatabase(
      async (name) => {
        await admin.query(`create database ${name}`);
        made.push(name);
        const own = new URL(url);
        own.pathname = `/${name}`;
        return connectionFromUrl(own.href);
      },
      async () => {
        for (const name of made) await admin.query(`drop database ${name} with (force)`);
        await admin.end();
      },
    );
  }

  /** A store on an empty database of the newest schema. Closed with this. */
  async store(connections = 10): Promise<Store> {
    const store = await openStore(await this.connection(), { connections });
    this.#stores.push(store);
    return store;
  }

  /** A new database as the template has it. */
  connection(): Promise<pg.ClientConfig> {
    return this.#make(`t_${randomBytes(6).toString('hex')}`);
  }

  /** The same as DATABASE_URL has it. */
  async url(): Promise<string> {
    const { host = '', port, user, password, database, connectionString } = await this.connection();
    return connectionString ?? `postgres://${user}:${String(password)}@/${database}?host=${encodeURIComponent(host)}&port=${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) await store.close();
    await this.#end();
  }
}

function readPid(home: string): number | undefined {
  const file = join(home, 'data', 'postmaster.pid');
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : undefined;
}

/** The folder of a stopped cluster whose template is migrated; made where it is not there yet. */
async function template(): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([POSTGRES_VERSION, MIGRATIONS])).digest('hex').slice(0, 12);
  const folder = join(tmpdir(), `roslin-test-database-${userInfo().uid}-${hash}`);
  if (existsSync(folder)) return folder;
  const staging = mkdtempSync(`${folder}.`);
  try {
    chmodSync(staging, 0o711);
    await using cluster = await Cluster.open(join(staging, 'postgres'), { flags: FLAGS });
    await cluster.administrate(`create database ${TEMPLATE}`);
    await (await openStore(cluster.connection(TEMPLATE))).close();
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    throw error;
  }
  try {
    renameSync(staging, folder);
  } catch {
    rmSync(staging, { recursive: true, force: true }); // another test file was quicker
  }
  return folder;
}
