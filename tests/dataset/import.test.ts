/** Imports of every form: what becomes which part, where it is said to come from, and what is rejected with which line. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readManifest } from '../../src/artefacts/dataset.ts';
import type { DatasetRecord } from '../../src/artefacts/record-schema.ts';
import { importDataset, previewImport, type ImportOptions } from '../../src/dataset/import.ts';
import { InputError, UsageError } from '../../src/errors.ts';
import { Folder, importing, PROVENANCE } from './support.ts';

async function imported(folder: Folder, file: string, more: Partial<ImportOptions> = {}): Promise<{ records: DatasetRecord[]; rejects: { line: number; reason: string }[]; form: string }> {
  const out = folder.fresh();
  const result = await importDataset(importing([file], more), out);
  const lines = (name: string) => readFileSync(`${out}/${name}`, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as never);
  return { records: lines('records.jsonl'), rejects: lines('rejects.jsonl'), form: result.manifest.sources[0]!.form };
}

const record = PROVENANCE;
const plain = (more: object) => ({ context: '', category: 'uncategorised', provenance: { record }, ...more });

describe('forms', () => {
  const cases: [string, string, unknown, object[]][] = [
    ['Dolly', 'dolly', { instruction: 'i', context: 'c', response: 'r', category: 'closed_qa' }, [{ instruction: 'i', context: 'c', response: 'r', category: 'closed_qa' }]],
    ['Dolly with choices', 'dolly', { instruction: 'i', response: 'r', choices: ['r', 's'] }, [{ instruction: 'i', response: 'r', choices: ['r', 's'] }]],
    ['Alpaca', 'alpaca', { instruction: 'i', input: 'c', output: 'r' }, [{ instruction: 'i', context: 'c', response: 'r' }]],
    ['prompt and completion', 'prompt-completion', { prompt: 'i', completion: ' r' }, [{ instruction: 'i', response: ' r' }]],
    ['ShareGPT', 'sharegpt', { id: 'x', conversations: [{ from: 'human', value: 'a' }, { from: 'gpt', value: 'b' }, { from: 'human', value: 'i' }, { from: 'gpt', value: 'r' }] },
      [{ instruction: 'i', response: 'r', turns: [{ role: 'user', text: 'a' }, { role: 'assistant', text: 'b' }] }]],
    ['messages', 'messages', { messages: [{ role: 'system', content: 's' }, { role: 'user', content: 'i' }, { role: 'assistant', content: 'r' }] }, [{ instruction: 'i', response: 'r', turns: [{ role: 'system', text: 's' }] }]],
    ['preference pairs of texts', 'preference', { prompt: 'i', chosen: 'r', rejected: 'x' }, [{ instruction: 'i', response: 'r', rejected: 'x' }]],
    ['preference pairs of messages', 'preference', { chosen: [{ role: 'user', content: 'i' }, { role: 'assistant', content: 'r' }], rejected: [{ role: 'user', content: 'i' }, { role: 'assistant', content: 'x' }] }, [{ instruction: 'i', response: 'r', rejected: 'x' }]],
    ['seed tasks, an instance each', 'seed-task', { id: 'seed_task_0', instruction: 'i', instances: [{ input: '', output: 'r' }, { input: 'c', output: 's' }], is_classification: true },
      [{ instruction: 'i', response: 'r', category: 'classification', provenance: { record: { ...record, source: { id: 'seed_task_0' } } } }, { instruction: 'i', context: 'c', response: 's', category: 'classification', provenance: { record: { ...record, source: { id: 'seed_task_0' } } } }]],
  ];
  for (const [name, form, value, expected] of cases) {
    test(name, async () => {
      using folder = new Folder();
      const jsonl = folder.lines('a.jsonl', [value]);
      const whole = { records: expected.map((fields) => plain(fields)), rejects: [], form };
      assert.deepEqual(await imported(folder, jsonl), whole);
      assert.deepEqual(await imported(folder, folder.write('a.json', JSON.stringify([value], null, 2))), whole, 'as a JSON array');
      assert.deepEqual(await imported(folder, folder.write('a.jsonl.gz', gzipSync(readFileSync(jsonl)))), whole, 'gzipped');
    });
  }

  test('CSV and TSV with the columns of a flat form', async () => {
    using folder = new Folder();
    const expected = [plain({ instruction: 'i, 1', context: 'c', response: 'r' })];
    assert.deepEqual((await imported(folder, folder.write('a.csv', 'instruction,context,response\r\n"i, 1",c,r\r\n'))).records, expected);
    assert.deepEqual((await imported(folder, folder.write('a.tsv', 'instruction\tinput\toutput\ni, 1\tc\tr\n'))).records, expected);
  });

  test('any other by --map, also from inside of a field', async () => {
    using folder = new Folder();
    const file = folder.lines('a.jsonl', [{ q: 'i', a: { text: 'r' }, kind: 'open_qa' }, { q: 'j', a: 'no object' }]);
    await assert.rejects(imported(folder, file), (error: unknown) => error instanceof InputError && /rows with "q", "a", "kind"\. Say which field is what/.test(error.message) && error.parts.where!.endsWith('line 1'));
    const { records, rejects } = await imported(folder, file, { map: 'instruction=q,response=a.text,category=kind' });
    assert.deepEqual(records, [plain({ instruction: 'i', response: 'r', category: 'open_qa' })]);
    assert.deepEqual(rejects, [{ file: 'a.jsonl', line: 2, reason: 'expected a field a.text with text, found nothing' }]);
    for (const map of ['instruction', 'instruction=q', 'instruction=q,response=a,response=b', 'provenance=x,instruction=q,response=a', 'instruction=q=r,response=a']) await assert.rejects(imported(folder, file, { map }), UsageError, map);
  });
});

describe('OpenAssistant trees', () => {
  const message = (role: string, text: string, replies: object[] = [], more: object = {}) => ({ message_id: `id-${text}`, user_id: `user-${text}`, created_date: '2023-02-07T17:29:24+00:00', text, role, lang: 'en', deleted: false, rank: null, synthetic: false, replies, ...more });
  const tree = { message_tree_id: 't', tree_state: 'ready_for_export', prompt: message('prompter', 'q1', [
    message('assistant', 'second', [], { rank: 1 }),
    message('assistant', 'best', [message('prompter', 'q2', [message('assistant', 'a2', [message('prompter', 'unanswered')])])], { rank: 0, synthetic: true }),
    message('assistant', 'gone', [], { rank: 0, deleted: true }),
  ]) };

  test('the best-ranked path, up to its last answer', async () => {
    using folder = new Folder();
    const { records } = await imported(folder, folder.lines('t.jsonl', [tree]));
    assert.equal(records.length, 1);
    const { instruction, response, turns, language, provenance } = records[0]!;
    assert.deepEqual([instruction, response, language], ['q2', 'a2', 'en']);
    assert.deepEqual(turns, [{ role: 'user', text: 'q1' }, { role: 'assistant', text: 'best' }]);
    assert.deepEqual(provenance.response, { ...record, contributor: 'user-a2', source: { id: 'id-a2', date: '2023-02-07' } });
  });

  test('all paths, none through a deleted message; what is marked as synthetic is a machine\'s', async () => {
    using folder = new Folder();
    const { records } = await imported(folder, folder.lines('t.jsonl', [tree]), { paths: 'all' });
    assert.deepEqual(records.map(({ response }) => response).sort(), ['a2', 'second']);
    const { records: first } = await imported(folder, folder.lines('t.jsonl', [tree]), { turns: 'first' });
    assert.deepEqual(first.map(({ instruction, response, turns, provenance }) => [instruction, response, turns, provenance.response?.origin]), [['q1', 'best', undefined, 'machine']]);
  });

  test('without an answer are rejected', async () => {
    using folder = new Folder();
    const { rejects } = await imported(folder, folder.lines('t.jsonl', [tree, { message_tree_id: 'u', prompt: message('prompter', 'q') }]));
    assert.deepEqual(rejects, [{ file: 't.jsonl', line: 2, reason: 'expected a tree with an answer, found none' }]);
  });
});

describe('provenance', () => {
  test('is what the flags say, for parts apart, and what a row says of itself', async () => {
    using folder = new Folder();
    const file = folder.lines('a.jsonl', [{ instruction: 'i', context: 'c', response: 'r' }, { instruction: 'j', response: 's' }]);
    const provenance = { ...PROVENANCE, licence: 'licenseref-organisation', contributor: 'p1', consent: 'v2' } as const;
    const { records } = await imported(folder, file, { provenance, parts: { context: { licence: 'cc-by-sa-3.0', origin: 'unknown' } }, language: 'en' });
    const own = { ...provenance, licence: 'LicenseRef-Organisation' };
    assert.deepEqual(records[0]!.provenance, { record: own, context: { licence: 'CC-BY-SA-3.0', origin: 'unknown' } }, 'who wrote the record did not write the passage');
    assert.deepEqual(records[1]!.provenance, { record: own }, 'a part that is not there has none');
    assert.equal(records[0]!.language, 'en');
  });

  test('a licence that is no expression is refused before anything is written', async () => {
    using folder = new Folder();
    const file = folder.lines('a.jsonl', [{ instruction: 'i', response: 'r' }]);
    await assert.rejects(imported(folder, file, { provenance: { origin: 'human', licence: 'free for all' } }), /expected an SPDX licence expression/);
    assert.deepEqual(readdirSync(folder.path), ['a.jsonl']);
  });
});

test('every row that cannot be used is listed with its line and reason, and nothing else is lost', async () => {
  using folder = new Folder();
  const good = { instruction: 'i', response: 'r' };
  const file = folder.write('a.jsonl', [good, { ...good, response: '' }, { instruction: 'i' }, { ...good, context: 5 }, { ...good, response: ['r'] }].map((value) => JSON.stringify(value)).join('\n') + '\nno json\n{"instruction":"\\ud83d","response":"r"}\n');
  const out = folder.fresh();
  const { records, rejected, manifest } = await importDataset(importing([file]), out);
  assert.deepEqual([records, rejected, manifest.rejected, manifest.records], [1, 6, 6, 1]);
  const listed = readFileSync(`${out}/rejects.jsonl`, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as { line: number; reason: string });
  assert.deepEqual(listed.map(({ line }) => line), [2, 3, 4, 5, 6, 7]);
  const says = [/field response with text, found an empty one/, /field response with text, found nothing/, /text in context, found a number/, /text in response, found an array/, /JSON value/, /half of a surrogate pair/];
  listed.forEach(({ reason }, i) => assert.match(reason, says[i]!));
});

test('nothing is left of an import without a record, or into a folder that is in use', async () => {
  using folder = new Folder();
  const file = folder.lines('a.jsonl', [{ instruction: 'i', response: '' }]);
  await assert.rejects(importDataset(importing([file]), folder.join('out')), (error: unknown) => error instanceof InputError && /at least one record that can be used, found none; the first: expected a field response/.test(error.message));
  const good = folder.lines('b.jsonl', [{ instruction: 'i', response: 'r' }]);
  await importDataset(importing([good]), folder.join('out'));
  await assert.rejects(importDataset(importing([good]), folder.join('out')), /expected a folder that is empty or does not exist yet/);
  assert.deepEqual(readdirSync(folder.path).sort(), ['a.jsonl', 'b.jsonl', 'out']);
});

test('a preview shows form, mapping and three records, and writes nothing', async () => {
  using folder = new Folder();
  const file = folder.lines('a.jsonl', Array.from({ length: 9 }, (_, i) => ({ instruction: `i${i}`, output: i === 1 ? '' : 'r' })));
  const [preview] = await previewImport(importing([file]));
  assert.deepEqual([preview!.form, preview!.container, preview!.records.map(({ line }) => line), preview!.rejects.map(({ line }) => line)], ['alpaca', 'jsonl', [1, 3, 4], [2]]);
  assert.deepEqual(preview!.mapping[2], ['response', 'output']);
  assert.deepEqual(readdirSync(folder.path), ['a.jsonl']);
});

describe('real data', () => {
  const shared = '../shared/data';
  const needs = { skip: existsSync(shared) ? false : 'needs ../shared/data' };

  test('databricks-dolly-15k, 11,624 records', needs, async () => {
    using folder = new Folder();
    const files = [0, 1, 2].map((i) => `${shared}/dolly/databricks-dolly-15k.part${i}.jsonl`);
    const { records, rejected } = await importDataset(importing(files, { provenance: { origin: 'human', licence: 'CC-BY-SA-3.0' } }), folder.join('out'));
    assert.deepEqual([records, rejected, Object.keys(readManifest(folder.join('out')).categories).length], [11624, 0, 8]);
  });

  test('60 OpenAssistant trees and 175 seed tasks, whole', needs, async () => {
    using folder = new Folder();
    const trees = `${shared}/oasst/en-validation.60trees.jsonl`;
    const best = await importDataset(importing([trees]), folder.join('best'));
    const all = await importDataset(importing([trees], { paths: 'all' }), folder.join('all'));
    assert.equal(best.records + best.rejected, 60);
    assert.ok(all.records > best.records && all.rejected === best.rejected);
    const seeds = await importDataset(importing([`${shared}/alpaca/self-instruct-seed_tasks.jsonl`]), folder.join('seeds'));
    assert.deepEqual([seeds.records >= 175, seeds.rejected], [true, 0]);
  });
});
