/** Drafts, submitting, checks, undo, revising, appeals: what is written is never lost, and nothing counts twice. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { LEASE_TIMES } from '../../../src/collect/rules/work.ts';
import { TestDatabase } from '../../store/database.ts';
import { attested, join_, newKey, openCampaign, owner, RECORDS, review, startTestStudio, write } from './client.ts';

const database = await TestDatabase.start();
after(() => database[Symbol.asyncDispose]());

async function begun() {
  const studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  return { studio, olga, ann: await join_(olga, 'ann'), bob: await join_(olga, 'bob'), cid: await join_(olga, 'cid') };
}

test('a draft that was changed elsewhere is a conflict that brings what is there; the same text again is none', async () => {
  const { studio, ann } = await begun();
  await using _ = studio;
  const { draft_id } = await ann.ok('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'author' });
  const text = (response: string) => ({ instruction: 'Why?', context: '', response });
  const save = (response: string, revision: number) => ann.ask('PUT', `/api/drafts/${draft_id}`, { body: text(response), revision, device: 'a' });
  assert.equal((await save('one', 0)).body.revision, 1);
  assert.equal((await save('one', 0)).body.revision, 1, 'an answer that was lost');
  const conflict = await save('two', 0);
  assert.equal(conflict.status, 409);
  assert.deepEqual([conflict.body.draft.revision, conflict.body.draft.body], [1, text('one')]);
  const kept = await studio.store.db.selectFrom('draft_versions').selectAll().execute();
  assert.deepEqual(kept.map(({ kind, body }) => [kind, body]), [['conflict', text('two')]]);
  // Fifty at once on one revision: one wins.
  const replies = await Promise.all(Array.from({ length: 50 }, (_v, i) => save(`many ${i}`, 1)));
  assert.equal(replies.filter(({ status }) => status === 200).length, 1);
  assert.equal((await ann.ok('GET', `/api/drafts/${draft_id}`)).draft.revision, 2);
});

test('a hundred of the same submission at once are one record, and one answer', async () => {
  const { studio, ann } = await begun();
  await using _ = studio;
  const { draft_id } = await ann.ok('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'author' });
  const sent = { draft_id, revision: 0, body: { context: '', ...RECORDS[0] }, ...attested, idempotency_key: newKey() };
  const replies = await Promise.all(Array.from({ length: 100 }, () => ann.ask('POST', '/api/records', sent)));
  assert.deepEqual([...new Set(replies.map(({ status }) => status))], [200]);
  assert.equal(new Set(replies.map(({ text }) => text)).size, 1);
  assert.equal((await ann.ok('GET', '/api/records')).records.length, 1);
  // Another key on the same draft is another submission, of a draft that was handed in.
  await ann.refused('POST', '/api/records', { ...sent, idempotency_key: newKey() }, 'draft_closed');
});

test('what blocks is said with its place; what is like another record too', async () => {
  const { studio, ann, bob } = await begun();
  await using _ = studio;
  const submit = async (client: typeof ann, body: { instruction: string; response: string }) => {
    const { draft_id } = await client.ok('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'author' });
    return { draft_id, reply: await client.ask('POST', '/api/records', { draft_id, revision: 0, body: { context: '', ...body }, ...attested, idempotency_key: newKey() }) };
  };
  const short = await submit(ann, { instruction: 'Why?', response: 'No idea.' });
  assert.equal(short.reply.status, 422);
  assert.deepEqual(short.reply.body.findings.map(({ code, field }: { code: string; field: string }) => [code, field]), [['too_short', 'instruction'], ['too_short', 'response']]);
  await ann.ok('POST', `/api/drafts/${short.draft_id}/release`, { reason: 'not mine' });

  await write(ann, 'open_qa', RECORDS[0]);
  const copy = await submit(bob, { instruction: RECORDS[0].instruction, response: `${RECORDS[0].response.replace('every', 'each')}` });
  assert.equal(copy.reply.status, 422);
  const finding = copy.reply.body.findings.find(({ code, field }: { code: string; field: string }) => code === 'like_another' && field === 'response');
  assert.ok(finding.values.percent >= 80);
  assert.ok(finding.spans.length > 0);
  await bob.ok('POST', `/api/drafts/${copy.draft_id}/release`, { reason: 'a copy' });
  const padded = await submit(bob, { instruction: RECORDS[0].instruction.split('').join('\u200b'), response: RECORDS[0].response });
  assert.equal(padded.reply.status, 422, 'zero-width padding does not hide a copy');
  const { findings } = await bob.ok('POST', `/api/drafts/${padded.draft_id}/check`, { body: { instruction: 'Where can I reach you at work?', context: '', response: 'Write to jane.roe@company-mail.com, she will answer within a day or so.' } });
  assert.deepEqual(findings.map(({ code, severity, values }: { code: string; severity: string; values: object }) => [code, severity, values]), [['personal_data', 'warn', { kind: 'e-mail' }]]);
  assert.deepEqual(findings[0].spans, [[9, 34]]);
});

test('taken back within ten seconds it is a draft again; afterwards it is on its way', async () => {
  const { studio, ann } = await begun();
  await using _ = studio;
  const { record_id, draft_id } = await write(ann, 'open_qa', RECORDS[0]);
  studio.advance(5000);
  assert.equal((await ann.ok('POST', `/api/records/${record_id}/undo`)).draft_id, draft_id);
  assert.equal((await ann.ok('GET', '/api/records')).records.length, 0);
  const { draft, lease } = await ann.ok('GET', `/api/drafts/${draft_id}`);
  assert.equal(draft.body.response, RECORDS[0].response);
  assert.ok(lease);
  const { record_id: second } = await ann.ok('POST', '/api/records', { draft_id, revision: draft.revision, body: draft.body, ...attested, idempotency_key: newKey() });
  studio.advance(11_000);
  await ann.refused('POST', `/api/records/${second}/undo`, undefined, 'undo_too_late');
});

test('changes requested: a second version, with both before its reviewers', async () => {
  const { studio, ann, bob, cid } = await begun();
  await using _ = studio;
  const { record_id } = await write(ann, 'open_qa', RECORDS[0]);
  studio.advance(11_000);
  const fix = { verdict: 'fix', comment: 'Say why blue is scattered more.', scores: { follows_instruction: 4, correct: 3, clear: 4, category_fit: 4 } };
  await review(bob, fix);
  await review(cid, fix);
  const view = await ann.ok('GET', `/api/records/${record_id}`);
  assert.deepEqual([view.state, view.may.revise, view.reviews.map(({ comment }: { comment: string }) => comment)], ['changes_requested', true, [fix.comment, fix.comment]]);
  const { draft_id } = await ann.ok('POST', `/api/records/${record_id}/revise`);
  assert.equal((await ann.ok('POST', `/api/records/${record_id}/revise`)).draft_id, draft_id);
  const { draft } = await ann.ok('GET', `/api/drafts/${draft_id}`);
  await ann.ok('POST', '/api/records', { draft_id, revision: 0, body: { ...draft.body, response: `${draft.body.response} Short waves are nearer to the size of the molecules.` }, ...attested, idempotency_key: newKey() });
  assert.deepEqual((await ann.ok('GET', `/api/records/${record_id}`)).versions.map(({ version }: { version: number }) => version), [1, 2]);
});

test('rejected, appealed to others, and rejected for good', async () => {
  const { studio, olga, ann, bob, cid } = await begun();
  await using _ = studio;
  const [dan, eva] = [await join_(olga, 'dan'), await join_(olga, 'eva')];
  const { record_id } = await write(ann, 'open_qa', RECORDS[0]);
  studio.advance(11_000);
  const reject = { verdict: 'reject', comment: 'This is not what was asked for.', scores: { follows_instruction: 1, correct: 2, clear: 2, category_fit: 2 } };
  await review(bob, reject);
  await review(cid, reject);
  assert.equal((await ann.ok('GET', `/api/records/${record_id}`)).may.appeal, true);
  await ann.ok('POST', `/api/records/${record_id}/appeal`, { reason: 'It answers the question.' });
  studio.advance(11_000);
  assert.equal(await review(bob), null, 'who decided before is not asked again');
  await review(dan, reject);
  await review(eva, reject);
  const view = await ann.ok('GET', `/api/records/${record_id}`);
  assert.deepEqual([view.state, view.may.appeal, view.points], ['rejected', false, null]);
  await ann.refused('POST', `/api/records/${record_id}/appeal`, { reason: 'Again.' }, 'appeal_once');
});

test('reviewers who disagree get a third, then a moderator; points follow and verify', async () => {
  const { studio, olga, ann, bob, cid } = await begun();
  await using _ = studio;
  const mod = await join_(olga, 'mod', ['moderator', 'member']);
  const dan = await join_(olga, 'dan');
  const { record_id } = await write(ann, 'open_qa', RECORDS[0]);
  studio.advance(11_000);
  await review(bob);
  await review(cid, { verdict: 'reject', comment: 'I do not believe this at all.', scores: { follows_instruction: 1, correct: 1, clear: 2, category_fit: 2 } });
  assert.equal((await ann.ok('GET', `/api/records/${record_id}`)).state, 'in_review');
  await review(dan, { verdict: 'fix', comment: 'Needs a little more than that.', scores: { follows_instruction: 3, correct: 3, clear: 3, category_fit: 3 } });
  const { records } = await mod.ok('GET', '/api/decisions');
  assert.deepEqual(records.map(({ record_id: id, reason }: { record_id: string; reason: string }) => [id, reason]), [[record_id, 'disagreement']]);
  const { text } = await mod.ask('GET', `/api/decisions/${record_id}`);
  assert.ok(!/ann|bob|cid|dan/.test(text));
  await mod.ok('POST', `/api/decisions/${record_id}`, { verdict: 'accept', quality: 5, rationale: 'It is right, and says why.' });
  const view = await ann.ok('GET', `/api/records/${record_id}`);
  assert.deepEqual([view.state, view.rationale, view.points.factors.quality], ['accepted', 'It is right, and says why.', 1300]);
  assert.equal((await olga.ok('POST', '/api/manage/log/verify')).ledger.ok, true);
  // A changed entry shows.
  await studio.store.pool.query('alter table ledger_entries disable trigger all');
  await studio.store.pool.query('update ledger_entries set delta_mp = delta_mp + 1 where seq = 1');
  assert.deepEqual((await olga.ok('POST', '/api/manage/log/verify')).ledger, { ok: false, at: 1 });
});

test('newcomers have five waiting at most; who holds a task is led to it', async () => {
  const { studio, ann } = await begun();
  await using _ = studio;
  for (const record of RECORDS) await write(ann, 'open_qa', record);
  const body = await ann.refused('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'author' }, 'pending_cap');
  assert.deepEqual(body.error.values, { pending: 5, cap: 5, because: 'newcomer' });
  const [last] = (await ann.ok('GET', '/api/records')).records;
  await ann.ok('POST', `/api/records/${last.id}/withdraw`);
  const claim = async (category: string): Promise<string> => (await ann.ok('POST', '/api/tasks/claim', { category, kind: 'author' })).draft_id;
  const held = await claim('open_qa');
  assert.deepEqual(await Promise.all([claim('open_qa'), claim('brainstorming')]), [held, held]);
  studio.advance(LEASE_TIMES.most_ms);
  assert.notEqual(await claim('open_qa'), held, 'its time ran out: another one, and the draft is kept');
  assert.equal((await ann.ok('GET', '/api/home')).drafts.length, 2);
});
