/** The whole way: owner's link, campaign, invitation, writing, reviews, acceptance, board, sealed dataset. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { cpSync } from 'node:fs';
import { openData } from '../../../src/artefacts/dataset.ts';
import { join } from 'node:path';
import { TestDatabase } from '../../store/database.ts';
import { Client, DAY, join_, openCampaign, owner, PASSWORD, RECORDS, review, startTestStudio, write } from './client.ts';

const database = await TestDatabase.start();
after(() => database[Symbol.asyncDispose]());

test('from the owner\'s link to a sealed dataset', async () => {
  await using studio = await startTestStudio(database);
  const stranger = new Client(studio);
  assert.deepEqual(await stranger.ok('GET', '/api/session'), { setup_needed: true, sign_in: { oidc: [] }, person: null, campaign: null, consent: null, waiting: null });
  const olga = await owner(studio);
  await stranger.refused('POST', '/api/setup', { token: studio.ownerToken, login: 'other', name: 'Other', password: PASSWORD, locale: 'en' }, 'setup_done');
  await openCampaign(olga);
  const ann = await join_(olga, 'ann');
  const bob = await join_(olga, 'bob');
  const cid = await join_(olga, 'cid');

  const { record_id } = await write(ann, 'open_qa', RECORDS[0]);
  // Nobody gets it while its author can take it back.
  assert.equal((await bob.ok('POST', '/api/reviews/next')).item, null);
  studio.advance(11_000);
  const item = await review(bob);
  assert.equal(item.version.instruction, RECORDS[0].instruction);
  assert.equal((await ann.ok('GET', `/api/records/${record_id}`)).state, 'in_review');
  await review(cid);
  const record = await ann.ok('GET', `/api/records/${record_id}`);
  assert.equal(record.state, 'accepted');
  assert.equal(record.reviews.length, 2);
  // 3000 base, 33 of 35 words, quality 4, nothing like it before, need 1, first of its day: floor(3000 x floor(1000 x 33/35) / 1000).
  const words = 10 + 23;
  assert.equal(record.points.factors.size, Math.floor((1000 * words) / 35));
  assert.equal(record.points.delta_mp, Math.floor((3000 * record.points.factors.size * record.points.factors.need) / 1e6));
  assert.equal(record.points.settled, true);
  const home = await ann.ok('GET', '/api/home');
  assert.equal(home.points.settled, record.points.delta_mp);
  assert.equal(home.accepted, 1);
  assert.equal(home.decisions[0].record_id, record_id);

  studio.advance(DAY);
  const board = await ann.ok('GET', '/api/board');
  assert.equal(board.top.length, 1);
  assert.deepEqual([board.top[0].rank, board.top[0].name, board.top[0].points_mp, board.top[0].me], [1, 'ann Person', record.points.delta_mp, true]);

  for (const event of ['close', 'adjudicate', 'freeze']) await olga.ok('POST', '/api/manage/campaign/moves', { event });
  const sealed = await olga.ok('POST', '/api/manage/datasets');
  assert.equal(sealed.records, 1);
  assert.deepEqual(await olga.ok('POST', '/api/manage/datasets'), sealed, 'the same records give the same version');
  const campaign = await studio.store.db.selectFrom('campaigns').selectAll().executeTakeFirstOrThrow();
  const { records, heldOut = [], sealed: manifest } = openData(join(studio.workspace, 'datasets', campaign.slug, '1'));
  assert.equal(manifest?.root, sealed.root);
  assert.deepEqual([...records, ...heldOut].map(({ instruction, response, category }) => ({ instruction, response, category })), [{ ...RECORDS[0], category: 'open_qa' }]);
  const lines = (await olga.ask('GET', sealed.files.find(({ name }: { name: string }) => name === (records.length > 0 ? 'records.jsonl' : 'held-out.jsonl')).href)).text;
  const provenance = JSON.parse(lines.trim()).provenance.record;
  assert.equal(provenance.licence, 'CC-BY-SA-4.0');
  assert.match(provenance.contributor, /^p-[0-9a-f]{20}$/);
  assert.equal(provenance.consent, `${campaign.slug}/1`);
  assert.doesNotMatch(lines, /ann/i);

  // As a seal leaves it that was killed between the folder and its row: nobody sees it, and it is in nobody's way.
  const folders = join(studio.workspace, 'datasets', campaign.slug);
  cpSync(join(folders, '1'), join(folders, '2'), { recursive: true });
  assert.equal((await olga.ask('GET', '/api/manage/datasets/2/dataset.json')).status, 404);
  await studio.store.db.updateTable('submissions').set({ split: records.length > 0 ? 'held_out' : 'train' }).where('id', '=', record_id).execute();
  const both = await Promise.all([olga.ok('POST', '/api/manage/datasets'), olga.ok('POST', '/api/manage/datasets')]);
  assert.deepEqual(both.map(({ version }) => version), ['3', '3']);

  // Withdrawn: missing from the next version, points taken back.
  await ann.ok('POST', `/api/records/${record_id}/withdraw`);
  assert.equal((await ann.ok('GET', '/api/home')).points.settled, 0);
  await olga.refused('POST', '/api/manage/datasets', undefined, 'nothing_accepted');
  assert.deepEqual(await olga.ok('POST', '/api/manage/log/verify'), { events: { ok: true, at: null }, ledger: { ok: true, at: null } });
  assert.deepEqual(studio.faults, []);
});
