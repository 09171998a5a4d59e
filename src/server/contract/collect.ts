/** Writing: home, tasks, drafts, checks, records, boards. */
import * as z from 'zod';
import { FIELD_CHARACTERS } from '../../collect/rules/forms.ts';
import { category, checkFinding, criterion, flag, guideline, id, idempotencyKey, instant, line, locale, milli, passage, recordBody, submissionState, text, token, verdict, type Read } from './shared.ts';

export const draftSummary = z.strictObject({ id, category, excerpt: z.string(), saved_at: instant });
export type DraftSummary = Read<typeof draftSummary>;

/** `weight`: factor W in thousandths, as a claim now would fix it. `questions`: colleagues' that wait for an answer. */
export const categoryProgress = z.strictObject({ category, goal: z.int(), accepted: z.int(), in_review: z.int(), mine: z.int(), weight: z.int(), base_mp: milli, questions: z.int() });
export type CategoryProgress = Read<typeof categoryProgress>;

export const home = z.strictObject({
  categories: z.array(categoryProgress),
  points: z.strictObject({ settled: milli, provisional: milli }),
  rank: z.int().nullable(), accepted: z.int(),
  /** Working days in a row with an accepted record, and whether this week's free day is left. */
  streak: z.strictObject({ days: z.int(), free_left: z.boolean() }),
  drafts: z.array(draftSummary),
  decisions: z.array(z.strictObject({ record_id: id, category, state: submissionState, excerpt: z.string(), at: instant })),
});
export type HomeView = Read<typeof home>;

export const claimBody = z.strictObject({ category, kind: z.enum(['author', 'answer']), language: locale.optional() });
export const claimed = z.strictObject({ draft_id: id });

export const draftView = z.strictObject({
  draft: z.strictObject({ id, category, body: recordBody, revision: z.int(), saved_at: instant, language: locale }),
  lease: z.strictObject({ id, expires_at: instant, weight: z.int() }).nullable(),
  task: z.strictObject({ id, kind: z.enum(['author', 'answer']), passage: passage.nullable(), question: z.string().nullable() }).nullable(),
  guideline,
  /** The record that this revises. */
  revises: id.nullable(),
});
export type DraftView = Read<typeof draftView>;

export const saveDraftBody = z.strictObject({ body: recordBody, revision: z.int().min(0), device: z.string().max(60) });
export const savedDraft = z.strictObject({ revision: z.int(), saved_at: instant });
/** Beside the error of a 409: what the server has. */
export const draftConflict = z.strictObject({ body: recordBody, revision: z.int(), saved_at: instant });
export const checkBody = z.strictObject({ body: recordBody });
export const findings = z.strictObject({ findings: z.array(checkFinding) });
export const releaseBody = z.strictObject({ reason: line(200) });
export const extended = z.strictObject({ expires_at: instant });

const telemetry = z.strictObject({ paste_share: z.number().min(0).max(1), active_ms: z.int().min(0), edits: z.int().min(0) });
export const attestation = z.strictObject({ original: z.literal(true), no_ai: z.literal(true) });
export const submitBody = z.strictObject({ draft_id: id, revision: z.int().min(0), body: recordBody, attestation, telemetry, idempotency_key: idempotencyKey });
export type SubmitInput = Read<typeof submitBody>;

const factor = z.int();
export const points = z.strictObject({
  delta_mp: milli, base_mp: milli, factors: z.strictObject({ size: factor, quality: factor, novelty: factor, need: factor, day: factor }), rules_version: z.string(), settled: z.boolean(),
});
export type PointsView = Read<typeof points>;
export const submitted = z.strictObject({ record_id: id, undo_until: instant, points });
export type Submitted = Read<typeof submitted>;

export const recordRow = z.strictObject({ id, category, state: submissionState, excerpt: z.string(), language: locale, at: instant, points_mp: milli, settled: z.boolean() });
export type RecordRow = Read<typeof recordRow>;
export const records = z.strictObject({ records: z.array(recordRow) });

export const recordVersion = z.strictObject({ version: z.int(), at: instant, ...recordBody.shape });
export type RecordVersion = Read<typeof recordVersion>;
export const scores = z.partialRecord(criterion, z.int().min(1).max(5));
export type Scores = Read<typeof scores>;
/** Nobody's name: reviews are blind both ways. */
export const review = z.strictObject({ version: z.int(), scores, verdict, flags: z.array(flag), comment: z.string(), at: instant });
export type ReviewView = Read<typeof review>;

