/** How a campaign goes, for organisers: counts by day, people, the log. */
import { sql } from 'kysely';
import { auditFault } from '../../store/audit.ts';
import { currentCampaign, requireCampaign } from './current.ts';
import { categoryFacts } from './facts.ts';
import type { Context } from '../context.ts';
import { verifyLedger } from '../points/ledger.ts';
import { dayOf, instantOf as hourOn } from '../rules/calendar.ts';

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

export async function listPeople({ store: { db } }: Context) {
  const campaign = await currentCampaign(db);
  const rows = await db.selectFrom('users as u').leftJoin('memberships as m', (join) => join.onRef('m.user_id', '=', 'u.id').on('m.until', 'is', null)).leftJoin('teams as t', 't.id', 'm.team_id').select(['u.id', 'u.display_name', 'u.login', 'u.email', 'u.roles', 'u.status', 'u.stopped', 'u.created_at', 't.name as team']).orderBy('u.id').limit(20_000).execute();
  const accepted = campaign ? await db.selectFrom('submissions').select(['author_id', (eb) => eb.fn.countAll<number>().as('n')]).where('campaign_id', '=', campaign.id).where('state', '=', 'accepted').groupBy('author_id').execute() : [];
  const counts = new Map(accepted.map(({ author_id, n }) => [author_id, n]));
  return rows.map(({ id, display_name: name, login, email, roles, status, stopped, created_at, team }) => ({ id, name, login, email, roles, team, status, stopped, accepted: counts.get(id) ?? 0, joined_at: created_at.toISOString() }));
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
