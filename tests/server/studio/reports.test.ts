/** Reports over HTTP: by who was shown something, settled by moderators, without anybody's name. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { TestDatabase } from '../../store/database.ts';
import { acceptedRecords, idOf } from './accepted.ts';
import { join_, openCampaign, owner, RECORDS, startTestStudio, write } from './client.ts';

const database = await TestDatabase.start();
after(() => database[Symbol.asyncDispose]());

const REASON = 'It names a customer.';

test('a record: reported by its reviewer, seen without names, taken out; points go back and all reports about it are settled', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const [ann, bob, mod, mia] = [await join_(olga, 'ann'), await join_(olga, 'bob'), await join_(olga, 'mod', ['moderator', 'member']), await join_(olga, 'mia', ['moderator', 'member'])];
  const { record_id } = await write(ann, 'open_qa', RECORDS[0]);
  studio.advance(11_000);
  const { item } = await bob.ok('POST', '/api/reviews/next');
  for (const [kind, id] of [['record', record_id], ['review', record_id], ['question', record_id], ['passage', record_id]]) assert.equal((await bob.ask('POST', '/api/reports', { kind, id, reason: REASON })).status, 404, kind);
  await bob.ok('POST', '/api/reports', { kind: 'review', id: item.review_id, reason: REASON });
  await bob.ok('POST', '/api/reports', { kind: 'review', id: item.review_id, reason: `${REASON} Twice.` });
  await mia.ok('POST', '/api/reports', { kind: 'record', id: record_id, reason: 'The same here.' });
  const { reports } = await mod.ok('GET', '/api/manage/reports');
  assert.deepEqual(reports.map(({ kind, reason, state }: Record<string, string>) => `${kind} ${state}: ${reason}`).sort(), [`record open: ${REASON} Twice.`, 'record open: The same here.']);
  const found = await mod.ask('GET', `/api/manage/reports/${reports[0].id}`);
  for (const secret of ['ann', 'bob', await idOf(ann), await idOf(bob)]) assert.ok(!found.text.includes(secret), secret);
  assert.deepEqual(found.body.may, ['none', 'set_aside']);
  assert.equal(found.body.record.versions[0].instruction, RECORDS[0].instruction);
  await mod.ok('POST', `/api/manage/reports/${reports[0].id}`, { state: 'actioned', act: 'set_aside', answer: 'A moderator decides.' });
  assert.deepEqual((await mod.ok('GET', '/api/manage/reports')).reports.map(({ state, answer }: Record<string, string>) => [state, answer]), Array(2).fill(['actioned', 'A moderator decides.']));
  await bob.refused('POST', `/api/reviews/${item.review_id}/submit`, { scores: {}, verdict: 'accept', flags: [], comment: '' }, 'review_gone');
  assert.deepEqual((await mod.ok('GET', '/api/decisions')).records.map(({ reason }: { reason: string }) => reason), ['quarantined']);
  await mod.refused('POST', `/api/manage/reports/${reports[0].id}`, { state: 'dismissed', act: 'none', answer: '' }, 'report_answered');
  await bob.refused('POST', '/api/reports', { kind: 'review', id: item.review_id, reason: 'Again.' }, 'report_answered');

  const [accepted] = await acceptedRecords(studio, await idOf(ann), 1);
  await ann.ok('POST', '/api/reports', { kind: 'record', id: accepted, reason: 'I copied a sentence.' });
  const open = (await mod.ok('GET', '/api/manage/reports')).reports.find(({ state }: { state: string }) => state === 'open');
  assert.deepEqual((await mod.ok('GET', `/api/manage/reports/${open.id}`)).may, ['none', 'retract', 'retract_copied']);
  await mod.refused('POST', `/api/manage/reports/${open.id}`, { state: 'dismissed', act: 'retract', answer: '' }, 'invalid_request');
  await mod.refused('POST', `/api/manage/reports/${open.id}`, { state: 'actioned', act: 'block', answer: '' }, 'state_move');
  await mod.ok('POST', `/api/manage/reports/${open.id}`, { state: 'actioned', act: 'retract', answer: '' });
  assert.equal((await ann.ok('GET', `/api/records/${accepted}`)).state, 'retracted');
  assert.equal((await ann.ok('GET', '/api/home')).points.settled, 0);
  assert.deepEqual(await olga.ok('POST', '/api/manage/log/verify'), { events: { ok: true, at: null }, ledger: { ok: true, at: null } });
  assert.deepEqual(studio.faults, []);
});

test('nobody settles a report about their own record or question', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const [mod, mia, bob] = [await join_(olga, 'mod', ['moderator', 'member']), await join_(olga, 'mia', ['moderator', 'member']), await join_(olga, 'bob')];
  const [record] = await acceptedRecords(studio, await idOf(mod), 1);
  await mia.ok('POST', '/api/reports', { kind: 'record', id: record, reason: REASON });
  const { id: question } = await mod.ok('POST', '/api/questions', { category: 'open_qa', language: 'en', instruction: RECORDS[1].instruction, passage_id: null });
  const { draft_id } = await bob.ok('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'answer' });
  const { task } = await bob.ok('GET', `/api/drafts/${draft_id}`);
  assert.equal(task.id, question);
  await bob.ok('POST', '/api/reports', { kind: 'question', id: question, reason: 'This is a trick question.' });
  assert.deepEqual((await mod.ok('GET', '/api/manage/reports')).reports, []);
  const { reports } = await mia.ok('GET', '/api/manage/reports');
  assert.deepEqual(reports.map(({ kind }: { kind: string }) => kind).sort(), ['question', 'record']);
  for (const { id } of reports) {
    assert.equal((await mod.ask('GET', `/api/manage/reports/${id}`)).status, 404);
    assert.equal((await mod.ask('POST', `/api/manage/reports/${id}`, { state: 'dismissed', act: 'none', answer: '' })).status, 404);
  }
  // Dropped: who is at work on it keeps the draft and cannot hand it in.
  const about = reports.find(({ kind }: { kind: string }) => kind === 'question');
  await mia.ok('POST', `/api/manage/reports/${about.id}`, { state: 'actioned', act: 'drop', answer: 'Not a fair question.' });
  const { draft } = await bob.ok('GET', `/api/drafts/${draft_id}`);
  await bob.refused('POST', '/api/records', { draft_id, revision: draft.revision, body: { ...draft.body, response: RECORDS[1].response }, attestation: { original: true, no_ai: true }, telemetry: { paste_share: 0, active_ms: 1, edits: 1 }, idempotency_key: 'key-of-a-dropped-question' }, 'lease_gone');
});

test('a passage that is blocked: nobody is given it any more, and it is in no dataset', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const [ann, mod] = [await join_(olga, 'ann'), await join_(olga, 'mod', ['moderator', 'member'])];
  const text = 'The lighthouse on the northern rock was built by two brothers who carried every stone across the sound in a small boat. '.repeat(5);
  await olga.ok('POST', '/api/manage/passages', { text, language: 'en', kind: 'organisation', title: 'The rock', licence: 'CC0-1.0' });
  const { draft_id } = await ann.ok('POST', '/api/tasks/claim', { category: 'closed_qa', kind: 'author' });
  const { task } = await ann.ok('GET', `/api/drafts/${draft_id}`);
  await ann.ok('POST', '/api/reports', { kind: 'passage', id: task.passage.id, reason: 'This is confidential.' });
  const [report] = (await mod.ok('GET', '/api/manage/reports')).reports;
  const found = await mod.ok('GET', `/api/manage/reports/${report.id}`);
  assert.deepEqual([report.kind, found.passage.id, found.may], ['passage', task.passage.id, ['none', 'block']]);
  await mod.ok('POST', `/api/manage/reports/${report.id}`, { state: 'actioned', act: 'block', answer: '' });
  assert.equal((await olga.ok('GET', '/api/manage/passages')).passages[0].state, 'blocked');
  await (await join_(olga, 'bob')).refused('POST', '/api/tasks/claim', { category: 'closed_qa', kind: 'author' }, 'no_passage');
});
