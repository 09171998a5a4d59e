/** Invitations through a real SMTP server: STARTTLS, passwords, bad moments, refusals, and a server that is not there. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { smtpMailer, type SmtpMailer } from '../../../src/server/studio/mail.ts';
import { TestDatabase } from '../../store/database.ts';
import { Client, owner, PASSWORD, startTestStudio } from './client.ts';
import { freePort, makeCertificates, noOpenssl, type Certificates } from './proxies.ts';

const folder = mkdtempSync(join(tmpdir(), 'roslin-mail-'));
const database = await TestDatabase.start();
let made: Certificates;
before(() => {
  if (noOpenssl !== false) return;
  made = makeCertificates(folder);
  setDefaultCACertificates([...getCACertificates(), made.authority]);
});
after(async () => {
  await database[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

interface Received {
  readonly to: string;
  readonly text: string;
  readonly secure: boolean;
  readonly user: unknown;
}

interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly received: Received[];
  tries: number;
}

const later = (code: number, text: string): Error => Object.assign(new Error(text), { responseCode: code });

/** Takes mail for anybody but those that `refuse` names, by the code to refuse with. */
async function serve({ port = 0, refuse = () => undefined, ...options }: SMTPServerOptions & { port?: number; refuse?: (to: string, tries: number) => number | undefined } = {}): Promise<TestServer> {
  const received: Received[] = [];
  const state = { tries: 0 };
  const server = new SMTPServer({
    authOptional: true, logger: false, closeTimeout: 200, ...options,
    onAuth: ({ username, password }, _session, done) => (username === 'roslin@example.org' && password === 'p@ss word' ? done(null, { user: username }) : done(new Error('no'))),
    onRcptTo: ({ address }, _session, done) => {
      state.tries++;
      const code = refuse(address, state.tries);
      done(code === undefined ? null : later(code, `${address} is not taken`));
    },
    onData: (stream, session, done) => {
      let text = '';
      stream.on('data', (part: Buffer) => (text += String(part)));
      stream.once('end', () => {
        received.push({ to: session.envelope.rcptTo.map(({ address }) => address).join(), text, secure: session.secure, user: session.user });
        done();
      });
    },
  });
  server.on('error', () => {});
  server.listen(port, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port, received,
    get tries() {
      return state.tries;
    },
    set tries(n: number) {
      state.tries = n;
    },
    [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done())),
  };
}

const quick = { one: [20], many: [50, 100, 200, 400, 800] } as const;
const mailers: SmtpMailer[] = [];
after(() => {
  for (const mailer of mailers) mailer.close();
});
function mailer(url: string, onFault: (error: Error) => void = (error) => assert.fail(error)): SmtpMailer {
  const one = smtpMailer(url, 'Roslin <roslin@example.org>', { waits: quick, onFault });
  mailers.push(one);
  return one;
}

async function until(done: () => boolean, found: () => unknown): Promise<void> {
  for (let i = 0; !done(); i++) {
    assert.ok(i < 600, `it did not come about: ${JSON.stringify(found())}`);
    await sleep(50);
  }
}

/** Long lines are folded, letters beyond ASCII written in hexadecimal. */
const plain = (text: string): string => text.replace(/=\r?\n/g, '').replace(/=3D/g, '=').replaceAll('=23', '#');

test('STARTTLS and a password: an invitation arrives whose link makes an account', { skip: noOpenssl }, async () => {
  await using server = await serve({ cert: readFileSync(made.cert), key: readFileSync(made.key), authOptional: false });
  const mail = mailer(`smtp://roslin%40example.org:p%40ss%20word@localhost:${server.port}`);
  await mail.verify();
  await using studio = await startTestStudio(database, { mail });
  const olga = await owner(studio);
  const { link, mailed } = await olga.ok('POST', '/api/manage/invitations', { roles: ['member'], email: 'ann@example.org' });
  assert.equal(mailed, true);
  const [got] = server.received;
  assert.deepEqual([server.received.length, got!.to, got!.secure, got!.user], [1, 'ann@example.org', true, 'roslin@example.org']);
  assert.ok(plain(got!.text).includes(link), got!.text);
  assert.match(got!.text, /^From: Roslin <roslin@example\.org>$/m);
  await new Client(studio).ok('POST', '/api/invitations/accept', { token: new URL(link).hash.slice(1), login: 'ann', name: 'Ann', password: PASSWORD, locale: 'en' });
});

