/** What client.ts asks of llama.cpp's process, and what comes back: one reply for each request, in order. */

export interface LoadRequest {
  readonly kind: 'load';
  /** node-llama-cpp's entry file. */
  readonly entry: string;
  /** The GGUF. */
  readonly path: string;
  readonly contextSize: number;
  readonly threads?: number | undefined;
  /** An adapter GGUF beside it. */
  readonly adapter?: string | undefined;
}

export type Request =
  | LoadRequest
  | { readonly kind: 'tokenize'; readonly texts: readonly string[]; readonly special: boolean }
  | { readonly kind: 'tokens'; readonly ids: readonly number[] }
  | { readonly kind: 'score'; readonly ids: readonly number[]; readonly from: number; readonly vocabulary: number }
  | { readonly kind: 'greedy'; readonly ids: readonly number[]; readonly most: number }
  | { readonly kind: 'end' };

export type Reply = { readonly value: unknown; readonly error?: undefined } | { readonly error: string };

export interface TokenRow {
  readonly id: number;
  readonly text: string;
  /** Ends a text. */
  readonly eog: boolean;
}

export interface GreedyAnswer {
  readonly ids: number[];
  /** What ended it, where it ended by itself. */
  readonly end: number | undefined;
}
