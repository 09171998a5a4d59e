/** The whole record: what is taken and what not, its canonical text, and the published schema. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../../src/artefacts/canonical.ts';
import { partsOf, provenanceOf } from '../../src/artefacts/provenance.ts';
import { toRecord } from '../../src/artefacts/record.ts';
import { recordJsonSchema, toDatasetRecord, type DatasetRecord } from '../../src/artefacts/record-schema.ts';
import { InputError } from '../../src/errors.ts';
import { arbitraryRecord } from '../dataset/support.ts';

const good = { instruction: 'Name a sheep.', context: '', response: 'Dolly', category: 'open_qa', provenance: { record: { origin: 'human', licence: 'CC0-1.0' } } };

test('the published schema is the one that records are checked by', () => {
  const published: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../../schemas/record.schema.json'), 'utf8'));
  assert.deepEqual(published, JSON.parse(JSON.stringify(recordJsonSchema())), 'npm run schemas writes it anew');
  const { required, additionalProperties } = published as { required: string[]; additionalProperties: boolean };
  assert.deepEqual(required.toSorted(), ['category', 'context', 'instruction', 'provenance', 'response']);
  assert.equal(additionalProperties, false);
});

describe('records', () => {
  test('with everything that a record can have are taken as they are', () => {
    fc.assert(fc.property(arbitraryRecord, (record) => assert.deepEqual(toDatasetRecord(record, 'x'), record)));
  });

  const refused: [string, object, RegExp][] = [
    ['an unknown field', { ...good, extra: 1 }, /Unrecognized key/],
    ['a blank response', { ...good, response: ' \n' }, /field response that is not right: has no text/],
    ['half of a surrogate pair', { ...good, context: 'a\ud83d' }, /field context that is not right: holds half of a surrogate pair/],
    ['no provenance', { ...good, provenance: undefined }, /field provenance /],
    ['an origin that is none', { ...good, provenance: { record: { origin: 'alien', licence: 'MIT' } } }, /field provenance\.record\.origin /],
    ['a source with a script for an address', { ...good, provenance: { record: { origin: 'human', licence: 'MIT', source: { url: 'javascript:alert(1)' } } } }, /provenance\.record\.source\.url that is not right: is no http/],
    ['a name for a pseudonym', { ...good, provenance: { record: { origin: 'human', licence: 'MIT', contributor: 'Ian <ian@example.org>' } } }, /contributor that is not right: is no pseudonym/],
    ['a check without a verdict', { ...good, checks: [{ check: 'pii', version: '1' }] }, /field checks\.0\.verdict /],
  ];
  for (const [name, value, says] of refused) {
    test(`are refused with ${name}`, () => {
      assert.throws(() => toDatasetRecord(value, 'f line 9'), (error: unknown) => error instanceof InputError && error.parts.where === 'f line 9' && says.test(error.message));
    });
  }

  test('have the provenance of the record for parts without their own', () => {
    const context = { origin: 'unknown', licence: 'CC-BY-SA-3.0' };
    const record = toDatasetRecord({ ...good, context: 'c', provenance: { ...good.provenance, context } }, 'x');
    assert.deepEqual(partsOf(record), ['instruction', 'context', 'response']);
    assert.deepEqual(provenanceOf(record, 'context'), context);
    assert.deepEqual(provenanceOf(record, 'response'), good.provenance.record);
  });

  test('are read for training with what was said before', () => {
    const turns = [{ role: 'user', text: 'Hello' }, { role: 'assistant', text: 'Hello.' }] as const;
    const record = toRecord({ ...good, turns }, 3, 'x');
    assert.deepEqual(record.turns, turns);
    assert.notEqual(record.hash, toRecord(good, 3, 'x').hash, 'another conversation is another text');
    assert.equal('turns' in toRecord({ ...good, turns: [{ role: 'user', text: 'Hello', mood: 'glad' }] }, 3, 'x'), false, 'another use of the name is another field');
  });
});

describe('canonical JSON', () => {
  test('is RFC 8785', () => {
    // Numbers and the order of keys from the examples of the RFC, sections 3.2.2 and 3.2.3.
    assert.equal(canonicalJson({ numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001], literals: [null, true, false] }), '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}');
    assert.equal(canonicalJson({ '\u20ac': 'Euro', '\r': 'CR', '\ufb33': 'dalet', '1': 'one', '\ud83d\ude00': 'smiley', '\u0080': 'control', '\u00f6': 'o' }),
      '{"\\r":"CR","1":"one","\u0080":"control","\u00f6":"o","\u20ac":"Euro","\ud83d\ude00":"smiley","\ufb33":"dalet"}');
  });

  test('does not depend on the order of keys, and is the same value', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)))));
    const reversed = (record: DatasetRecord) => Object.fromEntries(Object.entries(record).reverse());
    fc.assert(fc.property(arbitraryRecord, (record) => assert.equal(canonicalJson(reversed(record)), canonicalJson(record))));
  });

  test('refuses what JSON has not', () => {
    for (const value of [NaN, Infinity, 1n, undefined, () => 1]) assert.throws(() => canonicalJson([value]), TypeError);
  });
});
