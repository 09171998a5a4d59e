/** Rows of one optimizer step, or of an evaluation, in micro-batches of bounded size. A row is never split. */
import type { Device } from '../engine/index.ts';
import { layOut, type MicroBatch, type Sequence } from '../models/batch.ts';

/** Consecutive groups whose rows together have at most `tokens` tokens; a longer row stands alone. */
export function groupByTokens<T extends Sequence>(rows: readonly T[], tokens: number): T[][] {
  const groups: T[][] = [];
  let room = 0;
  for (const row of rows) {
    if (groups.length === 0 || row.ids.length > room) {
      groups.push([]);
      room = tokens;
    }
    groups.at(-1)!.push(row);
    room -= row.ids.length;
  }
  return groups;
}

export const microBatch = (rows: readonly Sequence[], device: Device): MicroBatch => layOut(rows, device.views ? 'each' : 'all');
