import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../../src/errors.ts';
import { openGguf } from '../../src/formats/gguf.ts';
import { tokenizerJsonFromGguf } from '../../src/tokenizer/from-gguf.ts';
import { PRE_TOKENIZERS } from '../../src/tokenizer/gguf-pretokenizers.ts';
import { loadTokenizer } from '../../src/tokenizer/tokenizer.ts';
import { needsShared, needsSmollm2, shared, smollm2, tinyMetadata, tinyTokenizer } from './support.ts';

interface Case {
  text: string;
  ids: number[];
}

function fixture(name: string): Case[] {
  const path = new URL(`../fixtures/tokenizer/${name}`, import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { cases: Case[] }).cases;
}

const load = (metadata: ReadonlyMap<string, unknown>) => loadTokenizer(tokenizerJsonFromGguf(metadata).json, 'gguf');

describe('a tokenizer from GGUF metadata', () => {
  test('gives the ids of the tokenizer.json it was written from', () => {
    const result = tokenizerJsonFromGguf(tinyMetadata());
    assert.equal(result.bosToken, '<|endoftext|>');
    assert.equal(result.eosToken, '<|im_end|>');
    assert.equal(result.chatTemplate, '{{ messages[0].content }}');
    assert.equal(result.addBos, false);
    const [ours, original] = [loadTokenizer(result.json, 'gguf'), tinyTokenizer()];
    assert.equal(ours.size, original.size);
    assert.deepEqual(ours.specialTokens, original.specialTokens);
    for (const text of ['The sheep eats   hay', "don't <think>", '\u0438\u0306 1234', '<|im_end|>\n\n    x']) {
      assert.deepEqual(ours.encodeText(text), original.encodeText(text), text);
    }
  });

  test('drops the padding rows at the end of a vocabulary, and only those', () => {
    const metadata = tinyMetadata();
    const tokens = metadata.get('tokenizer.ggml.tokens') as string[];
    const types = metadata.get('tokenizer.ggml.token_type') as number[];
    tokens.push('[PAD7]', '[PAD445]', '[PAD446]');
    types.push(4, 4, 5);
    const tokenizer = load(metadata);
    assert.equal(tokenizer.size, 445);
    assert.deepEqual(tokenizer.encodeText('[PAD7]'), [444]);
    assert.ok(tokenizer.encodeText('[PAD446]').length > 1);
  });

  test('takes typed arrays and big integers as a reader may give them', () => {
    const metadata = tinyMetadata();
    metadata.set('tokenizer.ggml.token_type', Int32Array.from(metadata.get('tokenizer.ggml.token_type') as number[]));
    metadata.set('tokenizer.ggml.eos_token_id', 2n);
    assert.equal(tokenizerJsonFromGguf(metadata).eosToken, '<|im_end|>');
  });

  test('cuts digits and spaces as each pre-tokenizer says', () => {
    const pieces = (pre: string, text: string): string[] => {
      const metadata = tinyMetadata();
      metadata.set('tokenizer.ggml.pre', pre);
      // A merge of every two digits shows where digits stay together.
      const tokens = metadata.get('tokenizer.ggml.tokens') as string[];
      const merges = metadata.get('tokenizer.ggml.merges') as string[];
      for (const [left, right] of [['1', '2'], ['12', '3'], ['123', '4'], ['Ġ', '1'], ['!', '!']] as const) {
        tokens.push(left + right);
        (metadata.get('tokenizer.ggml.token_type') as number[]).push(1);
        merges.push(`${left} ${right}`);
      }
      const tokenizer = load(metadata);
      return tokenizer.encodeText(text).map((id) => tokenizer.decode([id]));
    };
    assert.deepEqual(pieces('gpt-2', '1234 1!!'), ['1234', ' 1', '!!']);
    assert.deepEqual(pieces('olmo', '1234 1!!'), ['1234', ' 1', '!!']);
    assert.deepEqual(pieces('smollm', '1234 1!!'), ['1', '2', '3', '4', ' ', '1', '!!']);
    assert.deepEqual(pieces('llama-bpe', '1234 1!!'), ['123', '4', ' ', '1', '!!']);
    assert.deepEqual(pieces('qwen2', '1234 1!!'), ['1', '2', '3', '4', ' ', '1', '!!']);
    assert.deepEqual(pieces('default', '1234 1!!'), ['123', '4', ' ', '1', '!!']);
  });

  test('says whether a begin token is wanted', () => {
    const metadata = tinyMetadata();
    metadata.set('tokenizer.ggml.pre', 'llama-bpe');
    assert.equal(tokenizerJsonFromGguf(metadata).addBos, true);
    metadata.set('tokenizer.ggml.add_bos_token', false);
    assert.equal(tokenizerJsonFromGguf(metadata).addBos, false);
  });

  test('knows GPT-NeoX without "pre", and nobody else', () => {
    const metadata = tinyMetadata();
    metadata.delete('tokenizer.ggml.pre');
    assert.deepEqual(load(metadata).encodeText('\u0438\u0306'), load(tinyMetadata()).encodeText('\u0439'));
    metadata.set('general.architecture', 'llama');
    assert.throws(() => tokenizerJsonFromGguf(metadata), /expected a key "tokenizer.ggml.pre", found none/);
  });

  test('every known pre-tokenizer loads', () => {
    for (const pre of PRE_TOKENIZERS.keys()) {
      const metadata = tinyMetadata().set('tokenizer.ggml.pre', pre);
      const tokenizer = load(metadata);
      assert.equal(tokenizer.decode(tokenizer.encodeText("It's 12 sheep,  ok?\n")), "It's 12 sheep,  ok?\n", pre);
    }
  });

  const damaged: [string, (metadata: Map<string, unknown>) => void, RegExp][] = [
    ['no model', (m) => m.delete('tokenizer.ggml.model'), /x\.gguf: expected a key "tokenizer.ggml.model", found none/],
    ['an unknown model', (m) => m.set('tokenizer.ggml.model', 't5'), /found "t5"/],
    ['an unknown pre-tokenizer', (m) => m.set('tokenizer.ggml.pre', 'tekken'), /to be one of default, .*, found "tekken"/],
    ['a model that is a number', (m) => m.set('tokenizer.ggml.model', 1), /expected a string in "tokenizer.ggml.model", found a number/],
    ['no tokens', (m) => m.delete('tokenizer.ggml.tokens'), /expected a key "tokenizer.ggml.tokens"/],
    ['tokens that are a string', (m) => m.set('tokenizer.ggml.tokens', 'abc'), /expected an array in "tokenizer.ggml.tokens", found a string/],
    ['a token that is a number', (m) => ((m.get('tokenizer.ggml.tokens') as unknown[])[5] = 5), /expected strings only/],
    ['a token twice', (m) => ((m.get('tokenizer.ggml.tokens') as unknown[])[5] = '#'), /expected every token once, found "#" at ids 5 and/],
    ['an empty token', (m) => ((m.get('tokenizer.ggml.tokens') as unknown[])[5] = ''), /an empty token at id 5/],
    ['padding only', (m) => (m.set('tokenizer.ggml.tokens', ['[PAD0]']), m.set('tokenizer.ggml.token_type', [5])), /an empty vocabulary/],
    ['no token types', (m) => m.delete('tokenizer.ggml.token_type'), /expected a key "tokenizer.ggml.token_type"/],
    ['too few token types', (m) => m.set('tokenizer.ggml.token_type', [1, 2]), /expected one token type for each of 444 tokens, found 2/],
    ['an unknown token type', (m) => ((m.get('tokenizer.ggml.token_type') as number[])[9] = 9), /found 9 for token 9/],
    ['no merges', (m) => m.delete('tokenizer.ggml.merges'), /expected a key "tokenizer.ggml.merges"/],
    ['half a merge', (m) => (m.get('tokenizer.ggml.merges') as string[]).push('the'), /found "the" as merge 180/],
    ['a merge twice', (m) => (m.get('tokenizer.ggml.merges') as string[]).push((m.get('tokenizer.ggml.merges') as string[])[0] as string), /again as merge 180/],
    ['a merge to no token', (m) => (m.get('tokenizer.ggml.merges') as string[]).push('q q'), /merge 180 with "qq", which is not/],
    ['an end token outside', (m) => m.set('tokenizer.ggml.eos_token_id', 444), /expected an id below 444 in "tokenizer.ggml.eos_token_id", found 444/],
    ['an end token near 2^63', (m) => m.set('tokenizer.ggml.eos_token_id', 2n ** 63n - 1n), /found 9223372036854775807|found 9223372036854776000/],
    ['a begin flag that is text', (m) => m.set('tokenizer.ggml.add_bos_token', 'yes'), /expected true or false/],
    ['a template that is a list', (m) => m.set('tokenizer.chat_template', ['a']), /expected a string in "tokenizer.chat_template", found an array/],
  ];
  for (const [what, damage, message] of damaged) {
    test(`with ${what} is refused`, () => {
      const metadata = tinyMetadata();
      damage(metadata);
      assert.throws(
        () => tokenizerJsonFromGguf(metadata, 'x.gguf'),
        (error: Error) => error instanceof InputError && message.test(error.message),
      );
    });
  }

  test('in any damaged form is refused or loads', () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.bigInt(), fc.constant(new Int32Array(3)));
    fc.assert(
      fc.property(fc.constantFrom(...tinyMetadata().keys()), value, (key, damage) => {
        try {
          load(tinyMetadata().set(key, damage));
        } catch (error) {
          assert.ok(error instanceof InputError, String(error));
        }
      }),
      { seed: 6, numRuns: 120 },
    );
  });
});

