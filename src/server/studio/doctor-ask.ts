/** One request of `--doctor`, as a browser would send it, with what a browser does not tell: by which connection, when each part came, what kept it from being trusted. */
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';

export interface Asking {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly cookies: readonly string[];
  readonly text: string;
  /** Our end of the connection. */
  readonly local: { readonly address: string; readonly port: number };
  /** Milliseconds between the first part of the body and its end. */
  readonly spread: number;
  /** Why the certificate is not trusted, by OpenSSL's name; undefined: it is, or there is none. */
  readonly distrust: string | undefined;
}

const TIMEOUT_MS = 10_000;
const LONGEST = 64 * 1024;

/** Looks at what answers whatever its certificate is: `distrust` tells. Throws the network's error. */
export function ask(url: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Told> {
  const secure = url.startsWith('https:');
  return new Promise((resolve, reject) => {
    const asking = (secure ? secureRequest : plainRequest)(url, { method, headers: { ...headers, ...(body && { 'content-length': String(body.length) }) }, agent: false, rejectUnauthorized: false, timeout: TIMEOUT_MS }, (response) => {
      const { socket } = response;
      const local = { address: (socket.localAddress ?? '').replace(/^::ffff:/i, ''), port: socket.localPort ?? 0 };
      const error = secure ? (socket as TLSSocket).authorizationError : undefined;
      let [text, first] = ['', 0];
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        first ||= performance.now();
        text += part;
        if (text.length > LONGEST) response.destroy();
      });
      response.once('close', () => {
        const { 'set-cookie': cookies = [], ...rest } = response.headers;
        resolve({ status: response.statusCode ?? 0, headers: rest as Told['headers'], cookies, text, local, spread: first === 0 ? 0 : performance.now() - first, distrust: error ? codeOf(error) : undefined });
      });
    });
    asking.once('timeout', () => asking.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
    asking.once('error', reject);
    asking.end(body);
  });
}

/** Types say Error, Node gives a string. */
const codeOf = (error: Error | string): string => (typeof error === 'string' ? error : ((error as NodeJS.ErrnoException).code ?? error.message));
