/**
 * Makes tests/fixtures/tokenizer/tiny.json: a byte-level BPE tokenizer of a few hundred tokens, trained here on the
 * sentences below by counting pairs, so that the tests have a real tokenizer without any downloaded file. It has what
 * matters in the large ones: special tokens at the front of the vocabulary, one special token after it, and runs of
 * spaces as added tokens that are not special.
 *
 *   node tools/tokenizer-fixture/tiny.mjs
 */
import { writeFileSync } from 'node:fs';

const CORPUS = `The shepherd counts the sheep in the morning and in the evening.
What does the sheep eat? The sheep eats grass, and in the winter it eats hay.
Write a short answer to the question about the sheep and the wool.
Below is an instruction that describes a task. Write a response that appropriately completes the request.
### Instruction: ### Response: ### End Input: user assistant system
The wool is white, the wool is warm, and the wool of the old sheep is grey.
Name three animals that live on the hill: the sheep, the goat and the hare.
When was the first lamb born this year? The first lamb was born on the third of March.`.repeat(3);
const MERGES = 180;
const SPECIAL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];

const bytes = [];
for (let byte = 0, shifted = 0; byte < 256; byte++) {
  const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  bytes.push(String.fromCharCode(printable ? byte : 256 + shifted++));
}
const pieces = CORPUS.match(/'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu);
let words = pieces.map((piece) => [...Buffer.from(piece)].map((byte) => bytes[byte]));
const merges = [];
const tokens = [...SPECIAL, ...bytes];
while (merges.length < MERGES) {
  const counts = new Map();
  for (const word of words) {
    for (let i = 1; i < word.length; i++) {
      const pair = `${word[i - 1]} ${word[i]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
  }
  const [best] = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0];
  const [left, right] = best.split(' ');
  merges.push([left, right]);
  tokens.push(left + right);
  words = words.map((word) => {
    const joined = [];
    for (const token of word) {
      if (joined.at(-1) === left && token === right) joined[joined.length - 1] = left + right;
      else joined.push(token);
    }
    return joined;
  });
}

const flags = { single_word: false, lstrip: false, rstrip: false };
let next = tokens.length;
const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const file = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [
    ...SPECIAL.map((content, id) => ({ id, content, ...flags, normalized: false, special: true })),
    ...['    ', '   ', '  '].map((content) => ({ id: next++, content, ...flags, normalized: true, special: false })),
    { id: next++, content: '<|pad|>', ...flags, normalized: false, special: true },
    { id: next++, content: '<think>', ...flags, normalized: false, special: false },
  ],
  normalizer: { type: 'NFC' },
  pre_tokenizer: byteLevel,
  post_processor: byteLevel,
  decoder: byteLevel,
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    merges: merges.map((pair) => pair.join(' ')),
  },
};
const out = new URL('../../tests/fixtures/tokenizer/tiny.json', import.meta.url);
writeFileSync(out, `${JSON.stringify(file).replace(/,"(added_tokens|normalizer|model|vocab|merges)":/g, ',\n"$1":')}\n`);
console.log(`${next} ids, ${merges.length} merges`);
