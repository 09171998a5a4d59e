/**
 * The form rules over a record that is being written: what they find, and what of it refuses the submission. The table of rules is the one that
 * checks of datasets use too (src/text/form-rules.ts). What needs the whole campaign (duplicates), or knowledge (truth), is elsewhere.
 */
import { CHECKS, partsOf, type CheckName } from '../../text/form-checks.ts';
import { FORM_RULES, type FormRules } from '../../text/form-rules.ts';
import { countWords } from '../../text/words.ts';
import type { CategoryKey } from './categories.ts';

export { FORM_RULES, type FormRule, type FormRules, type Range } from '../../text/form-rules.ts';

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
  const parts = partsOf(text, locale);
  for (const code of rule.checks) {
    const { reads, look } = CHECKS[code];
    if (reads.every((field) => text[field].trim() !== '')) found.push(...look(parts).map((finding) => ({ ...finding, code })));
  }
  return found;
}

/** The words that points are given for: what the person wrote, not the passage. */
export const writtenWords = (text: RecordText, locale = 'en'): number => countWords(text.instruction, locale) + countWords(text.response, locale);
