/**
 * Files and folders that are there whole or not at all: written beside their place under a temporary name, flushed
 * to the disk, then renamed. After a failure nothing is left; after a kill, only temporaries, which `isTemporary`
 * recognises.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { InputError, ResourceError } from '../errors.ts';

const temporaryFor = (path: string): string =>
  join(dirname(path), `.${basename(path)}.tmp-${randomBytes(6).toString('hex')}`);

/** True for the names this module gives to what it has not finished. */
export const isTemporary = (name: string): boolean => /^\..+\.tmp-[0-9a-f]{12}$/.test(name);

/**
 * Removes what killed writers left in `folder`, and returns the names. Only for a folder that no other process is
 * writing to.
 */
export function removeTemporaries(folder: string): string[] {
  const names = readdirSync(folder).filter(isTemporary);
  for (const name of names) rmSync(join(folder, name), { recursive: true, force: true });
  return names;
}

/** A file being written: `write` as often as needed, then `commit` or `abort`. A failed write or commit aborts. */
export class AtomicFile {
  readonly path: string;
  readonly #temporary: string;
  #descriptor: number | undefined;
  #created = false;
  #bytes = 0;

  /** @param mode its permissions; default: what the process gives to new files */
  constructor(path: string, mode?: number) {
    this.path = resolve(path);
    this.#temporary = temporaryFor(this.path);
    this.#orAbort(() => {
      refuseFolder(this.path);
      this.#descriptor = openSync(this.#temporary, 'wx', mode);
      this.#created = true;
    });
  }

  get bytes(): number {
    return this.#bytes;
  }

  write(data: Uint8Array): void {
    this.#orAbort(() => {
      let done = 0;
      while (done < data.length) done += writeSync(this.#open(), data, done, data.length - done);
    });
    this.#bytes += data.length;
  }

  commit(): void {
    this.#orAbort(() => {
      fsyncSync(this.#open());
      closeSync(this.#open());
      this.#descriptor = undefined;
      renameSync(this.#temporary, this.path);
    });
    flushFolder(dirname(this.path));
  }

  /** Leaves the place as it was. Does nothing after `commit`. */
  abort(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
    if (this.#created) rmSync(this.#temporary, { force: true });
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new Error(`${this.path} was written after its end`);
    return this.#descriptor;
  }

  #orAbort(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.abort();
      throw describeWriteError(error, this.path);
    }
  }
}

/** Writes or replaces a whole file. Throws ResourceError for a full disk, InputError for a place that cannot be written. */
export function writeFileAtomic(path: string, data: string | Uint8Array, mode?: number): void {
  const file = new AtomicFile(path, mode);
  file.write(typeof data === 'string' ? Buffer.from(data) : data);
  file.commit();
}

/**
 * Makes a folder that appears complete: `build` fills a temporary sibling, which is renamed at the end.
 * Refused where `path` is a file or a folder with something in it. The folder above is made if it is absent.
 */
export async function createFolderAtomic<T>(path: string, build: (temporary: string) => Promise<T>): Promise<T> {
  const target = resolve(path);
  const temporary = temporaryFor(target);
  let firstMade: string | undefined;
  try {
    refuseOccupied(target);
    firstMade = mkdirSync(dirname(target), { recursive: true });
    mkdirSync(temporary);
    const result = await build(temporary).catch((error: unknown) => {
      throw describeFullDisk(error, target) ?? new BuildFailure(error);
    });
    flushTree(temporary);
    refuseOccupied(target);
    renameSync(temporary, target);
    flushFolder(dirname(target));
    return result;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (firstMade !== undefined) removeEmpty(dirname(target), firstMade);
    // What `build` throws is about its own doing, a missing input perhaps, and passes as it is.
    throw error instanceof BuildFailure ? error.cause : describeWriteError(error, target);
  }
}

class BuildFailure extends Error {
  constructor(cause: unknown) {
    super('the folder was not built', { cause });
  }
}

/** Throws ResourceError where the disk that holds `folder` (or its nearest existing parent) has less than `bytes` free. */
export function requireFreeSpace(folder: string, bytes: number, what: string): void {
  let existing = resolve(folder);
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bavail, blocks, bsize } = statfsSync(existing);
  const free = bavail * bsize;
  if (bytes <= free || blocks === 0) return; // some network file systems count nothing
  throw new ResourceError({
    expected: `${readable(bytes)} of free disk space for ${what}`,
    found: readable(free),
    where: existing,
    remedy: 'Free some space, or choose a place on another disk.',
  });
}

/** An error of the file system while writing to `path`, in the words of this project; any other error as it is. */
export function describeWriteError(error: unknown, path: string): unknown {
  const full = describeFullDisk(error, path);
  if (full) return full;
  const code = errorCode(error);
  const found = code === undefined ? undefined : unwritable[code];
  if (found === undefined) return error;
  return new InputError(
    { expected: 'a place that can be written to', found, where: path, remedy: 'Choose another place.' },
    { cause: error },
  );
}

function describeFullDisk(error: unknown, path: string): ResourceError | undefined {
  const code = errorCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return undefined;
  return new ResourceError(
    {
      expected: 'free disk space to write to',
      found: code === 'ENOSPC' ? 'a full disk' : 'a used-up disk quota',
      where: path,
      remedy: 'Free some space, or choose a place on another disk. Nothing was left behind.',
    },
    { cause: error },
  );
}

const errorCode = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code;

const unwritable: Readonly<Record<string, string>> = {
  EACCES: 'one without write permission',
  EPERM: 'one without write permission',
  EROFS: 'a read-only file system',
  ENOENT: 'a folder that does not exist',
  ENOTDIR: 'a file where a folder is needed',
  EEXIST: 'a file where a folder is needed',
  ENOTEMPTY: 'a folder that somebody else has just filled',
  EFBIG: 'a file system or limit that does not allow files of this size',
};

function refuseFolder(path: string): void {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new InputError({ expected: 'the path of a file', found: 'a folder', where: path, remedy: 'Choose another name.' });
}

function refuseOccupied(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats || (stats.isDirectory() && readdirSync(path).length === 0)) return;
  throw new InputError({
    expected: 'a folder that is empty or does not exist yet',
    found: stats.isDirectory() ? 'a folder with something in it' : 'a file',
    where: path,
    remedy: 'Choose another output folder, or move this one away.',
  });
}

/** Removes `folder` and those above it up to `last`, as long as they are empty. */
function removeEmpty(folder: string, last: string): void {
  for (let at = folder; at.length >= last.length && readdirSync(at).length === 0; at = dirname(at)) rmdirSync(at);
}

const readable = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${bytes} bytes`;

/** Makes the names in a folder survive a power cut. Windows has no such call and needs none. */
export function flushFolder(folder: string): void {
  if (process.platform !== 'win32') flush(folder);
}

function flush(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** All that is in a folder survives a power cut. */
export function flushTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) flushTree(path);
    else if (entry.isFile() && process.platform !== 'win32') flush(path);
  }
  flushFolder(folder);
}
