/**
 * `roslin up --doctor`: whether a studio is reached as its settings say. It asks the studio, through its public address and whatever lies
 * between, what arrives there (probe.ts), and names the line to change for all that does not. Where no studio runs, it answers by itself
 * with the same flags. Changes nothing; prints nothing.
 */
import { getRequestListener } from '@hono/node-server';
import type { HttpBindings } from '@hono/node-server';
import { InputError, RoslinError } from '../../errors.ts';
import { newToken } from '../../store/id.ts';
import { ask, type Told } from './doctor-ask.ts';
import { proxyKind, proxyLine, type ProxyKind } from './doctor-lines.ts';
import { cookieName, isLoopbackHost, probeCookie, securityHeaders, siteOf, type Site } from './http.ts';
import { openServer } from './listen.ts';
import { answerProbe, LARGEST_BODY, mayProbe, PROBE, type ProbeView } from './probe.ts';
import { requireReach, type ReachOptions } from './reach.ts';
import { servingNote } from './up.ts';

export interface DoctorOptions extends ReachOptions {
  readonly workspace: string;
  readonly port: number;
  /** Connects and signs in; throws what hinders. Undefined: no mail server was named. */
  readonly mail?: { verify(): Promise<void> } | undefined;
}

export interface DoctorCheck {
  readonly name: string;
  /** `lacking`: people cannot use it, or not safely. */
  readonly status: 'ok' | 'limited' | 'lacking';
  readonly found: string;
  /** The line to change. */
  readonly remedy?: string;
}

export interface DoctorReport {
  readonly ok: boolean;
  readonly running: boolean;
  readonly publicUrl: string | undefined;
  readonly checks: readonly DoctorCheck[];
}

/** A studio that can be asked. */
interface Studio extends AsyncDisposable {
  readonly pid: number | undefined;
  /** Where it listens. */
  readonly listening: string;
  /** What it takes for its own address. */
  readonly publicUrl: string;
  readonly key: string;
}

const ok = (name: string, found: string, remedy?: string): DoctorCheck => ({ name, status: 'ok', found, ...(remedy !== undefined && { remedy }) });
const lacking = (name: string, found: string, remedy: string): DoctorCheck => ({ name, status: 'lacking', found, remedy });

/** An address of documentation (RFC 5737) that a client could claim to have. */
const CLAIMED = '192.0.2.77';

export async function examine(options: DoctorOptions): Promise<DoctorReport> {
  const checks: DoctorCheck[] = [];
  const report = (running: boolean, publicUrl?: string): DoctorReport => ({ ok: checks.every(({ status }) => status !== 'lacking'), running, publicUrl, checks });
  try {
    await using studio = await findStudio(options);
    const running = studio.pid !== undefined;
    const wanted = options.publicUrl === undefined ? studio.publicUrl : new URL(options.publicUrl).origin;
    checks.push(ok('studio', running ? `process ${studio.pid} listens at ${studio.listening}` : `none runs; tried with these flags at ${studio.listening}`));
    if (wanted !== studio.publicUrl) checks.push(lacking('setting', `the studio takes ${studio.publicUrl} for its address`, `Start it again with --public-url ${wanted}`));
    checks.push(...(await examineAddress(studio, wanted)));
    if (options.mail) checks.push(await examineMail(options.mail));
    return report(running, wanted);
  } catch (error) {
    if (!(error instanceof RoslinError)) throw error;
    const { expected, found, where, remedy } = error.parts;
    checks.push(lacking('flags', `${where === undefined ? '' : `${where}: `}${found}, where ${expected} is needed`, remedy ?? `Give ${expected}.`));
    return report(false);
  }
}

