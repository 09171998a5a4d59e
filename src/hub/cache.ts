/**
 * The files of the hub's cache on disk, laid out as Hugging Face's Python client lays it out, so that both use one another's:
 *
 *     <cache>/models--owner--name/blobs/<hash>                    contents, named by sha256 or git sha1
 *                                 refs/<revision>                 the commit that a branch or tag stood at
 *                                 snapshots/<commit>/<file>       symlink to ../../blobs/<hash>, or a copy where there are none
 *                                 trees/<commit>.json             every file of that commit with size and hash
 *     <cache>/.locks/models--owner--name/<hash>.roslin.lock       see lock.ts
 *
 * `<hash>.incomplete` beside a blob is a download under way. Nothing here speaks to a network.
 */
import { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statfsSync, statSync, symlinkSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { InputError, ResourceError } from '../errors.ts';
import { contentHash, insideFolder, isCommit, pathProblem, repoFolderName, type ContentHash, type HubKind } from './names.ts';

/** A file of a repository as listed: what must be there. */
export interface ListedFile {
  readonly path: string;
  readonly size: number | undefined;
  readonly hash: ContentHash | undefined;
}

export interface CachedSnapshot {
  readonly folder: string;
  readonly commit: string;
  /** Files present, relative, with forward slashes, sorted. */
  readonly files: readonly string[];
}

const MAX_TREE_BYTES = 64 * 2 ** 20;
const MAX_SNAPSHOT_FILES = 100_000;

export class RepoCache {
  readonly folder: string;
  readonly #locks: string;
  readonly #cacheDir: string;

  constructor(cacheDir: string, kind: HubKind, id: string) {
    this.#cacheDir = cacheDir;
    this.folder = join(cacheDir, repoFolderName(kind, id));
    this.#locks = join(cacheDir, '.locks', repoFolderName(kind, id));
  }

  blob(hash: ContentHash): string {
    return join(this.folder, 'blobs', hash.hex);
  }

  lock(hash: ContentHash): string {
    return join(this.#locks, `${hash.hex}.roslin.lock`);
  }

  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit);
  }

  /** The commit last recorded for a revision; a commit stands for itself. */
  commitOf(revision: string): string | undefined {
    if (isCommit(revision)) return revision;
    try {
      const commit = readFileSync(insideFolder(join(this.folder, 'refs'), revision, revision), 'utf8').trim();
      return isCommit(commit) ? commit : undefined;
    } catch {
      return undefined;
    }
  }

  /** Size of a snapshot's file, following its link; undefined if it is absent or its blob is. */
  fileSize(commit: string, path: string): number | undefined {
    return sizeOf(insideFolder(this.snapshot(commit), path, this.folder));
  }

  blobSize(hash: ContentHash): number | undefined {
    return sizeOf(this.blob(hash));
  }

  partialSize(hash: ContentHash): number {
    return sizeOf(`${this.blob(hash)}.incomplete`) ?? 0;
  }

  find(revision: string): CachedSnapshot | undefined {
    const commit = this.commitOf(revision);
    if (commit === undefined) return undefined;
    const folder = this.snapshot(commit);
    let entries: string[];
    try {
      entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    } catch {
      return undefined;
    }
    const files = entries.slice(0, MAX_SNAPSHOT_FILES).map((entry) => entry.replaceAll('\\', '/'))
      .filter((path) => pathProblem(path) === undefined && this.fileSize(commit, path) !== undefined);
    return { folder, commit, files: files.sort() };
  }

  /** The commit's listing, if this or another tool has kept it; a damaged one counts as absent. */
  readTree(commit: string): ListedFile[] | undefined {
    const path = join(this.folder, 'trees', `${commit}.json`);
    try {
      if (statSync(path).size > MAX_TREE_BYTES) return undefined;
      const tree = JSON.parse(readFileSync(path, 'utf8')) as { format_version?: unknown; files?: Record<string, Record<string, unknown>> };
      if (tree.format_version !== 1 || typeof tree.files !== 'object') return undefined;
      return Object.entries(tree.files).map(([name, entry]) => ({
        path: name, size: asSize(entry['lfs_size'] ?? entry['size']), hash: contentHash(entry['lfs_sha256'] ?? entry['blob_id']),
      }));
    } catch {
      return undefined;
    }
  }

  /** Keeps the listing, for use without a network. `blobId`: git's id of the entry, also where the content is named by sha256. */
  async writeTree(commit: string, files: readonly (ListedFile & { readonly blobId: string })[]): Promise<void> {
    const entries = files.map(({ path, size, hash, blobId }) => [path, {
      size, blob_id: blobId, ...(hash?.algorithm === 'sha256' ? { lfs_sha256: hash.hex, lfs_size: size } : {}),
    }]);
    await writeWhole(join(this.folder, 'trees', `${commit}.json`), JSON.stringify({ format_version: 1, files: Object.fromEntries(entries) }, null, 2));
  }

  async writeRef(revision: string, commit: string): Promise<void> {
    if (revision === commit || this.commitOf(revision) === commit) return;
    await writeWhole(insideFolder(join(this.folder, 'refs'), revision, revision), commit);
  }

  /** Makes `blobs/` and the mark that tells backup programs to pass a cache by. */
  async prepare(): Promise<void> {
    mkdirSync(join(this.folder, 'blobs'), { recursive: true });
    const tag = join(this.#cacheDir, 'CACHEDIR.TAG');
    if (sizeOf(tag) === undefined) await writeWhole(tag, 'Signature: 8a477f597d28d172789f06886806bc55\n# Cache of files from a hub; backups may leave it out.\n');
  }

  /** Puts a blob at its place in the snapshot: relative symlink, else hard link, else copy. The blob may itself be a link (Python's shared store). */
  link(commit: string, path: string, hash: ContentHash, symlinks: boolean): void {
    const target = insideFolder(this.snapshot(commit), path, this.folder);
    const blob = this.blob(hash);
    const folder = dirname(target);
    mkdirSync(folder, { recursive: true });
    // A symlink in place of a folder could lead anywhere.
    const inside = relative(realpathSync(this.snapshot(commit)), realpathSync(folder));
    if (inside.startsWith('..')) throw new InputError({ expected: 'a plain folder', found: 'a link that leads out of the cache', where: folder, remedy: 'Delete it.' });
    const ways = [...(symlinks ? [(to: string) => symlinkSync(relative(folder, blob), to)] : []), (to: string) => linkSync(realpathSync(blob), to), (to: string) => copyFileSync(blob, to)];
    for (const [index, way] of ways.entries()) {
      // Through a second name, so that a reader finds the old file or the new one and never none.
      const temporary = `${target}.${randomBytes(4).toString('hex')}.tmp`;
      try {
        way(temporary);
        renameSync(temporary, target);
        // Renaming one hard link over another of the same file does nothing and leaves both.
        rmSync(temporary, { force: true });
        return;
      } catch (error) {
        rmSync(temporary, { force: true });
        if (index === ways.length - 1) throw asDiskError(error, target);
      }
    }
  }
}

/** Bytes free for this user where `folder` is or will be. */
export function freeBytes(folder: string): number | undefined {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const { bavail, bsize } = statfsSync(at);
      return bavail * bsize;
    } catch {
      if (dirname(at) === at) return undefined;
    }
  }
}

/** Node's file errors in the form that people can act on; others as they are. */
export function asDiskError(error: unknown, where: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new ResourceError({
      expected: 'room on the disk', found: 'none left', where,
      remedy: 'Free some, or point HF_HUB_CACHE to a larger disk, and run the same command again: what was fetched is kept.',
    }, { cause: error });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EISDIR') {
    return new ResourceError({
      expected: 'a cache folder that can be written', found: `${String(code)}`, where, remedy: 'Correct its permissions or point HF_HUB_CACHE elsewhere.',
    }, { cause: error });
  }
  return error;
}

function sizeOf(path: string): number | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() ? stat.size : undefined;
  } catch {
    return undefined;
  }
}

function asSize(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

async function writeWhole(path: string, text: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw asDiskError(error, path);
  }
}
