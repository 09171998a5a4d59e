/** What a page needs first: who is asking, the campaign, what waits; and the page that people begin at. */
import type { Db } from '../../store/store.ts';
import type { Person } from '../accounts/sessions.ts';
import { setupNeeded } from '../accounts/setup.ts';
import type { Context } from '../context.ts';
import { auditsFor } from '../points/audits.ts';
import { rankOf, provisionalOf } from '../points/boards.ts';
import { entriesOf } from '../points/ledger.ts';
import { mayAccess } from '../rules/access.ts';
import { dayOf } from '../rules/calendar.ts';
import type { CategoryKey } from '../rules/categories.ts';
import { sumsByUser } from '../rules/ledger.ts';
import { streakOf } from '../rules/streak.ts';
import { excerptOf, openDrafts } from '../writing/drafts.ts';
import { answerableCounts } from '../writing/questions.ts';
import { givenConsent } from './consent.ts';
import { currentCampaign, requireCampaign, type Campaign } from './current.ts';
import { categoryFacts } from './facts.ts';

export const summaryOf = (campaign: Campaign) => ({
  id: campaign.id, title: campaign.title, state: campaign.state, time_zone: campaign.time_zone, languages: campaign.languages, starts_at: campaign.starts_at.toISOString(), ends_at: campaign.ends_at.toISOString(), licence: campaign.licence, purpose: campaign.purpose, prizes: [...campaign.prizes],
});

export async function sessionView(context: Context, person: Person | undefined) {
  const { db } = context.store;
  const campaign = await currentCampaign(db);
  return {
    setup_needed: person === undefined && (await setupNeeded(context)),
    person: person ? { id: person.id, login: person.login, name: person.name, alias: person.alias, roles: [...person.roles], locale: person.locale, team: person.team, visibility: person.visibility } : null,
    // Who is not signed in learns nothing of the campaign.
    campaign: person && campaign ? summaryOf(campaign) : null, consent: person && campaign ? { needed: campaign.consent_version, given: await givenConsent(db, person.id, campaign.id) } : null,
    waiting: person ? await waitingFor(db, campaign, person) : null,
  };
}

async function waitingFor(db: Db, campaign: Campaign | undefined, person: Person) {
  if (!campaign) return { drafts: 0, revisions: 0, reviews: 0, adjudications: 0, audits: 0 };
  const row = await db.selectNoFrom((eb) => [
    eb.selectFrom('drafts').select((e) => e.fn.countAll<number>().as('n')).where('user_id', '=', person.id).where('campaign_id', '=', campaign.id).where('state', '=', 'open').as('drafts'),
    eb.selectFrom('submissions').select((e) => e.fn.countAll<number>().as('n')).where('author_id', '=', person.id).where('campaign_id', '=', campaign.id).where('state', 'in', ['changes_requested', 'needs_fix']).as('revisions'),
    eb.selectFrom(eb.selectFrom('submissions').select('id').where('campaign_id', '=', campaign.id).where('state', '=', 'in_review').where('needs_decision', 'is', null).whereRef('reviews_taken', '<', 'reviews_wanted').where('author_id', '!=', person.id).limit(100).as('w')).select((e) => e.fn.countAll<number>().as('n')).as('reviews'),
    eb.selectFrom('submissions').select((e) => e.fn.countAll<number>().as('n')).where('campaign_id', '=', campaign.id).where('needs_decision', 'is not', null).where('author_id', '!=', person.id).as('adjudications'),
  ]).executeTakeFirstOrThrow();
  return { drafts: row.drafts ?? 0, revisions: row.revisions ?? 0, reviews: mayAccess('reviewer', person.roles) ? (row.reviews ?? 0) : 0, adjudications: mayAccess('moderator', person.roles) ? (row.adjudications ?? 0) : 0, audits: mayAccess('moderator', person.roles) ? await auditsFor(db, campaign, person) : 0 };
}

export async function homeView(context: Context, person: Person) {
  const { db } = context.store;
  const campaign = await requireCampaign(db);
  const [facts, asked, own, days, entries, drafts, decisions, provisional, rank] = await Promise.all([
    categoryFacts(db, campaign), answerableCounts(db, campaign, person),
    db.selectFrom('submissions').select(['category', (eb) => eb.fn.countAll<number>().as('n')]).where('author_id', '=', person.id).where('campaign_id', '=', campaign.id).where('state', '=', 'accepted').groupBy('category').execute(),
    db.selectFrom('submissions').select('work_day').distinct().where('author_id', '=', person.id).where('campaign_id', '=', campaign.id).where('state', '=', 'accepted').execute(),
    entriesOf(db, campaign.id, { user: person.id }), openDrafts(context, person.id, campaign.id),
    db.selectFrom('submissions as s').innerJoin('submission_versions as v', (join) => join.onRef('v.submission_id', '=', 's.id').onRef('v.version', '=', 's.version')).select(['s.id', 's.category', 's.state', 's.decided_at', 'v.instruction', 'v.context', 'v.response'])
      .where('s.author_id', '=', person.id).where('s.campaign_id', '=', campaign.id).where('s.undone', '=', false).where('s.decided_at', 'is not', null).orderBy('s.decided_at', 'desc').limit(10).execute(),
    provisionalOf(db, campaign, person.id), rankOf(context, campaign, person.id),
  ]);
  return {
    categories: facts.map(({ category, goal, accepted, in_review, weight }) => ({ category, goal, accepted, in_review, mine: own.find((row) => row.category === category)?.n ?? 0, weight, base_mp: campaign.points.base_mp[category], questions: asked.get(category) ?? 0 })),
    points: { settled: sumsByUser(entries, campaign.points).get(person.id)?.points_mp ?? 0, provisional }, rank, accepted: own.reduce((sum, { n }) => sum + n, 0), streak: streakOf(days.map(({ work_day }) => work_day), dayOf(context.now(), campaign.time_zone)), drafts,
    decisions: decisions.map((row) => ({ record_id: row.id, category: row.category as CategoryKey, state: row.state, excerpt: excerptOf(row), at: row.decided_at!.toISOString() })),
  };
}
