/** How a campaign goes, for organisers: counts by day, agreement of reviewers, people, reports, the log. */
import { sql } from 'kysely';
import { audit, auditFault } from '../../store/audit.ts';
import { newId } from '../../store/id.ts';
import type { Person } from '../accounts/sessions.ts';
import { currentCampaign, requireCampaign } from './current.ts';
import { categoryFacts } from './facts.ts';
import { instantOf, type Context } from '../context.ts';
import { verifyLedger } from '../points/ledger.ts';
import { notFound } from '../refusal.ts';
import { gwetAc1, krippendorffAlpha, rawAgreement, type Units } from '../rules/agreement.ts';
import { dayOf, instantOf as hourOn } from '../rules/calendar.ts';
import { answerTo } from '../rules/reliability.ts';
import { CRITERIA, VERDICTS, type Scores, type Verdict } from '../rules/review-outcome.ts';
import { excerptOf } from '../writing/drafts.ts';

export async function progressView(context: Context) {
  const { db } = context.store;
  const campaign = await requireCampaign(db);
  const facts = await categoryFacts(db, campaign);
  const midnight = new Date(hourOn(dayOf(context.now(), campaign.time_zone), 0, campaign.time_zone));
  const [people, active, submitted, accepted, waiting, passages, reports] = await Promise.all([
    db.selectFrom('consents').select((eb) => eb.fn.count<number>('user_id').distinct().as('n')).where('campaign_id', '=', campaign.id).executeTakeFirstOrThrow(),
    db.selectFrom('submissions').select((eb) => eb.fn.count<number>('author_id').distinct().as('n')).where('campaign_id', '=', campaign.id).where('created_at', '>=', midnight).executeTakeFirstOrThrow(),
    db.selectFrom('submissions').select(['work_day as day', (eb) => eb.fn.countAll<number>().as('n')]).where('campaign_id', '=', campaign.id).where('undone', '=', false).groupBy('work_day').execute(),
    db.selectFrom('submissions').select([sql<string>`(decided_at at time zone ${campaign.time_zone})::date::text`.as('day'), (eb) => eb.fn.countAll<number>().as('n')]).where('campaign_id', '=', campaign.id).where('state', '=', 'accepted').groupBy('day').execute(),
    db.selectFrom('submissions').select((eb) => [eb.fn.countAll<number>().filterWhere('needs_decision', 'is not', null).as('decisions'), eb.fn.countAll<number>().filterWhere('needs_decision', 'is', null).filterWhere('state', '=', 'in_review').as('reviews')]).where('campaign_id', '=', campaign.id).executeTakeFirstOrThrow(),
    db.selectFrom('passages').select((eb) => eb.fn.countAll<number>().as('n')).where('campaign_id', '=', campaign.id).where('state', '=', 'proposed').executeTakeFirstOrThrow(),
    db.selectFrom('reports').select((eb) => eb.fn.countAll<number>().as('n')).where('state', '=', 'open').executeTakeFirstOrThrow(),
  ]);
  const days = [...new Set([...submitted, ...accepted].map(({ day }) => day))].sort();
  const on = (rows: readonly { day: string; n: number }[], day: string) => rows.find((row) => row.day === day)?.n ?? 0;
  return {
    categories: facts.map(({ category, goal, accepted: done, in_review, rejected, changes_requested }) => ({ category, goal, accepted: done, in_review, rejected, changes_requested })), people: people.n, active_today: active.n,
    days: days.map((day) => ({ day, submitted: on(submitted, day), accepted: on(accepted, day) })), waiting: { reviews: waiting.reviews, decisions: waiting.decisions, passages: passages.n, reports: reports.n },
  };
}

/** With fewer pairs a figure would say nothing. */
const LEAST_UNITS = 5;

