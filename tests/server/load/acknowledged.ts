/** What the server acknowledged, as its clients remember it, to be held against what is in the database. */
import type { RecordText } from '../../../src/collect/rules/forms.ts';

export interface SavedDraft {
  revision: number;
  body: RecordText;
  /** Handed in, discarded or given back: what is in it says nothing any more. */
  closed: boolean;
  /** What was sent after that and has no answer. */
  sent?: RecordText | undefined;
}

export class Acknowledged {
  /** By login. */
  readonly accounts = new Set<string>();
  readonly drafts = new Map<string, SavedDraft>();
  /** By record: its author, the key it was handed in with, and its text. */
  readonly submissions = new Map<string, { readonly login: string; readonly key: string; readonly text: RecordText }>();
  /** By review: what was said. */
  readonly reviews = new Map<string, { readonly login: string; readonly verdict: string }>();
  /** By record. */
  readonly decisions = new Map<string, { readonly verdict: string }>();
  readonly withdrawn = new Set<string>();
  /** Undone within ten seconds. */
  readonly undone = new Set<string>();

  counts(): Record<string, number> {
    return { accounts: this.accounts.size, drafts: this.drafts.size, submissions: this.submissions.size, reviews: this.reviews.size, decisions: this.decisions.size, withdrawn: this.withdrawn.size };
  }
}
