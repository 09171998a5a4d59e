/** One's own records: where they are, what came of them, and what one may do about it. */
import { audit } from '../../store/audit.ts';
import { newId } from '../../store/id.ts';
import type { Db } from '../../store/store.ts';
import type { Person } from '../accounts/sessions.ts';
import { campaignById, holdCampaign, requireCampaign, type Campaign } from '../campaigns/current.ts';
import { guidelineOf } from '../campaigns/guidelines.ts';
import { passageView } from '../campaigns/passages.ts';
import type { ServerFinding } from '../checks/findings.ts';
import { instantOf, type Context } from '../context.ts';
import { book, entriesOf } from '../points/ledger.ts';
import { closedFor, notFound, Refusal } from '../refusal.ts';
import { forbids } from '../rules/campaign.ts';
import type { CategoryKey } from '../rules/categories.ts';
import type { RecordText } from '../rules/forms.ts';
import { reversalsOf } from '../rules/ledger.ts';
import { recordPoints } from '../rules/points.ts';
import { CRITERIA, type Flag, type Scores, type Verdict } from '../rules/review-outcome.ts';
import { mayAppeal, WAITS_FOR_AUTHOR } from '../rules/submission.ts';
import { excerptOf } from './drafts.ts';
import { lapseOf } from './lapse.ts';
import { EXPECTED_QUALITY, factsOf, factsOfAll, moved } from './submit.ts';

/** A review shows to the author once there is a decision, without a name. */
const DECIDED: readonly string[] = ['accepted', 'rejected', 'changes_requested', 'needs_fix', 'retracted'];

async function ownRecord(context: Context, person: Person, id: string) {
  const row = await context.store.db.selectFrom('submissions').selectAll().where('id', '=', id).where('author_id', '=', person.id).where('undone', '=', false).executeTakeFirst();
  if (!row) throw notFound();
  return row;
}

/** States in which nothing is to be hoped for. */
const WORTHLESS: readonly string[] = ['rejected', 'withdrawn', 'retracted'];

/** Settled points, or what there would be if it is accepted. */
async function pointsOf(db: Db, campaign: Campaign, submission: Parameters<typeof factsOf>[1] & { readonly state: string; readonly quality: number | null; readonly round: number }) {
  const entry = (await entriesOf(db, campaign.id, { subject: `submission:${submission.id}` })).findLast(({ kind, user_id }) => kind === 'record' && user_id === submission.author_id);
  if (entry && entry.factors.kind === 'record') {
    const reversed = submission.state !== 'accepted';
    const points = recordPoints(campaign.points, entry.factors.facts);
    return { ...points, delta_mp: reversed ? 0 : entry.delta_mp, rules_version: entry.rules_version, settled: true };
  }
  if (WORTHLESS.includes(submission.state)) return null;
  return { ...recordPoints(campaign.points, await factsOf(db, submission, EXPECTED_QUALITY)), rules_version: campaign.rules_version, settled: false };
}

export async function listRecords(context: Context, person: Person) {
  const { db } = context.store;
  const campaign = await requireCampaign(db);
  const rows = await db.selectFrom('submissions as s').innerJoin('submission_versions as v', (join) => join.onRef('v.submission_id', '=', 's.id').onRef('v.version', '=', 's.version'))
    .select(['s.id', 's.campaign_id', 's.author_id', 's.category', 's.state', 's.weight', 's.work_day', 's.version', 's.quality', 's.round', 's.created_at', 'v.instruction', 'v.context', 'v.response', 'v.language'])
    .where('s.author_id', '=', person.id).where('s.campaign_id', '=', campaign.id).where('s.undone', '=', false).orderBy('s.id', 'desc').limit(500).execute();
  const entries = await entriesOf(db, campaign.id, { user: person.id });
  const sums = new Map<string, number>();
  for (const { subject, delta_mp } of entries) sums.set(subject, (sums.get(subject) ?? 0) + delta_mp);
  const facts = await factsOfAll(db, rows.filter(({ id, state }) => !sums.has(`submission:${id}`) && !WORTHLESS.includes(state)), EXPECTED_QUALITY);
  return rows.map((row) => {
    const settled = sums.has(`submission:${row.id}`);
    const expected = facts.get(row.id);
    const points_mp = settled ? sums.get(`submission:${row.id}`)! : expected ? recordPoints(campaign.points, expected).delta_mp : 0;
    return { id: row.id, category: row.category as CategoryKey, state: row.state, excerpt: excerptOf(row), language: row.language, at: row.created_at.toISOString(), points_mp, settled };
  });
}

