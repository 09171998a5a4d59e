/**
 * What a text is like among all that was handed in to a campaign: questions and answers by runs of characters (src/text/similar.ts), found
 * again from an index in memory that takes in what is new before each question. Several servers each keep one. Texts of 60
 * characters and more: MinHash bands, which find 0.87 of those at 0.5 and 0.9998 at 0.7; shorter ones: a prefix filter over runs of three
 * characters (Bayardo, Ma and Srikant 2007), which misses none at 0.5. Each is confirmed by the true similarity.
 */
import { setImmediate } from 'node:timers/promises';
import type { Db } from '../../store/store.ts';
import { normalise } from '../../text/normalise.ts';
import { bandHashes, bandsFor, MinHash } from '../../text/minhash.ts';
import { shingles } from '../../text/shingles.ts';
import { SHORT, similarity } from '../../text/similar.ts';

export interface Written {
  readonly instruction: string;
  readonly context: string;
  readonly response: string;
}

export interface Match {
  readonly submission_id: string;
  readonly author_id: string;
  readonly at: Date;
  readonly field: 'instruction' | 'response';
  /** 0 to 1. */
  readonly similarity: number;
  /** As it was written. */
  readonly text: string;
}

interface Entry {
  readonly submission_id: string;
  readonly author_id: string;
  readonly at: Date;
  readonly field: 'instruction' | 'response';
  readonly text: string;
  readonly folded: string;
}

const LEAST = 0.5;
const WIDTH = 5;
const SHORT_WIDTH = 3;
const BANDS = bandsFor(128, 0.7, 0.999);
/** Kinds of keys of a field: its bands, and the runs of short texts. */
const KINDS = BANDS.bands + 1;
const LOADED_AT_ONCE = 50;
/** A version may be committed so long after its instant. */
const OVERLAP_MS = 120_000;
/** Answers below this length, such as "Yes.", are shared by records that have nothing else in common. */
const TELLING = SHORT;
/** Members of a bucket that are looked at: the newest. */
const LOOKED_AT = 200;

/** With a passage only questions about the same one are compared: "Summarise this in three sentences" is nobody's. */
const keyed = (field: Entry['field'], { instruction, context, response }: Written): string => (field === 'instruction' ? `${context === '' ? '' : `${normalise(context).slice(0, 200)}\n`}${normalise(instruction)}` : normalise(response));

export class SimilarRecords {
  readonly #minHash = new MinHash(128, 1);
  readonly #entries: Entry[] = [];
  /** A bucket of one is a number: most are, and there are 32 for each text. */
  readonly #buckets = new Map<number, number | number[]>();
  readonly #known = new Set<string>();
  #campaign = '';
  #seen = 0;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** Takes in what was handed in before it was called. Who asks while it runs shares the one run that follows. */
  async refresh(db: Db, campaign: string): Promise<void> {
    if (this.#next) return this.#next;
    if (this.#running) {
      this.#next = this.#running.catch(() => {}).then(() => {
        this.#next = undefined;
        return this.#run(db, campaign);
      });
      return this.#next;
    }
    return this.#run(db, campaign);
  }

  #run(db: Db, campaign: string): Promise<void> {
    const run = this.#load(db, campaign).finally(() => (this.#running = undefined));
    this.#running = run;
    return run;
  }

  async #load(db: Db, campaign: string): Promise<void> {
    if (campaign !== this.#campaign) {
      this.#entries.length = 0;
      this.#buckets.clear();
      this.#known.clear();
      [this.#campaign, this.#seen] = [campaign, 0];
    }
    // Which are new is asked first: of the last minutes' records most are known, and their texts are long.
    const versions = await db.selectFrom('submission_versions').select(['submission_id', 'version', 'created_at']).where('created_at', '>=', new Date(this.#seen - OVERLAP_MS)).orderBy('created_at').execute();
    const fresh = versions.filter(({ submission_id, version }) => !this.#known.has(`${submission_id} ${version}`));
    for (let from = 0; from < fresh.length; from += LOADED_AT_ONCE) {
      const part = fresh.slice(from, from + LOADED_AT_ONCE);
      const rows = await db.selectFrom('submission_versions as v').innerJoin('submissions as s', 's.id', 'v.submission_id').select(['v.submission_id', 'v.version', 'v.instruction', 'v.context', 'v.response', 'v.created_at', 's.author_id', 's.campaign_id'])
        .where('v.submission_id', 'in', part.map(({ submission_id }) => submission_id)).orderBy('v.created_at').execute();
      for (const { submission_id, version, created_at, author_id, campaign_id, ...written } of rows) {
        const key = `${submission_id} ${version}`;
        if (this.#known.has(key)) continue;
        this.#known.add(key);
        if (campaign_id !== campaign) continue;
        for (const field of ['instruction', 'response'] as const) this.#add({ submission_id, author_id, at: created_at, field, text: written[field], folded: keyed(field, written) });
      }
      // Others have their turn: of a large campaign the first load takes seconds.
      if (fresh.length > LOADED_AT_ONCE) await setImmediate();
    }
    this.#seen = Math.max(this.#seen, versions.at(-1)?.created_at.getTime() ?? 0);
  }

  #add(entry: Entry): void {
    if (entry.folded === '' || (entry.field === 'response' && entry.folded.length < TELLING)) return;
    const index = this.#entries.push(entry) - 1;
    for (const key of this.#keysOf(entry.field, entry.folded)) {
      const bucket = this.#buckets.get(key);
      if (bucket === undefined) this.#buckets.set(key, index);
      else if (typeof bucket === 'number') this.#buckets.set(key, [bucket, index]);
      else bucket.push(index);
    }
  }

  /** Texts that are alike share a key: bands of long ones, prefixes of short ones; between the two both are kept. */
  #keysOf(field: Entry['field'], text: string): number[] {
    const keys: number[] = [];
    const add = (kind: number, hash: number) => keys.push(((field === 'response' ? KINDS : 0) + kind) * 2 ** 32 + (hash >>> 0));
    if (text.length >= SHORT) {
      const hashes = new Int32Array(BANDS.bands);
      bandHashes(this.#minHash.signature(shingles(text, WIDTH)), BANDS, hashes, 0);
      for (const [band, hash] of hashes.entries()) add(band, hash);
    }
    if (text.length < 2 * SHORT) {
      const set = shingles(text, SHORT_WIDTH);
      for (const hash of set.subarray(0, set.length - Math.ceil(LEAST * set.length) + 1)) add(BANDS.bands, hash);
    }
    return keys;
  }

  /** The most similar earlier text of each field, if there is one of at least 0.5. `except`: records that do not count, such as the one that is revised. */
  find(written: Written, except: ReadonlySet<string>): Match[] {
    const found: Match[] = [];
    for (const field of ['instruction', 'response'] as const) {
      const folded = keyed(field, written);
      if (folded === '' || (field === 'response' && folded.length < TELLING)) continue;
      const candidates = new Set(this.#keysOf(field, folded).flatMap((key) => {
        const bucket = this.#buckets.get(key) ?? [];
        return typeof bucket === 'number' ? bucket : bucket.slice(-LOOKED_AT);
      }));
      let best: { entry: Entry; by: number } | undefined;
      for (const index of candidates) {
        const entry = this.#entries[index]!;
        if (except.has(entry.submission_id)) continue;
        const by = similarity(folded, entry.folded);
        if (by >= LEAST && by > (best?.by ?? 0)) best = { entry, by };
      }
      if (best) {
        const { submission_id, author_id, at, text } = best.entry;
        found.push({ submission_id, author_id, at, field, similarity: best.by, text });
      }
    }
    return found;
  }
}

