/**
 * Checks: what is in a dataset that a person should look at before a model learns it. Findings are yielded as they are found, each with its
 * place, a reason, and a fix or the waiver that lets it pass; the report comes last. Reads only: `writeChecked` makes the dataset that
 * has the findings recorded. Records pass one at a time; what stays is their normalised text, which duplicates need.
 */
import { basename } from 'node:path';
import { isDataset, openDataset, readDataset, type DatasetManifest, type SplitName } from '../artefacts/dataset.ts';
import type { DatasetRecord } from '../artefacts/record-schema.ts';
import { UNKNOWN } from '../artefacts/provenance.ts';
import { InputError } from '../errors.ts';
import { loadLanguages } from '../text/language.ts';
import { Balance, BALANCE_CHECK, type Distribution } from './checks/balance.ts';
import { CHECK_DEFAULTS, type Check, type CheckOptions, type Context, type Found } from './checks/check.ts';
import { CONTENT_CHECKS } from './checks/content.ts';
import { Duplicates, PAIR_CHECKS, type Member } from './checks/duplicates.ts';
import { FORM_CHECKS } from './checks/form.ts';
import { readEvaluationTexts } from './evaluation-texts.ts';
import { excerptOf, type Excerpt } from './excerpt.ts';
import { importRecords } from './import.ts';
import { mostFrequent } from './most-frequent.ts';
import { recordHash } from './seal.ts';
import { Waivers, type Waiver } from './waivers.ts';

const RECORD_CHECKS: readonly Check[] = [...CONTENT_CHECKS, ...FORM_CHECKS];

/** Every check there is, in the order of the report. */
export const CHECKS: readonly Pick<Check, 'name' | 'version' | 'title'>[] = [PAIR_CHECKS[1], ...CONTENT_CHECKS.slice(0, 2), PAIR_CHECKS[0], ...CONTENT_CHECKS.slice(2), ...FORM_CHECKS, BALANCE_CHECK];

export interface Finding extends Found {
  readonly check: string;
  readonly version: string;
  /** None for what is about the dataset as a whole. */
  readonly record?: { readonly file: string; readonly line: number; readonly hash: string };
  /** The record or evaluation text that it is like. */
  readonly other?: Pick<Member, 'file' | 'line'>;
  readonly excerpt?: Excerpt;
  /** Why it was let pass. */
  readonly waived?: string;
}

export interface CheckRequest {
  /** A dataset, or a file of records in any form that import knows. */
  readonly data: string;
  /** Files or datasets that must not be in it. */
  readonly against?: readonly string[] | undefined;
  readonly options?: Partial<CheckOptions> | undefined;
  readonly waivers?: readonly Waiver[] | undefined;
  /** Names of checks; default: all. */
  readonly only?: readonly string[] | undefined;
}

export interface CheckSummary {
  readonly name: string;
  readonly version: string;
  readonly title: string;
  /** Without those that are waived. */
  readonly findings: number;
  readonly blocking: number;
  readonly waived: number;
  /** Records with a finding that is not waived. */
  readonly records: number;
  readonly kinds: Readonly<Record<string, number>>;
}

export interface CheckReport {
  readonly data: string;
  readonly root: string | null;
  readonly records: number;
  readonly rejected: number;
  readonly evaluation_texts: number;
  /** The worst that was found and not waived. */
  readonly verdict: 'ok' | 'warn' | 'block';
  readonly options: CheckOptions;
  readonly checks: readonly CheckSummary[];
  readonly distribution: Distribution;
  readonly unused_waivers: readonly Waiver[];
}

/** Records that are kept back until the language of most of them is known. */
const FIRST = 500;

interface Entry {
  readonly file: string;
  readonly line: number;
  readonly split: SplitName;
  readonly record: DatasetRecord;
}

