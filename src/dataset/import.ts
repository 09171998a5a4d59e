/**
 * Import: files in any known form become a dataset of records that say where they come from. Licence and origin are what the caller
 * says, never a guess; what a row says of itself goes before. Rows that cannot be used are listed with file, line and reason.
 * A row at a time: memory does not grow with the number of records.
 */
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { canonicalJson } from '../artefacts/canonical.ts';
import { DATASET_SCHEMA, FILES, Tally, type DatasetManifest, type DatasetSource } from '../artefacts/dataset.ts';
import { UNCATEGORISED } from '../artefacts/record.ts';
import { PARTS, type Part } from '../artefacts/provenance.ts';
import { toDatasetRecord, type DatasetRecord, type Provenance } from '../artefacts/record-schema.ts';
import { writeManifest } from '../artefacts/seal.ts';
import { InputError } from '../errors.ts';
import { createFolderAtomic } from '../formats/atomic.ts';
import { sha256File } from '../formats/hash.ts';
import { LineWriter } from '../formats/line-writer.ts';
import type { Row, RowFile } from '../formats/row.ts';
import { readRows, recogniseContainer } from '../formats/rows.ts';
import { parseLicence, writeLicence } from '../licence/expression.ts';
import type { Draft, Form, FormOptions } from './forms/form.ts';
import { FORMS } from './forms/index.ts';
import { mappedForm, own } from './forms/own.ts';

export const REJECTS = 'rejects.jsonl';

export interface ImportOptions extends FormOptions {
  readonly files: readonly string[];
  /** Of every part for which nothing else is said. */
  readonly provenance: Provenance;
  /** Of single parts. */
  readonly parts: Partial<Record<Part, Partial<Provenance>>>;
  readonly language?: string | undefined;
  /** `instruction=question,response=answer` */
  readonly map?: string | undefined;
  /** A form by name instead of the one that is recognised. */
  readonly form?: string | undefined;
}

