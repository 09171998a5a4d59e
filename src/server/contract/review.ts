/** Reviewing and deciding. No answer here names an author: the schemas are strict, and a test reads every answer through them. */
import * as z from 'zod';
import { record, recordVersion, review, scores } from './collect.ts';
import { category, checkFinding, criterion, flag, guideline, id, instant, line, locale, passage, text, verdict, type Read } from './shared.ts';

export const reviewItem = z.strictObject({
  review_id: id, category, language: locale, version: recordVersion, previous: recordVersion.nullable(), passage: passage.nullable(), findings: z.array(checkFinding),
  /** Null: its author was erased since. */
  telemetry: z.strictObject({ paste_share: z.number(), active_ms: z.int(), edits: z.int() }).nullable(),
  criteria: z.array(criterion), guideline, expires_at: instant,
});
export type ReviewItem = Read<typeof reviewItem>;
export const nextReview = z.strictObject({ item: reviewItem.nullable() });

export const reviewBody = z.strictObject({ scores, verdict, flags: z.array(flag).max(4), comment: text(4000) });
export type ReviewInput = Read<typeof reviewBody>;
export const skipBody = z.strictObject({ reason: line(200) });

export const decisionRow = z.strictObject({ record_id: id, category, reason: z.enum(['disagreement', 'quarantined', 'appeal']), excerpt: z.string(), at: instant });
export type DecisionRow = Read<typeof decisionRow>;
export const decisions = z.strictObject({ records: z.array(decisionRow) });
export const decision = z.strictObject({ record: record.omit({ points: true, may: true, reviews: true, answer_by: true, lapsed: true }), reviews: z.array(review) });
export type DecisionView = Read<typeof decision>;
/** `quality`: 1 to 5. */
export const decideBody = z.strictObject({ verdict, quality: z.int().min(1).max(5), rationale: line(2000) });

/** A record of somebody's sample: whose, and which belong together, nobody is told. */
export const auditItem = z.strictObject({
  record_id: id, category, language: locale, version: recordVersion, passage: passage.nullable(), findings: z.array(checkFinding), guideline, telemetry: z.strictObject({ paste_share: z.number(), active_ms: z.int(), edits: z.int() }).nullable(),
});
export type AuditItem = Read<typeof auditItem>;
export const nextAudit = z.strictObject({ left: z.int(), item: auditItem.nullable() });
export const auditVoteBody = z.strictObject({ vote: z.enum(['pass', 'fail']), reason: text(2000) });
