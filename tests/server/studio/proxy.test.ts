/** The studio behind the real nginx and Caddy, by the examples of docs/proxy; and what `--doctor` says of settings that are wrong. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { examine } from '../../../src/server/studio/doctor.ts';
import { startStudio, type Studio } from '../../../src/server/studio/up.ts';
import { TestDatabase } from '../../store/database.ts';
import { PASSWORD } from './client.ts';
import { freePort, makeCertificates, PROXIES, type Certificates } from './proxies.ts';

const skip = PROXIES.every(({ missing }) => missing !== false);
const folder = mkdtempSync(join(tmpdir(), 'roslin-proxy-'));
let database: TestDatabase | undefined;
let certificates: Certificates;
before(async () => {
  if (skip) return;
  database = await TestDatabase.start();
  certificates = makeCertificates(folder);
  setDefaultCACertificates([...getCACertificates(), certificates.authority]);
});
after(async () => {
  await database?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

interface Reply {
  readonly status: number;
  readonly cookies: readonly string[];
  readonly body: { error?: { code: string }; person?: { login: string } | null };
}

/** As a browser on the address `from` of this machine. */
function ask(url: string, method: string, path: string, { from, body, cookie, ...headers }: { from: string; body?: unknown; cookie?: string; [header: string]: unknown }): Promise<Reply> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const asking = request(`${url}${path}`, { method, localAddress: from, agent: false, headers: { origin: url, ...(text !== undefined && { 'content-type': 'application/json' }), ...(cookie !== undefined && { cookie }), ...(headers as Record<string, string>) } }, (response) => {
      let said = '';
      response.on('data', (part: Buffer) => (said += String(part)));
      response.once('end', () => resolve({ status: response.statusCode!, cookies: response.headers['set-cookie'] ?? [], body: JSON.parse(said) as Reply['body'] }));
    });
    asking.once('error', reject).end(text);
  });
}

async function studioFor(port: number, trustedProxies: readonly string[]): Promise<Studio & { workspace: string; upstream: string }> {
  const workspace = mkdtempSync(join(folder, 'studio-'));
  const studio = await startStudio({ workspace, host: '127.0.0.1', port: 0, publicUrl: `https://localhost:${port}`, trustedProxies, databaseUrl: await database!.url(), onFault: (error) => assert.fail(error as Error), checkAnswers: true });
  return { ...studio, workspace, upstream: new URL(studio.url).host };
}

for (const { name, missing, start } of PROXIES) {
  test(`${name}: signing in, the cookie, whose address is counted, and a doctor who finds all good`, { skip: missing }, async () => {
    const port = await freePort();
    const studio = await studioFor(port, ['127.0.0.1']);
    const url = studio.publicUrl;
    await using _ = await start({ port, upstream: studio.upstream, cert: certificates.cert, key: certificates.key });
    const owner = { token: new URL(studio.ownerLink!).hash.slice(1), login: 'olga', name: 'Olga Owner', password: PASSWORD, locale: 'en' };
    const made = await ask(url, 'POST', '/api/setup', { from: '127.0.0.1', body: owner });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    const signedIn = await ask(url, 'POST', '/api/session', { from: '127.0.0.1', body: { login: 'olga', password: PASSWORD } });
    assert.equal(signedIn.status, 200);
    assert.match(signedIn.cookies[0]!, /^__Host-roslin=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure$/);
    const session = await ask(url, 'GET', '/api/session', { from: '127.0.0.1', cookie: signedIn.cookies[0]!.split(';')[0]! });
    assert.equal(session.body.person?.login, 'olga');
    const foreign = await ask(url, 'POST', '/api/session', { from: '127.0.0.1', origin: 'https://localhost', body: { login: 'olga', password: PASSWORD } });
    assert.equal(foreign.body.error?.code, 'forbidden_origin');

    // Who claims another address than the proxy sees is counted by the proxy's.
    const wrong = { body: { login: 'olga', password: 'wrong' }, 'x-forwarded-for': '192.0.2.1' };
    await ask(url, 'POST', '/api/session', { from: '127.0.0.2', ...wrong });
    await ask(url, 'POST', '/api/session', { from: '127.0.0.3', ...wrong });
    const { rows } = await studio.context.store.pool.query<{ key: string }>(`select key from throttles where key like 'address %' and hits > 0 order by key`);
    assert.deepEqual(rows.map(({ key }) => key), ['address 127.0.0.2', 'address 127.0.0.3']);

    const report = await examine({ workspace: studio.workspace, host: '127.0.0.1', port: 8000 });
    assert.deepEqual(report.checks.filter(({ status }) => status !== 'ok'), []);
    assert.deepEqual([report.ok, report.running, report.publicUrl], [true, true, url]);
    assert.ok(report.checks.some(({ name: check }) => check === 'streams') && report.checks.some(({ found }) => found === 'told by the proxy at 127.0.0.1'), JSON.stringify(report.checks));
    await studio.close();
  });
}

