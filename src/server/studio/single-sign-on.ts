/**
 * The organisation's own sign-in: OpenID Connect with authorization code, PKCE, state and nonce, by `openid-client`. The issuer is the one that
 * was set at the start: this server asks nobody else, follows no redirect, and lets the signature of what it is told be proved by the issuer's
 * keys. Who comes in is decided in src/collect/accounts/identities.ts.
 */
import * as oidc from 'openid-client';
import type { BegunSignIn, Identity } from '../../collect/accounts/identities.ts';
import { Refusal } from '../../collect/refusal.ts';
import { UsageError } from '../../errors.ts';
import { isLoopbackHost } from './http.ts';

export interface SingleSignOnSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined: a public client, which PKCE alone protects. */
  readonly clientSecret?: string | undefined;
  /** What its button says. */
  readonly name: string;
  /** Verified addresses at these make accounts without an invitation. */
  readonly domains: readonly string[];
  /** Hosts beside the issuer's own that its document may name, as Google's does. */
  readonly hosts: readonly string[];
}

export const CALLBACK = '/api/sign-on/callback';

const SECONDS = 10;
/** An issuer's documents are some kB. */
const MOST_BYTES = 512 * 1024;
/** After this its document is read again: addresses and keys change. */
const KEPT_MS = 60 * 60_000;
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/;

/** Asks for a host that was not set at the start. */
class ForeignHost extends Error {}

export class SingleSignOn {
  readonly settings: SingleSignOnSettings;
  readonly #issuer: URL;
  readonly #hosts: ReadonlySet<string>;
  readonly #redirect: string;
  readonly #now: () => number;
  readonly #onFault: (error: unknown) => void;
  #found: { readonly config: Promise<oidc.Configuration>; readonly at: number } | undefined;

  /** Throws UsageError for settings that cannot be used. */
  constructor(settings: SingleSignOnSettings, site: { readonly publicUrl: string; readonly now: () => number; readonly onFault: (error: unknown) => void }) {
    const issuer = URL.parse(settings.issuer);
    const loopback = issuer !== null && isLoopbackHost(issuer.hostname.replace(/^\[|\]$/g, ''));
    if (!issuer || (issuer.protocol !== 'https:' && !(issuer.protocol === 'http:' && loopback)) || issuer.username !== '' || issuer.search !== '' || issuer.hash !== '') {
      throw new UsageError({ expected: 'an issuer such as https://login.example.org', found: issuer && issuer.username === '' ? settings.issuer : 'something else', where: '--oidc-issuer', remedy: 'It is the address before /.well-known/openid-configuration.' });
    }
    const odd = settings.domains.find((domain) => !DOMAIN.test(domain));
    if (odd !== undefined) throw new UsageError({ expected: 'a domain in small letters such as example.org', found: odd, where: '--oidc-domain', remedy: 'Give what follows the @, non-Latin names as xn--….' });
    this.settings = settings;
    this.#issuer = issuer;
    this.#hosts = new Set([issuer.host, ...settings.hosts]);
    this.#redirect = `${site.publicUrl}${CALLBACK}`;
    this.#now = site.now;
    this.#onFault = site.onFault;
  }

