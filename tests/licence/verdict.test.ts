/** What the licences of a model's parts come to. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../../src/errors.ts';
import { joinLicences, licencesIn, parseLicence, writeLicence, writeSpdx } from '../../src/licence/expression.ts';
import { LICENCES } from '../../src/licence/table.ts';
import { licenceVerdict, WEIGHT, type LicenceVerdict, type Part } from '../../src/licence/verdict.ts';

const both = (base: string | null, data: string | null) => licenceVerdict([{ part: 'base', licence: base }, { part: 'data', licence: data }]);
const verdictOf = (base: string | null, data: string | null) => both(base, data).verdict;

test('cases by hand', () => {
  assert.equal(verdictOf('Apache-2.0', 'WordNet-3.0'), 'clear');
  assert.equal(verdictOf('apache-2.0', 'cc0-1.0'), 'clear');
  assert.equal(verdictOf('Apache-2.0', 'CC-BY-SA-3.0'), 'share-alike');
  assert.equal(verdictOf('Apache-2.0', null), 'unknown');
  assert.equal(verdictOf('something-else', 'MIT'), 'unknown');
  assert.equal(verdictOf('MIT', 'a licence in words'), 'unknown');
  for (const tainting of ['CC-BY-NC-4.0', 'CC-BY-NC-SA-3.0', 'CC-BY-ND-4.0', 'cc-by-nc-nd-2.5', 'LicenseRef-ToS-restricted']) assert.equal(verdictOf('MIT', tainting), 'tainted', tainting);
  assert.equal(verdictOf('MIT', 'CC-BY-SA-4.0 AND CC0-1.0'), 'share-alike');
  assert.equal(verdictOf('MIT', 'CC-BY-NC-4.0 OR MIT'), 'clear', 'of licences to choose from the better one');
  assert.equal(verdictOf('MIT', '(CC-BY-NC-4.0 OR MIT) AND CC-BY-SA-3.0'), 'share-alike');
  assert.equal(verdictOf('MIT', 'MIT AND unknown'), 'unknown');
  assert.equal(verdictOf('openrail', 'MIT'), 'restricted');
  assert.equal(verdictOf('gemma', 'CC-BY-SA-4.0'), 'restricted');
  assert.equal(verdictOf('MIT', 'Apache-2.0 WITH LLVM-exception'), 'unknown');
  // A name of the language's own is no licence.
  for (const name of ['constructor', '__proto__', 'toString']) assert.equal(verdictOf('MIT', name), 'unknown', name);
});

test('output of Llama 3 taints a model on another base, and restricts one on Llama 3; from 3.1 on it may train others', () => {
  assert.equal(verdictOf('Apache-2.0', 'LicenseRef-Llama-3'), 'tainted');
  assert.equal(verdictOf('llama3', 'LicenseRef-Llama-3'), 'restricted');
  assert.equal(verdictOf('Apache-2.0', 'llama3.1'), 'restricted');
  assert.equal(verdictOf('llama3', 'MIT'), 'restricted', 'as a base it is what it is for');
});

test('what is owed, what binds and what blocks, each with its clause and records', () => {
  const { owed, share_alike: alike, blocks, redistribution, reasons } = licenceVerdict([
    { part: 'response', licence: 'LicenseRef-Organisation', records: 10 }, { part: 'context', licence: 'CC-BY-SA-3.0', records: 3, first: ['records.jsonl:2'] }, { part: 'response', licence: 'LicenseRef-ToS-restricted', records: 1, first: ['records.jsonl:7'] },
  ]);
  assert.deepEqual(owed.map(({ part, kind, clause }) => [part, kind, clause]), [['context', 'attribution', 'CC BY-SA 3.0, 4(a) and 4(c)']]);
  assert.deepEqual(alike.map(({ licence, clause, records }) => [licence, clause, records]), [['CC-BY-SA-3.0', 'CC BY-SA 3.0, 4(b)', 3]]);
  assert.deepEqual(blocks.map(({ licence, records, first }) => [licence, records, first]), [['LicenseRef-ToS-restricted', 1, ['records.jsonl:7']]]);
  assert.deepEqual(redistribution, { allowed: false, under: [] });
  assert.match(reasons[2]!, /\(1 record: records\.jsonl:7\)$/);
});

test('licences under which a collection may be passed on', () => {
  const under = (...licences: string[]) => licenceVerdict(licences.map((licence) => ({ part: 'data', licence }))).redistribution;
  assert.deepEqual(under('MIT', 'CC-BY-4.0', 'LicenseRef-Organisation'), { allowed: true, under: null });
  assert.deepEqual(under('CC-BY-SA-3.0', 'CC0-1.0'), { allowed: true, under: ['CC-BY-SA-3.0', 'CC-BY-SA-4.0'] });
  assert.deepEqual(under('CC-BY-SA-3.0', 'CC-BY-SA-4.0'), { allowed: true, under: ['CC-BY-SA-4.0'] }, 'a later version is allowed, an earlier one is not');
  assert.deepEqual(under('CC-BY-SA-4.0', 'ODbL-1.0'), { allowed: true, under: [] }, 'each under its own');
});

test('every rule says where it stands', () => {
  for (const [id, rule] of Object.entries(LICENCES)) {
    for (const clause of [rule.nonCommercial, rule.noDerivatives, rule.noCompete, rule.useLimits, rule.shareAlike, rule.owed]) if (clause) assert.ok(clause.says.length > 5 && clause.clause.length > 5, id);
    assert.notEqual(licenceVerdict([{ part: 'data', licence: id }]).blocks[0]?.says, `${id} is not in the table of licences`);
  }
});

const LEAF = fc.constantFrom(...Object.keys(LICENCES), 'Nobody-1.0', 'GPL-3.0-only', 'unknown');
const { expression } = fc.letrec<{ expression: string; pair: string }>((tie) => ({
  expression: fc.oneof({ maxDepth: 3 }, LEAF, tie('pair')),
  pair: fc.tuple(tie('expression'), fc.constantFrom('AND', 'OR'), tie('expression')).map(([a, op, b]) => `(${a} ${op} ${b})`),
}));
const part = fc.record({ part: fc.constantFrom('data', 'context', 'response'), licence: fc.option(expression, { nil: null }) });
const base = fc.record({ part: fc.constant('base'), licence: fc.option(LEAF, { nil: null }) });

/** What is allowed in `after` was allowed in `before`, and what is owed there is owed here. */
function neverBetter(before: LicenceVerdict, after: LicenceVerdict): void {
  assert.ok(WEIGHT.indexOf(after.verdict) >= WEIGHT.indexOf(before.verdict), `${before.verdict} became ${after.verdict}`);
  assert.ok(before.redistribution.allowed || !after.redistribution.allowed);
  const [was, is] = [before.redistribution.under, after.redistribution.under];
  if (was !== null) assert.ok(is !== null && is.every((id) => was.includes(id)));
  for (const list of ['owed', 'share_alike', 'limits', 'blocks'] as const) {
    const now = new Set(after[list].map((finding) => JSON.stringify(finding)));
    for (const finding of before[list]) assert.ok(now.has(JSON.stringify(finding)), list);
  }
}

