/** Days, boards, streaks: the clock's changes, who is shown how, and ranks that are equal to plain sums. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BLACKOUT_MS, boardRows, boardTop, neighbours, shownCutoff, teamRows, type BoardPerson } from '../../src/collect/rules/boards.ts';
import { addDays, dayOf, instantOf, isTimeZone, lastCutoff, nextCutoff, weekdayOf, weekOf } from '../../src/collect/rules/calendar.ts';
import { entriesOfRecord, entryOfReview, reversalOf, type Entry, type NewEntry } from '../../src/collect/rules/ledger.ts';
import { FIRST_RULES as R } from '../../src/collect/rules/points-rules.ts';
import { streakOf } from '../../src/collect/rules/streak.ts';

const iso = (instant: number) => new Date(instant).toISOString();
const HOUR = 3_600_000;

test('an hour of a day in a zone, also where the clock jumps', () => {
  assert.equal(iso(instantOf('2026-01-15', 6, 'Europe/Berlin')), '2026-01-15T05:00:00.000Z');
  assert.equal(iso(instantOf('2026-07-15', 6, 'Europe/Berlin')), '2026-07-15T04:00:00.000Z');
  assert.equal(iso(instantOf('2026-03-29', 2, 'Europe/Berlin')), '2026-03-29T01:00:00.000Z', 'two o’clock does not exist: the first instant after');
  assert.equal(iso(instantOf('2026-03-29', 3, 'Europe/Berlin')), '2026-03-29T01:00:00.000Z');
  assert.equal(iso(instantOf('2026-10-25', 2, 'Europe/Berlin')), '2026-10-25T00:00:00.000Z', 'two o’clock comes twice: the first one');
  assert.equal(iso(instantOf('2026-11-25', 0, 'Asia/Kolkata')), '2026-11-24T18:30:00.000Z');
  assert.equal(iso(instantOf('2026-10-04', 2, 'Australia/Lord_Howe')), '2026-10-03T15:30:00.000Z', 'a jump of half an hour: 2:30 is what comes first');
  assert.equal(iso(instantOf('2026-09-06', 0, 'America/Santiago')), '2026-09-06T04:00:00.000Z', 'a jump at midnight');
  assert.ok(isTimeZone('Europe/Moscow') && !isTimeZone('Mars/Olympus'));
});

const hourOf = (instant: number, zone: string): number => Number(new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', hour: '2-digit' }).format(instant));

test('days as people there have them', () => {
  assert.equal(dayOf(Date.parse('2026-03-28T23:30:00Z'), 'Europe/Berlin'), '2026-03-29');
  assert.equal(dayOf(Date.parse('2026-03-29T00:30:00Z'), 'America/New_York'), '2026-03-28');
  assert.equal(hourOf(Date.parse('2026-03-29T01:00:00Z'), 'Europe/Berlin'), 3);
  assert.deepEqual([addDays('2024-02-28', 1), addDays('2026-01-01', -1), weekOf('2026-11-25'), weekdayOf('2026-11-29')], ['2024-02-29', '2025-12-31', '2026-11-23', 7]);
});

test('every day has its hour, once and in order, in any zone', () => {
  const zones = ['Europe/Berlin', 'America/New_York', 'Europe/Moscow', 'Pacific/Apia', 'Africa/Casablanca', 'Australia/Lord_Howe', 'America/Santiago', 'Asia/Tehran'];
  fc.assert(fc.property(fc.constantFrom(...zones), fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 4000 }), (zone, hour, n) => {
    const day = addDays('2020-01-01', n);
    const instant = instantOf(day, hour, zone);
    assert.equal(dayOf(instant, zone), day);
    assert.ok(hourOf(instant, zone) - hour === 0 || (hourOf(instant, zone) - hour === 1 && hourOf(instant - 1, zone) < hour), 'the hour itself, or the first instant after a gap');
    const gap = instantOf(addDays(day, 1), hour, zone) - instant;
    assert.ok(gap >= 22.5 * HOUR && gap <= 25.5 * HOUR, `${gap / HOUR} hours`);
    assert.equal(lastCutoff(instant, hour, zone), instant);
    assert.ok(lastCutoff(instant - 1, hour, zone) < instant && nextCutoff(instant - 1, hour, zone) === instant && nextCutoff(instant, hour, zone) === instant + gap);
  }), { numRuns: 400, seed: 1 });
});

const day = '2026-03-02';
const record = (user_id: string, id: string, quality = 4000, nth = 1, asker?: string): NewEntry[] =>
  entriesOfRecord(R, { id, round: 1, work_day: day, author: { user_id, team_id: null }, asker: asker ? { user_id: asker, team_id: null } : undefined }, { category: 'open_qa', words: 35, quality, similarity: 0, weight: 1000, nth_of_day: nth });
const review = (user_id: string, id: string): NewEntry => entryOfReview(R, { id, work_day: day, reviewer: { user_id, team_id: null } }, { words: 10, dwell_ms: 60_000, constant: false });
const ledger = (entries: readonly NewEntry[]): Entry[] => entries.map((entry, i) => ({ ...entry, seq: i + 1 }));

test('ranks: points, then mean quality, then equal', () => {
  const entries = ledger([...record('anna', '1'), ...record('boris', '2'), ...record('clara', '3', 3000), ...record('clara', '4', 3000), ...record('dmitri', '5', 5000), review('eva', '6')]);
  assert.deepEqual(boardRows(entries, R).map(({ user_id, rank, points_mp, accepted, quality }) => [user_id, rank, points_mp, accepted, quality]), [
    ['clara', 1, 4200, 2, 3000], ['dmitri', 2, 3900, 1, 5000], ['anna', 3, 3000, 1, 4000], ['boris', 3, 3000, 1, 4000],
  ], 'reviews alone give no points, since they are at most 30 % of them');
  const back = [...entries, { ...reversalOf(entries[4]!, 'retracted'), seq: entries.length + 1 }];
  assert.ok(!boardRows(back, R).some(({ user_id }) => user_id === 'dmitri'));
});

const person = (name: string, board_visibility: BoardPerson['board_visibility'] = 'name'): BoardPerson => ({ display_name: name, alias: `alias of ${name}`, board_visibility });

test('names, aliases and hidden people; the own place always', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const entries = ledger(names.flatMap((name, i) => Array.from({ length: 6 - i }, (_, n) => record(name, `${name}${n}`)).flat()));
  const rows = boardRows(entries, R);
  const people = new Map(names.map((name) => [name, person(name, name === 'b' ? 'hidden' : name === 'c' ? 'alias' : 'name')]));
  assert.deepEqual(boardTop(rows, 3, 'e', people).map(({ rank, name, own }) => [rank, name, own]), [[1, 'a', false], [3, 'alias of c', false]]);
  assert.deepEqual(boardTop(rows, 3, 'b', people).map(({ rank, name, own }) => [rank, name, own]), [[1, 'a', false], [2, 'b', true], [3, 'alias of c', false]], 'one sees oneself');
  assert.deepEqual(neighbours(rows, 'd', people).map(({ rank, name, own }) => [rank, name, own]), [[2, null, false], [3, 'alias of c', false], [4, 'd', true], [5, 'e', false], [6, 'f', false]]);
  assert.deepEqual(neighbours(rows, 'a', people).map(({ rank }) => rank), [1, 2, 3]);
  assert.deepEqual(neighbours(rows, 'nobody', people), []);
  assert.ok(!JSON.stringify(boardTop(rows, 6, 'e', people)).includes('user_id'), 'no id behind an alias');
});

test('teams: the mean of the five best; one star alone is no team', () => {
  const points = (user_id: string, points_mp: number) => ({ user_id, rank: 0, points_mp, accepted: 1, quality: 4000 });
  const rows = [points('star', 100_000), ...['a1', 'a2', 'a3', 'a4', 'a5', 'a6'].map((id) => points(id, 10_000)), ...['b1', 'b2', 'b3'].map((id) => points(id, 12_000))];
  const members = new Map([['solo', ['star', 'x']], ['six', ['a1', 'a2', 'a3', 'a4', 'a5', 'a6']], ['three', ['b1', 'b2', 'b3']], ['lazy', ['star2', 'y', 'z', 'b9']]]);
  assert.deepEqual(teamRows(rows, members).map(({ team_id, rank, points_mp }) => [team_id, rank, points_mp]), [['three', 1, 12_000], ['six', 2, 10_000], ['lazy', 3, 0]]);
});

test('which board is shown: daily, and standing still in the last day', () => {
  const zone = 'Europe/Berlin';
  const times = { time_zone: zone, hour: 6, starts: Date.parse('2026-10-19T07:00:00Z'), ends: Date.parse('2026-10-30T17:00:00Z'), blackout_ms: BLACKOUT_MS };
  const at = (text: string) => {
    const cutoff = shownCutoff(Date.parse(text), times);
    return cutoff === undefined ? undefined : iso(cutoff);
  };
  assert.equal(at('2026-10-19T12:00:00Z'), undefined, 'before the first night');
  assert.equal(at('2026-10-20T05:00:00Z'), '2026-10-20T04:00:00.000Z');
  assert.equal(at('2026-10-26T04:59:00Z'), '2026-10-25T05:00:00.000Z', 'summer time ended that night');
  assert.equal(at('2026-10-29T16:59:00Z'), '2026-10-29T05:00:00.000Z');
  assert.equal(at('2026-10-30T16:59:00Z'), '2026-10-29T05:00:00.000Z', 'dark');
  assert.equal(at('2026-10-30T17:00:00Z'), '2026-10-30T05:00:00.000Z');
  assert.equal(at('2026-11-02T12:00:00Z'), '2026-11-02T05:00:00.000Z', 'what settles after the end is shown');
});

test('streaks: one free day a week, weekends and today do not break them', () => {
  // 2026-11-25 is a Wednesday.
  assert.deepEqual(streakOf(['2026-11-23', '2026-11-24', '2026-11-25'], '2026-11-25'), { days: 3, free_left: true });
  assert.deepEqual(streakOf(['2026-11-23', '2026-11-24'], '2026-11-25'), { days: 2, free_left: true }, 'today is not over');
  assert.deepEqual(streakOf(['2026-11-19', '2026-11-20', '2026-11-23'], '2026-11-23'), { days: 3, free_left: true }, 'over a weekend');
  assert.deepEqual(streakOf(['2026-11-19', '2026-11-21', '2026-11-23'], '2026-11-23'), { days: 3, free_left: true }, 'Friday was the free day, Saturday counts');
  assert.deepEqual(streakOf(['2026-11-16', '2026-11-17', '2026-11-20', '2026-11-23'], '2026-11-23'), { days: 2, free_left: true }, 'two days of one week are one too many');
  assert.deepEqual(streakOf(['2026-11-23', '2026-11-25'], '2026-11-25'), { days: 2, free_left: false });
  assert.deepEqual(streakOf([], '2026-11-25'), { days: 0, free_left: true });
});
