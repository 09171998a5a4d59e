/** What a check is and what it finds. Checks of one record are pure functions; what needs all records is in duplicates.ts and balance.ts. */
import type { Part } from '../../artefacts/provenance.ts';
import type { DatasetRecord } from '../../artefacts/record-schema.ts';
import type { Language } from '../../text/language.ts';

/** UTF-16 offsets in a part. Of earlier turns, the number of the turn too. */
export interface Place {
  readonly part: Part;
  readonly from: number;
  readonly to: number;
  readonly turn?: number;
}

/** A change that would mend a finding: the text at a place, and what should be there instead. */
export interface Fix extends Place {
  readonly text: string;
}

export interface Found {
  /** `warn`: a person should look. `block`: it must not go on as it is. */
  readonly verdict: 'warn' | 'block';
  readonly reason: string;
  readonly places: readonly Place[];
  /** What it is within its check: `phone`, `summary-length`, … */
  readonly kind: string;
  readonly score?: number;
  readonly fix?: readonly Fix[];
  /** What is found must not be shown whole: personal data, keys. */
  readonly secret?: boolean;
}

/** What is known of the dataset when a record is checked. */
export interface Context {
  readonly options: CheckOptions;
  readonly language: ((text: string) => Language | undefined) | undefined;
}

/** Thresholds; why they are so is in docs/checks.md. */
export interface CheckOptions {
  /** Jaccard similarity from which texts are nearly the same. */
  readonly similarity: number;
  /** Records that may share a passage. */
  readonly passageUses: number;
  /** Words in a row that a summary may copy. */
  readonly copiedWords: number;
  /** Share of an evaluation text's runs of eight words that make a leak when one record has them. */
  readonly leakShare: number;
  /** Smallest share of a category. */
  readonly categoryShare: number;
  /** The language that records without one should be in; default: the most frequent. */
  readonly language?: string | undefined;
}

export const CHECK_DEFAULTS: CheckOptions = { similarity: 0.7, passageUses: 3, copiedWords: 12, leakShare: 0.5, categoryShare: 0.02 };

export interface Check {
  /** As in a record's `checks`. */
  readonly name: string;
  /** Grows when the same record could be judged otherwise. */
  readonly version: string;
  readonly title: string;
  readonly run: (record: DatasetRecord, context: Context) => readonly Found[];
}

/** Texts of a record that people wrote or read, with their places. */
function textsOf(record: DatasetRecord): { readonly part: Part; readonly turn?: number; readonly text: string }[] {
  const parts = (['instruction', 'context', 'response', 'rejected'] as const).flatMap((part) => (record[part] ? [{ part, text: record[part] }] : []));
  return [...(record.turns ?? []).map(({ text }, turn) => ({ part: 'turns' as const, turn, text })), ...parts];
}

/** One finding for each kind and reason that `find` has in a text. */
export function inTexts(record: DatasetRecord, find: (text: string) => readonly { readonly from: number; readonly to: number; readonly reason: string; readonly kind?: string; readonly fix?: string }[], more: { readonly verdict: 'warn' | 'block'; readonly kind: string; readonly secret?: boolean }): Found[] {
  const groups = new Map<string, { reason: string; kind: string; places: Place[]; fix: Fix[] }>();
  for (const { part, turn, text } of textsOf(record)) {
    for (const { from, to, reason, kind = more.kind, fix } of find(text)) {
      const group = groups.get(`${kind} ${reason}`) ?? { reason, kind, places: [], fix: [] };
      const place = { part, from, to, ...(turn === undefined ? {} : { turn }) };
      group.places.push(place);
      if (fix !== undefined) group.fix.push({ ...place, text: fix });
      groups.set(`${kind} ${reason}`, group);
    }
  }
  return [...groups.values()].map(({ reason, kind, places, fix }) => ({
    verdict: more.verdict, reason: places.length > 1 ? `${reason}, ${places.length} times` : reason, places, kind, ...(fix.length > 0 ? { fix } : {}), ...(more.secret ? { secret: true } : {}),
  }));
}
