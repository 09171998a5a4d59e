/** How many records one person may have waiting for a decision: few at first, more with every accepted one, fewer for who floods. */
import type { PointsRules } from './points-rules.ts';
import { wilson } from './wilson.ts';

export interface AuthorRecord {
  readonly accepted: number;
  readonly rejected: number;
  /** A moderator found copied text and has not lifted the stop. */
  readonly stopped: boolean;
}

export interface PendingCap {
  readonly cap: number;
  /** Bounds of the accept rate, in thousandths. */
  readonly lower: number;
  readonly upper: number;
  readonly because: 'stopped' | 'distrusted' | 'newcomer' | 'growing' | 'trusted';
}

export function pendingCap(rules: PointsRules, { accepted, rejected, stopped }: AuthorRecord): PendingCap {
  const { newcomer, trusted, trusted_at, distrusted, distrusted_at } = rules.pending;
  const { lower, upper } = wilson(accepted, accepted + rejected);
  if (stopped) return { cap: 0, lower, upper, because: 'stopped' };
  if (upper < distrusted_at) return { cap: distrusted, lower, upper, because: 'distrusted' };
  if (lower >= trusted_at) return { cap: trusted, lower, upper, because: 'trusted' };
  const cap = newcomer + Math.floor(((trusted - newcomer) * lower) / trusted_at);
  return { cap, lower, upper, because: cap === newcomer ? 'newcomer' : 'growing' };
}

/** Questions for others that one person may have open: askers wait until some are answered. */
export const OPEN_QUESTIONS = 3;
