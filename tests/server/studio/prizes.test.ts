/** Prizes over HTTP: nominated by the jobs, audited blind by moderators, points taken back, and who moves where. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { requireCampaign } from '../../../src/collect/campaigns/current.ts';
import { runJobs } from '../../../src/collect/jobs.ts';
import { nominateIfChanged } from '../../../src/collect/points/awards.ts';
import { TestDatabase } from '../../store/database.ts';
import { acceptedRecords, idOf } from './accepted.ts';
import { join_, openCampaign, owner, PASSWORD, startTestStudio, type Client, type TestStudio } from './client.ts';

const database = await TestDatabase.start();
after(() => database[Symbol.asyncDispose]());

interface Ready {
  readonly studio: TestStudio;
  readonly olga: Client;
  readonly people: readonly Client[];
  readonly records: readonly (readonly string[])[];
  readonly judges: readonly Client[];
}

/** Candidates with so many accepted records each, a campaign that is at its last decisions, and moderators. */
async function ready(studio: TestStudio, counts: readonly number[], prizes: object[], judges: number): Promise<Ready> {
  const olga = await owner(studio);
  await openCampaign(olga, { prizes });
  const people: Client[] = [];
  const records: string[][] = [];
  for (const [i, n] of counts.entries()) {
    const person = await join_(olga, `writer${i}`);
    people.push(person);
    records.push(await acceptedRecords(studio, await idOf(person), n));
  }
  const moderators: Client[] = [];
  for (let i = 0; i < judges; i++) moderators.push(await join_(olga, `judge${i}`, ['moderator']));
  for (const event of ['close', 'adjudicate']) await olga.ok('POST', '/api/manage/campaign/moves', { event });
  await runJobs(studio.context);
  return { studio, olga, people, records, judges: moderators };
}

const listed = async (olga: Client) => (await olga.ok('GET', '/api/manage/awards')).awards;
const standing = async (olga: Client) => (await listed(olga)).map(({ name, place, state }: { name: string; place: number | null; state: string }) => [name.split(' ')[0], place, state]);

/** Judges whatever comes until nothing does; `fails` says which records fail. Returns how many were judged. */
async function judge(client: Client, fails: (id: string) => boolean): Promise<number> {
  for (let n = 0; ; n++) {
    const { item } = await client.ok('POST', '/api/audit/next');
    if (item === null) return n;
    await client.ok('POST', `/api/audit/${item.record_id}`, fails(item.record_id) ? { vote: 'fail', reason: 'Copied.' } : { vote: 'pass', reason: '' });
  }
}

const sampleOf = async (studio: TestStudio, person: Client): Promise<string[]> => (await studio.store.db.selectFrom('awards').select('sample').where('user_id', '=', await idOf(person)).executeTakeFirstOrThrow()).sample as string[];