export const record = z.strictObject({
  id, category, state: submissionState, language: locale, versions: z.array(recordVersion), passage: passage.nullable(), findings: z.array(checkFinding),
  /** Empty until there is a decision. */
  reviews: z.array(review),
  rationale: z.string().nullable(), points: points.nullable(),
  /** Until when its author may answer what was asked for; null where nothing is. */
  answer_by: instant.nullable(),
  /** Rejected because nobody answered in time. */
  lapsed: z.boolean(),
  may: z.strictObject({ revise: z.boolean(), appeal: z.boolean(), withdraw: z.boolean() }),
  guideline,
});
export type RecordView = Read<typeof record>;
export const reasonBody = z.strictObject({ reason: line(2000) });
/** `review`: the record of a review, whose id its reviewer does not know. */
export const reportBody = z.strictObject({ kind: z.enum(['record', 'review', 'passage', 'question']), id, reason: line(2000) });
export type ReportInput = Read<typeof reportBody>;

export const questionBody = z.strictObject({ category, language: locale, instruction: text(FIELD_CHARACTERS.instruction).min(1), passage_id: id.nullable() });
export type QuestionInput = Read<typeof questionBody>;
export const questionPassageBody = z.strictObject({ category, language: locale });
export const questionPassage = z.strictObject({ passage });
export const asked = z.strictObject({ id });
export const questionRow = z.strictObject({
  id, category, language: locale, text: z.string(), at: instant, state: z.enum(['open', 'taken', 'answered', 'accepted', 'refused']),
  /** The asker's share, once an answer is accepted. */
  points: points.nullable(),
});
export type QuestionRow = Read<typeof questionRow>;
/** `may`: how many more may be asked now. `share`: of the answer's points, in thousandths. */
export const questions = z.strictObject({ may: z.int(), share: z.int(), questions: z.array(questionRow) });
export type QuestionsView = Read<typeof questions>;
/** `copied`: its author takes no tasks any more. */
export const retractBody = z.strictObject({ reason: line(2000), copied: z.boolean() });

const pointsLine = z.strictObject({
  line: z.enum(['base', 'size', 'quality', 'novelty', 'need', 'day', 'asker_share', 'review', 'reversal', 'audit', 'total']), mp: milli.nullable(), factor: z.int().nullable(), values: z.record(z.string(), z.union([z.string(), z.number()])),
});
/** `taken_back`: a later entry answers it. `record_id`: of one's own record that it is about. */
export const pointsEntry = z.strictObject({
  seq: z.int(), kind: z.enum(['record', 'review', 'question', 'reversal', 'audit']), at: instant, delta_mp: milli, taken_back: z.boolean(), record_id: id.nullable(), rules_version: z.string(), lines: z.array(pointsLine),
});
export type PointsEntry = Read<typeof pointsEntry>;
/** `reviews_counted_mp`: what of the reviews counts beside what is written. */
export const ownPoints = z.strictObject({ points_mp: milli, reviews_mp: milli, reviews_counted_mp: milli, entries: z.array(pointsEntry) });
export type OwnPoints = Read<typeof ownPoints>;

export const boardQuery = z.strictObject({ period: z.enum(['day', 'all']).default('all') });
export const boardRow = z.strictObject({ rank: z.int(), name: z.string(), team: z.string().nullable(), points_mp: milli, accepted: z.int(), me: z.boolean() });
export type BoardRow = Read<typeof boardRow>;
export const board = z.strictObject({
  /** Null before the first snapshot. */
  cutoff: instant.nullable(), next: instant, blackout: z.boolean(), top: z.array(boardRow), around: z.array(boardRow),
  teams: z.array(z.strictObject({ rank: z.int(), name: z.string(), points_mp: milli, members: z.int(), mine: z.boolean() })),
  provisional_mp: milli,
});
export type BoardView = Read<typeof board>;

export const liveBody = z.strictObject({ token });
export const live = z.strictObject({
  title: z.string(), ends_at: instant, time_zone: z.string(), accepted: z.int(), goal: z.int(), today: z.int(), people: z.int(),
  categories: z.array(z.strictObject({ category, accepted: z.int(), goal: z.int() })),
  top: z.array(z.strictObject({ rank: z.int(), name: z.string(), points_mp: milli })),
  teams: z.array(z.strictObject({ rank: z.int(), name: z.string(), points_mp: milli })),
});
export type LiveView = Read<typeof live>;
