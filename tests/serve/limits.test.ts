/** Places in the batch and what keys may use, with a clock of the test's own; and the file of keys. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ApiError } from '../../src/serve/errors.ts';
import { KeyFile, stateOf, type KeyRecord } from '../../src/serve/keys.ts';
import { KeyLimits, Places } from '../../src/serve/limits.ts';

const folder = mkdtempSync(join(tmpdir(), 'roslin-keys-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const never = new AbortController().signal;
const refusal = (code: string, retryAfter?: number) => (error: unknown) => error instanceof ApiError && error.status === 429 && error.body.error.code === code && (retryAfter === undefined || error.retryAfter === retryAfter);

test('places go to those who wait, in order; who leaves the queue gets none', async () => {
  const places = new Places(2, 2);
  const order: string[] = [];
  const [a, b] = [await places.take(never), await places.take(never)];
  places.requireRoom(2);
  assert.throws(() => places.requireRoom(3), refusal('queue_full'));
  const leaver = new AbortController();
  const c = places.take(leaver.signal).then(() => order.push('c'), () => order.push('c left'));
  const d = places.take(never).then((release) => (order.push('d'), release));
  assert.equal(places.waiting, 2);
  leaver.abort(new Error('gone'));
  await c;
  a();
  a();
  (await d)();
  b();
  assert.deepEqual(order, ['c left', 'd']);
  assert.deepEqual([places.taken, places.waiting], [0, 0], 'given back once, though asked twice');
});

const key = (limits: Partial<KeyRecord>): KeyRecord => ({ id: 'k', name: 'k', sha256: '0'.repeat(64), scopes: ['generate'], created: '', expires: null, revoked: null, tokens_per_minute: null, concurrency: null, ...limits });

test('tokens a minute: what is not used comes back, and time fills up', () => {
  let now = 0;
  const limits = new KeyLimits(() => now);
  const k = key({ tokens_per_minute: 600 });
  assert.throws(() => limits.take(k, 601), refusal('tokens_limit_exceeded', 60));
  const settle = limits.take(k, 500);
  assert.throws(() => limits.take(k, 200), refusal('tokens_limit_exceeded', 10));
  settle(350);
  settle(0);
  limits.take(k, 250)(250);
  assert.throws(() => limits.take(k, 100), refusal('tokens_limit_exceeded', 10));
  now += 10_000;
  limits.take(k, 100)(100);
});

test('requests at once, each key by itself', () => {
  const limits = new KeyLimits();
  const k = key({ concurrency: 2 });
  const ends = [limits.take(k, 1), limits.take(k, 1)];
  assert.throws(() => limits.take(k, 1), refusal('concurrency_limit_exceeded', 1));
  limits.take(key({ id: 'other', concurrency: 1 }), 1);
  ends[0]!(1);
  limits.take(k, 1);
});

test('a key is shown once and kept as a hash; found, revoked and expired at once, by another reader of the file too', () => {
  const path = join(folder, 'sub', 'keys.json');
  const file = new KeyFile(path);
  const reader = new KeyFile(path);
  assert.deepEqual(reader.list(), []);
  const { key: secret, record } = file.create({ name: 'studio', scopes: ['generate'], days: 1 });
  assert.match(secret, /^rk-[\w-]{43}$/);
  const { key: second } = file.create({ name: 'other', scopes: ['embed'] });
  const text = readFileSync(path, 'utf8');
  assert.ok(!text.includes(secret) && !text.includes(secret.slice(3)) && !text.includes(second));
  if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(reader.find(secret)?.id, record.id);
  assert.equal(reader.find(`${secret.slice(0, -1)}x`), undefined);
  assert.equal(stateOf(record), 'valid');
  assert.equal(stateOf(record, Date.now() + 86_400_001), 'expired');
  file.revoke('studio');
  assert.equal(stateOf(reader.find(secret)!), 'revoked');
  assert.throws(() => file.revoke('studio'), /expected the id or the name of one key/);
  assert.equal(reader.list().length, 2);
});

test('a file that is no list of keys is refused and not taken for an empty one', () => {
  for (const text of ['', '{}', '[]', '{"schema":"roslin.keys/1","keys":[{"id":1}]}']) {
    const path = join(folder, 'bad.json');
    writeFileSync(path, text);
    assert.throws(() => new KeyFile(path).list(), /expected a file of keys/);
  }
});
