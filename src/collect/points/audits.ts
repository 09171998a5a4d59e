/**
 * The blind audit before a prize: moderators judge records of the candidates' samples one by one, drawn from all samples together, without
 * knowing whose they are or which belong together. Two who agree decide about a record, a third where they do not. rules/prizes.ts.
 */
import { audit } from '../../store/audit.ts';
import type { Db, Tx } from '../../store/store.ts';
import type { AwardsTable } from '../../store/tables.ts';
import type { Selectable } from 'kysely';
import type { Person } from '../accounts/sessions.ts';
import { holdCampaign, requireCampaign, type Campaign } from '../campaigns/current.ts';
import { instantOf, type Context } from '../context.ts';
import { closedFor, notFound, Refusal } from '../refusal.ts';
import { retractRecord } from '../reviewing/decide.ts';
import { blind, typingOf } from '../reviewing/reviews.ts';
import { dayOf } from '../rules/calendar.ts';
import { forbids } from '../rules/campaign.ts';
import { oneOf } from '../rules/chance.ts';
import { entryOfAudit, sumsByUser } from '../rules/ledger.ts';
import { auditOutcome, type AuditOutcome, type AuditVote } from '../rules/prizes.ts';
import { recordContent } from '../writing/records.ts';
import { book, entriesOf } from './ledger.ts';

type Award = Selectable<AwardsTable>;

/**
 * Votes by record of a sample. What a moderator took out meanwhile has failed; what its author withdrew is in no dataset and has no points, so
 * it leaves the sample.
 */
async function votesOf(db: Db | Tx, award: Pick<Award, 'id' | 'sample'>): Promise<Map<string, AuditVote[]>> {
  const sample = award.sample as string[];
  if (sample.length === 0) return new Map();
  const states = await db.selectFrom('submissions').select(['id', 'state']).where('id', 'in', sample).execute();
  const votes = await db.selectFrom('audit_votes').select(['submission_id', 'vote']).where('award_id', '=', award.id).execute();
  const stateOf = new Map(states.map(({ id, state }) => [id, state]));
  return new Map(sample.flatMap((id): [string, AuditVote[]][] => {
    const state = stateOf.get(id);
    if (state === 'retracted') return [[id, ['fail', 'fail']]];
    return state === 'accepted' ? [[id, votes.filter(({ submission_id }) => submission_id === id).map(({ vote }) => vote)]] : [];
  }));
}

export interface AuditProgress {
  readonly sampled: number;
  /** Records about which two agree. */
  readonly judged: number;
  readonly failed: number;
}

export async function auditProgress(db: Db | Tx, award: Pick<Award, 'id' | 'sample'>): Promise<AuditProgress> {
  const votes = await votesOf(db, award);
  const outcome = auditOutcome(votes);
  return { sampled: votes.size, judged: votes.size - (outcome.done ? 0 : outcome.open.length), failed: [...votes.values()].filter((cast) => cast.filter((vote) => vote === 'fail').length >= 2).length };
}

interface OpenItem {
  readonly award_id: string;
  readonly submission_id: string;
}

/** What this person can judge now: open records of candidates' samples, not their own, not answers to their questions, not judged by them. */
async function openItems(db: Db | Tx, campaign: Campaign, person: Person): Promise<OpenItem[]> {
  if (forbids(campaign.state, 'audit') !== undefined) return [];
  const awards = await db.selectFrom('awards').select(['id', 'user_id', 'sample']).where('campaign_id', '=', campaign.id).where('state', '=', 'candidate').where('place', 'is not', null).where('user_id', '!=', person.id).execute();
  const items: OpenItem[] = [];
  for (const award of awards) {
    const outcome = auditOutcome(await votesOf(db, award));
    if (outcome.done) continue;
    const cast = new Set((await db.selectFrom('audit_votes').select('submission_id').where('award_id', '=', award.id).where('moderator_id', '=', person.id).execute()).map(({ submission_id }) => submission_id));
    const asked = new Set((await db.selectFrom('submissions as s').innerJoin('tasks as t', 't.id', 's.task_id').select('s.id').where('s.id', 'in', outcome.open).where('t.asked_by', '=', person.id).execute()).map(({ id }) => id));
    for (const submission_id of outcome.open) if (!cast.has(submission_id) && !asked.has(submission_id)) items.push({ award_id: award.id, submission_id });
  }
  return items;
}

/** How many records wait for this person's judgement. */
export const auditsFor = async (db: Db, campaign: Campaign, person: Person): Promise<number> => (await openItems(db, campaign, person)).length;

