/**
 * Finds ONNX Runtime, the one thing the engine runs on, and brings it where it is missing. In a clone it is a development
 * dependency. The published package does not depend on it, because the package's install script fetches CUDA files from
 * outside the registry and fails where it cannot (docs/decisions/0002): there it is resolved if the user's own project has
 * it, else from a folder in the cache, into which its first use installs it with npm and without scripts. Every other file
 * of the engine gets it here.
 */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type * as ort from 'onnxruntime-node';
import { EngineError } from '../errors.ts';
import { ORT_INTEGRITY, ORT_VERSION } from './version.ts';

export type Ort = typeof ort;

const PACKAGE = 'onnxruntime-node';

// From 1.29 on, ONNX Runtime's builds for Linux and macOS report their use to their maker unless told not to before they
// load. Nobody is asked, so nothing is sent; who wants it sets the variable to 0. Set on import, not on use: a worker thread
// only has a copy of the environment.
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';

let loaded: Ort | undefined;

/**
 * ONNX Runtime's module, installed first if it is nowhere (once, some seconds, about 110 MB from the npm registry; not with
 * ROSLIN_OFFLINE=1). Throws EngineError, with what to do, if it can be neither found, installed nor loaded.
 */
export function loadOrt(): Ort {
  if (loaded) return loaded;
  const found = findOrt();
  if (!found) installOrt();
  try {
    loaded = (found ?? fromCache()).require(PACKAGE) as Ort;
  } catch (error) {
    throw new EngineError(
      `expected ONNX Runtime ${ORT_VERSION} to load on ${process.platform}/${process.arch}, found: ${String(error)}. It has binaries for Linux and Windows (x64, arm64) and macOS (arm64), and needs glibc on Linux.`,
      { cause: error },
    );
  }
  return loaded;
}

/** Where ONNX Runtime would be loaded from: a package folder, or undefined if `loadOrt` would have to install it. */
export function locateOrt(): string | undefined {
  return findOrt()?.folder;
}

interface Place {
  readonly folder: string;
  readonly require: NodeJS.Require;
}

function findOrt(): Place | undefined {
  const here = placeOf(createRequire(import.meta.url));
  return here ?? (existsSync(runtimeFolder()) ? fromCache() : undefined);
}

function fromCache(): Place {
  const place = placeOf(createRequire(join(runtimeFolder(), 'package.json')));
  if (!place) throw new EngineError(`expected ${PACKAGE} in ${runtimeFolder()}, found none. Delete that folder and try again.`);
  return place;
}

function placeOf(require: NodeJS.Require): Place | undefined {
  try {
    const { version } = require(`${PACKAGE}/package.json`) as { version: string };
    // Another version in the user's project is theirs: the engine brings its own.
    return version === ORT_VERSION ? { folder: join(require.resolve(`${PACKAGE}/package.json`), '..'), require } : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Folder of the installed copy; the version is in its name, so an update never changes one in use. */
export function runtimeFolder(env: NodeJS.ProcessEnv = process.env): string {
  const cache = env['ROSLIN_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? env['LOCALAPPDATA'] ?? join(homedir(), '.cache'), 'roslin');
  return join(cache, 'runtime', `${PACKAGE}-${ORT_VERSION}`);
}

/** Installs ONNX Runtime into `runtimeFolder()`. Complete or not there: it is renamed into place last. Throws EngineError. */
export function installOrt(): void {
  const folder = runtimeFolder();
  if (existsSync(folder)) return;
  if (process.env['ROSLIN_OFFLINE'] === '1') throw cannotInstall('ROSLIN_OFFLINE=1 is set');

  const staging = `${folder}.${randomUUID()}`;
  try {
    mkdirSync(staging, { recursive: true });
    npmInstall(staging);
    verify(staging);
    dropOtherPlatforms(join(staging, 'node_modules', PACKAGE, 'bin', 'napi-v6'));
    renameSync(staging, folder);
  } catch (error) {
    if (existsSync(folder)) return; // another process was quicker
    throw error instanceof EngineError ? error : cannotInstall(String(error), error);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function npmInstall(folder: string): void {
  const args = ['install', '--prefix', folder, '--global=false', '--ignore-scripts', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error', `${PACKAGE}@${ORT_VERSION}`];
  const onWindows = process.platform === 'win32';
  const { status, error, stderr } = spawnSync(onWindows ? 'npm.cmd' : 'npm', args, { encoding: 'utf8', shell: onWindows, stdio: ['ignore', 'ignore', 'pipe'] });
  if (error) throw cannotInstall(`npm could not be started (${error.message})`, error);
  if (status !== 0) throw cannotInstall(`npm failed: ${stderr.trim().split('\n').slice(0, 4).join(' ')}`);
}

/** npm checks what it downloads against what the registry says; this checks what the registry says against what was tested. */
function verify(folder: string): void {
  const list = JSON.parse(readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8')) as { packages: Record<string, { integrity?: string }> };
  for (const [name, expected] of Object.entries(ORT_INTEGRITY)) {
    const found = list.packages[`node_modules/${name}`]?.integrity;
    if (found !== expected) throw cannotInstall(`the registry's ${name} has the hash ${found ?? '(none)'} instead of ${expected}`);
  }
}

/** The package holds binaries for five machines, 290 MB; this one needs its own. */
function dropOtherPlatforms(binaries: string): void {
  for (const platform of readdirSync(binaries)) {
    if (platform !== process.platform) rmSync(join(binaries, platform), { recursive: true });
  }
  for (const arch of readdirSync(join(binaries, process.platform))) {
    if (arch !== process.arch) rmSync(join(binaries, process.platform, arch), { recursive: true });
  }
}

function cannotInstall(found: string, cause?: unknown): EngineError {
  return new EngineError(
    `expected to install ONNX Runtime ${ORT_VERSION} into ${runtimeFolder()}, but ${found}. With the npm registry reachable run "roslin doctor --install", or "npm install --ignore-scripts ${PACKAGE}@${ORT_VERSION}" in your own project.`,
    { cause },
  );
}
