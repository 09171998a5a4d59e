import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../../src/errors.ts';
import { loadTokenizer } from '../../src/tokenizer/tokenizer.ts';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts';
import { needsShared, shared, tinyFile, tinyJson, tinyTokenizer } from './support.ts';
import type { TokenizerJson } from './support.ts';

const texts = (tokenizer: Tokenizer, ids: readonly number[]): string[] => ids.map((id) => tokenizer.decode([id]));

describe('the tiny tokenizer', () => {
  const tokenizer = tinyTokenizer();

  test('splits and merges', () => {
    const ids = tokenizer.encodeText('The sheep eats the wool.');
    assert.deepEqual(texts(tokenizer, ids), ['The', ' sheep', ' eats', ' the', ' wool', '.']);
    assert.deepEqual(tokenizer.encodeText('zzz'), [125, 125, 125], 'byte 122 after three special tokens');
    assert.equal(tokenizer.decode(ids), 'The sheep eats the wool.');
  });

  test('has a size of highest id + 1 and ids by content', () => {
    assert.equal(tokenizer.size, 444);
    assert.equal(tokenizer.specialId('<|im_end|>'), 2);
    assert.equal(tokenizer.specialId('<|pad|>'), 442);
    assert.equal(tokenizer.specialId('<think>'), undefined, 'an added token that is not special');
    assert.equal(tokenizer.specialId('the'), undefined);
    assert.deepEqual(tokenizer.specialTokens, ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<|pad|>']);
  });

  test('never makes a special token of a text', () => {
    for (const content of tokenizer.specialTokens) {
      const ids = tokenizer.encodeText(`a${content}b ${content}`);
      for (const id of ids) assert.ok(!tokenizer.specialTokens.includes(tokenizer.decode([id])), content);
      assert.equal(tokenizer.decode(ids), `a${content}b ${content}`);
    }
  });

  test('keeps added tokens that are not special, under their own ids, after special ones too', () => {
    assert.deepEqual(tokenizer.encodeText('    '), [439]);
    assert.deepEqual(tokenizer.encodeText('\n   <think>'), [...tokenizer.encodeText('\n'), 440, 443]);
  });

  test('applies the normalizer: a letter and its mark become one', () => {
    assert.deepEqual(tokenizer.encodeText('\u0438\u0306'), tokenizer.encodeText('\u0439'));
  });

  test('encodes nothing as nothing, and adds no begin or end', () => {
    assert.deepEqual(tokenizer.encodeText(''), []);
    assert.deepEqual(tokenizer.encodeTexts([]), []);
    assert.equal(tokenizer.encodeText('z').length, 1);
  });

  test('gives in a batch what it gives one by one', () => {
    const batch = ['the wool', '', 'é🐑', '   ', 'Below is an instruction'];
    assert.deepEqual(tokenizer.encodeTexts(batch), batch.map((text) => tokenizer.encodeText(text)));
  });

  test('decodes special tokens or leaves them out', () => {
    const ids = [1, ...tokenizer.encodeText('user'), 2];
    assert.equal(tokenizer.decode(ids), '<|im_start|>user<|im_end|>');
    assert.equal(tokenizer.decode(ids, { skipSpecial: true }), 'user');
    assert.equal(tokenizer.decode(Int32Array.from(ids)), '<|im_start|>user<|im_end|>');
    assert.equal(tokenizer.decode(tokenizer.encodeText('🐑').slice(0, 2)), '\ufffd', 'half a character');
    assert.throws(() => tokenizer.decode([444]), /expected ids below 444 that name a token, found id 444/);
  });

  test('brings any text back, up to normalisation, without special ids', () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 }).filter((value) => value.isWellFormed());
    const parts = fc.array(fc.oneof(text, fc.constantFrom('<|im_end|>', '  ', '<think>', '\n', 'sheep')), { maxLength: 6 });
    fc.assert(
      fc.property(parts, (list) => {
        const whole = list.join('');
        const ids = tokenizer.encodeText(whole);
        assert.ok(ids.every((id) => id > 2 && id !== 442 && id < 444));
        assert.equal(tokenizer.decode(ids).normalize('NFC'), whole.normalize('NFC'));
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

describe('added special tokens', () => {
  test('take the next free ids in order and do not touch texts', () => {
    const base = tinyTokenizer();
    const more = base.withSpecialTokens(['### End', '<|im_end|>', '### Response:\n', '### End']);
    assert.equal(more.size, 446);
    assert.equal(more.specialId('### End'), 444);
    assert.equal(more.specialId('### Response:\n'), 445);
    assert.equal(more.specialId('<|im_end|>'), 2);
    assert.deepEqual(more.encodeText('### End ### Response:\n'), base.encodeText('### End ### Response:\n'));
    assert.equal(more.decode([445, 444]), '### Response:\n### End');
    assert.equal(base.size, 444, 'the first is unchanged');
    assert.notEqual(more.hash, base.hash);
  });

  test('survive being written and read', () => {
    const more = tinyTokenizer().withSpecialTokens(['### End']);
    const again = loadTokenizer(more.toJson(), 'again');
    assert.equal(again.hash, more.hash);
    assert.equal(again.specialId('### End'), 444);
    assert.equal(tinyTokenizer().toJson(), tinyJson);
  });

  test('may be an ordinary token so far, which keeps its id', () => {
    const base = tinyTokenizer();
    const [id] = base.encodeText(' sheep');
    const token = Object.entries(tinyFile().model.vocab).find(([, value]) => value === id)?.[0] as string;
    const more = base.withSpecialTokens([token, '<think>']);
    assert.equal(more.size, 444);
    assert.equal(more.specialId(token), id);
    assert.equal(more.specialId('<think>'), 443);
    assert.ok(!more.encodeText(' sheep <think>').some((one) => one === id || one === 443));
  });

  test('are the same tokenizer where nothing is added; an empty one is refused', () => {
    assert.equal(tinyTokenizer().withSpecialTokens(['<|im_end|>']), tinyTokenizer());
    assert.throws(() => tinyTokenizer().withSpecialTokens(['']), InputError);
  });

  test('hash does not depend on the order of keys', () => {
    const file = tinyFile();
    const turned = Object.fromEntries(Object.entries(file).reverse());
    assert.equal(loadTokenizer(JSON.stringify(turned), 'turned').hash, tinyTokenizer().hash);
  });
});

describe('a malformed tokenizer.json', () => {
  const damaged: [string, (file: TokenizerJson) => void, RegExp][] = [
    ['no model', (f) => delete f['model' as string], /expected an object "model", found nothing/],
    ['another model type', (f) => (f.model.type = 'Unigram'), /expected a tokenizer of type "BPE", found "Unigram"/],
    ['dropout', (f) => (f.model['dropout'] = 0.1), /without dropout, found dropout 0.1/],
    ['a vocabulary that is a list', (f) => (f.model['vocab'] = [] as never), /expected an object "model.vocab", found an array of 0/],
    ['an empty vocabulary', (f) => ((f.model.vocab = {}), (f.added_tokens = []), (f.model.merges = [])), /found an empty vocabulary/],
    ['a negative id', (f) => (f.model.vocab['!'] = -1), /expected an id from 0 to 4194303 for "!", found -1/],
    ['a fractional id', (f) => (f.model.vocab['!'] = 1.5), /found 1.5/],
    ['an id near 2^63', (f) => (f.model.vocab['!'] = 2 ** 63), /found 9223372036854776000/],
    ['an id used twice', (f) => (f.model.vocab['!'] = f.model.vocab['"'] as number), /expected every id once/],
    ['no merges', (f) => delete f.model['merges' as string], /expected an array "model.merges" of at most 4194304, found nothing/],
    ['merges of numbers', (f) => (f.model.merges = [1, 2] as never), /expected merges of two tokens, found 1 as merge 0/],
    ['merges of unknown tokens', (f) => f.model.merges.push('qqq www'), /expected merges of tokens in the vocabulary, found "qqq" in merge 180/],
    ['an added token without content', (f) => (f.added_tokens[0] = { id: 0, special: true } as never), /expected a text "content"/],
    ['an added token without "special"', (f) => delete (f.added_tokens[0] as { special?: boolean }).special, /"special" true or false/],
    ['an added token twice', (f) => f.added_tokens.push({ ...(f.added_tokens[4] as never as { id: number; content: string; special: boolean }) }), /twice/],
    ['an added id against the vocabulary', (f) => ((f.added_tokens[0] as { id: number }).id = 443), /expected id 0 for "<\|endoftext\|>", as in the vocabulary, found id 443/],
    ['an unknown pre-tokenizer', (f) => (f['pre_tokenizer'] = { type: 'Nothing' }), /library can load/],
    ['a regular expression that is none', (f) => (f['pre_tokenizer'] = { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated', invert: false }), /library can load/],
    ['an unknown decoder', (f) => (f['decoder'] = { type: 'Nothing' }), /library can load/],
  ];
  for (const [what, damage, message] of damaged) {
    test(`with ${what} is refused`, () => {
      const file = tinyFile();
      damage(file);
      assert.throws(
        () => loadTokenizer(JSON.stringify(file), 'dir/tokenizer.json'),
        (error: Error) => {
          assert.ok(error instanceof InputError, String(error));
          assert.match(error.message, /^dir\/tokenizer\.json: /);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  test('that is not JSON, or deeply nested, is refused', () => {
    assert.throws(() => loadTokenizer('{"model"', 'x'), /found text that is not JSON/);
    assert.throws(() => loadTokenizer('[]', 'x'), /expected a JSON object, found an array/);
    const file = { ...tinyFile(), normalizer: JSON.parse(`${'{"type":"Sequence","normalizers":['.repeat(300)}${']}'.repeat(300)}`) };
    assert.throws(() => loadTokenizer(JSON.stringify(file), 'x'), InputError);
  });

  test('in any damaged form is refused or works, never anything else', () => {
    const paths = ['version', 'added_tokens', 'normalizer', 'pre_tokenizer', 'decoder', 'model'];
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue({ maxDepth: 2 }), (path, value) => {
        try {
          loadTokenizer(JSON.stringify({ ...tinyFile(), [path]: value }), 'x').encodeText('the sheep');
        } catch (error) {
          assert.ok(error instanceof InputError, String(error));
        }
      }),
      { seed: 5, numRuns: 120 },
    );
  });

  test('without a token for some byte refuses only texts that need it, naming the character', () => {
    const file = tinyFile();
    delete file.model.vocab['Ń']; // stands for byte 0xAD
    file.model.vocab['unused'] = tinyFile().model.vocab['Ń'] as number;
    const tokenizer = loadTokenizer(JSON.stringify(file), 'x');
    assert.equal(tokenizer.decode(tokenizer.encodeText('the sheep é')), 'the sheep é');
    assert.throws(() => tokenizer.encodeText('soft\u00adhyphen'), /expected text that the vocabulary can express, found U\+00AD, which has no token/);
    assert.throws(() => tokenizer.encodeText('é🐑 \u{1F46D}中'), /found U\+1F46D/);
  });
});

describe('the published vectors', () => {
  for (const [file, json] of [
    ['gpt-neox.txt', 'gpt-neox/20B_tokenizer.json'],
    ['gpt-2.txt', 'gpt2/tokenizer.json'],
  ] as const) {
    test(`all 100 lines of ${file}`, needsShared('tokenizers/gpt-2.txt'), () => {
      const tokenizer = loadTokenizer(readFileSync(join(shared, 'tokenizers', json), 'utf8'), json);
      const vectors = readVectors(file);
      assert.equal(vectors.length, 100);
      for (const { text, ids } of vectors) assert.deepEqual(tokenizer.encodeText(text), ids, text);
    });
  }

  test('Dolly adds 50277, 50278 and 50279 to GPT-NeoX', needsShared('tokenizers/gpt-2.txt'), () => {
    const json = readFileSync(join(shared, 'tokenizers/gpt-neox/20B_tokenizer.json'), 'utf8');
    const tokenizer = loadTokenizer(json, '20B').withSpecialTokens(['### End', '### Instruction:', '### Response:\n']);
    assert.equal(tokenizer.size, 50280);
    assert.equal(tokenizer.specialId('### Response:\n'), 50279);
    assert.deepEqual(tokenizer.encodeText('<|endoftext|>').includes(0), false);
  });
});

function readVectors(file: string): { text: string; ids: number[] }[] {
  const lines = readFileSync(join(shared, 'tokenizers', file), 'utf8').split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const arrow = line.lastIndexOf(' => ');
    return { text: line.slice(0, arrow), ids: line.slice(arrow + 4).split(',').map(Number) };
  });
}
