/** Reviewing: the next record by lot, never of one's choice, without its author's name; and handing in what one thinks of it. */
import { audit } from '../../store/audit.ts';
import { newId } from '../../store/id.ts';
import { isUniqueViolation, type Db, type Tx } from '../../store/store.ts';
import { countWords } from '../../text/words.ts';
import type { Person } from '../accounts/sessions.ts';
import { holdCampaign, requireCampaign, type Campaign } from '../campaigns/current.ts';
import { guidelineOf } from '../campaigns/guidelines.ts';
import { passageView } from '../campaigns/passages.ts';
import { instantOf, type Context } from '../context.ts';
import { closedFor, notFound, Refusal } from '../refusal.ts';
import { assign, mayReview, pairCap, type AssignmentPolicy, type ReviewerFacts } from '../rules/assignment.ts';
import { dayOf } from '../rules/calendar.ts';
import { forbids } from '../rules/campaign.ts';
import { NEEDS_PASSAGE, type CategoryKey } from '../rules/categories.ts';
import { leastDwell } from '../rules/points.ts';
import { isWornOut, nextIsGold, pickGold } from '../rules/reliability.ts';
import { CRITERIA, reviewFaults, type Criterion, type Flag, type Scores, type Verdict } from '../rules/review-outcome.ts';
import { LEASE_TIMES } from '../rules/work.ts';
import { findingsOf } from '../writing/records.ts';
import { UNDO_MS } from '../writing/submit.ts';
import { decideByReviews, lockRecord } from './decide.ts';
import { reliabilityOf, settleReviewer } from './pay.ts';

/** The oldest so many are drawn from. */
const DRAWN_FROM = 200;

/** Those whose time ran out free their place. */
export async function expireReviews(db: Db | Tx, now: number, reviewerId?: string): Promise<number> {
  let query = db.updateTable('reviews').set({ state: 'expired' }).where('state', '=', 'assigned').where('expires_at', '<=', new Date(now));
  if (reviewerId !== undefined) query = query.where('reviewer_id', '=', reviewerId);
  const gone = await query.returning(['submission_id', 'version', 'round', 'is_gold']).execute();
  for (const review of gone) await freePlace(db, review);
  return gone.length;
}

async function freePlace(db: Db | Tx, { submission_id, version, round, is_gold }: { readonly submission_id: string; readonly version: number; readonly round: number; readonly is_gold: boolean }): Promise<void> {
  if (is_gold) return;
  await db.updateTable('submissions').set((eb) => ({ reviews_taken: eb('reviews_taken', '-', 1) })).where('id', '=', submission_id).where('version', '=', version).where('round', '=', round).where('reviews_taken', '>', 0).execute();
}

/** The record that waits for this reviewer, or a new one by lot; null if there is none. */
export async function nextReview(context: Context, person: Person) {
  const outside = await requireCampaign(context.store.db);
  for (let tries = 0; tries < 5; tries++) {
    try {
      const id = await context.store.transaction((tx) => assignNext(tx, context, outside.id, person));
      return id === undefined ? null : await reviewItem(context, person, id);
    } catch (error) {
      // Two windows asked at once: the other's is this one's too.
      if (!isUniqueViolation(error)) throw error;
    }
  }
  return null;
}

async function assignNext(tx: Tx, context: Context, campaignId: string, person: Person): Promise<string | undefined> {
  const now = context.now();
  const campaign = await holdCampaign(tx, campaignId);
  const why = forbids(campaign.state, 'review');
  if (why) throw closedFor(why);
  await expireReviews(tx, now, person.id);
  const open = await tx.selectFrom('reviews').select('id').where('reviewer_id', '=', person.id).where('state', '=', 'assigned').executeTakeFirst();
  if (open) return open.id;
  const { standing, gold_n } = await reliabilityOf(tx, campaign, person.id);
  const facts = await reviewerFacts(tx, campaign, person, standing, now);
  const stop = mayReview(facts);
  if (stop === 'resting') throw new Refusal('resting', 'Your reviews differed too often from decided ones. Write to the moderators if you think that is wrong.');
  if (stop === 'skipped') throw new Refusal('skipped_enough', 'You have passed on many today. There are new ones tomorrow.');
  return (await assignGold(tx, context, campaign, person, gold_n)) ?? (await assignWaiting(tx, context, campaign, person, facts));
}

