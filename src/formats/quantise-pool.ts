/**
 * Rows of float32 to the bytes of a ggml type on all cores, piece by piece: a piece goes to a worker thread and is fetched when its turn comes. What the threads
 * have no time for is converted by the caller's, which is one of those that are counted. Not the arithmetic (quantise.ts), nor the order of a file (gguf-write.ts).
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { InputError } from '../errors.ts';
import { blockLayouts } from './ggml.ts';
import { quantise, type WritableDType } from './quantise.ts';
import type { QuantiseReply, QuantiseRequest } from './quantise-worker.ts';

/** Values of a piece: some milliseconds of work, far more than its way to a thread and back. */
const PIECE_VALUES = 2 ** 18;

/** Pieces that a thread has at once: the one it is at, and others so that it never waits. */
const QUEUED = 3;

/** A row longer than a piece is a piece. */
const MOST_BYTES = 2 ** 27;

/** Types whose conversion costs about as much as handing the values over. */
const INLINE: ReadonlySet<WritableDType> = new Set(['F32', 'F16', 'BF16']);

export interface Piece {
  /** Good until the next piece's are asked for. Rejects with an InputError for values that the type cannot hold. */
  bytes(): Uint8Array | Promise<Uint8Array>;
  /** Its room may be used again. */
  release(): void;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Waiting[];
  /** Why it is no more. */
  failure?: unknown;
}

export class QuantisePool {
  readonly #workers: number;
  #rooms: SharedArrayBuffer[] | undefined;
  #threads: Thread[] = [];
  #here = new Uint8Array(0);

  readonly #program: URL;

  constructor(threads = availableParallelism(), program = PROGRAM) {
    this.#workers = Math.max(0, threads - 1);
    this.#program = program;
  }

  /** Threads begin to start: they take a tenth of a second. */
  start(): void {
    if (this.#rooms) return;
    this.#threads = Array.from({ length: this.#workers }, () => begin(this.#program));
    this.#rooms = Array.from({ length: (QUEUED + 1) * this.#workers + 1 }, () => new SharedArrayBuffer(0, { maxByteLength: MOST_BYTES }));
  }

  /** Whether a tensor of so many values is worth other threads. */
  spreads(dtype: WritableDType, values: number): boolean {
    return !INLINE.has(dtype) && values > PIECE_VALUES;
  }

  /** `data` in whole rows, each piece small. */
  *split(data: Float32Array, rowLength: number): Generator<Float32Array> {
    const length = Math.max(1, Math.floor(PIECE_VALUES / rowLength)) * rowLength;
    for (let at = 0; at < data.length; at += length) yield data.subarray(at, at + length);
  }

  /** Converted on this thread, when its bytes are asked for. */
  here(dtype: WritableDType, source: Float32Array, rowLength: number, where: string): Piece {
    return {
      bytes: () => {
        const length = bytesOf(dtype, source.length);
        if (this.#here.length < length) this.#here = new Uint8Array(length);
        const out = this.#here.subarray(0, length);
        quantise(dtype, source, rowLength, out, where);
        return out;
      },
      release: () => {},
    };
  }

  /**
   * Given to a thread at once, which reads `source` where it lies if that memory is shared, or converted at once if all have enough to do. Undefined while all
   * rooms are taken.
   */
  away(dtype: WritableDType, source: Float32Array, rowLength: number, where: string): Piece | undefined {
    this.start();
    const dead = this.#threads.find(({ failure }) => failure !== undefined);
    if (dead) throw dead.failure;
    const [rooms, length] = [this.#rooms!, bytesOf(dtype, source.length)];
    const room = rooms.pop();
    if (!room) return undefined;
    if (room.byteLength < length) room.grow(length);
    const target = new Uint8Array(room, 0, length);
    const release = () => void rooms.push(room);
    const thread = this.#threads.find(({ waiting }) => waiting.length < QUEUED);
    if (!thread) {
      quantise(dtype, source, rowLength, target, where);
      return { bytes: () => target, release };
    }
    const shared = source.buffer instanceof SharedArrayBuffer;
    const own = shared ? source : source.slice();
    const done = new Promise<void>((resolve, reject) => {
      thread.waiting.push({ resolve, reject });
      thread.worker.postMessage({ dtype, source: own, target, rowLength, where } satisfies QuantiseRequest, shared ? [] : [own.buffer as ArrayBuffer]);
    });
    done.catch(() => {}); // looked at when its turn comes
    return { bytes: async () => (await done, target), release };
  }

  async close(): Promise<void> {
    const threads = this.#threads;
    this.#threads = [];
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }
}

const PROGRAM = new URL(import.meta.url.endsWith('.ts') ? './quantise-worker.ts' : './quantise-worker.js', import.meta.url);

/** A thread answers in the order of what it was asked. */
function begin(program: URL): Thread {
  // What a thread throws away is small: a large young generation would only grow.
  const worker = new Worker(program, { execArgv: [], resourceLimits: { maxYoungGenerationSizeMb: 2 } });
  const thread: Thread = { worker, waiting: [] };
  worker.on('message', (reply: QuantiseReply) => {
    const { resolve, reject } = thread.waiting.shift()!;
    if ('done' in reply) resolve();
    else reject(reply.parts ? new InputError(reply.parts) : new Error(reply.message));
  });
  // It may end before it is asked anything.
  const end = (failure: unknown): void => {
    thread.failure ??= failure;
    for (const { reject } of thread.waiting.splice(0)) reject(thread.failure);
  };
  worker.on('error', end);
  worker.on('exit', (code) => end(new Error(`a thread that quantises ended with ${code}`)));
  return thread;
}

export function bytesOf(dtype: WritableDType, values: number): number {
  const layout = blockLayouts[dtype];
  return (values / layout.values) * layout.bytes;
}
