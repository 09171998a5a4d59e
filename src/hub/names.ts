/**
 * The names that come from a person or from a server, checked before any of them is used in a path or an address:
 * repository ids, revisions, file paths, commits and content hashes. Pure; nothing here touches disk or network.
 * Rules of an id: the `validate_repo_id` rules of Hugging Face's Python client.
 */
import { join, resolve, sep } from 'node:path';
import { InputError, UsageError } from '../errors.ts';

export type HubKind = 'model' | 'dataset';

/** The hash that names a file's content: sha256 of the bytes (LFS files), or git's sha1 of a blob object (small files). */
export interface ContentHash {
  readonly algorithm: 'sha256' | 'git-sha1';
  /** 64 or 40 lower-case hexadecimal digits; also the blob's file name in the cache. */
  readonly hex: string;
}

const ID_PART = /^\w(?:[\w.-]{0,94}\w)?$/;
const COMMIT = /^[0-9a-f]{40}$/;
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\..*)?$/i;
const MAX_PATH = 1024;
const MAX_SEGMENT_BYTES = 255;

/** Splits `owner/name`, `owner/name@revision`, each with `:file` after it or not, and checks all parts. Throws UsageError. */
export function parseHubId(text: string): { id: string; revision?: string; file?: string } {
  const colon = text.indexOf(':');
  const repository = colon < 0 ? text : text.slice(0, colon);
  const at = repository.indexOf('@');
  const id = at < 0 ? repository : repository.slice(0, at);
  const parts = id.split('/');
  const wrong = parts.length > 2 || id.length > 96 || id.includes('--') || id.includes('..') || id.endsWith('.git')
    || !parts.every((part) => ID_PART.test(part));
  if (wrong) {
    throw new UsageError({
      expected: 'a hub id like owner/name, owner/name@revision or owner/name:file',
      found: quoted(text),
      remedy: 'Letters, digits, "-", "_" and "." only, no "--" and no "..", at most 96 characters.',
    });
  }
  const named = at < 0 ? { id } : { id, revision: checkRevision(repository.slice(at + 1)) };
  if (colon < 0) return named;
  const file = text.slice(colon + 1);
  const problem = pathProblem(file);
  if (problem) {
    throw new UsageError({ expected: 'a file path inside the repository after the ":"', found: `${quoted(file)} (${problem})` });
  }
  return { ...named, file };
}

/** Checks a branch, tag or commit name, which also becomes a path below `refs/`. Throws UsageError. */
export function checkRevision(revision: string): string {
  const problem = revision.length > 255 ? 'longer than 255 characters' : pathProblem(revision);
  if (problem) {
    throw new UsageError({
      expected: 'a branch, tag or commit as revision', found: `${quoted(revision)} (${problem})`,
      remedy: 'Give the name as the repository\'s page shows it, for example main.',
    });
  }
  return revision;
}

export function isCommit(text: string): boolean {
  return COMMIT.test(text);
}

/** A server's ETag without weakness mark and quotes, as a content hash; undefined if it is not a hash. */
export function hashFromEtag(etag: string | undefined): ContentHash | undefined {
  if (etag === undefined) return undefined;
  return contentHash(etag.replace(/^W\//, '').replace(/^"|"$/g, ''));
}

export function contentHash(hex: unknown): ContentHash | undefined {
  if (typeof hex !== 'string') return undefined;
  if (/^[0-9a-f]{64}$/.test(hex)) return { algorithm: 'sha256', hex };
  if (COMMIT.test(hex)) return { algorithm: 'git-sha1', hex };
  return undefined;
}

/** Why `path` may not be used as a relative path below a folder, or undefined if it may (on every system, Windows too). */
export function pathProblem(path: string): string | undefined {
  if (path === '') return 'empty';
  if (path.length > MAX_PATH) return `longer than ${MAX_PATH} characters`;
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'holds a control character';
  if (path.includes('\\')) return 'holds a backslash';
  if (/[:*?"<>|]/.test(path)) return 'holds a character that not every file system takes';
  if (path.startsWith('/')) return 'absolute';
  for (const segment of path.split('/')) {
    if (segment === '') return 'has an empty part';
    if (segment === '.' || segment === '..') return `has a part ${segment}`;
    if (/[. ]$/.test(segment)) return 'has a part that ends with a dot or a space';
    if (WINDOWS_DEVICE.test(segment)) return 'has the name of a Windows device';
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) return `has a part longer than ${MAX_SEGMENT_BYTES} bytes`;
  }
  return undefined;
}

/** True for a listed name that no honest git tree can hold: it would lead out of the folder. */
export function escapesFolder(path: string): boolean {
  return path.includes('\0') || /^(?:[/\\]|[A-Za-z]:[/\\])/.test(path) || path.split(/[/\\]/).includes('..');
}

/** `folder/path`, after proof that it stays inside. Throws InputError naming `where`. */
export function insideFolder(folder: string, path: string, where: string): string {
  const problem = pathProblem(path);
  const full = join(folder, ...path.split('/'));
  if (problem ?? !resolve(full).startsWith(resolve(folder) + sep)) {
    throw new InputError({
      expected: 'a relative file path inside the repository', found: `${quoted(path)} (${problem ?? 'leads outside'})`, where,
      remedy: 'Do not use this repository or mirror: nothing was written.',
    });
  }
  return full;
}

/** Cache folder name of a repository: `models--owner--name`. */
export function repoFolderName(kind: HubKind, id: string): string {
  return [`${kind}s`, ...id.split('/')].join('--');
}

/** Foreign text for a message: control characters replaced, at most 200 characters, in quotes. */
export function quoted(text: string): string {
  return JSON.stringify(plainText(text, 200));
}

/** Foreign text without control and direction characters, cut at `limit`. */
export function plainText(text: string, limit: number): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '�');
  return clean.length > limit ? `${clean.slice(0, limit)}…` : clean;
}
