/**
 * A dataset as a folder: records as canonical JSON lines, and `dataset.json`, written last, so that its presence means complete.
 * `imported` is as the files came; `sealed` is in canonical order under one Merkle root and never changes again. The manifest
 * says nothing of times and paths: the same records give the same bytes on any machine.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { printable } from '../formats/printable.ts';
import { readJsonl } from '../formats/jsonl.ts';
import { canonicalJson } from './canonical.ts';
import { leafHash, MerkleTree, rootOfParts } from './merkle.ts';
import { readRecordFile, toRecord, type InstructionRecord } from './record.ts';
import { partsOf, provenanceOf, type Origin, type Part } from './provenance.ts';
import type { DatasetRecord } from './record-schema.ts';

export const DATASET_SCHEMA = 'roslin.dataset/1';
export const MANIFEST = 'dataset.json';

export type SplitName = 'train' | 'held_out';
export const FILES: Readonly<Record<SplitName, string>> = { train: 'records.jsonl', held_out: 'held-out.jsonl' };

export interface DatasetFile {
  readonly split: SplitName;
  readonly file: string;
  readonly records: number;
  readonly bytes: number;
  /** SHA-256, hex, of the file. */
  readonly sha256: string;
  /** Merkle root over its records; null before sealing. */
  readonly root: string | null;
}

/** How many records have a part from such an origin under such a licence. */
export interface LicenceUse {
  readonly part: Part;
  readonly licence: string;
  readonly origin: Origin;
  readonly records: number;
  /** Where the first of them are: `records.jsonl:12`. */
  readonly first: readonly string[];
}

export interface DatasetSource {
  readonly name: string;
  readonly form: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface DatasetManifest {
  readonly schema: typeof DATASET_SCHEMA;
  readonly state: 'imported' | 'sealed';
  readonly name: string;
  readonly records: number;
  readonly rejected: number;
  readonly root: string | null;
  readonly files: readonly DatasetFile[];
  readonly licences: readonly LicenceUse[];
  readonly categories: Readonly<Record<string, number>>;
  readonly languages: Readonly<Record<string, number>>;
  readonly sources: readonly DatasetSource[];
  /** How records were held out. */
  readonly split?: { readonly seed: number; readonly share: number; readonly groups: string; readonly strata: string };
  /** Earlier versions, the latest first, and how many of their records were withdrawn since. */
  readonly previous?: readonly { readonly root: string; readonly withdrawn: number }[];
}

const FIRST = 5;

/** Counts what a manifest says of records while they pass. */
export class Tally {
  records = 0;
  readonly #licences = new Map<string, { part: Part; licence: string; origin: Origin; records: number; first: string[] }>();
  readonly #categories = new Map<string, number>();
  readonly #languages = new Map<string, number>();

