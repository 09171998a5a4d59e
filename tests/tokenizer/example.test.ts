import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readRecords, toRecord } from '../../src/artefacts/record.ts';
import type { InstructionRecord } from '../../src/artefacts/record.ts';
import { InputError } from '../../src/errors.ts';
import { chatTemplate } from '../../src/tokenizer/chat.ts';
import { dollyTemplate } from '../../src/tokenizer/dolly.ts';
import { encodeExamples, encodePrompt } from '../../src/tokenizer/example.ts';
import type { PromptTemplate } from '../../src/tokenizer/template.ts';
import { loadTokenizer } from '../../src/tokenizer/tokenizer.ts';
import { needsShared, shared, tinyFile, tinyTokenizer } from './support.ts';

const tokenizer = tinyTokenizer().withSpecialTokens(dollyTemplate.addedTokens);
const [end, instructionKey, responseKey] = dollyTemplate.addedTokens.map((content) => tokenizer.specialId(content) as number);
const record = (fields: Partial<InstructionRecord>, line = 1): InstructionRecord =>
  toRecord({ instruction: 'What eats the sheep?', response: 'Hay.', ...fields }, line, 'x');
const keep = { maxLength: 1_000_000, overlong: 'drop' } as const;
const chat = chatTemplate(
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
  { specialTokens: tokenizer.specialTokens },
);

