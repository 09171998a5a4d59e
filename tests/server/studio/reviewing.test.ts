/** Reviewers over HTTP: gold items, resting, and what a moderator takes out. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { requireCampaign } from '../../../src/collect/campaigns/current.ts';
import { runJobs } from '../../../src/collect/jobs.ts';
import { book } from '../../../src/collect/points/ledger.ts';
import { entriesOfRecord } from '../../../src/collect/rules/ledger.ts';
import { newId } from '../../../src/store/id.ts';
import { TestDatabase } from '../../store/database.ts';
import { join_, newKey, openCampaign, owner, PASSWORD, RECORDS, review, startTestStudio, write, type Client, type TestStudio } from './client.ts';

const database = await TestDatabase.start();
after(() => database[Symbol.asyncDispose]());

/** As if moderators had accepted these: hidden gold items from now on. */
async function makeGold(studio: TestStudio, ids: readonly string[]): Promise<void> {
  const { db } = studio.store;
  await db.updateTable('submissions').set({ state: 'accepted', split: 'train', quality: 4000 }).where('id', 'in', [...ids]).execute();
  await db.insertInto('golds').values(ids.map((submission_id) => ({ submission_id, verdict: 'accept' as const, created_at: new Date(studio.now()) }))).execute();
}

async function writeAll(client: Client): Promise<string[]> {
  const ids: string[] = [];
  for (const record of RECORDS) ids.push((await write(client, 'open_qa', record)).record_id);
  client.studio.advance(11_000);
  return ids;
}

const REJECT = { verdict: 'reject', comment: 'This is not what was asked for.', scores: { follows_instruction: 1, correct: 2, clear: 2, category_fit: 2 } };

test('who rests stays at rest, though the reviews that say so are void', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const [ann, bob] = [await join_(olga, 'ann'), await join_(olga, 'bob')];
  const ids = await writeAll(ann);
  await makeGold(studio, ids);
  let wrong = 0;
  for (let tries = 0; tries < 100 && wrong < ids.length; tries++) if (await review(bob, REJECT)) wrong++;
  assert.equal(wrong, 5);
  const states = await studio.store.db.selectFrom('reviews').select('state').distinct().execute();
  assert.deepEqual(states, [{ state: 'voided' }]);
  await bob.refused('POST', '/api/reviews/next', undefined, 'resting');
});

test('the first gold items come at once to who has reviewed much and seen none', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const [ann, bob, cid] = [await join_(olga, 'ann'), await join_(olga, 'bob'), await join_(olga, 'cid')];
  await writeAll(ann);
  for (let i = 0; i < 3; i++) assert.ok(await review(bob)); // three of one author are the most
  const gold = [
    { instruction: 'Why do cats purr when somebody strokes them?', response: 'Muscles of the larynx twitch many times a second, so that every breath of the cat is heard as a hum; it may calm the cat itself.' },
    { instruction: 'What makes bread dough rise before it is baked?', response: 'Yeast eats sugars of the flour and gives off a gas, whose bubbles stay caught in the elastic net of gluten and lift the dough.' },
  ];
  const ids: string[] = [];
  for (const record of gold) ids.push((await write(cid, 'open_qa', record)).record_id);
  studio.advance(11_000);
  await makeGold(studio, ids);
  const met = [await review(bob), await review(bob)].map((item) => item?.version.instruction);
  assert.deepEqual(new Set(met), new Set(gold.map(({ instruction }) => instruction)));
});

test('a record taken out stops its author for copying alone', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const [ann, mod] = [await join_(olga, 'ann'), await join_(olga, 'mod', ['moderator', 'member'])];
  const [first, second] = await writeAll(ann);
  await makeGold(studio, [first!, second!]);
  await mod.ok('POST', `/api/manage/records/${first}/retract`, { reason: 'Names a colleague.', copied: false });
  await ann.ok('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'author' });
  await mod.ok('POST', `/api/manage/records/${second}/retract`, { reason: 'It is on a page of the web.', copied: true });
  const [draft] = (await ann.ok('GET', '/api/home')).drafts;
  await ann.ok('POST', `/api/drafts/${draft.id}/release`, { reason: 'not mine' });
  const { error } = await ann.refused('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'author' }, 'pending_cap');
  assert.equal(error.values.because, 'stopped');
  // Whoever manages people lets them write again; what was taken out stays out.
  const person = async () => (await olga.ok('GET', '/api/manage/people')).people.find(({ login }: { login: string }) => login === 'ann');
  const { id, stopped } = await person();
  assert.equal(stopped, true);
  await mod.refused('PATCH', `/api/manage/people/${id}`, { stopped: false }, 'forbidden');
  await olga.refused('PATCH', `/api/manage/people/${id}`, { stopped: true }, 'invalid_request');
  await olga.ok('PATCH', `/api/manage/people/${id}`, { roles: ['admin', 'member'] });
  await ann.ok('POST', '/api/session', { login: 'ann', password: PASSWORD });
  await ann.refused('PATCH', `/api/manage/people/${id}`, { stopped: false }, 'forbidden');
  await olga.ok('PATCH', `/api/manage/people/${id}`, { stopped: false });
  assert.equal((await person()).stopped, false);
  await ann.ok('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'author' });
  assert.equal((await ann.ok('GET', `/api/records/${second}`)).state, 'retracted');
});

test('looking at the prizes nominates nobody: the jobs do, and freezing waits for them', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const ann = await join_(olga, 'ann');
  const { id } = (await ann.ok('GET', '/api/session')).person;
  await acceptMany(studio, id, (await write(ann, 'open_qa', RECORDS[0])).record_id);
  for (const event of ['close', 'adjudicate']) await olga.ok('POST', '/api/manage/campaign/moves', { event });
  const list = async () => (await olga.ok('GET', '/api/manage/awards')).awards.map(({ name, state }: { name: string; state: string }) => [name, state]);
  assert.deepEqual([await list(), await list()], [[], []]);
  await olga.refused('POST', '/api/manage/campaign/moves', { event: 'freeze' }, 'still_open');
  await runJobs(studio.context);
  assert.deepEqual(await list(), [['ann Person', 'candidate']]);
});

/** Thirty accepted records in four categories, with points: as the condition for a prize wants it. */
async function acceptMany(studio: TestStudio, author: string, first: string): Promise<void> {
  const { db } = studio.store;
  const row = await db.updateTable('submissions').set({ state: 'accepted', split: 'train', quality: 4000 }).where('id', '=', first).returningAll().executeTakeFirstOrThrow();
  const categories = ['open_qa', 'general_qa', 'closed_qa', 'brainstorming'];
  await db.insertInto('submissions').values(Array.from({ length: 29 }, (_, i) => ({ ...row, id: newId(studio.now() + i), category: categories[i % 4]!, task_id: null, draft_id: null, idempotency_key: newKey() }))).execute();
  const facts = { category: 'open_qa', words: 33, quality: 4000, similarity: 0, weight: 1000, nth_of_day: 1 } as const;
  const campaign = await requireCampaign(db);
  await studio.store.transaction(async (tx) => void (await book(tx, studio.context, campaign.id, entriesOfRecord(campaign.points, { id: first, round: row.round, work_day: row.work_day, author: { user_id: author, team_id: null }, asker: undefined }, facts))));
}
