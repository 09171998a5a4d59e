/**
 * Carries out a plan: every missing file into the cache, one after the other, telling how it goes. The revision's name is recorded
 * only after the last file, so that an interrupted download never takes the place of an older complete one.
 */
import { rmSync } from 'node:fs';
import { InputError, ResourceError } from '../errors.ts';
import { fetchBlob } from './blob.ts';
import { asDiskError, freeBytes, RepoCache } from './cache.ts';
import { fileUrl } from './describe.ts';
import { HubClient, TransportError } from './http.ts';
import { tryLock, type HeldLock } from './lock.ts';
import type { ContentHash } from './names.ts';
import { missingShards, type HubFile, type HubPlan } from './plan.ts';
import { sleep } from './retry.ts';
import { hubSettings, type HubOptions } from './settings.ts';

export type HubEvent =
  | { readonly type: 'start'; readonly files: number; readonly bytesToFetch: number; readonly total: number }
  /** bytes, total: of all files together; rate: bytes per second over the last seconds, 0 until known. */
  | { readonly type: 'progress'; readonly file: string; readonly fileBytes: number; readonly fileTotal: number; readonly bytes: number; readonly total: number; readonly rate: number; readonly secondsLeft: number | undefined }
  | { readonly type: 'retry'; readonly file: string; readonly reason: string; readonly waitMs: number }
  | { readonly type: 'restart'; readonly file: string; readonly reason: string }
  /** Another process is fetching this file. */
  | { readonly type: 'waiting'; readonly file: string }
  /** In its place, its hash right (or cached before). */
  | { readonly type: 'file'; readonly file: string; readonly bytes: number }
  | { readonly type: 'done'; readonly folder: string; readonly entry: string };

const PROGRESS_EVERY_MS = 100;
const RATE_WINDOW_MS = 5_000;
const LOCK_POLL_MS = 200;
/** Left free beside the files themselves. */
const SPARE_BYTES = 32 * 2 ** 20;
const PROBE_BYTES = 4 * 2 ** 20;
const PROBE_MS = 2_000;

/** Ends with `done`; throws RoslinError, or AbortError after `signal`. What was fetched is kept for the next run. */
export async function* downloadHub(plan: HubPlan, options: HubOptions = {}): AsyncGenerator<HubEvent, void, undefined> {
  const settings = hubSettings({ ...options, endpoint: plan.endpoint, cacheDir: plan.cacheDir });
  const cache = new RepoCache(plan.cacheDir, plan.kind, plan.id);
  yield { type: 'start', files: plan.files.length, bytesToFetch: plan.bytesToFetch, total: plan.totalBytes };
  if (plan.source === 'hub') {
    if (settings.offline && plan.bytesToFetch > 0) {
      throw new InputError({ expected: 'every file in the cache', found: `${megabytes(plan.bytesToFetch)} to fetch`, where: `${plan.kind} ${plan.id}`, remedy: 'Run without --offline.' });
    }
    checkRoom(plan);
    try {
      await cache.prepare();
    } catch (error) {
      throw asDiskError(error, cache.folder);
    }
    using client = new HubClient(settings);
    const meter = new Meter(plan.totalBytes);
    for (const file of plan.files) {
      if (cache.fileSize(plan.commit, file.path) !== file.size) yield* placeFile(plan, file, cache, client, meter);
      yield meter.event(file, file.size);
      meter.finish(file);
      yield { type: 'file', file: file.path, bytes: file.size };
    }
    await record(plan, cache);
  }
  yield { type: 'done', folder: plan.folder, entry: plan.entry };
}

/**
 * Bytes per second that this network gives now, from the first bytes of the plan's largest missing file; they are not kept.
 * Undefined if nothing is missing or nothing came.
 */
export async function measureRate(plan: HubPlan, options: HubOptions = {}): Promise<number | undefined> {
  const file = plan.files.filter(({ cached }) => !cached).toSorted((a, b) => b.size - a.size)[0];
  if (file === undefined || file.size === 0) return undefined;
  using client = new HubClient(hubSettings({ ...options, endpoint: plan.endpoint, cacheDir: plan.cacheDir }));
  let bytes = 0;
  try {
    const response = await client.request(fileUrl(plan.endpoint, plan.kind, plan.id, plan.commit, file.path), {
      idleMs: PROBE_MS, headers: () => ({ range: `bytes=0-${Math.min(PROBE_BYTES, file.size) - 1}` }),
    });
    const from = performance.now();
    const until = from + PROBE_MS;
    if (response.status !== 200 && response.status !== 206) {
      response.discard();
      return undefined;
    }
    for await (const chunk of response.body) {
      bytes += chunk.length;
      if (bytes >= PROBE_BYTES || performance.now() > until) break;
    }
    return bytes === 0 ? undefined : bytes / Math.max(0.001, (performance.now() - from) / 1000);
  } catch (error) {
    // Only a forecast: the download itself will say what is wrong.
    if (error instanceof TransportError) return undefined;
    throw error;
  }
}

