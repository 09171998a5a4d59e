/** Records that nobody answers: they lapse after a week, not while a campaign is paused, and at once when nobody can answer any more. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { runJobs } from '../../../src/collect/jobs.ts';
import { TestDatabase } from '../../store/database.ts';
import { DAY, join_, openCampaign, owner, RECORDS, review, startTestStudio, write, type Client, type TestStudio } from './client.ts';

const database = await TestDatabase.start();
after(() => database[Symbol.asyncDispose]());

const FIX = { verdict: 'fix', comment: 'One thing is missing.', scores: { follows_instruction: 3, correct: 3, clear: 3, category_fit: 2 } };

/** Days go by, on which these are there now and then: a session ends after a week unused. */
async function pass(studio: TestStudio, days: number, ...clients: readonly Client[]): Promise<void> {
  for (let left = days; left > 0; left -= 5) {
    studio.advance(Math.min(5, left) * DAY);
    for (const client of clients) await client.ok('GET', '/api/session');
  }
}

/** A record for which two reviewers asked for changes. */
async function sentBack(studio: TestStudio): Promise<{ olga: Client; ann: Client; id: string }> {
  const olga = await owner(studio);
  await openCampaign(olga, { ends_at: new Date(studio.now() + 60 * DAY).toISOString() });
  const [ann, bob, cid] = [await join_(olga, 'ann'), await join_(olga, 'bob'), await join_(olga, 'cid')];
  const { record_id: id } = await write(ann, 'open_qa', RECORDS[0]);
  studio.advance(11_000);
  for (const client of [bob, cid]) await review(client, FIX);
  assert.equal((await ann.ok('GET', `/api/records/${id}`)).state, 'changes_requested');
  return { olga, ann, id };
}

test('a week without an answer: it lapses, says so, and can be appealed', async () => {
  await using studio = await startTestStudio(database);
  const { ann, id } = await sentBack(studio);
  const asked = studio.now();
  assert.equal((await ann.ok('GET', `/api/records/${id}`)).answer_by, new Date(asked + 7 * DAY).toISOString());
  await pass(studio, 6, ann);
  await runJobs(studio.context);
  // Work on it keeps it.
  const { draft_id } = await ann.ok('POST', `/api/records/${id}/revise`);
  const { draft } = await ann.ok('GET', `/api/drafts/${draft_id}`);
  await ann.ok('PUT', `/api/drafts/${draft_id}`, { body: { ...draft.body, response: `${draft.body.response} So it is blue.` }, revision: draft.revision, device: 'test' });
  await pass(studio, 6, ann);
  await runJobs(studio.context);
  const waiting = await ann.ok('GET', `/api/records/${id}`);
  assert.deepEqual([waiting.state, waiting.answer_by, waiting.lapsed], ['changes_requested', new Date(studio.now() + DAY).toISOString(), false]);
  studio.advance(DAY);
  await runJobs(studio.context);
  const lapsed = await ann.ok('GET', `/api/records/${id}`);
  assert.deepEqual([lapsed.state, lapsed.answer_by, lapsed.lapsed, lapsed.may.appeal], ['rejected', null, true, true]);
  assert.equal((await ann.ok('GET', '/api/home')).drafts.length, 0);
  await ann.ok('POST', `/api/records/${id}/appeal`, { reason: 'I was away for two weeks.' });
  const again = await ann.ok('GET', `/api/records/${id}`);
  assert.deepEqual([again.state, again.lapsed], ['in_review', false]);
  assert.deepEqual(studio.faults, []);
});

test('while a campaign is paused nothing lapses, and the week begins anew when it goes on', async () => {
  await using studio = await startTestStudio(database);
  const { olga, ann, id } = await sentBack(studio);
  studio.advance(DAY);
  await olga.ok('POST', '/api/manage/campaign/moves', { event: 'pause' });
  await pass(studio, 20, olga, ann);
  await runJobs(studio.context);
  assert.deepEqual([(await ann.ok('GET', `/api/records/${id}`)).state, (await ann.ok('GET', `/api/records/${id}`)).answer_by], ['changes_requested', null]);
  await olga.ok('POST', '/api/manage/campaign/moves', { event: 'resume' });
  await runJobs(studio.context);
  assert.equal((await ann.ok('GET', `/api/records/${id}`)).answer_by, new Date(studio.now() + 7 * DAY).toISOString());
  await pass(studio, 7, ann);
  await runJobs(studio.context);
  assert.equal((await ann.ok('GET', `/api/records/${id}`)).state, 'rejected');
});

test('when the last decisions are made nobody can answer any more: it does not keep a campaign from its end', async () => {
  await using studio = await startTestStudio(database);
  const { olga, ann, id } = await sentBack(studio);
  for (const event of ['close', 'adjudicate']) await olga.ok('POST', '/api/manage/campaign/moves', { event });
  assert.equal((await ann.ok('GET', `/api/records/${id}`)).state, 'changes_requested');
  await olga.ok('POST', '/api/manage/campaign/moves', { event: 'freeze' });
  assert.equal((await ann.ok('GET', `/api/records/${id}`)).state, 'rejected');
});
