/** Text that may be shown, id by id: whole characters, stop strings over several tokens, white space, and which tokens belong to it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { AnswerText, type AnswerTextOptions } from '../../src/serve/answer-text.ts';
import { tokenBytes } from '../../src/tokenizer/token-bytes.ts';
import { loadTokenizer } from '../../src/tokenizer/tokenizer.ts';

/** Tokens are given as bytes; their ids count up. */
function run(tokens: readonly (string | readonly number[])[], options: Partial<AnswerTextOptions> = {}) {
  const bytes = tokens.map((t) => (typeof t === 'string' ? Buffer.from(t) : Uint8Array.from(t)));
  const text = new AnswerText<number>({ bytes, stops: [], trims: false, dropsFirstSpace: false, ...options });
  const shown: string[] = [];
  const settled: number[] = [];
  for (const id of tokens.keys()) {
    const piece = text.push(id, id);
    shown.push(piece.text);
    settled.push(...piece.tokens);
    if (text.stopped) break;
  }
  const rest = text.finish();
  return { shown: [...shown, rest.text], text: [...shown, rest.text].join(''), settled: [...settled, ...rest.tokens], stopped: text.stopped };
}

test('a character of several tokens is shown when it is whole; one that never is becomes U+FFFD at the end', () => {
  assert.deepEqual(run([[0xf0, 0x9f], [0x90], [0x91], ' x']).shown, ['', '', '🐑', ' x', '']);
  assert.deepEqual(run(['a', [0xe2, 0x82]]).shown, ['a', '', '\ufffd']);
});

test('a stop string over several tokens: nothing of it is shown, and what only began like it is', () => {
  assert.deepEqual(run(['one', ' E', 'N', 'D', ' two'], { stops: ['END'] }), { shown: ['one', ' ', '', '', ''], text: 'one ', settled: [0, 1], stopped: true });
  assert.deepEqual(run(['one', ' E', 'N', 'T'], { stops: ['END'] }).shown, ['one', ' ', '', 'ENT', '']);
  assert.equal(run(['a EN', 'D b'], { stops: ['D', 'END'] }).text, 'a ', 'the one that begins first');
  assert.equal(run(['a', 'b'], { stops: ['ab'] }).text, '');
  assert.deepEqual(run(['x', 'EN'], { stops: ['END'] }).text, 'xEN', 'the end of the answer is no stop string');
});

test('Dolly\'s answers have no white space around them, and keep what is inside', () => {
  assert.deepEqual(run(['\n', ' Tope', '\n', '\n', 'is.', '\n\n'], { trims: true }).shown, ['', 'Tope', '', '', '\n\nis.', '', '']);
  assert.equal(run([' \n', '\t'], { trims: true }).text, '');
  assert.deepEqual(run(['\n', 'a', '\n'], { trims: true }).settled, [0, 1, 2]);
});

test('the space that a vocabulary puts before a text is left out once', () => {
  assert.equal(run([' a', ' b'], { dropsFirstSpace: true }).text, 'a b');
  assert.equal(run([[], '  a'], { dropsFirstSpace: true }).text, ' a');
});

test('whatever the tokens, the pieces are the text up to the first stop string, and no token is told twice or lost', () => {
  const token = fc.oneof(fc.constantFrom('a', 'b', 'ab', ' ', '\n', 'é'), fc.constantFrom([0xf0, 0x9f], [0x90, 0x91], [0xe2], [0xff]));
  fc.assert(fc.property(fc.array(token, { maxLength: 12 }), fc.subarray(['ab', 'ba', 'aab', '\n\n', 'é'], { maxLength: 3 }), fc.boolean(), (tokens, stops, trims) => {
    const whole = new TextDecoder().decode(Buffer.concat(tokens.map((t) => (typeof t === 'string' ? Buffer.from(t) : Buffer.from(t)))));
    const cuts = stops.map((s) => whole.indexOf(s)).filter((at) => at >= 0);
    const expected = cuts.length === 0 ? whole : whole.slice(0, Math.min(...cuts));
    const { text, settled, stopped } = run(tokens, { stops, trims });
    assert.equal(text, trims ? expected.trim() : expected);
    assert.equal(stopped, cuts.length > 0);
    assert.deepEqual(settled, [...settled.keys()], 'in order, from the first');
    if (!stopped) assert.equal(settled.length, tokens.length);
  }), { numRuns: 2000, seed: 11 });
});

for (const file of ['tiny.json']) {
  test(`bytes put together are what the tokenizer decodes: ${file}`, () => {
    const tokenizer = loadTokenizer(readFileSync(join(import.meta.dirname, '../fixtures/tokenizer', file), 'utf8'), file);
    const { bytes } = tokenBytes(tokenizer);
    assert.equal(bytes.length, tokenizer.size);
    fc.assert(fc.property(fc.array(fc.nat(tokenizer.size - 1), { maxLength: 20 }), (ids) => {
      assert.equal(new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(ids.map((id) => bytes[id]!))), tokenizer.decode(ids, { skipSpecial: true }));
    }), { numRuns: 500, seed: 5 });
  });
}
