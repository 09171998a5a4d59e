/** When a failed exchange is tried again, and after how long: pure decisions and one interruptible sleep. */
import { setTimeout as delay } from 'node:timers/promises';
import { TransportError, type HubResponse } from './http.ts';
import type { RetryPolicy } from './settings.ts';

/** A status that may pass by itself. */
export class PassingStatus extends Error {
  override readonly name = 'PassingStatus';
  readonly response: HubResponse;
  constructor(response: HubResponse) {
    super(`status ${response.status}`);
    this.response = response;
  }
}

const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
const LASTING_NETWORK_CODES = /^(?:ENOTFOUND|UNSAFE_REDIRECT|TOO_MANY_REDIRECTS|BAD_REDIRECT|ERR_PROXY|ERR_TLS|CERT_|SELF_SIGNED|UNABLE_TO|DEPTH_ZERO|ERR_INVALID)/;

export function mayPass(response: HubResponse): boolean {
  // A signed address that has run out answers 403; asking the hub again gives a fresh one.
  return PASSING.has(response.status) || (!response.fromHub && response.status === 403);
}

export function isPassing(error: unknown): error is PassingStatus | TransportError {
  return error instanceof PassingStatus || (error instanceof TransportError && !LASTING_NETWORK_CODES.test(error.code));
}

/** Milliseconds to wait before try number `failures + 1`: doubling, or as long as the server asks, both bounded. */
export function waitBefore(failures: number, error: PassingStatus | TransportError, policy: RetryPolicy): number {
  const doubling = Math.min(policy.longestWaitMs, policy.firstWaitMs * 2 ** (failures - 1));
  const asked = error instanceof PassingStatus ? askedWait(error.response) : undefined;
  return asked === undefined ? doubling : Math.min(policy.longestAskedWaitMs, Math.max(asked, policy.firstWaitMs));
}

/** Retry-After in seconds or as a date, or the `t` of a RateLimit header with nothing remaining. */
function askedWait(response: HubResponse): number | undefined {
  const limit = /;\s*r\s*=\s*0\s*;\s*t\s*=\s*(\d{1,6})/.exec(String(response.headers['ratelimit'] ?? ''));
  if (limit) return Number(limit[1]) * 1000;
  const after = response.headers['retry-after'];
  if (after === undefined) return undefined;
  if (/^\d{1,9}$/.test(after)) return Number(after) * 1000;
  const date = Date.parse(after);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

export async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(ms, undefined, signal ? { signal } : {});
}

/** Runs `attempt` until it succeeds, fails for good, or has failed `policy.tries` times. */
export async function withRetries<T>(policy: RetryPolicy, signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error) || failures >= policy.tries) throw error;
      await sleep(waitBefore(failures, error, policy), signal);
    }
  }
}
