/** What organisers do: campaigns, people, passages, guidelines, prizes, datasets, the log. */
import * as z from 'zod';
import { prize } from './account.ts';
import { record, review } from './collect.ts';
import { campaignState, category, criterion, guidelineBody, id, instant, line, locale, milli, passage, role, text, type Read } from './shared.ts';

export const policy = z.strictObject({ reviews: z.union([z.literal(1), z.literal(2), z.literal(3)]), personal_data: z.enum(['warn', 'block']) });
export type Policy = Read<typeof policy>;
export const campaignDraft = z.strictObject({
  title: line(120), purpose: text(2000), organisation: line(120), time_zone: line(60), languages: z.array(locale).min(1).max(10), starts_at: instant, ends_at: instant, licence: line(100),
  goals: z.partialRecord(category, z.int().min(0).max(1_000_000)), consent: z.record(locale, text(20_000).min(1)), prizes: z.array(prize).max(20), policy,
});
export type CampaignDraft = Read<typeof campaignDraft>;
export const campaignChange = campaignDraft.partial();
export const event = z.enum(['open', 'pause', 'resume', 'close', 'adjudicate', 'freeze', 'archive']);
/** What may be done now, and what stands in the way of what may not, as sentences in the person's language. */
export const campaign = z.strictObject({ id, state: campaignState, ...campaignDraft.shape, moves: z.array(z.strictObject({ event, blocked: z.array(z.string()) })) });
export type CampaignView = Read<typeof campaign>;
export const moveBody = z.strictObject({ event });

export const progress = z.strictObject({
  categories: z.array(z.strictObject({ category, goal: z.int(), accepted: z.int(), in_review: z.int(), rejected: z.int(), changes_requested: z.int() })),
  people: z.int(), active_today: z.int(), days: z.array(z.strictObject({ day: z.string(), submitted: z.int(), accepted: z.int() })),
  waiting: z.strictObject({ reviews: z.int(), decisions: z.int(), passages: z.int(), reports: z.int() }),
});
export type ProgressView = Read<typeof progress>;

export const personRow = z.strictObject({
  id, name: z.string(), login: z.string(), email: z.string().nullable(), roles: z.array(role), team: z.string().nullable(), status: z.enum(['active', 'suspended', 'erased']), stopped: z.boolean(), accepted: z.int(), joined_at: instant,
});
export type PersonRow = Read<typeof personRow>;
export const people = z.strictObject({ people: z.array(personRow) });
export const changePersonBody = z.strictObject({ roles: z.array(role).min(1).optional(), team: line(60).nullable().optional(), status: z.enum(['active', 'suspended']).optional(), stopped: z.literal(false).optional() });

export const email = z.string().trim().max(254).regex(/^[^\s@<>"(),;:]+@[^\s@<>"(),;:]+$/, 'is no e-mail address');
export const inviteBody = z.strictObject({ roles: z.array(role).min(1), email: email.optional(), team: line(60).optional() });
export const invited = z.strictObject({ link: z.string(), mailed: z.boolean() });
export const invitationRow = z.strictObject({ id, roles: z.array(role), email: z.string().nullable(), team: z.string().nullable(), created_at: instant, expires_at: instant, state: z.enum(['open', 'used', 'expired']) });
export type InvitationRow = Read<typeof invitationRow>;
export const invitations = z.strictObject({ invitations: z.array(invitationRow) });
/** CSV with the columns email, and optionally roles (separated by spaces) and team. */
export const rosterBody = z.strictObject({ csv: text(1_000_000) });
export const roster = z.strictObject({
  created: z.array(z.strictObject({ line: z.int(), email: z.string(), link: z.string() })), faults: z.array(z.strictObject({ line: z.int(), message: z.string() })), mailing: z.int(),
});
export type RosterAnswer = Read<typeof roster>;

export const passageRow = z.strictObject({
  id, state: z.enum(['proposed', 'verified', 'blocked']), title: z.string(), url: z.string().nullable(), revision: z.string().nullable(), licence: z.string(), language: locale, words: z.int(), uses: z.int(), text: z.string(),
});
export type PassageRow = Read<typeof passageRow>;
export const passages = z.strictObject({ passages: z.array(passageRow) });
export const passageBody = z.strictObject({
  text: text(20_000).min(1), language: locale, kind: z.enum(['wikipedia', 'organisation', 'public_domain', 'other']), title: line(300), url: z.string().max(400).regex(/^https?:\/\/[^\s]+$/, 'is no http or https address').optional(),
  revision: line(100).optional(), author: line(200).optional(), licence: line(100),
});
export type PassageInput = Read<typeof passageBody>;
export const passageMoveBody = z.strictObject({ event: z.enum(['verify', 'block', 'reopen']) });

export const guidelinePlace = z.strictObject({ category, locale });
export const saveGuidelineBody = guidelineBody;
export const savedGuideline = z.strictObject({ version: z.int() });

