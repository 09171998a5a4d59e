/** The studio over HTTP: the routes of the contract, each guarded in the same order in this one place, and the pages. */
import type { IncomingMessage } from 'node:http';
import { Hono, type Context as Exchange } from 'hono';
import type * as z from 'zod';
import { personOf, type Person } from '../../collect/accounts/sessions.ts';
import { requireConsent } from '../../collect/campaigns/consent.ts';
import { requireCampaign } from '../../collect/campaigns/current.ts';
import { notFound, Refusal } from '../../collect/refusal.ts';
import { mayAccess } from '../../collect/rules/access.ts';
import { ERROR_STATUS } from '../../collect/rules/error-codes.ts';
import { InputError } from '../../errors.ts';
import { ROUTES, type RouteName, type RouteSpec } from '../contract.ts';
import { HANDLERS, type Deps } from './handlers.ts';
import { cookieOf, isLoopbackHost, Rates, readJson, requireKnownHost, requireOwnOrigin, securityHeaders, tokenOf, type Site, type TrustedProxies } from './http.ts';
import type { Pages } from './pages.ts';
import { answerProbe, mayProbe, PROBE } from './probe.ts';

export interface AppOptions {
  readonly site: Site;
  readonly proxies: TrustedProxies;
  readonly pages: Pages;
  /** It listens by plain http beyond this machine: then proxies alone are answered. */
  readonly forProxies?: boolean;
  /** Of `roslin up --doctor`; undefined: it is not answered. */
  readonly probeKey?: string;
  /** Told of faults of our own; clients only learn that there was one. */
  readonly onFault: (error: unknown) => void;
  /** Holds every answer to the contract: for tests, since it costs time. */
  readonly checkAnswers?: boolean;
}

type Bindings = { incoming: IncomingMessage };

const PER_MINUTE = 600;
const BYTES = 64 * 1024;

export function createApp(deps: Deps, options: AppOptions): Hono<{ Bindings: Bindings }> {
  const { site, pages } = options;
  const app = new Hono<{ Bindings: Bindings }>();
  const headers = Object.entries(securityHeaders(site));
  const rates = new Rates();

  app.use('*', async (c, next) => {
    for (const [name, value] of headers) c.header(name, value);
    if (options.forProxies) requireProxy(c, options.proxies, deps.context.publicUrl);
    const probed = c.req.path === PROBE.path && mayProbe(options.probeKey, c.req.raw);
    if (c.req.path !== '/healthz' && !probed) requireKnownHost(site, c.req.header('host'));
    if (probed) return withHeaders(await answerProbe(c.req.raw, c.env.incoming, { key: options.probeKey!, publicUrl: deps.context.publicUrl, site, proxies: options.proxies }), headers);
    await next();
  });
  app.get('/healthz', async (c) => {
    try {
      await deps.context.store.pool.query('select 1');
      return c.json({ status: 'ok' });
    } catch {
      return c.json({ status: 'no database' }, 503);
    }
  });
  for (const [name, spec] of Object.entries(ROUTES) as [RouteName, RouteSpec][]) {
    app.on(spec.method, spec.url.replace(/\{(\w+)\}/g, ':$1'), (c) => answer(c, name, spec, deps, options, rates));
  }
  const known = [...new Set(Object.values<RouteSpec>(ROUTES).map(({ url }) => url.replace(/\{(\w+)\}/g, ':$1')))];
  for (const path of known) app.all(path, () => {
    throw new Refusal('method_not_allowed', 'This is not done that way here.');
  });
  app.all('/api/*', () => {
    throw notFound();
  });
  app.all('/api', () => {
    throw notFound();
  });
  app.get('*', (c) => {
    const page = pages.answer(c.req.path, c.req.header('accept-encoding') ?? '');
    if (!page) throw notFound();
    return withHeaders(page, headers);
  });
  app.notFound(() => {
    throw notFound();
  });
  app.onError((error, c) => failure(error, c, headers, options.onFault));
  return app;
}

function withHeaders(response: Response, headers: readonly (readonly [string, string])[]): Response {
  for (const [name, value] of headers) response.headers.set(name, value);
  return response;
}

function requireProxy(c: Exchange<{ Bindings: Bindings }>, proxies: TrustedProxies, publicUrl: string): void {
  const address = (c.env.incoming?.socket.remoteAddress ?? '').replace(/^::ffff:/i, '');
  if (!isLoopbackHost(address) && !proxies.trusts(address)) throw new Refusal('wrong_host', `Plain http is for the proxy alone. Open ${publicUrl}.`, { values: { expected: publicUrl } });
}

