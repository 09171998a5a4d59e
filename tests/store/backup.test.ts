/** A backup holds everything of one instant, and nothing that was changed passes. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { SimilarRecords } from '../../src/collect/checks/similar-records.ts';
import { makeDemo } from '../../src/collect/demo-campaign.ts';
import { computeBoard } from '../../src/collect/points/boards.ts';
import { requireCampaign } from '../../src/collect/campaigns/current.ts';
import { verifyLedger } from '../../src/collect/points/ledger.ts';
import { InputError } from '../../src/errors.ts';
import { auditFault } from '../../src/store/audit.ts';
import { backup, restore } from '../../src/store/backup.ts';
import type { Store } from '../../src/store/store.ts';
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
    await assert.rejects(restore(empty, folder, path), (error) => error instanceof InputError && /cut or changed/.test(error.message), name);
    assert.equal((await empty.db.selectFrom('users').select('id').execute()).length, 0, name);
  }
});
