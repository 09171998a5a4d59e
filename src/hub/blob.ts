/**
 * One blob into the cache: ranged, resumed, bounded by its announced size, verified by hash before it gets its name.
 *
 * The partial file `<hash>.incomplete` is only ever extended by bytes that follow what it holds. After a kill its length says
 * where to go on; its bytes are hashed again, so whatever happened to them meanwhile is noticed at the end. If the server's
 * file is no longer the one asked for, nothing is appended.
 */
import { createHash, type Hash } from 'node:crypto';
import { renameSync, rmSync, statSync } from 'node:fs';
import { constants, open, type FileHandle } from 'node:fs/promises';
import { InputError, type RoslinError } from '../errors.ts';
import { asDiskError } from './cache.ts';
import { explainStatus, explainTransport, type Asked } from './explain.ts';
import { shownUrl, TransportError, type HubClient, type HubResponse } from './http.ts';
import { hashFromEtag, type ContentHash } from './names.ts';
import { isPassing, mayPass, PassingStatus, sleep, waitBefore } from './retry.ts';

export interface BlobJob {
  readonly url: URL;
  readonly size: number;
  readonly hash: ContentHash;
  /** Final path; the partial file is beside it. */
  readonly path: string;
  readonly asked: Asked;
}

export type BlobEvent =
  /** `bytes` of the blob are on disk; `received` came over the network just now. */
  | { readonly type: 'bytes'; readonly bytes: number; readonly received: number }
  | { readonly type: 'retry'; readonly reason: string; readonly waitMs: number; readonly failures: number }
  | { readonly type: 'restart'; readonly reason: string };

const HASH_PIECE = 1 << 20;
/** Failures are forgotten after this much progress, so that a bad line still ends and a hostile one cannot go on for ever. */
const PROGRESS_THAT_COUNTS = 1 << 20;

/** Throws RoslinError; after one that means a false file, nothing of it is left. Needs the blob's lock held. */
export async function* fetchBlob(job: BlobJob, client: HubClient): AsyncGenerator<BlobEvent, void, undefined> {
  const partial = `${job.path}.incomplete`;
  try {
    const file = await open(partial, constants.O_RDWR | constants.O_CREAT, 0o666);
    try {
      yield* new Download(job, client, file).run();
      await file.sync();
    } finally {
      await file.close();
    }
    putInPlace(partial, job);
  } catch (error) {
    if (error instanceof FalseFile) {
      rmSync(partial, { force: true });
      throw error.told;
    }
    throw asDiskError(error, partial);
  }
}

function putInPlace(partial: string, { path, size }: BlobJob): void {
  try {
    renameSync(partial, path);
  } catch (error) {
    // Another process that took the lock over may have been first.
    if (statSync(path, { throwIfNoEntry: false })?.size !== size) throw error;
  }
}

/** Carries the error for a file that is not what was announced: what is on disk of it must go. */
class FalseFile extends Error {
  readonly told: RoslinError;
  constructor(told: RoslinError) {
    super('false file');
    this.told = told;
  }
}

class Download {
  readonly #job: BlobJob;
  readonly #client: HubClient;
  readonly #file: FileHandle;
  #at = 0;
  #hash: Hash;
  /** Bytes at the start of the file that an earlier run left. */
  #inherited = 0;
  /** Strong ETags by address without query: what If-Range may name there. */
  readonly #etags = new Map<string, string>();

  constructor(job: BlobJob, client: HubClient, file: FileHandle) {
    this.#job = job;
    this.#client = client;
    this.#file = file;
    this.#hash = newHash(job);
  }

  async *run(): AsyncGenerator<BlobEvent, void, undefined> {
    const { size, hash } = this.#job;
    await this.#takeUp();
    yield { type: 'bytes', bytes: this.#at, received: 0 };
    yield* this.#complete();
    if (this.#hash.digest('hex') === hash.hex) return;
    if (this.#inherited > 0) {
      yield { type: 'restart', reason: 'what an earlier run had left does not fit the file\'s hash' };
      await this.#startOver();
      await this.#file.truncate(0);
      this.#inherited = 0;
      yield* this.#complete();
      if (this.#hash.digest('hex') === hash.hex) return;
    }
    throw new FalseFile(this.#wrong(`content with ${hash.algorithm === 'sha256' ? 'sha256' : 'git hash'} ${hash.hex}`, `${size} bytes with another hash`,
      'The file was removed. Run the same command again; if it happens again, do not trust this server or the network in between.'));
  }

  /** Goes on from a partial file of an earlier run. */
  async #takeUp(): Promise<void> {
    const { size: length } = await this.#file.stat();
    if (length > this.#job.size) {
      await this.#file.truncate(0);
      return;
    }
    const piece = Buffer.allocUnsafe(Math.min(HASH_PIECE, Math.max(1, length)));
    while (this.#at < length) {
      const { bytesRead } = await this.#file.read(piece, 0, piece.length, this.#at);
      if (bytesRead === 0) break;
      this.#hash.update(piece.subarray(0, bytesRead));
      this.#at += bytesRead;
    }
    this.#inherited = this.#at;
  }

  async #startOver(): Promise<void> {
    this.#hash = newHash(this.#job);
    this.#at = 0;
  }