describe('examples', () => {
  test('have ids and mask from the same segments', () => {
    const { examples, dropped, cut } = encodeExamples([record({ context: 'grass', category: 'qa' }, 7)], tokenizer, dollyTemplate, keep);
    const [example] = examples;
    assert.ok(example);
    const prompt = [
      ...tokenizer.encodeText(
        'Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n',
      ),
      instructionKey,
      ...tokenizer.encodeText('\nWhat eats the sheep?\n\nInput:\ngrass\n\n'),
      responseKey,
    ];
    const answer = [...tokenizer.encodeText('Hay.\n\n'), end];
    assert.deepEqual([...example.ids], [...prompt, ...answer]);
    assert.deepEqual([...example.trained], [...prompt.map(() => 0), ...answer.map(() => 1)]);
    assert.deepEqual([example.line, example.category, example.responseBytes], [7, 'qa', 4]);
    assert.equal(example.hash, record({ context: 'grass', category: 'qa' }).hash);
    assert.deepEqual([dropped, cut], [[], []]);
    assert.deepEqual([...encodePrompt(record({ context: 'grass' }), tokenizer, dollyTemplate)], prompt);
  });

  test('count bytes of the response, not characters', () => {
    assert.equal(encodeExamples([record({ response: 'é🐑' })], tokenizer, chat, keep).examples[0]?.responseBytes, 6);
  });

  test('have their boundary where it is, whatever people write', () => {
    const noise = fc.constantFrom(...dollyTemplate.addedTokens, '<|im_end|>', '<|im_start|>assistant\n', '\n', ' ', 'sheep', 'é🐑', '\n\n');
    const text = fc.array(noise, { minLength: 1, maxLength: 8 }).map((parts) => `x${parts.join('')}`);
    fc.assert(
      fc.property(text, text, text, (instruction, context, response) => {
        for (const template of [dollyTemplate, chat]) {
          const one = record({ instruction, context, response });
          const [example] = encodeExamples([one], tokenizer, template, keep).examples;
          assert.ok(example);
          const prompt = encodePrompt(one, tokenizer, template);
          const first = example.trained.indexOf(1);
          assert.equal(first, prompt.length);
          assert.deepEqual(example.ids.slice(0, first), prompt);
          assert.ok(example.trained.slice(first).every((flag) => flag === 1));
          const stop = tokenizer.specialId(template.stopToken);
          assert.equal(example.ids.at(-1), stop);
          assert.equal(example.ids.slice(first, -1).indexOf(stop as number), -1);
          const answer = tokenizer.decode(example.ids.slice(first, -1));
          assert.equal(answer, template === dollyTemplate ? `${response}\n\n` : response);
        }
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  test('that are too long are dropped and listed; exactly the limit is kept', () => {
    const records = [record({}, 1), record({ response: 'Hay. '.repeat(40) }, 2), record({}, 3)];
    const limit = encodeExamples([records[0] as InstructionRecord], tokenizer, chat, keep).examples[0]?.ids.length as number;
    const { examples, dropped } = encodeExamples(records, tokenizer, chat, { maxLength: limit, overlong: 'drop' });
    assert.deepEqual(examples.map((example) => example.line), [1, 3]);
    assert.equal(dropped.length, 1);
    assert.equal(dropped[0]?.line, 2);
    assert.ok((dropped[0]?.tokens as number) > limit);
    assert.equal(encodeExamples(records, tokenizer, chat, { maxLength: limit - 1, overlong: 'drop' }).examples.length, 0);
  });

  test('with cut-context lose the end of the context only', () => {
    const context = Array.from({ length: 60 }, (_, i) => `word${i}`).join(' ');
    const records = [record({ context }, 1), record({ response: 'Hay. '.repeat(60) }, 2), record({ context: 'short' }, 3)];
    const maxLength = 150;
    const { examples, dropped, cut } = encodeExamples(records, tokenizer, chat, { maxLength, overlong: 'cut-context' });
    assert.deepEqual(examples.map((example) => example.line), [1, 3]);
    assert.deepEqual([cut.map((row) => row.line), dropped.map((row) => row.line)], [[1], [2]]);
    const [example] = examples;
    assert.ok(example);
    assert.ok(example.ids.length <= maxLength && example.ids.length > maxLength - 12, String(example.ids.length));
    const text = tokenizer.decode(example.ids);
    assert.match(text, /What eats the sheep\?\n\nInput:\nword0 word1 .* word\d+<\|im_end\|>\n<\|im_start\|>assistant\nHay\.<\|im_end\|>$/);
    const kept = /Input:\n(.*)<\|im_end\|>\n/.exec(text)?.[1] as string;
    assert.ok(context.startsWith(`${kept} `), 'cut between words');
    assert.equal(example.hash, records[0]?.hash);
  });

  test('name the line of a text that the vocabulary cannot express', () => {
    const file = tinyFile();
    const id = file.model.vocab['Ń'] as number; // byte 0xAD
    delete file.model.vocab['Ń'];
    file.model.vocab['unused'] = id;
    const lacking = loadTokenizer(JSON.stringify(file), 't.json');
    assert.throws(
      () => encodeExamples([record({}, 4), record({ context: 'a\u00adb' }, 9)], lacking, chat, keep),
      (error: Error) => error instanceof InputError && /^record of line 9 \(t\.json\): .* found U\+00AD/.test(error.message),
    );
  });

  test('without a trained token, a prompt or the stop token at the end are refused with their line', () => {
    const encode = (example: PromptTemplate['example']): void => {
      encodeExamples([record({}, 12)], tokenizer, { ...dollyTemplate, example }, keep);
    };
    const stop = { special: '### End', trained: true };
    assert.throws(() => encode(() => [{ text: 'a', trained: false }]), /record of line 12: expected at least one trained token, found none/);
    assert.throws(() => encode(() => [{ text: 'a', trained: true }, stop]), /line 12: expected a prompt before/);
    assert.throws(() => encode(() => [{ text: 'a', trained: false }, { text: 'b', trained: true }]), /line 12: expected a trained stop token "### End" at the end, found id/);
    assert.throws(() => encode(() => [{ text: 'a', trained: false }, { text: 'b', trained: true }, { ...stop, trained: false }]), /trained stop token/);
  });

  test("need the template's tokens in the tokenizer", () => {
    assert.throws(() => encodeExamples([record({})], tinyTokenizer(), dollyTemplate, keep), /expected a tokenizer with the special token "### End"/);
  });
});

describe('databricks-dolly-15k', () => {
  const path = join(shared, 'dolly/databricks-dolly-15k.part0.jsonl');
  test('weighs what was measured for it', { skip: existsSync(path) ? needsShared('tokenizers/gpt-2.txt').skip : 'needs ../shared/data' }, () => {
    const json = readFileSync(join(shared, 'tokenizers/gpt-neox/20B_tokenizer.json'), 'utf8');
    const neox = loadTokenizer(json, '20B').withSpecialTokens(dollyTemplate.addedTokens);
    const records = readRecords(path).filter((one, i) => one.line === 2 || i % 3 === 0);
    const { examples } = encodeExamples(records, neox, dollyTemplate, keep);
    assert.equal(examples.length, records.length);
    const tokens = examples.reduce((sum, example) => sum + example.ids.length, 0);
    const trained = examples.reduce((sum, example) => sum + example.trained.reduce((a, b) => a + b, 0), 0);
    // The whole dataset has mean 204.6 and 40.2 % trained; this is a twelfth of it.
    assert.ok(Math.abs(tokens / records.length - 204.6) < 15, String(tokens / records.length));
    assert.ok(Math.abs(trained / tokens - 0.402) < 0.03, String(trained / tokens));
    const [, second] = examples;
    assert.ok(second);
    assert.deepEqual(Array.from(second.ids.subarray(second.trained.indexOf(1))), [53, 1714, 535, 50277], 'T, ope, blank line, end');
  });
});
