/**
 * What using a hub id would take, before any of it is fetched: files with sizes and hashes, what is cached already, licence and
 * gate. Writes nothing. The plan is plain data (no token in it), made to be shown and then given to downloadHub.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, ResourceError, type RoslinError } from '../errors.ts';
import { RepoCache, type CachedSnapshot, type ListedFile } from './cache.ts';
import { askFile, askHub, licenceOnDisk, type Description, type HubLicence } from './describe.ts';
import { explainTransport, type Asked } from './explain.ts';
import { HubClient, TransportError } from './http.ts';
import { checkRevision, escapesFolder, insideFolder, isCommit, parseHubId, pathProblem, quoted, type ContentHash, type HubKind } from './names.ts';
import { isWeightsIndex, selectFiles, type HubFormat, type Selection } from './select.ts';
import { hubSettings, type HubOptions, type HubSettings } from './settings.ts';

export interface HubRequest extends HubOptions {
  readonly kind: HubKind;
  /** `owner/name`, or `owner/name:file` to choose one .gguf or .jsonl file. */
  readonly id: string;
  /** Branch, tag or commit; default main. */
  readonly revision?: string | undefined;
}

export interface HubFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Undefined only for a cached file whose listing was not kept. */
  readonly hash: ContentHash | undefined;
  readonly cached: boolean;
  /** Bytes that an interrupted download left. */
  readonly partialBytes: number;
}

export interface HubPlan {
  readonly kind: HubKind;
  readonly id: string;
  readonly revision: string;
  /** 40 hexadecimal digits: what `revision` stands at. */
  readonly commit: string;
  readonly endpoint: string;
  readonly cacheDir: string;
  readonly format: HubFormat;
  readonly files: readonly HubFile[];
  readonly totalBytes: number;
  /** What is still to come over the network. */
  readonly bytesToFetch: number;
  /** As the repository states it; undefined if it states none. */
  readonly licence: HubLicence | undefined;
  readonly gated: false | 'auto' | 'manual';
  /** Snapshot folder, absolute. */
  readonly folder: string;
  /** What to open: the .gguf or .jsonl file, or the folder. */
  readonly entry: string;
  /** `cache`: made without the hub; then every file is there. */
  readonly source: 'hub' | 'cache';
  /** Worth telling: for instance that the hub could not be reached and the cache is used. */
  readonly note: string | undefined;
  /** Every file of the repository; empty if the plan is from the cache. */
  readonly listing: Description['files'];
}

/**
 * Throws UsageError (id, revision, endpoint), InputError (missing, gated, nothing usable in it) or ResourceError (network, hub).
 * A commit whose files are all cached is answered without the network. If the hub cannot be reached but the cache has
 * everything, the plan is from the cache and says so in `note`.
 */
export async function resolveHub(request: HubRequest): Promise<HubPlan> {
  const settings = hubSettings(request);
  const { id, revision: named, file } = parseHubId(request.id);
  const revision = checkRevision(request.revision ?? named ?? 'main');
  const asked: Asked = { kind: request.kind, id, revision, endpoint: settings.endpoint };
  const cache = new RepoCache(settings.cacheDir, request.kind, id);
  if (settings.offline) {
    const found = planFromCache(cache, settings, asked, file);
    if ('plan' in found) return found.plan;
    throw found.error;
  }
  const local = planFromCache(cache, settings, asked, file);
  if (isCommit(revision) && 'plan' in local) return local.plan;
  using client = new HubClient(settings);
  try {
    const policy = 'plan' in local ? { ...settings.retry, tries: 1 } : settings.retry;
    return await planFromHub(client, cache, asked, await askHub(client, asked, policy), file);
  } catch (error) {
    const told = error instanceof TransportError ? explainTransport(error, asked) : error;
    if (!(told instanceof ResourceError) || !('plan' in local)) throw told;
    const note = `The hub could not be asked (${told.parts.found}): using ${revision} as last fetched.`;
    return { ...local.plan, note: local.plan.note === undefined ? note : `${note} ${local.plan.note}` };
  }
}

/** The snapshot of a revision in the cache, complete or not, whoever fetched it; undefined if there is none. */
export function cachedSnapshot(kind: HubKind, name: string, given?: string, options: HubOptions = {}): CachedSnapshot | undefined {
  const { id, revision = 'main' } = parseHubId(name);
  return new RepoCache(hubSettings(options).cacheDir, kind, id).find(checkRevision(given ?? revision));
}

