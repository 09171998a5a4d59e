/** Questions for colleagues over HTTP: asked, answered, paid and sealed with two contributors; and what is refused. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { TestDatabase } from '../../store/database.ts';
import { attested, join_, newKey, openCampaign, owner, RECORDS, review, startTestStudio, type Client } from './client.ts';

const database = await TestDatabase.start();
after(() => database[Symbol.asyncDispose]());

const ask = (text: string, change: object = {}) => ({ category: 'open_qa', language: 'en', instruction: text, passage_id: null, ...change });
const QUESTION = RECORDS[0].instruction;

async function answer(client: Client, response: string, instruction?: string): Promise<string> {
  const { draft_id } = await client.ok('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'answer' });
  const { draft, task } = await client.ok('GET', `/api/drafts/${draft_id}`);
  assert.equal(task.kind, 'answer');
  const body = { ...draft.body, response, ...(instruction !== undefined && { instruction }) };
  return (await client.ok('POST', '/api/records', { draft_id, revision: draft.revision, body, ...attested, idempotency_key: newKey() })).record_id;
}

test('a question is answered by a colleague: the asker has a tenth, and both are named in the dataset by pseudonym, each under the text they agreed to', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const [ann, bob, cid, dan] = [await join_(olga, 'ann'), await join_(olga, 'bob'), await join_(olga, 'cid'), await join_(olga, 'dan')];
  const { id } = await ann.ok('POST', '/api/questions', ask(QUESTION));
  const waiting = async (client: Client) => (await client.ok('GET', '/api/home')).categories.find(({ category }: { category: string }) => category === 'open_qa').questions;
  assert.deepEqual([await waiting(ann), await waiting(bob)], [0, 1], 'nobody answers their own');
  await ann.refused('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'answer' }, 'nothing_to_do');
  // The terms change after the question was asked.
  await olga.ok('PATCH', '/api/manage/campaign', { consent: { en: 'Newer terms.' } });
  for (const client of [bob, cid, dan]) await client.ok('POST', '/api/consent', { version: 2, locale: 'en' });

  const { draft_id } = await bob.ok('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'answer' });
  assert.equal((await ann.ok('GET', '/api/questions')).questions[0].state, 'taken');
  await ann.refused('DELETE', `/api/questions/${id}`, undefined, 'question_taken');
  await bob.ok('POST', `/api/drafts/${draft_id}/release`, { reason: 'no time' });
  assert.equal(await waiting(bob), 0, 'what was given back does not come back');
  const record = await answer(cid, RECORDS[0].response, 'Another question altogether, put in by who answers?');
  assert.equal((await cid.ok('GET', `/api/records/${record}`)).versions[0].instruction, QUESTION, 'the question stays as it was asked');
  studio.advance(11_000);
  await ann.ok('POST', '/api/consent', { version: 2, locale: 'en' });
  assert.equal((await ann.ok('POST', '/api/reviews/next')).item, null, 'who asked does not review the answer');
  await review(bob);
  await review(dan);
  const paid = (await cid.ok('GET', `/api/records/${record}`)).points;
  assert.equal(paid.settled, true);
  const { questions, may, share } = await ann.ok('GET', '/api/questions');
  assert.deepEqual([questions.length, questions[0].state, may, share], [1, 'accepted', 3, 100]);
  assert.equal(questions[0].points.delta_mp, Math.floor(paid.delta_mp / 10));
  assert.equal((await ann.ok('GET', '/api/home')).points.settled, Math.floor(paid.delta_mp / 10));

  const { version } = await olga.ok('POST', '/api/manage/datasets');
  const { slug } = await studio.store.db.selectFrom('campaigns').select('slug').executeTakeFirstOrThrow();
  const folder = join(studio.workspace, 'datasets', slug, version);
  const lines = ['records.jsonl', 'held-out.jsonl'].flatMap((name) => {
    try {
      return readFileSync(join(folder, name), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  });
  const { provenance } = JSON.parse(lines[0]!);
  assert.deepEqual([provenance.record.consent, provenance.instruction.consent], [`${slug}/2`, `${slug}/1`]);
  assert.notEqual(provenance.record.contributor, provenance.instruction.contributor);
  for (const { contributor, origin, licence } of [provenance.record, provenance.instruction]) assert.deepEqual([/^p-[0-9a-f]{20}$/.test(contributor), origin, licence], [true, 'human', 'CC-BY-SA-4.0']);
  // Withdrawn by who answered: both lose their points.
  await cid.ok('POST', `/api/records/${record}/withdraw`);
  assert.equal((await ann.ok('GET', '/api/home')).points.settled, 0);
  assert.equal((await ann.ok('GET', '/api/questions')).questions[0].state, 'refused');
  assert.deepEqual(studio.faults, []);
});

test('three may be open; the same one is asked once; what is not well formed is refused with its place', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const [ann, bob] = [await join_(olga, 'ann'), await join_(olga, 'bob')];
  const { findings } = await ann.refused('POST', '/api/questions', ask('Why so?'), 'findings');
  assert.deepEqual(findings.map(({ code, field }: { code: string; field: string }) => [code, field]), [['too_short', 'instruction']]);
  const secret = await ann.refused('POST', '/api/questions', ask('Why does our key AKIA4XQZ7RNTB2LMVKPD not open the storage any more?'), 'findings');
  assert.ok(secret.findings.some(({ code }: { code: string }) => code === 'secret'));
  const asked = await Promise.all([ann, bob].map((client) => client.ask('POST', '/api/questions', ask(QUESTION))));
  assert.deepEqual(asked.map(({ status }) => status).sort((a, b) => a - b), [200, 422], 'of two who ask the same at once one is refused');
  const first = asked[0]!.status === 200 ? ann : bob;
  for (const { instruction } of RECORDS.slice(1, 3)) await first.ok('POST', '/api/questions', ask(instruction));
  const { error } = await first.refused('POST', '/api/questions', ask(RECORDS[3].instruction), 'open_questions');
  assert.deepEqual(error.values, { open: 3, most: 3 });
  const { questions } = await first.ok('GET', '/api/questions');
  await first.ok('DELETE', `/api/questions/${questions[0].id}`);
  await first.ok('POST', '/api/questions', ask(RECORDS[3].instruction));
  const other = first === ann ? bob : ann;
  const many = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => other.ask('POST', '/api/questions', ask(`Which ${['stone', 'metal', 'wood', 'cloth', 'colour', 'sound'][n - 1]} was known to people before all others of its kind?`))));
  assert.deepEqual(many.map(({ status }) => status).sort((a, b) => a - b), [200, 200, 200, 409, 409, 409], 'also when all come at once');
  assert.equal((await other.ask('DELETE', `/api/questions/${questions[1].id}`)).status, 404);
  await studio.store.db.updateTable('users').set({ stopped: true }).execute();
  await other.refused('POST', '/api/questions', ask(RECORDS[4].instruction), 'open_questions');
});

test('a question on a passage needs one of the campaign; none comes twice to the same person', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const [ann, bob] = [await join_(olga, 'ann'), await join_(olga, 'bob')];
  const text = `${'The lighthouse on the northern rock was built by two brothers who carried every stone across the sound in a small boat. '.repeat(5)}`;
  await olga.ok('POST', '/api/manage/passages', { text, language: 'en', kind: 'organisation', title: 'The rock', licence: 'CC0-1.0' });
  const about = { category: 'closed_qa' };
  await ann.refused('POST', '/api/questions', ask('Who carried the stones across the sound?', about), 'findings');
  await ann.refused('POST', '/api/questions/passage', { category: 'open_qa', language: 'en' }, 'not_found');
  const { passage } = await ann.ok('POST', '/api/questions/passage', { category: 'closed_qa', language: 'en' });
  assert.match(passage.text, /lighthouse/);
  await ann.refused('POST', '/api/questions', ask('Who carried the stones across the sound?', { ...about, language: 'ru', passage_id: passage.id }), 'not_found');
  await ann.ok('POST', '/api/questions', ask('Who carried the stones across the sound?', { ...about, passage_id: passage.id }));
  await ann.refused('POST', '/api/questions/passage', { category: 'closed_qa', language: 'en' }, 'no_passage');
  const { draft_id } = await bob.ok('POST', '/api/tasks/claim', { category: 'closed_qa', kind: 'answer' });
  const { task, draft } = await bob.ok('GET', `/api/drafts/${draft_id}`);
  assert.deepEqual([task.passage.id, task.question, draft.body.context], [passage.id, 'Who carried the stones across the sound?', passage.text]);
});
