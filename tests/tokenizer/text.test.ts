/** Documents as rows: every token but the first is a target once, wherever a document is cut. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { encodeDocuments, END_OF_TEXT, textTemplate } from '../../src/tokenizer/text.ts';
import { loadTokenizer } from '../../src/tokenizer/tokenizer.ts';
import { trainBpe } from '../../src/tokenizer/train-bpe.ts';

const LONG = `The sheep eats the wool, says the shepherd; "${'the sheep and the wool '.repeat(6)}" – овца 🐑 ${END_OF_TEXT} и шерсть.\n`;
const tokenizer = loadTokenizer(trainBpe([LONG], { vocabSize: 300, specialTokens: [END_OF_TEXT] }), 'own');
const END = tokenizer.specialId(END_OF_TEXT)!;
const idsOf = (text: string) => [...tokenizer.encodeText(text), END];
const whole = idsOf(LONG);

describe('a document', () => {
  test('that fits is one row', () => {
    const [row, ...others] = encodeDocuments([{ text: 'The sheep.', line: 7 }], tokenizer, 100);
    const ids = idsOf('The sheep.');
    assert.deepEqual(others, []);
    assert.deepEqual([...row!.ids], ids);
    assert.deepEqual([...row!.trained], [0, ...ids.slice(1).map(() => 1)]);
    assert.equal(row!.line, 7);
    assert.equal(row!.category, 'text');
    assert.equal(row!.open, undefined);
    assert.equal(row!.hash, createHash('sha256').update('The sheep.').digest('hex'));
  });

  const lengths = [2, 3, 7, 50, whole.length - 1, whole.length, whole.length + 1];
  for (const maxLength of lengths) {
    test(`in rows of at most ${maxLength} tokens: every token but the first is a target once`, () => {
      const rows = encodeDocuments([{ text: LONG, line: 3 }], tokenizer, maxLength);
      assert.ok(rows.every(({ ids, trained }) => ids.length >= 2 && ids.length <= maxLength && trained.length === ids.length));
      assert.deepEqual(rows.flatMap(({ ids, trained }) => [...ids].filter((_, i) => trained[i] === 1)), whole.slice(1));
      rows.forEach(({ ids, trained, line, open, hash }, i) => {
        assert.equal(trained[0], 0);
        assert.equal(ids[0], i === 0 ? whole[0] : rows[i - 1]!.ids.at(-1), 'a row begins with the last token of the one before');
        assert.equal(line, 3);
        assert.equal(open, i < rows.length - 1 ? true : undefined);
        assert.equal(ids.at(-1) === END, i === rows.length - 1);
        assert.equal(rows.findIndex((r) => r.hash === hash), i, 'hashes differ');
      });
      assert.equal(rows.length, Math.ceil((whole.length - 1) / (maxLength - 1)));
    });

    test(`in rows of at most ${maxLength} tokens: bytes are those of the targets, even where a character is cut`, () => {
      const rows = encodeDocuments([{ text: LONG, line: 1 }], tokenizer, maxLength);
      const first = Buffer.byteLength(tokenizer.decode(whole.slice(0, 1)));
      assert.equal(rows.reduce((sum, row) => sum + row.responseBytes, 0), Buffer.byteLength(LONG) - first);
    });
  }
});

test('many documents keep their order and lines', () => {
  const documents = Array.from({ length: 1100 }, (_, i) => ({ text: `the sheep ${i}`, line: i + 1 }));
  const rows = encodeDocuments(documents, tokenizer, 100);
  assert.deepEqual(rows.map((r) => [r.line, tokenizer.decode(r.ids)]), documents.map(({ text, line }) => [line, text + END_OF_TEXT]));
  assert.equal(new Set(rows.map((r) => r.hash)).size, 1100);
});

test('text that looks like the end token never becomes it', () => {
  const text = `${END_OF_TEXT}a ${END_OF_TEXT}\n${END_OF_TEXT}`;
  const [row] = encodeDocuments([{ text, line: 1 }], tokenizer, 1000);
  assert.equal([...row!.ids].filter((id) => id === END).length, 1);
  assert.equal(row!.ids.at(-1), END);
  assert.equal(tokenizer.decode(row!.ids, { skipSpecial: true }), text);
});

test('the template frames a text with its end alone', () => {
  assert.deepEqual(textTemplate.example({ instruction: '', context: '', response: 'Wool.', category: '' } as never), [{ text: 'Wool.', trained: true }, { special: END_OF_TEXT, trained: true }]);
  assert.equal(textTemplate.stopToken, END_OF_TEXT);
  assert.deepEqual(textTemplate.addedTokens, []);
});
