/** What may be exported, what is left out, and the documents that go with a dataset. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readManifest } from '../../src/artefacts/dataset.ts';
import { gatherFacts } from '../../src/dataset/card/facts.ts';
import { documentsOf, writeCard } from '../../src/dataset/card/write.ts';
import { exportDataset } from '../../src/dataset/export.ts';
import { importDataset, type ImportOptions } from '../../src/dataset/import.ts';
import { sealDataset } from '../../src/dataset/seal.ts';
import { splitDataset } from '../../src/dataset/split.ts';
import { InputError } from '../../src/errors.ts';
import { Folder, importing } from './support.ts';

const WIKIPEDIA = { title: 'Otter', url: 'https://en.wikipedia.org/wiki/Otter', revision: '123', date: '2026-11-25' };

async function dataset(folder: Folder, more: Partial<ImportOptions> = {}): Promise<string> {
  const values = Array.from({ length: 40 }, (_, i) => ({ instruction: `Question ${i}?`, context: i % 4 === 0 ? `The otter, ${i}.` : '', response: `Answer ${i}.`, category: i % 4 === 0 ? 'closed_qa' : 'open_qa' }));
  const [file, out, sealed] = [folder.lines('otters.jsonl', values), folder.fresh(), folder.fresh()];
  await importDataset(importing([file], { provenance: { origin: 'human', licence: 'LicenseRef-Organisation', contributor: 'p1' }, parts: { context: { origin: 'human', licence: 'CC-BY-SA-3.0', source: WIKIPEDIA } }, language: 'en', ...more }), out);
  await sealDataset({ datasets: [out], out: sealed });
  return sealed;
}

describe('export', () => {
  test('everything, or without the passages of others', async () => {
    using folder = new Folder();
    const source = await dataset(folder);
    const all = await exportDataset({ dataset: source, to: 'dolly', out: folder.join('all.jsonl') });
    assert.deepEqual([all.records, all.verdict, all.lost], [40, 'share-alike', ['language', 'provenance']]);
    const own = await exportDataset({ dataset: source, to: 'dolly', out: folder.join('own.jsonl'), withoutThirdParty: true });
    assert.deepEqual([own.records, own.left_out.third_party, own.verdict], [30, 10, 'clear']);
    assert.doesNotMatch(readFileSync(folder.join('own.jsonl'), 'utf8'), /otter/);
  });

  test('tainted and unknown only where it is accepted, and nothing is left of a refusal', async () => {
    using folder = new Folder();
    for (const [licence, refused, accept] of [['LicenseRef-ToS-restricted', /tainted ones: .*instruction: output of a hosted model is under terms that forbid to make competing models/s, { acceptTaint: 'a test' }], ['unknown', /licence is known, found .*nobody gave its licence/s, { acceptUnknown: true }]] as const) {
      const source = await dataset(folder, { provenance: { origin: 'machine', licence } });
      const out = folder.join(`${licence}.jsonl`);
      await assert.rejects(exportDataset({ dataset: source, to: 'alpaca', out }), (error: unknown) => error instanceof InputError && refused.test(error.message));
      assert.equal(existsSync(out), false);
      const { records, accepted } = await exportDataset({ dataset: source, to: 'alpaca', out, ...accept });
      assert.equal(records, 40);
      assert.match(accepted!, /a test|unknown/);
    }
  });

  test('a part of a split, and pairs where there are none', async () => {
    using folder = new Folder();
    await splitDataset({ dataset: await dataset(folder), out: folder.join('s'), share: 0.2, seed: 3 });
    const { records } = await exportDataset({ dataset: folder.join('s'), to: 'messages', out: folder.join('h.jsonl'), split: 'held_out' });
    assert.equal(records, readManifest(folder.join('s')).files.find(({ split }) => split === 'held_out')!.records);
    await assert.rejects(exportDataset({ dataset: folder.join('s'), to: 'preference', out: folder.join('p.jsonl') }), /found 40 records without a rejected answer/);
    assert.equal(existsSync(folder.join('p.jsonl')), false);
  });
});

describe('documents', () => {
  const stated = { title: 'Otters <script>', description: 'Questions | about "otters"', creator: 'The Otter Trust', url: 'https://example.org/otters', date: '2026-11-25' };

  test('README: YAML of the hub, figures, verdict, and text that cannot be markup', async () => {
    using folder = new Folder();
    const source = await dataset(folder);
    const { files } = writeCard(source, source, stated);
    assert.deepEqual(files, ['README.md', 'croissant.json', 'dataset.spdx.json', 'ATTRIBUTION.tsv']);
    const card = readFileSync(`${source}/README.md`, 'utf8');
    const yaml = card.split('---\n')[1]!;
    for (const line of ['pretty_name: "Otters <script>"', 'license:', '  - "cc-by-sa-3.0"', '  - "other"', 'language:\n  - "en"', 'size_categories:\n  - "n<1K"', 'annotations_creators:\n  - "crowdsourced"', '        path: "records.jsonl"']) assert.ok(yaml.includes(line), line);
    const body = card.slice(card.indexOf('---\n', 4) + 4);
    assert.doesNotMatch(body, /<script/);
    for (const says of [/Verdict: \*\*share-alike\*\*/, /together under CC-BY-SA-3\.0 or CC-BY-SA-4\.0/, /CC BY-SA 3\.0, 4\(b\)/, /not legal advice/, /\| context \| human \| CC-BY-SA-3\.0 \| 10 \|/]) assert.match(body, says);
    assert.equal(readManifest(source).root, (await sealDataset({ datasets: [source], out: folder.join('again') })).root, 'the dataset is as it was');
  });

  test('ATTRIBUTION.tsv names each source once, and no cell is a formula', async () => {
    using folder = new Folder();
    const source = await dataset(folder, { parts: { context: { origin: 'human', licence: 'CC-BY-SA-3.0', source: { ...WIKIPEDIA, title: '=1+1' } } } });
    const table = documentsOf(gatherFacts(source, stated))['ATTRIBUTION.tsv']!.trimEnd().split('\n').map((line) => line.split('\t'));
    assert.deepEqual(table, [['title', 'author', 'url', 'revision', 'retrieved', 'licence', 'part', 'records'], ["'=1+1", '', WIKIPEDIA.url, '123', '2026-11-25', 'CC-BY-SA-3.0', 'context', '10']]);
  });

  test('Croissant 1.1: what its specification requires, files by hash, fields by column', async () => {
    using folder = new Folder();
    await splitDataset({ dataset: await dataset(folder), out: folder.join('s'), share: 0.2, seed: 3 });
    const json = JSON.parse(documentsOf(gatherFacts(folder.join('s'), stated))['croissant.json']!) as Record<string, never> & { distribution: { '@id': string; sha256: string }[]; recordSet: { field: { source: { fileObject: { '@id': string } } }[] }[] };
    for (const required of ['@context', '@type', 'conformsTo', 'name', 'description', 'license', 'url', 'creator', 'datePublished', 'distribution', 'recordSet', 'rai:dataCollection', 'rai:dataBiases', 'rai:personalSensitiveInformation']) assert.ok(required in json, required);
    assert.deepEqual(json['conformsTo'], ['http://mlcommons.org/croissant/1.1', 'http://mlcommons.org/croissant/RAI/1.0']);
    assert.deepEqual(json['license'], ['https://spdx.org/licenses/CC-BY-SA-3.0.html', 'LicenseRef-Organisation']);
    assert.deepEqual(json.distribution.map(({ '@id': id, sha256 }) => [id, sha256]), readManifest(folder.join('s')).files.map(({ file, sha256 }) => [file, sha256]));
    const ids = new Set(json.distribution.map(({ '@id': id }) => id));
    for (const set of json.recordSet) for (const field of set.field) assert.ok(ids.has(field.source.fileObject['@id']));
  });

  test('SPDX 3: what DatasetPackage requires, and every reference leads somewhere', async () => {
    using folder = new Folder();
    const source = await dataset(folder);
    const { '@graph': graph } = JSON.parse(documentsOf(gatherFacts(source, stated))['dataset.spdx.json']!) as { '@graph': Record<string, unknown>[] };
    const of = (type: string) => graph.filter((element) => element['type'] === type);
    const [set] = of('dataset_DatasetPackage');
    for (const required of ['spdxId', 'creationInfo', 'name', 'dataset_datasetType', 'originatedBy', 'builtTime', 'releaseTime', 'software_downloadLocation', 'software_primaryPurpose']) assert.ok(set![required] !== undefined, required);
    assert.equal(of('simplelicensing_LicenseExpression')[0]!['simplelicensing_licenseExpression'], 'CC-BY-SA-3.0 AND LicenseRef-Organisation');
    const ids = new Set(graph.map((element) => element['spdxId']));
    for (const { from, to } of of('Relationship') as { from: string; to: string[] }[]) for (const id of [from, ...to]) assert.ok(ids.has(id), id);
    for (const id of (of('SpdxDocument')[0]!['element'] as string[])) assert.ok(ids.has(id), id);
    assert.equal(ids.size, graph.length, 'CreationInfo alone has no spdxId, and no two are the same');
  });
});