async function* placeFile(plan: HubPlan, file: HubFile, cache: RepoCache, client: HubClient, meter: Meter): AsyncGenerator<HubEvent, void, undefined> {
  const { hash } = file;
  if (hash === undefined) throw new InputError({ expected: 'a plan with the hash of every file', found: 'none', where: file.path, remedy: 'Make the plan with resolveHub.' });
  if (cache.blobSize(hash) !== file.size) {
    const lock = yield* waitForLock(cache.lock(hash), file.path, client.settings.signal);
    try {
      yield* fetchMissing(plan, file, hash, cache, client, meter);
    } finally {
      lock.release();
    }
  }
  cache.link(plan.commit, file.path, hash, client.settings.symlinks);
}

async function* fetchMissing(plan: HubPlan, file: HubFile, hash: ContentHash, cache: RepoCache, client: HubClient, meter: Meter): AsyncGenerator<HubEvent, void, undefined> {
  // While this process waited for the lock, the other one may have brought it.
  if (cache.blobSize(hash) === file.size) return;
  // A blob of another length than its name stands for is damaged.
  rmSync(cache.blob(hash), { force: true });
  const { kind, id, revision, endpoint, commit } = plan;
  const job = {
    url: fileUrl(endpoint, kind, id, commit, file.path), size: file.size, hash, path: cache.blob(hash),
    asked: { kind, id, revision, endpoint, file: file.path },
  };
  for await (const event of fetchBlob(job, client)) {
    if (event.type === 'bytes') {
      meter.add(event.received);
      if (meter.isDue()) yield meter.event(file, event.bytes);
    } else if (event.type === 'retry') {
      yield { type: 'retry', file: file.path, reason: event.reason, waitMs: event.waitMs };
    } else {
      yield { type: 'restart', file: file.path, reason: event.reason };
    }
  }
}

async function* waitForLock(path: string, file: string, signal: AbortSignal | undefined): AsyncGenerator<HubEvent, HeldLock, undefined> {
  let lock = tryLock(path);
  if (lock === undefined) yield { type: 'waiting', file };
  while (lock === undefined) {
    await sleep(LOCK_POLL_MS, signal);
    lock = tryLock(path);
  }
  return lock;
}

async function record(plan: HubPlan, cache: RepoCache): Promise<void> {
  const missing = missingShards(plan.folder, { files: plan.files.map(({ path }) => path) });
  if (missing.length > 0) {
    throw new InputError({
      expected: 'every shard that the index names', found: `none of ${missing.slice(0, 10).map((name) => JSON.stringify(name)).join(', ')} in the repository`,
      where: `${plan.kind} ${plan.id}`, remedy: 'The repository is not whole: choose another revision.',
    });
  }
  const whole = plan.listing.flatMap((entry) => (entry.blobId !== undefined && entry.size !== undefined && entry.hash !== undefined ? [{ ...entry, blobId: entry.blobId }] : []));
  // Other tools take the listing for complete, so a mirror's partial one is not kept.
  if (whole.length === plan.listing.length) await cache.writeTree(plan.commit, whole);
  await cache.writeRef(plan.revision, plan.commit);
}

function checkRoom(plan: HubPlan): void {
  const free = freeBytes(plan.cacheDir);
  if (plan.bytesToFetch === 0 || free === undefined || free >= plan.bytesToFetch + SPARE_BYTES) return;
  throw new ResourceError({
    expected: `${megabytes(plan.bytesToFetch + SPARE_BYTES)} free for ${plan.kind} ${plan.id}`, found: megabytes(free), where: plan.cacheDir,
    remedy: 'Free some, or point HF_HUB_CACHE to a larger disk. Nothing was fetched.',
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** Turns bytes as they come into totals and a rate. */
class Meter {
  readonly #total: number;
  #finished = 0;
  #lastEvent = 0;
  #arrivals: { at: number; bytes: number }[] = [];

  constructor(total: number) {
    this.#total = total;
  }

  add(bytes: number): void {
    if (bytes > 0) this.#arrivals.push({ at: performance.now(), bytes });
  }

  isDue(): boolean {
    return performance.now() - this.#lastEvent >= PROGRESS_EVERY_MS;
  }

  finish(file: HubFile): void {
    this.#finished += file.size;
  }

  event(file: HubFile, fileBytes: number): HubEvent {
    const now = performance.now();
    this.#lastEvent = now;
    this.#arrivals = this.#arrivals.filter(({ at }) => now - at <= RATE_WINDOW_MS);
    const first = this.#arrivals[0];
    const received = this.#arrivals.reduce((sum, arrival) => sum + arrival.bytes, 0);
    const rate = first === undefined || now - first.at < PROGRESS_EVERY_MS ? 0 : received / ((now - first.at) / 1000);
    const bytes = this.#finished + fileBytes;
    return {
      type: 'progress', file: file.path, fileBytes, fileTotal: file.size, bytes, total: this.#total, rate,
      secondsLeft: rate > 0 ? (this.#total - bytes) / rate : undefined,
    };
  }
}
