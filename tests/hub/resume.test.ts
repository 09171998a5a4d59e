import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type http from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { sha256 } from './fake-hub.ts';
import { Bench, bytes, DATA, DATA_FOLDER } from './setup.ts';

const SIZE = 3_000_000;
const CONTENT = bytes(SIZE);
const STEP = 50_000;

/** Sends the range asked for in small steps, as a slow line would. */
function slowly(request: http.IncomingMessage, response: http.ServerResponse): boolean {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': SIZE - from, ...(from > 0 ? { 'content-range': `bytes ${from}-${SIZE - 1}/${SIZE}` } : {}) });
  let at = from;
  const step = (): void => {
    if (response.destroyed || at >= SIZE) return void response.end();
    response.write(CONTENT.subarray(at, at += STEP));
    setTimeout(step, 10);
  };
  step();
  return true;
}

test('kill -9 in the middle, twice: every run goes on from the bytes on disk', async () => {
  await using bench = await Bench.start();
  bench.hub.add('dataset', DATA, { 'data.jsonl': CONTENT });
  bench.hub.contentHook = slowly;
  const partial = join(bench.cacheDir, DATA_FOLDER, 'blobs', `${sha256(CONTENT)}.incomplete`);
  const onDisk = (): number => statSync(partial, { throwIfNoEntry: false })?.size ?? 0;
  const start = (): { child: ReturnType<typeof spawn>; closed: Promise<unknown> } => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'download-child.ts'), bench.hub.endpoint, bench.cacheDir, DATA], { stdio: ['ignore', 'pipe', 'inherit'] });
    return { child, closed: new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code))) };
  };
  const stops: number[] = [];
  for (const share of [0.1, 0.4]) {
    const { child, closed } = start();
    while (onDisk() < share * SIZE && child.exitCode === null) await delay(2);
    child.kill('SIGKILL');
    assert.equal(await closed, 'SIGKILL');
    stops.push(onDisk());
    assert.deepEqual(readFileSync(partial), CONTENT.subarray(0, onDisk()));
  }
  assert.ok((stops.at(-1) ?? SIZE) < SIZE);
  assert.deepEqual(readdirSync(join(bench.cacheDir, DATA_FOLDER)).sort(), ['blobs'], 'no snapshot and no ref before the end');

  // The lock that the killed process left must not stop the next one.
  bench.hub.contentHook = () => false;
  bench.hub.contentBytes = 0;
  const { closed } = start();
  assert.equal(await closed, 0);
  const ranges = bench.hub.to('content').map(({ headers }) => headers.range);
  assert.deepEqual(ranges, [undefined, ...stops.map((at) => `bytes=${at}-`)]);
  assert.equal(bench.hub.contentBytes, SIZE - (stops.at(-1) ?? 0), 'nothing fetched twice');
  assert.deepEqual(readFileSync(join(bench.cacheDir, DATA_FOLDER, 'snapshots', 'c'.repeat(40), 'data.jsonl')), CONTENT);
  assert.deepEqual(bench.blobs(DATA_FOLDER), [sha256(CONTENT)]);
});
