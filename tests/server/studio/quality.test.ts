/** What moderators and writers are shown that follows from reviews and records: gold of voided reviews, pairs, a pilot's figures, streaks. And sealing on the way. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readManifest } from '../../../src/artefacts/dataset.ts';
import { TestDatabase } from '../../store/database.ts';
import { acceptedRecords, idOf } from './accepted.ts';
import { DAY, GOOD, join_, openCampaign, owner, RECORDS, review, startTestStudio, write, type TestStudio } from './client.ts';
import { newId } from '../../../src/store/id.ts';

const database = await TestDatabase.start();
after(() => database[Symbol.asyncDispose]());

/** A review as it stands in the store once it was handed in. */
async function handedIn(studio: TestStudio, submission: string, reviewer: string, change: { readonly score?: number; readonly gold?: boolean; readonly state?: 'submitted' | 'voided'; readonly verdict?: 'accept' | 'reject'; readonly valid?: boolean } = {}): Promise<void> {
  const at = new Date(studio.now());
  const score = change.score ?? 4;
  await studio.store.db.insertInto('reviews').values({
    id: newId(studio.now()), submission_id: submission, version: 1, round: 1, reviewer_id: reviewer, is_gold: change.gold ?? false, state: change.state ?? 'submitted', scores: JSON.stringify({ ...Object.fromEntries(Object.keys(GOOD).map((name) => [name, score])), grounded: null }), verdict: change.verdict ?? 'accept',
    valid: change.valid ?? null, dwell_ms: 60_000, assigned_at: at, expires_at: at, submitted_at: at,
  }).execute();
}

test('gold counts whether or not the review was voided; agreement leaves voided ones out', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const [ann, bob, cid] = [await join_(olga, 'ann'), await join_(olga, 'bob'), await join_(olga, 'cid')];
  const records = await acceptedRecords(studio, await idOf(ann), 6);
  await studio.store.db.insertInto('golds').values(records.slice(0, 3).map((submission_id) => ({ submission_id, verdict: 'accept' as const, created_at: new Date(studio.now()) }))).execute();
  const [b, c] = [await idOf(bob), await idOf(cid)];
  await handedIn(studio, records[0]!, b, { gold: true });
  await handedIn(studio, records[1]!, b, { gold: true, state: 'voided', verdict: 'reject', valid: false });
  await handedIn(studio, records[2]!, b, { gold: true, state: 'voided', verdict: 'reject', valid: false });
  for (const id of records) await handedIn(studio, id, c);
  const { gold, criteria } = await olga.ok('GET', '/api/manage/quality');
  assert.deepEqual(gold, { items: 3, answered: 3, right: 1 });
  assert.equal(criteria[0].n, 0, 'nobody reviewed twice but for gold');
});

test('two who favour each other are named to moderators, by how much', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const [ann, bob, cid] = [await join_(olga, 'ann'), await join_(olga, 'bob'), await join_(olga, 'cid')];
  const [a, b, c] = [await idOf(ann), await idOf(bob), await idOf(cid)];
  for (const [author, friend] of [[a, b], [b, a]] as const) {
    for (const id of await acceptedRecords(studio, author, 2)) {
      await handedIn(studio, id, friend, { score: 5 });
      await handedIn(studio, id, c, { score: 3 });
    }
  }
  const { pairs } = await olga.ok('GET', '/api/manage/quality');
  assert.deepEqual(pairs.map(({ names, reviews, lean }: { names: string[]; reviews: number; lean: number }) => [[...names].sort(), reviews, lean]), [[['ann Person', 'bob Person'], 4, 2000]]);
});

test('from twenty accepted records on, base and full size by what was written stand beside the rules', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const ann = await join_(olga, 'ann');
  // Twenty in each of four categories, of 120 words and five minutes; one category has one less.
  const ids = await acceptedRecords(studio, await idOf(ann), 80, { words: 113, telemetry: { active_ms: 300_000 } });
  await studio.store.db.updateTable('submissions').set({ state: 'withdrawn' }).where('id', '=', ids[0]!).execute();
  const { pilot } = await olga.ok('GET', '/api/manage/quality');
  const first = await studio.store.db.selectFrom('submissions').select('category').where('id', '=', ids[0]!).executeTakeFirstOrThrow();
  for (const row of pilot) {
    const known = ['open_qa', 'general_qa', 'brainstorming', 'closed_qa'].includes(row.category);
    assert.equal(row.records, !known ? 0 : row.category === first.category ? 19 : 20);
    if (row.records < 20) assert.equal(row.found, null);
    else assert.deepEqual([row.found.base_mp, row.found.full_words % 5, row.found.full_words > 100], [5000, 0, true]);
  }
});