test('a password never goes in the clear, nor to a server whose certificate nobody vouches for', { skip: noOpenssl }, async () => {
  const heard: string[] = [];
  for (const options of [{ hideSTARTTLS: true }, { cert: readFileSync(made.bare), key: readFileSync(made.key) }]) {
    await using server = await serve({ authOptional: false, ...options, onSecure: (_socket, _session, done) => done() });
    const mail = mailer(`smtp://roslin%40example.org:p%40ss%20word@localhost:${server.port}`);
    await assert.rejects(mail.verify(), (error: Error) => heard.push(error.message) > 0);
    await assert.rejects(mail.send('ann@example.org', 'x', 'y'));
    assert.equal(server.received.length, 0);
  }
  assert.equal(heard.length, 2);
});

test('a wrong password, a refused address, a server that is not there: the link is shown, nothing is lost', { skip: noOpenssl }, async () => {
  await using server = await serve({ cert: readFileSync(made.cert), key: readFileSync(made.key), refuse: (to) => (to.startsWith('gone') ? 550 : undefined) });
  for (const [url, email] of [[`smtp://roslin%40example.org:wrong@localhost:${server.port}`, 'ann@example.org'], [`smtp://localhost:${server.port}`, 'gone@example.org'], [`smtp://localhost:${await freePort()}`, 'ann@example.org']] as const) {
    await using studio = await startTestStudio(database, { mail: mailer(url) });
    const olga = await owner(studio);
    server.tries = 0;
    const { link, mailed } = await olga.ok('POST', '/api/manage/invitations', { roles: ['member'], email });
    assert.equal(mailed, false, url);
    assert.ok(server.tries <= 1, 'what is refused for good is not tried again');
    await new Client(studio).ok('POST', '/api/invitations/accept', { token: new URL(link).hash.slice(1), login: 'ann', name: 'Ann', password: PASSWORD, locale: 'en' });
  }
  assert.equal(server.received.length, 0);
});

test('a list of invitations is answered at once with its links; its mails go out when the server is there, each once', async () => {
  const port = await freePort();
  const faults: string[] = [];
  const mail = mailer(`smtp://127.0.0.1:${port}`, ({ message }) => faults.push(message));
  await using studio = await startTestStudio(database, { mail });
  const olga = await owner(studio);
  const people = Array.from({ length: 12 }, (_, i) => `p${i}@example.org`);
  const answer = await olga.ok('POST', '/api/manage/roster', { csv: ['email', ...people, 'gone@example.org'].join('\n') });
  assert.deepEqual([answer.created.length, answer.mailing], [13, 13], 'while nobody takes mail');
  // The first connections are refused; the server has bad moments when it is there, and one address that it never takes.
  await using server = await serve({ port, hideSTARTTLS: true, refuse: (to, tries) => (to.startsWith('gone') ? 550 : tries % 4 === 0 ? 451 : undefined) });
  await until(() => server.received.length === 12 && faults.length === 1, () => [server.received.length, faults]);
  assert.deepEqual(server.received.map(({ to }) => to).sort(), [...people].sort());
  for (const { email, link } of answer.created as { email: string; link: string }[]) if (!email.startsWith('gone')) assert.ok(plain(server.received.find(({ to }) => to === email)!.text).includes(link), email);
  assert.match(faults[0]!, /not delivered: .*550/);
  assert.doesNotMatch(faults[0]!, /gone@example/);
  const { checks } = await olga.ok('GET', '/api/manage/health');
  assert.match(checks.find(({ name }: { name: string }) => name === 'mail').message, /^1 not delivered/);
});
