/** A hub and its content server on 127.0.0.1, honest unless a test hooks a request. Speaks as much of the hub's API as src/hub uses. */
import { createHash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HubKind } from '../../src/hub/index.ts';

export interface Seen {
  readonly server: 'hub' | 'content';
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
}

export interface FakeFile {
  readonly path: string;
  readonly content: Buffer;
  /** Large file: named by sha256 and served by the content server after a redirect. */
  readonly lfs: boolean;
}

export interface FakeRepo {
  readonly kind: HubKind;
  readonly id: string;
  readonly commit: string;
  readonly files: FakeFile[];
  readonly extra: Record<string, unknown>;
}

/** Returns true if it has answered. */
export type Hook = (request: http.IncomingMessage, response: http.ServerResponse, count: number) => boolean;

export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

export function gitSha1(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

export function etagOf({ content, lfs }: FakeFile): string {
  return lfs ? sha256(content) : gitSha1(content);
}

export class FakeHub implements AsyncDisposable {
  readonly requests: Seen[] = [];
  readonly repos: FakeRepo[] = [];
  /** Bodies' bytes sent by the content server, all requests together. */
  contentBytes = 0;
  hubHook: Hook = () => false;
  contentHook: Hook = () => false;
  readonly #hub: http.Server;
  readonly #content: http.Server;

  static async start(): Promise<FakeHub> {
    const fake = new FakeHub();
    for (const server of [fake.#hub, fake.#content]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  private constructor() {
    let hubCount = 0;
    let contentCount = 0;
    this.#hub = http.createServer((request, response) => {
      this.#note('hub', request);
      if (!this.hubHook(request, response, hubCount++)) this.#answer(request, response);
    });
    this.#content = http.createServer((request, response) => {
      this.#note('content', request);
      if (!this.contentHook(request, response, contentCount++)) this.serve(request, response);
    });
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#hub.address() as AddressInfo).port}`;
  }

  get contentEndpoint(): string {
    return `http://127.0.0.1:${(this.#content.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.#hub, this.#content]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  add(kind: HubKind, id: string, files: Record<string, string | Buffer>, extra: Record<string, unknown> = {}, commit = 'c'.repeat(40)): FakeRepo {
    const repo: FakeRepo = {
      kind, id, commit, extra,
      files: Object.entries(files).map(([path, content]) => ({ path, content: Buffer.from(content), lfs: /\.(?:safetensors|gguf|jsonl|bin)$/.test(path) })),
    };
    this.repos.push(repo);
    return repo;
  }

  to(server: Seen['server'], method = 'GET'): Seen[] {
    return this.requests.filter((seen) => seen.server === server && seen.method === method);
  }

  /** The content server's honest answer: whole or from a range's start. */
  serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const content = this.contentOf(request);
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? NaN);
    const to = Number(/^bytes=\d+-(\d+)$/.exec(request.headers.range ?? '')?.[1] ?? content.length - 1);
    const etag = `"content-${content.length}"`;
    const honoured = !Number.isNaN(from) && (request.headers['if-range'] ?? etag) === etag;
    const body = honoured ? content.subarray(from, to + 1) : content;
    response.writeHead(honoured ? 206 : 200, {
      'content-length': body.length, etag, ...(honoured ? { 'content-range': `bytes ${from}-${to}/${content.length}` } : {}),
    });
    this.contentBytes += body.length;
    response.end(body);
  }

  /** What the content server's path stands for. */
  contentOf(request: http.IncomingMessage): Buffer {
    const hash = new URL(request.url ?? '', this.contentEndpoint).pathname.slice(1);
    const file = this.repos.flatMap(({ files }) => files).find((one) => sha256(one.content) === hash);
    if (!file) throw new Error(`no content ${hash}`);
    return file.content;
  }

  #note(server: Seen['server'], request: http.IncomingMessage): void {
    this.requests.push({ server, method: request.method ?? '', url: request.url ?? '', headers: request.headers });
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { pathname } = new URL(request.url ?? '', this.endpoint);
    for (const repo of this.repos) {
      if (pathname.startsWith(`/api/${repo.kind}s/${repo.id}/revision/`)) return this.#describe(repo, response);
      const prefix = `/${repo.kind === 'dataset' ? 'datasets/' : ''}${repo.id}/resolve/${repo.commit}/`;
      if (!pathname.startsWith(prefix)) continue;
      const file = repo.files.find(({ path }) => path === decodeURIComponent(pathname.slice(prefix.length)));
      if (file) return this.#resolve(repo, file, request, response);
      return refuse(response, 404, 'EntryNotFound');
    }
    refuse(response, 401, 'RepoNotFound');
  }

  #describe(repo: FakeRepo, response: http.ServerResponse): void {
    const siblings = repo.files.map((file) => ({
      rfilename: file.path, size: file.content.length, blobId: gitSha1(file.content),
      ...(file.lfs ? { lfs: { sha256: sha256(file.content), size: file.content.length, pointerSize: 130 } } : {}),
    }));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ id: repo.id, sha: repo.commit, gated: false, siblings, ...repo.extra }));
  }

  #resolve(repo: FakeRepo, file: FakeFile, request: http.IncomingMessage, response: http.ServerResponse): void {
    const headers = { 'x-repo-commit': repo.commit };
    if (file.lfs) {
      response.writeHead(302, {
        ...headers, 'x-linked-etag': `"${sha256(file.content)}"`, 'x-linked-size': file.content.length, 'content-length': 0,
        location: `${this.contentEndpoint}/${sha256(file.content)}?signature=s3cret`,
      });
      response.end();
      return;
    }
    response.writeHead(200, { ...headers, etag: `"${gitSha1(file.content)}"`, 'content-length': file.content.length });
    response.end(request.method === 'HEAD' ? undefined : file.content);
  }
}

export function refuse(response: http.ServerResponse, status: number, code?: string, message?: string): void {
  response.writeHead(status, { 'content-length': 0, ...(code ? { 'x-error-code': code } : {}), ...(message ? { 'x-error-message': message } : {}) });
  response.end();
}
