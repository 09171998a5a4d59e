/**
 * The embedded database: a PostgreSQL server of the workspace's own, in `<folder>/data`. It listens on a Unix socket in a folder that
 * only its user may enter (on Windows on loopback), with a password of 256 random bits. The server is a process of its own and
 * outlives a killed one of ours: the next `open` finds it and goes on with it. Where the server itself is killed it is started again. Who is last to
 * `close` stops it.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ResourceError } from '../errors.ts';
import { requireFreeSpace } from '../formats/atomic.ts';
import { databaseUser, requireReachable, type SystemUser } from './database-user.ts';
import { newToken } from './id.ts';
import { layOutPostgres } from './postgres-binaries.ts';
import { POSTGRES_VERSION } from './postgres-version.ts';

const DATABASE = 'roslin';
const ROLE = 'roslin';
/** The file name of a socket holds a port; nothing listens on it. */
const SOCKET_PORT = 5432;
const START_TIMEOUT_S = 120;
/** So long a server that seems to run is asked before one looks again whether it does. */
const TRY_MS = 1000;
/** A socket's address may have 107 bytes on Linux, 103 on macOS; the server appends 15. */
const LONGEST_SOCKET_FOLDER = 85;
/** Advisory locks: held shared by all who use the server, held alone by the one `roslin up`. */
const IN_USE = 7_250_118_403;
const SERVING = 7_250_118_404;

export interface ClusterOptions {
  /** Flags of the server, e.g. `['-c', 'fsync=off']` for tests. */
  readonly flags?: readonly string[];
  /** Told that the server ended by itself, once it is there again. */
  readonly onLost?: ((error: Error) => void) | undefined;
}

export class Cluster implements AsyncDisposable {
  readonly folder: string;
  /** Whether a server was found running, left by a process that ended without stopping it or in use by another. */
  readonly adopted: boolean;
  readonly #user: SystemUser | undefined;
  readonly #connection: pg.ClientConfig;
  readonly #options: ClusterOptions;
  #guard: pg.Client;
  #closed = false;
  #serves = false;
  #reviving: Promise<void> | undefined;

  private constructor(folder: string, adopted: boolean, user: SystemUser | undefined, connection: pg.ClientConfig, guard: pg.Client, options: ClusterOptions) {
    this.folder = folder;
    this.adopted = adopted;
    this.#user = user;
    this.#connection = connection;
    this.#options = options;
    this.#guard = guard;
    this.#watch();
  }

  /** Makes it if it is not there, starts it if it does not run. Throws ResourceError. */
  static async open(path: string, options: ClusterOptions = {}): Promise<Cluster> {
    const folder = resolve(path);
    const user = databaseUser();
    const made = mkdirSync(folder, { recursive: true });
    if (user) {
      try {
        requireReachable(folder, user);
      } catch (error) {
        if (made !== undefined) rmSync(made, { recursive: true });
        throw error;
      }
      own(folder, user);
    }
    chmodSync(folder, 0o700);
    await layOutPostgres(join(folder, runtimeName));
    if (!existsSync(join(folder, 'data'))) await initialise(folder, user);
    const adopted = await isRunning(folder, user);
    const port = adopted ? runningPort(folder) : process.platform === 'win32' ? await freePort() : SOCKET_PORT;
    if (!adopted) await start(folder, user, port, options.flags ?? []);
    const connection = { host: process.platform === 'win32' ? '127.0.0.1' : socketFolder(folder), port, user: ROLE, password: readFileSync(passwordFile(folder), 'utf8').trim() };
    const guard = await guardOf(connection, START_TIMEOUT_S * 1000);
    const { rowCount } = await guard.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await createDatabase(guard, DATABASE);
    return new Cluster(folder, adopted, user, connection, guard, options);
  }

