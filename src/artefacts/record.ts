/**
 * The record as training reads it: instruction, context, response, category, as databricks-dolly-15k has them, and what was said
 * before, if anything was. Text is kept exactly as written, never trimmed. `instruction` and `response` must hold something
 * other than white space; `context` may be absent, null or empty (then ''); `category` may be absent, null or blank (then
 * 'uncategorised'); `choices` may list answers to choose from. Other fields are allowed, unused, and counted. Not the whole
 * record: provenance and checks are in record-schema.ts; order and splits are the dataset's.
 */
import { InputError } from '../errors.ts';
import { canonicalJson, sha256 } from './canonical.ts';
import { readJsonl } from '../formats/jsonl.ts';

export interface InstructionRecord {
  readonly instruction: string;
  readonly context: string;
  readonly response: string;
  readonly category: string;
  /** What was said before the instruction, where the record has a field `turns` of that kind. */
  readonly turns?: readonly { readonly role: 'system' | 'user' | 'assistant'; readonly text: string }[];
  /** Answers to choose from, the response among them, where the record has a field `choices` of that kind. */
  readonly choices?: readonly string[];
  /** Line in its file, from 1. */
  readonly line: number;
  /** SHA-256, hex, of the four fields, and of `turns` where there are any, as canonical JSON (RFC 8785). */
  readonly hash: string;
}

export interface RecordFile {
  readonly records: InstructionRecord[];
  /** How many records carry each field that is not one of the four. */
  readonly extraFields: Readonly<Record<string, number>>;
}

export const UNCATEGORISED = 'uncategorised';

const FIELDS: ReadonlySet<string> = new Set(['instruction', 'context', 'response', 'category']);

/** All records of a JSONL file, in order. Throws InputError with file and line. */
export function readRecords(path: string): InstructionRecord[] {
  return readRecordFile(path).records;
}

/** As `readRecords`, with a count of the fields that were not used. */
export function readRecordFile(path: string): RecordFile {
  const records: InstructionRecord[] = [];
  const extra = new Map<string, number>();
  for (const { line, value } of readJsonl(path)) {
    const record = toRecord(value, line, path);
    records.push(record);
    for (const field of Object.keys(value)) {
      if (!FIELDS.has(field) && !(field === 'choices' && record.choices) && !(field === 'turns' && record.turns)) extra.set(field, (extra.get(field) ?? 0) + 1);
    }
  }
  return { records, extraFields: Object.fromEntries(extra) };
}

/** Checks one object. `path` is for messages only. Throws InputError. */
export function toRecord(value: Readonly<Record<string, unknown>>, line: number, path: string): InstructionRecord {
  const where = `${path} line ${line}`;
  const instruction = required(value, 'instruction', where);
  const response = required(value, 'response', where);
  const context = optional(value, 'context', where);
  const category = optional(value, 'category', where).trim() || UNCATEGORISED;
  const turns = turnsOf(value['turns']);
  const choices = choicesOf(value['choices'], response);
  return { instruction, context, response, category, line, hash: textHash({ instruction, context, response, category, turns }), ...(turns ? { turns } : {}), ...(choices ? { choices } : {}) };
}

/** What tells two texts apart, whoever made them. */
export function textHash({ instruction, context, response, category, turns }: { readonly instruction: string; readonly context: string; readonly response: string; readonly category: string; readonly turns?: unknown }): string {
  return sha256(canonicalJson({ instruction, context, response, category, turns }));
}

const isTurn = (value: unknown): boolean => {
  const { role, text, ...rest } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  return ['system', 'user', 'assistant'].includes(role as string) && typeof text === 'string' && text.isWellFormed() && text.trim() !== '' && Object.keys(rest).length === 0;
};

/** Another use of the name `turns` is another field, as with `choices`. */
function turnsOf(value: unknown): InstructionRecord['turns'] {
  return Array.isArray(value) && value.length > 0 && value.every(isTurn) ? (value as NonNullable<InstructionRecord['turns']>) : undefined;
}

/** Another use of the name `choices` is another field, like all that are not known here. */
function choicesOf(value: unknown, response: string): readonly string[] | undefined {
  const texts = Array.isArray(value) && value.length > 1 && value.every((v) => typeof v === 'string' && v.isWellFormed()) ? (value as string[]) : [];
  return texts.includes(response) && new Set(texts).size === texts.length ? texts : undefined;
}

function required(value: Readonly<Record<string, unknown>>, field: string, where: string): string {
  if (!Object.hasOwn(value, field)) {
    const present = Object.keys(value).slice(0, 8).map((name) => JSON.stringify(name.slice(0, 40)));
    throw new InputError({
      expected: `a field "${field}"`,
      found: present.length === 0 ? 'an object without fields' : `only ${present.join(', ')}`,
      where,
      remedy: 'Every record needs "instruction" and "response"; "context" and "category" are optional.',
    });
  }
  const text = checkText(value[field], field, where);
  if (text.trim() === '') {
    throw new InputError({
      expected: `a "${field}" with text`,
      found: text === '' ? 'an empty string' : 'white space only',
      where,
      remedy: 'Fill the field or remove the record.',
    });
  }
  return text;
}

function optional(value: Readonly<Record<string, unknown>>, field: string, where: string): string {
  if (!Object.hasOwn(value, field) || value[field] === null) return '';
  return checkText(value[field], field, where);
}

function checkText(text: unknown, field: string, where: string): string {
  if (typeof text !== 'string') {
    throw new InputError({
      expected: `a string in "${field}"`,
      found: text === null ? 'null' : Array.isArray(text) ? 'an array' : `a ${typeof text}`,
      where,
      remedy: 'Write the field as text.',
    });
  }
  // Half of a surrogate pair has no UTF-8 form: it would become another character on the way to the tokenizer.
  if (!text.isWellFormed()) {
    throw new InputError({
      expected: `Unicode text in "${field}"`,
      found: 'half of a surrogate pair (an escape such as \\ud83d without its second half)',
      where,
      remedy: 'Write the character whole, or remove it.',
    });
  }
  return text;
}
