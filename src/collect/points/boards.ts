/** Boards: a snapshot a day of who stands where, from the ledger alone; shown with one's own place, by name, alias or not at all. */
import { sql } from 'kysely';
import { holdChain } from '../../store/chain.ts';
import { isUniqueViolation, type Db, type Store } from '../../store/store.ts';
import type { Person } from '../accounts/sessions.ts';
import { categoryFacts } from '../campaigns/facts.ts';
import { requireCampaign, type Campaign } from '../campaigns/current.ts';
import type { Context } from '../context.ts';
import { notFound } from '../refusal.ts';
import { BLACKOUT_MS, boardRows, boardTop, neighbours, shownCutoff, teamRows, type BoardPerson, type BoardRow, type BoardTimes, type ShownRow } from '../rules/boards.ts';
import { dayOf, instantOf as hourOn, lastCutoff, nextCutoff } from '../rules/calendar.ts';
import type { CategoryKey } from '../rules/categories.ts';
import { recordPoints } from '../rules/points.ts';
import { PENDING } from '../rules/submission.ts';
import { tokenHash } from '../../store/id.ts';
import { EXPECTED_QUALITY, factsOfAll } from '../writing/submit.ts';
import { chainOf, entriesOf } from './ledger.ts';

const TOP = 20;

export const boardTimes = (campaign: Campaign): BoardTimes => ({ time_zone: campaign.time_zone, hour: campaign.policy.board_hour, starts: campaign.starts_at.getTime(), ends: campaign.ends_at.getTime(), blackout_ms: Math.min(BLACKOUT_MS, Math.floor((campaign.ends_at.getTime() - campaign.starts_at.getTime()) / 4)) });

/** The rows of a board by recomputation from the ledger: what a snapshot must equal. */
export const computeBoard = async (db: Db, campaign: Campaign, cutoff: Date): Promise<BoardRow[]> => boardRows(await entriesOf(db, campaign.id, { before: cutoff }), campaign.points);

/** The snapshot of a cutoff; made where it is not there yet. */
export async function snapshotAt(store: Store, campaign: Campaign, cutoff: Date): Promise<readonly BoardRow[]> {
  const { db } = store;
  const kept = await db.selectFrom('board_snapshots').select('rows').where('campaign_id', '=', campaign.id).where('cutoff', '=', cutoff).executeTakeFirst();
  if (kept) return kept.rows as BoardRow[];
  // Whoever holds the chain knows that nothing from before the cutoff is still about to be committed.
  const head = await store.transaction((tx) => holdChain(tx, chainOf(campaign.id)));
  const rows = await computeBoard(db, campaign, cutoff);
  try {
    await db.insertInto('board_snapshots').values({ campaign_id: campaign.id, cutoff, rows: JSON.stringify(rows), ledger_seq: head.seq, ledger_hash: head.hash }).execute();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error; // another server was quicker; the rows are the same
  }
  return rows;
}

/** Snapshots by campaign and cutoff: they never change. The last few are kept in memory. */
const snapshots = new Map<string, Promise<readonly BoardRow[]>>();

function snapshot(store: Store, campaign: Campaign, cutoff: number): Promise<readonly BoardRow[]> {
  const key = `${campaign.id} ${cutoff}`;
  const known = snapshots.get(key);
  if (known) return known;
  const made = snapshotAt(store, campaign, new Date(cutoff));
  made.catch(() => snapshots.delete(key));
  snapshots.set(key, made);
  if (snapshots.size > 8) snapshots.delete(snapshots.keys().next().value!);
  return made;
}

/** After the end the last board is of everything that settled since. */
async function shownBoard(context: Context, campaign: Campaign): Promise<{ cutoff: number; rows: readonly BoardRow[] } | undefined> {
  const cutoff = shownCutoff(context.now(), boardTimes(campaign));
  return cutoff === undefined ? undefined : { cutoff, rows: await snapshot(context.store, campaign, cutoff) };
}

