/**
 * The record of a dataset: what was written, who or what made each part of it, under which licence, from where, and what was
 * checked. One schema is the type, the check and the published JSON Schema (`schemas/record.schema.json`, made by
 * `scripts/schemas.mjs`). Records that are only read for training need no more than record.ts.
 */
import * as z from 'zod';
import { InputError } from '../errors.ts';
import { printable } from '../formats/printable.ts';
import { CATEGORIES, ORIGINS, PARTS, type Part } from './provenance.ts';

// Half of a surrogate pair has no UTF-8 form: it would become another character on its way to the disk.
const text = z.string().refine((value) => value.isWellFormed(), 'holds half of a surrogate pair');
const filled = text.regex(/\S/, 'has no text');
const short = text.max(400).regex(/^[^\p{Cc}]*$/u, 'holds control characters');
const hash = z.string().regex(/^[0-9a-f]{64}$/, 'is no SHA-256 in hex');

const source = z.strictObject({
  title: short.min(1).optional(),
  url: short.regex(/^https?:\/\/\S+$/, 'is no http or https address').optional(),
  revision: short.min(1).optional(),
  date: z.string().regex(/^\d{4}(-\d\d(-\d\d)?)?$/, 'is no date such as 2026-11-25').optional().describe('When it was taken: a year, month or day.'),
  author: short.min(1).optional(),
  id: short.min(1).optional().describe('What the source calls it.'),
}).describe('What the text was taken from.');

const provenanceSchema = z.strictObject({
  origin: z.enum(ORIGINS).describe('Who or what made it.'),
  licence: short.min(1).describe('SPDX licence expression, or "unknown".'),
  contributor: z.string().regex(/^[\w.:-]{1,64}$/, 'is no pseudonym').optional().describe('Pseudonym of the person.'),
  source: source.optional(),
  consent: short.min(1).optional().describe('Version of the consent text that the person agreed to.'),
  parents: z.array(hash).min(1).optional().describe('Hashes of the records that it was made from.'),
}).describe('Where a part comes from and what it may be used for.');

const place = z.strictObject({ part: z.enum(PARTS), from: z.int().min(0), to: z.int().min(0) }).describe('UTF-16 offsets in a part.');

const checkSchema = z.strictObject({
  check: z.string().regex(/^[a-z][a-z0-9-]*$/),
  version: z.string().min(1),
  verdict: z.enum(['ok', 'warn', 'block']),
  score: z.number().optional(),
  places: z.array(place).optional(),
  reason: short.optional(),
  waived: short.optional().describe('Why the finding was let pass.'),
}).describe('What a check found.');

const turn = z.strictObject({ role: z.enum(['system', 'user', 'assistant']), text: filled });

const recordSchema = z.strictObject({
  instruction: filled,
  context: text,
  response: filled,
  category: text.regex(/\S/, 'has no text').describe(`One of ${CATEGORIES.join(', ')}, or a name of your own.`),
  language: z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$/, 'is no language tag such as en or pt-BR').optional(),
  turns: z.array(turn).min(1).optional().describe('What was said before the instruction.'),
  rejected: filled.optional().describe('An answer that was found worse than the response: the two are a preference pair.'),
  choices: z.array(text).min(2).optional().describe('Answers to choose from, the response among them.'),
  provenance: z.strictObject({
    record: provenanceSchema.describe('Of every part that is not named beside it.'),
    ...(Object.fromEntries(PARTS.map((part) => [part, provenanceSchema.optional()])) as Record<Part, z.ZodOptional<typeof provenanceSchema>>),
  }),
  checks: z.array(checkSchema).optional(),
}).describe('A record of an instruction dataset.');

export type Provenance = z.infer<typeof provenanceSchema>;
export type CheckResult = z.infer<typeof checkSchema>;
export type Turn = z.infer<typeof turn>;
export type DatasetRecord = z.infer<typeof recordSchema>;

/** Checks a value whole. Throws InputError that names the first field at fault; `where` is for its message. */
export function toDatasetRecord(value: unknown, where: string): DatasetRecord {
  const { success, data, error } = recordSchema.safeParse(value);
  if (success) return data;
  const { path, message } = error.issues[0]!;
  const field = path.map(String).join('.');
  throw new InputError({ expected: 'a record as schemas/record.schema.json describes it', found: printable(field === '' ? message : `a field ${field} that is not right: ${message}`, 200), where, remedy: 'Correct the field or remove the record.' });
}

/** The published JSON Schema (draft 2020-12). */
export function recordJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(recordSchema, { target: 'draft-2020-12' }), $id: 'urn:roslin:record:1', title: 'Roslin record' };
}
