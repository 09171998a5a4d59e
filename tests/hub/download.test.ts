import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { cachedSnapshot, measureRate } from '../../src/hub/index.ts';
import { gitSha1, sha256 } from './fake-hub.ts';
import { Bench, bytes, DATA, DATA_FOLDER, MODEL } from './setup.ts';

const COMMIT = 'c'.repeat(40);

describe('plan', () => {
  test('tells files, sizes, hashes, licence, commit, and writes nothing', async () => {
    await using bench = await Bench.start();
    const weights = bytes(5000);
    bench.hub.add('model', 'EleutherAI/pythia', { ...MODEL, 'model.safetensors': weights }, { cardData: { license: 'apache-2.0' } });
    const plan = await bench.resolve({ kind: 'model', id: 'EleutherAI/pythia' });
    assert.deepEqual(plan.files.map(({ path }) => path), ['README.md', 'config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors']);
    assert.deepEqual(plan.files.at(-1), { path: 'model.safetensors', size: 5000, hash: { algorithm: 'sha256', hex: sha256(weights) }, cached: false, partialBytes: 0 });
    assert.deepEqual(plan.files[1]?.hash, { algorithm: 'git-sha1', hex: gitSha1(Buffer.from(MODEL['config.json'])) });
    const small = [MODEL['README.md'], MODEL['config.json'], MODEL['tokenizer.json'], MODEL['tokenizer_config.json']].join('').length;
    assert.equal(plan.totalBytes, 5000 + small);
    assert.equal(plan.bytesToFetch, plan.totalBytes);
    assert.deepEqual(plan.licence, { id: 'apache-2.0' });
    assert.equal(plan.commit, COMMIT);
    assert.equal(plan.gated, false);
    assert.equal(plan.format, 'safetensors');
    assert.equal(plan.entry, join(bench.cacheDir, 'models--EleutherAI--pythia', 'snapshots', COMMIT));
    assert.deepEqual(readdirSync(bench.cacheDir), []);
  });

  test('asks file by file where a mirror leaves sizes and hashes out', async () => {
    await using bench = await Bench.start();
    const content = bytes(3000);
    const names = { siblings: [{ rfilename: 'README.md' }, { rfilename: 'data.jsonl' }] };
    bench.hub.add('dataset', DATA, { 'README.md': '# x', 'data.jsonl': content }, names);
    const plan = await bench.resolve({ kind: 'dataset', id: DATA });
    assert.deepEqual(plan.files.map(({ size, hash }) => [size, hash?.hex]), [[3, gitSha1(Buffer.from('# x'))], [3000, sha256(content)]]);
    await bench.download(plan);
    assert.deepEqual(readFileSync(plan.entry), content);
    assert.equal(existsSync(join(bench.cacheDir, DATA_FOLDER, 'trees')), false, 'a partial listing is not kept');
  });

  test('measures a rate without keeping anything', async () => {
    await using bench = await Bench.start();
    bench.hub.add('dataset', DATA, { 'data.jsonl': bytes(300_000) });
    const plan = await bench.resolve({ kind: 'dataset', id: DATA });
    const rate = await measureRate(plan, bench.options);
    assert.ok(rate !== undefined && rate > 1000 && Number.isFinite(rate), String(rate));
    assert.equal(bench.hub.to('content')[0]?.headers.range, 'bytes=0-299999');
    assert.deepEqual(readdirSync(bench.cacheDir), []);
  });
});

