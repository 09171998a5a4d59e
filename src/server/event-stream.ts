/** Server-sent events to one client: kept alive while nothing comes, and given up on a client that does not read. */
import type { ServerResponse } from 'node:http';

/** A comment after so long without an event, so that nothing between here and the client closes the connection. */
const KEEP_ALIVE_MS = 15_000;

export class EventStream implements Disposable {
  readonly #response: ServerResponse;
  readonly #stallMs: number;
  #timer: NodeJS.Timeout | undefined;
  #stalled: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse, stallMs: number) {
    this.#response = response;
    this.#stallMs = stallMs;
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-cache', 'X-Accel-Buffering': 'no' });
    // The headers go out now: a client sees that it has been let in.
    response.flushHeaders();
    this.#timer = setInterval(() => this.#write(': keep-alive\n\n'), KEEP_ALIVE_MS);
  }

  send(data: unknown): void {
    this.#write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    this.#timer?.refresh();
  }

  end(): void {
    this[Symbol.dispose]();
    this.#response.end();
  }

  #write(text: string): void {
    if (this.#response.destroyed || this.#response.write(text) || this.#stalled) return;
    // What a client does not read piles up here: it is let go when it has not read for a while.
    this.#stalled = setTimeout(() => this.#response.destroy(), this.#stallMs);
    this.#response.once('drain', () => {
      clearTimeout(this.#stalled);
      this.#stalled = undefined;
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    clearTimeout(this.#stalled);
  }
}
