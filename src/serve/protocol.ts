/**
 * What the server and the process with its model say to each other: the same words for both engines, so that everything above them
 * exists once. Ids in, ids out: text is the server's.
 */
import type { ErrorParts } from '../errors.ts';
import type { Grammar } from '../inference/grammar.ts';
import type { Sampling } from '../inference/sample.ts';
import type { TemplateName } from '../inference/open-model.ts';

export interface OpenRequest {
  readonly kind: 'open';
  readonly model: string;
  readonly base?: string | undefined;
  readonly template?: TemplateName | undefined;
  readonly threads?: number | undefined;
  /** Room for a text, in tokens. */
  readonly context: number;
  /** Texts side by side. */
  readonly parallel: number;
  /** node-llama-cpp's entry file, for that engine. */
  readonly entry?: string | undefined;
}

/** One text to go on with. */
export interface Job {
  readonly id: number;
  /** Its name; empty: the model itself. */
  readonly adapter: string;
  readonly ids: Int32Array;
  /** Most new ids; 0 only with `echo`. */
  readonly most: number;
  readonly stopIds: readonly number[];
  readonly sampling: Sampling;
  readonly seed: number;
  /** Log-probabilities wanted of each new id, and of so many of the likeliest. */
  readonly top?: number | undefined;
  readonly grammar?: Grammar | undefined;
  /** Those of the prompt too; with `top` only. */
  readonly echo?: boolean | undefined;
}

export type ToModel =
  | OpenRequest
  | { readonly kind: 'start'; readonly job: Job }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'adapter'; readonly id: number; readonly name: string; readonly path: string; readonly drop: readonly string[] }
  | { readonly kind: 'embed'; readonly id: number; readonly adapter: string; readonly ids: Int32Array };

/** An id with the natural logarithm of its probability, before temperature and cuts. */
export interface Scored {
  readonly id: number;
  readonly logprob: number;
  /** The likeliest, first the likeliest. */
  readonly top: readonly (readonly [id: number, logprob: number])[];
}

/** What happened to a job in a step. */
export interface JobEvent {
  readonly id: number;
  readonly token?: number;
  readonly scored?: Scored;
  /** Of the prompt's ids from the second on. */
  readonly prompt?: readonly Scored[];
  readonly end?: 'stop' | 'length';
  readonly error?: Failure;
}

export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly parts?: ErrorParts;
}

export type FromModel =
  | { readonly kind: 'opened' }
  | { readonly kind: 'refused'; readonly error: Failure }
  | { readonly kind: 'step'; readonly events: readonly JobEvent[] }
  | { readonly kind: 'reply'; readonly id: number; readonly value?: Float32Array; readonly error?: Failure };
