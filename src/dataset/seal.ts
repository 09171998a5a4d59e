/**
 * Seal: datasets become one in canonical order under a Merkle root. A sealed one never changes: what is withdrawn is missing from
 * the next version, which names the root of the one before.
 */
import { openDataset, readDataset, recordLeaf, type DatasetManifest } from '../artefacts/dataset.ts';
import { canonicalJson } from '../artefacts/canonical.ts';
import { partsOf, provenanceOf } from '../artefacts/provenance.ts';
import { toDatasetRecord, type DatasetRecord } from '../artefacts/record-schema.ts';
import { sealInto } from '../artefacts/seal.ts';
import { InputError } from '../errors.ts';
import { createFolderAtomic } from '../formats/atomic.ts';

export interface SealOptions {
  /** Folders of datasets, imported or sealed. */
  readonly datasets: readonly string[];
  readonly out: string;
  readonly name?: string | undefined;
  /** Pseudonyms whose records are withdrawn. */
  readonly withoutContributors?: readonly string[] | undefined;
  /** Hashes of records that are withdrawn. */
  readonly withoutRecords?: readonly string[] | undefined;
}

export type Sealed = DatasetManifest & { readonly root: string };

/** What a record is called: its leaf in the tree, hex. */
export const recordHash = (record: DatasetRecord): string => recordLeaf(record).toString('hex');

/** Seals into `out`, which must be empty or new. Throws InputError; then nothing is left. */
export async function sealDataset({ datasets, out, name, withoutContributors = [], withoutRecords = [] }: SealOptions): Promise<Sealed> {
  const manifests = datasets.map(openDataset);
  refuseSplits(datasets, manifests);
  const [people, hashes] = [new Set(withoutContributors), new Set(withoutRecords)];
  const found = new Set<string>();
  let withdrawn = 0;
  const isWithdrawn = (record: DatasetRecord): boolean => {
    const by = partsOf(record).map((part) => provenanceOf(record, part).contributor).find((person) => person !== undefined && people.has(person));
    const hash = hashes.size > 0 ? recordHash(record) : '';
    if (by === undefined && !hashes.has(hash)) return false;
    found.add(by ?? hash);
    withdrawn++;
    return true;
  };
  const records = function* (split: 'train' | 'held_out'): Generator<DatasetRecord> {
    for (const [i, folder] of datasets.entries()) {
      const file = manifests[i]!.files.find((f) => f.split === split);
      if (!file) continue;
      for (const { line, record } of readDataset(folder, file)) {
        const checked = toDatasetRecord(record, `${folder}/${file.file} line ${line}`);
        if (!isWithdrawn(checked)) yield checked;
      }
    }
  };
  const isSplit = manifests.some(({ files }) => files.some(({ split }) => split === 'held_out'));
  return createFolderAtomic(out, async (folder) => {
    // Only one sealed dataset has versions: several make a new one.
    const before = manifests.length === 1 && manifests[0]!.root !== null ? manifests[0]! : undefined;
    const about = {
      name: name ?? manifests[0]!.name, rejected: manifests.reduce((sum, { rejected }) => sum + rejected, 0), sources: manifests.flatMap(({ sources }) => sources), ...(before?.split ? { split: before.split } : {}),
    };
    const version = (root: string): Pick<DatasetManifest, 'previous'> => {
      const older = (before?.previous ?? []).map((old) => ({ ...old, withdrawn: old.withdrawn + withdrawn }));
      const previous = before && before.root !== root ? [{ root: before.root!, withdrawn }, ...older] : older;
      return previous.length > 0 ? { previous } : {};
    };
    const sealed = sealInto(folder, { train: records('train'), ...(isSplit ? { held_out: records('held_out') } : {}) }, about, version);
    const missing = [...people, ...hashes].filter((wanted) => !found.has(wanted));
    if (missing.length > 0) throw new InputError({ expected: 'records to withdraw', found: `none of ${missing.slice(0, 5).join(', ')}`, where: datasets.join(', '), remedy: 'Check the pseudonym or hash: a version without change is not made.' });
    if (sealed.records === 0) throw new InputError({ expected: 'at least one record that is left', found: 'none', where: datasets.join(', '), remedy: 'Withdraw fewer.' });
    return sealed;
  });
}

/** Sealing would put held-out records of one beside equal ones of another: the split must come after. */
function refuseSplits(datasets: readonly string[], manifests: readonly DatasetManifest[]): void {
  const split = manifests.findIndex(({ files }) => files.some((file) => file.split === 'held_out'));
  if (datasets.length > 1 && split >= 0) throw new InputError({ expected: 'datasets that are not split, to seal them together', found: 'a split one', where: datasets[split]!, remedy: 'Seal what it was split from with the others, then split.' });
}

export interface Difference {
  readonly a: string | null;
  readonly b: string | null;
  readonly added: readonly Changed[];
  readonly removed: readonly Changed[];
  /** The same question, context and conversation, of which something else is different. */
  readonly changed: readonly (Changed & { readonly fields: readonly string[] })[];
  readonly same: number;
}

export interface Changed {
  readonly where: string;
  readonly instruction: string;
}

interface Entry {
  readonly record: DatasetRecord;
  readonly where: string;
}

/** What B has that A has not, and the other way round. Throws InputError. */
export function diffDatasets(a: string, b: string): Difference {
  const [manifestA, manifestB] = [openDataset(a), openDataset(b)];
  const [inA, inB] = [entriesOf(a, manifestA), entriesOf(b, manifestB)];
  let same = 0;
  const only = (from: Map<string, Entry[]>, other: Map<string, Entry[]>, counts: boolean): Entry[] => [...from].flatMap(([hash, entries]) => {
    const common = Math.min(entries.length, other.get(hash)?.length ?? 0);
    if (counts) same += common;
    return entries.slice(common);
  });
  const [removed, added] = [only(inA, inB, true), only(inB, inA, false)];
  const waiting = Map.groupBy(removed, ({ record }) => questionOf(record));
  const changed: (Changed & { fields: string[] })[] = [];
  const fresh = added.filter((entry) => {
    const old = waiting.get(questionOf(entry.record))?.shift();
    if (!old) return true;
    changed.push({ ...short(entry), fields: fieldsThatDiffer(old.record, entry.record) });
    return false;
  });
  return { a: manifestA.root, b: manifestB.root, added: fresh.map(short), removed: [...waiting.values()].flat().map(short), changed, same };
}

function entriesOf(folder: string, { files }: DatasetManifest): Map<string, Entry[]> {
  const entries = files.flatMap((file) => [...readDataset(folder, file)].map(({ line, record }) => ({ record, where: `${file.file}:${line}`, hash: `${file.split} ${recordHash(record)}` })));
  return Map.groupBy(entries, ({ hash }) => hash);
}

const questionOf = ({ instruction, context, turns }: DatasetRecord): string => canonicalJson({ instruction, context, turns });

const short = ({ record, where }: Entry): Changed => ({ where, instruction: record.instruction });

function fieldsThatDiffer(a: DatasetRecord, b: DatasetRecord): string[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])] as (keyof DatasetRecord)[];
  const differing = names.filter((name) => canonicalJson(a[name] ?? null) !== canonicalJson(b[name] ?? null)).sort();
  return differing.length > 0 ? differing : ['split'];
}

