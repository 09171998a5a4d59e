/** Starts the studio: database, jobs, HTTP, in this order, and ends them in the other. Prints nothing: it returns what is to be said. */
import { readFileSync, rmSync } from 'node:fs';
import { createServer as createPlain, type Server } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { makeOwnerToken } from '../../collect/accounts/setup.ts';
import { SimilarRecords } from '../../collect/checks/similar-records.ts';
import type { Context, Mailer } from '../../collect/context.ts';
import { runJobs } from '../../collect/jobs.ts';
import { ResourceError, UsageError } from '../../errors.ts';
import { writeFileAtomic } from '../../formats/atomic.ts';
import { openWorkspace } from '../../store/workspace.ts';
import { createApp } from './app.ts';
import { isLoopbackHost, siteOf, TrustedProxies } from './http.ts';
import { builtWeb, Pages } from './pages.ts';

export interface StudioOptions {
  readonly workspace: string;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Where people reach it; default: where it listens. */
  readonly publicUrl?: string | undefined;
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly trustedProxies?: readonly string[] | undefined;
  readonly mail?: Mailer | undefined;
  readonly databaseUrl?: string | undefined;
  /** Built pages; default: those of this clone or package. */
  readonly web?: string | undefined;
  readonly onFault: (error: unknown) => void;
  readonly checkAnswers?: boolean;
  /** Clock and chance, for tests. */
  readonly now?: () => number;
  readonly random?: () => number;
  readonly connections?: number;
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

const JOBS_MS = 20_000;
/** Requests that run have so long to end. */
const GRACE_MS = 10_000;
const SERVING = 'serving.json';

/** Throws UsageError, ResourceError or InputError with what to do. */
export async function startStudio(options: StudioOptions): Promise<Studio> {
  const { host, port, tls } = options;
  requireSafe(options);
  const proxies = trusted(options.trustedProxies ?? []);
  const workspace = await openWorkspace(options.workspace, { ...(options.databaseUrl !== undefined && { databaseUrl: options.databaseUrl }), connections: options.connections ?? 20, onBroken: options.onFault });
  const note = join(workspace.folder, SERVING);
  try {
    if (workspace.cluster && !(await workspace.cluster.tryServe())) throw alreadyUp(workspace.folder, note);
    const server: Server = tls ? createSecure({ cert: tls.cert, key: tls.key }) : createPlain();
    await listen(server, host, port);
    const { port: bound } = server.address() as AddressInfo;
    const url = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${bound}`;
    const publicUrl = new URL(options.publicUrl ?? url).origin;
    const context: Context = { store: workspace.store, now: options.now ?? Date.now, random: options.random ?? Math.random, similar: new SimilarRecords(), mail: options.mail, publicUrl };
    const web = options.web ?? builtWeb();
    const app = createApp({ context, workspace: workspace.folder, embedded: workspace.cluster !== undefined }, { site: siteOf(publicUrl, { host, port: bound }), proxies, pages: new Pages(web), onFault: options.onFault, checkAnswers: options.checkAnswers ?? false });
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    server.on('request', (request, response) => void listener(request, response));
    const token = await makeOwnerToken(context);
    const jobs = startJobs(context, options.onFault);
    writeFileAtomic(note, `${JSON.stringify({ url: publicUrl, pid: process.pid })}\n`);
    const close = async () => {
      await jobs.stop();
      await end(server);
      rmSync(note, { force: true });
      await workspace.close();
    };
    let closing: Promise<void> | undefined;
    return { url, publicUrl, ownerLink: token === undefined ? undefined : `${publicUrl}/setup#${token}`, embedded: workspace.cluster !== undefined, recovered: workspace.cluster?.adopted ?? false, hasPages: web !== undefined, context, close: () => (closing ??= close()) };
  } catch (error) {
    await workspace.close();
    throw error;
  }
}

function requireSafe({ host, tls, publicUrl }: StudioOptions): void {
  if (publicUrl !== undefined && !/^https?:\/\/[^/?#]+\/?$/.test(publicUrl)) throw new UsageError({ expected: 'an address such as https://studio.example.org', found: publicUrl, where: '--public-url', remedy: 'Scheme and host alone, without a path.' });
  const plain = publicUrl?.startsWith('http:') ?? !tls;
  const local = publicUrl === undefined ? isLoopbackHost(host) : isLoopbackHost(new URL(publicUrl).hostname.replace(/^\[|\]$/g, ''));
  if (plain && !local) {
    throw new UsageError({ expected: 'https for other machines', found: `plain http on ${publicUrl ?? host}`, where: publicUrl === undefined ? '--host' : '--public-url', remedy: 'Give --tls-cert and --tls-key, or put a proxy with TLS in front and give its address: --public-url https://….' });
  }
}

function trusted(entries: readonly string[]): TrustedProxies {
  try {
    return new TrustedProxies(entries);
  } catch (error) {
    throw new UsageError({ expected: 'addresses or networks such as 10.0.0.0/8', found: (error as Error).message, where: '--trusted-proxy' });
  }
}

function alreadyUp(folder: string, note: string): ResourceError {
  let where = 'another process';
  try {
    const { url, pid } = JSON.parse(readFileSync(note, 'utf8')) as { url: string; pid: number };
    where = `process ${pid} at ${url}`;
  } catch {
    // It says so a moment later.
  }
  return new ResourceError({ expected: 'a workspace that nobody serves', found: `one that ${where} serves already`, where: folder, remedy: 'Open that address, stop the other one, or give another --workspace.' });
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new ResourceError({ expected: 'a free port', found: error.code === 'EADDRINUSE' ? 'one that is in use' : error.message, where: `${host}:${port}`, remedy: 'Give another with --port.' }, { cause: error })));
    server.listen(port, host, resolve);
  });
  server.headersTimeout = 15_000;
  server.requestTimeout = 60_000;
  server.keepAliveTimeout = 30_000;
  server.maxConnections = 2048;
}

/** No new requests; kept-alive connections become idle one by one. */
async function end(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
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