  add(record: DatasetRecord, where: string): void {
    this.records++;
    for (const part of partsOf(record)) {
      const { licence, origin } = provenanceOf(record, part);
      const key = `${part} ${origin} ${licence}`;
      const use = this.#licences.get(key) ?? { part, licence, origin, records: 0, first: [] };
      use.records++;
      if (use.first.length < FIRST) use.first.push(where);
      this.#licences.set(key, use);
    }
    const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
    count(this.#categories, record.category);
    count(this.#languages, record.language ?? 'unknown');
  }

  summary(): Pick<DatasetManifest, 'records' | 'licences' | 'categories' | 'languages'> {
    const sorted = (counts: Map<string, number>) => Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
    const licences = [...this.#licences].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, use]) => use);
    return { records: this.records, licences, categories: sorted(this.#categories), languages: sorted(this.#languages) };
  }
}

export const isDataset = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true && existsSync(join(path, MANIFEST));

/** @throws InputError where there is none, or one that this version does not know */
export function readManifest(folder: string): DatasetManifest {
  const refuse = (found: string, remedy: string, cause?: unknown): never => {
    throw new InputError({ expected: `a file of records, or a dataset: a folder with ${MANIFEST}`, found, where: folder, remedy }, { cause });
  };
  if (!isDataset(folder)) refuse(existsSync(folder) ? 'none' : 'nothing there', 'Make one with roslin dataset import.');
  let manifest: DatasetManifest;
  try {
    manifest = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as DatasetManifest;
  } catch (cause) {
    return refuse('a manifest that is no JSON', 'Make the dataset again.', cause);
  }
  if ((manifest.schema as string) !== DATASET_SCHEMA) refuse(`one of ${printable(String(JSON.stringify(manifest.schema)), 60)}`, `This version reads ${DATASET_SCHEMA}.`);
  const whole = Array.isArray(manifest.files) && Array.isArray(manifest.licences)
    && (manifest.files as DatasetFile[]).every(({ split, file }) => Object.hasOwn(FILES, split) && file === FILES[split]); // a name from a file never becomes a path
  if (!whole) refuse('a manifest with other fields', 'Make the dataset again.');
  return manifest;
}

/** The manifest of a dataset whose records will be read: a sealed one is held to its root before. Throws InputError. */
export function openDataset(folder: string): DatasetManifest {
  const manifest = readManifest(folder);
  return manifest.state === 'sealed' ? verifySealed(folder) : manifest;
}

/** Bytes of all records. */
export const datasetBytes = (folder: string): number => readManifest(folder).files.reduce((sum, { bytes }) => sum + bytes, 0);

function requireSealed(folder: string): DatasetManifest & { readonly root: string } {
  const manifest = readManifest(folder);
  if (manifest.state === 'sealed' && manifest.root !== null) return { ...manifest, root: manifest.root };
  throw new InputError({ expected: 'a sealed dataset', found: 'one that is not sealed', where: folder, remedy: 'Seal it with roslin dataset seal.' });
}

/** A record's leaf in the tree: the hash of its canonical bytes. */
export const recordLeaf = (record: DatasetRecord): Buffer => leafHash(Buffer.from(canonicalJson(record)));

export interface DatasetLine {
  readonly line: number;
  readonly record: DatasetRecord;
}

/** Records of one file of a dataset in its order. Checked when they were written: a sealed dataset is held to its root by `openDataset`. */
export function* readDataset(folder: string, file: DatasetFile): Generator<DatasetLine, void, void> {
  if (file.records === 0) return;
  for (const { line, value } of readJsonl(join(folder, file.file))) yield { line, record: value as unknown as DatasetRecord };
}

export interface OpenedData {
  readonly records: InstructionRecord[];
  /** The held-out part of a sealed dataset that has one. */
  readonly heldOut?: InstructionRecord[];
  readonly extraFields: Readonly<Record<string, number>>;
  /** Where the data is a sealed dataset. */
  readonly sealed?: DatasetManifest & { readonly root: string };
}

/** Data for training and looking at: a sealed dataset, or a plain file of records. Throws InputError. */
export function openData(path: string): OpenedData {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return readRecordFile(path);
  const sealed = requireSealed(path);
  const parts = sealed.files.map((file) => ({ split: file.split, ...readPart(path, file) }));
  checkRoot(path, sealed.root, rootOfParts(parts.map(({ root }) => root)));
  const heldOut = parts.find(({ split }) => split === 'held_out')?.records;
  return { records: parts.find(({ split }) => split === 'train')?.records ?? [], ...(heldOut ? { heldOut } : {}), extraFields: {}, sealed };
}

/** What no run was trained on: of a split dataset its held-out part, else all. */
export function unseenRecords(path: string): InstructionRecord[] {
  const { records, heldOut } = openData(path);
  return heldOut ?? records;
}

/** One for each part of the records and each licence: what licence rules are applied to. `prefix` goes before the part's name. */
export function licenceParts({ licences }: Pick<DatasetManifest, 'licences'>, prefix = ''): { part: string; licence: string; records: number; first: readonly string[] }[] {
  const groups = Map.groupBy(licences, ({ part, licence }: LicenceUse) => `${part} ${licence}`);
  return [...groups.values()].map((uses) => ({
    part: prefix + uses[0]!.part, licence: uses[0]!.licence, records: uses.reduce((sum, { records }) => sum + records, 0), first: uses.flatMap(({ first }) => first).slice(0, 5),
  }));
}

function readPart(folder: string, file: DatasetFile): { records: InstructionRecord[]; root: string } {
  const tree = new MerkleTree();
  const records: InstructionRecord[] = [];
  for (const { line, record } of ordered(folder, file, tree)) records.push(toRecord(record as unknown as Record<string, unknown>, line, join(folder, file.file)));
  return { records, root: tree.root() };
}

function* ordered(folder: string, file: DatasetFile, tree: MerkleTree): Generator<DatasetLine> {
  for (const entry of readDataset(folder, file)) {
    try {
      tree.add(recordLeaf(entry.record));
    } catch (cause) {
      throw new InputError({ expected: 'records in the order in which they were sealed', found: 'another order', where: `${join(folder, file.file)} line ${entry.line}`, remedy: 'A sealed dataset never changes: get it again, or import and seal what you have as a new one.' }, { cause });
    }
    yield entry;
  }
}

function checkRoot(folder: string, expected: string, found: string): void {
  if (found === expected) return;
  throw new InputError({ expected: `records whose root is ${expected}`, found, where: folder, remedy: 'A sealed dataset never changes: get it again, or import and seal what you have as a new one.' });
}

/** Reads a sealed dataset through and holds it to its root. Throws InputError. */
export function verifySealed(folder: string): DatasetManifest & { readonly root: string } {
  const sealed = requireSealed(folder);
  const roots = sealed.files.map((file) => {
    const tree = new MerkleTree();
    for (const _ of ordered(folder, file, tree));
    return tree.root();
  });
  checkRoot(folder, sealed.root, rootOfParts(roots));
  return sealed;
}
