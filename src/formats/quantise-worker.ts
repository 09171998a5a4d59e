/** The thread that quantises pieces of a tensor for quantise-pool.ts, which alone starts it: one answer for each request, in order. */
import { parentPort } from 'node:worker_threads';
import { RoslinError, type ErrorParts } from '../errors.ts';
import { blockLayouts } from './ggml.ts';
import { quantise, type WritableDType } from './quantise.ts';

export interface QuantiseRequest {
  readonly dtype: WritableDType;
  /** Whole rows; handed over. */
  readonly source: Float32Array;
  readonly rowLength: number;
  readonly where: string;
}

export type QuantiseReply = { readonly bytes: Uint8Array } | { readonly message: string; readonly parts?: ErrorParts };

parentPort!.on('message', ({ dtype, source, rowLength, where }: QuantiseRequest) => {
  try {
    const layout = blockLayouts[dtype];
    const bytes = new Uint8Array((source.length / layout.values) * layout.bytes);
    quantise(dtype, source, rowLength, bytes, where);
    parentPort!.postMessage({ bytes } satisfies QuantiseReply, [bytes.buffer]);
  } catch (error) {
    const { message } = error as Error;
    parentPort!.postMessage({ message, ...(error instanceof RoslinError ? { parts: error.parts } : {}) } satisfies QuantiseReply);
  }
});
