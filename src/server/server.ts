/**
 * The HTTP shell of the service: routes, keys, bounds of time and size, and an end in order. Everything that decides anything about answers is
 * in src/serve.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isIP } from 'node:net';
import { ResourceError, UsageError } from '../errors.ts';
import { ApiError, apiError } from '../serve/errors.ts';
import { chatAnswer, chatChunks, embeddingAnswer, textAnswer, textChunks } from '../serve/format.ts';
import { stateOf, type KeyFile, type KeyRecord, type Scope } from '../serve/keys.ts';
import { chatRequest, completionRequest, embeddingRequest } from '../serve/requests.ts';
import type { Answering, Asker, Service } from '../serve/service.ts';
import { passOver, readJson } from './body.ts';
import { EventStream } from './event-stream.ts';

export interface HttpOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly keys: KeyFile;
  /** Milliseconds that answers have to end when the server does. */
  readonly graceMs: number;
  /** Milliseconds after which a client that does not read is let go; 30 s if not given. */
  readonly stallMs?: number;
  /** Told of faults of our own; clients only learn that there was one. */
  readonly onFault: (error: unknown) => void;
}

/** Bounds of a connection: a client that says nothing, or says it slowly, holds it so long and no longer. */
const BOUNDS = { headersMs: 15_000, requestMs: 60_000, idleMs: 30_000, connections: 1024, headers: 64 } as const;

type Handler = (exchange: Exchange) => Promise<void>;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly asker: Asker;
  /** What follows the route's own path. */
  readonly rest: string;
}

interface Route {
  /** As /metrics shows it. */
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  /** What a key must be good for; `null`: any key, `open`: none. */
  readonly scope: Scope | null | 'open';
  readonly handle: Handler;
}

export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);

export class HttpServer {
  readonly #service: Service;
  readonly #options: HttpOptions;
  readonly #server: Server;
  readonly #running = new Set<AbortController>();
  #closing = false;
  readonly #routes: readonly Route[];

