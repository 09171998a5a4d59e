/** A server over a tiny model of random weights, in this process but for the model's own. Not a test. */
import { join } from 'node:path';
import { writeBase, type CONFIGS, type Scratch } from '../train/tiny-base.ts';
import { KeyFile } from '../../src/serve/keys.ts';
import type { ModelEvent } from '../../src/serve/model-process.ts';
import { Service, type ServiceOptions } from '../../src/serve/service.ts';
import { HttpServer, type HttpOptions } from '../../src/server/server.ts';

export interface Running extends AsyncDisposable {
  readonly service: Service;
  readonly server: HttpServer;
  readonly url: string;
  readonly model: string;
  readonly keys: KeyFile;
  readonly events: ModelEvent[];
  readonly faults: unknown[];
}

export interface Settings {
  readonly type?: keyof typeof CONFIGS;
  readonly service?: Partial<ServiceOptions>;
  readonly http?: Partial<HttpOptions>;
}

export async function start(scratch: Scratch, { type = 'llama', service: options = {}, http = {} }: Settings = {}): Promise<Running> {
  const model = options.model ?? (await writeBase(scratch.join(`base-${type}`), type));
  const keys = new KeyFile(join(scratch.path, `keys-${Math.random()}.json`));
  const events: ModelEvent[] = [];
  const faults: unknown[] = [];
  const service = await Service.open({
    model, name: 'tiny', engine: 'roslin', threads: 1, context: 256, parallel: 8, queue: 8, adapters: new Map(), sampling: { temperature: 1, topP: 0.92, topK: 0 }, maxNewTokens: 16, ...options,
  }, (event) => void events.push(event));
  const server = await HttpServer.listen(service, { host: '127.0.0.1', port: 0, keys, graceMs: 5000, onFault: (error) => void faults.push(error), ...http }).catch(async (error: unknown) => {
    await service[Symbol.asyncDispose]();
    throw error;
  });
  return {
    service, server, url: server.url, model, keys, events, faults,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

export interface Lists {
  readonly tokens: string[];
  readonly token_logprobs: (number | null)[];
  readonly top_logprobs: (Record<string, number> | null)[];
  readonly text_offset: number[];
}

export interface Choice {
  readonly index: number;
  readonly text: string;
  readonly message: { readonly role: string; readonly content: string };
  readonly delta: { readonly role?: string; readonly content?: string };
  readonly finish_reason: string | null;
  readonly logprobs: Lists & { readonly content: { readonly token: string; readonly logprob: number; readonly bytes: number[]; readonly top_logprobs: { readonly logprob: number }[] }[] };
}

/** Whatever the server may answer; a test looks at what it should have. */
export interface Body {
  readonly id: string;
  readonly system_fingerprint: string;
  readonly choices: Choice[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number };
  readonly data: Readonly<Record<string, unknown>>[];
  readonly error: { readonly code: string; readonly message: string; readonly param: string | null; readonly type: string };
}

export async function post(url: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<{ status: number; headers: Headers; body: Body }> {
  const response = await fetch(`${url}${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

/** The events of a stream, read to its end. */
export async function stream(url: string, path: string, body: object): Promise<{ chunks: Body[]; done: boolean }> {
  const response = await fetch(`${url}${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ ...body, stream: true }) });
  const events = (await response.text()).split('\n\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice(6));
  return { chunks: events.filter((e) => e !== '[DONE]').map((e) => JSON.parse(e) as Body), done: events.at(-1) === '[DONE]' };
}

/** A value of /metrics. */
export async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (.+)$`, 'm').exec(text)?.[1] ?? 0);
}

export async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
