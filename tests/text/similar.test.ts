/** Shingles, MinHash, groups: against plain definitions, and planted duplicates against what the formulas promise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../../src/artefacts/random.ts';
import { DisjointSets } from '../../src/text/disjoint.ts';
import { bandHashes, bandsFor, chanceOfCandidate, estimate, MinHash } from '../../src/text/minhash.ts';
import { compareRecords, nearDuplicateGroups } from '../../src/text/near-duplicates.ts';
import { jaccard, runHashes, shingles, wholeHash } from '../../src/text/shingles.ts';
import { compareBucket, findSimilar, similarity } from '../../src/text/similar.ts';
import { distance, sameSlots } from '../../src/text/slots.ts';

const words = 'otter heron carp newt wren eel mole toad river water stone reed night spring feather bank current hollow alder kingfisher'.split(' ');
const sentence = (random: Random, length: number): string => Array.from({ length }, () => words[Math.floor(random.next() * words.length)]! + Math.floor(random.next() * 90)).join(' ');

/** Jaccard similarity by sets of strings. */
function plainJaccard(a: string, b: string, width: number): number {
  const runs = (text: string) => new Set(text.length < width ? [text] : Array.from({ length: text.length - width + 1 }, (_, i) => text.slice(i, i + width)));
  const [x, y] = [runs(a), runs(b)];
  const both = [...x].filter((run) => y.has(run)).length;
  return both / (x.size + y.size - both);
}

test('Jaccard similarity over hashes is that over runs', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'я', '𝒳', ' '), minLength: 1, maxLength: 40 });
  fc.assert(fc.property(text, text, fc.integer({ min: 1, max: 6 }), (a, b, width) => {
    assert.ok(Math.abs(jaccard(shingles(a, width), shingles(b, width)) - plainJaccard(a, b, width)) < 1e-12);
  }));
});

test('a rolling hash is that of its run alone, and two runs differ', () => {
  fc.assert(fc.property(fc.string({ minLength: 5, maxLength: 30 }), (text) => {
    const hashes = runHashes(text, 5);
    for (const [i, hash] of hashes.entries()) assert.equal(hash, runHashes(text.slice(i, i + 5), 5)[0]);
  }));
  assert.equal(new Set(Array.from({ length: 100_000 }, (_, i) => wholeHash(String(i)))).size, 100_000);
});

test('agreement of signatures estimates the similarity without bias', () => {
  const minHash = new MinHash(128, 7);
  for (const [common, own] of [[90, 5], [70, 15], [30, 35], [0, 50]] as const) {
    let sum = 0;
    const rounds = 60;
    for (let round = 0; round < rounds; round++) {
      const set = (side: string) => Int32Array.from([...Array.from({ length: common }, (_, i) => wholeHash(`${round} ${i}`)), ...Array.from({ length: own }, (_, i) => wholeHash(`${side}${round} ${i}`))]).sort();
      sum += estimate(minHash.signature(set('a')), minHash.signature(set('b')));
    }
    const s = common / (common + 2 * own);
    // Four standard deviations of the mean of 60 estimates.
    assert.ok(Math.abs(sum / rounds - s) <= 4 * Math.sqrt((s * (1 - s)) / 128 / rounds) + 1e-9, `${sum / rounds} for ${s}`);
  }
});

test('bands are chosen by the recall that is wanted', () => {
  assert.deepEqual(bandsFor(128, 0.7, 0.999), { bands: 32, rows: 4 });
  assert.deepEqual(bandsFor(128, 0.9, 0.999), { bands: 16, rows: 8 });
  assert.deepEqual(bandsFor(128, 0.05, 0.9999), { bands: 128, rows: 1 });
  assert.ok(Math.abs(chanceOfCandidate(0.5, { bands: 32, rows: 4 }) - 0.8732) < 1e-4, 'by hand: 1 - (1 - 1/16)^32');
});

