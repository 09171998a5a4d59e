/** run.json: what a training run was made of and what came out, enough to judge it and to make it again. */

export const RUN_SCHEMA = 'roslin.run/1';

export interface SourceFile {
  readonly path: string;
  /** SHA-256, hex. */
  readonly hash: string;
  readonly bytes: number;
}

/** A rule of a licence on a part of the making, with the clause that it rests on. */
export interface Obligation {
  readonly part: string;
  readonly licence: string;
  readonly says: string;
  readonly clause: string;
  readonly records?: number;
  readonly first?: readonly string[];
}

/** What the verdict means for whoever uses the model or passes it on. */
export interface Obligations {
  readonly redistribution: { readonly allowed: boolean; readonly under: readonly string[] | null };
  readonly owed: readonly Obligation[];
  readonly share_alike: readonly Obligation[];
  readonly limits: readonly Obligation[];
  readonly blocks: readonly Obligation[];
}

export interface RunManifest {
  readonly schema: typeof RUN_SCHEMA;
  readonly method: 'full' | 'lora';
  /** Null where a run began with random weights. */
  readonly base: (SourceFile & { readonly kind: 'folder' | 'gguf'; readonly licence: string | null }) | null;
  readonly data: SourceFile & {
    readonly records: number;
    readonly licence: string | null;
    /** The sealed records: their root, and whether the run has them in its own folder. Absent for documents. */
    readonly dataset?: { readonly root: string; readonly here: boolean };
  };
  readonly template: { readonly name: 'dolly' | 'chat' | 'text'; readonly hash: string };
  /** Every option that decides the numbers. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Bit equality of a resumed run holds only where all of these are equal. */
  readonly machine: Readonly<Record<string, string | number>>;
  /** Hash over the training rows in order, and over the held-out ones. */
  readonly rows: { readonly train: string; readonly held_out: string };
  readonly dropped: readonly { readonly line: number; readonly tokens: number }[];
  /** What the licences of base and data come to (src/licence), and why: a sentence for each part. */
  readonly verdict: 'clear' | 'share-alike' | 'restricted' | 'unknown' | 'tainted';
  readonly verdict_reasons?: readonly string[];
  readonly obligations?: Obligations;
  /** What was accepted against the verdict, and why. */
  readonly accepted?: { readonly taint: string };
  readonly result?: RunResult;
}

export interface RunResult {
  readonly steps: number;
  readonly trained_tokens: number;
  /** Mean loss over response tokens of the held-out rows before the first and after the last step. */
  readonly held_out: { readonly before: number; readonly after: number } | null;
  readonly seconds: number;
}
