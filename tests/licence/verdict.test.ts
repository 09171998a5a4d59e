/** What the licences of a model's parts come to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LICENCES } from '../../src/licence/table.ts';
import { licenceVerdict, type Part } from '../../src/licence/verdict.ts';

const verdictOf = (base: string | null, data: string | null) => licenceVerdict([{ part: 'base', licence: base }, { part: 'data', licence: data }]).verdict;

test('cases by hand', () => {
  assert.equal(verdictOf('Apache-2.0', 'WordNet-3.0'), 'clear');
  assert.equal(verdictOf('apache-2.0', 'cc0-1.0'), 'clear');
  assert.equal(verdictOf('Apache-2.0', 'CC-BY-SA-3.0'), 'share-alike');
  assert.equal(verdictOf('Apache-2.0', null), 'unknown');
  assert.equal(verdictOf('something-else', 'MIT'), 'unknown');
  assert.equal(verdictOf('MIT', 'CC-BY-NC-4.0'), 'tainted');
  assert.equal(verdictOf('MIT', 'CC-BY-ND-4.0'), 'tainted');
  assert.equal(verdictOf('MIT', 'LicenseRef-ToS-restricted'), 'tainted');
  assert.equal(verdictOf('MIT', 'CC-BY-SA-4.0 AND CC0-1.0'), 'share-alike');
  // A name of the language's own is no licence.
  assert.equal(verdictOf('MIT', 'constructor'), 'unknown');
});

test('the worst part decides, in any order, and every part has its sentence', () => {
  const licence = fc.option(fc.constantFrom(...Object.keys(LICENCES), 'Nobody-1.0'), { nil: null });
  const weight = ['clear', 'share-alike', 'unknown', 'tainted'];
  fc.assert(fc.property(fc.array(licence, { minLength: 1, maxLength: 5 }), (licences) => {
    const parts: Part[] = licences.map((l, i) => ({ part: `part ${i}`, licence: l }));
    const whole = licenceVerdict(parts);
    assert.equal(whole.reasons.length, parts.length);
    assert.equal(licenceVerdict(parts.toReversed()).verdict, whole.verdict);
    assert.equal(weight.indexOf(whole.verdict), Math.max(...parts.map((p) => weight.indexOf(licenceVerdict([p]).verdict))));
  }));
});

test('what owes nothing and forbids nothing is named so', () => {
  assert.deepEqual(licenceVerdict([{ part: 'data', licence: 'CC0-1.0' }]).reasons, ['data: Creative Commons Zero']);
  assert.match(licenceVerdict([{ part: 'base', licence: 'Apache-2.0' }]).reasons[0]!, /^base: Apache License 2\.0: keep its copyright notice/);
});
