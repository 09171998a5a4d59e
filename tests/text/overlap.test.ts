/** Word overlap, by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wordF1 } from '../../src/text/overlap.ts';

const CASES: [found: string, expected: string, f1: number, why: string][] = [
  ['tope', 'tope', 1, 'the same'],
  ['The Tope!', 'a tope', 1, 'articles, case and punctuation do not count'],
  ['rope', 'tope', 0, 'nothing in common'],
  ['tope and rope', 'tope', 2 / 4, '1 of 3 and 1 of 1'],
  ['tope', 'tope and rope', 2 / 4, 'the same from the other side'],
  ['sheep sheep sheep', 'sheep', 2 / 4, 'a word counts as often as it is expected'],
  ['sheep sheep wool', 'wool sheep sheep sheep', 6 / 7, 'order does not matter, numbers do'],
  ["don't", 'don t', 1, 'signs divide words'],
  ['1,024 овец', 'овец: 1 024', 1, 'digits and other scripts are words'],
  ['', '', 1, 'nothing for nothing'],
  ['', 'tope', 0, 'nothing for something'],
  ['tope', '', 0, 'something for nothing'],
  ['the', '...', 1, 'neither has a word that counts'],
  ['toString constructor', 'constructor', 2 / 3, 'names of JavaScript are words'],
];
for (const [found, expected, f1, why] of CASES) {
  test(`${JSON.stringify(found)} for ${JSON.stringify(expected)}: ${why}`, () => assert.ok(Math.abs(wordF1(found, expected) - f1) < 1e-12, String(wordF1(found, expected))));
}
