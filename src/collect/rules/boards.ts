/**
 * Boards: who stands where, once a day, by settled points alone. Everybody always sees the own place and its neighbours; whoever wants
 * to is shown by an alias or not at all, without losing a prize. Pure: a board is what follows from the ledger up to a cutoff.
 */
import { lastCutoff } from './calendar.ts';
import { sumsByUser, type Entry } from './ledger.ts';
import type { PointsRules } from './points-rules.ts';

export const BOARD_VISIBILITY = ['name', 'alias', 'hidden'] as const;
export type BoardVisibility = (typeof BOARD_VISIBILITY)[number];

/** What a snapshot keeps for each person who has points. No names: these are put in when it is shown, so that a wish to be hidden counts at once. */
export interface BoardRow {
  readonly user_id: string;
  readonly rank: number;
  readonly points_mp: number;
  /** Accepted records whose points were not taken back. */
  readonly accepted: number;
  /** Mean quality of these, in thousandths; 0 if there are none. */
  readonly quality: number;
}

/** The order of boards and prizes: points, then mean quality. Those equal in both share a rank; the ranks after them are skipped. */
export function boardRows(entries: readonly Entry[], rules: PointsRules): BoardRow[] {
  const reversed = new Set(entries.map(({ reverses }) => reverses));
  const records = new Map<string, { n: number; sum: number }>();
  for (const entry of entries) {
    if (entry.factors.kind !== 'record' || reversed.has(entry.seq)) continue;
    const own = records.get(entry.user_id) ?? { n: 0, sum: 0 };
    records.set(entry.user_id, { n: own.n + 1, sum: own.sum + entry.factors.facts.quality });
  }
  const rows = [...sumsByUser(entries, rules)]
    .filter(([, sums]) => sums.points_mp > 0)
    .map(([user_id, { points_mp }]) => {
      const { n, sum } = records.get(user_id) ?? { n: 0, sum: 0 };
      return { user_id, points_mp, accepted: n, quality: n === 0 ? 0 : Math.round(sum / n) };
    })
    .sort((a, b) => b.points_mp - a.points_mp || b.quality - a.quality || (a.user_id < b.user_id ? -1 : 1));
  let rank = 0;
  return rows.map((row, i) => {
    const before = rows[i - 1];
    if (!before || before.points_mp !== row.points_mp || before.quality !== row.quality) rank = i + 1;
    return { ...row, rank };
  });
}

export interface BoardTimes {
  readonly time_zone: string;
  /** 0 to 23. */
  readonly hour: number;
  readonly starts: number;
  readonly ends: number;
  readonly blackout_ms: number;
}

export const BLACKOUT_MS = 24 * 3_600_000;

/** The cutoff whose board is shown at an instant, or undefined before the first one. During the last hours before the end the board stands still. */
export function shownCutoff(now: number, times: BoardTimes): number | undefined {
  const dark = times.ends - times.blackout_ms;
  const until = now >= dark && now < times.ends ? dark : now;
  const cutoff = lastCutoff(until, times.hour, times.time_zone);
  return cutoff > times.starts ? cutoff : undefined;
}

export interface BoardPerson {
  readonly display_name: string;
  readonly alias: string | null;
  readonly board_visibility: BoardVisibility;
}

export interface ShownRow extends Omit<BoardRow, 'user_id'> {
  /** Null: somebody who does not want to be shown. */
  readonly name: string | null;
  readonly own: boolean;
}

function shown(row: BoardRow, viewer: string, people: ReadonlyMap<string, BoardPerson>): ShownRow {
  const { user_id, ...rest } = row;
  const person = people.get(user_id);
  const own = user_id === viewer;
  const name = !person || (person.board_visibility === 'hidden' && !own) ? null : person.board_visibility === 'alias' ? (person.alias ?? null) : person.display_name;
  return { ...rest, name, own };
}

/** The top of a board as one person sees it. Hidden people keep their ranks and are left out. */
export const boardTop = (rows: readonly BoardRow[], n: number, viewer: string, people: ReadonlyMap<string, BoardPerson>): ShownRow[] =>
  rows.slice(0, n).map((row) => shown(row, viewer, people)).filter(({ name }) => name !== null);

/** The own row and up to `reach` on either side, hidden ones without a name. Empty for who has no points yet. */
export function neighbours(rows: readonly BoardRow[], viewer: string, people: ReadonlyMap<string, BoardPerson>, reach = 2): ShownRow[] {
  const at = rows.findIndex(({ user_id }) => user_id === viewer);
  return at < 0 ? [] : rows.slice(Math.max(0, at - reach), at + reach + 1).map((row) => shown(row, viewer, people));
}

export interface TeamRow {
  readonly team_id: string;
  readonly rank: number;
  /** Mean of the best five. */
  readonly points_mp: number;
  readonly members: number;
}

/** The best so many count, so that neither a crowd nor a star alone wins. */
export const TEAM_BEST = 5;
export const TEAM_LEAST = 3;

/**
 * Teams by the mean of their five best, or of all in a smaller team, down to three; who has no points counts as nothing. `members` is
 * who belongs to a team now.
 */
export function teamRows(rows: readonly BoardRow[], members: ReadonlyMap<string, readonly string[]>): TeamRow[] {
  const points = new Map(rows.map((row) => [row.user_id, row.points_mp]));
  const teams = [...members]
    .filter(([, people]) => people.length >= TEAM_LEAST)
    .map(([team_id, people]) => {
      const best = people.map((person) => points.get(person) ?? 0).sort((a, b) => b - a).slice(0, TEAM_BEST);
      return { team_id, points_mp: Math.floor(best.reduce((sum, mp) => sum + mp, 0) / best.length), members: people.length };
    })
    .sort((a, b) => b.points_mp - a.points_mp || (a.team_id < b.team_id ? -1 : 1));
  let rank = 0;
  return teams.map((team, i) => {
    if (i === 0 || teams[i - 1]!.points_mp !== team.points_mp) rank = i + 1;
    return { ...team, rank };
  });
}
