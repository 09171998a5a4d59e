/**
 * What a pilot says about the starting values: base from the median minutes of accepted records, full size from their median words. A
 * proposal for a new version of the rules, for people to look at; nothing is scored anew by it.
 */
import { CATEGORIES, type CategoryKey } from './categories.ts';
import type { PointsRules } from './points-rules.ts';

export interface PilotRecord {
  readonly category: CategoryKey;
  /** Of instruction and response. */
  readonly words: number;
  /** Time in which its author was at work on it. */
  readonly active_ms: number;
}

export interface Calibration {
  readonly category: CategoryKey;
  readonly records: number;
  /** Undefined if there are too few to say. */
  readonly minutes?: number;
  readonly words?: number;
}

/** Fewer records than this say nothing about a category. */
export const PILOT_LEAST = 20;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

/** Base rounded to half points, full size to five words; categories with too few records keep what they have. */
export function calibrate(rules: PointsRules, version: string, records: readonly PilotRecord[]): { readonly rules: PointsRules; readonly found: readonly Calibration[] } {
  const found = CATEGORIES.map((category): Calibration => {
    const own = records.filter((record) => record.category === category);
    return own.length < PILOT_LEAST ? { category, records: own.length } : { category, records: own.length, minutes: median(own.map(({ active_ms }) => active_ms)) / 60_000, words: median(own.map(({ words }) => words)) };
  });
  const base_mp = { ...rules.base_mp };
  const full_words = { ...rules.full_words };
  for (const { category, minutes, words } of found) {
    if (minutes === undefined || words === undefined) continue;
    base_mp[category] = Math.max(500, Math.round(2 * minutes) * 500);
    full_words[category] = Math.max(5, Math.round(words / 5) * 5);
  }
  return { rules: { ...rules, version, base_mp, full_words }, found };
}