  /** Exchanges until all bytes are there. */
  async *#complete(): AsyncGenerator<BlobEvent, void, undefined> {
    const { settings } = this.#client;
    let failures = 0;
    let mark = this.#at;
    while (this.#at < this.#job.size) {
      try {
        yield* this.#exchange();
      } catch (error) {
        settings.signal?.throwIfAborted();
        if (!isPassing(error)) throw error instanceof TransportError ? explainTransport(error, this.#job.asked) : error;
        failures += 1;
        if (this.#at - mark >= PROGRESS_THAT_COUNTS) {
          failures = 1;
          mark = this.#at;
        }
        if (failures >= settings.retry.tries) {
          throw error instanceof PassingStatus ? explainStatus(error.response, this.#job.asked, settings.token) : explainTransport(error, this.#job.asked);
        }
        const waitMs = waitBefore(failures, error, settings.retry);
        yield { type: 'retry', reason: error.message, waitMs, failures };
        await sleep(waitMs, settings.signal);
      }
    }
  }

  async *#exchange(): AsyncGenerator<BlobEvent, void, undefined> {
    const from = this.#at;
    const response = await this.#client.request(this.#job.url, {
      idleMs: this.#client.settings.stallMs,
      headers: (url) => {
        const etag = this.#etags.get(shownUrl(url));
        return from > 0 ? { range: `bytes=${from}-`, ...(etag ? { 'if-range': etag } : {}) } : {};
      },
    });
    try {
      yield* this.#receive(response, from);
    } finally {
      response.discard();
    }
  }

  async *#receive(response: HubResponse, from: number): AsyncGenerator<BlobEvent, void, undefined> {
    const { size, asked } = this.#job;
    const { status, headers } = response;
    if (mayPass(response)) throw new PassingStatus(response);
    if (status === 416 && from > 0) {
      yield { type: 'restart', reason: 'the server has no such range' };
      await this.#startOver();
      // Counted as a failure, so that a server that answers so every time comes to an end.
      throw new TransportError('NO_SUCH_RANGE', response.url.host);
    }
    if (status !== 200 && status !== 206) throw explainStatus(response, asked, this.#client.settings.token);
    this.#checkSame(response);
    if (status === 206 && headers['content-range'] !== `bytes ${from}-${size - 1}/${size}`) {
      yield { type: 'restart', reason: 'the server sent another range than asked for' };
      await this.#startOver();
      throw new TransportError('WRONG_RANGE', response.url.host);
    }
    if (status === 200 && from > 0) {
      yield { type: 'restart', reason: 'the server sends the file from its start' };
      await this.#startOver();
    }
    this.#checkLength(response);
    const etag = headers.etag;
    if (etag?.startsWith('"')) this.#etags.set(shownUrl(response.url), etag);

    for await (const chunk of response.body) {
      if (this.#at + chunk.length > size) throw new FalseFile(this.#wrong(`${size} bytes, as announced`, 'more', 'What had come was removed. Do not trust this server.'));
      for (let done = 0; done < chunk.length;) {
        done += (await this.#file.write(chunk, done, chunk.length - done, this.#at + done)).bytesWritten;
      }
      this.#hash.update(chunk);
      this.#at += chunk.length;
      yield { type: 'bytes', bytes: this.#at, received: chunk.length };
    }
    if (this.#at < size) throw new TransportError('ENDED_EARLY', response.url.host);
  }

  /** The hub names the content's hash with every answer; another one means that the file was changed since it was listed. */
  #checkSame(response: HubResponse): void {
    const now = hashFromEtag(response.hubHeaders['x-linked-etag'] as string | undefined) ?? hashFromEtag(response.hubHeaders.etag);
    const { hash } = this.#job;
    if (now !== undefined && now.algorithm === hash.algorithm && now.hex !== hash.hex) {
      throw this.#wrong(`content ${hash.hex}`, `content ${now.hex}: the file was changed since it was listed`, 'Run the same command again; it fetches the new file from its start.');
    }
  }

  #checkLength({ headers, url }: HubResponse): void {
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw this.#wrong('plain bytes', `an answer packed as ${JSON.stringify(encoding.slice(0, 20))} from ${url.host}`, 'A proxy in between may do this: see HTTPS_PROXY and NO_PROXY.');
    }
    const announced = headers['content-length'];
    if (announced !== undefined && Number(announced) !== this.#job.size - this.#at) {
      throw this.#wrong(`${this.#job.size - this.#at} bytes`, `an answer of ${Number(announced)} bytes from ${url.host}`,
        'Nothing of it was kept. Check HF_ENDPOINT and any proxy in between.');
    }
  }

  #wrong(expected: string, found: string, remedy: string): RoslinError {
    const { asked } = this.#job;
    const where = `${asked.kind} ${asked.id}, file ${asked.file ?? ''}`;
    return new InputError({ expected, found, where, remedy });
  }
}

function newHash({ hash, size }: BlobJob): Hash {
  return hash.algorithm === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}
