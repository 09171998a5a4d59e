/** The thread that quantises pieces of a tensor for quantise-pool.ts, which alone starts it: one answer for each request, in order. */
import { parentPort } from 'node:worker_threads';
import { RoslinError, type ErrorParts } from '../errors.ts';
import { quantise, type WritableDType } from './quantise.ts';

export interface QuantiseRequest {
  readonly dtype: WritableDType;
  /** Whole rows, in memory that both see or handed over. */
  readonly source: Float32Array;
  /** For the bytes; in memory that both see. */
  readonly target: Uint8Array;
  readonly rowLength: number;
  readonly where: string;
}

export type QuantiseReply = { readonly done: true } | { readonly message: string; readonly parts?: ErrorParts };

parentPort!.on('message', ({ dtype, source, target, rowLength, where }: QuantiseRequest) => {
  try {
    quantise(dtype, source, rowLength, target, where);
    parentPort!.postMessage({ done: true } satisfies QuantiseReply);
  } catch (error) {
    const { message } = error as Error;
    parentPort!.postMessage({ message, ...(error instanceof RoslinError ? { parts: error.parts } : {}) } satisfies QuantiseReply);
  }
});
