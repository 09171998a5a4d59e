/** Making, changing and moving a campaign. */
import { audit } from '../../store/audit.ts';
import { newId } from '../../store/id.ts';
import type { Db, Tx } from '../../store/store.ts';
import { isLicence } from '../../licence/expression.ts';
import { instantOf, type Context } from '../context.ts';
import { closedFor, Refusal, refusedMove } from '../refusal.ts';
import { CONSENT, fillConsent } from '../guidelines/consent.ts';
import { actorsOf, type Role } from '../rules/access.ts';
import { isTimeZone } from '../rules/calendar.ts';
import { CAMPAIGN, forbids, stillOpen, type CampaignEvent, type OpenWork } from '../rules/campaign.ts';
import { CATEGORIES, type CategoryKey } from '../rules/categories.ts';
import { offered, step, type Actor, type Sentence } from '../rules/machine.ts';
import { FIRST_RULES } from '../rules/points-rules.ts';
import { PENDING } from '../rules/submission.ts';
import { nominate } from '../points/awards.ts';
import { settleHeldReviews } from '../reviewing/pay.ts';
import { lapseRecords } from '../writing/lapse.ts';
import { consentTexts, insertConsent } from './consent.ts';
import { currentCampaign, holdCampaign, requireCampaign, type Campaign, type Prizes } from './current.ts';
import { seedGuidelines } from './guidelines.ts';

export interface CampaignInput {
  readonly title: string;
  readonly purpose: string;
  readonly organisation: string;
  readonly time_zone: string;
  readonly languages: readonly string[];
  readonly starts_at: string;
  readonly ends_at: string;
  readonly licence: string;
  readonly goals: Readonly<Partial<Record<CategoryKey, number | undefined>>>;
  readonly consent: Readonly<Record<string, string>>;
  readonly prizes: Prizes;
  readonly policy: { readonly reviews: 1 | 2 | 3; readonly personal_data: 'warn' | 'block' };
}

const BOARD_HOUR = 9;

function requireSound({ time_zone, starts_at, ends_at, licence, goals, prizes }: Pick<CampaignInput, 'time_zone' | 'starts_at' | 'ends_at' | 'licence' | 'goals' | 'prizes'>): void {
  if (!isTimeZone(time_zone)) throw new Refusal('bad_time_zone', 'This is no time zone such as Europe/Berlin.', { fields: { time_zone: 'is no time zone' } });
  if (!(Date.parse(starts_at) < Date.parse(ends_at))) throw new Refusal('bad_dates', 'The end must be after the start.', { fields: { ends_at: 'is not after the start' } });
  if (!isLicence(licence)) throw new Refusal('bad_licence', 'This is no SPDX licence expression such as CC-BY-SA-4.0.', { fields: { licence: 'is no SPDX expression' } });
  if (!Object.values(goals).some((goal) => (goal ?? 0) > 0)) throw new Refusal('no_goal', 'At least one category needs a goal.', { fields: { goals: 'are all 0' } });
  const ordered = [...prizes].sort((a, b) => a.from - b.from);
  if (ordered.some(({ from, to }, i) => to < from || (ordered[i + 1] && ordered[i + 1]!.from <= to))) throw new Refusal('invalid_request', 'The ranks of prizes overlap.', { fields: { prizes: 'overlap' } });
}

/** The program's own text in the languages it has, where nothing else is given. */
const consentOf = ({ consent, organisation, licence }: Pick<CampaignInput, 'consent' | 'organisation' | 'licence'>): Record<string, string> =>
  Object.keys(consent).length > 0 ? { ...consent } : { en: fillConsent(CONSENT.en, { organisation, licence }), ru: fillConsent(CONSENT.ru, { organisation, licence }) };

