/** What every request of the studio passes: where it comes from, whose it is, how much it may send. Nothing here knows a campaign. */
import { BlockList, isIP } from 'node:net';
import { Refusal } from '../../collect/refusal.ts';

export interface Site {
  /** Origins that the studio is reached at: scheme, host and port. */
  readonly origins: ReadonlySet<string>;
  /** Values of Host that are answered: others may be names made to point here (DNS rebinding). */
  readonly hosts: ReadonlySet<string>;
  /** Cookies go over https alone. */
  readonly secure: boolean;
}

/** Of a public address, and of the address that is listened on, which health checks and proxies use. */
export function siteOf(publicUrl: string, listening: { readonly host: string; readonly port: number }): Site {
  const url = new URL(publicUrl);
  const own = isLoopbackHost(listening.host) ? ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${listening.port}`) : [];
  const secure = url.protocol === 'https:';
  return { origins: new Set([url.origin, ...(secure ? [] : own.map((host) => `http://${host}`))]), hosts: new Set([url.host, ...own]), secure };
}

export const isLoopbackHost = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Every unsafe method must say that it comes from a page of our own, whatever its content type. A missing Origin is a foreign one. */
export function requireOwnOrigin(site: Site, method: string, origin: string | undefined): void {
  if (SAFE.has(method)) return;
  if (origin === undefined || !site.origins.has(origin)) throw new Refusal('forbidden_origin', 'This was not sent by a page of this studio.', { values: { expected: [...site.origins][0]! } });
}

export function requireKnownHost(site: Site, host: string | undefined): void {
  if (host === undefined || !site.hosts.has(host.toLowerCase())) throw new Refusal('wrong_host', 'This server does not go by that name.', { values: { expected: [...site.hosts][0]! } });
}

/** Addresses of proxies whose X-Forwarded-For is believed, as addresses or networks such as 10.0.0.0/8. */
export class TrustedProxies {
  readonly #list = new BlockList();

  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const [address = '', bits] = entry.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (isIP(address) === 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) throw new RangeError(`${entry} is no address or network`);
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  trusts(address: string): boolean {
    const plain = address.replace(/^::ffff:/i, '');
    return isIP(plain) !== 0 && this.#list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
  }

  /** Who really asks: from the right of X-Forwarded-For the first that is no proxy of ours. */
  clientOf(remote: string, forwarded: string | undefined): string {
    const chain = [...(forwarded ?? '').split(',').map((part) => part.trim()).filter((part) => isIP(part) !== 0), remote];
    let at = chain.length - 1;
    while (at > 0 && this.trusts(chain[at]!)) at--;
    // An IPv6 user has a whole network of addresses.
    const client = chain[at]!.replace(/^::ffff:/i, '');
    return isIP(client) === 6 ? `${client.split(':').slice(0, 4).join(':')}::/64` : client;
  }
}

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'",
  'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cross-origin-opener-policy': 'same-origin', 'cross-origin-resource-policy': 'same-origin', 'permissions-policy': 'camera=(), geolocation=(), microphone=()', 'x-frame-options': 'DENY',
};

export const securityHeaders = (site: Site): Readonly<Record<string, string>> => (site.secure ? { ...HEADERS, 'strict-transport-security': 'max-age=31536000' } : HEADERS);

/** The session's, and one for a sign-in that has begun elsewhere. */
const COOKIES = { session: 'roslin', sign_in: 'roslin-sign-in' } as const;
export type CookieKind = keyof typeof COOKIES;

export const cookieName = (site: Site, kind: CookieKind): string => `${site.secure ? '__Host-' : ''}${COOKIES[kind]}`;

/** `token` null: takes it away. */
export const cookieOf = (site: Site, kind: CookieKind, token: string | null, seconds: number): string => cookie(site, cookieName(site, kind), token ?? '', token === null ? 0 : seconds);

function cookie(site: Site, name: string, value: string, seconds: number): string {
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${site.secure ? '; Secure' : ''}`;
}

/** Like a session's, but for its name and what it is worth: shows what becomes of cookies on the way. */
export function probeCookie(site: Site): { readonly name: string; readonly value: string; readonly set: string } {
  const [name, value] = [`${cookieName(site, 'session')}-doctor`, 'arrived'];
  return { name, value, set: cookie(site, name, value, 60) };
}

export function tokenOf(site: Site, kind: CookieKind, cookies: string | undefined): string | undefined {
  const name = cookieName(site, kind);
  for (const part of (cookies ?? '').split(';')) {
    const at = part.indexOf('=');
    if (part.slice(0, at).trim() === name) return /^[\w-]{20,100}$/.exec(part.slice(at + 1).trim())?.[0];
  }
  return undefined;
}

/** Requests a minute by key, in memory: a bound on load, not on guesses, which are counted in the database. */
export class Rates {
  #minute = 0;
  readonly #counts = new Map<string, number>();

  /** Throws Refusal above `most` in this minute. */
  count(key: string, most: number, now: number): void {
    const minute = Math.floor(now / 60_000);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#counts.clear();
    }
    const n = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, n);
    if (n <= most) return;
    const seconds = 60 - Math.floor((now % 60_000) / 1000);
    throw new Refusal('too_many_requests', 'Too many requests. Wait a moment.', { values: { seconds }, retryAfter: seconds });
  }
}

/** A body as JSON, of at most so many bytes whatever its headers promise. */
export async function readJson(request: Request, most: number): Promise<unknown> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? '')) throw new Refusal('unsupported_media_type', 'Send JSON.');
  const tooLarge = () => new Refusal('too_large', `A body may have ${most} bytes here.`, { values: { most } });
  if (Number(request.headers.get('content-length') ?? 0) > most) throw tooLarge();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > most) throw tooLarge();
    parts.push(part);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts))) as unknown;
  } catch {
    throw new Refusal('invalid_request', 'The body is no JSON.');
  }
}