describe('download', () => {
  test('lays files out as Hugging Face\'s Python client does', async () => {
    await using bench = await Bench.start();
    const weights = bytes(200_000);
    bench.hub.add('model', 'o/m', { ...MODEL, 'model.safetensors': weights });
    const plan = await bench.resolve({ kind: 'model', id: 'o/m', revision: 'refs/pr/1' });
    const events = await bench.download(plan);
    const folder = join(bench.cacheDir, 'models--o--m');
    assert.deepEqual(readFileSync(join(plan.folder, 'model.safetensors')), weights);
    assert.equal(readlinkSync(join(plan.folder, 'model.safetensors')), `../../blobs/${sha256(weights)}`);
    assert.equal(readlinkSync(join(plan.folder, 'config.json')), `../../blobs/${gitSha1(Buffer.from(MODEL['config.json']))}`);
    assert.equal(readFileSync(join(folder, 'refs', 'refs', 'pr', '1'), 'utf8'), COMMIT);
    assert.deepEqual(readdirSync(folder).sort(), ['blobs', 'refs', 'snapshots', 'trees']);
    assert.deepEqual(bench.blobs('models--o--m').length, 5, 'no partial files stay');
    const tree = JSON.parse(readFileSync(join(folder, 'trees', `${COMMIT}.json`), 'utf8')) as { format_version: number; files: Record<string, unknown> };
    assert.equal(tree.format_version, 1);
    assert.deepEqual(tree.files['model.safetensors'], { size: 200_000, blob_id: gitSha1(weights), lfs_sha256: sha256(weights), lfs_size: 200_000 });
    assert.equal(Object.keys(tree.files).length, 7, 'every file of the commit, also those not fetched');
    assert.match(readFileSync(join(bench.cacheDir, 'CACHEDIR.TAG'), 'utf8'), /^Signature: 8a477f597d28d172789f06886806bc55\n/);
    assert.equal(readdirSync(join(bench.cacheDir, '.locks', 'models--o--m')).length, 0);

    assert.deepEqual(events[0], { type: 'start', files: 5, bytesToFetch: plan.totalBytes, total: plan.totalBytes });
    assert.deepEqual(events.at(-1), { type: 'done', folder: plan.folder, entry: plan.folder });
    const progress = events.filter((event) => event.type === 'progress').map((event) => event.bytes);
    assert.deepEqual(progress, progress.toSorted((a, b) => a - b), 'never backwards');
    assert.equal(progress.at(-1), plan.totalBytes);
  });

  test('fetches nothing twice', async () => {
    await using bench = await Bench.start();
    bench.hub.add('model', 'o/m', { ...MODEL, 'model.safetensors': bytes(1000) });
    await bench.download(await bench.resolve({ kind: 'model', id: 'o/m' }));
    bench.hub.requests.length = 0;
    const again = await bench.resolve({ kind: 'model', id: 'o/m' });
    assert.equal(again.bytesToFetch, 0);
    assert.ok(again.files.every(({ cached }) => cached));
    await bench.download(again);
    assert.deepEqual(bench.hub.requests.map(({ url }) => url), ['/api/models/o/m/revision/main?blobs=true']);
    // A new commit shares the blobs that did not change.
    bench.hub.repos.length = 0;
    bench.hub.add('model', 'o/m', { ...MODEL, 'config.json': '{"model_type":"llama"}', 'model.safetensors': bytes(1000) }, {}, 'd'.repeat(40));
    const next = await bench.resolve({ kind: 'model', id: 'o/m' });
    assert.equal(next.bytesToFetch, '{"model_type":"llama"}'.length);
    await bench.download(next);
    assert.equal(bench.hub.to('content').length, 0);
    assert.deepEqual(readFileSync(join(next.folder, 'model.safetensors')), bytes(1000));
    assert.equal(cachedSnapshot('model', 'o/m', 'main', bench.options)?.commit, 'd'.repeat(40));
  });

  test('uses a cache that another tool has filled, as it is', async () => {
    await using bench = await Bench.start();
    const content = bytes(4000);
    bench.hub.add('dataset', DATA, { 'data.jsonl': content });
    const folder = join(bench.cacheDir, DATA_FOLDER);
    const pointer = join(folder, 'snapshots', COMMIT, 'data.jsonl');
    for (const path of [join(folder, 'blobs'), join(folder, 'refs'), dirname(pointer)]) mkdirSync(path, { recursive: true });
    writeFileSync(join(folder, 'blobs', sha256(content)), content);
    symlinkSync(`../../blobs/${sha256(content)}`, pointer);
    writeFileSync(join(folder, 'refs', 'main'), COMMIT);
    const before = statSync(pointer).mtimeMs;
    const plan = await bench.resolve({ kind: 'dataset', id: DATA });
    assert.equal(plan.bytesToFetch, 0);
    await bench.download(plan);
    assert.equal(bench.hub.to('content').length, 0);
    assert.equal(statSync(pointer).mtimeMs, before);
    assert.deepEqual(cachedSnapshot('dataset', DATA, 'main', bench.options), { folder: dirname(pointer), commit: COMMIT, files: ['data.jsonl'] });
  });

  test('a blob of the wrong length is fetched again', async () => {
    await using bench = await Bench.start();
    const content = bytes(4000);
    bench.hub.add('dataset', DATA, { 'data.jsonl': content });
    const blob = join(bench.cacheDir, DATA_FOLDER, 'blobs', sha256(content));
    mkdirSync(dirname(blob), { recursive: true });
    writeFileSync(blob, content.subarray(0, 100));
    const plan = await bench.resolve({ kind: 'dataset', id: DATA });
    assert.equal(plan.bytesToFetch, 4000);
    await bench.download(plan);
    assert.deepEqual(readFileSync(plan.entry), content);
  });

  test('copies where symlinks are switched off', async () => {
    await using bench = await Bench.start();
    const content = bytes(4000);
    bench.hub.add('dataset', DATA, { 'data.jsonl': content });
    const plan = await bench.resolve({ kind: 'dataset', id: DATA });
    await bench.download(plan, { env: { HF_HUB_DISABLE_SYMLINKS: '1' } });
    assert.equal(lstatSync(plan.entry).isFile(), true);
    assert.deepEqual(readFileSync(plan.entry), content);
    assert.deepEqual(readdirSync(plan.folder), ['data.jsonl']);
    assert.equal((await bench.resolve({ kind: 'dataset', id: DATA })).bytesToFetch, 0);
  });

  test('a gguf or jsonl file is chosen after a colon, in folders too', async () => {
    await using bench = await Bench.start();
    const content = bytes(2000);
    bench.hub.add('model', 'o/m', { 'LICENSE': 'terms', 'q/a b.gguf': content, 'other.gguf': 'x' });
    const plan = await bench.resolve({ kind: 'model', id: 'o/m:q/a b.gguf' });
    assert.equal(plan.format, 'gguf');
    await bench.download(plan);
    assert.deepEqual(readFileSync(join(plan.folder, 'q', 'a b.gguf')), content);
    assert.equal(plan.entry, join(plan.folder, 'q', 'a b.gguf'));
    assert.equal(readlinkSync(plan.entry), `../../../blobs/${sha256(content)}`);
    assert.equal(readFileSync(join(plan.folder, 'LICENSE'), 'utf8'), 'terms');
  });

  test('shards come with their index; an index that names more is refused', async () => {
    await using bench = await Bench.start();
    const shards = { 'model-00001-of-00002.safetensors': bytes(10), 'model-00002-of-00002.safetensors': bytes(10, 2), 'consolidated.safetensors': 'no' };
    const index = (...names: string[]): string => JSON.stringify({ weight_map: Object.fromEntries(names.map((name, at) => [`w${at}`, name])) });
    const whole = index('model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors');
    bench.hub.add('model', 'o/whole', { ...MODEL, ...shards, 'model.safetensors.index.json': whole });
    bench.hub.add('model', 'o/part', { ...MODEL, ...shards, 'model.safetensors.index.json': index('model-00003-of-00002.safetensors', '../../x') });
    const plan = await bench.resolve({ kind: 'model', id: 'o/whole' });
    await bench.download(plan);
    assert.deepEqual(readdirSync(plan.folder).filter((name) => name.includes('safetensors')), ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors', 'model.safetensors.index.json']);
    await assert.rejects(bench.download(await bench.resolve({ kind: 'model', id: 'o/part' })), /none of "model-00003-of-00002.safetensors", "..\/..\/x" in the repository/);
    assert.equal(existsSync(join(bench.cacheDir, 'models--o--part', 'refs')), false);
  });

  test('PyTorch shards come where there are no safetensors, by the same rule, and it is said', async () => {
    await using bench = await Bench.start();
    const { 'pytorch_model.bin': _, ...files } = MODEL;
    const shards = { 'pytorch_model-00001-of-00002.bin': bytes(10), 'pytorch_model-00002-of-00002.bin': bytes(10, 2), 'training_args.bin': 'no' };
    const index = (last: string): string => JSON.stringify({ weight_map: { a: 'pytorch_model-00001-of-00002.bin', b: last } });
    bench.hub.add('model', 'o/whole', { ...files, ...shards, 'pytorch_model.bin.index.json': index('pytorch_model-00002-of-00002.bin') });
    bench.hub.add('model', 'o/part', { ...files, ...shards, 'pytorch_model.bin.index.json': index('pytorch_model-00003-of-00002.bin') });
    const plan = await bench.resolve({ kind: 'model', id: 'o/whole' });
    assert.equal(plan.format, 'pytorch');
    assert.match(plan.note ?? '', /o\/whole has no safetensors/);
    await bench.download(plan);
    assert.deepEqual(readdirSync(plan.folder).filter((name) => name.includes('.bin')), ['pytorch_model-00001-of-00002.bin', 'pytorch_model-00002-of-00002.bin', 'pytorch_model.bin.index.json']);
    const away = await bench.resolve({ kind: 'model', id: 'o/whole', endpoint: 'http://127.0.0.1:1' });
    assert.match(away.note ?? '', /using main as last fetched\. o\/whole has no safetensors/);
    await assert.rejects(bench.download(await bench.resolve({ kind: 'model', id: 'o/part' })), /none of "pytorch_model-00003-of-00002\.bin" in the repository/);
  });

  test('two downloads of one blob at once fetch it once', async () => {
    await using bench = await Bench.start();
    bench.hub.add('dataset', DATA, { 'data.jsonl': bytes(50_000) });
    bench.hub.contentHook = (request, response) => {
      setTimeout(() => bench.hub.serve(request, response), 100);
      return true;
    };
    const plan = await bench.resolve({ kind: 'dataset', id: DATA });
    const [one, two] = await Promise.all([bench.download(plan), bench.download(plan)]);
    assert.equal(bench.hub.contentBytes, 50_000);
    assert.deepEqual([one, two].map((events) => events.filter(({ type }) => type === 'waiting').length).toSorted((a, b) => a - b), [0, 1]);
    assert.deepEqual(readFileSync(plan.entry), bytes(50_000));
  });

  test('the lock of a process that is gone, or silent for long, is taken over', async () => {
    await using bench = await Bench.start();
    const content = bytes(100);
    bench.hub.add('dataset', DATA, { 'data.jsonl': content });
    const lock = join(bench.cacheDir, '.locks', DATA_FOLDER, `${sha256(content)}.roslin.lock`);
    mkdirSync(dirname(lock), { recursive: true });
    // No process has a number this high.
    writeFileSync(lock, JSON.stringify({ host: (await import('node:os')).hostname(), pid: 2 ** 30, key: 'x' }));
    await bench.download(await bench.resolve({ kind: 'dataset', id: DATA }));
    assert.equal(existsSync(lock), false);

    bench.hub.add('dataset', 'o/two', { 'data.jsonl': bytes(100, 2) });
    const other = join(bench.cacheDir, '.locks', 'datasets--o--two', `${sha256(bytes(100, 2))}.roslin.lock`);
    mkdirSync(dirname(other), { recursive: true });
    writeFileSync(other, JSON.stringify({ host: 'elsewhere', pid: 1, key: 'x' }));
    const old = new Date(Date.now() - 120_000);
    utimesSync(other, old, old);
    await bench.download(await bench.resolve({ kind: 'dataset', id: 'o/two' }));
    assert.equal(existsSync(other), false);
  });

  test('a revision\'s name moves only when the new commit is whole', async () => {
    await using bench = await Bench.start();
    bench.hub.add('dataset', DATA, { 'data.jsonl': bytes(100) });
    await bench.download(await bench.resolve({ kind: 'dataset', id: DATA }));
    bench.hub.repos.length = 0;
    bench.hub.add('dataset', DATA, { 'data.jsonl': bytes(200, 2) }, {}, 'd'.repeat(40));
    bench.hub.contentHook = (request) => {
      request.socket.destroy();
      return true;
    };
    await assert.rejects(bench.download(await bench.resolve({ kind: 'dataset', id: DATA })), /broken connection/);
    const offline = await bench.resolve({ kind: 'dataset', id: DATA, offline: true });
    assert.equal(offline.commit, COMMIT);
    assert.deepEqual(readFileSync(offline.entry), bytes(100));
  });

  test('stops at a signal and goes on later', async () => {
    await using bench = await Bench.start();
    const content = bytes(100_000);
    bench.hub.add('dataset', DATA, { 'data.jsonl': content });
    bench.hub.contentHook = (_request, response, count) => {
      if (count > 0) return false;
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 40_000));
      const partial = join(bench.cacheDir, DATA_FOLDER, 'blobs', `${sha256(content)}.incomplete`);
      const timer = setInterval(() => {
        if (statSync(partial).size < 40_000) return;
        clearInterval(timer);
        stop.abort();
      }, 5);
      return true;
    };
    const stop = new AbortController();
    const plan = await bench.resolve({ kind: 'dataset', id: DATA });
    await assert.rejects(bench.download(plan, { signal: stop.signal }), { name: 'AbortError' });
    const again = await bench.resolve({ kind: 'dataset', id: DATA });
    assert.equal(again.bytesToFetch, 60_000);
    assert.equal(again.files[0]?.partialBytes, 40_000);
    await bench.download(again);
    assert.deepEqual(readFileSync(plan.entry), content);
    assert.equal(bench.hub.contentBytes, 60_000);
  });

  test('a disk without room is found out before anything is fetched', async () => {
    await using bench = await Bench.start();
    const huge = { siblings: [{ rfilename: 'data.jsonl', size: 2 ** 52, blobId: 'a'.repeat(40), lfs: { sha256: 'b'.repeat(64), size: 2 ** 52 } }] };
    bench.hub.add('dataset', DATA, {}, huge);
    const plan = await bench.resolve({ kind: 'dataset', id: DATA });
    await assert.rejects(bench.download(plan), { name: 'ResourceError', message: /expected 4503\d+ MB free for dataset roslin\/data, found \d+ MB\. Free some/ });
    assert.deepEqual(readdirSync(bench.cacheDir), []);
  });
});