/** A new campaign, in draft. One at a time: the one before must be finished, or the demo. */
export async function createCampaign(context: Context, actor: string | null, input: CampaignInput, demo = false): Promise<Campaign> {
  requireSound(input);
  return context.store.transaction(async (tx) => {
    await tx.insertInto('chains').values({ name: 'campaigns', seq: 0, hash: '' }).onConflict((c) => c.doNothing()).execute();
    await tx.selectFrom('chains').select('seq').where('name', '=', 'campaigns').forUpdate().execute();
    const before = await currentCampaign(tx);
    if (before && !before.is_demo && !['frozen', 'archived'].includes(before.state)) throw new Refusal('campaign_exists', `"${before.title}" is not finished yet.`);
    const now = context.now();
    const id = newId(now);
    await tx.insertInto('points_rules').values({ version: FIRST_RULES.version, rules: JSON.stringify(FIRST_RULES), published_at: instantOf(context) }).onConflict((c) => c.doNothing()).execute();
    await tx.insertInto('campaigns').values({
      id, slug: demo ? `demo-${id.slice(-6)}` : slugOf(input.title, id), title: input.title, purpose: input.purpose, organisation: input.organisation, is_demo: demo, time_zone: input.time_zone, languages: [...input.languages], starts_at: new Date(input.starts_at), ends_at: new Date(input.ends_at),
      licence: input.licence, rules_version: FIRST_RULES.version, policy: JSON.stringify({ ...input.policy, board_hour: BOARD_HOUR }), prizes: JSON.stringify(input.prizes), created_by: actor, created_at: instantOf(context),
    }).execute();
    const categories = CATEGORIES.filter((key) => (input.goals[key] ?? 0) > 0);
    await tx.insertInto('categories').values(categories.map((key, position) => ({ campaign_id: id, key, position, goal: input.goals[key]! }))).execute();
    await insertConsent(tx, id, 1, consentOf(input));
    await seedGuidelines(tx, id, categories);
    await audit(tx, { actor, type: 'campaign.created', subject: `campaign:${id}`, payload: { rules: FIRST_RULES.version } }, instantOf(context));
    return holdCampaign(tx, id);
  });
}

const slugOf = (title: string, id: string): string => `${title.toLowerCase().normalize('NFKD').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40) || 'campaign'}-${id.slice(-6)}`;

/** What may still be changed once people work: words, the end later, goals, prizes never. */
export async function changeCampaign(context: Context, actor: string, change: Readonly<Partial<{ [K in keyof CampaignInput]: CampaignInput[K] | undefined }>>): Promise<Campaign> {
  return context.store.transaction(async (tx) => {
    const { id } = await requireCampaign(tx);
    await tx.selectFrom('campaigns').select('id').where('id', '=', id).forUpdate().execute();
    const campaign = await holdCampaign(tx, id);
    const why = forbids(campaign.state, 'configure');
    if (why) throw closedFor(why);
    const goalRows = await tx.selectFrom('categories').select(['key', 'goal']).where('campaign_id', '=', id).execute();
    const after = {
      time_zone: change.time_zone ?? campaign.time_zone, starts_at: change.starts_at ?? campaign.starts_at.toISOString(), ends_at: change.ends_at ?? campaign.ends_at.toISOString(), licence: change.licence ?? campaign.licence,
      goals: change.goals ?? Object.fromEntries(goalRows.map(({ key, goal }) => [key, goal])), prizes: change.prizes ?? campaign.prizes,
    };
    requireSound(after);
    if (campaign.state !== 'draft') {
      const fixed = [
        after.time_zone !== campaign.time_zone && 'time_zone', after.licence !== campaign.licence && 'licence', JSON.stringify(after.prizes) !== JSON.stringify(campaign.prizes) && 'prizes',
        change.policy && change.policy.reviews !== campaign.policy.reviews && 'policy', Date.parse(after.starts_at) !== campaign.starts_at.getTime() && 'starts_at', Date.parse(after.ends_at) < campaign.ends_at.getTime() && 'ends_at',
      ].filter((name) => typeof name === 'string');
      if (fixed.length > 0) throw new Refusal('campaign_closed', 'People work by what was published: this stays as it is once a campaign has begun.', { fields: Object.fromEntries(fixed.map((name) => [name, 'stays as it was published'])) });
    }
    await tx.updateTable('campaigns').set({
      title: change.title ?? campaign.title, purpose: change.purpose ?? campaign.purpose, organisation: change.organisation ?? campaign.organisation, time_zone: after.time_zone, languages: [...(change.languages ?? campaign.languages)],
      starts_at: new Date(after.starts_at), ends_at: new Date(after.ends_at), licence: after.licence, prizes: JSON.stringify(after.prizes), policy: JSON.stringify({ ...campaign.policy, ...change.policy }),
    }).where('id', '=', id).execute();
    if (change.goals) await changeGoals(tx, id, change.goals, new Set(goalRows.map(({ key }) => key)));
    if (change.consent && JSON.stringify(change.consent) !== JSON.stringify(await consentTexts(tx, id, campaign.consent_version))) {
      await insertConsent(tx, id, campaign.consent_version + 1, change.consent);
      await tx.updateTable('campaigns').set({ consent_version: campaign.consent_version + 1 }).where('id', '=', id).execute();
    }
    await audit(tx, { actor, type: 'campaign.changed', subject: `campaign:${id}`, payload: { fields: Object.keys(change) } }, instantOf(context));
    return holdCampaign(tx, id);
  });
}

