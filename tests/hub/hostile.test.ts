import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type http from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { HubEvent, HubPlan } from '../../src/hub/index.ts';
import { refuse, sha256, type Hook } from './fake-hub.ts';
import { Bench, bytes, DATA, DATA_FOLDER } from './setup.ts';

const SIZE = 100_000;
const CONTENT = bytes(SIZE);
/** Long enough for a busy machine to answer in, short enough to wait for five times. */
const STALL_MS = 400;

interface Outcome {
  readonly bench: Bench;
  readonly plan: HubPlan;
  readonly events: HubEvent[];
  readonly ranges: (string | undefined)[];
}

/** One dataset file through a content server that behaves as `hook` says; `partial`: what an earlier run left. */
async function run(hook: Hook, check: (outcome: Outcome) => void, partial?: Buffer): Promise<void> {
  await using bench = await Bench.start();
  const { plan, start } = await prepared(bench, hook, partial);
  const events = await start();
  assert.deepEqual(readFileSync(plan.entry), CONTENT);
  assert.deepEqual(bench.blobs(DATA_FOLDER), [sha256(CONTENT)]);
  check({ bench, plan, events, ranges: bench.hub.to('content').map(({ headers }) => headers.range) });
}

/** The download must fail so and leave only `left`; `tries`: how often the file is asked for. */
async function fails(hook: Hook, expected: { name: string; message: RegExp }, left: readonly string[], tries?: number): Promise<void> {
  await using bench = await Bench.start();
  const { plan, start } = await prepared(bench, hook);
  await assert.rejects(start(), expected);
  assert.equal(existsSync(plan.entry), false);
  assert.deepEqual(bench.blobs(DATA_FOLDER), left);
  assert.deepEqual(readdirSync(join(bench.cacheDir, '.locks', DATA_FOLDER)), []);
  if (tries !== undefined) assert.equal(bench.hub.to('content').length, tries);
}

async function prepared(bench: Bench, hook: Hook, partial?: Buffer): Promise<{ plan: HubPlan; start: () => Promise<HubEvent[]> }> {
  bench.hub.add('dataset', DATA, { 'data.jsonl': CONTENT });
  bench.hub.contentHook = hook;
  if (partial) {
    mkdirSync(join(bench.cacheDir, DATA_FOLDER, 'blobs'), { recursive: true });
    writeFileSync(join(bench.cacheDir, DATA_FOLDER, 'blobs', `${sha256(CONTENT)}.incomplete`), partial);
  }
  const plan = await bench.resolve({ kind: 'dataset', id: DATA });
  return { plan, start: () => bench.download(plan, { stallMs: STALL_MS }) };
}

/** Sends part of an honest answer, then does `then`. */
function cutAfter(count: number, then: (response: http.ServerResponse) => void): Hook {
  return (_request, response, at) => {
    if (at > 0) return false;
    response.writeHead(200, { 'content-length': SIZE, etag: `"content-${SIZE}"` });
    response.write(CONTENT.subarray(0, count), () => setTimeout(() => then(response), 20));
    return true;
  };
}

const PARTIAL = `${sha256(CONTENT)}.incomplete`;
const types = (events: readonly HubEvent[]): string[] => events.map(({ type }) => type).filter((type) => type !== 'progress');