describe('real GGUF files', () => {
  test('SmolLM2 gives the ids of llama.cpp and brings texts back', needsSmollm2, () => {
    const file = openGguf(smollm2 as string);
    const result = tokenizerJsonFromGguf(file.metadata, 'SmolLM2');
    file.close();
    assert.deepEqual([result.bosToken, result.eosToken, result.addBos], ['<|im_start|>', '<|im_end|>', false]);
    const tokenizer = loadTokenizer(result.json, 'SmolLM2');
    assert.equal(tokenizer.size, 49152);
    const cases = fixture('smollm2-llamacpp.json');
    assert.ok(cases.length >= 60);
    for (const { text, ids } of cases) {
      assert.deepEqual(tokenizer.encodeText(text), ids, text);
      assert.equal(tokenizer.decode(ids), text);
    }
    assert.throws(() => tokenizer.encodeText('a\u0004'), /found U\+0004, which has no token/);
  });

  test('the vocabulary-only GPT-NeoX file gives the published ids', needsShared('tokenizers/gpt-neox.txt'), () => {
    const folder = join(shared, 'tokenizers/gpt-neox');
    const file = openGguf(join(folder, 'ggml-vocab-gpt-neox.gguf'));
    const tokenizer = loadTokenizer(tokenizerJsonFromGguf(file.metadata).json, 'gguf');
    file.close();
    const published = loadTokenizer(readFileSync(join(folder, '20B_tokenizer.json'), 'utf8'), '20B');
    assert.equal(tokenizer.size, 50277);
    const lines = readFileSync(join(shared, 'tokenizers/gpt-neox.txt'), 'utf8').split('\n').filter((line) => line !== '');
    assert.equal(lines.length, 100);
    for (const line of lines) {
      const arrow = line.lastIndexOf(' => ');
      assert.equal(tokenizer.encodeText(line.slice(0, arrow)).join(), line.slice(arrow + 4));
    }
    for (const { text } of fixture('smollm2-llamacpp.json')) {
      assert.deepEqual(tokenizer.encodeText(text), published.encodeText(text), text);
    }
  });

  test('a SentencePiece vocabulary gives the ids of SentencePiece', needsShared('stories260K/tok512.bin'), () => {
    const metadata = tok512Metadata();
    const result = tokenizerJsonFromGguf(metadata);
    assert.deepEqual([result.bosToken, result.eosToken, result.addBos], ['<s>', '</s>', true]);
    const tokenizer = loadTokenizer(result.json, 'tok512');
    for (const { text, ids } of fixture('tok512-sentencepiece.json')) {
      assert.deepEqual(tokenizer.encodeText(text), ids, text);
      assert.equal(tokenizer.decode(ids), text.replaceAll('\u2581', ' '), 'decodes');
    }
    const pieces = metadata.get('tokenizer.ggml.tokens') as string[];
    const named = (ids: number[]): string[] => ids.map((id) => pieces[id] as string);
    assert.equal(named(tokenizer.encodeText('the'))[0], '\u2581the');
    assert.ok(!named(tokenizer.encodeText('the', { continues: true })).join('').startsWith('\u2581'));
    metadata.delete('tokenizer.ggml.scores');
    assert.throws(() => tokenizerJsonFromGguf(metadata), /expected a key "tokenizer.ggml.scores"/);
  });
});

/** llama2.c's tokenizer file: a 4-byte header, then score, length and bytes of each piece, a space for the mark. */
function tok512Metadata(): Map<string, unknown> {
  const bytes = readFileSync(join(shared, 'stories260K/tok512.bin'));
  const [tokens, scores]: [string[], number[]] = [[], []];
  for (let at = 4; at < bytes.length; ) {
    const length = bytes.readInt32LE(at + 4);
    scores.push(bytes.readFloatLE(at));
    tokens.push(bytes.toString('utf8', at + 8, at + 8 + length));
    at += 8 + length;
  }
  const pieces = tokens.map((token, id) => (id === 1 ? '<s>' : id === 2 ? '</s>' : token.replaceAll(' ', '\u2581')));
  return new Map<string, unknown>([
    ['general.architecture', 'llama'],
    ['tokenizer.ggml.model', 'llama'],
    ['tokenizer.ggml.tokens', pieces],
    ['tokenizer.ggml.scores', scores],
    ['tokenizer.ggml.token_type', pieces.map((_, id) => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1))],
    ['tokenizer.ggml.bos_token_id', 1],
    ['tokenizer.ggml.eos_token_id', 2],
    ['tokenizer.ggml.unknown_token_id', 0],
  ]);
}
