/** Copied runs: what is promised is found, at the right place, whatever case, spacing and marks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ContainedTexts } from '../../src/text/contained.ts';
import { fold } from '../../src/text/folded.ts';
import { normalise } from '../../src/text/normalise.ts';
import { Source } from '../../src/text/winnow.ts';

const word = fc.stringMatching(/^[a-z]{3,9}$/);
const prose = (least: number, most: number) => fc.array(word, { minLength: least, maxLength: most }).map((words) => words.join(' '));

test('every copy of 40 characters is found, with its place in both texts', () => {
  fc.assert(fc.property(prose(20, 60), prose(0, 10), prose(0, 10), fc.nat(), fc.integer({ min: 40, max: 90 }), (source, before, after, at, length) => {
    const from = at % Math.max(1, source.length - length);
    const copy = source.slice(from, from + length).trim();
    if (copy.length < 40) return;
    const text = `${before} ${copy} ${after}`;
    const copies = new Source(source).copiesIn(text);
    const place = text.indexOf(copy, before.length);
    assert.ok(copies.some((c) => c.from <= place && c.to >= place + copy.length), JSON.stringify({ copy, copies }));
    for (const c of copies) assert.equal(normalise(text.slice(c.from, c.to)), normalise(source.slice(c.sourceFrom, c.sourceTo)));
  }), { numRuns: 300 });
});

test('nothing below 20 characters is a copy', () => {
  assert.deepEqual(new Source('The otter lives by the river and hunts at night.').copiesIn('An eel lives by the sea.'), []);
  assert.deepEqual(new Source('').copiesIn('x'.repeat(100)), []);
});

test('case, spaces, citation marks and look-alike letters do not hide a copy', () => {
  const source = new Source('It commenced services on 31 August 2000 as Virgin Blue,[3] with two aircraft on a single route.[4]');
  const [copy] = source.copiesIn('Answer: IT COMMENCED  services on\n31 August 2000 аs Virgin Blue, with two aircraft on a single route.');
  assert.equal(copy!.text, 'it commenced services on 31 august 2000 as virgin blue, with two aircraft on a single route.');
  assert.equal(copy!.from, 8);
});

test('folding is normalising, with places that grow', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'B', ' ', '\n', '\u00a0', 'ё', 'Ж', '\u200b', 'é', 'e\u0301', 'ﬁ', '[12]', '[', '3', '½', '…', '😀'), maxLength: 30 });
  fc.assert(fc.property(text, (original) => {
    const { text: folded, places } = fold(original);
    assert.equal(folded, normalise(original));
    assert.equal(places.length, folded.length + 1);
    for (let i = 1; i < places.length; i++) assert.ok(places[i]! >= places[i - 1]!);
  }));
});

test('texts inside of others: by runs of eight words, without what is wording of the task', () => {
  const questions = new ContainedTexts();
  const asked = ['plants', 'rivers', 'stones', 'clouds', 'metals', 'islands', 'otters'].map((of) => `Which of the following statements best explains why people write of ${of} so often in old letters`);
  for (const text of [...asked, 'too short to tell']) questions.add(text);
  const of = (text: string, share: number) => questions.in(text, share).map((hit) => hit.text);
  assert.deepEqual(of(`Consider: ${asked[6]!.toUpperCase()}?!`, 0.9), [6]);
  assert.deepEqual(of('Which of the following statements best explains why people write of love', 0.1), [], 'seven share these words');
  assert.deepEqual(of('too short to tell', 0.1), []);
});