/** In this order: rate, origin, session, role, consent, shape; then the handler. */
async function answer(c: Exchange<{ Bindings: Bindings }>, name: RouteName, spec: RouteSpec, deps: Deps, { site, proxies, checkAnswers }: AppOptions, rates: Rates): Promise<Response> {
  const { context } = deps;
  const address = proxies.clientOf(c.env.incoming?.socket.remoteAddress ?? '', c.req.header('x-forwarded-for'));
  requireOwnOrigin(site, spec.method, c.req.header('origin'));
  const token = tokenOf(site, 'session', c.req.header('cookie'));
  const person = token === undefined ? undefined : await personOf(context, token);
  rates.count(`${name} ${person?.id ?? address}`, spec.perMinute ?? PER_MINUTE, context.now());
  requireAccess(spec, person);
  if (spec.consent) await requireConsent(context.store.db, person!.id, await requireCampaign(context.store.db));
  const cookies: string[] = [];
  const asked = {
    path: parse(spec.path, c.req.param()), query: parse(spec.query, c.req.query()), body: spec.body && parse(spec.body, await readJson(c.req.raw, spec.bytes ?? BYTES)),
    person, address, token, begun: tokenOf(site, 'sign_in', c.req.header('cookie')),
    remember: (fresh: string | null, seconds: number) => void cookies.push(cookieOf(site, 'session', fresh, seconds)), rememberBegun: (fresh: string | null, seconds: number) => void cookies.push(cookieOf(site, 'sign_in', fresh, seconds)),
  };
  const result = await (HANDLERS[name] as (deps: Deps, asked: unknown) => Promise<unknown>)(deps, asked);
  c.header('cache-control', 'no-store');
  if (result instanceof Response) {
    for (const cookie of cookies) result.headers.append('set-cookie', cookie);
    return withHeaders(result, [['cache-control', 'no-store'], ...Object.entries(securityHeaders(site))]);
  }
  for (const cookie of cookies) c.header('set-cookie', cookie, { append: true });
  if (checkAnswers && spec.answer) spec.answer.parse(result);
  return c.json(result as object);
}

/** Denied unless the route's own line in the contract allows it. */
function requireAccess({ access }: RouteSpec, person: Person | undefined): void {
  if (mayAccess(access, person?.roles)) return;
  if (person === undefined) throw new Refusal('signed_out', 'Sign in first.');
  throw new Refusal('forbidden', 'Your role does not allow this.', { values: { needs: access } });
}

function parse(schema: z.ZodObject | undefined, value: unknown): unknown {
  if (!schema) return undefined;
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  // An id that is none belongs to nobody.
  if (error.issues.some(({ message }) => message === 'is no id')) throw notFound();
  const fields = Object.fromEntries(error.issues.slice(0, 20).map(({ path, message }) => [path.map(String).join('.').slice(0, 100) || 'body', message.slice(0, 200)]));
  throw new Refusal('invalid_request', `Some of this cannot be used: ${Object.keys(fields).join(', ')}.`, { fields });
}

function failure(error: unknown, c: Exchange<{ Bindings: Bindings }>, headers: readonly (readonly [string, string])[], onFault: (error: unknown) => void): Response {
  const refusal = refusalOf(error);
  if (refusal.code === 'internal' || refusal.code === 'unavailable') onFault(error);
  const { values, fields, extra, retryAfter } = refusal.parts;
  for (const [name, value] of [...headers, ['cache-control', 'no-store'] as const]) c.header(name, value);
  if (retryAfter !== undefined) c.header('retry-after', String(retryAfter));
  return c.json({ error: { code: refusal.code, message: refusal.message, ...(values && { values }), ...(fields && { fields }) }, ...extra }, ERROR_STATUS[refusal.code]);
}

/** SQLSTATEs and codes of a database that is not there for the moment. */
const PASSING = /^(?:08|57P0|53)|^(?:ECONNREFUSED|ECONNRESET|ENOENT|EPIPE)$/;

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof InputError) return new Refusal('invalid_request', error.message);
  const code = (error as { code?: unknown } | undefined)?.code;
  if ((typeof code === 'string' && PASSING.test(code)) || /Connection terminated|connection error and is not queryable/.test(String((error as Error | undefined)?.message))) return new Refusal('unavailable', 'The database is not there for the moment. Nothing was lost; try again.', { retryAfter: 2 });
  return new Refusal('internal', 'Something went wrong here. It was noted; try again later.');
}

