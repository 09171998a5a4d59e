/**
 * What each category asks of a record's form: lengths in words and a few rules that can be checked by looking at the record alone. The
 * server and the browser use this one table. What needs the whole campaign (duplicates), or knowledge (truth), is elsewhere. The numbers
 * are starting values, to be set anew by a pilot; a campaign keeps its own copy.
 */
import type { CategoryKey } from './categories.ts';
import { CHECKS, type CheckName } from './form-checks.ts';
import { countWords, wordsOf } from './words.ts';

/** Words, both ends allowed. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface FormRule {
  /** Null: this category has no passage. */
  readonly context: Range | null;
  readonly instruction: Range;
  readonly response: Range;
  readonly checks: readonly CheckName[];
}

export type FormRules = Readonly<Record<CategoryKey, FormRule>>;

export const FORM_RULES: FormRules = {
  open_qa: { context: null, instruction: { min: 4, max: 60 }, response: { min: 8, max: 250 }, checks: ['yes_no', 'stock_phrases'] },
  general_qa: { context: null, instruction: { min: 4, max: 80 }, response: { min: 20, max: 400 }, checks: ['stock_phrases'] },
  closed_qa: { context: { min: 60, max: 600 }, instruction: { min: 4, max: 60 }, response: { min: 3, max: 150 }, checks: ['passage_copied', 'question_copied', 'answer_in_passage', 'stock_phrases'] },
  information_extraction: { context: { min: 60, max: 600 }, instruction: { min: 5, max: 80 }, response: { min: 2, max: 200 }, checks: ['passage_copied', 'items_in_passage', 'asked_shape', 'stock_phrases'] },
  summarization: { context: { min: 100, max: 800 }, instruction: { min: 4, max: 50 }, response: { min: 20, max: 200 }, checks: ['passage_copied', 'shorter_than_passage', 'own_words', 'faithful', 'stock_phrases'] },
  brainstorming: { context: null, instruction: { min: 5, max: 60 }, response: { min: 15, max: 300 }, checks: ['three_items', 'distinct_items', 'stock_phrases'] },
  classification: { context: null, instruction: { min: 15, max: 200 }, response: { min: 2, max: 150 }, checks: ['each_item_once', 'labels_named', 'stock_phrases'] },
  creative_writing: { context: null, instruction: { min: 10, max: 120 }, response: { min: 40, max: 500 }, checks: ['two_constraints', 'repeats_itself', 'stock_phrases'] },
};

/** Characters that a field may have at all: far above what the words allow, so that nothing here takes long. */
export const FIELD_CHARACTERS = { instruction: 4_000, context: 12_000, response: 12_000 } as const;
export type Field = keyof typeof FIELD_CHARACTERS;

export interface RecordText {
  readonly instruction: string;
  readonly context: string;
  readonly response: string;
}

/** Something that a form rule found. The words for it are the interface's, by `code`, with `values`. */
export interface Finding {
  readonly code: FindingCode;
  readonly field: Field;
  /** `block` refuses the submission, `warn` is a hint. */
  readonly severity: 'block' | 'warn';
  readonly values: Readonly<Record<string, number | string>>;
  /** Offsets in the field, in UTF-16 code units. */
  readonly span?: readonly [start: number, end: number];
}

export const FINDING_CODES = ['empty', 'too_many_characters', 'too_short', 'too_long', 'passage_missing', 'passage_unwanted', ...(Object.keys(CHECKS) as CheckName[])] as const;
export type FindingCode = (typeof FINDING_CODES)[number];

/**
 * Everything that the form rules of a category find in a record, in the order of the fields. Nothing is found in a field that is empty
 * but that it is: an unfinished record is not scolded for what it does not say yet.
 */
export function formFindings(category: CategoryKey, text: RecordText, locale = 'en', rules: FormRules = FORM_RULES): Finding[] {
  const rule = rules[category];
  const fields: readonly Field[] = ['instruction', 'context', 'response'];
  const long = fields.filter((field) => text[field].length > FIELD_CHARACTERS[field]);
  if (long.length > 0) return long.map((field) => ({ code: 'too_many_characters', field, severity: 'block', values: { found: text[field].length, max: FIELD_CHARACTERS[field] } }));

  const found: Finding[] = [];
  for (const field of fields) {
    const range = rule[field];
    const blank = text[field].trim() === '';
    if (range === null) {
      if (!blank) found.push({ code: 'passage_unwanted', field, severity: 'block', values: {} });
    } else if (blank) {
      found.push({ code: field === 'context' ? 'passage_missing' : 'empty', field, severity: 'block', values: {} });
    } else {
      const words = countWords(text[field], locale);
      if (words < range.min) found.push({ code: 'too_short', field, severity: 'block', values: { found: words, min: range.min, max: range.max } });
      if (words > range.max) found.push({ code: 'too_long', field, severity: 'block', values: { found: words, min: range.min, max: range.max } });
    }
  }
  const parts = { text, locale, instruction: wordsOf(text.instruction, locale), context: wordsOf(text.context, locale), response: wordsOf(text.response, locale) };
  for (const code of rule.checks) {
    const { reads, look } = CHECKS[code];
    if (reads.every((field) => text[field].trim() !== '')) found.push(...look(parts).map((finding) => ({ ...finding, code })));
  }
  return found;
}

/** The words that points are given for: what the person wrote, not the passage. */
export const writtenWords = (text: RecordText, locale = 'en'): number => countWords(text.instruction, locale) + countWords(text.response, locale);
