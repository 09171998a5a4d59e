/** The studio's own certificate, plain http for this machine alone, and cookies that a real browser keeps. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { InputError, UsageError } from '../../../src/errors.ts';
import { createApp } from '../../../src/server/studio/app.ts';
import { siteOf, TrustedProxies } from '../../../src/server/studio/http.ts';
import { Pages } from '../../../src/server/studio/pages.ts';
import { requireReach } from '../../../src/server/studio/reach.ts';
import { readTls } from '../../../src/server/studio/tls.ts';
import { startStudio, type Studio } from '../../../src/server/studio/up.ts';
import { TestDatabase } from '../../store/database.ts';
import { launch, noChromium } from '../../web/browser.ts';
import { PASSWORD } from './client.ts';
import { freePort, makeCertificates, noOpenssl, type Certificates } from './proxies.ts';

const folder = mkdtempSync(join(tmpdir(), 'roslin-tls-'));
const database = await TestDatabase.start();
let made: Certificates;
before(() => {
  if (noOpenssl === false) made = makeCertificates(folder);
});
after(async () => {
  await database[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const studioWith = async (options: Partial<Parameters<typeof startStudio>[0]>): Promise<Studio> =>
  startStudio({ workspace: mkdtempSync(join(folder, 'studio-')), host: '127.0.0.1', port: 0, databaseUrl: await database.url(), onFault: (error) => faults.push(error as Error), checkAnswers: true, ...options });
const faults: Error[] = [];

/** With the test's authority alone; the serial number of the certificate tells which it was. */
function get(url: string): Promise<{ status: number; serial: string; headers: IncomingMessage['headers'] }> {
  return new Promise((resolve, reject) => {
    request(url, { ca: made.authority, agent: false }, (response) => {
      const serial = (response.socket as TLSSocket).getPeerCertificate().serialNumber;
      response.resume();
      resolve({ status: response.statusCode!, serial, headers: response.headers });
    }).once('error', reject).end();
  });
}

test('https by --tls-cert and --tls-key; a renewed certificate is served without a restart, a half written one is not', { skip: noOpenssl }, async () => {
  const files = { cert: join(folder, 'served.pem'), key: join(folder, 'served.key') };
  copyFileSync(made.cert, files.cert);
  copyFileSync(made.key, files.key);
  const studio = await studioWith({ tls: files, tlsCheckMs: 50 });
  assert.match(studio.publicUrl, /^https:\/\/127\.0\.0\.1:\d+$/);
  const first = await get(`${studio.url}/api/session`);
  assert.equal(first.status, 200);
  assert.equal(first.headers['strict-transport-security'], 'max-age=31536000');
  await assert.rejects(fetch(studio.url.replace('https:', 'http:')));

  await sleep(20);
  writeFileSync(files.cert, '-----BEGIN CERTIFICATE-----\n');
  await sleep(300);
  assert.equal((await get(`${studio.url}/api/session`)).serial, first.serial);
  assert.match(faults.splice(0).map(({ message }) => message).join('\n'), /^.*served\.pem: expected a certificate as PEM[^\n]*$/, 'told once');
  copyFileSync(made.bare, files.cert);
  await assert.rejects(async () => {
    for (let i = 0; i < 200; i++) {
      await get(`${studio.url}/api/session`);
      await sleep(50);
    }
  }, /self-signed/, 'the new one has no authority');
  await studio.close();
});

test('certificates that cannot be used are refused before anything listens, with what to do', { skip: noOpenssl }, async () => {
  const other = join(folder, 'other.key');
  execFileSync('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-out', other], { stdio: 'pipe' });
  const locked = join(folder, 'locked.key');
  execFileSync('openssl', ['pkey', '-in', made.key, '-aes256', '-passout', 'pass:secret', '-out', locked], { stdio: 'pipe' });
  const refused: [string, string, RegExp][] = [
    [join(folder, 'missing.pem'), made.key, /--tls-cert .*missing\.pem: expected a PEM file, found nothing there/],
    [made.key, made.cert, /found a key\. Swap --tls-cert and --tls-key\./],
    [made.cert, made.cert, /expected a private key as PEM, found something else/],
    [made.cert, other, /found the key of another certificate/],
    [made.cert, locked, /under a passphrase.*openssl pkey -in .*locked\.key -out key\.pem/],
  ];
  for (const [cert, key, says] of refused) assert.throws(() => readTls({ cert, key }), (error) => error instanceof InputError && says.test(error.message), String(says));
  await assert.rejects(studioWith({ tls: { cert: made.cert, key: other } }), InputError);
  assert.equal(readTls({ cert: made.cert, key: made.key }).certificate.subject, 'CN=studio');
});

