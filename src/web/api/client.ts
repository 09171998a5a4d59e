/** Requests to the studio's own server: JSON both ways, errors as values of one class, the network's absence told apart. */

/** What the server answered instead of what was asked for. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** The whole answer: a conflict brings what the server has, a refusal its findings. */
  readonly body: unknown;

  constructor(status: number, code: string, message: string, body: unknown) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.body = body;
  }
}

/** There was no answer: the network, or a server that is not there. */
export class OfflineError extends Error {
  constructor(cause: unknown) {
    super('no answer from the server', { cause });
    this.name = 'OfflineError';
  }
}

export interface CallOptions {
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly signal?: AbortSignal;
  /** Sent although the page goes away; browsers allow 64 kB of such. */
  readonly keepalive?: boolean;
}

/** Someone who wants to know that a session has ended: the shell. */
let onSignedOut: () => void = () => undefined;
export const whenSignedOut = (listener: () => void): void => void (onSignedOut = listener);

export async function call<T>(method: string, path: string, { body, query, signal, keepalive }: CallOptions = {}): Promise<T> {
  const search = new URLSearchParams(Object.entries(query ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])));
  let response: Response;
  try {
    response = await fetch(`${path}${search.size > 0 ? `?${search}` : ''}`, {
      method,
      headers: { accept: 'application/json', ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
      credentials: 'same-origin',
      keepalive: keepalive ?? false,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new OfflineError(cause);
  }
  const text = await response.text();
  const answer = parse(text);
  if (response.ok) return answer as T;
  // A proxy in front of a server that is being restarted answers for it.
  if (response.status >= 502 && response.status <= 504) throw new OfflineError(answer);
  const { code, message } = errorOf(answer);
  if (response.status === 401 && path !== '/api/session') onSignedOut();
  throw new ApiError(response.status, code, message, answer);
}

/** Reasons are one line to the server, which refuses line breaks; fields for them have several. */
export const oneLine = (text: string): string => text.trim().replace(/\s+/g, ' ');

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorOf(answer: unknown): { code: string; message: string } {
  const error = (answer as { error?: { code?: unknown; message?: unknown } } | undefined)?.error;
  return { code: typeof error?.code === 'string' ? error.code : 'unknown', message: typeof error?.message === 'string' ? error.message : '' };
}
