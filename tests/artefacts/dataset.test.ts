/** The Merkle tree, and sealed datasets: that they are what was sealed, in any order, and that a change shows. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { openData, openDataset, readManifest, verifySealed, type DatasetManifest } from '../../src/artefacts/dataset.ts';
import { leafHash, MerkleTree } from '../../src/artefacts/merkle.ts';
import type { DatasetRecord } from '../../src/artefacts/record-schema.ts';
import { rootOf, sealInto } from '../../src/artefacts/seal.ts';
import { InputError } from '../../src/errors.ts';
import { arbitraryRecord, Folder } from '../dataset/support.ts';

const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();

describe('Merkle root', () => {
  const leaves = (n: number) => Array.from({ length: n }, (_, i) => leafHash(Buffer.from(`record ${i}`))).sort((a, b) => Buffer.compare(a, b));
  const rootOfLeaves = (list: Buffer[]) => {
    const tree = new MerkleTree();
    for (const leaf of list) tree.add(leaf);
    return tree.root();
  };

  test('is RFC 6962: by its own recursive definition', () => {
    const defined = (list: Buffer[]): Buffer => {
      if (list.length === 0) return sha();
      if (list.length === 1) return list[0]!;
      let k = 1;
      while (2 * k < list.length) k *= 2;
      return sha(Buffer.of(1), defined(list.slice(0, k)), defined(list.slice(k)));
    };
    for (let n = 0; n <= 70; n++) assert.equal(rootOfLeaves(leaves(n)), defined(leaves(n)).toString('hex'), String(n));
  });

  test('leaves are hashed apart from nodes, and must come in order', () => {
    assert.deepEqual(leafHash(Buffer.from('abc')), sha(Buffer.of(0), Buffer.from('abc')));
    assert.throws(() => rootOfLeaves(leaves(3).reverse()), /in order/);
  });
});

const about = { name: 'test', rejected: 0, sources: [] };

function seal(folder: Folder, records: readonly DatasetRecord[], heldOut?: readonly DatasetRecord[]): { path: string; manifest: DatasetManifest & { root: string } } {
  const path = folder.fresh();
  mkdirSync(path);
  return { path, manifest: sealInto(path, { train: records, ...(heldOut ? { held_out: heldOut } : {}) }, about) };
}

const bytesOf = (path: string) => Object.fromEntries(readdirSync(path).sort().map((name) => [name, readFileSync(`${path}/${name}`, 'utf8')]));

describe('a sealed dataset', () => {
  test('has the same bytes whatever the order of its records', () => {
    using folder = new Folder();
    fc.assert(fc.property(fc.array(arbitraryRecord, { minLength: 1, maxLength: 12 }), fc.infiniteStream(fc.nat()), (records, numbers) => {
      const shuffled = records.map((record) => ({ record, key: numbers.next().value as number })).sort((a, b) => a.key - b.key).map(({ record }) => record);
      const [a, b] = [seal(folder, records), seal(folder, shuffled)];
      assert.deepEqual(bytesOf(b.path), bytesOf(a.path));
      assert.equal(rootOf(shuffled), a.manifest.root);
      assert.equal(verifySealed(a.path).root, a.manifest.root);
    }), { numRuns: 40 });
  });

  test('keeps equal records as often as they are there, and another record makes another root', () => {
    using folder = new Folder();
    const [a, b] = fc.sample(arbitraryRecord, { numRuns: 2, seed: 4 }) as [DatasetRecord, DatasetRecord];
    assert.equal(seal(folder, [a, a]).manifest.records, 2);
    assert.equal(new Set([[a], [a, a], [a, b], [b]].map((records) => seal(folder, records).manifest.root)).size, 4);
  });

  test('opens as training reads it, its held-out part apart', () => {
    using folder = new Folder();
    const [a, b, c] = fc.sample(arbitraryRecord, { numRuns: 3, seed: 9 }) as [DatasetRecord, DatasetRecord, DatasetRecord];
    const { path, manifest } = seal(folder, [a, b], [c]);
    const data = openData(path);
    assert.equal(data.sealed?.root, manifest.root);
    assert.deepEqual(data.records.map(({ instruction }) => instruction).sort(), [a.instruction, b.instruction].sort());
    assert.deepEqual(data.heldOut?.map(({ response }) => response), [c.response]);
    assert.notEqual(seal(folder, [a, b, c]).manifest.root, manifest.root, 'what is held out is part of what is sealed');
  });

  test('is refused after any change', () => {
    using folder = new Folder();
    const records = fc.sample(arbitraryRecord, { numRuns: 5, seed: 2 });
    const changes: [string, (lines: string[]) => string[], RegExp][] = [
      ['a record is gone', (lines) => lines.slice(1), /records whose root is [0-9a-f]{64}/],
      ['a record is there twice', (lines) => [lines[0]!, ...lines], /records whose root is/],
      ['the order is another', (lines) => lines.toReversed(), /in the order in which they were sealed.*line 2|records\.jsonl line 2/],
      ['a word is another', (lines) => lines.map((line, i) => (i === 2 ? line.replace('"category":"', '"category":"x') : line)), /root is|order in which/],
    ];
    for (const [name, change, says] of changes) {
      const { path } = seal(folder, records);
      const file = `${path}/records.jsonl`;
      writeFileSync(file, change(readFileSync(file, 'utf8').trimEnd().split('\n')).join('\n'));
      for (const open of [openData, openDataset, verifySealed]) assert.throws(() => open(path), (error: unknown) => error instanceof InputError && says.test(error.message), name);
    }
  });

  test('has a manifest that counts, and one that is not ours is refused', () => {
    using folder = new Folder();
    const provenance = { record: { origin: 'human', licence: 'MIT' }, context: { origin: 'unknown', licence: 'unknown' } } as const;
    const record = (context: string, language?: string): DatasetRecord => ({ instruction: `i${context}`, context, response: 'r', category: 'open_qa', provenance, ...(language === undefined ? {} : { language }) });
    const { path, manifest } = seal(folder, [record(''), record('c', 'en'), record('d')]);
    assert.deepEqual(manifest.licences.map(({ part, licence, origin, records }) => [part, licence, origin, records]), [
      ['context', 'unknown', 'unknown', 2], ['instruction', 'MIT', 'human', 3], ['response', 'MIT', 'human', 3],
    ]);
    assert.match(manifest.licences[0]!.first[0]!, /^records\.jsonl:\d$/);
    assert.deepEqual([manifest.languages, manifest.categories], [{ en: 1, unknown: 2 }, { open_qa: 3 }]);
    assert.deepEqual(readManifest(path), manifest);
    for (const spoilt of ['{', '{}', JSON.stringify({ ...manifest, schema: 'roslin.dataset/9' }), JSON.stringify({ ...manifest, files: [{ ...manifest.files[0], file: '../../secret' }] })]) {
      writeFileSync(`${path}/dataset.json`, spoilt);
      assert.throws(() => readManifest(path), InputError, spoilt.slice(0, 40));
    }
  });
});
