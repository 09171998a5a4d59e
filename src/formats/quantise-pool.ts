/**
 * Rows of float32 to the bytes of a ggml type on all cores: a tensor goes piece by piece to worker threads and comes
 * back in order, a few pieces in flight, so that memory beside the tensor stays small. Not the arithmetic (quantise.ts).
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { InputError } from '../errors.ts';
import { blockLayouts } from './ggml.ts';
import { quantise, type WritableDType } from './quantise.ts';
import type { QuantiseReply, QuantiseRequest } from './quantise-worker.ts';

/** Values of a piece: some milliseconds of work, far more than its way to a thread and back. */
const PIECE_VALUES = 2 ** 18;

/** Types whose conversion costs about as much as handing the values over. */
const INLINE: ReadonlySet<WritableDType> = new Set(['F32', 'F16', 'BF16']);

interface Waiting {
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Waiting[];
}

export class QuantisePool {
  readonly #count: number;
  #threads: Thread[] = [];

  constructor(threads = availableParallelism()) {
    this.#count = Math.max(1, threads);
  }

  /**
   * Yields the bytes of `data` as `dtype`, in order. Threads start at the first tensor that is worth it.
   * Throws InputError, naming `where`, for values that the type cannot hold.
   */
  async *convert(dtype: WritableDType, data: Float32Array, rowLength: number, where: string): AsyncGenerator<Uint8Array> {
    const rows = Math.max(1, Math.floor(PIECE_VALUES / rowLength)) * rowLength;
    if (INLINE.has(dtype) || data.length <= PIECE_VALUES) {
      for (let at = 0; at < data.length; at += rows) {
        const piece = data.subarray(at, at + rows);
        const out = new Uint8Array(bytesOf(dtype, piece.length));
        quantise(dtype, piece, rowLength, out, where);
        yield out;
        await new Promise(setImmediate); // lets timers and signals through
      }
      return;
    }
    const running: Promise<Uint8Array>[] = [];
    try {
      for (let at = 0; at < data.length || running.length > 0;) {
        while (at < data.length && running.length < 2 * this.#count) {
          const promise = this.#send({ dtype, source: data.slice(at, at + rows), rowLength, where });
          promise.catch(() => {}); // looked at below, in its turn
          running.push(promise);
          at += rows;
        }
        yield await running.shift()!;
      }
    } finally {
      await Promise.allSettled(running);
    }
  }

  #send(request: QuantiseRequest): Promise<Uint8Array> {
    if (this.#threads.length < this.#count) this.#threads.push(start());
    const thread = this.#threads.reduce((least, next) => (next.waiting.length < least.waiting.length ? next : least));
    return new Promise((resolve, reject) => {
      thread.waiting.push({ resolve, reject });
      thread.worker.postMessage(request, [request.source.buffer as ArrayBuffer]);
    });
  }

  async close(): Promise<void> {
    const threads = this.#threads;
    this.#threads = [];
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }
}

/** A thread answers in the order of what it was asked. */
function start(): Thread {
  const file = import.meta.url.endsWith('.ts') ? './quantise-worker.ts' : './quantise-worker.js';
  const worker = new Worker(new URL(file, import.meta.url), { execArgv: [] });
  const waiting: Waiting[] = [];
  worker.on('message', (reply: QuantiseReply) => {
    const { resolve, reject } = waiting.shift()!;
    if ('bytes' in reply) resolve(reply.bytes);
    else reject(reply.parts ? new InputError(reply.parts) : new Error(reply.message));
  });
  worker.on('error', (error) => {
    for (const { reject } of waiting.splice(0)) reject(error);
  });
  return { worker, waiting };
}

export function bytesOf(dtype: WritableDType, values: number): number {
  const layout = blockLayouts[dtype];
  return (values / layout.values) * layout.bytes;
}