/** A change of the example, the row that finds it, and the line that it must name. */
const WRONG: Readonly<Record<string, readonly (readonly [what: string, from: RegExp, to: string, row: string, line: RegExp])[]>> = {
  nginx: [
    ['Host is left to nginx', /proxy_set_header Host \$http_host;/, '', 'Host', /^nginx: proxy_set_header Host \$host;$/],
    ['Host loses its port', /\$http_host/, '$host', 'Host', /^nginx: proxy_set_header Host \$http_host;$/],
    ['X-Forwarded-For is not told', /proxy_set_header X-Forwarded-For .*?;/, '', 'client\'s address', /X-Forwarded-For \$proxy_add_x_forwarded_for;/],
    ['X-Forwarded-For is believed', /\$proxy_add_x_forwarded_for/, '$http_x_forwarded_for', 'client\'s address', /X-Forwarded-For \$proxy_add_x_forwarded_for;/],
    ['Origin is taken away', /proxy_buffering/, 'proxy_set_header Origin ""; proxy_buffering', 'Origin', /Origin/],
    ['cookies lose Secure', /proxy_buffering/, 'proxy_cookie_flags ~ nosecure; proxy_buffering', 'cookie', /proxy_cookie_…/],
    ['cookies are taken away', /proxy_buffering/, 'proxy_hide_header Set-Cookie; proxy_buffering', 'cookie', /proxy_hide_header Set-Cookie/],
    ['cookies do not arrive', /proxy_buffering/, 'proxy_set_header Cookie ""; proxy_buffering', 'cookie', /cookie/i],
    ['answers are held back', /proxy_buffering off;/, 'proxy_ignore_headers X-Accel-Buffering;', 'streams', /^nginx: proxy_buffering off;/],
    ['bodies are bounded by nginx', /client_max_body_size 2m;/, '', 'upload', /^nginx: client_max_body_size 2m;$/],
    ['a header is taken away', /proxy_buffering/, 'proxy_hide_header Content-Security-Policy; proxy_buffering', 'headers', /proxy_hide_header/],
    ['it leads elsewhere', /proxy_pass .*?;/, 'proxy_pass http://127.0.0.1:1;', 'address', /^nginx: proxy_pass http:\/\/127\.0\.0\.1:\d+;$/],
    ['it sends people on', /proxy_pass .*?;/, 'return 302 https://new.example$request_uri;', 'address', /--public-url https:\/\/new\.example$/],
    ['it shows a page of its own', /proxy_pass .*?;/, 'return 200 "It works";', 'address', /^Lead it here: nginx: proxy_pass http:/],
  ],
  Caddy: [
    ['Host is that of the studio', /(reverse_proxy .*)/, '$1 {\nheader_up Host {upstream_hostport}\n}', 'Host', /^Caddy: leave out "header_up Host/],
    ['X-Forwarded-For is not told', /(reverse_proxy .*)/, '$1 {\nheader_up -X-Forwarded-For\n}', 'client\'s address', /header_up -X-Forwarded-For/],
    ['X-Forwarded-For is believed', /(reverse_proxy .*)/, '$1 {\nheader_up X-Forwarded-For {header.X-Forwarded-For}\n}', 'client\'s address', /header_up X-Forwarded-For/],
    ['cookies are taken away', /(reverse_proxy .*)/, '$1 {\nheader_down -Set-Cookie\n}', 'cookie', /header_down/],
    ['answers are held back', /(reverse_proxy .*)/, '$1 {\nbuffer_responses\n}', 'streams', /^Caddy: flush_interval -1/],
    ['bodies are bounded', /(reverse_proxy .*)/, 'request_body {\nmax_size 500KB\n}\n$1', 'upload', /request_body/],
    ['it leads elsewhere', /reverse_proxy .*/, 'reverse_proxy 127.0.0.1:1', 'address', /^Caddy: reverse_proxy 127\.0\.0\.1:\d+$/],
  ],
};

for (const { name, missing, start } of PROXIES) {
  test(`${name}: the doctor finds each wrong setting, and no other, and names the line`, { skip: missing }, async (t) => {
    const port = await freePort();
    const studio = await studioFor(port, ['127.0.0.1']);
    for (const [what, from, to, row, line] of WRONG[name]!) {
      await t.test(what, async () => {
        await using _ = await start({ port, upstream: studio.upstream, cert: certificates.cert, key: certificates.key }, (config) => {
          assert.match(config, from);
          return config.replace(from, to);
        });
        const { ok, checks } = await examine({ workspace: studio.workspace, host: '127.0.0.1', port: 8000 });
        const bad = checks.filter(({ status }) => status === 'lacking');
        assert.deepEqual([ok, bad.map((check) => check.name)], [false, [row]], JSON.stringify(checks, null, 1));
        assert.match(bad[0]!.remedy!, line);
      });
    }
    await studio.close();
  });
}

const nginx = PROXIES.find(({ name }) => name === 'nginx')!;
test('the doctor finds wrong flags of the studio, and certificates that browsers refuse', { skip: nginx.missing }, async () => {
  const port = await freePort();
  const studio = await studioFor(port, []);
  const upstream = studio.upstream;
  const at = { workspace: studio.workspace, host: '127.0.0.1', port: 8000 };
  const rows = async (publicUrl?: string) => Object.fromEntries((await examine({ ...at, publicUrl })).checks.filter(({ status }) => status !== 'ok').map(({ name, status, remedy }) => [name, `${status}: ${remedy}`]));
  {
    await using _ = await nginx.start({ port, upstream, cert: certificates.cert, key: certificates.key });
    assert.deepEqual(await rows(), { 'client\'s address': 'lacking: Start the studio with --trusted-proxy 127.0.0.1' });
    // The address that people type is another than the studio was told.
    const other = `https://127.0.0.1:${port}`;
    assert.equal((await rows(other))['setting'], `lacking: Start it again with --public-url ${other}`);
  }
  for (const [kind, status] of [['bare', 'limited'], ['other', 'lacking'], ['old', 'lacking']] as const) {
    await using _ = await nginx.start({ port, upstream, cert: certificates[kind], key: certificates.key });
    assert.match((await rows())['certificate']!, new RegExp(`^${status}: `), kind);
  }
  assert.match((await rows())['address']!, new RegExp(`^lacking: Start the proxy there and lead it here: nginx: proxy_pass http://${upstream};`));
  await studio.close();
});

test('before it runs, the doctor answers by itself with the same flags', { skip: nginx.missing }, async () => {
  const [port, own] = [await freePort(), await freePort()];
  await using _ = await nginx.start({ port, upstream: `127.0.0.1:${own}`, cert: certificates.cert, key: certificates.key });
  const flags = { workspace: join(folder, 'nobody'), host: '127.0.0.1', port: own, publicUrl: `https://localhost:${port}` };
  const without = await examine(flags);
  assert.deepEqual(without.checks.filter(({ status }) => status !== 'ok').map(({ name, remedy }) => [name, remedy]), [['client\'s address', 'Start the studio with --trusted-proxy 127.0.0.1']]);
  const report = await examine({ ...flags, trustedProxies: ['127.0.0.1'] });
  assert.deepEqual([report.ok, report.running], [true, false], JSON.stringify(report.checks));
});
