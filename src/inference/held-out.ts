/**
 * Loss on held-out records, as every stage reports it: the mean over response tokens without the stop token, the stop
 * token's own loss apart, and what follows from them. Overall and by category.
 */
import type { Network } from '../models/network.ts';
import type { Example } from '../tokenizer/example.ts';
import { groupByTokens, microBatch } from './micro-batches.ts';

export interface HeldOutLoss {
  /** Mean nats a response token, the stop token not counted. */
  readonly loss: number;
  /** Mean nats of the stop token after a whole answer. */
  readonly stop_loss: number;
  /** exp(loss) */
  readonly perplexity: number;
  /** Nats of the response tokens over UTF-8 bytes of the responses, in bits: comparable between tokenizers. */
  readonly bits_per_byte: number;
  /** Response tokens that were scored, the stop tokens included. */
  readonly trained_tokens: number;
  readonly records: number;
}

class Sums {
  nats = 0;
  tokens = 0;
  stopNats = 0;
  stops = 0;
  bytes = 0;
  records = 0;

  add(losses: Float32Array, { responseBytes, open }: Example): void {
    const own = open ? losses : losses.subarray(0, -1);
    own.forEach((l) => (this.nats += l));
    this.tokens += own.length;
    if (!open) {
      this.stopNats += losses.at(-1)!;
      this.stops++;
    }
    this.bytes += responseBytes;
    this.records++;
  }

  result(): HeldOutLoss {
    const loss = this.nats / this.tokens;
    return {
      loss, stop_loss: this.stopNats / this.stops, perplexity: Math.exp(loss), bits_per_byte: this.nats / Math.LN2 / this.bytes,
      trained_tokens: this.tokens + this.stops, records: this.records,
    };
  }
}

export interface HeldOutReport extends HeldOutLoss {
  readonly by_category: Readonly<Record<string, HeldOutLoss>>;
}

/** Yields the number of records done; returns the report. `tokens` bounds a micro-batch. */
export async function* heldOutLoss(network: Network, examples: readonly Example[], tokens = 2048): AsyncGenerator<number, HeldOutReport> {
  const total = new Sums();
  const categories = new Map<string, Sums>();
  // Rows of like length together: the order changes no sum of a record.
  const sorted = [...examples].sort((a, b) => a.ids.length - b.ids.length);
  for (const rows of groupByTokens(sorted, tokens)) {
    const losses = await network.losses(microBatch(rows, network.device));
    let at = 0;
    for (const row of rows) {
      const labels = row.trained.reduce((a, b) => a + b, 0);
      const own = losses.subarray(at, (at += labels));
      if (!categories.has(row.category)) categories.set(row.category, new Sums());
      for (const sums of [total, categories.get(row.category)!]) sums.add(own, row);
    }
    yield total.records;
  }
  return { ...total.result(), by_category: Object.fromEntries([...categories].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, sums]) => [name, sums.result()])) };
}