test('working days in a row with an accepted record show at home', async () => {
  await using studio = await startTestStudio(database); // a Monday
  const olga = await owner(studio);
  await openCampaign(olga);
  const ann = await join_(olga, 'ann');
  const id = await idOf(ann);
  const streak = async () => (await ann.ok('GET', '/api/home')).streak;
  assert.deepEqual(await streak(), { days: 0, free_left: true });
  await acceptedRecords(studio, id, 1);
  studio.advance(DAY);
  await acceptedRecords(studio, id, 1);
  assert.deepEqual(await streak(), { days: 2, free_left: true });
  studio.advance(2 * DAY);
  await acceptedRecords(studio, id, 1);
  assert.deepEqual(await streak(), { days: 3, free_left: false }, 'Wednesday was the free day');
});

test('one\'s own earlier records count exactly below 0.5: a part that stands in both costs points', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const [ann, bob] = [await join_(olga, 'ann'), await join_(olga, 'bob')];
  await write(ann, 'open_qa', RECORDS[0]);
  studio.advance(11_000);
  // A third of it is the same; too little for the line that counts for everybody.
  const half = { instruction: 'Why is the sea blue when one looks at it from far away?', response: `${RECORDS[0].response.slice(0, 70)} over the water, and the water itself swallows red light a little more than blue light on its way down and up again.` };
  const measured = async (id: string) => studio.store.db.selectFrom('submission_versions').select(['similarity', 'own_similarity']).where('submission_id', '=', id).executeTakeFirstOrThrow();
  const mine = await write(ann, 'open_qa', half);
  const { similarity, own_similarity } = await measured(mine.record_id);
  assert.equal(similarity, 0);
  assert.ok(own_similarity! > 150 && own_similarity! < 500, String(own_similarity));
  const points = (await ann.ok('GET', `/api/records/${mine.record_id}`)).points;
  assert.equal(points.factors.novelty, 1000 - Math.ceil((750 * (own_similarity! - 150)) / 550));
  // Somebody else's is nobody's own, and another text of one's own is new.
  const others = await write(bob, 'open_qa', RECORDS[1]);
  assert.equal((await measured(others.record_id)).own_similarity, 0);
  const fresh = await write(ann, 'open_qa', RECORDS[2]);
  assert.ok((await measured(fresh.record_id)).own_similarity! <= 150);
  // Withdrawn, it does not count any more.
  await ann.ok('POST', `/api/records/${mine.record_id}/withdraw`);
  const again = await write(ann, 'open_qa', { instruction: 'Why do deep lakes look blue from the top of a mountain?', response: 'The water itself swallows red light a little more than blue light on its way down and up again, so what comes back to the eye is blue.' });
  assert.ok((await measured(again.record_id)).own_similarity! <= 150);
});

test('sealed while the campaign runs: an interim version, whose successor names it and lacks what was withdrawn', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const [ann, bob, cid] = [await join_(olga, 'ann'), await join_(olga, 'bob'), await join_(olga, 'cid')];
  const accept = async (record: (typeof RECORDS)[number]) => {
    const { record_id } = await write(ann, 'open_qa', record);
    studio.advance(11_000);
    for (const client of [bob, cid]) await review(client);
    assert.equal((await ann.ok('GET', `/api/records/${record_id}`)).state, 'accepted');
    return record_id;
  };
  const first = await accept(RECORDS[0]);
  const one = await olga.ok('POST', '/api/manage/datasets');
  assert.deepEqual([one.version, one.records, one.interim], ['1', 1, true]);
  assert.deepEqual(await olga.ok('POST', '/api/manage/datasets'), one, 'nothing new: the same version');
  const second = await accept(RECORDS[1]);
  const waiting = (await write(bob, 'open_qa', RECORDS[4])).record_id;
  await ann.ok('POST', `/api/records/${first}/withdraw`);
  const two = await olga.ok('POST', '/api/manage/datasets');
  assert.deepEqual([two.version, two.records, two.interim], ['2', 1, true]);
  const members = await studio.store.db.selectFrom('dataset_members').select(['dataset_version', 'submission_id', 'version']).orderBy('dataset_version').execute();
  assert.deepEqual(members, [{ dataset_version: 1, submission_id: first, version: 1 }, { dataset_version: 2, submission_id: second, version: 1 }], 'what was accepted then, and nothing that waits');
  const { slug } = await studio.store.db.selectFrom('campaigns').select('slug').executeTakeFirstOrThrow();
  const manifest = (version: string) => readManifest(join(studio.workspace, 'datasets', slug, version));
  assert.deepEqual(manifest('2').previous, [{ root: one.root, withdrawn: 1 }]);
  assert.equal(manifest('1').root, one.root, 'the first stays as it was');
  await bob.ok('POST', `/api/records/${waiting}/withdraw`);
  for (const event of ['close', 'adjudicate', 'freeze']) await olga.ok('POST', '/api/manage/campaign/moves', { event });
  assert.deepEqual(await olga.ok('POST', '/api/manage/datasets'), { ...two, interim: false }, 'nothing came since: it is the final one');
  assert.deepEqual(studio.faults, []);
});
