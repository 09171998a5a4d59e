/** Single sign-on: with a real issuer from the button to the session, and against an issuer, a network and people that lie. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { ownPath } from '../../../src/collect/accounts/identities.ts';
import { UsageError } from '../../../src/errors.ts';
import { SingleSignOn, type SingleSignOnSettings } from '../../../src/server/studio/single-sign-on.ts';
import { TestDatabase } from '../../store/database.ts';
import { Client, join_, owner, PASSWORD, startTestStudio, type TestStudio } from './client.ts';
import { CLIENT, lyingIssuer, realIssuer, SECRET, signInThere, type Lies } from './issuers.ts';

const database = await TestDatabase.start();
after(() => database[Symbol.asyncDispose]());

const settingsOf = (issuer: string, change: Partial<SingleSignOnSettings> = {}): SingleSignOnSettings => ({ issuer, clientId: CLIENT, clientSecret: SECRET, name: 'Harbour login', domains: ['harbour.example'], hosts: [], ...change });
const pathOf = (address: string): string => address.slice(new URL(address).origin.length);

async function begin(client: Client, body: object = {}): Promise<string> {
  return (await client.ok('POST', '/api/sign-on', { locale: 'en', ...body })).url;
}

/** Opens what the issuer sent the browser to; answers where it goes from there. */
async function comeBack(client: Client, address: string): Promise<string> {
  const reply = await client.ask('GET', pathOf(address));
  assert.equal(reply.status, 303, reply.text);
  const { publicUrl } = client.studio.context;
  const location = reply.headers.get('location')!;
  assert.ok(location.startsWith(`${publicUrl}/`), location);
  return location.slice(publicUrl.length);
}

const nameOf = async (client: Client): Promise<string | undefined> => (await client.ok('GET', '/api/session')).person?.name;
const accounts = async ({ store }: TestStudio): Promise<number> => (await store.db.selectFrom('users').select('id').execute()).length;

test('with a real issuer: an address at the organisation makes an account, and the same one from then on', async () => {
  await using issuer = await realIssuer({ ann: { email: 'Ann.Grant@harbour.example', email_verified: true, name: 'Ann Grant' }, eve: { email: 'eve@elsewhere.example', email_verified: true, name: 'Eve' }, una: { email: 'una@harbour.example', email_verified: false, name: 'Una' } });
  await using studio = await startTestStudio(database, { signOn: settingsOf(issuer.url) });
  await issuer.serve(`${studio.context.publicUrl}/api/sign-on/callback`);
  await owner(studio);

  const ann = new Client(studio);
  assert.deepEqual((await ann.ok('GET', '/api/session')).sign_in, { oidc: [{ id: 'sign-on', name: 'Harbour login' }] });
  const url = await begin(ann, { to: '/board?period=day' });
  const asked = new URL(url).searchParams;
  assert.deepEqual([asked.get('response_type'), asked.get('code_challenge_method'), asked.get('scope')], ['code', 'S256', 'openid email profile']);
  for (const name of ['state', 'nonce', 'code_challenge']) assert.ok(asked.get(name)!.length >= 43, name);
  assert.equal(await comeBack(ann, await signInThere(url, 'ann')), '/board?period=day');
  const { person } = await ann.ok('GET', '/api/session');
  assert.deepEqual([person.name, person.login, person.roles], ['Ann Grant', 'Ann.Grant@harbour.example', ['member', 'reviewer']]);
  assert.deepEqual(await ann.ok('GET', '/api/me').then(({ email, has_password, has_sign_on }) => [email, has_password, has_sign_on]), ['Ann.Grant@harbour.example', false, true]);

  const again = new Client(studio);
  await comeBack(again, await signInThere(await begin(again), 'ann'));
  assert.equal((await again.ok('GET', '/api/session')).person.id, person.id);

  for (const [who, code] of [['eve', 'sign_on_uninvited'], ['una', 'sign_on_unverified']] as const) {
    const client = new Client(studio);
    assert.equal(await comeBack(client, await signInThere(await begin(client), who)), `/sign-in?fault=${code}`);
    assert.equal(await nameOf(client), undefined);
  }
  const tired = new Client(studio);
  assert.equal(await comeBack(tired, await signInThere(await begin(tired), 'ann', { cancel: true })), '/sign-in?fault=sign_on_cancelled');
  assert.equal(await accounts(studio), 2);
  assert.deepEqual(studio.faults, []);
  const { events } = await studio.store.db.selectFrom('events').select('payload').execute().then((rows) => ({ events: JSON.stringify(rows) }));
  assert.doesNotMatch(events, /ann|harbour/i);
});

