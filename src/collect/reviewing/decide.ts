/** What reviews and moderators decide, carried out: state, split, points. */
import { createHash } from 'node:crypto';
import { audit } from '../../store/audit.ts';
import { newId } from '../../store/id.ts';
import type { Tx } from '../../store/store.ts';
import type { Database, SubmissionsTable } from '../../store/tables.ts';
import type { ExpressionBuilder, Selectable } from 'kysely';
import type { Person } from '../accounts/sessions.ts';
import { campaignById, holdCampaign, requireCampaign, type Campaign } from '../campaigns/current.ts';
import { instantOf, type Context } from '../context.ts';
import { book, entriesOf } from '../points/ledger.ts';
import { closedFor, notFound, Refusal } from '../refusal.ts';
import { actorsOf } from '../rules/access.ts';
import { forbids } from '../rules/campaign.ts';
import type { CategoryKey } from '../rules/categories.ts';
import { entriesOfRecord, reversalsOf } from '../rules/ledger.ts';
import type { Actor } from '../rules/machine.ts';
import { decide, ACCEPTABLE, type CountedReview, type Flag, type Scores, type Verdict } from '../rules/review-outcome.ts';
import { excerptOf } from '../writing/drafts.ts';
import { rationaleOf, recordContent, reviewsOf } from '../writing/records.ts';
import { factsOf, moved } from '../writing/submit.ts';
import { reliabilityOf } from './pay.ts';

type Submission = Selectable<SubmissionsTable>;

/** One in ten is held out for evaluation, by hash: the same on any machine, and nobody's choice. Records about one passage stay together. */
const HELD_OUT = 10;
const splitOf = ({ passage_id, content_hash }: { readonly passage_id: string | null; readonly content_hash: string }): 'train' | 'held_out' => (createHash('sha256').update(`split ${passage_id ?? content_hash}`).digest().readUInt32BE(0) % HELD_OUT === 0 ? 'held_out' : 'train');

/** Looks at the reviews of the current version and round, and decides if they suffice. The submission's row is locked. */
export async function decideByReviews(tx: Tx, context: Context, campaign: Campaign, submission: Submission): Promise<void> {
  const rows = await tx.selectFrom('reviews').select(['reviewer_id', 'scores', 'verdict', 'flags']).where('submission_id', '=', submission.id).where('version', '=', submission.version).where('round', '=', submission.round).where('is_gold', '=', false).where('state', '=', 'submitted').where((eb) => eb.or([eb('valid', 'is', null), eb('valid', '=', true)])).execute();
  const counted: CountedReview[] = [];
  for (const { reviewer_id, scores, verdict, flags } of rows) counted.push({ verdict: verdict as Verdict, scores: scores as Scores, flags: flags as Flag[], weight: Math.max(1, (await reliabilityOf(tx, campaign, reviewer_id)).weight) });
  const decision = decide(counted, campaign.policy.reviews);
  if (decision.state === 'waiting') await tx.updateTable('submissions').set({ reviews_wanted: counted.length + decision.reviews_missing }).where('id', '=', submission.id).execute();
  else if (decision.state === 'adjudicate') {
    if (decision.because === 'alarm') await setAside(tx, context, submission, decision.because, null, 'system');
    else {
      await tx.updateTable('submissions').set({ needs_decision: 'disagreement', waiting_since: instantOf(context) }).where('id', '=', submission.id).execute();
      await toModerators(tx, context, submission.id, decision.because, null);
    }
  } else await carryOut(tx, context, campaign, submission, decision.verdict, decision.quality, null, 'system');
}

/** Takes a record that is in review out of it, until a moderator has decided. */
export async function setAside(tx: Tx, context: Context, submission: Submission, because: 'alarm' | 'report', actor: string | null, actors: Actor | readonly Actor[]): Promise<void> {
  await tx.updateTable('submissions').set({ state: moved(submission.state, 'quarantine', actors), needs_decision: 'quarantined', waiting_since: instantOf(context) }).where('id', '=', submission.id).execute();
  await toModerators(tx, context, submission.id, because, actor);
}

