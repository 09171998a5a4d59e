/** Two `roslin up` on one PostgreSQL of one's own: migrated once, one set of sessions, what one writes the other knows, jobs done once. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { SimilarRecords } from '../../../src/collect/checks/similar-records.ts';
import { requireCampaign } from '../../../src/collect/campaigns/current.ts';
import type { Context } from '../../../src/collect/context.ts';
import { makeDemo } from '../../../src/collect/demo-campaign.ts';
import { runJobs } from '../../../src/collect/jobs.ts';
import { verifyLedger } from '../../../src/collect/points/ledger.ts';
import { auditFault } from '../../../src/store/audit.ts';
import { MIGRATIONS } from '../../../src/store/migrations/index.ts';
import { connectionFromUrl, openStore } from '../../../src/store/store.ts';
import { TestDatabase } from '../../store/database.ts';
import { Client, DAY, join_, newKey, attested, openCampaign, PASSWORD, RECORDS, write, type TestStudio } from './client.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'roslin-two-'));
const database = await TestDatabase.start();
const children: ChildProcess[] = [];
after(async () => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM')) await once(child, 'exit');
  await database[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function up(name: string, url: string): Promise<{ child: ChildProcess; studio: TestStudio; link: string | null }> {
  const child = spawn(process.execPath, [main, 'up', '--workspace', join(folder, name), '--port', '0', '--json'], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, DATABASE_URL: url } });
  children.push(child);
  let [text, said] = ['', ''];
  child.stderr.on('data', (part: Buffer) => (said += String(part)));
  for await (const part of child.stdout.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    text += String(part);
    if (!text.includes('\n')) continue;
    const { url: at, owner_link: link, embedded } = JSON.parse(text) as { url: string; owner_link: string | null; embedded: boolean };
    assert.equal(embedded, false);
    return { child, link, studio: { url: at, context: { publicUrl: at }, faults: [], now: Date.now } as unknown as TestStudio };
  }
  throw new Error(`it ended: ${said}`);
}

test('two servers at once on an empty database: sessions, campaign, drafts and likeness are one', async () => {
  const url = await database.url();
  const admin = new pg.Client(connectionFromUrl(url));
  await admin.connect();
  await admin.query('drop schema public cascade; create schema public');
  const [a, b] = await Promise.all([up('a', url), up('b', url)]);
  const { rows } = await admin.query<{ id: string }>('select id from roslin_migrations order by id');
  assert.deepEqual(rows.map(({ id }) => id), MIGRATIONS.map(({ id }) => id));

  // Of two links printed at the same time the later one counts.
  const setUp = async ({ studio, link }: typeof a): Promise<Client | undefined> => {
    const client = new Client(studio);
    const { status } = await client.ask('POST', '/api/setup', { token: new URL(link!).hash.slice(1), login: 'olga', name: 'Olga Owner', password: PASSWORD, locale: 'en' });
    return status === 200 ? client : undefined;
  };
  const olga = (await setUp(a)) ?? (await setUp(b));
  assert.ok(olga);
  const on = (client: Client, { studio }: typeof a): Client => Object.assign(new Client(studio), { cookie: client.cookie });
  await openCampaign(on(olga, a));
  const ann = await join_(on(olga, b), 'ann');
  assert.equal((await on(ann, a).ok('GET', '/api/session')).person.login, 'ann');
  assert.equal((await on(ann, b).ok('GET', '/api/session')).person.login, 'ann');

  // Begun here, gone on with there; a stale copy is a conflict on either.
  const { draft_id } = await on(ann, a).ok('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'author' });
  const { draft } = await on(ann, b).ok('GET', `/api/drafts/${draft_id}`);
  const body = { ...draft.body, ...RECORDS[0] };
  const { revision } = await on(ann, b).ok('PUT', `/api/drafts/${draft_id}`, { body, revision: draft.revision, device: 'b' });
  assert.equal((await on(ann, a).ask('PUT', `/api/drafts/${draft_id}`, { body: { ...body, response: 'stale' }, revision: draft.revision, device: 'a' })).status, 409);
  // The same key handed in at both at once is one record.
  const key = newKey();
  const both = await Promise.all([a, b].map((server) => on(ann, server).ok('POST', '/api/records', { draft_id, revision, body, ...attested, idempotency_key: key })));
  assert.equal(both[0].record_id, both[1].record_id);

  // What came in at one is known to the other: counted for all to see, and too like to be handed in again.
  const { link } = await on(olga, a).ok('POST', '/api/manage/live-link');
  const token = new URL(link).hash.slice(1);
  const seen = await Promise.all([a, b].map(({ studio }) => new Client(studio).ok('POST', '/api/live', { token })));
  assert.deepEqual(seen[0], seen[1]);
  const bob = await join_(on(olga, a), 'bob');
  for (const server of [a, b]) {
    const person = on(bob, server);
    const claimed = await person.ok('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'author' });
    const mine = (await person.ok('GET', `/api/drafts/${claimed.draft_id}`)).draft;
    const same = { ...mine.body, ...RECORDS[0] };
    const saved = await person.ok('PUT', `/api/drafts/${claimed.draft_id}`, { body: same, revision: mine.revision, device: 'test' });
    const reply = await person.ask('POST', '/api/records', { draft_id: claimed.draft_id, revision: saved.revision, body: same, ...attested, idempotency_key: newKey() });
    assert.equal(reply.status, 422, reply.text);
    await person.ok('DELETE', `/api/drafts/${claimed.draft_id}`);
  }
  await write(on(bob, b), 'open_qa', RECORDS[1]);

  // One ends; whoever was there goes on at the other.
  a.child.kill('SIGTERM');
  await once(a.child, 'exit');
  assert.equal((await on(ann, b).ok('GET', '/api/session')).person.login, 'ann');
  // Signed out there is signed out here.
  const c = await up('c', url);
  assert.equal(c.link, null);
  await on(ann, b).ok('DELETE', '/api/session');
  assert.equal((await on(ann, c).ok('GET', '/api/session')).person, null);
  await admin.end();
});

test('jobs of four servers at once do everything once', async () => {
  const url = await database.url();
  let now = Date.UTC(2026, 10, 25, 12);
  const stores = await Promise.all(Array.from({ length: 4 }, () => openStore(connectionFromUrl(url))));
  const contexts = stores.map((store): Context => ({ store, now: () => now, random: () => 0.5, similar: new SimilarRecords(), mail: undefined, publicUrl: 'http://127.0.0.1' }));
  const [{ db }] = stores as [(typeof stores)[0]];
  await makeDemo(contexts[0]!, null, 'en');
  const campaign = await requireCampaign(db);
  const count = async (sql: string): Promise<number> => (await stores[0]!.pool.query<{ n: number }>(`select count(*)::int as n from ${sql}`)).rows[0]!.n;
  const boards = await count('board_snapshots');
  for (let day = 0; day < 3; day++) {
    now += DAY;
    await Promise.all(contexts.map((context) => runJobs(context)));
  }
  assert.equal(await count('board_snapshots'), boards + 3, 'a board a day');
  now = campaign.ends_at.getTime() + DAY;
  for (let i = 0; i < 2; i++) await Promise.all(contexts.map((context) => runJobs(context)));
  assert.equal((await requireCampaign(db)).state, 'closing');
  assert.equal(await count(`events where type = 'campaign.close'`), 1);
  assert.equal(await auditFault(db), undefined);
  assert.equal(await verifyLedger(db, campaign), undefined);
  for (const store of stores) await store.close();
});