test('two moderators judge the sample blind, a third where they differ; the failed share is deducted, and nobody confirms before', async () => {
  await using studio = await startTestStudio(database);
  const { olga, people, judges } = await ready(studio, [40], [{ from: 1, to: 1, text: 'A day off' }], 3);
  const [award] = await listed(olga);
  assert.deepEqual([award.audit, award.state], [{ sampled: 10, judged: 0, failed: 0 }, 'candidate']);
  await olga.refused('POST', `/api/manage/awards/${award.id}/moves`, { event: 'confirm', reason: '' }, 'state_move');
  const { error } = await olga.refused('POST', `/api/manage/awards/${award.id}/moves`, { event: 'audit', reason: '' }, 'audit_open');
  assert.equal(error.values.open, 10);

  const sample = await sampleOf(studio, people[0]!);
  const failed = new Set(sample.slice(0, 3));
  const { text, body } = await judges[0]!.ask('POST', '/api/audit/next');
  assert.equal(body.left, 10);
  for (const secret of ['writer0', await idOf(people[0]!), award.id]) assert.ok(!text.includes(secret), secret);
  await judges[0]!.refused('POST', `/api/audit/${body.item.record_id}`, { vote: 'fail', reason: ' ' }, 'invalid_request');
  assert.equal(await judge(judges[0]!, (id) => failed.has(id)), 10);
  await olga.refused('POST', `/api/manage/awards/${award.id}/moves`, { event: 'audit', reason: '' }, 'audit_open');
  // The second sees a fault more, which the third does not.
  assert.equal(await judge(judges[1]!, (id) => failed.has(id) || id === sample[9]), 10);
  assert.deepEqual((await listed(olga))[0].audit, { sampled: 10, judged: 9, failed: 3 });
  assert.equal(await judge(judges[2]!, (id) => failed.has(id)), 1, 'only where two differ');
  await judges[2]!.refused('POST', `/api/audit/${sample[0]}`, { vote: 'pass', reason: '' }, 'audited_already');
  await judges[2]!.refused('POST', `/api/audit/${award.id}`, { vote: 'pass', reason: '' }, 'not_found');

  const before = (await people[0]!.ok('GET', '/api/home')).points.settled;
  const each = (await studio.store.db.selectFrom('ledger_entries').select('delta_mp').where('subject', 'in', [...failed].map((id) => `submission:${id}`)).execute()).map(({ delta_mp }) => delta_mp);
  await olga.ok('POST', `/api/manage/awards/${award.id}/moves`, { event: 'audit', reason: '' });
  const entries = await studio.store.db.selectFrom('ledger_entries').select(['kind', 'delta_mp', 'factors']).orderBy('seq', 'desc').limit(4).execute();
  assert.deepEqual(entries.map(({ kind }) => kind), ['audit', 'reversal', 'reversal', 'reversal']);
  const share = Math.floor((before * 3) / 10);
  assert.equal(entries[0]!.delta_mp, each.reduce((sum, mp) => sum + mp, 0) - share);
  assert.deepEqual(entries[0]!.factors, { kind: 'audit', settled_mp: before, reversed_mp: each.reduce((sum, mp) => sum + mp, 0), failed: 3, sampled: 10 });
  assert.equal((await people[0]!.ok('GET', '/api/home')).points.settled, before - share);
  assert.equal((await people[0]!.ok('GET', `/api/records/${sample[0]}`)).state, 'retracted');
  const own = await people[0]!.ok('GET', '/api/points');
  assert.equal(own.points_mp, before - share);
  assert.deepEqual(own.entries.slice(0, 4).map(({ kind }: { kind: string }) => kind), ['audit', 'reversal', 'reversal', 'reversal']);
  assert.deepEqual(own.entries[0].lines[0].values, { failed: 3, sampled: 10, reversed_mp: each.reduce((sum, mp) => sum + mp, 0) });
  assert.ok(own.entries.every(({ delta_mp, lines }: { delta_mp: number; lines: { mp: number }[] }) => lines.at(-1)!.mp === delta_mp), 'each entry is explained to its last line');
  assert.equal(own.entries.filter(({ taken_back }: { taken_back: boolean }) => taken_back).length, 3);
  const [audited] = await listed(olga);
  assert.deepEqual([audited.state, audited.points_mp, audited.reason], ['audited', before - share, '3/10']);
  await olga.ok('POST', `/api/manage/awards/${award.id}/moves`, { event: 'confirm', reason: '' });
  assert.deepEqual(await olga.ok('POST', '/api/manage/log/verify'), { events: { ok: true, at: null }, ledger: { ok: true, at: null } });
  assert.deepEqual(studio.faults, []);
});

test('half of the sample failed: everything is taken back, the place is lost, and those below move up', async () => {
  await using studio = await startTestStudio(database);
  const { olga, people, records, judges } = await ready(studio, [44, 40, 36], [{ from: 1, to: 1, text: 'A week off' }, { from: 2, to: 2, text: 'A day off' }], 2);
  assert.deepEqual(await standing(olga), [['writer0', 1, 'candidate'], ['writer1', 2, 'candidate']]);
  const cheat = new Set((await sampleOf(studio, people[0]!)).slice(0, 5));
  for (const client of judges) assert.equal(await judge(client, (id) => cheat.has(id)), 20, 'the samples of both come mixed');
  const [first, second] = await listed(olga);
  await olga.ok('POST', `/api/manage/awards/${first.id}/moves`, { event: 'audit', reason: '' });
  assert.deepEqual(await standing(olga), [['writer1', 1, 'candidate'], ['writer2', 2, 'candidate'], ['writer0', null, 'forfeited']].sort((a, b) => Number(a[1] ?? 9) - Number(b[1] ?? 9)));
  assert.equal((await people[0]!.ok('GET', '/api/home')).points.settled, 0);
  assert.equal(new Set(await Promise.all(records[0]!.map(async (id) => (await people[0]!.ok('GET', `/api/records/${id}`)).state))).size, 1);
  await olga.ok('POST', `/api/manage/awards/${second.id}/moves`, { event: 'audit', reason: '' });
  assert.deepEqual((await standing(olga))[0], ['writer1', 1, 'audited']);
  assert.deepEqual(await olga.ok('POST', '/api/manage/log/verify'), { events: { ok: true, at: null }, ledger: { ok: true, at: null } });
});