test('seeds: the same gives the same, another another; bands of equal signatures are equal', () => {
  const set = shingles('the otter sleeps in the reeds by the river', 5);
  assert.deepEqual(new MinHash(64, 1).signature(set), new MinHash(64, 1).signature(set));
  assert.notDeepEqual(new MinHash(64, 1).signature(set), new MinHash(64, 2).signature(set));
  const into = new Int32Array(32);
  bandHashes(new MinHash(64, 1).signature(set), { bands: 16, rows: 4 }, into, 0);
  bandHashes(new MinHash(64, 1).signature(set), { bands: 16, rows: 4 }, into, 16);
  assert.deepEqual(into.slice(0, 16), into.slice(16));
});

test('sets that grow together', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(19), fc.nat(19)), { maxLength: 30 }), (pairs) => {
    const sets = new DisjointSets(20);
    for (const [a, b] of pairs) sets.join(a, b);
    // The slow way: labels spread until nothing changes.
    const labels = Array.from({ length: 20 }, (_, i) => i);
    for (let changed = true; changed; ) {
      changed = false;
      for (const [a, b] of pairs) if (labels[a] !== labels[b]) [labels[a], labels[b], changed] = [Math.min(labels[a]!, labels[b]!), Math.min(labels[a]!, labels[b]!), true];
    }
    const numbers = sets.numbers();
    for (let a = 0; a < 20; a++) for (let b = 0; b < 20; b++) assert.equal(numbers[a] === numbers[b], labels[a] === labels[b]);
    assert.equal(numbers[0], 0);
  }));
});

test('short texts: every pair at the threshold is in one group, as trying all pairs says', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd', ' '), minLength: 1, maxLength: 14 });
  fc.assert(fc.property(fc.array(text, { maxLength: 25 }), fc.constantFrom(0.5, 0.7, 0.9), (texts, threshold) => {
    const { groups, links } = findSimilar(texts, { threshold });
    for (let a = 0; a < texts.length; a++) {
      for (let b = a + 1; b < texts.length; b++) if (similarity(texts[a]!, texts[b]!) >= threshold) assert.equal(groups.find(a), groups.find(b), `${texts[a]} | ${texts[b]}`);
    }
    for (const { a, b, similarity: by } of links) {
      assert.ok(a < b && by >= threshold);
      assert.ok(Math.abs(by - similarity(texts[a]!, texts[b]!)) < 1e-12);
    }
  }));
});

test('planted duplicates of long and short texts are found, and nothing else', () => {
  const random = new Random(5);
  const originals = Array.from({ length: 300 }, (_, i) => sentence(random, i % 3 === 0 ? 5 : 30));
  const changed = originals.map((text) => {
    const at = Math.floor(random.next() * (text.length - 1));
    return `${text.slice(0, at)}${text[at] === 'x' ? 'z' : 'x'}${text.slice(at + 1)}`;
  });
  const { groups, links } = findSimilar([...originals, ...changed]);
  const found = originals.filter((_, i) => groups.find(i) === groups.find(300 + i)).length;
  assert.equal(found, 300);
  assert.equal(links.length, 300);
  // A text around the border of short and long.
  const border = sentence(random, 7).slice(0, 59);
  assert.equal(findSimilar([border, `${border}yz`]).links.length, 1);
});

test('what is refused stays apart, and its fellows are still compared', () => {
  const texts = ['who founded the house of rowan?', 'who founded the house of tarly?', 'who founded the house of rowann?'];
  assert.ok(similarity(texts[0]!, texts[1]!) > 0.6);
  const { groups } = findSimilar(texts, { threshold: 0.6, accept: sameSlots });
  assert.deepEqual([...groups.numbers()], [0, 1, 0]);
});

test('a large bucket takes time in proportion to its members', () => {
  let compared = 0;
  compareBucket(Array.from({ length: 20_000 }, (_, i) => i), () => (compared++, false));
  assert.ok(compared <= 64 * 20_000, String(compared));
  compared = 0;
  compareBucket(Array.from({ length: 20_000 }, (_, i) => i), () => (compared++, true));
  assert.equal(compared, 19_999, 'all alike: each with one');
  compared = 0;
  compareBucket([1, 2, 3, 4], () => (compared++, false));
  assert.equal(compared, 6, 'a small one: all pairs');
});