async function planFromHub(client: HubClient, cache: RepoCache, asked: Asked, description: Description, file: string | undefined): Promise<HubPlan> {
  const { commit, files: listing, gated, licence } = description;
  const selection = selectFiles(asked.kind, asked.id, listing.map(({ path }) => path), file);
  const folder = cache.snapshot(commit);
  const byPath = new Map<string, ListedFile>(listing.map((entry) => [entry.path, entry]));
  const files: HubFile[] = [];
  for (const path of selection.files) {
    insideFolder(folder, path, `${asked.kind} ${asked.id}`);
    let listed = byPath.get(path);
    if (listed?.size === undefined || listed.hash === undefined) listed = await askFile(client, { ...asked, file: path }, commit);
    files.push(fileState(cache, commit, listed));
  }
  const wanting = files.filter(({ cached }) => !cached);
  const last = wanting.at(-1);
  // A gated repository lists its files to everybody; only a request for one of them shows whether this user may have it.
  if (gated !== false && last !== undefined) await askFile(client, { ...asked, file: last.path }, commit);
  return finish(asked, client.settings, { commit, folder, selection, files, licence, gated, source: 'hub', listing });
}

function fileState(cache: RepoCache, commit: string, { path, size = 0, hash }: ListedFile): HubFile {
  const cached = cache.fileSize(commit, path) === size || (hash !== undefined && cache.blobSize(hash) === size);
  const partial = cached || hash === undefined ? 0 : cache.partialSize(hash);
  return { path, size, hash, cached, partialBytes: partial <= size ? partial : 0 };
}

function planFromCache(cache: RepoCache, settings: HubSettings, asked: Asked, file: string | undefined): { plan: HubPlan } | { error: RoslinError } {
  const where = `cache ${settings.cacheDir}`;
  const remedy = 'Run the same command once without --offline (and without HF_HUB_OFFLINE) to fetch what is missing.';
  const snapshot = cache.find(asked.revision);
  if (snapshot === undefined) {
    return { error: new InputError({ expected: `${asked.kind} ${asked.id} at revision ${quoted(asked.revision)}`, found: 'nothing of it', where, remedy }) };
  }
  const { commit, folder } = snapshot;
  const onDisk = snapshot.files.map((path): ListedFile => ({ path, size: cache.fileSize(commit, path), hash: undefined }));
  const tree = cache.readTree(commit)?.filter(({ path }) => !escapesFolder(path));
  const byPath = new Map((tree ?? onDisk).map((entry) => [entry.path, entry]));
  let selection: Selection;
  let files: HubFile[];
  let missing: string[];
  try {
    selection = selectFiles(asked.kind, asked.id, [...byPath.keys()], file);
    files = selection.files.map((path) => fileState(cache, commit, byPath.get(path) ?? { path, size: undefined, hash: undefined }));
    missing = files.filter(({ path, size }) => cache.fileSize(commit, path) !== size).map(({ path }) => path);
    missing.push(...missingShards(folder, selection).filter((path) => !missing.includes(path)));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { expected, found } = error.parts;
    return { error: tree ? error : new InputError({ expected, found, where: `${where}, ${asked.kind} ${asked.id}`, remedy }) };
  }
  if (missing.length > 0) {
    const found = `${missing.length} of its files missing: ${missing.slice(0, 20).join(', ')}`;
    return { error: new InputError({ expected: `${asked.kind} ${asked.id} at revision ${quoted(asked.revision)}, whole`, found, where, remedy }) };
  }
  const plan = finish(asked, settings, { commit, folder, selection, files, licence: licenceOnDisk(folder), gated: false, source: 'cache', listing: [] });
  return { plan };
}

type Found = Pick<HubPlan, 'commit' | 'folder' | 'files' | 'licence' | 'gated' | 'source' | 'listing'> & { readonly selection: Selection };

function finish({ kind, id, revision }: Asked, { endpoint, cacheDir }: HubSettings, { selection, ...found }: Found): HubPlan {
  const sum = (of: (file: HubFile) => number): number => found.files.reduce((total, file) => total + of(file), 0);
  return {
    kind, id, revision, endpoint, cacheDir, ...found, format: selection.format,
    totalBytes: sum(({ size }) => size),
    bytesToFetch: sum(({ cached, size, partialBytes }) => (cached ? 0 : size - partialBytes)),
    entry: selection.entry === undefined ? found.folder : join(found.folder, ...selection.entry.split('/')),
    note: selection.note,
  };
}

const MAX_INDEX_BYTES = 64 * 2 ** 20;

/** Shards that a snapshot's index names and that are not there. */
export function missingShards(folder: string, { files }: Pick<Selection, 'files'>): string[] {
  const index = files.find(isWeightsIndex);
  if (index === undefined) return [];
  const path = join(folder, index);
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return [index];
  let shards: unknown[];
  try {
    if (size > MAX_INDEX_BYTES) throw new RangeError('too large');
    shards = Object.values((JSON.parse(readFileSync(path, 'utf8')) as { weight_map: Record<string, unknown> }).weight_map);
  } catch (error) {
    throw new InputError({ expected: 'an index of shards in JSON with a weight_map', found: 'something else', where: path, remedy: 'The repository itself is damaged: choose another revision.' }, { cause: error });
  }
  const there = (name: string): boolean => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true;
  return [...new Set(shards)].map((name) => (typeof name === 'string' ? name : ''))
    .filter((name) => pathProblem(name) !== undefined || name.includes('/') || !there(name));
}