test('plain http is for this machine, and elsewhere for proxies that are named', async () => {
  const tls = { cert: 'c', key: 'k' };
  const refused: [object, RegExp][] = [
    [{ host: '0.0.0.0' }, /--host: expected https for other machines.*--tls-cert and --tls-key/],
    [{ host: '192.0.2.1' }, /plain http on 192\.0\.2\.1/],
    [{ host: '127.0.0.1', publicUrl: 'http://studio.example.org' }, /--public-url: expected https/],
    [{ host: '0.0.0.0', publicUrl: 'https://studio.example.org' }, /Name it: --trusted-proxy ADDRESS/],
    [{ host: '0.0.0.0', tls }, /expected the address that people type/],
    [{ host: '127.0.0.1', tls, publicUrl: 'http://127.0.0.1:8000' }, /Give --public-url https:\/\/127\.0\.0\.1:8000/],
    [{ host: '127.0.0.1', publicUrl: 'https://studio.example.org/path' }, /without a path/],
    [{ host: '127.0.0.1', publicUrl: 'https://a b' }, /--public-url/],
    [{ host: '127.0.0.1', trustedProxies: ['proxy.example'] }, /--trusted-proxy: expected addresses or networks/],
    [{ host: '127.0.0.1', trustedProxies: ['10.0.0.0/99'] }, /--trusted-proxy: expected addresses or networks/],
  ];
  for (const [options, says] of refused) assert.throws(() => requireReach(options as Parameters<typeof requireReach>[0]), (error) => error instanceof UsageError && says.test(error.message), String(says));
  const fine = [{ host: '127.0.0.1' }, { host: '::1' }, { host: 'localhost', publicUrl: 'http://localhost:8000' }, { host: '127.0.0.1', publicUrl: 'https://studio.example.org' }, { host: '0.0.0.0', tls, publicUrl: 'https://studio.example.org:8443' }, { host: '0.0.0.0', publicUrl: 'https://studio.example.org', trustedProxies: ['172.16.0.0/12'] }];
  for (const options of fine) assert.doesNotThrow(() => requireReach(options), JSON.stringify(options));

  const store = await database.store();
  const publicUrl = 'https://studio.example.org';
  const proxies = new TrustedProxies(['172.16.0.0/12']);
  const context = { store, now: Date.now, random: Math.random, similar: undefined as never, mail: undefined, publicUrl };
  const app = createApp({ context, workspace: folder, embedded: true }, { site: siteOf(publicUrl, { host: '0.0.0.0', port: 8000 }), proxies, pages: new Pages(undefined), forProxies: true, onFault: (error) => assert.fail(error as Error) });
  const from = async (remoteAddress: string): Promise<number> => (await app.fetch(new Request('https://studio.example.org/api/session', { headers: { host: 'studio.example.org' } }), { incoming: { socket: { remoteAddress } } as IncomingMessage })).status;
  assert.deepEqual([await from('172.17.0.1'), await from('::ffff:172.17.0.1'), await from('127.0.0.1'), await from('10.0.0.5'), await from('::ffff:10.0.0.5')], [200, 200, 200, 421, 421]);
});

test('a real browser keeps the cookie on loopback by http, and by https the one that no other page can set', { skip: noChromium || noOpenssl }, async () => {
  const browser = await launch();
  try {
    for (const [name, options] of [['127.0.0.1', {}], ['localhost', { host: 'localhost' }], ['localhost', { tls: { cert: made.cert, key: made.key }, publicUrl: 'https://localhost:PORT' }]] as const) {
      const { publicUrl: asked, ...rest } = options as { publicUrl?: string; host?: string; tls?: { cert: string; key: string } };
      const port = asked === undefined ? 0 : await freePort();
      const studio = await studioWith({ ...rest, port, ...(asked !== undefined && { publicUrl: asked.replace('PORT', String(port)) }) });
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      const page = await context.newPage();
      await page.goto(studio.publicUrl);
      assert.equal(new URL(page.url()).hostname, name);
      const body = { token: new URL(studio.ownerLink!).hash.slice(1), login: 'olga', name: 'Olga Owner', password: PASSWORD, locale: 'en' };
      const login = await page.evaluate(async (account) => {
        await fetch('/api/setup', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(account) });
        return ((await (await fetch('/api/session')).json()) as { person: { login: string } | null }).person?.login;
      }, body);
      assert.equal(login, 'olga', studio.publicUrl);
      const secure = rest.tls !== undefined;
      const [cookie] = await context.cookies();
      assert.deepEqual([cookie!.name, cookie!.secure, cookie!.httpOnly, cookie!.sameSite, cookie!.path], [secure ? '__Host-roslin' : 'roslin', secure, true, 'Lax', '/']);
      await context.close();
      await studio.close();
    }
  } finally {
    await browser.close();
  }
});