async function changeGoals(tx: Tx, id: string, goals: CampaignInput['goals'], known: ReadonlySet<string>): Promise<void> {
  for (const [position, key] of CATEGORIES.entries()) {
    const goal = goals[key] ?? 0;
    if (known.has(key)) await tx.updateTable('categories').set({ goal, position }).where('campaign_id', '=', id).where('key', '=', key).execute();
    else if (goal > 0) {
      await tx.insertInto('categories').values({ campaign_id: id, key, position, goal }).execute();
      await seedGuidelines(tx, id, [key]);
    }
  }
}

export async function openWork(db: Db | Tx, campaignId: string): Promise<OpenWork> {
  const one = async (query: Promise<{ n: number }>) => (await query).n;
  const submissions = db.selectFrom('submissions').where('campaign_id', '=', campaignId);
  return {
    undecided: await one(submissions.select((eb) => eb.fn.countAll<number>().as('n')).where('state', 'in', [...PENDING]).executeTakeFirstOrThrow()),
    under_way: (await one(db.selectFrom('leases as l').innerJoin('tasks as t', 't.id', 'l.task_id').select((eb) => eb.fn.countAll<number>().as('n')).where('t.campaign_id', '=', campaignId).where('l.state', '=', 'claimed').executeTakeFirstOrThrow()))
      + (await one(db.selectFrom('reviews as r').innerJoin('submissions as s', 's.id', 'r.submission_id').select((eb) => eb.fn.countAll<number>().as('n')).where('s.campaign_id', '=', campaignId).where('r.state', '=', 'assigned').executeTakeFirstOrThrow())),
    awards_open: await one(db.selectFrom('awards').select((eb) => eb.fn.countAll<number>().as('n')).where('campaign_id', '=', campaignId).where('state', 'in', ['candidate', 'audited']).where('place', 'is not', null).executeTakeFirstOrThrow()),
  };
}

/** Moves it, or says why not. `actors` may be the program itself. */
export async function moveCampaign(context: Context, actor: string | null, actors: readonly Actor[], event: CampaignEvent): Promise<Campaign> {
  return context.store.transaction(async (tx) => {
    const { id } = await requireCampaign(tx);
    await tx.selectFrom('campaigns').select('id').where('id', '=', id).forUpdate().execute();
    const campaign = await holdCampaign(tx, id);
    const found = step(CAMPAIGN, campaign.state, event, actors);
    if (!found.ok) throw refusedMove(found.code, found.why);
    // Nobody's prize is passed over because the jobs had not run since, and what can lapse only does not stand in the way.
    if (event === 'freeze') {
      await lapseRecords(tx, context, campaign);
      await nominate(tx, context, id);
    }
    const open = stillOpen(event, await openWork(tx, id));
    if (open.length > 0) throw new Refusal('still_open', open.map(({ en }) => en).join(' '), { values: { why_en: open.map(({ en }) => en).join(' '), why_ru: open.map(({ ru }) => ru).join(' ') } });
    if (event === 'freeze') await settleHeldReviews(tx, context, campaign);
    await tx.updateTable('campaigns').set({ state: found.to, ...(event === 'freeze' && { frozen_at: instantOf(context) }), ...(event === 'resume' && { resumed_at: instantOf(context) }) }).where('id', '=', id).execute();
    await audit(tx, { actor, type: `campaign.${event}`, subject: `campaign:${id}`, payload: { from: campaign.state, to: found.to } }, instantOf(context));
    return holdCampaign(tx, id);
  });
}

/** As an organiser sees it, with what may be done now. */
export async function campaignView({ store: { db } }: Context, campaign: Campaign, roles: readonly Role[], locale: string) {
  const goals = await db.selectFrom('categories').select(['key', 'goal']).where('campaign_id', '=', campaign.id).orderBy('position').execute();
  const work = await openWork(db, campaign.id);
  const say = (sentence: Sentence) => (locale === 'ru' ? sentence.ru : sentence.en);
  return {
    id: campaign.id, state: campaign.state, title: campaign.title, purpose: campaign.purpose, organisation: campaign.organisation, time_zone: campaign.time_zone, languages: campaign.languages, starts_at: campaign.starts_at.toISOString(), ends_at: campaign.ends_at.toISOString(),
    licence: campaign.licence, goals: Object.fromEntries(goals.map(({ key, goal }) => [key, goal])), consent: await consentTexts(db, campaign.id, campaign.consent_version), prizes: [...campaign.prizes],
    policy: { reviews: campaign.policy.reviews, personal_data: campaign.policy.personal_data }, moves: offered(CAMPAIGN, campaign.state, actorsOf(roles)).map((event) => ({ event, blocked: stillOpen(event, work).map(say) })),
  };
}