describe('properties', () => {
  test('the verdict never improves when a record is added', () => {
    fc.assert(fc.property(fc.option(base, { nil: undefined }), fc.array(part, { minLength: 1, maxLength: 5 }), part, fc.nat(), (model, parts, added, at) => {
      const before: Part[] = [...(model ? [model] : []), ...parts];
      const place = at % (before.length + 1);
      neverBetter(licenceVerdict(before), licenceVerdict([...before.slice(0, place), added, ...before.slice(place)]));
    }), { numRuns: 2000 });
  });

  test('the worst part decides, in any order, and every name has its sentence', () => {
    fc.assert(fc.property(fc.array(fc.option(LEAF, { nil: null }), { minLength: 1, maxLength: 5 }), (licences) => {
      const parts: Part[] = licences.map((licence, i) => ({ part: `part ${i}`, licence }));
      const whole = licenceVerdict(parts);
      assert.equal(whole.reasons.length, parts.length);
      assert.equal(licenceVerdict(parts.toReversed()).verdict, whole.verdict);
      assert.equal(WEIGHT.indexOf(whole.verdict), Math.max(...parts.map((p) => WEIGHT.indexOf(licenceVerdict([p]).verdict))));
    }));
  });

  test('an expression is the same after it was written and read again', () => {
    fc.assert(fc.property(expression, (text) => {
      const once = writeLicence(parseLicence(text));
      assert.equal(writeLicence(parseLicence(once)), once);
      assert.deepEqual(new Set(licencesIn(parseLicence(once))), new Set(licencesIn(parseLicence(text))));
      const verdict = (licence: string) => licenceVerdict([{ part: 'data', licence }]).verdict;
      assert.equal(verdict(once), verdict(text));
    }));
  });
});

test('what owes nothing and forbids nothing is named so', () => {
  assert.deepEqual(licenceVerdict([{ part: 'data', licence: 'CC0-1.0' }]).reasons, ['data: Creative Commons Zero']);
  assert.match(licenceVerdict([{ part: 'base', licence: 'Apache-2.0' }]).reasons[0]!, /^base: Apache License 2\.0: keep its copyright notice/);
});

describe('expressions', () => {
  test('are read in any case, and written as SPDX does', () => {
    for (const [given, written] of [
      ['cc-by-sa-3.0', 'CC-BY-SA-3.0'], ['mit or apache-2.0', 'MIT OR Apache-2.0'], ['UNKNOWN', 'unknown'], ['NOASSERTION', 'unknown'], ['MIT AND (Apache-2.0 OR BSD-3-Clause)', 'MIT AND (Apache-2.0 OR BSD-3-Clause)'], ['CC-BY-SA-3.0+', 'CC-BY-SA-3.0'],
      ['gemma', 'LicenseRef-Gemma'], ['licenseref-organisation', 'LicenseRef-Organisation'], ['MIT AND unknown', 'MIT AND LicenseRef-unknown'],
    ] as const) assert.equal(writeLicence(parseLicence(given)), written);
  });

  test('that are none are refused', () => {
    for (const text of ['', ' ', 'MIT AND', 'OR MIT', '(MIT', 'MIT Apache-2.0', 'under some licence']) assert.throws(() => parseLicence(text), InputError, text);
  });

  test('are joined, each once, in an order of their own; for SPDX all names are its own or references', () => {
    assert.equal(joinLicences(['MIT', 'CC0-1.0', 'MIT']), 'CC0-1.0 AND MIT');
    assert.equal(joinLicences(['MIT OR ISC', 'CC0-1.0']), 'CC0-1.0 AND (MIT OR ISC)');
    assert.equal(joinLicences([]), 'unknown');
    assert.equal(writeSpdx(parseLicence('WordNet-3.0 AND mit')), 'LicenseRef-WordNet-3.0 AND MIT');
    assert.equal(writeSpdx(parseLicence('unknown')), 'NOASSERTION');
  });
});
