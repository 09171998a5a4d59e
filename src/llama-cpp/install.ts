/**
 * Finds llama.cpp (node-llama-cpp), and brings it where it is missing: as ONNX Runtime (docs/decisions/0002, 0008). Only its build
 * for the processor: the package names builds for CUDA and Vulkan, many times as large, as optional, and npm would fetch them.
 * Does not load it: child.ts does, in a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { ResourceError } from '../errors.ts';
import { LLAMA_BINARIES, LLAMA_INTEGRITY, LLAMA_PACKAGE, LLAMA_VERSION } from './version.ts';

/** The package of this machine's binaries. Undefined where there is none. */
const binaries = (): string | undefined => LLAMA_BINARIES[`${process.platform}-${process.arch}`];

/** Where node-llama-cpp would be loaded from: its entry file. Undefined where it would have to be installed. */
export function locateLlama(): string | undefined {
  return entryFrom(import.meta.url) ?? (existsSync(llamaFolder()) ? entryFrom(join(llamaFolder(), 'package.json')) : undefined);
}

/** The entry file, where package and binaries of the right version can be resolved from `place`. */
function entryFrom(place: string): string | undefined {
  const require = createRequire(place);
  try {
    const entry = require.resolve(LLAMA_PACKAGE);
    // Resolved from the package itself, as it does when it looks for its binaries.
    const own = createRequire(entry);
    const version = (name: string, from: NodeJS.Require): string => (JSON.parse(readFileSync(packageFile(from.resolve(name), name), 'utf8')) as { version: string }).version;
    const found = binaries();
    return found !== undefined && version(LLAMA_PACKAGE, require) === LLAMA_VERSION && version(found, own) === LLAMA_VERSION ? entry : undefined;
  } catch (error) {
    if (['MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** package.json above a file of package `name`, which does not export it. */
function packageFile(inside: string, name: string): string {
  const parts = name.split('/');
  let folder = dirname(inside);
  while (!folder.endsWith(join('node_modules', ...parts)) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, 'package.json');
}

/** Folder of the installed copy; the version is in its name, so an update never changes one in use. */
export function llamaFolder(env: NodeJS.ProcessEnv = process.env): string {
  const cache = env['ROSLIN_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? env['LOCALAPPDATA'] ?? join(homedir(), '.cache'), 'roslin');
  return join(cache, 'runtime', `${LLAMA_PACKAGE}-${LLAMA_VERSION}`);
}

/** Installs it into `llamaFolder()`, complete or not at all; not with `offline` or ROSLIN_OFFLINE=1. Throws ResourceError, with what to do. */
export function installLlama(offline = false): void {
  const folder = llamaFolder();
  if (existsSync(folder)) return;
  const found = binaries();
  if (found === undefined) throw cannot(`there is no build for ${process.platform}/${process.arch}`);
  if (offline || process.env['ROSLIN_OFFLINE'] === '1') throw cannot('no network is to be used');
  const staging = `${folder}.${randomUUID()}`;
  try {
    mkdirSync(staging, { recursive: true });
    npmInstall(staging, [LLAMA_PACKAGE, found]);
    verify(staging, [LLAMA_PACKAGE, found]);
    renameSync(staging, folder);
  } catch (error) {
    if (existsSync(folder)) return; // another process was quicker
    throw error instanceof ResourceError ? error : cannot(String(error), error);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** The binaries are named as a package of their own, since all that is optional is left out, the GPU builds with it. */
function npmInstall(folder: string, names: readonly string[]): void {
  const args = ['install', '--prefix', folder, '--global=false', '--ignore-scripts', '--omit=optional', '--omit=peer', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  const onWindows = process.platform === 'win32';
  const { status, error, stderr } = spawnSync(onWindows ? 'npm.cmd' : 'npm', [...args, ...names.map((name) => `${name}@${LLAMA_VERSION}`)], { encoding: 'utf8', shell: onWindows, stdio: ['ignore', 'ignore', 'pipe'] });
  if (error) throw cannot(`npm could not be started (${error.message})`, error);
  if (status !== 0) throw cannot(`npm failed: ${stderr.trim().split('\n').slice(0, 4).join(' ')}`);
}

/** npm checks what it downloads against what the registry says; this checks what the registry says against what was tested. */
function verify(folder: string, names: readonly string[]): void {
  const list = JSON.parse(readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8')) as { packages: Record<string, { integrity?: string }> };
  for (const name of names) {
    const found = list.packages[`node_modules/${name}`]?.integrity;
    if (found !== LLAMA_INTEGRITY[name]) throw cannot(`the registry's ${name} has the hash ${found ?? '(none)'} instead of ${LLAMA_INTEGRITY[name]}`);
  }
}

function cannot(found: string, cause?: unknown): ResourceError {
  return new ResourceError({
    expected: `llama.cpp (${LLAMA_PACKAGE} ${LLAMA_VERSION}), in which every GGUF is tried before it is handed out`, found, where: llamaFolder(),
    remedy: `With the npm registry reachable run the same command again, or export with --to safetensors, which needs no llama.cpp.`,
  }, { cause });
}
