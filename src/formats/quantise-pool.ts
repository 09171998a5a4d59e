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
  readonly resolve: () => void;
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
   * Yields the bytes of `data` as `dtype`, in order; each is good until the next is asked for. Threads start at the first tensor that is worth it.
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
    const running: { readonly target: Uint8Array; readonly done: Promise<void> }[] = [];
    const rooms = Array.from({ length: 2 * this.#count }, () => new SharedArrayBuffer(bytesOf(dtype, rows)));
    const shared = data.buffer instanceof SharedArrayBuffer;
    try {
      for (let at = 0; at < data.length || running.length > 0;) {
        for (; at < data.length && rooms.length > 0; at += rows) {
          const source = shared ? data.subarray(at, at + rows) : data.slice(at, at + rows);
          const target = new Uint8Array(rooms.pop()!, 0, bytesOf(dtype, source.length));
          const done = this.#send({ dtype, source, target, rowLength, where }, shared ? [] : [source.buffer as ArrayBuffer]);
          done.catch(() => {}); // looked at below, in its turn
          running.push({ target, done });
        }
        const { target, done } = running.shift()!;
        await done;
        yield target;
        rooms.push(target.buffer as SharedArrayBuffer);
      }
    } finally {
      await Promise.allSettled(running.map(({ done }) => done));
    }
  }

  #send(request: QuantiseRequest, handedOver: ArrayBuffer[]): Promise<void> {
    if (this.#threads.length < this.#count) this.#threads.push(start());
    const thread = this.#threads.reduce((least, next) => (next.waiting.length < least.waiting.length ? next : least));
    return new Promise((resolve, reject) => {
      thread.waiting.push({ resolve, reject });
      thread.worker.postMessage(request, handedOver);
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
    if ('done' in reply) resolve();
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
