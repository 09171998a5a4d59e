/**
 * Writes datasets. Sealing puts records into canonical order: by the hash of their canonical bytes. They pass through a file
 * beside, and only hashes and places are in memory, so that millions can be sealed.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { InputFile } from '../formats/input-file.ts';
import { LineWriter } from '../formats/line-writer.ts';
import { writeFileAtomic } from '../formats/atomic.ts';
import { canonicalJson } from './canonical.ts';
import { DATASET_SCHEMA, FILES, MANIFEST, recordLeaf, Tally, type DatasetFile, type DatasetManifest, type SplitName } from './dataset.ts';
import { leafHash, MerkleTree, rootOfParts } from './merkle.ts';
import type { DatasetRecord } from './record-schema.ts';

/** What a manifest says beside what its records say. */
export type About = Pick<DatasetManifest, 'name' | 'rejected' | 'sources' | 'split'>;

const HASH_BYTES = 32;

/** Hashes and places of lines, growing. */
class Places {
  #hashes = Buffer.alloc(HASH_BYTES * 1024);
  #offsets = new Float64Array(1024);
  #lengths = new Uint32Array(1024);
  count = 0;

  add(hash: Buffer, offset: number, length: number): void {
    if (this.count === this.#lengths.length) this.#grow();
    hash.copy(this.#hashes, HASH_BYTES * this.count);
    this.#offsets[this.count] = offset;
    this.#lengths[this.count] = length;
    this.count++;
  }

  #grow(): void {
    const size = 2 * this.#lengths.length;
    const [hashes, offsets, lengths] = [Buffer.alloc(HASH_BYTES * size), new Float64Array(size), new Uint32Array(size)];
    hashes.set(this.#hashes);
    offsets.set(this.#offsets);
    lengths.set(this.#lengths);
    [this.#hashes, this.#offsets, this.#lengths] = [hashes, offsets, lengths];
  }

  hash(i: number): Buffer {
    return this.#hashes.subarray(HASH_BYTES * i, HASH_BYTES * (i + 1));
  }

  place(i: number): { offset: number; length: number } {
    return { offset: this.#offsets[i]!, length: this.#lengths[i]! };
  }

  /** Indexes in the order of their hashes. */
  sorted(): Uint32Array {
    return Uint32Array.from({ length: this.count }, (_, i) => i).sort((a, b) => this.#hashes.compare(this.#hashes, HASH_BYTES * b, HASH_BYTES * (b + 1), HASH_BYTES * a, HASH_BYTES * (a + 1)));
  }
}

/** Writes one file of a sealed dataset. The tally is given each record with its place in the file. */
function sealFile(folder: string, split: SplitName, records: Iterable<DatasetRecord>, tally: Tally): DatasetFile {
  const spoolPath = join(folder, '.spool');
  const places = new Places();
  const spool = new LineWriter(spoolPath);
  try {
    for (const record of records) {
      const bytes = Buffer.from(canonicalJson(record));
      places.add(leafHash(bytes), spool.bytes, bytes.length);
      spool.write(bytes);
    }
    spool.commit();
  } catch (error) {
    spool.abort();
    throw error;
  }
  const input = new InputFile(spoolPath, 'the records on their way');
  const out = new LineWriter(join(folder, FILES[split]));
  try {
    const tree = new MerkleTree();
    let line = 0;
    for (const i of places.sorted()) {
      const { offset, length } = places.place(i);
      const bytes = Buffer.alloc(length + 1, 0x0a);
      input.read(offset, bytes.subarray(0, length));
      tree.add(places.hash(i));
      out.write(bytes);
      tally.add(JSON.parse(bytes.toString()) as DatasetRecord, `${FILES[split]}:${++line}`);
    }
    return { split, file: FILES[split], records: line, ...out.commit(), root: tree.root() };
  } catch (error) {
    out.abort();
    throw error;
  } finally {
    input.close();
    rmSync(spoolPath, { force: true });
  }
}

/**
 * Seals records into `folder`, which is there and empty; the manifest comes last. `version` is asked when all records have passed.
 * Throws ResourceError for a full disk.
 */
export function sealInto(folder: string, records: Readonly<Partial<Record<SplitName, Iterable<DatasetRecord>>>>, about: About, version: (root: string) => Pick<DatasetManifest, 'previous'> = () => ({})): DatasetManifest & { readonly root: string } {
  const tally = new Tally();
  const files = (['train', 'held_out'] as const).flatMap((split) => (records[split] ? [sealFile(folder, split, records[split], tally)] : []));
  const root = rootOfParts(files.map((file) => file.root!));
  // Sources in an order of their own: it must not matter which file came first.
  const sources = [...about.sources].sort((a, b) => (a.sha256 + a.name < b.sha256 + b.name ? -1 : 1));
  return writeManifest(folder, { schema: DATASET_SCHEMA, state: 'sealed', ...tally.summary(), root, files, ...about, sources, ...version(root) });
}

/** The root that records will have when they are sealed. */
export function rootOf(records: Iterable<DatasetRecord>): string {
  const tree = new MerkleTree();
  for (const leaf of Array.from(records, recordLeaf).sort((a, b) => Buffer.compare(a, b))) tree.add(leaf);
  return tree.root();
}

/** Writes the manifest of a dataset whose files are there. */
export function writeManifest<T extends DatasetManifest>(folder: string, manifest: T): T {
  writeFileAtomic(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}
