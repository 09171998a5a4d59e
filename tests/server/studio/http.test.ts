/** Origin, Host, cookies, sessions, limits, headers. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, test } from 'node:test';
import { TrustedProxies } from '../../../src/server/studio/http.ts';
import { csvCell } from '../../../src/server/studio/reports.ts';
import { TestDatabase } from '../../store/database.ts';
import { Client, join_, openCampaign, owner, PASSWORD, startTestStudio, type TestStudio } from './client.ts';

const database = await TestDatabase.start();
after(() => database[Symbol.asyncDispose]());

/** fetch sets Host itself. */
function raw(studio: TestStudio, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${studio.url}${path}`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    }).on('error', reject).end();
  });
}

test('unsafe methods are answered to pages of our own alone, whatever the content type', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  const own = studio.context.publicUrl;
  const { port } = new URL(own);
  const foreign = [undefined, 'null', '', `https://127.0.0.1:${port}`, `http://127.0.0.1:${Number(port) + 1}`, `http://evil.example:${port}`, `${own}.evil.example`, 'http://127.0.0.1'];
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data', 'APPLICATION/JSON', undefined]) {
      for (const origin of foreign) {
        const response = await fetch(`${studio.url}/api/me`, { method: method === 'POST' || method === 'PUT' || method === 'DELETE' ? 'PATCH' : method, headers: { cookie: olga.cookie!, ...(type !== undefined && { 'content-type': type }), ...(origin !== undefined && { origin }) }, body: '{"name":"Mallory"}' });
        assert.equal(response.status, 403, `${method} ${type} ${origin}`);
        assert.equal(((await response.json()) as { error: { code: string } }).error.code, 'forbidden_origin');
      }
    }
  }
  assert.equal((await olga.ok('GET', '/api/me')).name, 'Olga Owner');
  await olga.ok('PATCH', '/api/me', { name: 'Olga' });
  assert.equal((await olga.ask('PATCH', '/api/me', 'name=Mallory', { 'content-type': 'text/plain' })).status, 415);
});

test('a name that was made to point here is not answered', async () => {
  await using studio = await startTestStudio(database);
  const { host } = new URL(studio.url);
  assert.equal(await raw(studio, '/api/session', { host }), 200);
  assert.equal(await raw(studio, '/api/session', { host: 'evil.example' }), 421);
  assert.equal(await raw(studio, '/', { host: `evil.example:${host.split(':')[1]}` }), 421);
  assert.equal(await raw(studio, '/healthz', { host: 'anything' }), 200);
});

test('forwarded addresses count from known proxies alone', () => {
  const none = new TrustedProxies([]);
  assert.equal(none.clientOf('192.0.2.1', '198.51.100.7'), '192.0.2.1');
  const some = new TrustedProxies(['192.0.2.1', '10.0.0.0/8']);
  assert.equal(some.clientOf('192.0.2.1', '198.51.100.7'), '198.51.100.7');
  assert.equal(some.clientOf('192.0.2.1', '1.1.1.1, 198.51.100.7, 10.9.9.9'), '198.51.100.7');
  assert.equal(some.clientOf('203.0.113.5', '198.51.100.7'), '203.0.113.5');
  assert.equal(some.clientOf('::ffff:192.0.2.1', '2001:db8:1:2:3::4'), '2001:db8:1:2::/64');
  assert.throws(() => new TrustedProxies(['proxy.example']));
});

