/** Sealing, versions, differences, lineage and splits of datasets. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { openData } from '../../src/artefacts/dataset.ts';
import type { DatasetRecord } from '../../src/artefacts/record-schema.ts';
import { importDataset, type ImportOptions } from '../../src/dataset/import.ts';
import { lineageOf } from '../../src/dataset/lineage.ts';
import { diffDatasets, recordHash, sealDataset } from '../../src/dataset/seal.ts';
import { heldOutBySplit, splitDataset } from '../../src/dataset/split.ts';
import { InputError } from '../../src/errors.ts';
import { nearText } from '../../src/text/near-duplicates.ts';
import { arbitraryRecord, Folder, importing, PROVENANCE } from './support.ts';

const row = (i: number, more: object = {}) => ({ instruction: `Question ${i}?`, context: '', response: `Answer ${i}.`, category: i % 3 === 0 ? 'closed_qa' : 'open_qa', ...more });
const rows = (n: number) => Array.from({ length: n }, (_, i) => row(i));

async function imported(folder: Folder, values: readonly object[], more: Partial<ImportOptions> = {}): Promise<string> {
  const [file, out] = [folder.lines(`${folder.fresh().split('/').at(-1)}.jsonl`, values), folder.fresh()];
  await importDataset(importing([file], more), out);
  return out;
}

const tree = (path: string) => Object.fromEntries(readdirSync(path).sort().map((name) => [name, readFileSync(join(path, name), 'utf8')]));

describe('seal', () => {
  test('is stable under reordering of input files, and of records over files', async () => {
    using folder = new Folder();
    await fc.assert(fc.asyncProperty(fc.array(arbitraryRecord, { minLength: 2, maxLength: 10 }), fc.nat(10), async (records, cut) => {
      const roots: string[] = [];
      for (const order of [records, records.toReversed()]) {
        const at = Math.max(1, Math.min(cut, order.length - 1));
        const files = [order.slice(0, at), order.slice(at)].map((part, i) => folder.lines(`part${i}.jsonl`, part));
        for (const list of [files, files.toReversed()]) {
          const [one, sealed] = [folder.fresh(), folder.fresh()];
          await importDataset(importing(list), one);
          roots.push((await sealDataset({ datasets: [one], out: sealed })).root);
        }
      }
      assert.equal(new Set(roots).size, 1);
    }), { numRuns: 15 });
  });

  test('of several datasets is that of all their records, in any order, with the same bytes', async () => {
    using folder = new Folder();
    const [a, b] = [await imported(folder, rows(5)), await imported(folder, rows(9).slice(5))];
    const both = await sealDataset({ datasets: [a, b], out: folder.join('ab'), name: 'x' });
    const reversed = await sealDataset({ datasets: [b, a], out: folder.join('ba'), name: 'x' });
    assert.deepEqual(tree(folder.join('ba')), tree(folder.join('ab')));
    assert.equal(both.root, reversed.root);
    assert.equal(both.records, 9);
  });

  test('a withdrawn contributor or record is missing from the next version, which names the one before', async () => {
    using folder = new Folder();
    const by = (who: string) => ({ provenance: { ...PROVENANCE, contributor: who } });
    const first = await sealDataset({ datasets: [await imported(folder, rows(4), by('p1')), await imported(folder, [row(7)], by('p2'))], out: folder.join('v1') });
    const second = await sealDataset({ datasets: [folder.join('v1')], out: folder.join('v2'), withoutContributors: ['p2'] });
    assert.deepEqual([second.records, second.previous], [4, [{ root: first.root, withdrawn: 1 }]]);
    const hash = recordHash(JSON.parse(readFileSync(folder.join('v2', 'records.jsonl'), 'utf8').split('\n')[0]!) as DatasetRecord);
    const third = await sealDataset({ datasets: [folder.join('v2')], out: folder.join('v3'), withoutRecords: [hash] });
    assert.deepEqual(third.previous, [{ root: second.root, withdrawn: 1 }, { root: first.root, withdrawn: 2 }]);
    await assert.rejects(sealDataset({ datasets: [folder.join('v1')], out: folder.join('v4'), withoutContributors: ['p3'] }), /expected records to withdraw, found none of p3/);
    assert.equal(readdirSync(folder.path).includes('v4'), false);
  });
});

test('diff: what was added, removed, changed and is the same', async () => {
  using folder = new Folder();
  const [a, b] = [await imported(folder, rows(5)), await imported(folder, [...rows(5).slice(1, 4), row(4, { response: 'Another.' }), row(9)])];
  const { added, removed, changed, same } = diffDatasets(a, b);
  assert.deepEqual([added.map(({ instruction }) => instruction), removed.map(({ instruction }) => instruction), changed.map(({ instruction, fields }) => [instruction, fields]), same],
    [['Question 9?'], ['Question 0?'], [['Question 4?', ['response']]], 3]);
  assert.deepEqual(diffDatasets(a, a), { a: null, b: null, added: [], removed: [], changed: [], same: 5 });
});

test('lineage: models of this version and of earlier ones, with what was withdrawn since', async () => {
  using folder = new Folder();
  const first = await sealDataset({ datasets: [await imported(folder, rows(4))], out: folder.join('v1') });
  const hash = recordHash(JSON.parse(readFileSync(folder.join('v1', 'records.jsonl'), 'utf8').split('\n')[0]!) as DatasetRecord);
  const second = await sealDataset({ datasets: [folder.join('v1')], out: folder.join('v2'), withoutRecords: [hash] });
  const run = (name: string, root: string | undefined, at = 'run.json') => {
    mkdirSync(folder.join('runs', name, at, '..'), { recursive: true });
    folder.write(join('runs', name, at), JSON.stringify({ schema: 'roslin.run/1', verdict: 'clear', data: root === undefined ? {} : { dataset: { root, here: false } } }));
  };
  run('old', first.root);
  run('deeper/new', second.root);
  run('other', 'f'.repeat(64));
  run('plain', undefined);
  run('going', second.root, '.training/run.json');
  mkdirSync(folder.join('runs', 'broken'));
  folder.write('runs/broken/run.json', '{');
  const { models } = lineageOf(folder.join('v2'), [folder.join('runs'), folder.join('nowhere')]);
  assert.deepEqual(models.map(({ run: path, withdrawn }) => [path.slice(folder.join('runs').length + 1), withdrawn] as const).sort(([a], [b]) => (a < b ? -1 : 1)), [['deeper/new', 0], ['going', 0], ['old', 1]]);
});

describe('split', () => {
  const records = (values: readonly object[]) => values.map((value) => ({ ...(value as DatasetRecord), provenance: { record: PROVENANCE } }));
  const held = (list: readonly DatasetRecord[], share = 0.2, seed = 1) => {
    const mask = heldOutBySplit(list, share, seed);
    return new Set(list.filter((_, i) => mask[i] === 1).map(recordHash));
  };

  test('is the same in any order, another with another seed, and takes its share of each category', () => {
    const list = records(rows(300));
    const chosen = held(list);
    assert.deepEqual(held(list.toReversed()), chosen);
    assert.notDeepEqual(held(list, 0.2, 2), chosen);
    const mask = heldOutBySplit(list, 0.2, 1);
    const counts = ['closed_qa', 'open_qa'].map((category) => list.filter((record, i) => mask[i] === 1 && record.category === category).length);
    assert.deepEqual(counts, [20, 40]);
  });

  test('keeps what is nearly the same on one side', () => {
    const passage = 'The otter lives by the water.';
    const list = records([...rows(200), ...Array.from({ length: 20 }, (_, i) => row(1000 + i, { context: i % 2 === 0 ? passage : ` ${passage.toUpperCase()}[12]` })), row(5, { instruction: 'QUESTION  5?', response: 'Other words.' }), row(6, { instruction: 'Where does the otter of the northern lakes sleep by day?' }), row(7, { instruction: 'Where does teh otter of the northern lakes slep by day?' })]);
    const groups = nearText.groups(list);
    assert.equal(new Set(groups.slice(200, 220)).size, 1);
    assert.equal(groups[220], groups[5]);
    assert.equal(groups[222], groups[221], 'misspelt');
    assert.notEqual(groups[6], groups[5], 'another number');
    for (let seed = 0; seed < 20; seed++) {
      const mask = heldOutBySplit(list, 0.3, seed);
      for (let i = 0; i < list.length; i++) for (let j = 0; j < i; j++) if (groups[i] === groups[j]) assert.equal(mask[i], mask[j]);
    }
  });

  test('is sealed, frozen, and read by training', async () => {
    using folder = new Folder();
    const source = await imported(folder, rows(60));
    const { root, files, split } = await splitDataset({ dataset: source, out: folder.join('s'), share: 0.1, seed: 42 });
    assert.deepEqual(files.map(({ split: name, records: n }) => [name, n]), [['train', 54], ['held_out', 6]]);
    assert.deepEqual(split, { seed: 42, share: 0.1, groups: 'near-text/1', strata: 'category' });
    const data = openData(folder.join('s'));
    assert.deepEqual([data.records.length, data.heldOut?.length, data.sealed?.root], [54, 6, root]);
    await assert.rejects(splitDataset({ dataset: folder.join('s'), out: folder.join('t'), share: 0.1, seed: 1 }), /what is held out stays held out/);
    await assert.rejects(sealDataset({ datasets: [folder.join('s'), source], out: folder.join('t') }), /not split/);
    const next = await sealDataset({ datasets: [folder.join('s')], out: folder.join('u'), withoutRecords: [recordHash(JSON.parse(readFileSync(folder.join('s', 'held-out.jsonl'), 'utf8').split('\n')[0]!) as DatasetRecord)] });
    assert.deepEqual([next.files.map(({ records: n }) => n), next.split], [[54, 5], split], 'a version keeps its split');
    await assert.rejects(splitDataset({ dataset: await imported(folder, [row(1)]), out: folder.join('v'), share: 0.1, seed: 1 }), InputError);
  });
});