const figure = z.number().nullable();
/** Null where there are too few reviews for a figure. */
export const quality = z.strictObject({
  criteria: z.array(z.strictObject({ criterion, alpha: figure, ac1: figure, raw: figure, n: z.int() })),
  categories: z.array(z.strictObject({ category, alpha: figure, ac1: figure, raw: figure, n: z.int(), accept_rate: figure })),
  gold: z.strictObject({ items: z.int(), answered: z.int(), right: z.int() }), median_hours: figure,
  /** Two who score each other's records higher than others do: by how much, in thousandths of a point. */
  pairs: z.array(z.strictObject({ names: z.tuple([z.string(), z.string()]), reviews: z.int(), lean: z.int() })),
  /** What the accepted records say about base (minutes, as milli-points) and full size (words): now, and as it would be by them; null where they are too few. */
  pilot: z.array(z.strictObject({ category, records: z.int(), base_mp: milli, full_words: z.int(), found: z.strictObject({ base_mp: milli, full_words: z.int() }).nullable() })),
});
export type QualityView = Read<typeof quality>;

const awardEvent = z.enum(['audit', 'confirm', 'deliver', 'forfeit']);
export const awardRow = z.strictObject({
  id, place: z.int().nullable(), prize: z.string(), name: z.string(), points_mp: milli, reason: z.string(), audit: z.strictObject({ sampled: z.int(), judged: z.int(), failed: z.int() }), state: z.enum(['candidate', 'audited', 'confirmed', 'delivered', 'forfeited']),
  gate: z.array(z.strictObject({ rule: z.enum(['accepted', 'categories', 'accept_rate', 'gold', 'flags', 'consent']), met: z.boolean() })), may: z.array(awardEvent),
});
export type AwardRow = Read<typeof awardRow>;
export const awards = z.strictObject({ awards: z.array(awardRow) });
export const moveAwardBody = z.strictObject({ event: awardEvent, reason: text(2000) });

const reportState = z.enum(['open', 'actioned', 'dismissed']);
export const reportRow = z.strictObject({ id, kind: z.enum(['record', 'passage', 'question']), reason: z.string(), excerpt: z.string(), at: instant, state: reportState, answer: z.string() });
export type ReportRow = Read<typeof reportRow>;
export const reports = z.strictObject({ reports: z.array(reportRow) });
const reportAct = z.enum(['none', 'retract', 'retract_copied', 'set_aside', 'block', 'drop']);
/** What is reported, whole, without a name. `may`: what can be done with it; empty where it is settled. */
export const reportCase = z.strictObject({
  report: reportRow, record: record.omit({ points: true, may: true, reviews: true, answer_by: true, lapsed: true }).nullable(), reviews: z.array(review), passage: passage.nullable(), question: z.strictObject({ category, language: locale, text: z.string() }).nullable(), may: z.array(reportAct),
});
export type ReportCase = Read<typeof reportCase>;
export const settleReportBody = z.strictObject({ state: reportState.exclude(['open']), act: reportAct, answer: text(2000) });
export type ReportSettlement = Read<typeof settleReportBody>;

export const logQuery = z.strictObject({ before: z.coerce.number().int().min(1).optional() });
export const logRow = z.strictObject({ seq: z.int(), at: instant, actor: z.string().nullable(), type: z.string(), subject: z.string() });
export type LogRow = Read<typeof logRow>;
export const log = z.strictObject({ events: z.array(logRow), more: z.boolean() });
/** `at`: the first entry at fault. */
const verified = z.strictObject({ ok: z.boolean(), at: z.int().nullable() });
export const verification = z.strictObject({ events: verified, ledger: verified });

/** `interim`: sealed while the campaign still ran. */
export const datasetRow = z.strictObject({
  version: z.string(), state: z.enum(['sealed', 'revoked']), interim: z.boolean(), records: z.int(), train: z.int(), held_out: z.int(), root: z.string(), licence: z.string(), at: instant,
  files: z.array(z.strictObject({ name: z.string(), href: z.string() })),
});
export type DatasetRow = Read<typeof datasetRow>;
export const datasets = z.strictObject({ datasets: z.array(datasetRow), acceptable: z.int() });
export const datasetFilePath = z.strictObject({ version: z.string().regex(/^\d+$/), file: z.string().regex(/^[\w-]+(\.[\w-]+)*$/) });

export const healthRow = z.strictObject({ name: z.string(), status: z.enum(['ok', 'limited', 'missing']), message: z.string(), remedy: z.string().nullable() });
export type HealthRow = Read<typeof healthRow>;
export const health = z.strictObject({ checks: z.array(healthRow), mail: z.boolean() });
export const liveLink = z.strictObject({ link: z.string() });

export const reportPath = z.strictObject({ name: z.enum(['records', 'people', 'points', 'progress']), form: z.enum(['csv', 'json']) });