/** Versions, passage and findings of a record, as its author and moderators see them. */
export async function recordContent(db: Db, submission: { readonly id: string; readonly version: number; readonly category: string; readonly campaign_id: string }, locale: string) {
  const versions = await db.selectFrom('submission_versions').selectAll().where('submission_id', '=', submission.id).orderBy('version').execute();
  const newest = versions.at(-1)!;
  return {
    category: submission.category as CategoryKey, language: newest.language, versions: versions.map(({ version, created_at, instruction, context, response }) => ({ version, at: created_at.toISOString(), instruction, context, response })), passage: await passageView(db, newest.passage_id),
    findings: await findingsOf(db, submission.id, newest.version), guideline: await guidelineOf(db, submission.campaign_id, submission.category, locale),
  };
}

export async function findingsOf(db: Db, id: string, version: number): Promise<ServerFinding[]> {
  const rows = await db.selectFrom('check_results').select(['check', 'detail']).where('submission_id', '=', id).where('version', '=', version).orderBy('check').execute();
  return rows.filter(({ check }) => check !== 'all').flatMap(({ detail }) => detail as ServerFinding[]);
}

export async function reviewsOf(db: Db, id: string) {
  const rows = await db.selectFrom('reviews').select(['version', 'scores', 'verdict', 'flags', 'comment', 'submitted_at']).where('submission_id', '=', id).where('state', '=', 'submitted').where('is_gold', '=', false).orderBy('submitted_at').execute();
  return rows.map(({ version, scores, verdict, flags, comment, submitted_at }) => ({
    version, scores: Object.fromEntries(CRITERIA.flatMap((criterion) => ((scores as Scores)[criterion] === null || (scores as Scores)[criterion] === undefined ? [] : [[criterion, (scores as Scores)[criterion]!]]))), verdict: verdict as Verdict, flags: flags as Flag[], comment, at: submitted_at!.toISOString(),
  }));
}

export async function rationaleOf(db: Db, id: string): Promise<string | null> {
  const row = await db.selectFrom('adjudications').select('rationale').where('submission_id', '=', id).orderBy('at', 'desc').limit(1).executeTakeFirst();
  return row?.rationale ?? null;
}

export async function recordView(context: Context, person: Person, id: string) {
  const { db } = context.store;
  const submission = await ownRecord(context, person, id);
  const campaign = await campaignById(db, submission.campaign_id);
  const decided = DECIDED.includes(submission.state);
  const may = (deed: Parameters<typeof forbids>[1]) => forbids(campaign.state, deed) === undefined;
  return {
    id, state: submission.state, ...(await recordContent(db, submission, person.locale)), reviews: decided ? await reviewsOf(db, id) : [], rationale: decided ? await rationaleOf(db, id) : null, points: await pointsOf(db, campaign, submission), answer_by: (await lapseOf(db, campaign, id))?.toISOString() ?? null, lapsed: submission.lapsed,
    may: {
      revise: WAITS_FOR_AUTHOR.includes(submission.state) && may('revise'), appeal: mayAppeal(submission.state, submission.round) && may('appeal'),
      withdraw: !['withdrawn', 'retracted'].includes(submission.state) && may('withdraw'),
    },
  };
}

