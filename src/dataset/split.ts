/**
 * Split: some records are held out for evaluation, chosen by hash, so that the same records are chosen on any machine and in any
 * order. Records that are nearly the same stay on one side, since a model that learnt one of them has seen the other; each
 * category gives its share. The result is sealed: what is held out is fixed before training.
 */
import { createHash } from 'node:crypto';
import { openDataset, readDataset } from '../artefacts/dataset.ts';
import type { DatasetRecord } from '../artefacts/record-schema.ts';
import { sealInto } from '../artefacts/seal.ts';
import { InputError } from '../errors.ts';
import { createFolderAtomic } from '../formats/atomic.ts';
import { nearText } from '../text/near-duplicates.ts';
import { mostFrequent } from './most-frequent.ts';
import { recordHash, type Sealed } from './seal.ts';

/** Which records must stay on one side. */
export interface Grouping {
  /** Name and version, for the manifest. */
  readonly name: string;
  /** A number for each record, the same for those of one group. */
  groups(records: readonly DatasetRecord[]): Int32Array;
}

export interface SplitOptions {
  readonly dataset: string;
  readonly out: string;
  /** Share of the records that is held out, above 0 and below 1. */
  readonly share: number;
  readonly seed: number;
  readonly grouping?: Grouping;
}

/** 1 for each record that is held out. */
export function heldOutBySplit(records: readonly DatasetRecord[], share: number, seed: number, grouping: Grouping = nearText): Uint8Array {
  const hashes = records.map(recordHash);
  // In one order, since in very large groups not every pair is compared.
  const order = [...records.keys()].sort((a, b) => (hashes[a]! < hashes[b]! ? -1 : 1));
  const groups = grouping.groups(order.map((i) => records[i]!));
  const members = Map.groupBy(order.keys(), (at) => groups[at]!);
  // A group is known by its least hash: that does not depend on the order of the records.
  const keyOf = (indexes: readonly number[]) => createHash('sha256').update(`${seed} ${indexes.map((i) => hashes[i]!).sort()[0]!}`).digest('hex');
  const categoryOf = (indexes: readonly number[]) => mostFrequent(indexes.map((i) => records[i]!.category))!;
  const strata = Map.groupBy([...members.values()].map((places) => places.map((at) => order[at]!)).map((indexes) => ({ indexes, key: keyOf(indexes) })), ({ indexes }) => categoryOf(indexes));
  const mask = new Uint8Array(records.length);
  for (const stratum of strata.values()) {
    const wanted = Math.round(share * stratum.reduce((sum, { indexes }) => sum + indexes.length, 0));
    let taken = 0;
    for (const { indexes } of stratum.sort((a, b) => (a.key < b.key ? -1 : 1))) {
      // A group that is larger than what is still wanted stays, so that no passage with many questions swallows the split.
      if (taken + indexes.length > wanted) continue;
      for (const i of indexes) mask[i] = 1;
      taken += indexes.length;
    }
  }
  return mask;
}

/** Throws InputError; then nothing is left. */
export async function splitDataset({ dataset, out, share, seed, grouping = nearText }: SplitOptions): Promise<Sealed> {
  const manifest = openDataset(dataset);
  if (manifest.split) throw new InputError({ expected: 'a dataset that is not split yet', found: 'one that is: what is held out stays held out', where: dataset, remedy: 'Split the dataset that it was made from, and use the new one from then on.' });
  const records = manifest.files.flatMap((file) => [...readDataset(dataset, file)].map(({ record }) => record));
  const mask = heldOutBySplit(records, share, seed, grouping);
  const held = mask.reduce((sum, bit) => sum + bit, 0);
  if (held === 0 || held === records.length) {
    throw new InputError({ expected: 'records on both sides', found: `${held} of ${records.length} held out`, where: dataset, remedy: 'Choose another share, or give more records.' });
  }
  const side = (bit: 0 | 1) => records.filter((_, i) => mask[i] === bit);
  const { name, rejected, sources } = manifest;
  return createFolderAtomic(out, async (folder) => sealInto(folder, { train: side(0), held_out: side(1) }, { name, rejected, sources, split: { seed, share, groups: grouping.name, strata: 'category' } },
    () => (manifest.root === null ? {} : { previous: [{ root: manifest.root, withdrawn: 0 }, ...(manifest.previous ?? [])] })));
}
