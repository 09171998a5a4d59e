/** What must not be found where it does not belong: secrets in the log and the database, somebody who left, names of colleagues in records. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { runJobs } from '../../../src/collect/jobs.ts';
import { TestDatabase } from '../../store/database.ts';
import { roslinUp } from '../load/processes.ts';
import { Client, DAY, join_, openCampaign, owner, PASSWORD, RECORDS, review, startTestStudio, write, type TestStudio } from './client.ts';

const database = await TestDatabase.start();
after(() => database[Symbol.asyncDispose]());

/** Every row of every table, as text. */
async function everything({ store: { pool } }: TestStudio): Promise<string> {
  const { rows } = await pool.query<{ name: string }>(`select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`);
  const parts: string[] = [];
  for (const { name } of rows) parts.push(...(await pool.query<{ row: string }>(`select to_jsonb(t)::text as row from ${name} t`)).rows.map(({ row }) => `${name} ${row}`));
  return parts.join('\n');
}

const linesWith = (text: string, word: string): string[] => text.split('\n').filter((line) => line.toLowerCase().includes(word.toLowerCase()));
const tokenIn = (link: string): string => new URL(link).hash.slice(1);
const WRONG = 'a wrong one that was nearly right';

test('passwords and tokens are in no table, and in no fault that the server tells of', async () => {
  await using studio = await startTestStudio(database);
  const secrets = [PASSWORD, WRONG, studio.ownerToken!];
  const olga = await owner(studio);
  await openCampaign(olga);
  const ann = await join_(olga, 'ann');
  const { link } = await olga.ok('POST', '/api/manage/invitations', { roles: ['member'], email: 'bob@harbour.example' });
  const { created } = await olga.ok('POST', '/api/manage/roster', { csv: 'email\ncid@harbour.example' });
  secrets.push(tokenIn(link), tokenIn(created[0].link), ...[olga, ann].map(({ cookie }) => cookie!.split('=')[1]!));
  await new Client(studio).refused('POST', '/api/session', { login: 'ann', password: WRONG }, 'wrong_password');
  await ann.refused('POST', '/api/me/password', { current: WRONG, next: PASSWORD }, 'wrong_password');
  const rows = await everything(studio);
  assert.ok(linesWith(rows, 'bob@harbour.example').length > 0, 'this scan would see it');
  for (const secret of secrets) assert.deepEqual(linesWith(rows, secret), []);

  // Faults of every kind: what is asked with secrets meets a database without the table that it needs.
  await studio.store.pool.query('alter table users rename to gone');
  const nobody = new Client(studio);
  for (const [client, method, path, body] of [
    [nobody, 'POST', '/api/session', { login: 'ann', password: PASSWORD }],
    [nobody, 'POST', '/api/invitations/accept', { token: tokenIn(link), login: 'bob', name: 'Bob', password: PASSWORD, locale: 'en' }], [ann, 'GET', '/api/me', undefined], [ann, 'POST', '/api/me/password', { current: PASSWORD, next: WRONG }],
  ] as const) {
    const reply = await client.ask(method, path, body);
    assert.equal(reply.status, 500, `${path}: ${reply.text}`);
    assert.deepEqual(Object.keys(reply.body.error), ['code', 'message']);
    assert.doesNotMatch(reply.text, /gone|relation|select|\.ts|node_modules|\/src\//);
  }
  assert.equal(studio.faults.length, 4);
  const told = studio.faults.map((fault) => inspect(fault, { depth: 20, showHidden: true })).join('\n');
  assert.match(told, /users/);
  for (const secret of secrets) assert.deepEqual(linesWith(told, secret), []);
});

test('the log of roslin up holds no secret', { timeout: 300_000 }, async () => {
  const workspace = mkdtempSync(join(tmpdir(), 'roslin-log-'));
  chmodSync(workspace, 0o711);
  try {
    const up = await roslinUp(join(workspace, 'studio'));
    const secrets = [tokenIn(up.ownerLink!), PASSWORD, WRONG];
    try {
      let cookie = '';
      const ask = async (method: string, path: string, body?: object): Promise<Response> => {
        const response = await fetch(`${up.url}${path}`, { method, headers: { origin: up.url, cookie, 'content-type': 'application/json' }, ...(body && { body: JSON.stringify(body) }) });
        for (const set of response.headers.getSetCookie()) secrets.push((cookie = set.split(';')[0]!).split('=')[1]!);
        return response;
      };
      assert.equal((await ask('POST', '/api/setup', { token: secrets[0], login: 'olga', name: 'Olga Owner', password: PASSWORD, locale: 'en' })).status, 200);
      const { link } = (await (await ask('POST', '/api/manage/invitations', { roles: ['member'] })).json()) as { link: string };
      secrets.push(tokenIn(link));
      assert.equal((await ask('POST', '/api/session', { login: 'olga', password: WRONG })).status, 403);
      assert.equal((await ask('POST', '/api/session', { login: 'olga', password: PASSWORD })).status, 200);
      await ask('GET', `/api/session?token=${tokenIn(link)}`);
      await ask('POST', '/api/invitations/look', { token: tokenIn(link) });
    } finally {
      await up.stop();
    }
    assert.ok(secrets.length >= 6);
    assert.match(up.said(), /Ending/, 'this is what it says on stderr');
    for (const secret of secrets) assert.deepEqual(linesWith(up.said(), secret), []);
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
});

test('who is erased is in no row any more, nor how they typed; their record and the sums of the ledger stay', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const { link } = await olga.ok('POST', '/api/manage/invitations', { roles: ['member'], email: 'zelda@harbour.example' });
  const zelda = new Client(studio);
  await zelda.ok('POST', '/api/invitations/accept', { token: tokenIn(link), login: 'zelda-login', name: 'Zelda Quist', password: PASSWORD, locale: 'en' });
  await zelda.ok('POST', '/api/consent', { version: 1, locale: 'en' });
  await zelda.ok('PATCH', '/api/me', { alias: 'Kestrel', visibility: 'alias' });
  const { record_id } = await write(zelda, 'open_qa', RECORDS[0]);
  const [bob, cid] = [await join_(olga, 'bob'), await join_(olga, 'cid')];
  studio.advance(11_000);
  await review(bob);
  await review(cid);
  const { draft_id } = await zelda.ok('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'author' });
  await zelda.ok('PUT', `/api/drafts/${draft_id}`, { body: { instruction: 'My unfinished thought', context: '', response: '' }, revision: 0, device: 'zeldas-laptop' });
  studio.advance(DAY);
  await runJobs(studio.context);
  await new Client(studio).refused('POST', '/api/session', { login: 'zelda-login', password: WRONG }, 'wrong_password');

  const words = ['zelda', 'Quist', 'harbour.example', 'Kestrel', 'unfinished thought', '"active_ms": 60000'];
  // Of the two who stay, how they typed stays as well: only Zelda wrote here.
  const before = await everything(studio);
  for (const word of words) assert.ok(linesWith(before, word).length > 0, `this scan would see ${word}`);
  const sums = async () => (await studio.store.pool.query('select user_id, sum(delta_mp)::text as sum, count(*)::int as n from ledger_entries group by user_id order by user_id')).rows as { sum: string }[];
  const owed = await sums();
  assert.ok(owed.some(({ sum }) => Number(sum) > 0));

  await zelda.ok('POST', '/api/me/erase', { password: PASSWORD });
  // Tries at passwords are kept for an hour.
  studio.advance(3_700_000);
  await runJobs(studio.context);
  const rest = await everything(studio);
  for (const word of words) assert.deepEqual(linesWith(rest, word), [], word);
  assert.deepEqual(await sums(), owed);
  assert.ok(linesWith(rest, RECORDS[0].response).length > 0);
  const { events, ledger } = await olga.ok('POST', '/api/manage/log/verify');
  assert.deepEqual([events.ok, ledger.ok], [true, true]);
  await new Client(studio).refused('POST', '/api/session', { login: 'zelda-login', password: PASSWORD }, 'wrong_password');
  // Nothing else of a version can be changed, nor typing written anew.
  for (const change of [`instruction = 'x'`, `telemetry = '{"edits": 1}'`, `telemetry = '{}', response = 'x'`]) await assert.rejects(studio.store.pool.query(`update submission_versions set ${change} where submission_id = '${record_id}'`), /never changed/);
});

test('the name of somebody who takes part is shown as personal data, and does not block', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga, { policy: { reviews: 2, personal_data: 'block' } });
  const ann = await join_(olga, 'ann');
  await ann.ok('PATCH', '/api/me', { name: 'Анна О\u2019Нил' });
  const { draft_id } = await ann.ok('POST', '/api/tasks/claim', { category: 'open_qa', kind: 'author' });
  const found = async (instruction: string): Promise<string[]> => {
    const { findings } = await ann.ok('POST', `/api/drafts/${draft_id}/check`, { body: { instruction, context: '', response: '' } });
    return findings.filter(({ code }: { code: string }) => code === 'personal_data').flatMap(({ severity, spans }: { severity: string; spans: [number, number][] }) => spans.map(([from, to]) => `${severity} ${instruction.slice(from, to)}`));
  };
  assert.deepEqual(await found('Who, if not Olga Owner, knows this? Ask Owner, Olga.'), ['warn Olga Owner', 'warn Owner, Olga']);
  assert.deepEqual(await found('Olga Owner\u2019s dog is older than Olga  OWNER.'), ['warn Olga Owner', 'warn Olga  OWNER']);
  // Her own, and a Latin letter in it.
  assert.deepEqual(await found('Это написала Анна О\u2019Нил.'), ['warn Анна О\u2019Нил']);
  assert.deepEqual(await found('Это написала Aнна О\u2019Нил.'), ['warn Aнна О\u2019Нил']);
  for (const nobody of ['Olga went home. Owner unknown.', 'Olga (Owner)', 'the olga owner', 'Olga Ownership', 'Isaac Newton and Olga Petrova']) assert.deepEqual(await found(nobody), [], nobody);
});