const figures = (units: Units, values: number, metric: 'ordinal' | 'nominal') => {
  const pairs = units.filter((unit) => unit.length >= 2);
  if (pairs.length < LEAST_UNITS) return { alpha: null, ac1: null, raw: null, n: pairs.length };
  const rounded = (value: number | undefined) => (value === undefined ? null : Math.round(1000 * value) / 1000);
  return { alpha: rounded(krippendorffAlpha(units, metric)), ac1: rounded(gwetAc1(units, values)), raw: rounded(rawAgreement(units)), n: pairs.length };
};

export async function qualityView(context: Context) {
  const { db } = context.store;
  const campaign = await requireCampaign(db);
  const reviews = await db.selectFrom('reviews as r').innerJoin('submissions as s', 's.id', 'r.submission_id').select(['r.submission_id', 'r.version', 'r.round', 'r.scores', 'r.verdict', 's.category', 'r.is_gold']).where('s.campaign_id', '=', campaign.id).where('r.state', '=', 'submitted').where((eb) => eb.or([eb('r.valid', 'is', null), eb('r.valid', '=', true)])).execute();
  const plain = reviews.filter(({ is_gold }) => !is_gold);
  const units = [...Map.groupBy(plain, ({ submission_id, version, round }) => `${submission_id} ${version} ${round}`).values()];
  const golds = await db.selectFrom('golds as g').innerJoin('submissions as s', 's.id', 'g.submission_id').select(['g.submission_id', 'g.verdict']).where('s.campaign_id', '=', campaign.id).execute();
  const goldVerdict = new Map(golds.map(({ submission_id, verdict }) => [submission_id, verdict]));
  const answers = reviews.filter(({ is_gold, submission_id }) => is_gold && goldVerdict.has(submission_id));
  const decided = await db.selectFrom('submissions').select(['category', 'state', 'created_at', 'decided_at']).where('campaign_id', '=', campaign.id).where('state', 'in', ['accepted', 'rejected']).where('decided_at', 'is not', null).execute();
  const hours = decided.map(({ created_at, decided_at }) => (decided_at!.getTime() - created_at.getTime()) / 3_600_000).sort((a, b) => a - b);
  const categories = await db.selectFrom('categories').select('key').where('campaign_id', '=', campaign.id).orderBy('position').execute();
  return {
    criteria: CRITERIA.map((criterion) => ({ criterion, ...figures(units.map((unit) => unit.map(({ scores }) => (scores as Scores)[criterion]).filter((score) => score !== null && score !== undefined)), 5, 'ordinal') })),
    categories: categories.map(({ key }) => {
      const here = decided.filter(({ category }) => category === key);
      return { category: key as never, ...figures(units.filter((unit) => unit[0]!.category === key).map((unit) => unit.map(({ verdict }) => VERDICTS.indexOf(verdict as Verdict))), VERDICTS.length, 'nominal'), accept_rate: here.length === 0 ? null : Math.round((1000 * here.filter(({ state }) => state === 'accepted').length) / here.length) / 1000 };
    }),
    gold: { items: golds.length, answered: answers.length, right: answers.filter(({ submission_id, verdict }) => answerTo(goldVerdict.get(submission_id)!, verdict as Verdict) === 'right').length },
    median_hours: hours.length === 0 ? null : Math.round(10 * hours[Math.floor(hours.length / 2)]!) / 10,
  };
}

export async function listPeople({ store: { db } }: Context) {
  const campaign = await currentCampaign(db);
  const rows = await db.selectFrom('users as u').leftJoin('memberships as m', (join) => join.onRef('m.user_id', '=', 'u.id').on('m.until', 'is', null)).leftJoin('teams as t', 't.id', 'm.team_id').select(['u.id', 'u.display_name', 'u.login', 'u.email', 'u.roles', 'u.status', 'u.created_at', 't.name as team']).orderBy('u.id').limit(20_000).execute();
  const accepted = campaign ? await db.selectFrom('submissions').select(['author_id', (eb) => eb.fn.countAll<number>().as('n')]).where('campaign_id', '=', campaign.id).where('state', '=', 'accepted').groupBy('author_id').execute() : [];
  const counts = new Map(accepted.map(({ author_id, n }) => [author_id, n]));
  return rows.map(({ id, display_name: name, login, email, roles, status, created_at, team }) => ({ id, name, login, email, roles, team, status, accepted: counts.get(id) ?? 0, joined_at: created_at.toISOString() }));
}