const SLOTS: [string, string, boolean, string][] = [
  ['who is the founder of house rowan?', 'who is the founder of house tarly?', false, 'another name'],
  ['what is the capital of france', 'what is teh captial of france?', true, 'misspelt'],
  ['who is the current prime minister of india?', 'who is the prime minister of india?', true, 'a word more'],
  ['what is c#?', 'what is c?', false, 'signs count'],
  ['what is 5 plus 7?', 'what is 5 plus 8?', false, 'numbers count'],
  ['what is the average of it?', 'what is the median of it?', false, 'another measure'],
  ['name a note book', 'name a notebook', true, 'apart and together'],
  ['is it in the eastern conference?', 'is it in the western conference?', false, 'two letters are too many in a short word'],
  ['which 1945 treaty was it?', 'which 19x5 treaty was it?', true, 'a damaged number'],
  ['where do ott ers sleep by day', 'wheer do otters slep by day', true, 'several misspellings'],
  ['what is the difference between a gpu and a cpu?', 'whats the difference between a cpu and ram?', false, 'several words, another one'],
  ['what is the difference between its and it\'s?', 'what is the difference between it\'s and its?', true, 'another order'],
];
for (const [a, b, same, why] of SLOTS) test(`slots: ${why}`, () => assert.equal(sameSlots(a, b), same));

test('slots are symmetric, and long texts are not held to them', () => {
  const word = fc.constantFrom('otter', 'ottre', 'eel', 'eels', '5', '6', 'a', 'river');
  fc.assert(fc.property(fc.array(word, { maxLength: 6 }), fc.array(word, { maxLength: 6 }), (a, b) => {
    if (new Set(a).size === a.length && new Set(b).size === b.length && a.length === 1 && b.length === 1) assert.equal(sameSlots(a.join(' '), b.join(' ')), sameSlots(b.join(' '), a.join(' ')));
    assert.ok(sameSlots(a.join(' '), a.join(' ')));
  }));
  assert.ok(sameSlots(`${'word '.repeat(30)}one`, `${'word '.repeat(30)}two`));
  assert.deepEqual([distance('otter', 'ottre'), distance('otter', 'other'), distance('', 'abc'), distance('kitten', 'sitting')], [1, 1, 3, 3]);
});

test('groups of records: passages, long answers, questions without a passage; not questions of different passages', () => {
  const passage = (n: number) => `Passage ${n}: ${sentence(new Random(n), 40)}`;
  const answer = 'The otter lives by the river, where it hunts at night and sleeps in the reeds by day.';
  const record = (instruction: string, context = '', response = 'Yes.') => ({ instruction, context, response });
  const records = [
    record('Summarise this.', passage(1)), record('Summarise this.', passage(2)), record('Who hunts?', passage(1)),
    record('Where does the otter live?'), record('Where does the otter live??'), record('Where do herons nest?'),
    record('Tell me of otters', '', answer), record('And what of water?', '', `${answer}!`),
  ];
  assert.deepEqual([...nearDuplicateGroups(records)], [0, 1, 0, 2, 2, 3, 4, 4]);
  const { groups } = compareRecords(records);
  assert.equal(groups.question[0], groups.question[1]);
  assert.deepEqual([groups.passage[3], groups.answer[0]], [-1, -1]);
});

test('groups do not depend on the order of records', () => {
  const random = new Random(3);
  const records = Array.from({ length: 60 }, (_, i) => ({ instruction: sentence(random, 8 + (i % 5)), context: i % 4 === 0 ? sentence(random, 30) : '', response: 'x' }));
  const twins = [...records, ...records.map((r) => ({ ...r, instruction: `${r.instruction}!` }))];
  const shuffled = twins.map((r, i) => ({ r, i, key: random.next() })).sort((x, y) => x.key - y.key);
  const [a, b] = [nearDuplicateGroups(twins), nearDuplicateGroups(shuffled.map(({ r }) => r))];
  for (const [x, { i }] of shuffled.entries()) for (const [y, { i: j }] of shuffled.entries()) assert.equal(a[i] === a[j], b[x] === b[y]);
});