test('with a real issuer: a code is good once, in the browser that it was made for', async () => {
  await using issuer = await realIssuer({ ann: { email: 'ann@harbour.example', email_verified: true, name: 'Ann Grant' } });
  await using studio = await startTestStudio(database, { signOn: settingsOf(issuer.url) });
  await issuer.serve(`${studio.context.publicUrl}/api/sign-on/callback`);
  await owner(studio);
  const ann = new Client(studio);
  const address = await signInThere(await begin(ann), 'ann');
  // Mallory got hold of the address: without Ann's cookie it is nothing, with a sign-in of one's own it is another's.
  const mallory = new Client(studio);
  assert.equal(await comeBack(mallory, address), '/sign-in?fault=sign_on_failed');
  await begin(mallory);
  assert.equal(await comeBack(mallory, address), '/sign-in?fault=sign_on_failed');
  // Also with the state of Mallory's own sign-in: the code is bound to Ann's secret.
  const own = new URL(await begin(mallory)).searchParams.get('state')!;
  assert.equal(await comeBack(mallory, address.replace(/state=[^&]+/, `state=${own}`)), '/sign-in?fault=sign_on_failed');
  assert.equal(await nameOf(mallory), undefined);

  const second = await signInThere(await begin(ann), 'ann');
  const { cookie } = ann;
  assert.equal(await comeBack(ann, second), '/');
  const replay = new Client(studio);
  replay.cookie = cookie;
  assert.equal(await comeBack(replay, second), '/sign-in?fault=sign_on_failed', 'what was begun is used up');
  // With a fresh sign-in and its state, but the used code: the issuer refuses it.
  const state = new URL(await begin(replay)).searchParams.get('state')!;
  assert.equal(await comeBack(replay, second.replace(/state=[^&]+/, `state=${state}`)), '/sign-in?fault=sign_on_failed');
  assert.equal(await nameOf(replay), undefined);
});

