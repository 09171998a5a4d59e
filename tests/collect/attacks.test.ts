/** The attacks of the scoring table in short form; `npm run proof:attacks` measures them at length. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ledgerFaults } from '../../src/collect/rules/ledger.ts';
import { FIRST_RULES } from '../../src/collect/rules/points-rules.ts';
import { attacks, dwarf, yieldOf } from './simulation/attacks.ts';
import { Campaign } from './simulation/campaign.ts';

const settings = { people: 40, days: 4, teams: 4, seed: 9 };

test('a simulated campaign: the same from its seed, a ledger that follows from its facts, nobody paid twice', () => {
  const [once, again] = [new Campaign(settings).run(), new Campaign(settings).run()];
  assert.deepEqual(again.entries, once.entries);
  assert.ok(once.entries.length > 500);
  assert.deepEqual(ledgerFaults(once.entries, new Map([[FIRST_RULES.version, FIRST_RULES]])), []);
  const accepted = once.submissions.filter(({ state }) => state === 'accepted').length;
  assert.equal(once.entries.filter(({ kind }) => kind === 'record').length, accepted);
});

test('no attack is clearly above its bar', () => {
  const found = attacks({ people: 60, days: 4, seeds: 2 });
  assert.ok(found.filter(({ at_most }) => at_most !== undefined).length >= 14);
  for (const { attack, how, value, error, at_most } of found) {
    if (at_most !== undefined) assert.ok(value - 3 * error <= at_most + 1e-9, `${attack}, ${how}: ${value} ± ${error}, at most ${at_most}`);
  }
});

test('without the factor of size tiny records pay: the simulation can tell', () => {
  const free = { ...FIRST_RULES, full_words: Object.fromEntries(Object.keys(FIRST_RULES.full_words).map((key) => [key, 1])) as typeof FIRST_RULES.full_words };
  const { value } = yieldOf(dwarf, { people: 60, days: 4, seeds: 2 }, free);
  assert.ok(value > 1.3, `they yield ${value}`);
});
