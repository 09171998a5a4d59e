/** A backup holds everything of one instant, and nothing that was changed passes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { SimilarRecords } from '../../src/collect/checks/similar-records.ts';
import { makeDemo } from '../../src/collect/demo-campaign.ts';
import { computeBoard } from '../../src/collect/points/boards.ts';
import { requireCampaign } from '../../src/collect/campaigns/current.ts';
import { verifyLedger } from '../../src/collect/points/ledger.ts';
import { InputError, ResourceError } from '../../src/errors.ts';
import { auditFault } from '../../src/store/audit.ts';
import { backup } from '../../src/store/backup.ts';
import { restore, tidyRestores } from '../../src/store/restore.ts';
import { connectionFromUrl, openStore, type Store } from '../../src/store/store.ts';
import { TestDatabase } from './database.ts';

const database = await TestDatabase.start();
const folder = mkdtempSync(join(tmpdir(), 'roslin-backup-'));
after(async () => {
  await database[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function contents({ pool }: Store): Promise<Record<string, string[]>> {
  const { rows: tables } = await pool.query<{ name: string }>(`select relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and relkind = 'r' and relname not in ('roslin_migrations', 'sessions', 'throttles')`);
  const all: Record<string, string[]> = {};
  for (const { name } of tables) all[name] = (await pool.query<{ row: string }>(`select row_to_json(t)::text as row from "${name}" t`)).rows.map(({ row }) => row).sort();
  return all;
}

test('the demo campaign: written, backed up, restored row by row; its ledger and log verify', async () => {
  const store = await database.store();
  const now = Date.UTC(2026, 10, 25, 12);
  await makeDemo({ store, now: () => now, random: () => 0.5, similar: new SimilarRecords(), mail: undefined, publicUrl: 'http://127.0.0.1' }, null, 'en');
  const campaign = await requireCampaign(store.db);
  const states = await store.db.selectFrom('submissions').select(['state', (eb) => eb.fn.countAll<number>().as('n')]).groupBy('state').execute();
  const accepted = states.find(({ state }) => state === 'accepted')?.n ?? 0;
  assert.ok(accepted >= 10, JSON.stringify(states));
  assert.ok(states.some(({ state }) => state === 'in_review'));
  assert.ok((await computeBoard(store.db, campaign, new Date(now))).length >= 5);
  assert.equal(await auditFault(store.db), undefined);
  assert.equal(await verifyLedger(store.db, campaign), undefined);

  // A dataset, beside one that is being sealed just now: that one is not there yet.
  for (const version of ['1', '.2.tmp-0123456789ab']) {
    mkdirSync(join(folder, 'datasets', 'demo', version), { recursive: true });
    writeFileSync(join(folder, 'datasets', 'demo', version, 'dataset.json'), '{}');
  }
  const file = join(folder, 'demo.roslin');
  const written = await backup(store, folder, file);
  assert.equal(written.files, 1);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const other = await database.store();
  assert.deepEqual(await restore(other, join(folder, 'other'), file), written);
  assert.deepEqual(await contents(other), await contents(store));
  await assert.rejects(restore(other, folder, file), (error) => error instanceof InputError && /people in it/.test(error.message));
  await assert.rejects(backup(store, folder, file), InputError);

  const text = gunzipSync(readFileSync(file)).toString();
  const spoilt = { cut: gzipSync(text.split('\n').slice(0, -2).join('\n')), changed: gzipSync(text.replace('Demo campaign', 'Other campaign')), torn: readFileSync(file).subarray(0, 5000) };
  for (const [name, bytes] of Object.entries(spoilt)) {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    const empty = await database.store();
    const spoiltInto = join(folder, `into-${name}`);
    mkdirSync(spoiltInto);
    await assert.rejects(restore(empty, spoiltInto, path), (error) => error instanceof InputError && /cut or changed/.test(error.message), name);
    assert.deepEqual(readdirSync(spoiltInto), [], name);
    assert.equal((await empty.db.selectFrom('users').select('id').execute()).length, 0, name);
  }
});

/** A restore in a process of its own, killed where the given function of the store is about to be called. */
async function killed(url: string, workspace: string, file: string, at: 'commit' | 'rename'): Promise<void> {
  const script = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const die = () => process.kill(process.pid, 'SIGKILL');
    if (${JSON.stringify(at)} === 'rename') { fs.renameSync = die; syncBuiltinESMExports(); }
    const { openStore, connectionFromUrl } = await import(${JSON.stringify(source('store'))});
    const { restore } = await import(${JSON.stringify(source('restore'))});
    const store = await openStore(connectionFromUrl(process.argv[1]));
    if (${JSON.stringify(at)} === 'commit') {
      const { transaction } = store.db;
      store.db.transaction = function () {
        const builder = transaction.call(this);
        return { execute: (work) => builder.execute(async (tx) => { await work(tx); die(); await new Promise(() => {}); }) };
      };
    }
    await restore(store, process.argv[2], process.argv[3]);
    process.exit(9);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, url, workspace, file], { stdio: ['ignore', 'ignore', 'pipe'], cwd: import.meta.dirname });
  let said = '';
  child.stderr.on('data', (part: Buffer) => (said += String(part)));
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL', said);
}
const source = (name: string): string => new URL(`../../src/store/${name}.ts`, import.meta.url).href;

