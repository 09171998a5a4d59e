/** Starts the studio: database, jobs, HTTP, in this order, and ends them in the other. Prints nothing: it returns what is to be said. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { makeOwnerToken } from '../../collect/accounts/setup.ts';
import { SimilarRecords } from '../../collect/checks/similar-records.ts';
import type { Context, Mailer } from '../../collect/context.ts';
import { runJobs } from '../../collect/jobs.ts';
import { ResourceError } from '../../errors.ts';
import { writeFileAtomic } from '../../formats/atomic.ts';
import { secretNamed } from '../../store/secrets.ts';
import { openWorkspace } from '../../store/workspace.ts';
import { createApp } from './app.ts';
import { siteOf } from './http.ts';
import { openServer, type Listening } from './listen.ts';
import { builtWeb, Pages } from './pages.ts';
import { isForProxies, requireReach } from './reach.ts';
import { readTls, type TlsFiles } from './tls.ts';
import { SingleSignOn, type SingleSignOnSettings } from './single-sign-on.ts';

export interface StudioOptions {
  readonly workspace: string;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Where people reach it; default: where it listens. */
  readonly publicUrl?: string | undefined;
  readonly tls?: TlsFiles | undefined;
  readonly trustedProxies?: readonly string[] | undefined;
  readonly mail?: Mailer | undefined;
  readonly signOn?: SingleSignOnSettings | undefined;
  readonly databaseUrl?: string | undefined;
  /** Built pages; default: those of this clone or package. */
  readonly web?: string | undefined;
  readonly onFault: (error: unknown) => void;
  readonly checkAnswers?: boolean;
  /** Clock and chance, for tests. */
  readonly now?: () => number;
  readonly random?: () => number;
  readonly connections?: number;
  /** See ListenOptions. */
  readonly tlsCheckMs?: number;
}

export interface Studio {
  /** Where it listens. */
  readonly url: string;
  readonly publicUrl: string;
  /** Makes the first owner, once; undefined where there is one. */
  readonly ownerLink: string | undefined;
  readonly embedded: boolean;
  /** Whether a database was found running that an earlier process left behind. */
  readonly recovered: boolean;
  readonly hasPages: boolean;
  readonly context: Context;
  close(): Promise<void>;
}

/** What a studio that runs leaves in its workspace, for its owner's eyes: where it is, and the key of `--doctor`. */
export interface ServingNote {
  readonly url: string;
  readonly listening: string;
  readonly pid: number;
  readonly key: string;
}

const JOBS_MS = 20_000;
const SERVING = 'serving.json';

/** Throws UsageError, ResourceError or InputError with what to do. */
export async function startStudio(options: StudioOptions): Promise<Studio> {
  const { host, port, tls } = options;
  const proxies = requireReach(options);
  if (tls) readTls(tls);
  const workspace = await openWorkspace(options.workspace, { ...(options.databaseUrl !== undefined && { databaseUrl: options.databaseUrl }), connections: options.connections ?? 20, onBroken: options.onFault });
  const note = join(workspace.folder, SERVING);
  let listening: Listening | undefined;
  try {
    if (workspace.cluster && !(await workspace.cluster.tryServe())) throw alreadyUp(workspace.folder);
    listening = await openServer({ host, port, tls, tlsCheckMs: options.tlsCheckMs, onFault: options.onFault });
    const { server, url, close: closeServer } = listening;
    const publicUrl = new URL(options.publicUrl ?? url).origin;
    const context: Context = { store: workspace.store, now: options.now ?? Date.now, random: options.random ?? Math.random, similar: new SimilarRecords(), mail: options.mail, publicUrl };
    const signOn = options.signOn && new SingleSignOn(options.signOn, { publicUrl, now: context.now, onFault: options.onFault });
    const web = options.web ?? builtWeb();
    // The same of all servers on one database: whichever is asked can answer.
    const key = await secretNamed(context.store.db, 'doctor');
    const app = createApp({ context, workspace: workspace.folder, embedded: workspace.cluster !== undefined, signOn }, { site: siteOf(publicUrl, { host, port: listening.port }), proxies, pages: new Pages(web), forProxies: isForProxies(options), probeKey: key, onFault: options.onFault, checkAnswers: options.checkAnswers ?? false });
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    server.on('request', (request, response) => void listener(request, response));
    const token = await makeOwnerToken(context);
    const jobs = startJobs(context, options.onFault);
    writeFileAtomic(note, `${JSON.stringify({ url: publicUrl, listening: url, pid: process.pid, key } satisfies ServingNote)}\n`, 0o600);
    const close = async () => {
      await jobs.stop();
      await closeServer();
      // Of several servers on one database the last to start has its note there.
      if (servingNote(workspace.folder)?.pid === process.pid) rmSync(note, { force: true });
      await workspace.close();
    };
    let closing: Promise<void> | undefined;
    return { url, publicUrl, ownerLink: token === undefined ? undefined : `${publicUrl}/setup#${token}`, embedded: workspace.cluster !== undefined, recovered: workspace.cluster?.adopted ?? false, hasPages: web !== undefined, context, close: () => (closing ??= close()) };
  } catch (error) {
    await listening?.close();
    await workspace.close();
    throw error;
  }
}

/** Of the studio that serves a workspace, or did when it was killed. Undefined: there is none; throws where this user may not read it. */
export function servingNote(workspace: string): ServingNote | undefined {
  try {
    const { url, listening, pid, key } = JSON.parse(readFileSync(join(workspace, SERVING), 'utf8')) as Partial<ServingNote>;
    return url !== undefined && listening !== undefined && pid !== undefined && key !== undefined ? { url, listening, pid, key } : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') throw error;
    return undefined;
  }
}

function alreadyUp(folder: string): ResourceError {
  let where = 'another process';
  try {
    const serving = servingNote(folder);
    // It says so a moment later.
    if (serving) where = `process ${serving.pid} at ${serving.url}`;
  } catch {
    // another user's
  }
  return new ResourceError({ expected: 'a workspace that nobody serves', found: `one that ${where} serves already`, where: folder, remedy: 'Open that address, stop the other one, or give another --workspace.' });
}

function startJobs(context: Context, onFault: (error: unknown) => void): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve();
  let busy = false;
  const tick = () => {
    if (busy) return;
    busy = true;
    running = runJobs(context).catch(onFault).finally(() => (busy = false));
  };
  const timer = setInterval(tick, JOBS_MS);
  tick();
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