async function toModerators(tx: Tx, context: Context, id: string, because: string, actor: string | null): Promise<void> {
  await tx.updateTable('reviews').set({ state: 'voided' }).where('submission_id', '=', id).where('state', '=', 'assigned').where('is_gold', '=', false).execute();
  await audit(tx, { actor, type: 'record.to_moderators', subject: `submission:${id}`, payload: { because } }, instantOf(context));
}

const EVENT = { accept: 'accept', fix: 'request_changes', reject: 'reject' } as const;

async function carryOut(tx: Tx, context: Context, campaign: Campaign, submission: Submission, verdict: Verdict, quality: number, actor: string | null, actors: Actor | readonly Actor[]): Promise<void> {
  const state = moved(submission.state, EVENT[verdict], actors);
  const version = await tx.selectFrom('submission_versions').select(['content_hash', 'passage_id']).where('submission_id', '=', submission.id).where('version', '=', submission.version).executeTakeFirstOrThrow();
  await tx.updateTable('submissions').set({ state, quality, needs_decision: null, decided_at: instantOf(context), ...(verdict === 'accept' && { split: splitOf(version) }) }).where('id', '=', submission.id).execute();
  await tx.updateTable('reviews').set({ state: 'voided' }).where('submission_id', '=', submission.id).where('state', '=', 'assigned').where('is_gold', '=', false).execute();
  if (verdict === 'accept') {
    const task = submission.task_id === null ? undefined : await tx.selectFrom('tasks as t').leftJoin('memberships as m', (join) => join.onRef('m.user_id', '=', 't.asked_by').on('m.until', 'is', null)).select(['t.asked_by', 'm.team_id']).where('t.id', '=', submission.task_id).executeTakeFirst();
    const facts = await factsOf(tx, submission, quality);
    await book(tx, context, campaign.id, entriesOfRecord(campaign.points, {
      id: submission.id, round: submission.round, work_day: submission.work_day, author: { user_id: submission.author_id, team_id: submission.team_id }, asker: task?.asked_by ? { user_id: task.asked_by, team_id: task.team_id } : undefined,
    }, facts));
  }
  await audit(tx, { actor, type: `record.${state}`, subject: `submission:${submission.id}`, payload: { version: submission.version, round: submission.round } }, instantOf(context));
}

/** Author first, then the record: the order of locks. */
export async function lockRecord(tx: Tx, id: string): Promise<Submission> {
  const found = await tx.selectFrom('submissions').select('author_id').where('id', '=', id).executeTakeFirst();
  if (!found) throw notFound();
  await tx.selectFrom('users').select('id').where('id', '=', found.author_id).forUpdate().execute();
  return tx.selectFrom('submissions').selectAll().where('id', '=', id).forUpdate().executeTakeFirstOrThrow();
}

/** Whose it is, or who had asked the question and has a share of its points. */
const concerns = (userId: string) => (eb: ExpressionBuilder<Database & { s: Database['submissions'] }, 's'>) =>
  eb.or([eb('s.author_id', '=', userId), eb.exists(eb.selectFrom('tasks as asked').select('asked.id').whereRef('asked.id', '=', 's.task_id').where('asked.asked_by', '=', userId))]);

export async function listDecisions(context: Context, person: Person) {
  const { db } = context.store;
  const campaign = await requireCampaign(db);
  const rows = await db.selectFrom('submissions as s').innerJoin('submission_versions as v', (join) => join.onRef('v.submission_id', '=', 's.id').onRef('v.version', '=', 's.version'))
    .select(['s.id', 's.category', 's.needs_decision', 's.waiting_since', 'v.instruction', 'v.context', 'v.response']).where('s.campaign_id', '=', campaign.id).where('s.needs_decision', 'is not', null).where((eb) => eb.not(concerns(person.id)(eb))).orderBy('s.waiting_since').limit(500).execute();
  return rows.map((row) => ({ record_id: row.id, category: row.category as CategoryKey, reason: row.needs_decision!, excerpt: excerptOf(row), at: row.waiting_since.toISOString() }));
}