  connection(database: string = DATABASE): pg.ClientConfig {
    return { ...this.#connection, database };
  }

  /** Runs SQL outside of any database of ours, e.g. to make one. */
  async administrate(sql: string): Promise<void> {
    await this.#guard.query(sql);
  }

  /** Whether this process may be the one that serves the workspace, until it ends, however it ends. */
  async tryServe(): Promise<boolean> {
    const { rows } = await this.#guard.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [SERVING]);
    this.#serves ||= rows[0]?.got === true;
    return rows[0]?.got === true;
  }

  #watch(): void {
    this.#guard.once('end', () => {
      if (!this.#closed) this.#reviving ??= this.#revive().finally(() => (this.#reviving = undefined));
    });
  }

  /** Until it is there again, or is not wanted any more. What was committed is in its log, which it reads as it starts. */
  async #revive(): Promise<void> {
    for (let wait = 100; !this.#closed; wait = Math.min(5000, 2 * wait)) {
      try {
        if (!(await isRunning(this.folder, this.#user))) await start(this.folder, this.#user, this.#connection.port!, this.#options.flags ?? []);
        this.#guard = await guardOf(this.#connection, TRY_MS);
        if (this.#serves) await this.tryServe();
        this.#watch();
        this.#options.onLost?.(new Error('The embedded database had ended. It is there again, with all that was committed.'));
        return;
      } catch {
        // The one that was killed, or its children, may be there for a moment still.
        await sleep(wait);
      }
    }
  }

  /** Stops the server unless somebody else uses it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#reviving;
    try {
      await this.#guard.query('select pg_advisory_unlock_shared($1)', [IN_USE]);
    } catch {
      return; // it ended by itself, and is not wanted any more
    }
    const { rows } = await this.#guard.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [IN_USE]);
    await this.#guard.end();
    if (rows[0]?.got) await run(this.folder, this.#user, 'pg_ctl', ['stop', '-w', '-m', 'fast', '-D', dataFolder(this.folder)]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const runtimeName = `postgres-${POSTGRES_VERSION}`;
const dataFolder = (folder: string): string => join(folder, 'data');
const passwordFile = (folder: string): string => join(folder, 'password');

function own(path: string, { uid, gid }: SystemUser): void {
  chownSync(path, uid, gid);
}

/** Beside the data; in the system's folder for temporary files where that path is too long for a socket. */
function socketFolder(folder: string): string {
  const beside = join(folder, 'socket');
  return Buffer.byteLength(beside) <= LONGEST_SOCKET_FOLDER ? beside : join(tmpdir(), `roslin-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`);
}

async function initialise(folder: string, user: SystemUser | undefined): Promise<void> {
  requireFreeSpace(folder, 500e6, 'a new database');
  const staging = join(folder, `.data.${process.pid}`);
  rmSync(staging, { recursive: true, force: true });
  const password = passwordFile(folder);
  if (!existsSync(password)) writeFileSync(password, `${newToken()}\n`, { mode: 0o600 });
  if (user) own(password, user);
  // The locale is PostgreSQL's own, so that an index means the same on any machine.
  const args = ['-D', staging, '-U', ROLE, '--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--auth=scram-sha-256', `--pwfile=${password}`, '--data-checksums'];
  const { status, output } = await run(folder, user, 'initdb', args);
  if (status !== 0) {
    rmSync(staging, { recursive: true, force: true });
    throw new ResourceError({ expected: 'a new database', found: `initdb failed: ${lastLines(output)}`, where: folder, remedy: 'Free disk space or choose another --workspace, then run the same command again.' });
  }
  try {
    renameSync(staging, dataFolder(folder));
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    if (!existsSync(dataFolder(folder))) throw error; // else another process was quicker
  }
}

async function isRunning(folder: string, user: SystemUser | undefined): Promise<boolean> {
  return (await run(folder, user, 'pg_ctl', ['status', '-D', dataFolder(folder)])).status === 0;
}

/** The fourth line of the server's own file. */
function runningPort(folder: string): number {
  return Number(readFileSync(join(dataFolder(folder), 'postmaster.pid'), 'utf8').split('\n')[3]);
}

async function start(folder: string, user: SystemUser | undefined, port: number, flags: readonly string[]): Promise<void> {
  const socket = socketFolder(folder);
  const listen = process.platform === 'win32' ? ['-c', 'listen_addresses=127.0.0.1'] : ['-c', 'listen_addresses=', '-k', socket];
  if (process.platform !== 'win32') {
    mkdirSync(socket, { recursive: true, mode: 0o700 });
    if (user) own(socket, user);
  }
  const options = ['-p', String(port), ...listen, '-c', 'unix_socket_permissions=0700', ...flags];
  const log = join(folder, 'postgres.log');
  const { status, output } = await run(folder, user, 'pg_ctl', ['start', '-w', '-t', String(START_TIMEOUT_S), '-D', dataFolder(folder), '-l', log, '-o', options.map(quote).join(' ')]);
  // Of two that start at once one finds the other's lock file; both then connect.
  if (status === 0 || (await isRunning(folder, user))) return;
  throw new ResourceError({ expected: 'the embedded database to start', found: lastLines(existsSync(log) ? readFileSync(log, 'utf8') : output), where: folder, remedy: `The whole log is in ${log}.` });
}

const quote = (word: string): string => (process.platform === 'win32' ? `"${word.replaceAll('"', '\\"')}"` : `'${word.replaceAll(`'`, `'\\''`)}'`);

async function run(folder: string, user: SystemUser | undefined, program: string, args: readonly string[]): Promise<{ status: number | null; output: string }> {
  const runtime = join(folder, runtimeName);
  const child = spawn(join(runtime, 'bin', program), args, {
    cwd: folder,
    // pg_ctl hands its output on to the server, which would keep a pipe open for ever.
    stdio: program === 'pg_ctl' ? 'ignore' : ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', [process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH']: join(runtime, 'lib') },
    ...user,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => (output += String(part)));
  try {
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, output };
  } catch (cause) {
    throw new ResourceError({ expected: `PostgreSQL's ${program} to run`, found: (cause as Error).message, where: runtime, remedy: 'Delete this folder and run the same command again, or set DATABASE_URL to a PostgreSQL of your own.' }, { cause });
  }
}

const lastLines = (text: string): string => text.trim().split('\n').slice(-4).join(' ').slice(-500) || 'no word about why';

/** A connection that says that the server is in use, and ends when the server does. */
async function guardOf(connection: pg.ClientConfig, ms: number): Promise<pg.Client> {
  const guard = await connectWithin(ms, { ...connection, database: 'postgres' });
  await guard.query('select pg_advisory_lock_shared($1)', [IN_USE]);
  return guard;
}

/** A server that has just begun or recovers refuses for a while. */
async function connectWithin(ms: number, connection: pg.ClientConfig): Promise<pg.Client> {
  const end = Date.now() + ms;
  for (;;) {
    const client = new pg.Client({ ...connection, application_name: 'roslin guard', keepAlive: true });
    // It goes when the server does, which every query says anyway.
    client.on('error', () => {});
    try {
      await client.connect();
      return client;
    } catch (cause) {
      const passing = ['57P03', 'ENOENT', 'ECONNREFUSED', 'ECONNRESET'].includes((cause as { code?: string }).code ?? '');
      if (!passing || Date.now() > end) {
        throw new ResourceError({ expected: 'the embedded database to answer', found: (cause as Error).message, where: connection.host ?? '', remedy: 'Its log is postgres.log beside its data.' }, { cause });
      }
      await sleep(50);
    }
  }
}

async function createDatabase(guard: pg.Client, name: string): Promise<void> {
  try {
    await guard.query(`create database ${name}`);
  } catch (error) {
    // 42P04 or, in the same instant, 23505: another process was quicker.
    if (!['42P04', '23505'].includes((error as pg.DatabaseError).code ?? '')) throw error;
  }
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