test('over https the cookie is __Host-, Secure, HttpOnly and SameSite=Lax; over http on loopback it has a name that browsers accept', async () => {
  for (const secure of [false, true]) {
    await using studio = await startTestStudio(database, { secure });
    const { port } = new URL(studio.url);
    const client = new Client(studio);
    const set = await new Promise<string[] | undefined>((resolve, reject) => {
      const body = JSON.stringify({ token: studio.ownerToken, login: 'olga', name: 'Olga Owner', password: PASSWORD, locale: 'en' });
      const asking = request(`${studio.url}/api/setup`, { method: 'POST', headers: { host: secure ? 'studio.example.org' : `127.0.0.1:${port}`, origin: studio.context.publicUrl, 'content-type': 'application/json' } }, (response) => {
        response.resume();
        resolve(response.headers['set-cookie']);
      });
      asking.on('error', reject).end(body);
    });
    assert.match(set![0]!, secure ? /^__Host-roslin=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure$/ : /^roslin=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
    client.cookie = set![0]!.split(';')[0]!;
    const { rows } = await studio.store.pool.query<{ token_hash: string }>('select token_hash from sessions');
    assert.equal(rows.length, 1);
    assert.ok(!client.cookie.includes(rows[0]!.token_hash));
  }
});

test('old cookies fail after sign-out, change of password, of role, and suspension', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  await openCampaign(olga);
  const ann = await join_(olga, 'ann');
  const stolen = new Client(studio);
  const fails = async () => assert.equal((await stolen.ok('GET', '/api/session')).person, null);
  const steal = () => void (stolen.cookie = ann.cookie);
  const signIn = () => ann.ok('POST', '/api/session', { login: 'ann', password: PASSWORD });

  steal();
  await ann.ok('DELETE', '/api/session');
  await fails();
  await signIn();
  steal();
  await ann.ok('POST', '/api/me/password', { current: PASSWORD, next: 'another good long one' });
  await fails();
  assert.equal((await ann.ok('GET', '/api/session')).person.login, 'ann');
  await ann.ok('POST', '/api/me/password', { current: 'another good long one', next: PASSWORD });
  const { id } = (await ann.ok('GET', '/api/session')).person;
  steal();
  await olga.ok('PATCH', `/api/manage/people/${id}`, { roles: ['member'] });
  await fails();
  await signIn();
  steal();
  await olga.ok('PATCH', `/api/manage/people/${id}`, { status: 'suspended' });
  await fails();
  await new Client(studio).refused('POST', '/api/session', { login: 'ann', password: PASSWORD }, 'suspended');
});

test('the sixth try at a password is refused, also with the right one, for a quarter of an hour', async () => {
  await using studio = await startTestStudio(database);
  await owner(studio);
  const client = new Client(studio);
  for (let i = 0; i < 5; i++) await client.refused('POST', '/api/session', { login: i % 2 === 0 ? 'olga' : 'OLGA', password: 'wrong' }, 'wrong_password');
  const reply = await client.ask('POST', '/api/session', { login: 'olga', password: PASSWORD });
  assert.equal(reply.status, 429);
  assert.equal(reply.headers.get('retry-after'), '900');
  studio.advance(901_000);
  await client.ok('POST', '/api/session', { login: 'olga', password: PASSWORD });
});

test('tries at a password at once are no more than tries in turn; right ones are not counted', async () => {
  await using studio = await startTestStudio(database);
  await owner(studio);
  const guesses = await Promise.all(Array.from({ length: 20 }, () => new Client(studio).ask('POST', '/api/session', { login: 'olga', password: 'wrong' })));
  assert.deepEqual([403, 429].map((status) => guesses.filter((reply) => reply.status === status).length), [5, 15]);
  studio.advance(901_000);
  for (let minute = 0; minute < 6; minute++) {
    for (let i = 0; i < 20; i++) await new Client(studio).ok('POST', '/api/session', { login: 'olga', password: PASSWORD });
    studio.advance(60_000);
  }
});

test('a whole office behind one address comes in on the first morning, and whoever mistypes there too', async () => {
  await using studio = await startTestStudio(database, { proxies: ['127.0.0.1'] });
  const olga = await owner(studio);
  const office = { 'x-forwarded-for': '198.51.100.7' };
  const links = await olga.ok('POST', '/api/manage/roster', { csv: ['email', ...Array.from({ length: 40 }, (_, i) => `p${i}@example.org`)].join('\n') });
  for (const [i, { link }] of (links.created as { link: string }[]).entries()) {
    const client = new Client(studio);
    const token = new URL(link).hash.slice(1);
    for (let look = 0; look < 2; look++) assert.equal((await client.ask('POST', '/api/invitations/look', { token }, office)).status, 200);
    assert.equal((await client.ask('POST', '/api/invitations/accept', { token, login: `p${i}`, name: `Person ${i}`, password: PASSWORD, locale: 'en' }, office)).status, 200, `person ${i}`);
  }
  for (let i = 0; i < 40; i++) {
    if (i % 3 === 0) assert.equal((await new Client(studio).ask('POST', '/api/session', { login: `p${i}`, password: 'mistyped' }, office)).status, 403);
    assert.equal((await new Client(studio).ask('POST', '/api/session', { login: `p${i}`, password: PASSWORD }, office)).status, 200, `person ${i}`);
  }
  for (let i = 0; i < 100; i++) assert.equal((await new Client(studio).ask('POST', '/api/invitations/look', { token: 'x'.repeat(43) }, office)).body.error.code, 'link_invalid');
});

