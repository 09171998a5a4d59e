/** A server that listens, plain or with a certificate, within bounds, and ends in order. */
import { createServer as createPlain, type Server } from 'node:http';
import { createServer as createSecure, type Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ResourceError } from '../../errors.ts';
import { followTls, readTls, type TlsFiles } from './tls.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly tls?: TlsFiles | undefined;
  /** Milliseconds between looks at the certificate's files; default a minute. */
  readonly tlsCheckMs?: number | undefined;
  readonly onFault: (error: unknown) => void;
}

export interface Listening {
  readonly server: Server;
  readonly port: number;
  /** Where it listens, as an address. */
  readonly url: string;
  /** No new requests; those that run have 10 s. */
  readonly close: () => Promise<void>;
}

/** Requests that run have so long to end. */
const GRACE_MS = 10_000;

/** Throws InputError for a certificate that cannot be used, ResourceError for a port that cannot be had. */
export async function openServer({ host, port, tls, tlsCheckMs = 60_000, onFault }: ListenOptions): Promise<Listening> {
  const server: Server = tls ? createSecure(secrets(tls)) : createPlain();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new ResourceError(refused(error, host, port), { cause: error })));
    server.listen(port, host, resolve);
  });
  server.headersTimeout = 15_000;
  server.requestTimeout = 60_000;
  server.keepAliveTimeout = 30_000;
  server.maxConnections = 2048;
  const unfollow = tls && followTls(server as SecureServer, tls, tlsCheckMs, onFault);
  const { port: bound } = server.address() as AddressInfo;
  const close = async () => {
    unfollow?.();
    await end(server);
  };
  return { server, port: bound, url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${bound}`, close };
}

function secrets(files: TlsFiles): { cert: string; key: string } {
  const { cert, key } = readTls(files);
  return { cert, key };
}

function refused({ code, message }: NodeJS.ErrnoException, host: string, port: number): { expected: string; found: string; where: string; remedy: string } {
  const where = `${host}:${port}`;
  if (code === 'EADDRINUSE') return { expected: 'a free port', found: 'one that is in use', where, remedy: 'Give another with --port.' };
  if (code === 'EACCES') return { expected: 'a port that this user may open', found: 'one below 1024', where, remedy: 'Give --port 8000 and put a proxy in front, or let the system\'s service manager grant CAP_NET_BIND_SERVICE.' };
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return { expected: 'an address of this machine', found: 'one that it does not have', where, remedy: 'Give --host 0.0.0.0 for all of them, or 127.0.0.1 for this machine alone.' };
  return { expected: 'a free port', found: message, where, remedy: 'Give another with --port.' };
}

/** Kept-alive connections become idle one by one. */
async function end(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}