/** A draft with the text of the newest version; the one that is open already, if there is one. */
export async function reviseRecord(context: Context, person: Person, id: string): Promise<string> {
  const found = await ownRecord(context, person, id);
  return context.store.transaction(async (tx) => {
    const submission = await tx.selectFrom('submissions').selectAll().where('id', '=', id).forUpdate().executeTakeFirstOrThrow();
    const campaign = await holdCampaign(tx, found.campaign_id);
    const why = forbids(campaign.state, 'revise');
    if (why) throw closedFor(why);
    moved(submission.state, 'revise', 'author');
    const open = await tx.selectFrom('drafts').select('id').where('revises', '=', id).where('state', '=', 'open').executeTakeFirst();
    if (open) return open.id;
    const { instruction, context: passage, response, language } = await tx.selectFrom('submission_versions').selectAll().where('submission_id', '=', id).where('version', '=', submission.version).executeTakeFirstOrThrow();
    const draft = newId(context.now());
    const body: RecordText = { instruction, context: passage, response };
    await tx.insertInto('drafts').values({ id: draft, user_id: person.id, campaign_id: submission.campaign_id, task_id: submission.task_id, category: submission.category, language, revises: id, body: JSON.stringify(body), created_at: instantOf(context), saved_at: instantOf(context) }).execute();
    return draft;
  });
}

/** Takes a record out for good, at any time: points are taken back, the next dataset lacks it. */
export async function withdrawRecord(context: Context, person: Person, id: string): Promise<void> {
  const found = await ownRecord(context, person, id);
  await context.store.transaction(async (tx) => {
    await tx.selectFrom('users').select('id').where('id', '=', person.id).forUpdate().execute();
    const submission = await tx.selectFrom('submissions').selectAll().where('id', '=', id).forUpdate().executeTakeFirstOrThrow();
    const campaign = await holdCampaign(tx, found.campaign_id);
    const why = forbids(campaign.state, 'withdraw');
    if (why) throw closedFor(why);
    const state = moved(submission.state, 'withdraw', 'author');
    await tx.updateTable('submissions').set({ state, needs_decision: null, decided_at: instantOf(context) }).where('id', '=', id).execute();
    await tx.updateTable('reviews').set({ state: 'voided' }).where('submission_id', '=', id).where('state', '=', 'assigned').execute();
    await tx.updateTable('drafts').set({ state: 'discarded' }).where('revises', '=', id).where('state', '=', 'open').execute();
    if (submission.state === 'accepted') await book(tx, context, campaign.id, reversalsOf(`submission:${id}`, await entriesOf(tx, campaign.id, { subject: `submission:${id}` }), 'withdrawn'));
    await audit(tx, { actor: person.id, type: 'record.withdrawn', subject: `submission:${id}`, payload: { from: submission.state } }, instantOf(context));
  });
}

/** Other reviewers look at it again. Once. */
export async function appealRecord(context: Context, person: Person, id: string, reason: string): Promise<void> {
  const found = await ownRecord(context, person, id);
  await context.store.transaction(async (tx) => {
    const submission = await tx.selectFrom('submissions').selectAll().where('id', '=', id).forUpdate().executeTakeFirstOrThrow();
    const campaign = await holdCampaign(tx, found.campaign_id);
    const why = forbids(campaign.state, 'appeal');
    if (why) throw closedFor(why);
    const appealed = moved(submission.state, 'appeal', 'author');
    if (!mayAppeal(submission.state, submission.round)) throw new Refusal('appeal_once', 'A second rejection is final.');
    // While nobody reviews any more, a moderator decides.
    const reviewed = forbids(campaign.state, 'review') === undefined;
    await tx.updateTable('submissions').set({
      state: moved(appealed, 'reopen', 'system'), round: submission.round + 1, reviews_taken: 0, reviews_wanted: campaign.policy.reviews, needs_decision: reviewed ? null : 'appeal', appeal_reason: reason, decided_at: null, quality: null, lapsed: false, waiting_since: instantOf(context),
    }).where('id', '=', id).execute();
    await audit(tx, { actor: person.id, type: 'record.appealed', subject: `submission:${id}`, payload: { round: submission.round + 1 } }, instantOf(context));
  });
}
