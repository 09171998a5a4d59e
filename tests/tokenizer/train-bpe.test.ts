/** Training a tokenizer: merges, vocabulary and ids as Hugging Face's tokenizers library has them (tools/tokenizer-fixture/train_bpe.py). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { UsageError } from '../../src/errors.ts';
import { loadTokenizer } from '../../src/tokenizer/tokenizer.ts';
import { trainBpe, type BpeOptions } from '../../src/tokenizer/train-bpe.ts';

const END = '<|endoftext|>';

interface Case {
  name: string;
  vocab_size: number;
  texts: string[];
  merges: string[];
  /** Tokens by id. */
  vocab: string[];
  encoded: { text: string; ids: number[] }[];
}

const { cases } = JSON.parse(readFileSync(new URL('../fixtures/tokenizer/train-bpe.json', import.meta.url), 'utf8')) as { cases: Case[] };

/** Merges as the fixture writes them, and tokens by id. */
function trained(texts: Iterable<string>, options: Partial<BpeOptions> & Pick<BpeOptions, 'vocabSize'>): { json: string; merges: string[]; vocab: string[] } {
  const json = trainBpe(texts, { specialTokens: [END], ...options });
  const { model } = JSON.parse(json) as { model: { merges: [string, string][]; vocab: Record<string, number> } };
  const vocab: string[] = [];
  for (const [token, id] of Object.entries(model.vocab)) vocab[id] = token;
  return { json, merges: model.merges.map((pair) => pair.join(' ')), vocab };
}

describe('the library\'s own results', () => {
  assert.ok(cases.length >= 5 && cases.some(({ merges }) => merges.length > 600));
  for (const { name, texts, vocab_size: vocabSize, ...expected } of cases) {
    test(name, () => {
      const { json, merges, vocab } = trained(texts, { vocabSize });
      assert.deepEqual(merges, expected.merges);
      assert.deepEqual(vocab, expected.vocab);
      const tokenizer = loadTokenizer(json, 'trained');
      assert.equal(tokenizer.size, expected.vocab.length);
      assert.equal(tokenizer.specialId(END), 0);
      for (const { text, ids } of expected.encoded) {
        assert.deepEqual(tokenizer.encodeText(text), ids, JSON.stringify(text));
        assert.equal(tokenizer.decode(ids), text);
      }
    });
  }

  test('do not depend on the order or the division of the texts', () => {
    const { texts, vocab_size: vocabSize } = cases.find(({ name }) => name === 'many ties')!;
    const { json } = trained(texts, { vocabSize });
    assert.equal(trained(texts.toReversed(), { vocabSize }).json, json);
    assert.equal(trained([texts.join('\n')], { vocabSize }).json === json, false, 'newlines are text');
  });
});

describe('by hand', () => {
  // Byte-level vocabularies write a space as Ġ.
  test('the most frequent pair comes first, of equals the one of lower ids', () => {
// Three of c d; then two each of a b, Ġ cd and Ġ a, of which a has the lowest id; then Ġ cd, whose cd is older than ab.
    assert.deepEqual(trained(['cd cd cd ab ab'], { vocabSize: 1000 }).merges, ['c d', 'a b', 'Ġ cd', 'Ġ ab']);
  });
  test('a pair below the least frequency is no token', () => {
    assert.deepEqual(trained(['xy zz xy zz xy'], { vocabSize: 1000, minFrequency: 3 }).merges, ['x y']);
    assert.deepEqual(trained(['xy zz'], { vocabSize: 1000 }).merges, []);
    assert.deepEqual(trained(['xyz'], { vocabSize: 1000, minFrequency: 1 }).merges, ['x y', 'xy z']);
  });
  test('pairs that overlap count as often as they stand, and merge from the left', () => {
    const { json, merges } = trained(['aaaaa'], { vocabSize: 258 });
    assert.deepEqual(merges, ['a a']);
    const tokenizer = loadTokenizer(json, 'trained');
    assert.deepEqual(tokenizer.encodeText('aaaaa').map((id) => tokenizer.decode([id])), ['aa', 'aa', 'a']);
  });
  test('merges never cross words, digits, signs or white space', () => {
    const { vocab } = trained(['ab12, ab12, ab12, ab12,'], { vocabSize: 1000 });
    assert.deepEqual(vocab.slice(257), ['12', 'ab', 'Ġab']);
  });
  test('U+0085 is white space and U+FEFF is not', () => {
    assert.deepEqual(trained(['a\u0085b a\u0085b a\u0085b'], { vocabSize: 1000 }).vocab.slice(257), ['Âħ', 'Ġa']);
    assert.deepEqual(trained([' \ufeff \ufeff \ufeff'], { vocabSize: 1000 }).vocab.slice(257).at(-1), 'Ġï»¿');
  });
  test('special tokens take the first ids and are not learnt from text', () => {
    const { vocab } = trained([`${END} ${END} ${END}`], { vocabSize: 1000, specialTokens: [END, '<|other|>'] });
    assert.deepEqual(vocab.slice(0, 3), [END, '<|other|>', '!']);
    assert.equal(vocab.lastIndexOf(END), 0);
    assert.ok(vocab.slice(258).includes('endoftext'));
  });
});

test('a vocabulary without room for the bytes is refused', () => {
  assert.throws(() => trainBpe(['text'], { vocabSize: 256, specialTokens: [END] }), (error: Error) =>
    error instanceof UsageError && /--vocab-size: expected a vocabulary of at least 257.*, found 256/.test(error.message));
  assert.equal(trained(['text text'], { vocabSize: 257 }).vocab.length, 257);
});

test('one word of hundreds of thousands of characters is a word like any other', () => {
  const { merges } = trained(['й'.repeat(200_000), '🐑'.repeat(100_000)], { vocabSize: 261 });
  assert.deepEqual(merges, ['Ð ¹', 'Ð¹ Ð¹', 'ð Ł', 'Ĳ ĳ']);
});