async function reviewerFacts(tx: Tx, campaign: Campaign, person: Person, standing: ReviewerFacts['standing'], now: number): Promise<ReviewerFacts> {
  const reviewed = await tx.selectFrom('reviews as r').innerJoin('submissions as s', 's.id', 'r.submission_id').select(['s.author_id', (eb) => eb.fn.countAll<number>().as('n')]).where('r.reviewer_id', '=', person.id).where('s.campaign_id', '=', campaign.id).where('r.is_gold', '=', false).where('r.state', 'in', ['submitted', 'assigned']).groupBy('s.author_id').execute();
  const skipped = await tx.selectFrom('reviews').select('assigned_at').where('reviewer_id', '=', person.id).where('state', '=', 'skipped').where('assigned_at', '>', new Date(now - 26 * 3_600_000)).execute();
  const today = dayOf(now, campaign.time_zone);
  return {
    user_id: person.id, team_id: person.team?.id ?? null, languages: campaign.languages, standing, reviewed: new Map(reviewed.map(({ author_id, n }) => [author_id, n])), skipped_today: skipped.filter(({ assigned_at }) => dayOf(assigned_at.getTime(), campaign.time_zone) === today).length,
  };
}

async function assignGold(tx: Tx, context: Context, campaign: Campaign, person: Person, answered: number): Promise<string | undefined> {
  if (!nextIsGold(answered, context.random)) return undefined;
  const golds = await tx.selectFrom('golds as g').innerJoin('submissions as s', 's.id', 'g.submission_id').select(['g.submission_id', 's.author_id', 'g.verdict', 's.version', 's.round', 'g.added_by']).where('s.campaign_id', '=', campaign.id).where('g.retired_at', 'is', null).where('g.added_by', 'is distinct from', person.id).limit(500).execute();
  if (golds.length === 0) return undefined;
  const met = await tx.selectFrom('reviews').select('submission_id').where('reviewer_id', '=', person.id).where('submission_id', 'in', golds.map(({ submission_id }) => submission_id)).execute();
  const known = new Set(met.map(({ submission_id }) => submission_id));
  const chosen = pickGold(golds, person.id, new Map(golds.filter(({ submission_id }) => known.has(submission_id)).map(({ submission_id, verdict }) => [submission_id, verdict])), context.random);
  if (!chosen) return undefined;
  const { version, round } = golds.find(({ submission_id }) => submission_id === chosen.submission_id)!;
  return insertReview(tx, context, person, { submission_id: chosen.submission_id, version, round, is_gold: true });
}

async function assignWaiting(tx: Tx, context: Context, campaign: Campaign, person: Person, facts: ReviewerFacts): Promise<string | undefined> {
  const now = context.now();
  const rows = await tx.selectFrom('submissions as s').innerJoin('submission_versions as v', (join) => join.onRef('v.submission_id', '=', 's.id').onRef('v.version', '=', 's.version')).leftJoin('tasks as t', 't.id', 's.task_id')
    .select(['s.id', 's.author_id', 's.team_id', 's.waiting_since', 's.version', 's.round', 'v.language', 't.asked_by'])
    .where('s.campaign_id', '=', campaign.id).where('s.state', '=', 'in_review').where('s.needs_decision', 'is', null).whereRef('s.reviews_taken', '<', 's.reviews_wanted').where('s.waiting_since', '<=', new Date(now - UNDO_MS)).where('s.author_id', '!=', person.id)
    .where((eb) => eb.not(eb.exists(eb.selectFrom('reviews as r').select('r.id').whereRef('r.submission_id', '=', 's.id').where('r.reviewer_id', '=', person.id))))
    .orderBy('s.waiting_since').limit(DRAWN_FROM).execute();
  const policy = await assignmentPolicy(tx, context, campaign);
  let waiting = rows.map((row) => ({ submission_id: row.id, author_id: row.author_id, asker_id: row.asked_by, team_id: row.team_id, language: row.language, reviewers: [], waiting_since: row.waiting_since.getTime() }));
  for (;;) {
    const chosen = assign(waiting, facts, policy, now, context.random);
    if (!chosen) return undefined;
    // Of several who want the last place one gets it.
    const taken = await tx.updateTable('submissions').set((eb) => ({ reviews_taken: eb('reviews_taken', '+', 1) })).where('id', '=', chosen.submission_id).where('state', '=', 'in_review').where('needs_decision', 'is', null).whereRef('reviews_taken', '<', 'reviews_wanted').returning(['version', 'round']).executeTakeFirst();
    if (taken) return insertReview(tx, context, person, { submission_id: chosen.submission_id, ...taken, is_gold: false });
    waiting = waiting.filter((one) => one !== chosen);
  }
}