/** The one that serves the workspace, or a stand-in on the same address that answers nothing else. */
async function findStudio(options: DoctorOptions): Promise<Studio> {
  const proxies = requireReach(options);
  const note = noteOf(options.workspace);
  if (note && (await told(`${reachable(note.listening)}${PROBE.path}`, note.key))) {
    return { pid: note.pid, listening: note.listening, publicUrl: note.url, key: note.key, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const { server, url, port, close } = await openServer({ ...options, onFault: () => {} });
  const publicUrl = new URL(options.publicUrl ?? url).origin;
  const key = newToken();
  const site = siteOf(publicUrl, { host: options.host, port });
  const listener = getRequestListener(async (request, env) => {
    const { incoming } = env as HttpBindings;
    const answer = mayProbe(key, request) ? await answerProbe(request, incoming, { key, publicUrl, site, proxies }) : new Response('roslin up --doctor\n', { status: 503 });
    for (const [name, value] of Object.entries(securityHeaders(site))) answer.headers.set(name, value);
    return answer;
  }, { overrideGlobalObjects: false });
  server.on('request', (request, response) => void listener(request, response));
  return { pid: undefined, listening: url, publicUrl, key, [Symbol.asyncDispose]: close };
}

function noteOf(workspace: string): ReturnType<typeof servingNote> {
  try {
    return servingNote(workspace);
  } catch (cause) {
    throw new InputError({ expected: 'a workspace of this user', found: 'that of another', where: workspace, remedy: 'Run it as the user of the studio, such as: sudo -u roslin roslin up --doctor --workspace …' }, { cause });
  }
}

/** An address of all interfaces is asked on loopback. */
const reachable = (url: string): string => url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');

async function told(url: string, key: string): Promise<boolean> {
  try {
    return viewOf(await ask(url, { headers: { [PROBE.header]: key } })) !== undefined;
  } catch {
    return false;
  }
}

/** Undefined: it was not the studio that answered, or it did not know the key. */
function viewOf({ status, text }: Told): ProbeView | undefined {
  if (status !== 200) return undefined;
  try {
    const view = JSON.parse(text) as Partial<ProbeView>;
    return typeof view.public_url === 'string' && view.remote ? (view as ProbeView) : undefined;
  } catch {
    return undefined;
  }
}

async function examineAddress({ listening, publicUrl, key }: Studio, wanted: string): Promise<DoctorCheck[]> {
  const url = `${wanted}${PROBE.path}`;
  const upstream = new URL(reachable(listening)).host;
  const headers = { [PROBE.header]: key, origin: wanted, 'x-forwarded-for': CLAIMED };
  let first: Told;
  try {
    first = await ask(url, { headers });
  } catch (error) {
    return [unreachable(wanted, error as NodeJS.ErrnoException, upstream)];
  }
  const kind = proxyKind(first.headers['server']);
  const view = viewOf(first);
  const certificate = wanted.startsWith('https:') ? [examineCertificate(new URL(wanted).hostname, first.distrust)] : [];
  if (!view) return [notOurs(wanted, first, kind, upstream), ...certificate];
  const { host, port } = new URL(listening);
  const site = siteOf(publicUrl, { host: new URL(listening).hostname, port: Number(port) });
  const [cookie, returned] = [first.cookies.map((line) => line.split(';')[0]!).join('; '), Buffer.alloc(LARGEST_BODY, 0x20)];
  const second = await ask(url, { method: 'POST', headers: { ...headers, ...(cookie !== '' && { cookie }), 'content-type': 'application/json' }, body: returned }).catch(() => undefined);
  const streamed = await ask(`${url}?stream`, { headers }).catch(() => undefined);
  const local = isLoopbackHost(new URL(wanted).hostname.replace(/^\[|\]$/g, ''));
  return [
    local && wanted === listening ? ok('address', `${wanted}, for this machine alone`, 'For others: --public-url https://… behind a proxy, or with --tls-cert and --tls-key') : ok('address', `${wanted} leads to it${host === new URL(wanted).host || isDirect(first, view) ? '' : `, by way of ${kind ?? 'a proxy'}`}`),
    ...certificate, examineHost(view, wanted, kind, upstream), examineOrigin(view, wanted, kind, upstream), examineClient(first, view, kind, upstream),
    examineCookie(site, first, second && viewOf(second), kind, upstream), examineHeaders(site, first, kind, upstream),
    examineBody(second, kind, upstream), examineStream(streamed, kind, upstream),
  ];
}

function unreachable(wanted: string, { code = '', message }: NodeJS.ErrnoException, upstream: string): DoctorCheck {
  const { hostname, host, port, protocol } = new URL(wanted);
  const where = port === '' ? `${hostname}:${protocol === 'https:' ? 443 : 80}` : host;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return lacking('address', `the name ${hostname} is not known here`, `Add it to your DNS, or correct --public-url. For a try: echo "127.0.0.1 ${hostname}" >> /etc/hosts`);
  if (code === 'ECONNREFUSED') return lacking('address', `nothing listens at ${where}`, `Start the proxy there and lead it here: ${proxyLine('upstream', undefined, upstream)}`);
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) return lacking('address', `${where} does not speak https`, proxyLine('tls', undefined, upstream));
  if (code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return lacking('address', `${where} does not answer`, 'Open this port in the firewall, or correct --public-url. (Some networks do not let a machine reach its own public address.)');
  return lacking('address', `${where}: ${message}`, 'Correct --public-url, or the proxy that answers there.');
}

function notOurs(wanted: string, { status, headers }: Told, kind: ProxyKind | undefined, upstream: string): DoctorCheck {
  const location = headers['location'];
  if (status >= 300 && status < 400 && location !== undefined) {
    const origin = URL.canParse(location, wanted) ? new URL(location, wanted).origin : location;
    return lacking('address', `${wanted} sends people on to ${location.slice(0, 200)}`, origin === wanted ? 'Let the proxy hand /api on as it is.' : `Start the studio with --public-url ${origin}`);
  }
  if ([502, 503, 504].includes(status)) return lacking('address', `${kind ?? 'the proxy'} answers at ${wanted}, but does not reach the studio (${status})`, proxyLine('upstream', kind, upstream));
  return lacking('address', `something else answers at ${wanted} (${status}${kind === undefined ? '' : `, ${kind}`})`, `Lead it here: ${proxyLine('upstream', kind, upstream)}; or correct --public-url.`);
}

function examineCertificate(hostname: string, distrust: string | undefined): DoctorCheck {
  const name = 'certificate';
  if (distrust === undefined) return ok(name, `trusted, for ${hostname}`);
  if (distrust === 'CERT_HAS_EXPIRED') return lacking(name, 'it has run out', 'Renew it; Roslin reads --tls-cert again within a minute.');
  if (distrust === 'ERR_TLS_CERT_ALTNAME_INVALID') return lacking(name, `it is for other names than ${hostname}`, `Get one for ${hostname}, or give the name that it is for: --public-url`);
  return { name, status: 'limited', found: `its issuer is not known here (${distrust})`, remedy: 'Browsers warn unless they know the issuer. Send the whole chain (fullchain.pem); for an authority of your own: NODE_EXTRA_CA_CERTS=ca.pem roslin up --doctor' };
}

function examineHost({ host }: ProbeView, wanted: string, kind: ProxyKind | undefined, upstream: string): DoctorCheck {
  const url = new URL(wanted);
  if (host?.toLowerCase() === url.host) return ok('Host', `${host} arrives`);
  const lost = host?.toLowerCase() === url.hostname;
  return lacking('Host', `${host ?? 'none'} arrives instead of ${url.host}: every page is refused`, proxyLine(lost ? 'host with port' : 'host', kind, upstream));
}

const examineOrigin = ({ origin }: ProbeView, wanted: string, kind: ProxyKind | undefined, upstream: string): DoctorCheck =>
  origin === wanted ? ok('Origin', `${origin} arrives`) : lacking('Origin', `${origin ?? 'none'} arrives instead of ${wanted}: nobody can sign in`, proxyLine('origin', kind, upstream));

/** Nothing lies between where both ends of a connection are the same. */
const isDirect = ({ local }: Told, { remote }: ProbeView): boolean => local.port === remote.port && local.address === remote.address;

function examineClient(told: Told, view: ProbeView, kind: ProxyKind | undefined, upstream: string): DoctorCheck {
  const name = 'client\'s address';
  const { remote, forwarded_for: forwarded, client } = view;
  if (isDirect(told, view)) {
    if (!remote.trusted) return ok(name, 'that of the connection: no proxy lies between');
    return { name, status: 'limited', found: `no proxy lies between, but whatever ${remote.address} claims is believed`, remedy: 'Leave out --trusted-proxy.' };
  }
  if (forwarded === null) return lacking(name, `the proxy at ${remote.address} does not tell it: all people share one limit`, proxyLine('no client', kind, upstream));
  const chain = forwarded.split(',').map((part) => part.trim());
  const added = chain.slice(chain.lastIndexOf(CLAIMED) + 1);
  if (added.length === 0) return lacking(name, 'the proxy hands on what a client claims: anybody can take any address', proxyLine('claimed client', kind, upstream));
  if (!remote.trusted) return lacking(name, `the proxy at ${remote.address} tells it, and is not believed: all people share one limit`, `Start the studio with --trusted-proxy ${remote.address}`);
  const second = added.slice(1).find((address) => address === client);
  if (second !== undefined) return lacking(name, `another proxy, at ${second}, is taken for the client`, `Start the studio with --trusted-proxy ${second} as well`);
  return ok(name, `told by the proxy at ${remote.address}`);
}

const attributes = (line: string): string => line.split(';').map((part) => part.trim().replace(/^[^=]*/, (key) => key.toLowerCase())).sort().join('; ');

function examineCookie(site: Site, first: Told, second: ProbeView | undefined, kind: ProxyKind | undefined, upstream: string): DoctorCheck {
  const { name, set } = probeCookie(site);
  const got = first.cookies.find((line) => line.startsWith(`${name}=`));
  const remedy = proxyLine('cookie', kind, upstream);
  if (got === undefined) return lacking('cookie', first.cookies.length === 0 ? 'none comes back: nobody stays signed in' : `it comes back as ${first.cookies[0]!.slice(0, 100)}`, remedy);
  if (attributes(got) !== attributes(set)) return lacking('cookie', `it comes back as ${got.slice(0, 150)}`, remedy);
  if (second?.cookie === false) return lacking('cookie', 'a browser\'s cookie does not arrive: nobody stays signed in', remedy);
  return ok('cookie', `${cookieName(site, 'session')}, ${site.secure ? 'over https alone' : 'by a name that browsers take over http'}, there and back`);
}

function examineHeaders(site: Site, { headers }: Told, kind: ProxyKind | undefined, upstream: string): DoctorCheck {
  const lost = Object.entries(securityHeaders(site)).filter(([name, value]) => headers[name] !== value).map(([name]) => name);
  return lost.length === 0 ? ok('headers', 'those that keep pages safe arrive') : lacking('headers', `lost or changed on the way: ${lost.join(', ')}`, proxyLine('headers', kind, upstream));
}

function examineBody(second: Told | undefined, kind: ProxyKind | undefined, upstream: string): DoctorCheck {
  const size = `${(LARGEST_BODY / 1e6).toFixed(1)} MB`;
  if (second && viewOf(second)?.bytes === LARGEST_BODY) return ok('upload', `${size} arrive, the largest list of invitations`);
  return lacking('upload', `${size} do not arrive${second ? ` (${second.status})` : ''}: a long list of invitations is refused`, proxyLine('body', kind, upstream));
}

function examineStream(streamed: Told | undefined, kind: ProxyKind | undefined, upstream: string): DoctorCheck {
  if (streamed?.status === 200 && streamed.spread > PROBE.streamPauseMs / 2) return ok('streams', 'parts of an answer arrive one by one');
  return lacking('streams', streamed?.status === 200 ? 'held back until they end' : 'they do not arrive', proxyLine('buffered', kind, upstream));
}

async function examineMail(mail: { verify(): Promise<void> }): Promise<DoctorCheck> {
  try {
    await mail.verify();
    return ok('mail', 'the server lets us in');
  } catch (error) {
    return lacking('mail', (error as Error).message.slice(0, 200), 'Correct --smtp or ROSLIN_SMTP: smtp://user:password@host:587 (STARTTLS), smtps://…:465.');
  }
}
