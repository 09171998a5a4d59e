/**
 * What each category asks of a record's form: lengths in words, and rules that can be checked by looking at the record alone. One table for the
 * campaign's form, in the browser and on the server, and for the checks of datasets. The numbers are starting values, to be set anew by a pilot.
 */
import type { CategoryKey } from './categories.ts';
import type { CheckName } from './form-checks.ts';

/** Words, both ends allowed. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface FormRule {
  /** Null: a campaign gives no passage. */
  readonly context: Range | null;
  /** A record that was written elsewhere may have a passage although a campaign gives none, as some of Dolly's do. */
  readonly passage_elsewhere?: true;
  readonly instruction: Range;
  readonly response: Range;
  readonly checks: readonly CheckName[];
}

export type FormRules = Readonly<Record<CategoryKey, FormRule>>;

export const FORM_RULES: FormRules = {
  open_qa: { context: null, instruction: { min: 4, max: 60 }, response: { min: 8, max: 250 }, checks: ['yes_no', 'stock_phrases'] },
  general_qa: { context: null, passage_elsewhere: true, instruction: { min: 4, max: 80 }, response: { min: 20, max: 400 }, checks: ['stock_phrases'] },
  closed_qa: { context: { min: 60, max: 600 }, instruction: { min: 4, max: 60 }, response: { min: 3, max: 150 }, checks: ['passage_copied', 'question_copied', 'answer_in_passage', 'stock_phrases'] },
  information_extraction: { context: { min: 60, max: 600 }, instruction: { min: 5, max: 80 }, response: { min: 2, max: 200 }, checks: ['passage_copied', 'items_in_passage', 'asked_shape', 'stock_phrases'] },
  summarization: { context: { min: 100, max: 800 }, instruction: { min: 4, max: 50 }, response: { min: 20, max: 200 }, checks: ['passage_copied', 'shorter_than_passage', 'own_words', 'faithful', 'stock_phrases'] },
  brainstorming: { context: null, instruction: { min: 5, max: 60 }, response: { min: 15, max: 300 }, checks: ['three_items', 'distinct_items', 'stock_phrases'] },
  classification: { context: null, passage_elsewhere: true, instruction: { min: 15, max: 200 }, response: { min: 2, max: 150 }, checks: ['each_item_once', 'labels_named', 'stock_phrases'] },
  creative_writing: { context: null, passage_elsewhere: true, instruction: { min: 10, max: 120 }, response: { min: 40, max: 500 }, checks: ['two_constraints', 'repeats_itself', 'stock_phrases'] },
};