test('wrong passwords: a stranger elsewhere locks nobody out; many addresses together, and one address at many accounts, come to an end', async () => {
  await using studio = await startTestStudio(database, { proxies: ['127.0.0.1'] });
  await owner(studio);
  const from = (address: string, login: string, password = 'wrong') => new Client(studio).ask('POST', '/api/session', { login, password }, { 'x-forwarded-for': address });
  const { pool } = studio.store;
  const hits = async (key: string) => (await pool.query<{ hits: number }>('select hits from throttles where key = $1', [key])).rows[0]?.hits ?? 0;
  for (let i = 0; i < 5; i++) assert.equal((await from('198.51.100.1', 'olga')).status, 403);
  assert.equal((await from('198.51.100.1', 'olga', PASSWORD)).status, 429);
  assert.equal((await from('198.51.100.2', 'olga', PASSWORD)).status, 200, 'she works on');
  assert.deepEqual([await hits('login olga'), await hits('address 198.51.100.1'), await hits('address 198.51.100.2')], [5, 5, 0], 'a right one is not counted, nor does it forgive others');

  await pool.query(`update throttles set hits = 99 where key = 'login olga'`);
  assert.equal((await from('198.51.100.3', 'olga')).status, 403);
  assert.equal((await from('198.51.100.4', 'olga')).status, 429);
  assert.equal(await hits('login olga at 198.51.100.4'), 0, 'what was not heard is not counted');
  studio.advance(3_601_000);
  assert.equal((await from('198.51.100.4', 'olga', PASSWORD)).status, 200);

  assert.equal((await from('198.51.100.5', 'nobody')).status, 403);
  await pool.query(`update throttles set hits = 299 where key = 'address 198.51.100.5'`);
  assert.equal((await from('198.51.100.5', 'somebody')).status, 403);
  const reply = await from('198.51.100.5', 'olga', PASSWORD);
  assert.deepEqual([reply.status, reply.headers.get('retry-after')], [429, '900']);
});

test('bodies are bounded, and requests a minute', async () => {
  await using studio = await startTestStudio(database);
  const olga = await owner(studio);
  assert.equal((await olga.ask('PATCH', '/api/me', JSON.stringify({ name: 'x'.repeat(70_000) }))).status, 413);
  for (let i = 0; i < 10; i++) assert.equal((await olga.ask('POST', '/api/manage/log/verify')).status, 200);
  assert.equal((await olga.ask('POST', '/api/manage/log/verify')).status, 429);
  studio.advance(60_000);
  assert.equal((await olga.ask('POST', '/api/manage/log/verify')).status, 200);
});

test('every answer has the headers that keep pages safe; unknown paths under /api are not pages', async () => {
  await using studio = await startTestStudio(database);
  const client = new Client(studio);
  for (const path of ['/', '/any/page', '/api/session', '/api/nothing', '/missing.js']) {
    const { headers, status } = await client.ask('GET', path);
    assert.match(headers.get('content-security-policy')!, /script-src 'self';.*frame-ancestors 'none'.*require-trusted-types-for 'script'/, path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(status, path === '/api/nothing' || path === '/missing.js' ? 404 : 200, path);
  }
  assert.equal((await client.ask('PUT', '/api/session')).status, 405);
});

test('cells that a spreadsheet would run are text', () => {
  for (const bad of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1']) assert.equal(csvCell(bad).startsWith(`"'`), true, bad);
  assert.equal(csvCell('a "b", c'), '"a ""b"", c"');
  assert.equal(csvCell(-5), '-5');
  assert.equal(csvCell(null), '');
});