/** Without the author: who decides does not know whose it is either. */
export async function decisionView(context: Context, person: Person, id: string) {
  const { db } = context.store;
  const submission = await db.selectFrom('submissions as s').selectAll('s').where('s.id', '=', id).where('s.needs_decision', 'is not', null).where((eb) => eb.not(concerns(person.id)(eb))).executeTakeFirst();
  if (!submission) throw notFound();
  return { record: { id, state: submission.state, ...(await recordContent(db, submission, person.locale)), rationale: await rationaleOf(db, id) }, reviews: await reviewsOf(db, id) };
}

/** A moderator's decision. It becomes a gold item: later reviewers are held against it without knowing. */
export async function adjudicate(context: Context, person: Person, id: string, { verdict, quality, rationale }: { readonly verdict: Verdict; readonly quality: number; readonly rationale: string }): Promise<void> {
  if (verdict === 'accept' && 1000 * quality < ACCEPTABLE) throw new Refusal('review_faults', 'What is accepted has a quality of at least 3.', { values: { faults: 'accept_below' }, fields: { quality: 'accept_below' } });
  await context.store.transaction(async (tx) => {
    const submission = await lockRecord(tx, id);
    if (await tx.selectFrom('submissions as s').select('s.id').where('s.id', '=', id).where(concerns(person.id)).executeTakeFirst()) throw new Refusal('own_record', 'Somebody else decides about your own records.');
    if (submission.needs_decision === null) throw notFound();
    const campaign = await holdCampaign(tx, submission.campaign_id);
    const why = forbids(campaign.state, 'adjudicate');
    if (why) throw closedFor(why);
    const actors = actorsOf(person.roles);
    const from = submission.state === 'quarantined' && verdict === 'accept' ? { ...submission, state: moved(submission.state, 'release', actors) } : submission;
    await tx.insertInto('adjudications').values({ id: newId(context.now()), submission_id: id, version: submission.version, round: submission.round, moderator_id: person.id, verdict, quality: 1000 * quality, rationale, at: instantOf(context) }).execute();
    await carryOut(tx, context, campaign, from, verdict, 1000 * quality, person.id, actors);
    if (verdict !== 'fix') await tx.insertInto('golds').values({ submission_id: id, verdict, added_by: person.id, created_at: instantOf(context) }).onConflict((c) => c.column('submission_id').doUpdateSet({ verdict, added_by: person.id })).execute();
  });
}

/** See `retractRecord`. */
export async function retract(context: Context, person: Person, id: string, why: { readonly reason: string; readonly copied: boolean }): Promise<void> {
  await context.store.transaction((tx) => retractRecord(tx, context, person, id, why));
}

/** An accepted record is taken out because it broke the rules: points are taken back; if it was copied, its author's work is stopped. */
export async function retractRecord(tx: Tx, context: Context, person: Person, id: string, { reason, copied }: { readonly reason: string; readonly copied: boolean }): Promise<void> {
  const submission = await lockRecord(tx, id);
  const campaign = await campaignById(tx, submission.campaign_id);
  const why = forbids(campaign.state, 'retract');
  if (why) throw closedFor(why);
  const state = moved(submission.state, 'retract', actorsOf(person.roles));
  await tx.updateTable('submissions').set({ state, decided_at: instantOf(context) }).where('id', '=', id).execute();
  if (copied) await tx.updateTable('users').set({ stopped: true }).where('id', '=', submission.author_id).execute();
  await book(tx, context, campaign.id, reversalsOf(`submission:${id}`, await entriesOf(tx, campaign.id, { subject: `submission:${id}` }), 'retracted'));
  await audit(tx, { actor: person.id, type: 'record.retracted', subject: `submission:${id}`, payload: { reason: reason.length, copied } }, instantOf(context));
}
