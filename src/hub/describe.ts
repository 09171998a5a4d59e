/**
 * What a repository holds at a revision: commit, files with size and hash, licence, gate. Asked of the hub's JSON API
 * (GET /api/{models|datasets}/{id}/revision/{revision}?blobs=true), or read from the cache's own records. Mirrors that leave
 * sizes or hashes out are asked file by file (HEAD on the file's address, as Python's client does).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, ResourceError } from '../errors.ts';
import type { ListedFile } from './cache.ts';
import { explainStatus, type Asked } from './explain.ts';
import type { HubClient, HubResponse, RequestOptions } from './http.ts';
import { contentHash, escapesFolder, hashFromEtag, isCommit, plainText, quoted, type HubKind } from './names.ts';
import { mayPass, PassingStatus, withRetries } from './retry.ts';
import type { RetryPolicy } from './settings.ts';

/** Licence as the repository's card states it; nobody has checked it. */
export interface HubLicence {
  /** SPDX-like id in the hub's spelling, e.g. "apache-2.0", "cc-by-sa-3.0", "other". */
  readonly id: string;
  readonly name?: string;
  readonly link?: string;
}

export interface Description {
  readonly commit: string;
  readonly files: readonly (ListedFile & { readonly blobId: string | undefined })[];
  readonly licence: HubLicence | undefined;
  /** Access on request: answered by a program, or by hand. */
  readonly gated: false | 'auto' | 'manual';
}

const MAX_DESCRIPTION_BYTES = 64 * 2 ** 20;
const MAX_FILES = 200_000;
const MAX_CARD_BYTES = 64 * 1024;

export function fileUrl(endpoint: string, kind: HubKind, id: string, commit: string, path: string): URL {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return new URL(`${endpoint}/${kind === 'dataset' ? 'datasets/' : ''}${id}/resolve/${encodeURIComponent(commit)}/${encoded}`);
}

/** Throws RoslinError or TransportError. */
export async function askHub(client: HubClient, asked: Asked, policy: RetryPolicy): Promise<Description> {
  const url = new URL(`${asked.endpoint}/api/${asked.kind}s/${asked.id}/revision/${encodeURIComponent(asked.revision)}?blobs=true`);
  const text = await ask(client, url, asked, policy, {}, readAll);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!isObject(value) || typeof value['sha'] !== 'string' || !isCommit(value['sha']) || !Array.isArray(value['siblings'])) {
    throw new InputError({
      expected: 'the description of a repository in JSON', found: 'something else', where: `${asked.endpoint} (${asked.kind} ${asked.id})`,
      remedy: 'Check HF_ENDPOINT: this address does not answer like a hub.',
    });
  }
  const siblings = value['siblings'] as unknown[];
  if (siblings.length > MAX_FILES) {
    throw new InputError({ expected: `at most ${MAX_FILES} files`, found: `${siblings.length}`, where: `${asked.kind} ${asked.id}`, remedy: 'Such a repository is not read.' });
  }
  const gated = value['gated'];
  return {
    commit: value['sha'],
    files: siblings.map((entry) => listedFile(entry, asked)),
    licence: licenceOf(isObject(value['cardData']) ? value['cardData'] : {}, value['tags']),
    gated: gated === 'auto' || gated === 'manual' ? gated : gated === true ? 'auto' : false,
  };
}

/** Size and hash of one file by its headers; also proof that this user may read it. Throws RoslinError or TransportError. */
export async function askFile(client: HubClient, asked: Asked & { readonly file: string }, commit: string): Promise<ListedFile> {
  const url = fileUrl(asked.endpoint, asked.kind, asked.id, commit, asked.file);
  const { settings } = client;
  return ask(client, url, asked, settings.retry, { method: 'HEAD' }, async (response) => {
    const { hubHeaders: linked, headers } = response;
    const size = Number(linked['x-linked-size'] ?? headers['content-length'] ?? NaN);
    const hash = hashFromEtag(linked['x-linked-etag'] as string | undefined) ?? hashFromEtag(linked.etag);
    if (!Number.isSafeInteger(size) || size < 0 || hash === undefined) {
      throw new InputError({
        expected: 'size and content hash of the file (X-Linked-Size, X-Linked-Etag or ETag)', found: hash === undefined ? 'no hash' : 'no size',
        where: `${asked.kind} ${asked.id}, file ${plainText(asked.file, 200)}`, remedy: 'What this server sends cannot be verified: use another HF_ENDPOINT.',
      });
    }
    return { path: asked.file, size, hash };
  });
}