/** Throws InputError for data that cannot be read, a sealed dataset that is not what its root says, and names of checks that there are not. */
export async function* checkDataset({ data, against = [], options: given = {}, waivers: list = [], only }: CheckRequest): AsyncGenerator<Finding, CheckReport, void> {
  const wanted = chosen(only);
  const evaluation = await readEvaluationTexts(against);
  const source = await openRecords(data);
  const detect = wanted.has('language') ? await loadLanguages() : undefined;
  const waivers = new Waivers(list);
  const tally = new Summary();
  const options = { ...CHECK_DEFAULTS, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
  const [balance, duplicates] = [new Balance(), new Duplicates(options, evaluation)];
  const [checks, pairs] = [RECORD_CHECKS.filter(({ name }) => wanted.has(name)), PAIR_CHECKS.filter(({ name }) => wanted.has(name))];
  const hashes: string[] = [];
  const members: Member[] = [];
  let context: Context | undefined;
  const finish = (found: Found, { name, version }: Pick<Check, 'name' | 'version'>, index?: number, record?: DatasetRecord, other?: Member): Finding => {
    const place = index === undefined ? undefined : { file: members[index]!.file, line: members[index]!.line, hash: hashes[index]! };
    const waived = waivers.of(name, found.kind, place?.hash);
    const finding: Finding = {
      ...found, check: name, version, ...(place ? { record: place } : {}), ...(other ? { other: { file: other.file, line: other.line } } : {}),
      ...(record && found.places[0] ? { excerpt: excerptOf(record, found.places[0], found.secret === true) } : {}), ...(waived === undefined ? {} : { waived }),
    };
    tally.add(finding, index);
    return finding;
  };
  const examine = function* ({ file, line, split, record }: Entry): Generator<Finding> {
    const index = members.push({ file, line, split }) - 1;
    hashes.push(recordHash(record));
    balance.add(record, record.language ?? context!.options.language);
    if (pairs.length > 0) duplicates.add(record, members[index]!);
    for (const check of checks) for (const found of check.run(record, context!)) yield finish(found, check, index, record);
  };
  const begin = (first: readonly Entry[]): void => {
    const language = options.language ?? (detect && mostFrequent(first.flatMap(({ record }) => record.language?.split('-')[0] ?? detect(`${record.instruction} ${record.response}`)?.language ?? [])));
    context = { options: { ...options, language }, language: detect };
  };
  const waiting: Entry[] = [];
  for await (const entry of source.entries()) {
    if (context) {
      yield* examine(entry);
    } else if (waiting.push(entry) === FIRST) {
      begin(waiting);
      for (const held of waiting.splice(0)) yield* examine(held);
    }
  }
  if (!context) {
    begin(waiting);
    for (const held of waiting) yield* examine(held);
  }
  if (pairs.length > 0) {
    for (const { index, other, check: name, ...found } of duplicates.find()) {
      const check = pairs.find((pair) => pair.name === name);
      if (check) yield finish(found, check, index, undefined, other);
    }
  }
  if (wanted.has(BALANCE_CHECK.name)) for (const found of balance.find(options)) yield finish(found, BALANCE_CHECK);
  return {
    data: basename(data), root: source.manifest?.root ?? null, records: members.length, rejected: source.rejected(), evaluation_texts: evaluation.length, ...tally.summary(wanted),
    options: context!.options, distribution: balance.distribution(), unused_waivers: waivers.unused,
  };
}

function chosen(only: readonly string[] | undefined): Set<string> {
  const names = CHECKS.map(({ name }) => name);
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new InputError({ expected: `checks among ${names.join(', ')}`, found: unknown, where: '--only' });
  return new Set(only ?? names);
}

interface Opened {
  readonly manifest?: DatasetManifest;
  entries(): AsyncIterable<Entry> | Iterable<Entry>;
  rejected(): number;
}

/** Records of a dataset, or of a file in a form that import knows; what import would reject is counted. */
async function openRecords(data: string): Promise<Opened> {
  if (isDataset(data)) {
    const manifest = openDataset(data);
    return {
      manifest, rejected: () => 0,
      entries: function* () {
        for (const file of manifest.files) for (const { line, record } of readDataset(data, file)) yield { file: file.file, line, split: file.split, record };
      },
    };
  }
  let rejected = 0;
  return {
    rejected: () => rejected,
    entries: async function* () {
      const unknown = { origin: UNKNOWN, licence: UNKNOWN } as const;
      for await (const row of importRecords({ files: [data], provenance: unknown, parts: {}, paths: 'best', turns: 'all' })) {
        if ('reason' in row) rejected++;
        else for (const record of row.records) yield { file: row.file, line: row.line, split: 'train', record };
      }
    },
  };
}

/** Counts findings while they pass. */
class Summary {
  readonly #checks = new Map<string, { findings: number; blocking: number; waived: number; records: Set<number>; kinds: Map<string, number> }>();

  add({ check, kind, verdict, waived }: Finding, index: number | undefined): void {
    const counts = this.#checks.get(check) ?? { findings: 0, blocking: 0, waived: 0, records: new Set(), kinds: new Map<string, number>() };
    this.#checks.set(check, counts);
    if (waived !== undefined) {
      counts.waived++;
      return;
    }
    counts.findings++;
    if (verdict === 'block') counts.blocking++;
    if (index !== undefined) counts.records.add(index);
    counts.kinds.set(kind, (counts.kinds.get(kind) ?? 0) + 1);
  }

  summary(wanted: ReadonlySet<string>): Pick<CheckReport, 'verdict' | 'checks'> {
    const checks = CHECKS.filter(({ name }) => wanted.has(name)).map(({ name, version, title }): CheckSummary => {
      const { findings = 0, blocking = 0, waived = 0, records, kinds = new Map<string, number>() } = this.#checks.get(name) ?? {};
      return { name, version, title, findings, blocking, waived, records: records?.size ?? 0, kinds: Object.fromEntries([...kinds].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))) };
    });
    return { checks, verdict: checks.some(({ blocking }) => blocking > 0) ? 'block' : checks.some(({ findings }) => findings > 0) ? 'warn' : 'ok' };
  }
}