describe('a bad line', () => {
  test('a cut connection goes on where it stopped, with If-Range', () => run(cutAfter(30_000, (response) => response.destroy()), ({ bench, events, ranges }) => {
    assert.deepEqual(ranges, [undefined, 'bytes=30000-']);
    assert.equal(bench.hub.to('content')[1]?.headers['if-range'], `"content-${SIZE}"`);
    assert.equal(bench.hub.contentBytes, 70_000);
    assert.deepEqual(types(events), ['start', 'retry', 'file', 'done']);
  }));

  test('a stall ends after the time allowed and goes on', () => run(cutAfter(30_000, () => undefined), ({ events, ranges }) => {
    assert.deepEqual(ranges, [undefined, 'bytes=30000-']);
    assert.match(events.find((event) => event.type === 'retry')?.reason ?? '', /^STALLED \(127\.0\.0\.1:\d+\)$/);
  }));

  test('a body that ends early without a length goes on', () => run((_request, response, at) => {
    if (at > 0) return false;
    response.writeHead(200);
    response.end(CONTENT.subarray(0, 1234));
    return true;
  }, ({ ranges }) => assert.deepEqual(ranges, [undefined, 'bytes=1234-'])));

  test('a server that never answers is given up after the tries allowed', () => fails(() => true,
    { name: 'ResourceError', message: /found silence for too long\. Run the same command again.*HF_HUB_DOWNLOAD_TIMEOUT/ }, [PARTIAL], 4));

  test('a server that breaks off at once every time is given up', () => fails((request) => {
    request.socket.destroy();
    return true;
  }, { name: 'ResourceError', message: /found a broken connection \(ECONNRESET\)/ }, [PARTIAL], 4));

  test('status 500 and 429 pass, and the wait asked for is kept to', () => run((_request, response, at) => {
    if (at > 1) return false;
    response.writeHead(at === 0 ? 500 : 429, { 'retry-after': '1', 'content-length': 0 });
    response.end();
    return true;
  }, ({ events }) => {
    const retries = events.filter((event) => event.type === 'retry');
    assert.deepEqual(retries.map(({ reason }) => reason), ['status 500', 'status 429']);
    // One second asked, bounded by the test's policy of 50 ms.
    assert.deepEqual(retries.map(({ waitMs }) => waitMs), [50, 50]);
  }));

  test('status 429 for ever is explained', () => fails((_request, response) => {
    refuse(response, 429);
    return true;
  }, { name: 'ResourceError', message: /too many requests for the hub \(429\)\. Wait a few minutes.*what was fetched is kept.*HF_TOKEN raises the limit/ }, [PARTIAL]));

  test('a signed address that has run out is asked for again', () => run((_request, response, at) => {
    if (at > 0) return false;
    refuse(response, 403);
    return true;
  }, ({ bench }) => assert.equal(bench.hub.to('hub').filter(({ url }) => url.includes('/resolve/')).length, 2)));
});

describe('a partial file of an earlier run', () => {
  test('is gone on from', () => run(() => false, ({ bench, plan, ranges }) => {
    assert.equal(plan.bytesToFetch, SIZE - 777);
    assert.deepEqual(ranges, ['bytes=777-']);
    assert.equal(bench.hub.contentBytes, SIZE - 777);
  }, CONTENT.subarray(0, 777)));

  test('already whole needs no request', () => run(() => false, ({ ranges }) => assert.deepEqual(ranges, []), CONTENT));

  test('with other bytes is noticed by the hash and fetched from the start, once', () => run(() => false, ({ events, ranges }) => {
    assert.deepEqual(ranges, ['bytes=500-', undefined]);
    assert.deepEqual(types(events), ['start', 'restart', 'file', 'done']);
  }, Buffer.alloc(500)));

  test('longer than the file is dropped', () => run(() => false, ({ ranges }) => assert.deepEqual(ranges, [undefined]), Buffer.alloc(SIZE + 1)));

  test('starts over where the server ignores ranges', () => run((request) => {
    delete request.headers.range;
    return false;
  }, ({ events, bench }) => {
    assert.deepEqual(types(events), ['start', 'restart', 'file', 'done']);
    assert.equal(bench.hub.contentBytes, SIZE);
  }, CONTENT.subarray(0, 500)));

  test('starts over where the server says that there is no such range', () => run((_request, response, at) => {
    if (at > 0) return false;
    refuse(response, 416);
    return true;
  }, ({ ranges }) => assert.deepEqual(ranges, ['bytes=500-', undefined]), CONTENT.subarray(0, 500)));

  test('starts over where another range comes than was asked for', () => run((_request, response, at) => {
    if (at > 0) return false;
    response.writeHead(206, { 'content-range': `bytes 400-${SIZE - 1}/${SIZE}`, 'content-length': SIZE - 500 });
    response.end(CONTENT.subarray(400, SIZE - 100));
    return true;
  }, ({ ranges }) => assert.deepEqual(ranges, ['bytes=500-', undefined]), CONTENT.subarray(0, 500)));

  test('is not appended to when the file was changed meanwhile', async () => {
    await using bench = await Bench.start();
    const { plan, start } = await prepared(bench, () => false, CONTENT.subarray(0, 500));
    const changed = bytes(SIZE, 9);
    bench.hub.repos.length = 0;
    bench.hub.add('dataset', DATA, { 'data.jsonl': changed });
    await assert.rejects(start(), { name: 'InputError', message: /the file was changed since it was listed\. Run the same command again/ });
    assert.equal(existsSync(plan.entry), false);
    const again = await bench.resolve({ kind: 'dataset', id: DATA });
    await bench.download(again);
    assert.deepEqual(readFileSync(again.entry), changed);
    assert.equal(bench.hub.to('content').at(-1)?.headers.range, undefined, 'from its start');
  });

  test('is dropped when a CDN changed its file while it was read: If-Range brings it whole', () => run((request, response, at) => {
    if (at === 0) return cutAfter(3000, (cut) => cut.destroy())(request, response, 0);
    assert.equal(request.headers['if-range'], `"content-${SIZE}"`);
    response.writeHead(200, { 'content-length': SIZE, etag: '"another"' });
    response.end(CONTENT);
    return true;
  }, ({ events }) => assert.deepEqual(types(events), ['start', 'retry', 'restart', 'file', 'done'])));
});