test('a restore that is killed before its commit leaves nothing, after it everything, once the next start has tidied', async () => {
  const from = await database.store();
  await makeDemo({ store: from, now: () => Date.UTC(2026, 10, 25, 12), random: () => 0.5, similar: new SimilarRecords(), mail: undefined, publicUrl: 'http://127.0.0.1' }, null, 'en');
  const origin = join(folder, 'source');
  const large = Buffer.alloc(1_300_000, 'records of a dataset ');
  mkdirSync(join(origin, 'datasets', 'demo', '1'), { recursive: true });
  writeFileSync(join(origin, 'datasets', 'demo', '1', 'records.jsonl'), large);
  writeFileSync(join(origin, 'datasets', 'demo', '1', 'dataset.json'), '');
  const file = join(folder, 'killed.roslin');
  assert.equal((await backup(from, origin, file)).files, 2);

  for (const at of ['commit', 'rename'] as const) {
    const url = await database.url();
    const workspace = join(folder, `killed-${at}`);
    mkdirSync(workspace);
    await killed(url, workspace, file, at);
    assert.match(readdirSync(workspace).join(), /^\.datasets\.tmp-[0-9a-f]{12}$/);
    await using store = await openStore(connectionFromUrl(url));
    // The lock of who was killed goes with its connection, which the server may notice a moment later.
    for (let i = 0; i < 100 && readdirSync(workspace).some((name) => name.startsWith('.')); i++) {
      await tidyRestores(store, workspace);
      await sleep(50);
    }
    if (at === 'commit') {
      assert.deepEqual(readdirSync(workspace), []);
      assert.equal((await store.db.selectFrom('users').select('id').execute()).length, 0);
      await restore(store, workspace, file);
    }
    assert.deepEqual(readdirSync(workspace), ['datasets']);
    assert.deepEqual(readFileSync(join(workspace, 'datasets', 'demo', '1', 'records.jsonl')), large);
    assert.deepEqual(await contents(store), await contents(from));
  }
});

test('a restore that runs is left alone, and a second one and occupied folders are refused', async () => {
  const file = join(folder, 'killed.roslin');
  const store = await database.store();
  const workspace = join(folder, 'held');
  mkdirSync(join(workspace, '.datasets.tmp-0123456789ab'), { recursive: true });
  const running = await store.pool.connect();
  await running.query('select pg_advisory_lock(7250118405)');
  await tidyRestores(store, workspace);
  assert.deepEqual(readdirSync(workspace), ['.datasets.tmp-0123456789ab']);
  await assert.rejects(restore(store, workspace, file), (error) => error instanceof ResourceError && /another restore/.test(error.message));
  running.release(true);
  const occupied = join(folder, 'occupied');
  mkdirSync(join(occupied, 'datasets', 'other'), { recursive: true });
  for (let i = 0; ; i++) {
    const error = await restore(store, occupied, file).catch((caught: unknown) => caught as Error);
    if (error instanceof ResourceError && i < 100) await sleep(50);
    else {
      assert.match((error as Error).message, /one with datasets in it.*move this folder away/);
      break;
    }
  }
  assert.deepEqual(readdirSync(occupied), ['datasets']);
});

test('names and pieces of files that no backup of ours has are refused, under a hash that is right; nothing is left', async () => {
  const file = join(folder, 'header.roslin');
  const workspace = join(folder, 'pieces');
  await backup(await database.store(), workspace, file);
  const header = gunzipSync(readFileSync(file)).toString().split('\n')[0]!;
  const piece = (name: string, last = true) => JSON.stringify({ file: name, last, base64: 'e30=' });
  const [elsewhere, cut] = [/a file outside of the datasets/, /one that is cut or changed/];
  const spoilt: Record<string, [lines: string[], says: RegExp]> = {
    'up and out': [[piece('demo/1/../../x')], elsewhere], 'out at the top': [[piece('../1/x')], elsewhere], absolute: [[piece('/etc/1/x')], elsewhere], hidden: [[piece('demo/1/.bashrc')], elsewhere], backslashes: [[piece('demo\\1\\x')], elsewhere],
    'another file begins': [[piece('demo/1/a', false), piece('demo/1/b')], cut], 'a file twice': [[piece('demo/1/a'), piece('demo/1/a')], cut], 'no last piece': [[piece('demo/1/a'), piece('demo/1/b', false)], cut],
  };
  const store = await database.store();
  for (const [name, [lines, says]] of Object.entries(spoilt)) {
    const text = `${[header, ...lines].join('\n')}\n`;
    const path = join(folder, 'spoilt.roslin');
    writeFileSync(path, gzipSync(`${text}${JSON.stringify({ end: { rows: 0, files: lines.filter((line) => line.includes('true')).length, sha256: createHash('sha256').update(text).digest('hex') } })}\n`));
    await assert.rejects(restore(store, workspace, path), (error) => error instanceof InputError && says.test(error.message), name);
    assert.deepEqual(readdirSync(workspace), [], name);
  }
});