/** A record by lot, without its author; null if none waits. */
export async function nextAudit(context: Context, person: Person) {
  const { db } = context.store;
  const campaign = await requireCampaign(db);
  const items = await openItems(db, campaign, person);
  const chosen = oneOf(items, context.random);
  if (!chosen) return { left: 0, item: null };
  const submission = await db.selectFrom('submissions').selectAll().where('id', '=', chosen.submission_id).executeTakeFirstOrThrow();
  const { versions, ...content } = await recordContent(db, submission, person.locale);
  const { telemetry } = await db.selectFrom('submission_versions').select('telemetry').where('submission_id', '=', submission.id).where('version', '=', submission.version).executeTakeFirstOrThrow();
  return { left: items.length, item: { record_id: submission.id, ...content, findings: content.findings.map(blind), version: versions.at(-1)!, telemetry: typingOf(telemetry) } };
}

/** Judges a record of a sample. Throws Refusal where it needs no vote of this person any more. */
export async function voteAudit(context: Context, person: Person, recordId: string, { vote, reason }: { readonly vote: AuditVote; readonly reason: string }): Promise<void> {
  if (vote === 'fail' && reason.trim() === '') throw new Refusal('invalid_request', 'A record that fails needs its reason.', { fields: { reason: 'is empty' } });
  await context.store.transaction(async (tx) => {
    const campaign = await holdCampaign(tx, (await requireCampaign(tx)).id);
    const why = forbids(campaign.state, 'audit');
    if (why) throw closedFor(why);
    const awards = await tx.selectFrom('awards').select(['id', 'sample']).where('campaign_id', '=', campaign.id).where('user_id', '!=', person.id).execute();
    const award = awards.find(({ sample }) => (sample as string[]).includes(recordId));
    if (!award) throw notFound();
    // One after the other, so that no record gets more votes than it needs.
    await tx.selectFrom('awards').select('id').where('id', '=', award.id).forUpdate().execute();
    if (!(await openItems(tx, campaign, person)).some(({ submission_id }) => submission_id === recordId)) throw new Refusal('audited_already', 'This record has been judged.');
    await tx.insertInto('audit_votes').values({ award_id: award.id, submission_id: recordId, moderator_id: person.id, vote, reason: reason.trim(), at: instantOf(context) }).execute();
    await audit(tx, { actor: person.id, type: 'audit.voted', subject: `award:${award.id}`, payload: { record: recordId } }, instantOf(context));
  });
}

/**
 * Carries out what the votes say: failed records are taken out, the failed share of the points taken back; with half of the sample failed
 * everything of the candidate goes, and the place with it. Throws Refusal while votes are missing. The award's row is held.
 */
export async function closeAudit(tx: Tx, context: Context, campaign: Campaign, person: Person, award: Award): Promise<AuditOutcome & { readonly done: true }> {
  const votes = await votesOf(tx, award);
  const outcome = auditOutcome(votes);
  const open = outcome.done ? 0 : outcome.open.length;
  if (!outcome.done || votes.size === 0) throw new Refusal('audit_open', `The audit is not finished: ${open} records need a vote more.`, { values: { open } });
  if (outcome.failed.length === 0) return outcome;
  const before = await entriesOf(tx, campaign.id, { user: award.user_id });
  const gone = outcome.forfeit
    ? (await tx.selectFrom('submissions').select('id').where('author_id', '=', award.user_id).where('campaign_id', '=', campaign.id).where('state', '=', 'accepted').orderBy('id').execute()).map(({ id }) => id)
    : (await tx.selectFrom('submissions').select('id').where('id', 'in', [...outcome.failed]).where('state', '=', 'accepted').orderBy('id').execute()).map(({ id }) => id);
  for (const id of gone) await retractRecord(tx, context, person, id, { reason: 'audit', copied: false });
  if (outcome.forfeit) return outcome;
  const failed = new Set(outcome.failed.map((id) => `submission:${id}`));
  // Also what was taken back earlier, for records that a moderator had taken out before the audit was closed.
  const reversed = new Set(before.map(({ reverses }) => reverses));
  const settled_mp = (sumsByUser(before, campaign.points).get(award.user_id)?.points_mp ?? 0) + before.filter(({ subject, seq, kind }) => failed.has(subject) && kind !== 'reversal' && reversed.has(seq)).reduce((sum, { delta_mp }) => sum + delta_mp, 0);
  const reversed_mp = before.filter(({ subject, kind }) => failed.has(subject) && kind !== 'reversal').reduce((sum, { delta_mp }) => sum + delta_mp, 0);
  const team = await tx.selectFrom('memberships').select('team_id').where('user_id', '=', award.user_id).where('until', 'is', null).executeTakeFirst();
  const entry = entryOfAudit(campaign.points, { award_id: award.id, campaign_id: campaign.id, work_day: dayOf(context.now(), campaign.time_zone), candidate: { user_id: award.user_id, team_id: team?.team_id ?? null } }, { settled_mp, reversed_mp, failed: outcome.failed.length, sampled: outcome.sampled });
  if (entry) await book(tx, context, campaign.id, [entry]);
  return outcome;
}