/** In a campaign of so many records what the policy follows from changes slowly: it is kept for a while, since it is counted over all of them. */
const LARGE = 1000;
const KEPT_MS = 30_000;
const kept = new WeakMap<Db, { campaign: string; until: number; policy: AssignmentPolicy }>();

async function assignmentPolicy(tx: Tx, context: Context, campaign: Campaign): Promise<AssignmentPolicy> {
  const known = kept.get(context.store.db);
  if (known?.campaign === campaign.id && known.until > performance.now()) return known.policy;
  const { records, ...policy } = await readPolicy(tx, campaign);
  if (records >= LARGE) kept.set(context.store.db, { campaign: campaign.id, until: performance.now() + KEPT_MS, policy });
  return policy;
}

/** Teams with somebody in them; and how often one may meet one author. */
async function readPolicy(tx: Tx, campaign: Campaign): Promise<AssignmentPolicy & { readonly records: number }> {
  const { teams } = await tx.selectFrom('memberships').select((eb) => eb.fn.count<number>('team_id').distinct().as('teams')).where('until', 'is', null).executeTakeFirstOrThrow();
  const { authors, records } = await tx.selectFrom('submissions').select((eb) => [eb.fn.count<number>('author_id').distinct().as('authors'), eb.fn.countAll<number>().as('records')]).where('campaign_id', '=', campaign.id).executeTakeFirstOrThrow();
  const { reviewers } = await tx.selectFrom('users').select((eb) => eb.fn.countAll<number>().as('reviewers')).where('status', '=', 'active').where((eb) => eb('roles', '&&', eb.val(['reviewer', 'moderator', 'admin', 'owner'] as const) as never)).executeTakeFirstOrThrow();
  return { teams, pair_cap: pairCap(records * campaign.policy.reviews, authors, reviewers), records };
}

async function insertReview(tx: Tx, context: Context, person: Person, review: { readonly submission_id: string; readonly version: number; readonly round: number; readonly is_gold: boolean }): Promise<string> {
  const now = context.now();
  const id = newId(now);
  await tx.insertInto('reviews').values({ id, ...review, reviewer_id: person.id, assigned_at: new Date(now), expires_at: new Date(now + LEASE_TIMES.idle_ms) }).execute();
  return id;
}

/** Nothing of the author, and nothing that tells a gold item from another record. */
async function reviewItem(context: Context, person: Person, id: string) {
  const { db } = context.store;
  const review = await db.selectFrom('reviews as r').innerJoin('submissions as s', 's.id', 'r.submission_id').select(['r.id', 'r.submission_id', 'r.version', 'r.expires_at', 's.category', 's.campaign_id']).where('r.id', '=', id).executeTakeFirstOrThrow();
  const versions = await db.selectFrom('submission_versions').selectAll().where('submission_id', '=', review.submission_id).where('version', '<=', review.version).orderBy('version', 'desc').limit(2).execute();
  const [current, before] = versions;
  const view = (one: (typeof versions)[number]) => ({ version: one.version, at: one.created_at.toISOString(), instruction: one.instruction, context: one.context, response: one.response });
  const category = review.category as CategoryKey;
  return {
    review_id: id, category, language: current!.language, version: view(current!), previous: before ? view(before) : null, passage: await passageView(db, current!.passage_id), findings: (await findingsOf(db, review.submission_id, review.version)).map(blind),
    telemetry: typingOf(current!.telemetry), criteria: criteriaOf(category), guideline: await guidelineOf(db, review.campaign_id, category, person.locale), expires_at: review.expires_at.toISOString(),
  };
}

/** Whose earlier record it is like would say something of the author. */
export const blind = <F extends { readonly code: string; readonly values: Readonly<Record<string, string | number>> }>(finding: F): F => (finding.code === 'like_your_own' ? { ...finding, code: 'like_another', values: { percent: finding.values['percent']! } } : finding);

const criteriaOf = (category: CategoryKey): Criterion[] => CRITERIA.filter((criterion) => criterion !== 'grounded' || NEEDS_PASSAGE.includes(category));

export interface ReviewInput {
  readonly scores: Readonly<Partial<Record<Criterion, number | undefined>>>;
  readonly verdict: Verdict;
  readonly flags: readonly Flag[];
  readonly comment: string;
}

