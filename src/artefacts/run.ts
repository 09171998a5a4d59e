/** run.json: what a training run was made of and what came out, enough to judge it and to make it again. */

export const RUN_SCHEMA = 'roslin.run/1';

export interface SourceFile {
  readonly path: string;
  /** SHA-256, hex. */
  readonly hash: string;
  readonly bytes: number;
}

export interface RunManifest {
  readonly schema: typeof RUN_SCHEMA;
  readonly method: 'full' | 'lora';
  /** Null where a run began with random weights. */
  readonly base: (SourceFile & { readonly kind: 'folder' | 'gguf'; readonly licence: string | null }) | null;
  readonly data: SourceFile & { readonly records: number; readonly licence: string | null };
  readonly template: { readonly name: 'dolly' | 'chat' | 'text'; readonly hash: string };
  /** Every option that decides the numbers. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Bit equality of a resumed run holds only where all of these are equal. */
  readonly machine: Readonly<Record<string, string | number>>;
  /** Hash over the training rows in order, and over the held-out ones. */
  readonly rows: { readonly train: string; readonly held_out: string };
  readonly dropped: readonly { readonly line: number; readonly tokens: number }[];
  /** What the licences of base and data come to (src/licence), and why: a sentence for each part. */
  readonly verdict: 'clear' | 'share-alike' | 'tainted' | 'unknown';
  readonly verdict_reasons?: readonly string[];
  readonly result?: RunResult;
}

export interface RunResult {
  readonly steps: number;
  readonly trained_tokens: number;
  /** Mean loss over response tokens of the held-out rows before the first and after the last step. */
  readonly held_out: { readonly before: number; readonly after: number } | null;
  readonly seconds: number;
}
