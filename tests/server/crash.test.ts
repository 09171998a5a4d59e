/** `kill -9` of `roslin up` and of its PostgreSQL under load, twice each; `npm run proof:crash` does it 50 times. Linux alone: it looks for processes in /proc. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crash } from './load/crashes.ts';

for (const killed of ['server', 'postgres'] as const) {
  test(`kill -9 of the ${killed}: what was acknowledged is there, once`, { skip: process.platform === 'linux' ? false : 'processes are looked for in /proc', timeout: 600_000 }, async (t) => {
    const { faults, acknowledged, counts, seconds_away } = await crash({ killed, kills: 2, people: 4, seed: 7 });
    t.diagnostic(JSON.stringify({ acknowledged, counts, seconds_away }));
    assert.deepEqual(faults, []);
    for (const [name, n] of Object.entries({ drafts: 1, submissions: 4, reviews: 2 })) assert.ok(acknowledged[name]! >= n, `${acknowledged[name]} ${name}`);
    assert.ok(counts['ledger_entries']! > 0, 'points were booked');
  });
}
