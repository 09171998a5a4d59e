/** The real nginx and Caddy with the examples of docs/proxy, on a free port with a certificate of an authority made for the test. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const example = (name: string): string => readFileSync(fileURLToPath(new URL(`../../../docs/proxy/${name}`, import.meta.url)), 'utf8');
const found = (places: readonly string[]): string | undefined => places.find((path) => existsSync(path));

const NGINX = found(['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx', '/opt/homebrew/bin/nginx']);
const CADDY = found(['/usr/bin/caddy', '/usr/local/bin/caddy', '/opt/homebrew/bin/caddy']);
const OPENSSL = found(['/usr/bin/openssl', '/usr/local/bin/openssl', '/opt/homebrew/bin/openssl']);

export const noOpenssl: string | false = OPENSSL === undefined ? 'no openssl was found (apt-get install openssl)' : false;

export interface Certificates {
  /** PEM of the authority. */
  readonly authority: string;
  /** Paths: for localhost and 127.0.0.1; `bare` for the same by nobody but itself; `other` for another name; `old` has run out. */
  readonly cert: string;
  readonly key: string;
  readonly bare: string;
  readonly other: string;
  readonly old: string;
}

/** All on one key. */
export function makeCertificates(folder: string): Certificates {
  const path = (name: string): string => join(folder, name);
  const run = (...args: string[]): void => void execFileSync(OPENSSL!, args, { stdio: 'pipe', cwd: folder });
  const [ca, key] = [path('ca.pem'), path('key.pem')];
  run('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', path('ca.key'), '-out', ca, '-days', '2', '-subj', '/CN=Roslin test authority');
  run('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-out', key);
  const sign = (name: string, san: string, days: string): string => {
    writeFileSync(path(`${name}.ext`), `subjectAltName=${san}\n`);
    run('req', '-new', '-key', key, '-out', path(`${name}.csr`), '-subj', '/CN=studio');
    run('x509', '-req', '-in', path(`${name}.csr`), '-CA', ca, '-CAkey', path('ca.key'), '-CAcreateserial', '-out', path(`${name}.pem`), '-days', days, '-extfile', path(`${name}.ext`));
    return path(`${name}.pem`);
  };
  run('req', '-x509', '-key', key, '-out', path('bare.pem'), '-days', '2', '-subj', '/CN=studio', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  return { authority: readFileSync(ca, 'utf8'), cert: sign('cert', 'DNS:localhost,IP:127.0.0.1', '2'), key, bare: path('bare.pem'), other: sign('other', 'DNS:other.example', '2'), old: sign('old', 'DNS:localhost,IP:127.0.0.1', '-1') };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

export interface ProxyPlace {
  readonly port: number;
  /** Host and port of the studio. */
  readonly upstream: string;
  readonly cert: string;
  readonly key: string;
}

export interface ProxyProgram {
  readonly name: 'nginx' | 'Caddy';
  /** Why it is skipped; false if it is not. */
  readonly missing: string | false;
  /** The example, at another place, changed as a test wants it. */
  readonly start: (place: ProxyPlace, change?: (config: string) => string) => Promise<AsyncDisposable>;
}

/** What is replaced must be there: an example that changed its words would no longer be tried. */
function replaced(text: string, words: readonly (readonly [RegExp, string])[]): string {
  for (const [from, to] of words) {
    if (!from.test(text)) throw new Error(`the example has no ${from.source}`);
    text = text.replace(from, to);
  }
  return text;
}

const AS_IT_IS = (config: string): string => config;

export const PROXIES: readonly ProxyProgram[] = [
  {
    name: 'nginx', missing: NGINX === undefined ? 'no nginx was found (apt-get install nginx)' : noOpenssl,
    start: async ({ port, upstream, cert, key }, change = AS_IT_IS) => {
      const folder = mkdtempSync(join(tmpdir(), 'roslin-nginx-'));
      const plain = await freePort();
      const site = replaced(example('nginx.conf'), [
        [/listen 80;\n\s*listen \[::\]:80;/, `listen 127.0.0.1:${plain};`], [/listen 443 ssl http2;\n\s*listen \[::\]:443 ssl http2;/, `listen 127.0.0.1:${port} ssl http2;`],
        [/studio\.example\.org/g, 'localhost'], [/\/etc\/letsencrypt\S*fullchain\.pem/, cert], [/\/etc\/letsencrypt\S*privkey\.pem/, key], [/127\.0\.0\.1:8000/, upstream],
      ]);
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ');
      const config = join(folder, 'nginx.conf');
      writeFileSync(config, `${process.getuid?.() === 0 ? 'user root;\n' : ''}daemon off;\nworker_processes 1;\npid ${folder}/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${temporary}\n${change(site)}\n}\n`);
      return running(spawn(NGINX!, ['-e', 'stderr', '-p', folder, '-c', config], { stdio: ['ignore', 'ignore', 'pipe'] }), port, folder);
    },
  },
  {
    name: 'Caddy', missing: CADDY === undefined ? 'no caddy was found (apt-get install caddy)' : noOpenssl,
    start: async ({ port, upstream, cert, key }, change = AS_IT_IS) => {
      const folder = mkdtempSync(join(tmpdir(), 'roslin-caddy-'));
      mkdirSync(join(folder, 'home'));
      // Its certificate would come from an authority on the internet; here it is given.
      const site = replaced(example('Caddyfile'), [[/studio\.example\.org \{/, `localhost:${port} {\n\tbind 127.0.0.1\n\ttls ${cert} ${key}`], [/127\.0\.0\.1:8000/, upstream]]);
      const config = join(folder, 'Caddyfile');
      writeFileSync(config, `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${change(site)}`);
      return running(spawn(CADDY!, ['run', '--adapter', 'caddyfile', '--config', config], { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env['PATH'], HOME: join(folder, 'home'), XDG_DATA_HOME: join(folder, 'home'), XDG_CONFIG_HOME: join(folder, 'home') } }), port, folder);
    },
  },
];

async function running(child: ChildProcess, port: number, folder: string): Promise<AsyncDisposable> {
  let said = '';
  child.stderr!.on('data', (part: Buffer) => (said += String(part)));
  const ended = once(child, 'exit').catch(() => {});
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  for (let i = 0; !(await answers(port)); i++) {
    if (child.exitCode !== null || i > 600) throw new Error(`the proxy does not listen: ${said}`);
    await sleep(50);
  }
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
      process.off('exit', kill);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => done(true)).once('error', () => done(false)).once('close', () => socket.destroy());
    socket.once('connect', () => socket.end());
  });
}