describe('a server that lies', () => {
  const answer = (headers: http.OutgoingHttpHeaders, body: Buffer): Hook => (_request, response) => {
    response.writeHead(200, headers);
    response.end(body);
    return true;
  };

  test('other content of the right length: refused and removed', () => fails(answer({ 'content-length': SIZE }, bytes(SIZE, 7)),
    { name: 'InputError', message: /dataset roslin\/data, file data\.jsonl: expected content with sha256 [0-9a-f]{64}, found 100000 bytes with another hash\. The file was removed/ }, []));

  test('a longer file than announced, by its header: refused before a byte is kept', () => fails(answer({ 'content-length': SIZE + 1 }, Buffer.concat([CONTENT, Buffer.alloc(1)])),
    { name: 'InputError', message: /expected 100000 bytes, found an answer of 100001 bytes/ }, [PARTIAL]));

  test('a shorter file than announced, by its header', () => fails(answer({ 'content-length': 10 }, CONTENT.subarray(0, 10)),
    { name: 'InputError', message: /expected 100000 bytes, found an answer of 10 bytes/ }, [PARTIAL]));

  test('more bytes than announced, without a header: refused and removed', () => fails(answer({}, Buffer.concat([CONTENT, Buffer.alloc(1)])),
    { name: 'InputError', message: /expected 100000 bytes, as announced, found more/ }, []));

  test('bytes without end are cut off', async () => {
    let sent = 0;
    await fails((_request, response) => {
      response.writeHead(200);
      const more = (): void => {
        sent += 65_536;
        if (!response.destroyed) response.write(Buffer.alloc(65_536), () => setImmediate(more));
      };
      more();
      return true;
    }, { name: 'InputError', message: /found more/ }, []);
    assert.ok(sent < 50_000_000, String(sent));
  });

  test('a packed body is refused', () => fails(answer({ 'content-encoding': 'gzip' }, CONTENT), { name: 'InputError', message: /found an answer packed as "gzip"/ }, [PARTIAL]));

  test('a range nobody asked for, every time', () => fails((_request, response) => {
    response.writeHead(206, { 'content-range': `bytes 1-${SIZE - 1}/${SIZE}` });
    response.end(CONTENT.subarray(1));
    return true;
  }, { name: 'ResourceError', message: /found a broken connection \(WRONG_RANGE\)/ }, [PARTIAL]));

  test('an error page in place of the file', () => fails(answer({ 'content-type': 'text/html' }, Buffer.from('<html>please log in</html>')),
    { name: 'ResourceError', message: /ENDED_EARLY/ }, [PARTIAL]));

  test('a small file is held to git\'s hash', async () => {
    await using bench = await Bench.start();
    bench.hub.add('dataset', DATA, { 'README.md': '# honest', 'data.jsonl': CONTENT });
    bench.hub.hubHook = (request, response) => {
      if (!request.url?.endsWith('README.md')) return false;
      response.writeHead(200, { 'content-length': 8 });
      response.end('# untrue');
      return true;
    };
    await assert.rejects(bench.download(await bench.resolve({ kind: 'dataset', id: DATA })), /file README\.md: expected content with git hash [0-9a-f]{40}, found 8 bytes with another hash/);
  });

  test('file names that lead out of the cache', async () => {
    for (const name of ['../../evil.jsonl', '/etc/evil.jsonl', '..\\evil.jsonl', 'C:\\evil.jsonl', 'a/../../evil.jsonl', 'x\0.jsonl']) {
      await using bench = await Bench.start();
      const lfs = { sha256: sha256(CONTENT), size: SIZE };
      bench.hub.add('dataset', DATA, {}, { siblings: [{ rfilename: 'data.jsonl', lfs }, { rfilename: name, lfs }] });
      await assert.rejects(bench.resolve({ kind: 'dataset', id: DATA }), { name: 'InputError', message: /expected file names inside the repository, found .*evil|x�/ });
      assert.deepEqual(readdirSync(bench.cacheDir), []);
    }
  });

  test('file names that only some systems cannot take are refused when they are needed', async () => {
    for (const name of ['con.jsonl', 'a\\b.jsonl', 'a:b.jsonl', `${'x'.repeat(300)}.jsonl`, 'tab\t.jsonl']) {
      await using bench = await Bench.start();
      bench.hub.add('dataset', DATA, {}, { siblings: [{ rfilename: name, lfs: { sha256: sha256(CONTENT), size: SIZE } }] });
      await assert.rejects(bench.resolve({ kind: 'dataset', id: DATA }), { name: 'InputError', message: /expected a relative file path inside the repository/ });
    }
  });

  test('descriptions that are none', async () => {
    const siblings = [{ rfilename: 'data.jsonl' }];
    const bodies = ['', 'null', '[]', '<html>', '{"sha":"main","siblings":[]}', JSON.stringify({ sha: '../..', siblings }), `{"sha":"${'c'.repeat(40)}"}`,
      JSON.stringify({ sha: 'c'.repeat(40), siblings: [null] }), JSON.stringify({ sha: 'c'.repeat(40), siblings: [{ rfilename: 7 }] })];
    for (const body of bodies) {
      await using bench = await Bench.start();
      bench.hub.hubHook = (_request, response) => {
        response.end(body);
        return true;
      };
      await assert.rejects(bench.resolve({ kind: 'dataset', id: DATA }), { name: 'InputError', message: /HF_ENDPOINT/ }, body);
    }
  });

  test('sizes and hashes that are none are asked for again, and refused if there are none', async () => {
    for (const [size, hash] of [[-1, 'a'.repeat(64)], [2 ** 63, 'a'.repeat(64)], [5, '../../../x'], [1.5, 'A'.repeat(64)]] as const) {
      await using bench = await Bench.start();
      bench.hub.add('dataset', DATA, { 'data.jsonl': CONTENT }, { siblings: [{ rfilename: 'data.jsonl', lfs: { sha256: hash, size } }] });
      const plan = await bench.resolve({ kind: 'dataset', id: DATA });
      assert.deepEqual([plan.files[0]?.size, plan.files[0]?.hash?.hex], [SIZE, sha256(CONTENT)]);
      bench.hub.hubHook = (request, response) => {
        if (request.method !== 'HEAD') return false;
        response.writeHead(200, { etag: '"../../../evil"', 'content-length': 5 });
        response.end();
        return true;
      };
      await assert.rejects(bench.resolve({ kind: 'dataset', id: DATA }), /found no hash.*cannot be verified/);
    }
  });
});
