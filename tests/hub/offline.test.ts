import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cachedSnapshot } from '../../src/hub/index.ts';
import { refuse } from './fake-hub.ts';
import { Bench, bytes, DATA, DATA_FOLDER, MODEL } from './setup.ts';

const COMMIT = 'c'.repeat(40);

test('offline uses the cache alone, with sizes and licence, and asks nobody', async () => {
  await using bench = await Bench.start();
  bench.hub.add('model', 'o/m', { ...MODEL, 'model.safetensors': bytes(1000) });
  const online = await bench.resolve({ kind: 'model', id: 'o/m' });
  await bench.download(online);
  bench.hub.requests.length = 0;
  for (const request of [{ offline: true }, { env: { HF_HUB_OFFLINE: '1' } }, { revision: COMMIT }]) {
    const plan = await bench.resolve({ kind: 'model', id: 'o/m', ...request });
    assert.equal(plan.source, 'cache');
    assert.equal(plan.bytesToFetch, 0);
    assert.equal(plan.commit, COMMIT);
    assert.deepEqual(plan.licence, { id: 'apache-2.0' });
    assert.deepEqual(plan.files, online.files.map((file) => ({ ...file, cached: true })));
    assert.deepEqual((await bench.download(plan)).map(({ type }) => type), ['start', 'done']);
  }
  assert.deepEqual(bench.hub.requests, []);
});

test('offline names what is missing', async () => {
  await using bench = await Bench.start();
  bench.hub.add('model', 'o/m', { ...MODEL, 'model.safetensors': bytes(1000) });
  await assert.rejects(bench.resolve({ kind: 'model', id: 'o/m', revision: 'v1', offline: true }),
    { name: 'InputError', message: /^cache .*: expected model o\/m at revision "v1", found nothing of it\. Run the same command once without --offline/ });
  const plan = await bench.resolve({ kind: 'model', id: 'o/m' });
  await bench.download(plan);
  rmSync(join(plan.folder, 'model.safetensors'));
  rmSync(join(plan.folder, 'tokenizer.json'));
  await assert.rejects(bench.resolve({ kind: 'model', id: 'o/m', offline: true }),
    { message: /expected model o\/m at revision "main", whole, found 2 of its files missing: tokenizer\.json, model\.safetensors\. Run/ });
  // Without the listing only what a model always needs can be missed.
  rmSync(join(bench.cacheDir, 'models--o--m', 'trees'), { recursive: true });
  await assert.rejects(bench.resolve({ kind: 'model', id: 'o/m', offline: true }), { message: /expected weights in model\.safetensors .* found README\.md, config\.json, tokenizer_config\.json\. Run/ });
  assert.deepEqual(cachedSnapshot('model', 'o/m', 'main', bench.options)?.files, ['README.md', 'config.json', 'tokenizer_config.json']);
  assert.equal(cachedSnapshot('model', 'o/m', 'v1', bench.options), undefined);
});

test('offline, a shard that the index names and a damaged index are noticed', async () => {
  await using bench = await Bench.start();
  const shard = 'model-00001-of-00002.safetensors';
  const index = JSON.stringify({ weight_map: { a: shard, b: 'model-00002-of-00002.safetensors' } });
  bench.hub.add('model', 'o/m', { ...MODEL, [shard]: bytes(10), 'model-00002-of-00002.safetensors': bytes(10, 2), 'model.safetensors.index.json': index });
  const plan = await bench.resolve({ kind: 'model', id: 'o/m' });
  await bench.download(plan);
  rmSync(join(bench.cacheDir, 'models--o--m', 'trees'), { recursive: true });
  rmSync(join(plan.folder, 'model-00002-of-00002.safetensors'));
  await assert.rejects(bench.resolve({ kind: 'model', id: 'o/m', offline: true }), /found 1 of its files missing: model-00002-of-00002\.safetensors/);
  rmSync(join(plan.folder, 'model.safetensors.index.json'));
  writeFileSync(join(plan.folder, 'model.safetensors.index.json'), '{"weight_map": 1');
  await assert.rejects(bench.resolve({ kind: 'model', id: 'o/m', offline: true }), /expected an index of shards in JSON with a weight_map/);
});

test('a hub out of reach or in trouble: the cache is used, and said so', async () => {
  await using bench = await Bench.start();
  bench.hub.add('dataset', DATA, { 'data.jsonl': bytes(100) });
  await bench.download(await bench.resolve({ kind: 'dataset', id: DATA }));
  const away = await bench.resolve({ kind: 'dataset', id: DATA, endpoint: 'http://127.0.0.1:1' });
  assert.equal(away.note, 'The hub could not be asked (a refused connection): using main as last fetched.');
  assert.deepEqual(readFileSync(away.entry), bytes(100));
  bench.hub.requests.length = 0;
  let status = 503;
  bench.hub.hubHook = (_request, response) => {
    refuse(response, status, status === 404 ? 'RepoNotFound' : undefined);
    return true;
  };
  assert.match((await bench.resolve({ kind: 'dataset', id: DATA })).note ?? '', /could not be asked \(status 503/);
  assert.equal(bench.hub.requests.length, 1, 'no long waiting when the cache will do');
  status = 404;
  await assert.rejects(bench.resolve({ kind: 'dataset', id: DATA }), /expected a dataset of that name/);
});

test('damaged records of the cache count as absent', async () => {
  await using bench = await Bench.start();
  bench.hub.add('dataset', DATA, { 'README.md': '---\nlanguage: en\nlicense:\n- cc-by-sa-3.0\n---\n', 'data.jsonl': bytes(100) });
  await bench.download(await bench.resolve({ kind: 'dataset', id: DATA }));
  const folder = join(bench.cacheDir, DATA_FOLDER);
  for (const text of ['', '{"format_version":2,"files":{}}', '{"format_version":1,"files":null}', '{"format_version":1,"files":{"a":null}}']) {
    writeFileSync(join(folder, 'trees', `${COMMIT}.json`), text);
    const plan = await bench.resolve({ kind: 'dataset', id: DATA, offline: true });
    assert.equal(plan.files.length, 2, text);
    assert.deepEqual(plan.licence, { id: 'cc-by-sa-3.0' });
  }
  for (const text of ['', '../../../etc', 'main', 'C'.repeat(40)]) {
    writeFileSync(join(folder, 'refs', 'main'), text);
    await assert.rejects(bench.resolve({ kind: 'dataset', id: DATA, offline: true }), /found nothing of it/);
  }
});
