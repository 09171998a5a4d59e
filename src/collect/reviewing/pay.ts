/** Pay of reviews: booked once a reviewer is proven, voided for who clicks through. The rules are in rules/reliability.ts. */
import { sql } from 'kysely';
import type { Db, Tx } from '../../store/store.ts';
import { countWords } from '../../text/words.ts';
import type { Campaign } from '../campaigns/current.ts';
import type { Context } from '../context.ts';
import { book, entriesOf } from '../points/ledger.ts';
import { dayOf } from '../rules/calendar.ts';
import { entryOfReview, reversalsOf } from '../rules/ledger.ts';
import { answerTo, bookReviews, reliability, reviewKey, type Answer, type PastReview, type Reliability } from '../rules/reliability.ts';
import type { Scores, Verdict } from '../rules/review-outcome.ts';

/** Reviews that somebody handed in in a campaign, in order, as their pay sees them. */
async function pastReviews(tx: Tx, campaign: Campaign, reviewerId: string): Promise<(Omit<PastReview, 'words'> & { readonly at: Date })[]> {
  const rows = await tx.selectFrom('reviews as r').innerJoin('submissions as s', 's.id', 'r.submission_id').leftJoin('golds as g', 'g.submission_id', 'r.submission_id')
    .select(['r.id', 'r.scores', 'r.verdict', 'r.dwell_ms', 'r.state', 'r.is_gold', 'r.submitted_at', 'g.verdict as gold', (eb) => eb.exists(eb.selectFrom('ledger_entries as e').select('e.seq').where('e.campaign_id', '=', campaign.id).where('e.event_id', '=', sql<string>`'review:' || r.id`)).as('booked')])
    .where('s.campaign_id', '=', campaign.id).where('r.reviewer_id', '=', reviewerId).where('r.submitted_at', 'is not', null).orderBy('r.submitted_at').orderBy('r.id').execute();
  return rows.map((row) => ({
    id: row.id, key: reviewKey(row.scores as Scores, row.verdict as Verdict), dwell_ms: row.dwell_ms ?? 0, at: row.submitted_at!,
    ...(row.is_gold && row.gold ? { gold: answerTo(row.gold as Verdict, row.verdict as Verdict) } : {}), state: row.state === 'voided' ? ('voided' as const) : row.booked ? ('booked' as const) : ('held' as const),
  }));
}

/** How much there was to read. */
async function wordsOfReviews(tx: Tx, ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.selectFrom('reviews as r').innerJoin('submission_versions as v', (join) => join.onRef('v.submission_id', '=', 'r.submission_id').onRef('v.version', '=', 'r.version')).select(['r.id', 'v.instruction', 'v.context', 'v.response', 'v.language']).where('r.id', 'in', [...ids]).execute();
  return new Map(rows.map(({ id, language, ...text }) => [id, countWords(text.instruction, language) + countWords(text.context, language) + countWords(text.response, language)]));
}

/** Answers to gold items in a campaign, in order; those of voided reviews too: nobody begins anew by falling. */
export async function goldAnswers(db: Db | Tx, campaign: Campaign, reviewerId: string): Promise<Answer[]> {
  const rows = await db.selectFrom('reviews as r').innerJoin('submissions as s', 's.id', 'r.submission_id').innerJoin('golds as g', 'g.submission_id', 'r.submission_id').select(['r.verdict', 'g.verdict as right'])
    .where('s.campaign_id', '=', campaign.id).where('r.reviewer_id', '=', reviewerId).where('r.is_gold', '=', true).where('r.submitted_at', 'is not', null).orderBy('r.submitted_at').orderBy('r.id').execute();
  return rows.map(({ verdict, right }) => answerTo(right as Verdict, verdict as Verdict));
}

/** How far somebody can be relied on in this campaign: by gold items, and by records that moderators decided. */
export async function reliabilityOf(tx: Tx, campaign: Campaign, reviewerId: string): Promise<Reliability> {
  const decided = await tx.selectFrom('reviews as r').innerJoin('adjudications as a', (join) => join.onRef('a.submission_id', '=', 'r.submission_id').onRef('a.version', '=', 'r.version').onRef('a.round', '=', 'r.round')).innerJoin('submissions as s', 's.id', 'r.submission_id').select(['r.verdict', 'a.verdict as right'])
    .where('s.campaign_id', '=', campaign.id).where('r.reviewer_id', '=', reviewerId).where('r.is_gold', '=', false).where('r.submitted_at', 'is not', null).execute();
  return reliability(await goldAnswers(tx, campaign, reviewerId), decided.map(({ verdict, right }) => answerTo(right as Verdict, verdict as Verdict)));
}

/** Books or voids what follows from a reviewer's reviews so far. `last`: at the end of the campaign. */
export async function settleReviewer(tx: Tx, context: Context, campaign: Campaign, reviewer: { readonly id: string; readonly team_id: string | null }, last = false): Promise<void> {
  const reviews = await pastReviews(tx, campaign, reviewer.id);
  // Which are booked does not depend on their words, and counting those of hundreds takes long: only of what is booked they are asked for.
  const { book: toBook, void: toVoid } = bookReviews(campaign.points, reviews.map((review) => ({ ...review, words: 0 })), last);
  const words = await wordsOfReviews(tx, toBook.map(({ id }) => id));
  const at = new Map(reviews.map((review) => [review.id, review.at.getTime()]));
  const entries = toBook.map(({ id, facts }) => entryOfReview(campaign.points, { id, work_day: dayOf(at.get(id)!, campaign.time_zone), reviewer: { user_id: reviewer.id, team_id: reviewer.team_id } }, { ...facts, words: words.get(id)! }));
  const own = toVoid.length > 0 ? await entriesOf(tx, campaign.id, { user: reviewer.id }) : [];
  const reversals = toVoid.flatMap((id) => reversalsOf(`review:${id}`, own, 'review_voided'));
  if (toVoid.length > 0) await tx.updateTable('reviews').set({ state: 'voided', valid: false }).where('id', 'in', [...toVoid]).execute();
  if (toBook.length > 0) await tx.updateTable('reviews').set({ valid: true }).where('id', 'in', toBook.map(({ id }) => id)).execute();
  await book(tx, context, campaign.id, [...entries, ...reversals]);
}

/** At the end: who saw few gold items is paid too, if these were right more often than not. */
export async function settleHeldReviews(tx: Tx, context: Context, campaign: Campaign): Promise<void> {
  const reviewers = await tx.selectFrom('reviews as r').innerJoin('submissions as s', 's.id', 'r.submission_id').leftJoin('memberships as m', (join) => join.onRef('m.user_id', '=', 'r.reviewer_id').on('m.until', 'is', null)).select(['r.reviewer_id', 'm.team_id']).distinct()
    .where('s.campaign_id', '=', campaign.id).where('r.state', '=', 'submitted').execute();
  for (const { reviewer_id, team_id } of reviewers) await settleReviewer(tx, context, campaign, { id: reviewer_id, team_id }, true);
}
