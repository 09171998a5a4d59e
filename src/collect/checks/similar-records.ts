/**
 * What a text is like among all that was handed in to a campaign: questions and answers by runs of characters (src/text/similar.ts), found
 * again from an index in memory that takes in what is new before each question. Several servers each keep one. Texts of 60
 * characters and more: MinHash bands, which find 0.87 of those at 0.5 and 0.9998 at 0.7; shorter ones: a prefix filter over runs of three
 * characters (Bayardo, Ma and Srikant 2007), which misses none at 0.5. Each is confirmed by the true similarity.
 */
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
  readonly #buckets = new Map<string, number[]>();
  readonly #known = new Set<string>();
  #campaign = '';
  #seen = 0;
  #running: Promise<void> | undefined;

  /** Takes in what was handed in since. */
  async refresh(db: Db, campaign: string): Promise<void> {
    if (this.#running) await this.#running;
    this.#running = this.#load(db, campaign).finally(() => (this.#running = undefined));
    await this.#running;
  }

  async #load(db: Db, campaign: string): Promise<void> {
    if (campaign !== this.#campaign) {
      this.#entries.length = 0;
      this.#buckets.clear();
      this.#known.clear();
      [this.#campaign, this.#seen] = [campaign, 0];
    }
    const rows = await db.selectFrom('submission_versions as v').innerJoin('submissions as s', 's.id', 'v.submission_id')
      .select(['v.submission_id', 'v.version', 'v.instruction', 'v.context', 'v.response', 'v.created_at', 's.author_id']).where('s.campaign_id', '=', campaign).where('v.created_at', '>=', new Date(this.#seen - OVERLAP_MS)).orderBy('v.created_at').execute();
    for (const { submission_id, version, created_at, author_id, ...written } of rows) {
      const key = `${submission_id} ${version}`;
      this.#seen = Math.max(this.#seen, created_at.getTime());
      if (this.#known.has(key)) continue;
      this.#known.add(key);
      for (const field of ['instruction', 'response'] as const) this.#add({ submission_id, author_id, at: created_at, field, text: written[field], folded: keyed(field, written) });
    }
  }

  #add(entry: Entry): void {
    if (entry.folded === '' || (entry.field === 'response' && entry.folded.length < TELLING)) return;
    const index = this.#entries.push(entry) - 1;
    for (const key of this.#keysOf(entry.field, entry.folded)) {
      const bucket = this.#buckets.get(key);
      if (bucket) bucket.push(index);
      else this.#buckets.set(key, [index]);
    }
  }

  /** Texts that are alike share a key: bands of long ones, prefixes of short ones; between the two both are kept. */
  #keysOf(field: string, text: string): string[] {
    const keys: string[] = [];
    if (text.length >= SHORT) {
      const hashes = new Int32Array(BANDS.bands);
      bandHashes(this.#minHash.signature(shingles(text, WIDTH)), BANDS, hashes, 0);
      for (const [band, hash] of hashes.entries()) keys.push(`${field[0]}${band}:${hash}`);
    }
    if (text.length < 2 * SHORT) {
      const set = shingles(text, SHORT_WIDTH);
      for (const hash of set.subarray(0, set.length - Math.ceil(LEAST * set.length) + 1)) keys.push(`${field[0]}s:${hash}`);
    }
    return keys;
  }

  /** The most similar earlier text of each field, if there is one of at least 0.5. `except`: records that do not count, such as the one that is revised. */
  find(written: Written, except: ReadonlySet<string>): Match[] {
    const found: Match[] = [];
    for (const field of ['instruction', 'response'] as const) {
      const folded = keyed(field, written);
      if (folded === '' || (field === 'response' && folded.length < TELLING)) continue;
      const candidates = new Set(this.#keysOf(field, folded).flatMap((key) => this.#buckets.get(key)?.slice(-LOOKED_AT) ?? []));
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

