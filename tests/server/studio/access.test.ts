/** Who may do what: every route of the contract with every role, generated from the contract itself; others' things are not there. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { mayAccess, type Role } from '../../../src/collect/rules/access.ts';
import { ROUTES, type RouteSpec } from '../../../src/server/contract.ts';
import { newId } from '../../../src/store/id.ts';
import { TestDatabase } from '../../store/database.ts';
import { attested, Client, join_, newKey, openCampaign, owner, RECORDS, startTestStudio, write } from './client.ts';

const database = await TestDatabase.start();
after(() => database[Symbol.asyncDispose]());

const addressOf = ({ url }: RouteSpec): string => url.replace('{id}', newId()).replace('{category}', 'open_qa').replace('{locale}', 'en').replace('{version}', '1').replace('{file}', 'dataset.json').replace('{name}', 'records').replace('{form}', 'csv');

test('route x role: what the contract does not allow is refused before anything is looked at', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const people: [Role | 'nobody', Client][] = [['nobody', new Client(studio)], ['owner', olga]];
  for (const role of ['admin', 'moderator', 'reviewer', 'member'] as const) people.push([role, await join_(olga, `only-${role}`, [role])]);
  let tried = 0;
  for (const [name, spec] of Object.entries(ROUTES) as [string, RouteSpec][]) {
    if (name === 'signOut') continue; // it would end the session that the rest needs
    for (const [role, client] of people) {
      // A body that no route takes: what is allowed is refused for its shape, or is not there, and changes nothing.
      const reply = await client.ask(spec.method, addressOf(spec), spec.method === 'GET' ? undefined : { nothing: true });
      const allowed = mayAccess(spec.access, role === 'nobody' ? undefined : [role]);
      if (allowed) assert.ok(![401].includes(reply.status) && reply.body?.error?.code !== 'forbidden', `${role} ${name}: ${reply.status} ${reply.text}`);
      else assert.deepEqual([reply.status, reply.body?.error?.code], role === 'nobody' ? [401, 'signed_out'] : [403, 'forbidden'], `${role} ${name}`);
      tried++;
    }
  }
  assert.equal(tried, (Object.keys(ROUTES).length - 1) * 6);
  assert.deepEqual(studio.faults, []);
});

test('somebody else\'s draft, record, lease and review are not there', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const [ann, bob, cid] = [await join_(olga, 'ann'), await join_(olga, 'bob'), await join_(olga, 'cid', ['moderator', 'admin', 'member'])];
  const { record_id } = await write(ann, 'open_qa', RECORDS[0]);
  const { draft_id } = await ann.ok('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'author' });
  const { lease } = await ann.ok('GET', `/api/drafts/${draft_id}`);
  studio.advance(11_000);
  const { item } = await bob.ok('POST', '/api/reviews/next');
  const body = { instruction: '', context: '', response: '' };
  const asked: [string, string, unknown][] = [
    ['GET', `/api/drafts/${draft_id}`, undefined], ['PUT', `/api/drafts/${draft_id}`, { body, revision: 0, device: '' }], ['DELETE', `/api/drafts/${draft_id}`, undefined], ['POST', `/api/drafts/${draft_id}/check`, { body }], ['POST', `/api/drafts/${draft_id}/release`, { reason: 'no' }],
    ['POST', `/api/leases/${lease.id}/extend`, undefined], ['POST', '/api/records', { draft_id, revision: 0, body, ...attested, idempotency_key: newKey() }], ['GET', `/api/records/${record_id}`, undefined], ['POST', `/api/records/${record_id}/undo`, undefined], ['POST', `/api/records/${record_id}/revise`, undefined],
    ['POST', `/api/records/${record_id}/appeal`, { reason: 'no' }], ['POST', `/api/records/${record_id}/withdraw`, undefined], ['POST', `/api/reviews/${item.review_id}/submit`, { scores: {}, verdict: 'accept', flags: [], comment: '' }], ['POST', `/api/reviews/${item.review_id}/skip`, { reason: 'no' }],
  ];
  for (const [method, path, sent] of asked) {
    const reply = await cid.ask(method, path, sent);
    assert.deepEqual([reply.status, reply.body.error.code], [404, 'not_found'], `${method} ${path}: ${reply.text}`);
  }
  assert.equal((await ann.ok('GET', `/api/records/${record_id}`)).state, 'in_review');
});

test('a pending record goes to its reviewer without a word of its author', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const [ann, bob] = [await join_(olga, 'ann'), await join_(olga, 'bob')];
  const { record_id, draft_id } = await write(ann, 'open_qa', RECORDS[0]);
  studio.advance(11_000);
  const { text } = await bob.ask('POST', '/api/reviews/next');
  const { id } = await studio.store.db.selectFrom('users').select('id').where('login', '=', 'ann').executeTakeFirstOrThrow();
  for (const secret of [id, record_id, draft_id, 'ann']) assert.ok(!text.includes(secret), secret);
  assert.ok(text.includes(RECORDS[0].instruction));
  assert.equal((await ann.ok('POST', '/api/reviews/next')).item, null, 'nobody reviews their own');
});
