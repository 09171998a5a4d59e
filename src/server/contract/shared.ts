/** What several parts of the contract use: names, ids, records, errors. */
import * as z from 'zod';
import { CATEGORIES } from '../../collect/rules/categories.ts';
import { CAMPAIGN_STATES } from '../../collect/rules/campaign.ts';
import { ERROR_CODES, type ErrorCode } from '../../collect/rules/error-codes.ts';
import { CRITERIA, FLAGS, VERDICTS } from '../../collect/rules/review-outcome.ts';
import { FIELD_CHARACTERS } from '../../collect/rules/forms.ts';
import { SUBMISSION_STATES } from '../../collect/rules/submission.ts';
import { ROLES } from '../../collect/rules/access.ts';

/** What a schema gives, never to be changed by who reads it. */
export type Read<S extends z.ZodType> = DeepReadonly<z.infer<S>>;
type DeepReadonly<T> = T extends readonly (infer Item)[] ? readonly DeepReadonly<Item>[] : T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

// Half of a surrogate pair has no UTF-8 form, and PostgreSQL's text has no U+0000.
const wellFormed = (text: string): boolean => text.isWellFormed() && !text.includes('\0');
export const text = (max: number) => z.string().max(max).refine(wellFormed, 'is no Unicode text');
/** A line that people read: not empty, without control characters. */
export const line = (max: number) => z.string().trim().min(1).max(max).refine((value) => wellFormed(value) && !/\p{Cc}/u.test(value), 'is no line of text');
export const id = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'is no id');
/** RFC 3339, UTC. */
export const instant = z.iso.datetime({ offset: true });
export const token = z.string().regex(/^[\w-]{20,100}$/, 'is no token');
/** 256 random bits or so that the client makes for one act. */
export const idempotencyKey = z.string().regex(/^[\w-]{8,100}$/, 'is no key');
/** Milli-points: integers in thousandths. */
export const milli = z.int();

export const role = z.enum(ROLES);
export type Role = z.infer<typeof role>;
export const visibility = z.enum(['name', 'alias', 'hidden']);
export type Visibility = z.infer<typeof visibility>;
export const verdict = z.enum(VERDICTS);
export type Verdict = z.infer<typeof verdict>;
export const category = z.enum(CATEGORIES);
export const campaignState = z.enum(CAMPAIGN_STATES);
export const submissionState = z.enum(SUBMISSION_STATES);
export const criterion = z.enum(CRITERIA);
export type Criterion = z.infer<typeof criterion>;
export const flag = z.enum(FLAGS);
export type Flag = z.infer<typeof flag>;
export const field = z.enum(['instruction', 'context', 'response']);
/** A language tag, and the locale of texts. */
export const locale = z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$/, 'is no language such as en');

export const recordBody = z.strictObject({ instruction: text(FIELD_CHARACTERS.instruction), context: text(FIELD_CHARACTERS.context), response: text(FIELD_CHARACTERS.response) });
export type RecordBody = Read<typeof recordBody>;

export const passage = z.strictObject({
  id, text: z.string(), language: locale,
  source: z.strictObject({ title: z.string(), url: z.string().nullable(), revision: z.string().nullable(), licence: z.string(), author: z.string().nullable() }),
});
export type Passage = Read<typeof passage>;

export const example = z.strictObject({ instruction: text(4000), context: text(12_000), response: text(12_000), why: text(1000) });
export type Example = Read<typeof example>;
export const guidelineBody = z.strictObject({ summary: line(1000), do: z.array(line(600)).min(1).max(8), dont: z.array(line(600)).min(1).max(8), good: z.array(example).max(5), bad: z.array(example).max(5) });
export const guideline = z.strictObject({ version: z.int(), ...guidelineBody.shape });
export type Guideline = Read<typeof guideline>;

/** What the server's own checks found: those that need the whole campaign, and personal data. Form rules run in the browser too. */
export const checkFinding = z.strictObject({
  code: z.string(), field, severity: z.enum(['block', 'warn']), values: z.record(z.string(), z.union([z.string(), z.number()])),
  /** UTF-16 offsets in the field. */
  spans: z.array(z.tuple([z.int(), z.int()])),
});
export type CheckFinding = Read<typeof checkFinding>;

/** Nothing to say but that it is done. */
export const done = z.strictObject({ ok: z.literal(true) });

/** Codes of errors: the web has words for each, `message` is the fallback. */
export { ERROR_CODES };
export type { ErrorCode };

export const errorBody = z.object({
  error: z.strictObject({
    code: z.enum(ERROR_CODES as readonly [ErrorCode, ...ErrorCode[]]), message: z.string(), values: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
    /** Fields of the request at fault, by path. */
    fields: z.record(z.string(), z.string()).optional(),
  }),
});
export type ErrorBody = Read<typeof errorBody>;
