/** One person's browser as far as requests go, light enough that thousands fit into one process: a cookie, an address of its own, kept-alive connections. */
import { Agent, request } from 'node:http';

export interface Reply {
  /** 0: the connection broke before an answer was there. */
  readonly status: number;
  // eslint-disable-next-line typescript/no-explicit-any -- answers of every shape
  readonly body: any;
  readonly ms: number;
}

/** Told of every request that was made: the route as in the contract. */
export type Timed = (route: string, reply: Reply) => void;

export interface Target {
  url: string;
  readonly agent: Agent;
  timed?: Timed | undefined;
}

export const targetOf = (url: string): Target => ({ url, agent: new Agent({ keepAlive: true, maxSockets: 256, scheduling: 'lifo' }) });

export class Caller {
  readonly #target: Target;
  readonly #address: string;
  cookie: string | undefined;

  /** `n` makes the address that a trusted proxy would name. */
  constructor(target: Target, n: number) {
    this.#target = target;
    this.#address = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
  }

  /** `route`: what it is counted under. */
  ask(method: string, path: string, body?: unknown, route = `${method} ${path}`): Promise<Reply> {
    const { url, agent, timed } = this.#target;
    const begun = performance.now();
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise<Reply>((resolve) => {
      const end = (status: number, answer: unknown) => {
        const reply = { status, body: answer, ms: performance.now() - begun };
        timed?.(route, reply);
        resolve(reply);
      };
      const sent = request(`${url}${path}`, {
        method, agent,
        headers: {
          'x-forwarded-for': this.#address, ...(method !== 'GET' && { origin: url }), ...(this.cookie !== undefined && { cookie: this.cookie }), ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        },
      }, (response) => {
        const set = response.headers['set-cookie']?.[0];
        if (set !== undefined) this.cookie = set.split(';')[0]!;
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => {
          try {
            end(response.statusCode!, JSON.parse(Buffer.concat(parts).toString()));
          } catch {
            end(response.statusCode!, undefined);
          }
        });
        response.on('error', () => end(0, undefined));
      });
      sent.on('error', () => end(0, undefined));
      sent.end(text);
    });
  }

  /** Takes no other answer than 200. */
  async ok(method: string, path: string, body?: unknown, route?: string): Promise<Reply['body']> {
    const reply = await this.ask(method, path, body, route);
    if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body).slice(0, 400)}`);
    return reply.body;
  }
}

export const codeOf = ({ status, body }: Reply): string => (status === 0 ? 'broken' : ((body as { error?: { code?: string } } | undefined)?.error?.code ?? (status === 200 ? 'ok' : String(status))));
