/**
 * The thread that owns the native tokenizers: loads them, encodes batches, answers over one port. Its counterpart is
 * `native.ts`, which alone starts it. The library's encoding is asynchronous only; in a thread of its own it can be
 * awaited there while the caller waits for the answer.
 */
import { workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { Tokenizer } from 'tokenizers';

/** What `native.ts` asks. `handle` names a tokenizer. */
export type NativeRequest =
  | { readonly kind: 'load'; readonly handle: number; readonly json: string }
  | { readonly kind: 'encode'; readonly handle: number; readonly texts: readonly string[] }
  | { readonly kind: 'free'; readonly handle: number };

/** The answer: ids of all texts one after the other, with how many belong to each. */
export type NativeReply =
  | { readonly error: string }
  | { readonly error?: undefined; readonly ids: Int32Array; readonly lengths: Int32Array };

const { port, signal } = workerData as { port: MessagePort; signal: Int32Array };
const tokenizers = new Map<number, Tokenizer>();

async function answer(request: NativeRequest): Promise<NativeReply> {
  const none = { ids: new Int32Array(0), lengths: new Int32Array(0) };
  if (request.kind === 'free') {
    tokenizers.delete(request.handle);
    return none;
  }
  if (request.kind === 'load') {
    const native = await import('tokenizers');
    tokenizers.set(request.handle, native.Tokenizer.fromString(request.json));
    return none;
  }
  const tokenizer = tokenizers.get(request.handle);
  if (tokenizer === undefined) throw new Error(`no tokenizer ${request.handle} is loaded`);
  const encodings = await tokenizer.encodeBatch([...request.texts], { addSpecialTokens: false });
  const rows = encodings.map((encoding) => encoding.getIds());
  const lengths = Int32Array.from(rows, (row) => row.length);
  const ids = new Int32Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const row of rows) {
    ids.set(row, at);
    at += row.length;
  }
  return { ids, lengths };
}

port.on('message', (request: NativeRequest) => {
  void answer(request)
    .catch((error: unknown): NativeReply => ({ error: error instanceof Error ? error.message : String(error) }))
    .then((reply) => {
      port.postMessage(reply);
      Atomics.add(signal, 0, 1);
      Atomics.notify(signal, 0);
    });
});