async function peopleOf(db: Db, ids: readonly string[]): Promise<Map<string, BoardPerson & { readonly team: string | null }>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom('users as u').leftJoin('memberships as m', (join) => join.onRef('m.user_id', '=', 'u.id').on('m.until', 'is', null)).leftJoin('teams as t', 't.id', 'm.team_id').select(['u.id', 'u.display_name', 'u.alias', 'u.board_visibility', 'u.status', 't.name as team']).where('u.id', 'in', [...ids]).execute();
  return new Map(rows.map(({ id, status, ...person }) => [id, status === 'erased' ? { ...person, board_visibility: 'hidden' as const } : person]));
}

interface Teams {
  readonly names: ReadonlyMap<string, string>;
  readonly members: ReadonlyMap<string, readonly string[]>;
}

/** Where there are so many members they are kept for a while: every board asks for all of them. */
const LARGE = 1000;
const KEPT_MS = 15_000;
const keptTeams = new WeakMap<Db, { until: number; teams: Teams }>();

async function teamMembers(db: Db): Promise<Teams> {
  const known = keptTeams.get(db);
  if (known && known.until > performance.now()) return known.teams;
  const rows = await db.selectFrom('memberships as m').innerJoin('teams as t', 't.id', 'm.team_id').innerJoin('users as u', 'u.id', 'm.user_id').select(['t.id', 't.name', sql<string[]>`array_agg(m.user_id::text)`.as('members')]).where('m.until', 'is', null).where('u.status', '=', 'active').groupBy('t.id').execute();
  const teams = { names: new Map(rows.map(({ id, name }) => [id, name])), members: new Map(rows.map(({ id, members }) => [id, members])) };
  if (rows.reduce((sum, { members }) => sum + members.length, 0) >= LARGE) keptTeams.set(db, { until: performance.now() + KEPT_MS, teams });
  return teams;
}

/** What one day added, as a board of its own. */
function difference(now: readonly BoardRow[], before: readonly BoardRow[]): BoardRow[] {
  const old = new Map(before.map((row) => [row.user_id, row]));
  const rows = now.map((row) => ({ ...row, points_mp: row.points_mp - (old.get(row.user_id)?.points_mp ?? 0), accepted: row.accepted - (old.get(row.user_id)?.accepted ?? 0) })).filter(({ points_mp }) => points_mp > 0);
  rows.sort((a, b) => b.points_mp - a.points_mp || b.quality - a.quality || (a.user_id < b.user_id ? -1 : 1));
  let rank = 0;
  return rows.map((row, i) => {
    const above = rows[i - 1];
    if (above?.points_mp !== row.points_mp || above.quality !== row.quality) rank = i + 1;
    return { ...row, rank };
  });
}

/** What waits for its decision would be worth, if it is accepted as most are. */
export async function provisionalOf(db: Db, campaign: Campaign, userId: string): Promise<number> {
  const waiting = await db.selectFrom('submissions').selectAll().where('author_id', '=', userId).where('campaign_id', '=', campaign.id).where('undone', '=', false).where('state', 'in', [...PENDING]).execute();
  const facts = await factsOfAll(db, waiting, EXPECTED_QUALITY);
  let sum = 0;
  const nth = new Map<string, number>();
  for (const { id, work_day } of waiting) {
    const own = facts.get(id)!;
    const before = nth.get(work_day) ?? 0;
    nth.set(work_day, before + 1);
    sum += recordPoints(campaign.points, { ...own, nth_of_day: own.nth_of_day + before }).delta_mp;
  }
  return sum;
}

