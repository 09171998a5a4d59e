/**
 * What `roslin up --doctor` asks of a studio: what of a request arrives here, after whatever lies between. It answers nobody without the key
 * that lies in the workspace, and says nothing of people or records. Host and Origin are told, not asked for: they are what is looked into.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { VERSION } from '../../artefacts/version.ts';
import { ROUTES, type RouteSpec } from '../contract.ts';
import { probeCookie, type Site, type TrustedProxies } from './http.ts';

export const PROBE = { path: '/api/doctor', header: 'x-roslin-doctor', streamPauseMs: 700 } as const;

/** The largest body that any route takes, bytes: what lies between must let it through. */
export const LARGEST_BODY = Math.max(...Object.values<RouteSpec>(ROUTES).map(({ bytes = 0 }) => bytes));

export interface ProbeView {
  readonly version: string;
  readonly public_url: string;
  readonly host: string | null;
  readonly origin: string | null;
  readonly forwarded_for: string | null;
  /** Whose connection it was. */
  readonly remote: { readonly address: string; readonly port: number; readonly trusted: boolean };
  /** Whose address the limits count. */
  readonly client: string;
  /** The cookie of the answer before came back. */
  readonly cookie: boolean;
  /** Of the body. */
  readonly bytes: number;
}

export interface ProbeOptions {
  readonly key: string;
  readonly publicUrl: string;
  readonly site: Site;
  readonly proxies: TrustedProxies;
}

export const mayProbe = (key: string | undefined, request: Request): boolean => {
  const given = Buffer.from(request.headers.get(PROBE.header) ?? '');
  return key !== undefined && given.length === Buffer.byteLength(key) && timingSafeEqual(given, Buffer.from(key));
};

/** Of a request whose key was right. */
export async function answerProbe(request: Request, incoming: IncomingMessage, { publicUrl, site, proxies }: ProbeOptions): Promise<Response> {
  if (new URL(request.url).searchParams.has('stream')) return stream();
  const { headers } = request;
  const { name, set, value } = probeCookie(site);
  const [address, forwarded] = [incoming.socket.remoteAddress ?? '', headers.get('x-forwarded-for')];
  const view: ProbeView = {
    version: VERSION, public_url: publicUrl, host: headers.get('host'), origin: headers.get('origin'), forwarded_for: forwarded,
    remote: { address: address.replace(/^::ffff:/i, ''), port: incoming.socket.remotePort ?? 0, trusted: proxies.trusts(address) }, client: proxies.clientOf(address, forwarded ?? undefined),
    cookie: (headers.get('cookie') ?? '').split(/;\s*/).includes(`${name}=${value}`), bytes: await bytesOf(request),
  };
  return Response.json(view, { headers: { 'cache-control': 'no-store', 'set-cookie': set } });
}

async function bytesOf(request: Request): Promise<number> {
  let bytes = 0;
  for await (const part of (request.body ?? []) as AsyncIterable<Uint8Array>) if ((bytes += part.length) > LARGEST_BODY) break;
  return bytes;
}

/** Two events with a pause: held back by something, they arrive together. */
function stream(): Response {
  const event = (n: number): Uint8Array => new TextEncoder().encode(`data: ${n}\n\n`);
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(event(1));
      await sleep(PROBE.streamPauseMs);
      controller.enqueue(event(2));
      controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', 'x-accel-buffering': 'no' } });
}