async function ownReview(tx: Tx, person: Person, id: string, now: number) {
  const review = await tx.selectFrom('reviews').selectAll().where('id', '=', id).where('reviewer_id', '=', person.id).executeTakeFirst();
  if (!review) throw notFound();
  if (review.state !== 'assigned' || review.expires_at.getTime() <= now) throw new Refusal('review_gone', 'This review was handed in, or its time ran out, or its record was taken back.');
  return review;
}

/** Hands it in. Whoever has not had the time to read it is not counted, and is not told. */
export async function submitReview(context: Context, person: Person, id: string, input: ReviewInput): Promise<void> {
  await context.store.transaction(async (tx) => {
    const now = context.now();
    const found = await ownReview(tx, person, id, now);
    const [first, second] = [person.id, (await tx.selectFrom('submissions').select('author_id').where('id', '=', found.submission_id).executeTakeFirstOrThrow()).author_id].sort();
    for (const user of new Set([first!, second!])) await tx.selectFrom('users').select('id').where('id', '=', user).forUpdate().execute();
    const submission = await lockRecord(tx, found.submission_id);
    const review = await ownReview(tx, person, id, now);
    const campaign = await holdCampaign(tx, submission.campaign_id);
    const why = forbids(campaign.state, 'review');
    if (why) throw closedFor(why);
    const category = submission.category as CategoryKey;
    const scores = Object.fromEntries(CRITERIA.map((criterion) => [criterion, input.scores[criterion] ?? null])) as unknown as Scores;
    const faults = reviewFaults({ ...input, scores }, NEEDS_PASSAGE.includes(category));
    if (faults.length > 0) throw new Refusal('review_faults', 'Scores, verdict and comment do not fit together.', { values: { faults: faults.join(' ') } });
    const text = await tx.selectFrom('submission_versions').selectAll().where('submission_id', '=', submission.id).where('version', '=', review.version).executeTakeFirstOrThrow();
    const dwell_ms = now - review.assigned_at.getTime();
    const words = countWords(text.instruction, text.language) + countWords(text.context, text.language) + countWords(text.response, text.language);
    const read = dwell_ms >= leastDwell(campaign.points, words);
    await tx.updateTable('reviews').set({ state: 'submitted', scores: JSON.stringify(scores), verdict: input.verdict, flags: [...new Set(input.flags)], comment: input.comment, dwell_ms, submitted_at: new Date(now), valid: read ? null : false }).where('id', '=', id).execute();
    await audit(tx, { actor: person.id, type: 'review.submitted', subject: `review:${id}` }, instantOf(context));
    if (review.is_gold) await retireIfKnown(tx, context, review.submission_id);
    else if (!read) await freePlace(tx, review);
    else if (submission.state === 'in_review' && submission.needs_decision === null && submission.version === review.version && submission.round === review.round) await decideByReviews(tx, context, campaign, submission);
    await settleReviewer(tx, context, campaign, { id: person.id, team_id: person.team?.id ?? null });
  });
}

async function retireIfKnown(tx: Tx, context: Context, submissionId: string): Promise<void> {
  const { n } = await tx.selectFrom('reviews').select((eb) => eb.fn.count<number>('reviewer_id').distinct().as('n')).where('submission_id', '=', submissionId).where('is_gold', '=', true).executeTakeFirstOrThrow();
  const { all } = await tx.selectFrom('reviews').select((eb) => eb.fn.count<number>('reviewer_id').distinct().as('all')).executeTakeFirstOrThrow();
  if (isWornOut(n, all)) await tx.updateTable('golds').set({ retired_at: instantOf(context) }).where('submission_id', '=', submissionId).execute();
}

/** Passes a record on, with a reason. */
export async function skipReview(context: Context, person: Person, id: string, reason: string): Promise<void> {
  await context.store.transaction(async (tx) => {
    const review = await ownReview(tx, person, id, context.now());
    const { numUpdatedRows } = await tx.updateTable('reviews').set({ state: 'skipped', skip_reason: reason }).where('id', '=', id).where('state', '=', 'assigned').executeTakeFirst();
    if (numUpdatedRows > 0n) await freePlace(tx, review);
  });
}

/** How it was typed, unless that was erased. */
export const typingOf = (telemetry: unknown) => (Object.keys(telemetry as object).length === 0 ? null : (telemetry as { paste_share: number; active_ms: number; edits: number }));
