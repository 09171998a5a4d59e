/** Which records of a dataset are looked at: by category, text, line, length and what they carry. */
import type { InstructionRecord } from '../artefacts/record.ts';
import { normalise } from '../text/normalise.ts';

export interface Filter {
  readonly categories?: readonly string[] | undefined;
  /** Text that occurs in a part, whatever its case and spacing. */
  readonly search?: string | undefined;
  /** First and last line. */
  readonly lines?: readonly [number, number] | undefined;
  readonly context?: 'with' | 'without' | undefined;
}

export function filterRecords(records: readonly InstructionRecord[], { categories, search, lines, context }: Filter): InstructionRecord[] {
  const wanted = search === undefined ? undefined : normalise(search);
  return records.filter((record) => {
    if (categories && !categories.includes(record.category)) return false;
    if (lines && (record.line < lines[0] || record.line > lines[1])) return false;
    if (context && (record.context !== '') !== (context === 'with')) return false;
    return wanted === undefined || [record.instruction, record.context, record.response].some((text) => normalise(text).includes(wanted));
  });
}
