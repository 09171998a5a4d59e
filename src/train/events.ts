/** What a run tells while it goes: plain values that pass between processes. */
import type { HeldOutReport } from '../inference/held-out.ts';
import type { RunManifest, RunResult } from '../artefacts/run.ts';
import type { OverlongRow } from '../tokenizer/example.ts';

export type TrainEvent =
  | {
      readonly type: 'prepared'; readonly parameters: number; readonly trainable: number; readonly records: number; readonly trainRows: number; readonly heldOutRows: number;
      readonly tokens: number; readonly labels: number; readonly steps: number; readonly template: string; readonly dropped: readonly OverlongRow[]; readonly cut: readonly OverlongRow[];
      readonly verdict: RunManifest['verdict']; readonly reasons: readonly string[]; readonly resumedAt: number;
    }
  | { readonly type: 'evaluating'; readonly done: number; readonly of: number }
  | { readonly type: 'evaluated'; readonly step: number; readonly report: HeldOutReport }
  | StepEvent
  | { readonly type: 'checkpoint'; readonly step: number }
  | { readonly type: 'stopped'; readonly step: number }
  | { readonly type: 'done'; readonly out: string; readonly result: RunResult };

export interface StepEvent {
  readonly type: 'step';
  /** Updates made, from 1. */
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  /** Mean nats a trained token of this update's rows, before the update. */
  readonly loss: number;
  readonly lr: number;
  /** Before the clip. */
  readonly grad_norm: number;
  readonly tokens: number;
  readonly labels: number;
  readonly seconds: number;
  /** Resident memory, bytes. */
  readonly memory: number;
  /** Estimate for the rest of the run. */
  readonly secondsLeft: number;
}