export async function boardView(context: Context, person: Person, period: 'day' | 'all') {
  const { db } = context.store;
  const campaign = await requireCampaign(db);
  const times = boardTimes(campaign);
  const now = context.now();
  const shown = await shownBoard(context, campaign);
  const all = shown?.rows ?? [];
  const before = shown && period === 'day' ? lastCutoff(shown.cutoff - 1, times.hour, times.time_zone) : undefined;
  const rows = shown && before !== undefined ? difference(all, before > times.starts ? await snapshot(context.store, campaign, before) : []) : all;
  const around = neighbours(rows, person.id, new Map());
  const at = rows.findIndex(({ user_id }) => user_id === person.id);
  const ids = [...rows.slice(0, TOP), ...(at < 0 ? [] : rows.slice(Math.max(0, at - 2), at + 3))].map(({ user_id }) => user_id);
  const people = await peopleOf(db, ids);
  const teamOf = new Map(rows.filter(({ user_id }) => people.has(user_id)).map((row) => [row.rank, row.user_id]));
  const view = (row: ShownRow, user: string | undefined) => ({ rank: row.rank, name: row.name ?? '', team: row.name === null || user === undefined ? null : (people.get(user)?.team ?? null), points_mp: row.points_mp, accepted: row.accepted, me: row.own });
  const { names, members } = await teamMembers(db);
  return {
    cutoff: shown ? new Date(shown.cutoff).toISOString() : null, next: new Date(nextCutoff(now, times.hour, times.time_zone)).toISOString(), blackout: now >= times.ends - times.blackout_ms && now < times.ends,
    top: boardTop(rows, TOP, person.id, people).map((row) => view(row, row.own ? person.id : teamOf.get(row.rank))), around: around.length === 0 ? [] : neighbours(rows, person.id, people).map((row) => view(row, row.own ? person.id : teamOf.get(row.rank))),
    teams: teamRows(rows, members).slice(0, TOP).map(({ rank, team_id, points_mp, members: n }) => ({ rank, name: names.get(team_id)!, points_mp, members: n, mine: person.team?.id === team_id })), provisional_mp: await provisionalOf(db, campaign, person.id),
  };
}

/** Own place on the board that is shown. */
export async function rankOf(context: Context, campaign: Campaign, userId: string): Promise<number | null> {
  return (await shownBoard(context, campaign))?.rows.find(({ user_id }) => user_id === userId)?.rank ?? null;
}

/** For a screen in the office: nobody's name who does not want it. */
export async function liveView(context: Context, token: string) {
  const { db } = context.store;
  const secret = await db.selectFrom('secrets').select('value').where('name', '=', 'live link').executeTakeFirst();
  if (secret?.value !== tokenHash(token)) throw notFound();
  const campaign = await requireCampaign(db);
  const now = context.now();
  const facts = await categoryFacts(db, campaign);
  const today = dayOf(now, campaign.time_zone);
  const count = await db.selectFrom('submissions').select((eb) => [eb.fn.count<number>('author_id').distinct().as('people'), eb.fn.countAll<number>().filterWhere('state', '=', 'accepted').filterWhere('decided_at', '>=', new Date(hourOn(today, 0, campaign.time_zone))).as('today')]).where('campaign_id', '=', campaign.id).where('undone', '=', false).executeTakeFirstOrThrow();
  const rows = (await shownBoard(context, campaign))?.rows ?? [];
  const people = await peopleOf(db, rows.slice(0, 10).map(({ user_id }) => user_id));
  const { names, members } = await teamMembers(db);
  return {
    title: campaign.title, ends_at: campaign.ends_at.toISOString(), time_zone: campaign.time_zone, accepted: facts.reduce((sum, { accepted }) => sum + accepted, 0), goal: facts.reduce((sum, { goal }) => sum + goal, 0), today: count.today, people: count.people,
    categories: facts.map(({ category, accepted, goal }) => ({ category: category as CategoryKey, accepted, goal })), top: boardTop(rows, 10, '', people).map(({ rank, name, points_mp }) => ({ rank, name: name!, points_mp })),
    teams: teamRows(rows, members).slice(0, 10).map(({ rank, team_id, points_mp }) => ({ rank, name: names.get(team_id)!, points_mp })),
  };
}