test('who has fewer points after the audit falls behind, and without a prize left keeps an award without a place', async () => {
  await using studio = await startTestStudio(database);
  const { olga, people, judges } = await ready(studio, [41, 40], [{ from: 1, to: 1, text: 'A day off' }], 2);
  const bad = new Set((await sampleOf(studio, people[0]!)).slice(0, 2));
  for (const client of judges) await judge(client, (id) => bad.has(id));
  const [first] = await listed(olga);
  await olga.ok('POST', `/api/manage/awards/${first.id}/moves`, { event: 'audit', reason: '' });
  assert.deepEqual(await standing(olga), [['writer1', 1, 'candidate'], ['writer0', null, 'audited']]);
  const [, behind] = await listed(olga);
  assert.deepEqual(behind.may, ['forfeit']);
  await olga.refused('POST', `/api/manage/awards/${behind.id}/moves`, { event: 'confirm', reason: '' }, 'prize_gate');
  // Taken back by hand: the one behind is in front again.
  const [now] = await listed(olga);
  await olga.ok('POST', `/api/manage/awards/${now.id}/moves`, { event: 'forfeit', reason: 'Gave it up.' });
  assert.deepEqual(await standing(olga), [['writer0', 1, 'audited'], ['writer1', null, 'forfeited']]);
});

test('of several who judge the same record at once as many count as it needs', async () => {
  await using studio = await startTestStudio(database);
  const { people, judges } = await ready(studio, [40], [{ from: 1, to: 1, text: 'A day off' }], 5);
  const [record] = await sampleOf(studio, people[0]!);
  const vote = (client: Client, says: 'pass' | 'fail') => client.ask('POST', `/api/audit/${record}`, { vote: says, reason: says === 'fail' ? 'Copied.' : '' });
  for (const [client, says] of [[judges[0]!, 'pass'], [judges[1]!, 'fail']] as const) assert.equal((await vote(client, says)).status, 200);
  // One vote is missing: two of these three come too late.
  const replies = await Promise.all([vote(judges[2]!, 'pass'), vote(judges[3]!, 'fail'), vote(judges[4]!, 'pass')]);
  assert.deepEqual(replies.map(({ status }) => status).sort((a, b) => a - b), [200, 409, 409]);
  const twice = await Promise.all([1, 2, 3].map(() => vote(judges[0]!, 'fail')));
  assert.ok(twice.every(({ status, body }) => status === 409 && body.error.code === 'audited_already'), 'nobody votes twice');
  assert.equal((await studio.store.db.selectFrom('audit_votes').selectAll().execute()).length, 3);
  assert.deepEqual(studio.faults, []);
});

test('a moderator who is a candidate judges others alone', async () => {
  await using studio = await startTestStudio(database);
  const { olga, judges } = await ready(studio, [40], [{ from: 1, to: 3, text: 'A book' }], 1);
  await acceptedRecords(studio, await idOf(judges[0]!), 35);
  await olga.ok('POST', '/api/consent', { version: 1, locale: 'en' });
  await runJobs(studio.context);
  assert.equal((await listed(olga)).length, 2);
  const own = new Set(await sampleOf(studio, judges[0]!));
  for (let i = 0; i < 10; i++) {
    const { item, left } = await judges[0]!.ok('POST', '/api/audit/next');
    assert.equal(left, 10 - i);
    assert.ok(!own.has(item.record_id));
    await judges[0]!.ok('POST', `/api/audit/${item.record_id}`, { vote: 'pass', reason: '' });
  }
  assert.deepEqual(await judges[0]!.ok('POST', '/api/audit/next'), { left: 0, item: null });
  await olga.ok('PATCH', `/api/manage/people/${await idOf(judges[0]!)}`, { roles: ['admin', 'member'] });
  await judges[0]!.ok('POST', '/api/session', { login: 'judge0', password: PASSWORD });
  const mine = (await listed(judges[0]!)).find(({ name }: { name: string }) => name.startsWith('judge0'));
  assert.deepEqual(mine.may, ['forfeit']);
  await judges[0]!.refused('POST', `/api/manage/awards/${mine.id}/moves`, { event: 'audit', reason: '' }, 'own_record');
  assert.equal((await olga.ok('POST', '/api/audit/next')).left, 20);
  assert.equal((await olga.ok('GET', '/api/session')).waiting.audits, 20);
});

test('the ledger is walked once for each change, not every time the jobs run', async () => {
  await using studio = await startTestStudio(database);
  const { people } = await ready(studio, [40], [{ from: 1, to: 1, text: 'A day off' }], 1);
  const campaign = await requireCampaign(studio.store.db);
  const looked = () => nominateIfChanged(studio.context, campaign);
  assert.deepEqual([await looked(), await looked(), await looked()], [false, false, false], 'the jobs have looked');
  await people[0]!.ok('POST', '/api/reports', { kind: 'record', id: (await sampleOf(studio, people[0]!))[0], reason: 'I doubt it.' });
  assert.deepEqual([await looked(), await looked()], [true, false], 'an open report is a condition');
  const [award] = await studio.store.db.selectFrom('awards').selectAll().execute();
  assert.equal(award!.place, null, 'with an open report there is no prize');
  await acceptedRecords(studio, await idOf(people[0]!), 1);
  assert.deepEqual([await looked(), await looked()], [true, false]);
});
