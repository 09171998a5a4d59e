/** `roslin dataset` and `roslin licences` as a person uses them, from a file of another program to a model's lineage. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeBase } from '../train/tiny-base.ts';
import { Folder } from '../dataset/support.ts';

const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

function roslin(...args: string[]): { status: number | null; json: Record<string, unknown>; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr, json: args.includes('--json') ? JSON.parse(stdout) as Record<string, unknown> : {} };
}

const rows = Array.from({ length: 30 }, (_, i) => ({ instruction: `Question ${i}?`, input: i % 5 === 0 ? `Passage ${i}.` : '', output: i === 9 ? '' : `Answer ${i}.` }));

test('import, seal, split, diff, inspect, export, card, lineage', async () => {
  using folder = new Folder();
  const [file, imported, sealed, split] = [folder.write('rows.json', JSON.stringify(rows)), folder.join('imported'), folder.join('sealed'), folder.join('split')];
  const { status, json, stderr } = roslin('dataset', 'import', file, '--licence', 'cc-by-sa-4.0', '--origin', 'human', '--part', 'context:CC-BY-SA-3.0', '--out', imported, '--json');
  assert.equal(status, 0, stderr);
  assert.deepEqual([json['records'], json['rejected'], json['verdict']], [29, 1, 'share-alike']);
  assert.match(stderr, /rows\.json: json, form alpaca\n {2}instruction ← instruction\n {2}context ← input/);
  assert.match(stderr, /line 1\n {4}instruction: Question 0\?/);

  const seal = roslin('dataset', 'seal', imported, '--out', sealed, '--json').json;
  assert.match(seal['root'] as string, /^[0-9a-f]{64}$/);
  assert.deepEqual((roslin('dataset', 'split', sealed, '--held-out', '20%', '--out', split, '--json').json['files'] as { records: number }[]).map(({ records }) => records), [23, 6]);
  assert.deepEqual(roslin('dataset', 'diff', imported, sealed, '--json').json['counts'], { added: 0, removed: 0, changed: 0, same: 29 });

  const base = await writeBase(folder.join('base'), 'llama');
  const page = folder.join('page.html');
  const { json: looked } = roslin('dataset', 'inspect', split, '--base', base, '--template', 'dolly', '--search', 'passage', '--html', page, '--json');
  assert.ok((looked['records'] as number) > 0 && (looked['records'] as number) <= 6 && existsSync(page));
  assert.match(roslin('dataset', 'inspect', split, '--base', base, '--search', 'no such text').stdout, /No record of 23 is so\./);

  assert.equal(roslin('dataset', 'export', sealed, '--to', 'parquet', '--out', folder.join('a.parquet'), '--json').json['records'], 29);
  assert.equal(roslin('dataset', 'export', sealed, '--to', 'csv', '--without-third-party', '--out', folder.join('a.csv'), '--json').json['records'], 23);
  assert.deepEqual(roslin('dataset', 'card', sealed, '--creator', 'Me', '--date', '2026-11-25', '--json').json['files'], ['README.md', 'croissant.json', 'dataset.spdx.json', 'ATTRIBUTION.tsv']);

  mkdirSync(folder.join('runs', 'a'), { recursive: true });
  folder.write('runs/a/run.json', JSON.stringify({ schema: 'roslin.run/1', verdict: 'share-alike', data: { dataset: { root: seal['root'], here: false } } }));
  assert.equal((roslin('dataset', 'lineage', sealed, '--runs', folder.join('runs'), '--json').json['models'] as unknown[]).length, 1);
});

describe('what is not said is not guessed', () => {
  test('a licence or origin', () => {
    using folder = new Folder();
    const file = folder.write('rows.json', JSON.stringify(rows));
    for (const [flags, missing] of [[[], '--licence'], [['--licence', 'MIT'], '--origin']] as const) {
      const { status, stderr } = roslin('dataset', 'import', file, '--out', folder.join('out'), ...flags);
      assert.equal(status, 2);
      assert.match(stderr, new RegExp(`expected ${missing}, since it is never guessed, found none\\. If nobody knows, say so: ${missing} unknown`));
    }
    assert.equal(roslin('dataset', 'import', file, '--licence', 'all mine', '--origin', 'human', '--out', folder.join('out')).status, 2);
    assert.equal(existsSync(folder.join('out')), false);
    assert.equal(roslin('dataset', 'import', file, '--licence', 'unknown', '--origin', 'unknown', '--out', folder.join('out'), '--json').json['verdict'], 'unknown');
  });

  test('but for records of our own, which say it themselves', () => {
    using folder = new Folder();
    const file = folder.lines('own.jsonl', [{ instruction: 'i', context: '', response: 'r', category: 'open_qa', provenance: { record: { origin: 'template', licence: 'CC0-1.0' } } }]);
    assert.equal(roslin('dataset', 'import', file, '--out', folder.join('out'), '--json').json['verdict'], 'clear');
    assert.match(readFileSync(folder.join('out', 'records.jsonl'), 'utf8'), /"origin":"template"/);
  });
});

describe('licences', () => {
  test('of base and data together, and a dataset by its records', () => {
    const { json } = roslin('licences', '--base', 'Apache-2.0', '--data', 'CC-BY-SA-3.0', '--json');
    assert.deepEqual([json['verdict'], json['redistribution']], ['share-alike', { allowed: true, under: ['CC-BY-SA-3.0', 'CC-BY-SA-4.0'] }]);
    const { stdout } = roslin('licences', '--base', 'apache-2.0', '--data', 'LicenseRef-ToS-restricted', 'CC-BY-4.0');
    assert.match(stdout, /verdict {2}tainted[\s\S]*may be passed on {2}no[\s\S]*Blocks commercial use[\s\S]*the terms of service that it was made under[\s\S]*not legal advice/);
  });

  test('the table, with what each rests on', () => {
    const { stdout, stderr } = roslin('licences');
    assert.match(stdout, /CC-BY-NC-4\.0 +tainted +forbids commercial use \(CC BY-NC 4\.0, 2\(a\)\(1\)/);
    assert.match(stderr, /not legal advice/);
  });
});
