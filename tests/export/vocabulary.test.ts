/** A tokenizer.json through the keys of a GGUF and back: the same ids, types as llama.cpp's converter has them, padding, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preTokenizerName, vocabularyKeys } from '../../src/export/vocabulary.ts';
import type { GgufTyped } from '../../src/formats/gguf-write.ts';
import { DOLLY_JINJA, dollyTemplate } from '../../src/tokenizer/dolly.ts';
import { chatTemplate } from '../../src/tokenizer/chat.ts';
import { encodePrompt } from '../../src/tokenizer/example.ts';
import { tokenizerJsonFromGguf } from '../../src/tokenizer/from-gguf.ts';
import { JinjaTemplate } from '../../src/tokenizer/jinja.ts';
import { PRE_TOKENIZERS } from '../../src/tokenizer/gguf-pretokenizers.ts';
import { loadTokenizer } from '../../src/tokenizer/tokenizer.ts';
import { tinyFile, tinyJson, tinyTokenizer } from '../tokenizer/support.ts';

const plain = (keys: readonly [string, GgufTyped][]) => new Map<string, unknown>(keys.map(([key, { value }]) => [key, typeof value === 'object' ? Array.from(value as ArrayLike<unknown>) : value]));
const keysOf = (json: string, size: number) => plain(vocabularyKeys({ json, size, where: 'here' }));

const TEXTS = ['The sheep eats   hay', 'a    b  c', '1234 12', '\u0438\u0306', 'don\'t <think>', '<|im_end|>\n\n    x', '### Response:\nx'];

test('byte-level: the same ids, padding at the end, added tokens as control or user-defined', () => {
  const keys = keysOf(tinyJson, 448);
  assert.equal(keys.get('tokenizer.ggml.model'), 'gpt2');
  assert.equal(keys.get('tokenizer.ggml.pre'), 'olmo');
  const [tokens, types] = [keys.get('tokenizer.ggml.tokens') as string[], keys.get('tokenizer.ggml.token_type') as number[]];
  assert.equal(tokens.length, 448);
  assert.deepEqual(tokens.slice(439), ['    ', '   ', '  ', '<|pad|>', '<think>', '[PAD444]', '[PAD445]', '[PAD446]', '[PAD447]']);
  assert.deepEqual(types.slice(439), [4, 4, 4, 3, 4, 5, 5, 5, 5]);
  assert.deepEqual(types.slice(0, 4), [3, 3, 3, 1]);
  const back = loadTokenizer(tokenizerJsonFromGguf(keys, 'back').json, 'back');
  assert.equal(back.size, tinyTokenizer().size);
  assert.deepEqual(back.specialTokens, tinyTokenizer().specialTokens);
  assert.deepEqual(back.encodeTexts(TEXTS), tinyTokenizer().encodeTexts(TEXTS));
});

test('SentencePiece: the same ids through scores', () => {
  const pieces = ['<unk>', '<s>', '</s>', ...Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`), '▁t', 'he', '▁the', '▁', 't', 'h', 'e', 's'];
  const scores = pieces.map((_, id) => (id < 259 ? 0 : 258 - id));
  const types = pieces.map((_, id) => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1));
  const json = tokenizerJsonFromGguf(new Map<string, unknown>([
    ['tokenizer.ggml.model', 'llama'], ['tokenizer.ggml.tokens', pieces], ['tokenizer.ggml.scores', scores], ['tokenizer.ggml.token_type', types], ['tokenizer.ggml.unknown_token_id', 0],
  ])).json;
  const keys = keysOf(json, pieces.length);
  assert.equal(keys.get('tokenizer.ggml.model'), 'llama');
  assert.deepEqual(keys.get('tokenizer.ggml.token_type'), types);
  assert.equal(keys.get('tokenizer.ggml.add_space_prefix'), true);
  const [ours, back] = [loadTokenizer(json, 'json'), loadTokenizer(tokenizerJsonFromGguf(keys.set('tokenizer.ggml.unknown_token_id', 0)).json, 'back')];
  for (const text of ['the sheep', 'the', 'he the  set', 'ü 🐑']) assert.deepEqual(back.encodeText(text), ours.encodeText(text), text);
});

test('every way of cutting that we read has a name that llama.cpp knows', () => {
  for (const [name, pre] of PRE_TOKENIZERS) {
    const root = { normalizer: pre.normalizer, pre_tokenizer: { type: 'Sequence', pretokenizers: pre.steps }, model: { ignore_merges: pre.ignoreMerges } };
    const found = preTokenizerName(root)!;
    assert.notEqual(found, undefined, name);
    assert.deepEqual([PRE_TOKENIZERS.get(found)!.steps, PRE_TOKENIZERS.get(found)!.normalizer], [pre.steps, pre.normalizer], name);
  }
});

test('another way of cutting is refused, not guessed', () => {
  const refused = (change: (file: ReturnType<typeof tinyFile>) => void) => {
    const file = tinyFile();
    change(file);
    assert.throws(() => keysOf(JSON.stringify(file), 448), /expected a tokenizer that llama.cpp knows: olmo, .*Use --to safetensors/s);
  };
  refused((file) => (file['pre_tokenizer'] = { type: 'Whitespace' }));
  refused((file) => (file['normalizer'] = { type: 'Lowercase' }));
  refused((file) => (file['pre_tokenizer'] = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true }));
  assert.throws(() => keysOf(tinyJson, 400), /at most 400 tokens, as the embedding has rows/);
});

test('Dolly\'s template in Jinja frames as ours does, and keeps the response key with its newline', () => {
  const tokenizer = tinyTokenizer().withSpecialTokens(dollyTemplate.addedTokens);
  const record = { instruction: 'Say otter.', context: 'It swims.\n' };
  const jinja = new JinjaTemplate(DOLLY_JINJA, 'here');
  const messages = [{ role: 'user' as const, content: `${record.instruction}\n\nInput:\n${record.context}` }];
  const text = jinja.render({ messages, add_generation_prompt: true });
  assert.ok(text.endsWith('### Response:\n'));
  assert.equal(text, dollyTemplate.prompt(record).map((segment) => segment.special ?? segment.text).join(''));
  const whole = jinja.render({ messages: [...messages, { role: 'assistant', content: 'otter' }] });
  assert.equal(whole, dollyTemplate.example({ ...record, response: 'otter' }).map((segment) => segment.special ?? segment.text).join(''));
  // Read as any base's chat template, it gives the same ids and the same stop token.
  const read = chatTemplate(DOLLY_JINJA, { specialTokens: tokenizer.specialTokens });
  assert.equal(read.stopToken, '### End');
  assert.deepEqual(encodePrompt(record, tokenizer, read), encodePrompt(record, tokenizer, dollyTemplate));
  assert.throws(() => jinja.render({ messages: [{ role: 'system', content: 'x' }] }), /knows no system messages/);
});