export interface Reject {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

/** What is shown of a file before anything is written. */
export interface Preview {
  readonly file: string;
  readonly container: string;
  readonly form: string;
  readonly mapping: Form['mapping'];
  readonly records: readonly { readonly line: number; readonly record: DatasetRecord }[];
  readonly rejects: readonly Reject[];
}

export interface ImportResult {
  readonly records: number;
  readonly rejected: number;
  /** The first of them. */
  readonly rejects: readonly Reject[];
  readonly manifest: DatasetManifest;
}

const PREVIEWED = 3;
/** Rows that are looked at to recognise a form. */
const LOOKED_AT = 20;
const SHOWN_REJECTS = 20;

interface OpenedFile {
  readonly file: RowFile;
  readonly form: Form;
}

/** Licences in SPDX's own writing. Throws InputError for what is none. */
function normalised<T extends Partial<Provenance>>(provenance: T): T {
  return provenance.licence === undefined ? provenance : { ...provenance, licence: writeLicence(parseLicence(provenance.licence)) };
}

function settled(options: ImportOptions): ImportOptions {
  return { ...options, provenance: normalised(options.provenance), parts: Object.fromEntries(Object.entries(options.parts).map(([part, given]) => [part, normalised(given)])) };
}

/** Opens a file and recognises its form from its first rows. Throws InputError with the fault of the first row if none can be read. */
async function openFile(path: string, options: ImportOptions): Promise<OpenedFile & { readonly rows: readonly Row[] }> {
  const file = await recogniseContainer(path);
  const rows: Row[] = [];
  for await (const row of readRows(file)) if (rows.push(row) === LOOKED_AT) break;
  const readable = rows.filter((row) => 'value' in row);
  if (readable.length === 0) throw (rows[0] as { fault: InputError }).fault;
  return { file, rows, form: formOf(readable, path, options) };
}

function formOf(rows: readonly (Row & { value: Readonly<Record<string, unknown>> })[], path: string, { map, form: name }: ImportOptions): Form {
  if (map !== undefined) return mappedForm(map);
  const named = name === undefined ? undefined : FORMS.find((form) => form.name === name);
  if (name !== undefined && !named) throw new InputError({ expected: `a form among ${FORMS.map((form) => form.name).join(', ')}`, found: name, where: '--form' });
  // One odd row among the first must not hide what the file is.
  const counted = FORMS.map((form) => ({ form, rows: rows.filter(({ value }) => form.recognises(value)).length }));
  const form = named ?? counted.reduce((best, next) => (next.rows > best.rows ? next : best)).form;
  if (named || counted.some((next) => next.rows > 0)) return form;
  const fields = Object.keys(rows[0]!.value).slice(0, 12).map((field) => JSON.stringify(field.slice(0, 40))).join(', ');
  throw new InputError({ expected: `records in a form that is known (${FORMS.map((f) => f.name).join(', ')})`, found: `rows with ${fields || 'no fields'}`, where: `${path} line ${rows[0]!.line}`, remedy: 'Say which field is what: --map instruction=…,response=….' });
}

/** Records of a row. Throws InputError without a place. */
function recordsOf(value: Readonly<Record<string, unknown>>, form: Form, options: ImportOptions): DatasetRecord[] {
  // Records of our own say all that there is to say.
  if (form === own) return (form.drafts(value, options) as DatasetRecord[]).map(checkLicences);
  return form.drafts(value, options).map((draft) => toDatasetRecord(recordOf(draft, options), ''));
}

/** Throws InputError for a record that names a licence that is none. */
function checkLicences(record: DatasetRecord): DatasetRecord {
  for (const given of Object.values(record.provenance)) if (given) parseLicence(given.licence);
  return record;
}

function recordOf(draft: Draft, { provenance, parts, language }: ImportOptions): unknown {
  const { instruction, context = '', response, category = UNCATEGORISED, turns, rejected, choices, checks } = draft;
  const spoken = draft.language ?? language;
  const record = merged(provenance, draft.provenance?.record);
  // Who wrote the record did not write a part that is said to come from elsewhere.
  const { contributor: _person, consent: _consent, ...elsewhere } = record;
  const named = PARTS.flatMap((part) => {
    const has = { instruction, context, response, turns, rejected }[part];
    if (has === undefined || has === '') return [];
    const of = merged(parts[part] ? merged(elsewhere, parts[part]) : record, draft.provenance?.[part]);
    return canonicalJson(of) === canonicalJson(record) ? [] : [[part, of] as const];
  });
  return {
    instruction, context, response, category, ...(spoken === undefined ? {} : { language: spoken }), ...(turns ? { turns } : {}), ...(rejected === undefined ? {} : { rejected }), ...(choices ? { choices } : {}),
    provenance: { record, ...Object.fromEntries(named) }, ...(checks ? { checks } : {}),
  };
}

function merged(under: Provenance, over: Partial<Provenance> | undefined): Provenance {
  if (!over) return under;
  const source = under.source || over.source ? { source: { ...under.source, ...over.source } } : {};
  return { ...under, ...over, ...source };
}

const reasonOf = ({ parts: { expected, found } }: InputError): string => `expected ${expected}, found ${found}`;

const rejectOf = (file: string, line: number, error: unknown): Reject => {
  if (error instanceof InputError) return { file: basename(file), line, reason: reasonOf(error) };
  throw error;
};

/** Whether files hold records of our own, which say themselves where they come from. Throws InputError. */
export async function areOwn(files: readonly string[]): Promise<boolean> {
  for (const path of files) {
    const file = await recogniseContainer(path);
    for await (const row of readRows(file)) {
      if ('fault' in row) continue;
      if (!own.recognises(row.value)) return false;
      break;
    }
  }
  return true;
}

/** The first records of each file as they would be imported. Writes nothing. Throws InputError. */
export async function previewImport(given: ImportOptions): Promise<Preview[]> {
  const options = settled(given);
  const previews: Preview[] = [];
  for (const path of options.files) {
    const { file, form, rows } = await openFile(path, options);
    const records: { line: number; record: DatasetRecord }[] = [];
    const rejects: Reject[] = [];
    for (const row of rows) {
      if (records.length >= PREVIEWED) break;
      try {
        if ('fault' in row) {
          rejects.push(rejectOf(path, row.line, row.fault));
          continue;
        }
        for (const record of recordsOf(row.value, form, options)) if (records.length < PREVIEWED) records.push({ line: row.line, record });
      } catch (error) {
        rejects.push(rejectOf(path, row.line, error));
      }
    }
    previews.push({ file: basename(path), container: `${file.container}${file.gzip ? ', gzip' : ''}`, form: form.name, mapping: form.mapping, records, rejects });
  }
  return previews;
}

type Imported = AsyncGenerator<{ readonly file: string; readonly line: number; readonly records: readonly DatasetRecord[] } | Reject, void, void>;

/** Every record of the files, and every row that gives none. Throws InputError where a file cannot be read to its end. */
export async function* importRecords(given: ImportOptions): Imported {
  const options = settled(given);
  for (const path of options.files) yield* recordsOfFile(await openFile(path, options), options);
}

async function* recordsOfFile({ file, form }: OpenedFile, options: ImportOptions): Imported {
  for await (const row of readRows(file)) {
    if ('fault' in row) {
      yield rejectOf(file.path, row.line, row.fault);
      continue;
    }
    try {
      yield { file: basename(file.path), line: row.line, records: recordsOf(row.value, form, options) };
    } catch (error) {
      yield rejectOf(file.path, row.line, error);
    }
  }
}

/** Writes a dataset into `out`, which must be empty or new. Throws InputError; then nothing is left. */
export async function importDataset(given: ImportOptions, out: string, progress: (records: number, rejected: number) => void = () => {}): Promise<ImportResult> {
  const options = settled(given);
  const rejects: Reject[] = [];
  let rejected = 0;
  const manifest = await createFolderAtomic(out, async (folder) => {
    const opened: OpenedFile[] = [];
    for (const path of options.files) {
      const { file, form } = await openFile(path, options);
      opened.push({ file, form });
    }
    const sources = await sourcesOf(opened);
    const [records, refused] = [new LineWriter(join(folder, FILES.train)), new LineWriter(join(folder, REJECTS))];
    const tally = new Tally();
    try {
      for (const file of opened) {
        for await (const row of recordsOfFile(file, options)) {
          if ('reason' in row) {
            rejected++;
            if (rejects.length < SHOWN_REJECTS) rejects.push(row);
            refused.write(`${JSON.stringify(row)}\n`);
          } else {
            for (const record of row.records) {
              tally.add(record, `${FILES.train}:${tally.records + 1}`);
              records.write(`${canonicalJson(record)}\n`);
            }
          }
          if ((tally.records + rejected) % 10_000 === 0) progress(tally.records, rejected);
        }
      }
      if (tally.records === 0) throw noRecords(rejects);
      const file = { split: 'train' as const, file: FILES.train, records: tally.records, ...records.commit(), root: null };
      refused.commit();
      return writeManifest(folder, { schema: DATASET_SCHEMA, state: 'imported', name: nameOf(options.files), ...tally.summary(), rejected, root: null, files: [file], sources });
    } catch (error) {
      records.abort();
      refused.abort();
      throw error;
    }
  });
  return { records: manifest.records, rejected, rejects, manifest };
}

function noRecords(rejects: readonly Reject[]): InputError {
  const { file, line, reason } = rejects[0] ?? { file: 'the files', line: 1, reason: 'no rows' };
  return new InputError({ expected: 'at least one record that can be used', found: `none; the first: ${reason}`, where: `${file} line ${line}`, remedy: 'Correct the file, or say with --map which field is what.' });
}

async function sourcesOf(opened: readonly OpenedFile[]): Promise<DatasetSource[]> {
  const sources: DatasetSource[] = [];
  for (const { file: { path }, form } of opened) sources.push({ name: basename(path), form: form.name, bytes: statSync(path).size, sha256: await sha256File(path) });
  return sources;
}

/** Of the files: the first's name without its endings. */
const nameOf = (files: readonly string[]): string => basename(files[0] ?? 'dataset').replace(/(\.(jsonl|json|csv|tsv|parquet|gz))+$/i, '') || 'dataset';