  private constructor(service: Service, options: HttpOptions) {
    this.#service = service;
    this.#options = options;
    this.#routes = [
      { name: '/healthz', method: 'GET', path: /^\/healthz$/, scope: 'open', handle: (e) => this.#health(e) },
      { name: '/metrics', method: 'GET', path: /^\/metrics$/, scope: 'metrics', handle: (e) => this.#metrics(e) },
      { name: '/v1/models', method: 'GET', path: /^\/v1\/models$/, scope: null, handle: async ({ response }) => sendJson(response, 200, { object: 'list', data: service.models() }) },
      { name: '/v1/models/{id}', method: 'GET', path: /^\/v1\/models\/(.+)$/, scope: null, handle: async ({ response, rest }) => sendJson(response, 200, service.model(rest)) },
      { name: '/v1/chat/completions', method: 'POST', path: /^\/v1\/chat\/completions$/, scope: 'generate', handle: (e) => this.#chat(e) },
      { name: '/v1/completions', method: 'POST', path: /^\/v1\/completions$/, scope: 'generate', handle: (e) => this.#complete(e) },
      { name: '/v1/embeddings', method: 'POST', path: /^\/v1\/embeddings$/, scope: 'embed', handle: (e) => this.#embed(e) },
    ];
    this.#server = createServer({ headersTimeout: BOUNDS.headersMs, requestTimeout: BOUNDS.requestMs, keepAliveTimeout: BOUNDS.idleMs, connectionsCheckingInterval: 5000 }, (request, response) => void this.#exchange(request, response));
    this.#server.maxConnections = BOUNDS.connections;
    this.#server.maxHeadersCount = BOUNDS.headers;
  }

  /** Throws UsageError where it would be open to others without a key, ResourceError where the port cannot be had. */
  static async listen(service: Service, options: HttpOptions): Promise<HttpServer> {
    requireSafe(options);
    const http = new HttpServer(service, options);
    await new Promise<void>((resolve, reject) => {
      http.#server.once('error', (error: NodeJS.ErrnoException) => reject(new ResourceError({ expected: 'a free port', found: error.code === 'EADDRINUSE' ? 'one that is in use' : error.message, where: `${options.host}:${options.port}`, remedy: 'Give another with --port.' }, { cause: error })));
      http.#server.listen(options.port, options.host, resolve);
    });
    return http;
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${isIP(address) === 6 ? `[${address}]` : address}:${port}`;
  }

  /** No new requests; those that run have their time to end. Resolves to how many did not. */
  async close(): Promise<number> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // Kept-alive connections become idle one by one.
    const idle = setInterval(() => this.#server.closeIdleConnections(), 100);
    let cut = 0;
    const timer = setTimeout(() => {
      cut = this.#running.size;
      for (const controller of this.#running) controller.abort(new ApiError({ status: 503, code: 'shutting_down', message: 'The server is ending.' }));
      // What is to be said is said by then.
      setTimeout(() => this.#server.closeAllConnections(), 1000).unref();
    }, this.#options.graceMs);
    await closed;
    clearTimeout(timer);
    clearInterval(idle);
    return cut;
  }

  async #exchange(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new ClientGone());
    });
    // A connection that breaks is seen by the response's end.
    request.on('error', () => {});
    response.on('error', () => {});
    let route: Route | undefined;
    this.#running.add(gone);
    try {
      response.setHeader('X-Content-Type-Options', 'nosniff');
      const path = pathOf(request);
      const routes = this.#routes.filter((r) => r.path.test(path));
      route = routes.find((r) => r.method === request.method);
      if (!route) {
        if (routes.length === 0) throw new ApiError({ status: 404, code: 'not_found', message: `There is no ${path.slice(0, 200)} here.` });
        response.setHeader('Allow', routes.map((r) => r.method).join(', '));
        throw new ApiError({ status: 405, code: 'method_not_allowed', message: `${path} takes ${routes.map((r) => r.method).join(', ')}.` });
      }
      const key = route.scope === 'open' ? undefined : this.#authorise(request, route.scope);
      if (this.#closing && route.scope !== 'open') throw new ApiError({ status: 503, code: 'shutting_down', message: 'The server is ending.', retryAfter: 5 });
      await route.handle({ request, response, asker: { key, signal: gone.signal }, rest: route.path.exec(path)?.[1] ?? '' });
    } catch (error) {
      await this.#fail(request, response, error);
    } finally {
      this.#running.delete(gone);
      if (gone.signal.reason instanceof ClientGone) this.#service.metrics.cancelled.add();
      this.#service.metrics.requests.add({ route: route?.name ?? 'other', status: String(response.headersSent ? response.statusCode : 499) });
    }
  }

  async #fail(request: IncomingMessage, response: ServerResponse, error: unknown): Promise<void> {
    if (error instanceof ClientGone || response.destroyed) return;
    const answer = apiError(error);
    if (answer.status === 500) this.#options.onFault(error);
    if (response.headersSent) return void response.destroy();
    if (answer.retryAfter !== undefined) response.setHeader('Retry-After', String(answer.retryAfter));
    if (answer.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    if (!request.complete) response.setHeader('Connection', 'close');
    await passOver(request);
    sendJson(response, answer.status, answer.body);
  }

  /** The key of a request; none is needed where none was ever made and nobody else can reach the server. */
  #authorise(request: IncomingMessage, scope: Scope | null): KeyRecord | undefined {
    const { keys, host } = this.#options;
    if (!this.#hasKeys() && isLoopback(host)) {
      // A page whose name was made to point here would carry its own name.
      const name = (request.headers.host ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
      if (!isLoopback(name)) throw new ApiError({ status: 403, code: 'wrong_host', message: 'Without keys this server answers only to its own machine\'s names, such as localhost.' });
      return undefined;
    }
    const given = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given === undefined) throw new ApiError({ status: 401, code: 'invalid_api_key', message: 'Give an API key: "Authorization: Bearer rk-…".' });
    const key = keys.find(given);
    if (!key || stateOf(key) !== 'valid') throw new ApiError({ status: 401, code: 'invalid_api_key', message: key ? `This API key is ${stateOf(key)}.` : 'This API key is not known here.' });
    if (scope !== null && !key.scopes.includes(scope)) throw new ApiError({ status: 403, code: 'insufficient_scope', message: `This API key is not good for this: it lacks "${scope}".` });
    return key;
  }

  #hasKeys(): boolean {
    try {
      return this.#options.keys.list().length > 0;
    } catch (cause) {
      throw new ApiError({ status: 500, code: 'keys_unreadable', message: 'The server cannot read its keys; its log says why.' }, { cause });
    }
  }

  async #health({ response }: Exchange): Promise<void> {
    const status = this.#closing ? 'ending' : this.#service.isReady ? 'ok' : 'starting';
    sendJson(response, status === 'ok' ? 200 : 503, { status });
  }

  async #metrics({ response }: Exchange): Promise<void> {
    response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(this.#service.metrics.text());
  }

  async #chat({ request, response, asker }: Exchange): Promise<void> {
    const asked = chatRequest(await readJson(request));
    const answering = await this.#service.chat(asked, asker);
    if (asked.stream) await this.#stream(response, answering, chatChunks(asked, answering));
    else sendJson(response, 200, await chatAnswer(answering));
  }

  async #complete({ request, response, asker }: Exchange): Promise<void> {
    const asked = completionRequest(await readJson(request));
    const answering = await this.#service.complete(asked, asker);
    if (asked.stream) await this.#stream(response, answering, textChunks(asked, answering));
    else sendJson(response, 200, await textAnswer(asked, answering));
  }

  async #embed({ request, response, asker }: Exchange): Promise<void> {
    const asked = embeddingRequest(await readJson(request));
    sendJson(response, 200, embeddingAnswer(asked, await this.#service.embed(asked, asker)));
  }

  async #stream(response: ServerResponse, answering: Answering, chunks: AsyncGenerator<Record<string, unknown>>): Promise<void> {
    using stream = new EventStream(response, this.#options.stallMs ?? 30_000);
    try {
      for await (const chunk of chunks) stream.send(chunk);
      stream.send('[DONE]');
    } catch (error) {
      if (error instanceof ClientGone) return;
      const answer = apiError(error);
      if (answer.status === 500) this.#options.onFault(error);
      stream.send(answer.body);
    } finally {
      // Leaves the batch even where not a single chunk could be read.
      await answering.events.return(undefined);
    }
    stream.end();
  }
}

/** The client has closed the connection, or no longer reads. */
class ClientGone extends Error {}

function pathOf(request: IncomingMessage): string {
  try {
    return decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
  } catch {
    throw new ApiError({ status: 400, code: 'invalid_url', message: 'The path of the request is none.' });
  }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const text = JSON.stringify(value);
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

/** Open to others only with a key. */
function requireSafe({ host, keys }: HttpOptions): void {
  if (isLoopback(host) || keys.list().some((key) => stateOf(key) === 'valid')) return;
  throw new UsageError({
    expected: 'an API key before the server is open to other machines', found: 'none that is valid', where: `--host ${host}`,
    remedy: `Make one with "roslin serve keys create --name NAME${keys.path === '.roslin/keys.json' ? '' : ` --keys ${keys.path}`}", and start the server again.`,
  });
}
