/**
 * Synchronous encoding with the native tokenizer library, whose own encoding is asynchronous: one thread shared by all
 * tokenizers of the process does the work while the caller waits on shared memory. Knows nothing of special tokens or
 * templates. Throws plain Error; `tokenizer.ts` says where and what to do.
 */
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { NativeReply, NativeRequest } from './native-worker.ts';

/** Far beyond what a batch takes: it only turns a dead thread into an error instead of a wait without end. */
const ANSWER_TIMEOUT_MS = 300_000;
/** UTF-16 units sent at once, so that memory for a batch stays bounded. */
const BATCH_UNITS = 2 * 1024 * 1024;

/** A loaded tokenizer.json. Encodes without adding tokens of any kind. */
export class NativeEncoder {
  readonly #handle: number;

  /** Throws where the library cannot load `json`. */
  constructor(json: string) {
    this.#handle = nextHandle++;
    ask({ kind: 'load', handle: this.#handle, json });
    released.register(this, this.#handle);
  }

  /** Ids of each text. */
  encode(texts: readonly string[]): number[][] {
    const rows: number[][] = [];
    for (let from = 0; from < texts.length; ) {
      let to = from;
      let units = 0;
      do {
        units += (texts[to++] as string).length;
      } while (to < texts.length && units < BATCH_UNITS);
      const { ids, lengths } = ask({ kind: 'encode', handle: this.#handle, texts: texts.slice(from, to) });
      let at = 0;
      for (const length of lengths) {
        rows.push(Array.from(ids.subarray(at, at + length)));
        at += length;
      }
      from = to;
    }
    return rows;
  }
}

interface Connection {
  readonly port: MessagePort;
  readonly signal: Int32Array;
}

let nextHandle = 1;
let connection: Connection | undefined;
const released = new FinalizationRegistry<number>((handle) => {
  if (connection !== undefined) ask({ kind: 'free', handle });
});

function connect(): Connection {
  const { port1, port2 } = new MessageChannel();
  const signal = new Int32Array(new SharedArrayBuffer(4));
  // The sources run as .ts, the published package as .js: the extension of this file tells which.
  const file = import.meta.url.endsWith('.ts') ? './native-worker.ts' : './native-worker.js';
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: { port: port2, signal },
    transferList: [port2],
    execArgv: [],
  });
  worker.unref();
  port1.unref();
  return { port: port1, signal };
}

function ask(request: NativeRequest): { ids: Int32Array; lengths: Int32Array } {
  connection ??= connect();
  const { port, signal } = connection;
  const before = Atomics.load(signal, 0);
  port.postMessage(request);
  if (Atomics.wait(signal, 0, before, ANSWER_TIMEOUT_MS) === 'timed-out') {
    connection = undefined;
    throw new Error(`the tokenizer thread gave no answer for ${ANSWER_TIMEOUT_MS / 1000} s`);
  }
  const reply = (receiveMessageOnPort(port) as { message: NativeReply } | undefined)?.message;
  if (reply === undefined) throw new Error('the tokenizer thread signalled without an answer');
  if (reply.error !== undefined) throw new Error(reply.error);
  return reply;
}
