/** `roslin up` as a process: its link, a second start, an end by signal, and a start after kill -9 on the database that lived on. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'roslin-up-'));
chmodSync(folder, 0o711);
const workspace = join(folder, 'studio');
const running = new Set<ChildProcess>();
after(async () => {
  for (const child of running) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

interface Up {
  readonly child: ChildProcess;
  readonly url: string;
  readonly owner_link: string | null;
}

function start(...flags: string[]): ChildProcess {
  const { DATABASE_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, [main, 'up', '--workspace', workspace, '--port', '0', '--json', ...flags], { stdio: ['ignore', 'pipe', 'pipe'], env });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function up(): Promise<Up> {
  const child = start();
  let [text, said] = ['', ''];
  child.stderr!.on('data', (part: Buffer) => (said += String(part)));
  for await (const part of child.stdout!.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    text += String(part);
    if (text.includes('\n')) return { child, ...(JSON.parse(text) as { url: string; owner_link: string | null }) };
  }
  throw new Error(`it ended: ${said}`);
}

async function ended(child: ChildProcess): Promise<{ code: number | null; text: string }> {
  let text = '';
  child.stdout!.on('data', (part: Buffer) => (text += String(part)));
  child.stderr!.on('data', (part: Buffer) => (text += String(part)));
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, text };
}

test('up, refused twice, killed, up again with all that was said, ended by a signal', async () => {
  const first = await up();
  assert.match(first.owner_link!, /^http:\/\/127\.0\.0\.1:\d+\/setup#[\w-]{43}$/);
  const account = { token: new URL(first.owner_link!).hash.slice(1), login: 'olga', name: 'Olga Owner', password: 'correct horse battery staple', locale: 'en' };
  const made = await fetch(`${first.url}/api/setup`, { method: 'POST', headers: { origin: first.url, 'content-type': 'application/json' }, body: JSON.stringify(account) });
  assert.equal(made.status, 200, await made.text());

  const second = await ended(start());
  assert.equal(second.code, 1);
  assert.match(second.text, new RegExp(`process ${first.child.pid} at ${first.url} serves already`));

  const doctor = await ended(start('--doctor'));
  assert.equal(doctor.code, 0, doctor.text);
  const report = JSON.parse(doctor.text) as { running: boolean; public_url: string; checks: { name: string; found: string }[] };
  assert.deepEqual([report.running, report.public_url, report.checks[0]!.found], [true, first.url, `process ${first.child.pid} listens at ${first.url}`]);
  assert.equal(statSync(join(workspace, 'serving.json')).mode & 0o777, 0o600, 'it holds a key');
  const probed = await fetch(`${first.url}/api/doctor`, { headers: { 'x-roslin-doctor': 'x'.repeat(43) } });
  assert.equal(probed.status, 404, 'nobody else is told what arrives here');

  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const third = await up();
  assert.equal(third.owner_link, null, 'what was acknowledged is there');
  const signedIn = await fetch(`${third.url}/api/session`, { method: 'POST', headers: { origin: third.url, 'content-type': 'application/json' }, body: JSON.stringify({ login: 'olga', password: account.password }) });
  assert.equal(signedIn.status, 200);
  third.child.kill('SIGTERM');
  assert.equal((await ended(third.child)).code, 130);
});

test('other machines are served over https alone', async () => {
  for (const flags of [['--host', '0.0.0.0'], ['--public-url', 'http://studio.example.org'], ['--public-url', 'https://studio.example.org/path'], ['--trusted-proxy', 'proxy.example']]) {
    const { code, text } = await ended(start(...flags));
    assert.equal(code, 2, `${flags.join(' ')}: ${text}`);
  }
});