const ANN = { sub: 'ann', email: 'ann@harbour.example', email_verified: true, name: 'Ann Grant' } as const;
const { privateKey: foreignKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

test('tokens that are not what they should be open no session', async () => {
  await using issuer = await lyingIssuer(ANN);
  await using studio = await startTestStudio(database, { signOn: settingsOf(issuer.url) });
  await owner(studio);
  const now = Math.floor(Date.now() / 1000);
  const lies: Record<string, Lies> = {
    'another nonce': { claims: { nonce: 'x'.repeat(43) } }, 'no nonce': { claims: { nonce: undefined } }, 'another issuer': { claims: { iss: 'https://login.evil.example' } }, 'for another client': { claims: { aud: 'another' } },
    'for another client too, who asked': { claims: { aud: [CLIENT, 'another'], azp: 'another' } }, 'run out': { claims: { exp: now - 600 } }, 'not yet good': { claims: { nbf: now + 600 } }, 'no subject': { claims: { sub: undefined } }, 'signed by another key': { key: foreignKey },
    'not signed': { alg: 'none' }, 'signed by the client\'s secret': { alg: 'HS256' }, 'no token': { noToken: true },
  };
  for (const [name, lie] of Object.entries(lies)) {
    const client = new Client(studio);
    issuer.lies = lie;
    assert.equal(await comeBack(client, issuer.back(await begin(client))), '/sign-in?fault=sign_on_failed', name);
    assert.equal(await nameOf(client), undefined, name);
  }
  // What the browser brings back may lie as well. Mix-up (RFC 9207): an answer of another issuer, or of nobody.
  issuer.lies = {};
  for (const change of [{ iss: 'https://login.evil.example' }, { iss: undefined }, { state: 'x'.repeat(43) }, { state: undefined }, { code: 'x' }, { code: undefined }] as const) {
    const client = new Client(studio);
    assert.equal(await comeBack(client, issuer.back(await begin(client), change)), '/sign-in?fault=sign_on_failed', JSON.stringify(change));
    assert.equal(await nameOf(client), undefined);
  }
  assert.equal(await accounts(studio), 1);
  // The same without a lie.
  const ann = new Client(studio);
  assert.equal(await comeBack(ann, issuer.back(await begin(ann))), '/');
  assert.equal(await nameOf(ann), 'Ann Grant');
  // Late: what was begun is good for ten minutes.
  const late = new Client(studio);
  const address = issuer.back(await begin(late));
  studio.advance(10 * 60_000);
  assert.equal(await comeBack(late, address), '/sign-in?fault=sign_on_failed');
  const said = studio.faults.map((fault) => String(fault)).join('\n');
  assert.ok(!said.includes(SECRET) && !said.includes('that-nobody-may-see') && !/eyJ/.test(said), said);
});

test('an address that was not verified, or only looks like one, is nobody\'s account', async () => {
  await using issuer = await lyingIssuer(ANN);
  await using studio = await startTestStudio(database, { signOn: settingsOf(issuer.url) });
  const olga = await owner(studio);
  const { link } = await olga.ok('POST', '/api/manage/invitations', { roles: ['member'], email: 'bob@harbour.example' });
  const bob = new Client(studio);
  await bob.ok('POST', '/api/invitations/accept', { token: new URL(link).hash.slice(1), login: 'bob', name: 'Bob Ross', password: PASSWORD, locale: 'en' });
  const come = async (claims: Readonly<Record<string, unknown>>): Promise<[string, string | undefined]> => {
    const client = new Client(studio);
    issuer.lies = { claims: { sub: 'mallory', name: 'Mallory', ...claims } };
    return [await comeBack(client, issuer.back(await begin(client))), await nameOf(client)];
  };
  const email = 'bob@harbour.example';
  for (const email_verified of [false, undefined, 'true', 1]) assert.deepEqual(await come({ email, email_verified }), ['/sign-in?fault=sign_on_unverified', undefined]);
  // Cyrillic о, a zero, a zero-width space: folded they are Bob's, but they are not his.
  for (const other of ['b\u043eb@harbour.example', 'b0b@harbour.example', 'bo\u200bb@harbour.example']) assert.deepEqual(await come({ email: other }), ['/sign-in?fault=email_taken', undefined], other);
  for (const other of ['x@harbour.example.evil.example', 'x@evil.harbour.example', 'x@h\u0430rbour.example', 'x@harbour.example@evil.example', 'harbour.example']) {
    const [to, who] = await come({ email: other });
    assert.match(to, /^\/sign-in\?fault=sign_on_un(?:invited|verified)$/, other);
    assert.equal(who, undefined);
  }
  // Bob himself: the first time by his address, whose password and sessions end; then by his subject, whatever his address is.
  assert.deepEqual(await come({ sub: 'bob', email: 'Bob@Harbour.example', name: 'Robert' }), ['/', 'Bob Ross']);
  assert.equal(await nameOf(bob), undefined);
  await bob.refused('POST', '/api/session', { login: 'bob', password: PASSWORD }, 'wrong_password');
  assert.deepEqual(await come({ sub: 'bob', email: 'robert@elsewhere.example', email_verified: false }), ['/', 'Bob Ross']);
  // His address is given to somebody new: the account stays his.
  assert.deepEqual(await come({ sub: 'bob-the-second', email }), ['/sign-in?fault=email_taken', undefined]);
  // Suspended he does not come in, erased he is somebody new.
  const { id } = await studio.store.db.selectFrom('users').select('id').where('display_name', '=', 'Bob Ross').executeTakeFirstOrThrow();
  await olga.ok('PATCH', `/api/manage/people/${id}`, { status: 'suspended' });
  assert.deepEqual(await come({ sub: 'bob', email }), ['/sign-in?fault=suspended', undefined]);
});

test('an invitation is accepted this way: by its link, or by whoever owns its address', async () => {
  await using issuer = await lyingIssuer(ANN);
  await using studio = await startTestStudio(database, { signOn: settingsOf(issuer.url, { domains: [] }) });
  const olga = await owner(studio);
  const come = async (claims: Readonly<Record<string, unknown>>, body: object = {}): Promise<Client> => {
    const client = new Client(studio);
    issuer.lies = { claims };
    const url = await begin(client, body);
    assert.equal(await comeBack(client, issuer.back(url)), '/');
    return client;
  };
  const { link } = await olga.ok('POST', '/api/manage/invitations', { roles: ['moderator'], team: 'North' });
  const invitation = new URL(link).hash.slice(1);
  const una = await come({ sub: 'una', email: 'una@elsewhere.example', email_verified: false, name: 'Una' }, { invitation });
  assert.deepEqual(await una.ok('GET', '/api/session').then(({ person }) => [person.name, person.roles, person.team.name]), ['Una', ['moderator'], 'North']);
  assert.equal((await una.ok('GET', '/api/me')).email, null, 'an address that nobody verified is not kept');
  const second = new Client(studio);
  issuer.lies = { claims: { sub: 'second', email_verified: false } };
  assert.equal(await comeBack(second, issuer.back(await begin(second, { invitation }))), '/sign-in?fault=link_invalid');

  await olga.ok('POST', '/api/manage/invitations', { roles: ['reviewer'], email: 'cid@elsewhere.example' });
  const cid = await come({ sub: 'cid', email: 'cid@elsewhere.example', name: 'Una' });
  // Two people of one name are two names.
  assert.deepEqual(await cid.ok('GET', '/api/session').then(({ person }) => [person.name, person.roles]), ['Una 2', ['reviewer']]);
  assert.deepEqual((await olga.ok('GET', '/api/manage/invitations')).invitations.map(({ state }: { state: string }) => state), ['used', 'used']);
  // What the issuer says of a name is text of anybody's.
  const { link: another } = await olga.ok('POST', '/api/manage/invitations', { roles: ['member'] });
  const odd = await come({ sub: 'odd', email: undefined, name: '\u202e<b>Olga\u0000 Owner</b>\n\ud800' }, { invitation: new URL(another).hash.slice(1) });
  assert.equal(await nameOf(odd), '<b>Olga Owner</b> \ufffd');
});

test('who is signed in adds it to the account, and without a password shows by a new sign-in that it is theirs', async () => {
  await using issuer = await lyingIssuer(ANN);
  await using studio = await startTestStudio(database, { signOn: settingsOf(issuer.url) });
  const olga = await owner(studio);
  issuer.lies = { claims: { sub: 'olga', email: 'olga@elsewhere.example', email_verified: false } };
  const before = olga.cookie;
  assert.equal(await comeBack(olga, issuer.back(await begin(olga, { to: '/me' }))), '/me');
  assert.notEqual(olga.cookie, before, 'another session');
  const stolen = new Client(studio);
  stolen.cookie = before;
  assert.equal(await nameOf(stolen), undefined);
  assert.deepEqual(await olga.ok('GET', '/api/me').then(({ has_password, has_sign_on }) => [has_password, has_sign_on]), [true, true]);
  const elsewhere = new Client(studio);
  assert.equal(await comeBack(elsewhere, issuer.back(await begin(elsewhere))), '/');
  assert.equal(await nameOf(elsewhere), 'Olga Owner');

  const bob = await join_(olga, 'bob');
  assert.equal(await comeBack(bob, issuer.back(await begin(bob))), '/me?fault=sign_on_taken');
  assert.equal(await nameOf(bob), 'bob Person');
  // Begun by Bob, finished by whoever sat down after him.
  issuer.lies = { claims: { sub: 'bob' } };
  const address = issuer.back(await begin(bob));
  await bob.ok('DELETE', '/api/session');
  assert.equal(await comeBack(bob, address), '/sign-in?fault=sign_on_failed');

  issuer.lies = {};
  const ann = new Client(studio);
  await comeBack(ann, issuer.back(await begin(ann)));
  studio.advance(10 * 60_000);
  await ann.refused('POST', '/api/me/erase', { password: '' }, 'sign_in_again');
  await ann.refused('POST', '/api/me/password', { current: '', next: PASSWORD }, 'sign_in_again');
  await comeBack(ann, issuer.back(await begin(ann)));
  await ann.ok('POST', '/api/me/password', { current: '', next: PASSWORD });
  await ann.refused('POST', '/api/me/erase', { password: '' }, 'wrong_password');
  await ann.ok('POST', '/api/me/erase', { password: PASSWORD });
  assert.equal(await studio.store.db.selectFrom('identities').select('subject').where('subject', '=', 'ann').executeTakeFirst(), undefined);
});

test('the server asks its issuer and nobody else', async () => {
  const reached = [] as string[];
  const trap = createServer((request, response) => {
    reached.push(request.url!);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
  const inside = `http://127.0.0.1:${(trap.address() as AddressInfo).port}`;
  try {
    await using issuer = await lyingIssuer(ANN);
    const documents: Record<string, Lies['document']> = {
      'its token endpoint is elsewhere': { token_endpoint: `${inside}/latest/meta-data/` }, 'its keys are elsewhere': { jwks_uri: `${inside}/keys` }, 'userinfo is elsewhere': { userinfo_endpoint: `${inside}/userinfo` }, 'it names another issuer': { issuer: 'https://login.evil.example' },
      'a name and a password before the host': { token_endpoint: issuer.url.replace('http://', 'http://user:secret@') + '/token' }, 'the file system': { token_endpoint: 'file:///etc/passwd' }, 'metadata of a cloud': { jwks_uri: 'http://169.254.169.254/latest/' }, 'IPv6 for the same': { jwks_uri: 'http://[::ffff:7f00:1]/x' },
    };
    for (const [name, document] of Object.entries(documents)) {
      await using studio = await startTestStudio(database, { signOn: settingsOf(issuer.url) });
      await owner(studio);
      issuer.lies = { document: document!, claims: { email: undefined } };
      const client = new Client(studio);
      const reply = await client.ask('POST', '/api/sign-on', { locale: 'en' });
      if (reply.status === 200) assert.equal(await comeBack(client, issuer.back(reply.body.url)), '/sign-in?fault=sign_on_failed', name);
      else assert.equal(reply.body.error.code, 'sign_on_unavailable', name);
      assert.ok(studio.faults.length > 0, name);
    }
    assert.equal(reached.length, 0);
    // A redirect is not followed.
    const redirecting = createServer((_request, response) => void response.writeHead(302, { location: `${inside}/redirected` }).end());
    await new Promise<void>((resolve) => redirecting.listen(0, '127.0.0.1', resolve));
    try {
      await using studio = await startTestStudio(database, { signOn: settingsOf(`http://127.0.0.1:${(redirecting.address() as AddressInfo).port}`) });
      await new Client(studio).refused('POST', '/api/sign-on', { locale: 'en' }, 'sign_on_unavailable');
      assert.equal(reached.length, 0);
    } finally {
      redirecting.close();
    }
    // With the host set beside the issuer it is asked.
    await using studio = await startTestStudio(database, { signOn: settingsOf(issuer.url, { hosts: [new URL(inside).host] }) });
    issuer.lies = { document: documents['its keys are elsewhere']! };
    const client = new Client(studio);
    assert.equal(await comeBack(client, issuer.back(await begin(client))), '/sign-in?fault=sign_on_failed', 'there are no keys there');
    assert.ok(reached.includes('/keys'));
  } finally {
    trap.close();
    trap.closeAllConnections();
  }
});

test('after signing in one goes to a page of the studio, wherever one asked to go', async () => {
  for (const [asked, to] of [['/board?period=day', '/board?period=day'], ['//evil.example', '/'], ['/\\evil.example', '/'], ['/\t/evil.example', '/'], ['https://evil.example', '/'], ['javascript:alert(1)', '/'], ['/..//evil.example', '/'], ['/./\\evil.example', '/'], ['', '/'], ['board', '/'], ['/a/../b', '/b'], ['/#x', '/']] as const) assert.equal(ownPath(asked), to, asked);
  assert.equal(ownPath(undefined), '/');
  await using issuer = await lyingIssuer(ANN);
  await using studio = await startTestStudio(database, { signOn: settingsOf(issuer.url) });
  await owner(studio);
  for (const to of ['//evil.example/x', '/\\evil.example', '/..//evil.example', 'https://evil.example']) {
    const client = new Client(studio);
    assert.equal(await comeBack(client, issuer.back(await begin(client, { to }))), '/', to);
  }
  // Nobody else's page begins a sign-in here.
  const reply = await new Client(studio).ask('POST', '/api/sign-on', { locale: 'en' }, { origin: 'https://evil.example' });
  assert.equal(reply.body.error.code, 'forbidden_origin');
});

test('settings that cannot be used are refused at the start', () => {
  const site = { publicUrl: 'https://studio.example.org', now: Date.now, onFault: () => {} };
  for (const issuer of ['http://login.example.org', 'login.example.org', 'https://user:secret@login.example.org', 'https://login.example.org/?x=1', 'file:///etc/passwd', 'http://10.0.0.1', 'http://169.254.169.254/']) assert.throws(() => new SingleSignOn(settingsOf(issuer), site), UsageError, issuer);
  for (const domain of ['@example.org', 'example', '*.example.org', 'ex\u0430mple.org', 'Example.org', '']) assert.throws(() => new SingleSignOn(settingsOf('https://login.example.org', { domains: [domain] }), site), UsageError, domain);
  assert.ok(new SingleSignOn(settingsOf('https://login.example.org/realms/harbour'), site));
});
