/** Issuers for tests of single sign-on: a real one (`oidc-provider`), with somebody at a browser, and one that lies as a test says. */
import assert from 'node:assert/strict';
import { createHash, createHmac, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const CLIENT = 'roslin-studio';
export const SECRET = 'a-client-secret-that-nobody-may-see';

export interface Account {
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly name?: string;
}

export interface Issuer extends AsyncDisposable {
  readonly url: string;
  /** What was asked of it, as `METHOD /path`. */
  readonly asked: string[];
}

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

async function listen(): Promise<Issuer & { answer: Listener }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url!.split('?')[0]}`);
    void issuer.answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked,
    answer: ((_request, response) => void response.writeHead(503).end()) as Listener,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
  return issuer;
}

/** Begins to answer once it knows where to send people back to. */
export interface RealIssuer extends Issuer {
  serve(callback: string): Promise<void>;
}

/** `accounts` by the name that is typed there; it becomes the subject. */
export async function realIssuer(accounts: Readonly<Record<string, Account>>): Promise<RealIssuer> {
  const issuer = await listen();
  return Object.assign(issuer, {
    serve: async (callback: string) => {
      const { default: Provider } = (await import('oidc-provider' as string)) as { default: new (issuer: string, settings: object) => { callback(): Listener } };
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const provider = new Provider(issuer.url, {
        clients: [{ client_id: CLIENT, client_secret: SECRET, redirect_uris: [callback], response_types: ['code'], grant_types: ['authorization_code'] }],
        pkce: { required: () => true }, cookies: { keys: [randomBytes(16).toString('hex')] }, jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'one' }] },
        claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
        findAccount: (_context: unknown, id: string) => (id in accounts ? { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) } : undefined),
        ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
      });
      issuer.answer = provider.callback();
    },
  });
}

/** A browser at the real issuer: types a name, agrees, and comes back with the address that it was sent to. */
export async function signInThere(url: string, name: string, { cancel = false } = {}): Promise<string> {
  const jar = new Map<string, string>();
  const home = new URL(url).origin;
  let next: { url: string; form?: URLSearchParams } = { url };
  for (let step = 0; step < 20; step++) {
    const response = await fetch(next.url, { method: next.form ? 'POST' : 'GET', redirect: 'manual', headers: { cookie: [...jar].map(([key, value]) => `${key}=${value}`).join('; ') }, ...(next.form && { body: next.form }) });
    for (const cookie of response.headers.getSetCookie()) {
      const [, key, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      if (value === '') jar.delete(key!);
      else jar.set(key!, value!);
    }
    const location = response.headers.get('location');
    const html = await response.text();
    if (location !== null) {
      const to = new URL(location, next.url);
      if (to.origin !== home) return to.href;
      next = { url: to.href };
      continue;
    }
    assert.equal(response.status, 200, `${next.url}: ${html}`);
    const action = /<form[^>]* action="([^"]+)"/.exec(html)![1]!;
    const prompt = /name="prompt" value="(\w+)"/.exec(html)![1]!;
    next = cancel ? { url: new URL(`${action}/abort`, next.url).href } : { url: new URL(action, next.url).href, form: new URLSearchParams({ prompt, ...(prompt === 'login' && { login: name, password: 'any' }) }) };
  }
  throw new Error('the issuer sends the browser in circles');
}

/** What the liar puts into its answer. Everything else is as it should be. */
export interface Lies {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key?: KeyObject;
  /** Of the token's head; `none` leaves the signature out. */
  readonly alg?: string;
  readonly noToken?: boolean;
  readonly document?: Readonly<Record<string, unknown>>;
}

export interface LyingIssuer extends Issuer {
  lies: Lies;
  /** The address that it sends the browser back to, of the one that it was asked with. */
  back(url: string, change?: Readonly<Record<string, string | undefined>>): string;
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export async function lyingIssuer(account: Account & { readonly sub: string }): Promise<LyingIssuer> {
  const issuer = await listen();
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const codes = new Map<string, { nonce: string; challenge: string }>();
  const liar: LyingIssuer = Object.assign(issuer, {
    lies: {} as Lies,
    back: (url: string, change: Readonly<Record<string, string | undefined>> = {}) => {
      const { searchParams: asked } = new URL(url);
      const code = randomBytes(8).toString('hex');
      codes.set(code, { nonce: asked.get('nonce')!, challenge: asked.get('code_challenge')! });
      const query = Object.entries({ code, state: asked.get('state')!, iss: issuer.url, ...change }).filter((entry): entry is [string, string] => entry[1] !== undefined);
      return `${asked.get('redirect_uri')}?${new URLSearchParams(query)}`;
    },
  });
  issuer.answer = async (request, response) => {
    const json = (value: unknown, status = 200) => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    const { url } = issuer;
    if (request.url === '/.well-known/openid-configuration') {
      return json({ issuer: url, authorization_endpoint: `${url}/auth`, token_endpoint: `${url}/token`, jwks_uri: `${url}/jwks`, response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'], authorization_response_iss_parameter_supported: true, ...liar.lies.document });
    }
    if (request.url === '/jwks') return json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }] });
    if (request.url !== '/token') return json({ error: 'not_found' }, 404);
    let text = '';
    for await (const part of request) text += String(part);
    const form = new URLSearchParams(text);
    const known = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    if (!known || createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url') !== known.challenge) return json({ error: 'invalid_grant' }, 400);
    const { alg = 'RS256', key = privateKey, claims, noToken = false } = liar.lies;
    const now = Math.floor(Date.now() / 1000);
    const signed = `${encoded({ alg, kid: 'one' })}.${encoded({ iss: url, aud: CLIENT, iat: now, exp: now + 300, nonce: known.nonce, ...account, ...claims })}`;
    const signature = alg === 'none' ? '' : alg === 'HS256' ? createHmac('sha256', SECRET).update(signed).digest('base64url') : sign('sha256', Buffer.from(signed), key).toString('base64url');
    json({ access_token: 'an-access-token-that-nobody-may-see', token_type: 'bearer', expires_in: 60, ...(!noToken && { id_token: `${signed}.${signature}` }) });
  };
  return liar;
}