  /** Where to send the browser, and what to hold against what it brings back. Throws Refusal. */
  async begin(): Promise<Pick<BegunSignIn, 'issuer' | 'state' | 'nonce' | 'verifier'> & { readonly url: string }> {
    const config = await this.#configuration();
    const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()];
    const url = oidc.buildAuthorizationUrl(config, { redirect_uri: this.#redirect, scope: 'openid email profile', state, nonce, code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' });
    return { issuer: config.serverMetadata().issuer, state, nonce, verifier, url: url.href };
  }

  /** Who came back with this query. Throws Refusal: what is wrong is told to those who run the studio alone. */
  async finish(query: Readonly<Record<string, string>>, begun: Pick<BegunSignIn, 'issuer' | 'state' | 'nonce' | 'verifier'>): Promise<Identity> {
    const config = await this.#configuration();
    const failed = () => new Refusal('sign_on_failed', 'The sign-in was not completed. Begin it again.');
    // Begun with another issuer, before the settings were changed.
    if (begun.issuer !== config.serverMetadata().issuer) throw failed();
    try {
      const tokens = await oidc.authorizationCodeGrant(config, new URL(`${this.#redirect}?${new URLSearchParams(query)}`), { expectedState: begun.state, expectedNonce: begun.nonce, pkceCodeVerifier: begun.verifier, idTokenExpected: true });
      const claims = tokens.claims()!;
      // What an issuer does not put into the token it tells at this address, of the same subject.
      const told = claims['email'] === undefined && config.serverMetadata().userinfo_endpoint !== undefined ? await oidc.fetchUserInfo(config, tokens.access_token, claims.sub) : claims;
      const text = (name: string): string | undefined => (typeof told[name] === 'string' && told[name].trim() !== '' ? told[name].trim() : undefined);
      const email = text('email');
      return { issuer: claims.iss, subject: claims.sub, email: told['email_verified'] === true && email !== undefined && EMAIL.test(email) ? email : undefined, name: text('name') ?? text('preferred_username') };
    } catch (error) {
      if (error instanceof oidc.AuthorizationResponseError && error.error === 'access_denied') throw new Refusal('sign_on_cancelled', 'The sign-in was cancelled there.');
      this.#onFault(described(error));
      throw failed();
    }
  }

  /** Whether the issuer answers, for the health page. */
  async fault(): Promise<string | undefined> {
    try {
      await this.#read();
      return undefined;
    } catch (error) {
      return described(error).message;
    }
  }

  async #configuration(): Promise<oidc.Configuration> {
    try {
      return await this.#read();
    } catch (error) {
      this.#onFault(described(error));
      throw new Refusal('sign_on_unavailable', 'The organisation’s sign-in does not answer. Try again, or sign in with a password.');
    }
  }

  #read(): Promise<oidc.Configuration> {
    const now = this.#now();
    if (!this.#found || this.#found.at + KEPT_MS <= now) {
      const found = { config: this.#discover(), at: now };
      this.#found = found;
      // A failure is not kept.
      found.config.catch(() => this.#found === found && (this.#found = undefined));
    }
    return this.#found.config;
  }

  async #discover(): Promise<oidc.Configuration> {
    const { clientId, clientSecret } = this.settings;
    const plain = this.#issuer.protocol === 'http:';
    const config = await oidc.discovery(this.#issuer, clientId, clientSecret, clientSecret === undefined ? oidc.None() : secretAuth(clientSecret), {
      [oidc.customFetch]: (url, options) => this.#fetch(url, options as RequestInit), timeout: SECONDS, execute: [...(plain ? [oidc.allowInsecureRequests] : []), oidc.enableNonRepudiationChecks],
    });
    // The library lets an issuer of many tenants stand for each: ours is one.
    const { issuer } = config.serverMetadata();
    if (URL.parse(issuer)?.href !== this.#issuer.href) throw new Error(`the document of ${this.#issuer.href} names another issuer`);
    return config;
  }

  /** To the hosts of the settings alone, over the issuer's own scheme, without redirects, up to a size. */
  async #fetch(address: string, options: RequestInit): Promise<Response> {
    const url = new URL(address);
    if (!this.#hosts.has(url.host) || url.protocol !== this.#issuer.protocol || url.username !== '') throw new ForeignHost(`the issuer's document names ${url.protocol}//${url.host}, which is not among the hosts that were set; if it belongs to the issuer, give --oidc-host ${url.host}`);
    const response = await fetch(url, { ...options, redirect: 'manual' });
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += part.length;
      if (bytes > MOST_BYTES) throw new Error(`${url.origin} answers with more than ${MOST_BYTES} bytes`);
      parts.push(part);
    }
    return new Response(bytes === 0 ? null : Buffer.concat(parts), { status: response.status, headers: response.headers });
  }
}

const EMAIL = /^[^\s@<>"(),;:]{1,64}@[^\s@<>"(),;:]{1,190}$/;

/** RFC 6749 and OpenID Connect: HTTP Basic unless the issuer says that it takes something else. */
function secretAuth(secret: string): oidc.ClientAuth {
  const [basic, post] = [oidc.ClientSecretBasic(secret), oidc.ClientSecretPost(secret)];
  return (server, ...rest) => ((server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']).includes('client_secret_basic') ? basic : post)(server, ...rest);
}

/** Without causes: those hold answers, and answers hold tokens. */
function described(error: unknown): Error {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof ForeignHost) return new Error(`single sign-on: ${at.message}`);
  const { code, error: named } = error as { code?: unknown; error?: unknown };
  const reason = [code, named].filter((part) => typeof part === 'string').join(', ').slice(0, 200);
  return new Error(`single sign-on: ${error instanceof Error ? error.message : 'failed'}${reason === '' ? '' : ` (${reason})`}`);
}
