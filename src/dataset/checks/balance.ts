/** How records are spread: categories, contributors, languages, lengths. Findings here have no record of their own. */
import type { DatasetRecord } from '../../artefacts/record-schema.ts';
import { partsOf, provenanceOf } from '../../artefacts/provenance.ts';
import type { CheckOptions, Found } from './check.ts';

export const BALANCE_CHECK = { name: 'balance', version: '1', title: 'Balance' } as const;

/** Records with characters above the bucket before and at most `upTo`. */
export interface LengthBucket {
  readonly upTo: number;
  readonly records: number;
}

export interface Distribution {
  readonly categories: Readonly<Record<string, number>>;
  readonly languages: Readonly<Record<string, number>>;
  readonly contributors: number;
  readonly lengths: Readonly<Record<'instruction' | 'context' | 'response', readonly LengthBucket[]>>;
}

/** One person's share of the records from which their habits are the model's, and what one category may outweigh another by. */
const ONE_PERSON = 0.2;
const LEAST_CONTRIBUTORS = 5;
const OUTWEIGHS = 20;

const MEASURED = ['instruction', 'context', 'response'] as const;

export class Balance {
  #records = 0;
  readonly #categories = new Map<string, number>();
  readonly #languages = new Map<string, number>();
  readonly #contributors = new Map<string, number>();
  readonly #lengths = Object.fromEntries(MEASURED.map((part) => [part, [] as number[]])) as Record<(typeof MEASURED)[number], number[]>;

  add(record: DatasetRecord, language: string | undefined): void {
    this.#records++;
    const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
    count(this.#categories, record.category);
    count(this.#languages, language ?? 'unknown');
    const people = new Set(partsOf(record).map((part) => provenanceOf(record, part).contributor));
    for (const person of people) if (person !== undefined) count(this.#contributors, person);
    for (const part of MEASURED) {
      if (record[part] === '') continue;
      // Buckets that double from 16: 0 holds up to 16 characters, 1 up to 32, …
      const bucket = Math.max(0, Math.ceil(Math.log2(record[part].length)) - 4);
      this.#lengths[part][bucket] = (this.#lengths[part][bucket] ?? 0) + 1;
    }
  }

  distribution(): Distribution {
    const sorted = (counts: Map<string, number>) => Object.fromEntries([...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
    const buckets = (part: (typeof MEASURED)[number]) => Array.from(this.#lengths[part], (records: number | undefined, i) => ({ upTo: 16 * 2 ** i, records: records ?? 0 }));
    return { categories: sorted(this.#categories), languages: sorted(this.#languages), contributors: this.#contributors.size, lengths: { instruction: buckets('instruction'), context: buckets('context'), response: buckets('response') } };
  }

  *find({ categoryShare }: CheckOptions): Generator<Found> {
    const found = (kind: string, reason: string, score: number): Found => ({ verdict: 'warn', kind, reason, places: [], score });
    const share = (n: number) => n / this.#records;
    const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
    if (this.#categories.size > 1) {
      for (const [category, n] of this.#categories) if (share(n) < categoryShare) yield found('small-category', `category ${category} has ${percent(share(n))} of the records, where ${percent(categoryShare)} are little`, share(n));
      const [most, least] = [Math.max(...this.#categories.values()), Math.min(...this.#categories.values())];
      if (most > OUTWEIGHS * least) yield found('uneven', `the largest category has ${Math.round(most / least)} times the records of the smallest`, most / least);
    }
    for (const [person, n] of this.#contributors) {
      if (this.#contributors.size >= LEAST_CONTRIBUTORS && share(n) > ONE_PERSON) yield found('one-person', `${person} has a part in ${percent(share(n))} of the records: the model will write like them`, share(n));
    }
  }
}
