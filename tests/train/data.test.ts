/** Data of a run as an artefact: sealed on the fly or before, its licence followed into everything the run leaves, and what is refused. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { verifySealed } from '../../src/artefacts/dataset.ts';
import type { DatasetRecord } from '../../src/artefacts/record-schema.ts';
import { sealInto } from '../../src/artefacts/seal.ts';
import type { RunManifest } from '../../src/artefacts/run.ts';
import { importDataset } from '../../src/dataset/import.ts';
import { sealDataset } from '../../src/dataset/seal.ts';
import { InputError, UsageError } from '../../src/errors.ts';
import { passingOn } from '../../src/export/passing-on.ts';
import { openModel } from '../../src/inference/open-model.ts';
import { completeOptions, type TrainOptions } from '../../src/train/options.ts';
import { train } from '../../src/train/trainer.ts';
import { all, records, Scratch, writeBase, writeRecords } from './tiny-base.ts';

const DOLLY = '../shared/data/dolly';

const sealedRecords = (n: number, licence: (i: number) => string): DatasetRecord[] => records(n).map((r, i) => ({ ...r, provenance: { record: { origin: 'human', licence: licence(i) } } }));

function seal(path: string, list: readonly DatasetRecord[], heldOut?: readonly DatasetRecord[]): string {
  mkdirSync(path);
  return sealInto(path, { train: list, ...(heldOut ? { held_out: heldOut } : {}) }, { name: 'animals', rejected: 0, sources: [] }).root;
}

class Workplace extends Scratch {
  async run(data: string, more: Partial<TrainOptions> = {}): Promise<RunManifest> {
    const base = existsSync(this.join('base')) ? this.join('base') : await writeBase(this.join('base'), 'llama');
    await all(train(completeOptions({ base, data, out: this.join('run'), method: 'lora', template: 'dolly', rate: 1e-3, maxSteps: 2, batchTokens: 400, threads: 1, baseLicence: 'Apache-2.0', ...more })));
    return JSON.parse(readFileSync(this.join('run', 'run.json'), 'utf8')) as RunManifest;
  }
}

test('a plain file is sealed into the run\'s folder, with licence and origin as given, else unknown', async () => {
  for (const [given, licence, origin, verdict] of [[{}, 'unknown', 'unknown', 'unknown'], [{ licence: 'CC-BY-SA-3.0', origin: 'human' }, 'CC-BY-SA-3.0', 'human', 'share-alike']] as const) {
    using place = new Workplace();
    const run = await place.run(writeRecords(place.join('animals.jsonl'), 30), { testSize: 4, ...given });
    const { root, licences, records: count, name } = verifySealed(place.join('run', 'dataset'));
    assert.deepEqual(run.data.dataset, { root, here: true });
    assert.deepEqual([count, name, run.verdict, run.data.licence], [30, 'animals', verdict, licence === 'unknown' ? null : licence]);
    assert.deepEqual(new Set(licences.map((use) => `${use.licence} ${use.origin}`)), new Set([`${licence} ${origin}`]));
    const card = readFileSync(place.join('run', 'README.md'), 'utf8');
    assert.ok(card.includes(root) && card.includes(`| Licence verdict | ${verdict}`));
    if (verdict === 'share-alike') assert.match(card, /CC BY-SA 3\.0, 4\(b\)/);
  }
});

test('a sealed dataset is known by its root, and its records say their licence', async () => {
  using place = new Workplace();
  const root = seal(place.join('d'), sealedRecords(30, (i) => (i === 7 ? 'CC-BY-SA-4.0' : 'CC0-1.0')));
  const run = await place.run(place.join('d'), { testSize: 4 });
  assert.deepEqual([run.data.hash, run.data.dataset, run.verdict, run.data.licence], [root, { root, here: false }, 'share-alike', 'CC-BY-SA-4.0 AND CC0-1.0']);
  assert.equal(existsSync(place.join('run', 'dataset')), false);
  assert.ok(run.obligations!.share_alike.some(({ records: n, first }) => n === 1 && /^records\.jsonl:\d+$/.test(first![0]!)));
  const again = completeOptions({ base: place.join('base'), data: place.join('d'), out: place.join('x'), licence: 'MIT' });
  await assert.rejects(all(train(again)), (error: unknown) => error instanceof UsageError && /no --licence and --origin beside a sealed dataset/.test(error.message));
});

describe('tainted data', () => {
  test('is refused with the reason and the count, and nothing is written', async () => {
    using place = new Workplace();
    seal(place.join('d'), sealedRecords(30, (i) => (i === 3 ? 'LicenseRef-ToS-restricted' : 'CC0-1.0')));
    await assert.rejects(place.run(place.join('d')), (error: unknown) => error instanceof InputError && /data, response under LicenseRef-ToS-restricted, which is under terms that forbid to make competing models.*\(1 record, first records\.jsonl:\d+\).*--accept-taint/s.test(error.message));
    assert.equal(existsSync(place.join('run')), false);
    await assert.rejects(place.run(writeRecords(place.join('a.jsonl'), 30), { licence: 'CC-BY-NC-4.0' }), /forbids commercial use/);
    await assert.rejects(place.run(writeRecords(place.join('b.jsonl'), 30), { licence: 'MIT', baseLicence: 'CC-BY-NC-4.0' }), /base under CC-BY-NC-4\.0/);
  });

  test('that came as Stanford Alpaca did is refused for every record', async () => {
    using place = new Workplace();
    writeFileSync(place.join('alpaca.json'), JSON.stringify(records(40).map(({ instruction, context, response }) => ({ instruction, input: context, output: response }))));
    await importDataset({ files: [place.join('alpaca.json')], provenance: { origin: 'machine', licence: 'LicenseRef-ToS-restricted' }, parts: {}, paths: 'best', turns: 'all' }, place.join('imported'));
    await sealDataset({ datasets: [place.join('imported')], out: place.join('d') });
    await assert.rejects(place.run(place.join('d')), (error: unknown) => error instanceof InputError && /data, response under LicenseRef-ToS-restricted, which is under terms that forbid to make competing models.*\(40 records, first records\.jsonl:1\)/s.test(error.message));
    assert.equal(existsSync(place.join('run')), false);
  });

  test('of one record among Dolly\'s is found', { skip: existsSync(DOLLY) ? false : 'needs ../shared/data' }, async () => {
    using place = new Workplace();
    const files = readdirSync(DOLLY).filter((name) => name.endsWith('.jsonl')).map((name) => `${DOLLY}/${name}`);
    writeFileSync(place.join('one.json'), JSON.stringify([{ instruction: 'Name a heron of the northern lakes.', output: 'The purple one.' }]));
    const from = (list: readonly string[], origin: 'human' | 'machine', licence: string, out: string) => importDataset({ files: list, provenance: { origin, licence }, parts: {}, paths: 'best', turns: 'all' }, place.join(out));
    await from(files, 'human', 'CC-BY-SA-3.0', 'dolly');
    await from([place.join('one.json')], 'machine', 'LicenseRef-ToS-restricted', 'one');
    const { records: count } = await sealDataset({ datasets: [place.join('dolly'), place.join('one')], out: place.join('d') });
    assert.equal(count, 11_625);
    await assert.rejects(place.run(place.join('d')), (error: unknown) => {
      const [, line] = /response under LicenseRef-ToS-restricted.*?\(1 record, first records\.jsonl:(\d+)\)/s.exec((error as Error).message) ?? [];
      assert.match(readFileSync(place.join('d', 'records.jsonl'), 'utf8').split('\n')[Number(line) - 1]!, /purple one/);
      return error instanceof InputError;
    });
    assert.equal(existsSync(place.join('run')), false);
  });

  test('that is accepted taints the model for good: run.json, card, a model on top of it, its export', async () => {
    using place = new Workplace();
    const run = await place.run(writeRecords(place.join('a.jsonl'), 30), { method: 'full', licence: 'LicenseRef-ToS-restricted', acceptTaint: 'an experiment | that stays here' });
    assert.deepEqual([run.verdict, run.accepted], ['tainted', { taint: 'an experiment | that stays here' }]);
    assert.match(readFileSync(place.join('run', 'README.md'), 'utf8'), /Accepted against the verdict \| an experiment \? that stays here/);
    const model = await openModel(place.join('run'));
    assert.throws(() => passingOn(model, {}), /expected a model that may be passed on, found a tainted one/);
    assert.deepEqual(passingOn(model, { acceptTaint: 'x' }), { redistributable: true, accepted: 'tainted: x' });
    await assert.rejects(all(train(completeOptions({ base: place.join('run'), data: writeRecords(place.join('b.jsonl'), 30), out: place.join('next'), licence: 'CC0-1.0' }))), /base under LicenseRef-ToS-restricted/);
  });
});

test('a model of unknown licences is exported as one that may not be passed on, unless that is accepted', async () => {
  using place = new Workplace();
  await place.run(writeRecords(place.join('a.jsonl'), 30));
  const model = await openModel(place.join('run'));
  assert.deepEqual([passingOn(model, {}), passingOn(model, { acceptUnknown: true })], [{ redistributable: false, accepted: null }, { redistributable: true, accepted: 'unknown licences' }]);
});

describe('a split dataset', () => {
  test('is trained on as it was split', async () => {
    using place = new Workplace();
    const list = sealedRecords(40, () => 'CC0-1.0').map((r, i) => ({ ...r, instruction: `${i} ${r.instruction}` }));
    seal(place.join('d'), list.slice(0, 34), list.slice(34));
    const run = await place.run(place.join('d'));
    assert.equal(run.data.records, 40);
    assert.ok(run.result!.held_out !== null);
    await assert.rejects(place.run(place.join('d'), { out: place.join('x'), testSize: 3 }), /no --test-size beside a dataset with its own held-out records/);
  });

  test('whose held-out part overlaps the training part is refused, also where it was only dressed up or misspelt', async () => {
    using place = new Workplace();
    const list = sealedRecords(30, () => 'CC0-1.0').map((r, i) => ({ ...r, instruction: `${i} ${r.instruction}` }));
    const dressed = { ...list[5]!, instruction: `  ${list[5]!.instruction.toUpperCase()} [3]`, response: 'Another answer.' };
    seal(place.join('d'), list, [dressed]);
    await assert.rejects(place.run(place.join('d')), (error: unknown) => error instanceof InputError && /held-out records that are not trained on, found 1 that are: question of held-out\.jsonl:1 and records\.jsonl:\d+, 100 % like/.test(error.message));
    const asked = { ...list[5]!, instruction: 'Where do the otters of the northern lakes sleep by day?', response: 'In a holt.' };
    seal(place.join('e'), [...list, asked], [{ ...asked, instruction: asked.instruction.replace('northern', 'nothern'), response: 'Under a bank.' }]);
    await assert.rejects(place.run(place.join('e')), (error: unknown) => error instanceof InputError && /found 1 that are: question of .*, [89]\d % like/.test(error.message));
    assert.equal(existsSync(place.join('run')), false);
  });
});

test('a conversation is refused with what to do about it', async () => {
  using place = new Workplace();
  const file = place.join('a.jsonl');
  writeFileSync(file, records(20).map((r, i) => JSON.stringify({ ...r, ...(i === 4 ? { turns: [{ role: 'user', text: 'Hello' }] } : {}) })).join('\n'));
  await assert.rejects(place.run(file), /record of line 5: expected a record of one question and its answer, found one with 1 earlier turns\. .*--turns first/);
});
