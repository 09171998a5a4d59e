/**
 * One HTTP exchange with the hub or a host that it redirects to, over Node's own http and https modules. They, not fetch: their
 * agents take proxy variables per agent (fetch only process-wide), they never decompress, and a body that ends early is an error.
 *
 * Holds two rules: the token goes to the endpoint's own origin and nowhere else, and never again once a redirect has left it;
 * and no message names a query string, because signed addresses carry their secret there. No retries here (see retry.ts).
 */
import http from 'node:http';
import https from 'node:https';
import { UsageError } from '../errors.ts';
import type { HubSettings, Secret } from './settings.ts';

export type Headers = http.IncomingHttpHeaders;

export interface HubResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** Answered by the endpoint's own origin. */
  readonly fromHub: boolean;
  /** What the hub itself said of the file before it redirected: x-linked-etag, x-linked-size, x-repo-commit, etag. */
  readonly hubHeaders: Headers;
  /** The token went with the request that was answered. */
  readonly tokenSent: boolean;
  /** Chunks as they come; throws TransportError when they stop coming for too long or too early. */
  readonly body: AsyncGenerator<Buffer, void, undefined>;
  /** Ends the exchange without reading on. */
  discard(): void;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'HEAD';
  /** Further headers for each address on the way; never Authorization. */
  readonly headers?: (url: URL) => Record<string, string>;
  /** Milliseconds without any byte. */
  readonly idleMs: number;
}

/** The network failed: no connection, a stall, a broken answer. `code` is Node's or one of ours. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: string;
  readonly host: string;
  constructor(code: string, host: string) {
    // Node's own text is left out: it can hold a proxy's password or a signed address.
    super(`${code} (${host})`);
    this.code = code;
    this.host = host;
  }
}

const MAX_REDIRECTS = 8;
const LINK_HEADERS = ['x-linked-etag', 'x-linked-size', 'x-repo-commit', 'etag'] as const;

export class HubClient {
  readonly settings: HubSettings;
  readonly #plain: http.Agent;
  readonly #tls: https.Agent;

  constructor(settings: HubSettings) {
    this.settings = settings;
    const options = { keepAlive: true, maxSockets: 4, proxyEnv: { ...settings.proxyEnv } };
    try {
      this.#plain = new http.Agent(options);
      this.#tls = new https.Agent(options);
    } catch {
      throw new UsageError({
        expected: 'a proxy address like http://host:port', found: 'something else (not shown)', where: 'HTTP_PROXY or HTTPS_PROXY',
        remedy: 'Correct the variable or unset it.',
      });
    }
  }

  [Symbol.dispose](): void {
    this.#plain.destroy();
    this.#tls.destroy();
  }

  /** Follows redirects; any status of the last address is an answer. Throws TransportError. */
  async request(start: URL, options: RequestOptions): Promise<HubResponse> {
    const hub = new URL(this.settings.endpoint).origin;
    let token: Secret | undefined = this.settings.token;
    const hubHeaders: Headers = {};
    let url = start;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      if (url.origin !== hub) token = undefined;
      const headers = {
        'user-agent': 'roslin', 'accept-encoding': 'identity', ...options.headers?.(url),
        ...(token ? { authorization: `Bearer ${token.reveal()}` } : {}),
      };
      const message = await this.#exchange(url, options, headers);
      const status = message.statusCode ?? 0;
      if (url.origin === hub) copyLinkHeaders(message.headers, hubHeaders);
      const location = message.headers.location;
      if (location === undefined || ![301, 302, 303, 307, 308].includes(status)) {
        return {
          status, headers: message.headers, url, fromHub: url.origin === hub, hubHeaders, tokenSent: token !== undefined,
          body: bodyOf(message, url.host, options.idleMs), discard: () => void message.destroy(),
        };
      }
      message.destroy();
      url = redirectTarget(location, url);
    }
    throw new TransportError('TOO_MANY_REDIRECTS', url.host);
  }

  #exchange(url: URL, { method = 'GET', idleMs }: RequestOptions, headers: Record<string, string>): Promise<http.IncomingMessage> {
    const tls = url.protocol === 'https:';
    const { signal } = this.settings;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const request = (tls ? https : http).request(url, { method, headers, agent: tls ? this.#tls : this.#plain, ...(signal ? { signal } : {}) });
      const timer = setTimeout(() => request.destroy(new TransportError('STALLED', url.host)), idleMs);
      request.on('response', (message) => {
        clearTimeout(timer);
        resolve(message);
      });
      // Stays on for the life of the request: a socket may fail after the body was abandoned.
      request.on('error', (error) => {
        clearTimeout(timer);
        reject(signal?.aborted ? error : asTransportError(error, url.host));
      });
      request.end();
    });
  }
}

async function* bodyOf(message: http.IncomingMessage, host: string, idleMs: number): AsyncGenerator<Buffer, void, undefined> {
  const chunks = message[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      // Armed only while waiting for the server, so that a slow disk is no stall.
      const timer = setTimeout(() => message.destroy(new TransportError('STALLED', host)), idleMs);
      const next = await chunks.next().finally(() => clearTimeout(timer));
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    throw error instanceof Error && error.name === 'AbortError' ? error : asTransportError(error, host);
  } finally {
    message.destroy();
  }
}

function redirectTarget(location: string, from: URL): URL {
  let url: URL;
  try {
    url = new URL(location, from);
  } catch {
    throw new TransportError('BAD_REDIRECT', from.host);
  }
  const weaker = from.protocol === 'https:' && url.protocol !== 'https:';
  if (weaker || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw new TransportError('UNSAFE_REDIRECT', from.host);
  url.username = '';
  url.password = '';
  return url;
}

function copyLinkHeaders(from: Headers, to: Headers): void {
  for (const name of LINK_HEADERS) {
    const value = from[name];
    if (typeof value === 'string') to[name] = value;
  }
}

function asTransportError(error: unknown, host: string): TransportError {
  if (error instanceof TransportError) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'BROKEN_ANSWER';
  return new TransportError(code, host);
}

/** An address for a message: no query, no user name. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