/** Licence in the front matter of a snapshot's README.md, if it is there. */
export function licenceOnDisk(folder: string): HubLicence | undefined {
  let text: string;
  try {
    const file = openSync(join(folder, 'README.md'), 'r');
    try {
      const buffer = Buffer.alloc(MAX_CARD_BYTES);
      text = buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
  const matter = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text)?.[1];
  if (matter === undefined) return undefined;
  // Only these three plain keys of the YAML are read; a list gives its first entry.
  const field = (key: string): string | undefined => new RegExp(`^${key}:[ \\t]*(?:\\r?\\n[ \\t]*-[ \\t]*)?["']?([^"'\\r\\n]+?)["']?[ \\t]*$`, 'm').exec(matter)?.[1];
  return licenceOf({ license: field('license'), license_name: field('license_name'), license_link: field('license_link') }, undefined);
}

async function ask<T>(client: HubClient, url: URL, asked: Asked, policy: RetryPolicy, options: Pick<RequestOptions, 'method'>, read: (response: HubResponse, asked: Asked) => Promise<T>): Promise<T> {
  const { settings } = client;
  try {
    return await withRetries(policy, settings.signal, async () => {
      const response = await client.request(url, { ...options, idleMs: settings.metadataTimeoutMs });
      try {
        if (mayPass(response)) throw new PassingStatus(response);
        if (response.status !== 200) throw explainStatus(response, asked, settings.token);
        return await read(response, asked);
      } finally {
        response.discard();
      }
    });
  } catch (error) {
    throw error instanceof PassingStatus ? explainStatus(error.response, asked, settings.token) : error;
  }
}

async function readAll(response: HubResponse, asked: Asked): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > MAX_DESCRIPTION_BYTES) {
      throw new ResourceError({ expected: `a description of at most ${MAX_DESCRIPTION_BYTES} bytes`, found: 'more', where: `${asked.kind} ${asked.id}`, remedy: 'Check HF_ENDPOINT.' });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function listedFile(entry: unknown, asked: Asked): Description['files'][number] {
  const path = isObject(entry) ? entry['rfilename'] : undefined;
  if (!isObject(entry) || typeof path !== 'string') {
    throw new InputError({ expected: 'a file name (rfilename) in every entry of the listing', found: 'none', where: `${asked.kind} ${asked.id}`, remedy: 'Check HF_ENDPOINT.' });
  }
  if (escapesFolder(path)) {
    throw new InputError({
      expected: 'file names inside the repository', found: quoted(path), where: `${asked.kind} ${asked.id}`,
      remedy: 'Such a name would be written outside the cache. Nothing was written; do not trust this server.',
    });
  }
  const lfs = isObject(entry['lfs']) ? entry['lfs'] : {};
  const size = lfs['size'] ?? entry['size'];
  return {
    path,
    size: typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : undefined,
    hash: contentHash(lfs['sha256'] ?? entry['blobId']),
    blobId: typeof entry['blobId'] === 'string' ? contentHash(entry['blobId'])?.hex : undefined,
  };
}

function licenceOf(card: Record<string, unknown>, tags: unknown): HubLicence | undefined {
  const text = (value: unknown): string | undefined => {
    const one: unknown = Array.isArray(value) ? value[0] : value;
    return typeof one === 'string' && one.trim() !== '' ? plainText(one.trim(), 200) : undefined;
  };
  const tag = Array.isArray(tags) ? tags.find((entry): entry is string => typeof entry === 'string' && entry.startsWith('license:')) : undefined;
  const id = text(card['license']) ?? text(tag?.slice('license:'.length));
  if (id === undefined) return undefined;
  const name = text(card['license_name']);
  const link = text(card['license_link']);
  return { id, ...(name ? { name } : {}), ...(link ? { link } : {}) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
