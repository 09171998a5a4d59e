/** Who may go on now: places in the batch with a bounded queue before them, and what each key may use. */
import { ApiError } from './errors.ts';
import type { KeyRecord } from './keys.ts';

/** Places in the batch, first come first served. */
export class Places {
  readonly size: number;
  readonly queueSize: number;
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  constructor(size: number, queueSize: number) {
    this.size = size;
    this.queueSize = queueSize;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Throws 429 where `n` more would not fit into batch and queue. */
  requireRoom(n: number): void {
    if (this.#waiting.size + Math.max(0, n - (this.size - this.#taken)) <= this.queueSize) return;
    throw new ApiError({ status: 429, code: 'queue_full', message: `The server answers ${this.size} texts at once and lets ${this.queueSize} wait; all are taken. Try again in a moment.`, retryAfter: 2 });
  }

  /** Resolves to what gives the place back; rejects where the signal is aborted before. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#taken < this.size && this.#waiting.size === 0) this.#taken++;
    else {
      await new Promise<void>((resolve, reject) => {
        const turn = () => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = () => {
          this.#waiting.delete(turn);
          reject(signal.reason as Error);
        };
        signal.addEventListener('abort', leave, { once: true });
        this.#waiting.add(turn);
      });
    }
    let given = false;
    return () => {
      if (given) return;
      given = true;
      // A place goes straight to the next: nobody who comes now can overtake.
      const [next] = this.#waiting;
      if (!next) this.#taken--;
      else {
        this.#waiting.delete(next);
        next();
      }
    };
  }
}

interface Use {
  requests: number;
  /** Tokens that may still be used, filled up at the key's rate. */
  tokens: number;
  at: number;
}

/** What keys use. Kept in memory: a restart forgives a minute's tokens at most. */
export class KeyLimits {
  readonly #uses = new Map<string, Use>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Takes the most that a request may use; the function given back returns what it did not. Throws 429. */
  take({ id, tokens_per_minute: rate, concurrency }: KeyRecord, tokens: number): (used: number) => void {
    const now = this.#now();
    const use = this.#uses.get(id) ?? { requests: 0, tokens: rate ?? 0, at: now };
    this.#uses.set(id, use);
    if (rate !== null) use.tokens = Math.min(rate, use.tokens + ((now - use.at) / 60_000) * rate);
    use.at = now;
    if (concurrency !== null && use.requests >= concurrency) {
      throw new ApiError({ status: 429, code: 'concurrency_limit_exceeded', message: `This key may have ${concurrency} requests at once.`, retryAfter: 1 });
    }
    if (rate !== null && tokens > rate) {
      throw new ApiError({ status: 429, code: 'tokens_limit_exceeded', param: 'max_tokens', message: `This request may take ${tokens} tokens, more than this key's ${rate} a minute. Ask for fewer with max_tokens.`, retryAfter: 60 });
    }
    if (rate !== null && tokens > use.tokens) {
      const seconds = Math.ceil(((tokens - use.tokens) / rate) * 60);
      throw new ApiError({ status: 429, code: 'tokens_limit_exceeded', message: `This key may use ${rate} tokens a minute, and this request may take ${tokens}. Try again in ${seconds} s.`, retryAfter: seconds });
    }
    use.requests++;
    use.tokens -= tokens;
    let settled = false;
    return (used) => {
      if (settled) return;
      settled = true;
      use.requests--;
      if (rate !== null) use.tokens = Math.min(rate, use.tokens + Math.max(0, tokens - used));
    };
  }
}