/** Somebody says that a record breaks the rules. Who reviews it, who wrote it, and moderators can. */
export async function reportRecord(context: Context, person: Person, id: string, reason: string): Promise<void> {
  const { db } = context.store;
  const submission = await db.selectFrom('submissions').select(['id', 'author_id']).where('id', '=', id).executeTakeFirst();
  const reviewed = submission && (await db.selectFrom('reviews').select('id').where('submission_id', '=', id).where('reviewer_id', '=', person.id).executeTakeFirst());
  if (!submission || (submission.author_id !== person.id && !reviewed && !person.roles.some((role) => ['owner', 'admin', 'moderator'].includes(role)))) throw notFound();
  await context.store.transaction(async (tx) => {
    const report = newId(context.now());
    await tx.insertInto('reports').values({ id: report, submission_id: id, reporter_id: person.id, reason, at: instantOf(context) }).onConflict((c) => c.columns(['submission_id', 'reporter_id']).doUpdateSet({ reason, state: 'open', at: instantOf(context) })).execute();
    await audit(tx, { actor: person.id, type: 'record.reported', subject: `submission:${id}` }, instantOf(context));
  });
}

export async function listReports({ store: { db } }: Context) {
  const rows = await db.selectFrom('reports as r').innerJoin('submissions as s', 's.id', 'r.submission_id').innerJoin('submission_versions as v', (join) => join.onRef('v.submission_id', '=', 's.id').onRef('v.version', '=', 's.version')).select(['r.id', 'r.submission_id', 'r.reason', 'r.state', 'r.at', 'v.instruction', 'v.context', 'v.response']).orderBy('r.at', 'desc').limit(500).execute();
  return rows.map((row) => ({ id: row.id, record_id: row.submission_id, reason: row.reason, excerpt: excerptOf(row), at: row.at.toISOString(), state: row.state }));
}

export async function answerReport(context: Context, person: Person, id: string, state: 'actioned' | 'dismissed'): Promise<void> {
  await context.store.transaction(async (tx) => {
    const { numUpdatedRows } = await tx.updateTable('reports').set({ state, answered_by: person.id }).where('id', '=', id).executeTakeFirst();
    if (numUpdatedRows === 0n) throw notFound();
    await audit(tx, { actor: person.id, type: `report.${state}`, subject: `report:${id}` }, instantOf(context));
  });
}

const PAGE = 100;

export async function logPage({ store: { db } }: Context, before: number | undefined) {
  let query = db.selectFrom('events as e').leftJoin('users as u', 'u.id', 'e.actor_id').select(['e.seq', 'e.at', 'u.display_name', 'u.status', 'e.actor_id', 'e.type', 'e.subject']).orderBy('e.seq', 'desc').limit(PAGE + 1);
  if (before !== undefined) query = query.where('e.seq', '<', before);
  const rows = await query.execute();
  return { events: rows.slice(0, PAGE).map(({ seq, at, display_name, status, actor_id, type, subject }) => ({ seq, at: at.toISOString(), actor: status === 'erased' ? actor_id : display_name, type, subject })), more: rows.length > PAGE };
}

export async function verifyLogs({ store: { db } }: Context) {
  const fault = await auditFault(db);
  const campaign = await currentCampaign(db);
  const ledger = campaign && (await verifyLedger(db, campaign));
  return { events: { ok: fault === undefined, at: fault === undefined ? null : Number(/entry (\d+)/.exec(fault)?.[1] ?? 0) || null }, ledger: { ok: ledger === undefined, at: ledger?.at ?? null } };
}
