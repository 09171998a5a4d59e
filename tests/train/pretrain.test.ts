/** Pre-training as a whole: text in, a model folder out that opens, scores and can be taught to follow instructions. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { InputError, UsageError } from '../../src/errors.ts';
import { bfloat16ToFloat32, float32ToBfloat16 } from '../../src/formats/half-precision.ts';
import { openModel } from '../../src/inference/open-model.ts';
import { initialWeights } from '../../src/models/initial-weights.ts';
import type { StepEvent, TrainEvent } from '../../src/train/events.ts';
import { completeOptions, type TrainOptions } from '../../src/train/options.ts';
import { train } from '../../src/train/trainer.ts';
import { all, Scratch, writeRecords } from './tiny-base.ts';
import { pretrainOptions, TINY, texts, writeTexts } from './tiny-text.ts';

const runAll = (options: TrainOptions): Promise<TrainEvent[]> => all(train(options));
const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());
const out = scratch.join('base');
const json = (name: string) => JSON.parse(readFileSync(scratch.join('base', name), 'utf8'));

let data = '';
let events: TrainEvent[] = [];
before(async () => {
  data = writeTexts(scratch.join('text.jsonl'), 120);
  events = await runAll(pretrainOptions(scratch, data, { licence: 'CC0-1.0' }));
});

describe('a run', () => {
  test('begins at the loss of a guess and learns', () => {
    const steps = events.filter((e): e is StepEvent => e.type === 'step');
    const done = events.at(-1)!;
    assert.ok(done.type === 'done' && done.result.held_out);
    const { before: first, after: last } = done.result.held_out;
    const guess = Math.log(json('config.json').vocab_size);
    assert.equal(steps.length, 40);
    assert.ok(Math.abs(steps[0]!.loss - guess) < 0.1, `${steps[0]!.loss} for ${guess}`);
    assert.ok(Math.abs(first - guess) < 0.1, `${first} for ${guess}`);
    assert.ok(steps.at(-1)!.loss < guess - 2, String(steps.at(-1)!.loss));
    assert.ok(last < first - 2, `${first} -> ${last}`);
  });

  test('reports the held-out loss before, between and after', () => {
    const evaluated = events.filter((e) => e.type === 'evaluated');
    assert.deepEqual(evaluated.map((e) => e.step), [0, 10, 20, 30, 40]);
    const metrics = readFileSync(scratch.join('base', 'metrics.jsonl'), 'utf8').trim().split('\n').map((l) => JSON.parse(l));
    assert.deepEqual(metrics.filter((m) => m.held_out).map((m) => m.held_out), evaluated.map((e) => e.report));
    for (const { report } of evaluated) {
      assert.deepEqual(Object.keys(report.by_category), ['text']);
      assert.ok(report.stop_loss > 0 && report.bits_per_byte > 0);
    }
    const losses = evaluated.map((e) => e.report.loss);
    assert.deepEqual(losses.toSorted((a, b) => b - a), losses, 'it falls every time');
  });

  test('scores every token of the held-out documents but the first, the end apart', async () => {
    const prepared = events.find((e) => e.type === 'prepared')!;
    const { report } = events.find((e) => e.type === 'evaluated')!;
    assert.equal(prepared.records, 120);
    assert.equal(prepared.template, 'text');
    assert.equal(prepared.trainRows + prepared.heldOutRows > 120, true, 'some documents are longer than the context');
    assert.equal(report.records, prepared.heldOutRows);
    const { tokenizer } = await openModel(out);
    const tokens = texts(120).reduce((sum, text) => sum + tokenizer.encodeText(text).length, 0);
    assert.equal(prepared.labels + report.trained_tokens, tokens, 'n tokens and the end, without the first');
  });
});

describe('what it leaves', () => {
  test('is a model folder in Hugging Face layout', () => {
    assert.deepEqual(readdirSync(out).sort(), ['README.md', 'config.json', 'generation_config.json', 'metrics.jsonl', 'model.safetensors', 'run.json', 'timings.jsonl', 'tokenizer.json', 'tokenizer_config.json']);
    const { vocab_size: vocabSize, ...config } = json('config.json');
    assert.deepEqual(
      config,
      {
        model_type: 'gpt_neox', architectures: ['GPTNeoXForCausalLM'], torch_dtype: 'bfloat16', hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 128,
        max_position_embeddings: 48, hidden_act: 'gelu', layer_norm_eps: 1e-5, use_parallel_residual: true, tie_word_embeddings: true, attention_bias: true, rotary_pct: 0.25,
        rotary_emb_base: 10000, hidden_dropout: 0, attention_dropout: 0, bos_token_id: 0, eos_token_id: 0,
      },
    );
    assert.equal(vocabSize, Object.keys(json('tokenizer.json').model.vocab).length);
    assert.ok(vocabSize > 257 && vocabSize <= TINY.vocabSize);
    const { bos_token: bos, eos_token: eos, pad_token: pad, tokenizer_class: kind, model_max_length: longest } = json('tokenizer_config.json');
    assert.deepEqual([bos, eos, pad, kind, longest], ['<|endoftext|>', '<|endoftext|>', '<|endoftext|>', 'PreTrainedTokenizerFast', 48]);
    assert.equal(json('generation_config.json').eos_token_id, 0);
  });

  test('says in run.json that there was no base, and of what sizes it is', () => {
    const run = json('run.json');
    assert.equal(run.base, null);
    assert.equal(run.template.name, 'text');
    assert.deepEqual(run.options.fresh, { vocab_size: 320, hidden: 32, layers: 2, heads: 4, context: 48 });
    assert.equal(run.options.dtype, 'bf16');
    assert.deepEqual([run.data.records, run.data.licence], [120, 'CC0-1.0']);
    assert.ok(!JSON.stringify(run.options).includes('text.jsonl'));
  });

  test('says in its card that it was pre-trained', () => {
    const card = readFileSync(scratch.join('base', 'README.md'), 'utf8');
    assert.match(card, /^# A base model, pre-trained on text\.jsonl$/m);
    assert.match(card, /\| Base \| none: gpt_neox from random weights, \d+ parameters \|/);
    assert.match(card, /\| Data \| text\.jsonl, 120 documents, sha256 `[0-9a-f]{64}`, licence CC0-1\.0 \|/);
    assert.match(card, /\| Template \| text, stop token `<\\\|endoftext\\\|>` \|/);
    assert.match(card, /\| Held-out loss a token \| \d\.\d{4} before, \d\.\d{4} after \|/);
  });

  test('opens, with the dolly template\'s three tokens', async () => {
    const opened = await openModel(out);
    assert.equal(opened.kind, 'folder');
    assert.equal(opened.template.name, 'dolly');
    assert.equal(opened.architecture.vocabSize, json('config.json').vocab_size + 3);
    assert.equal(opened.tokenizer.specialId('<|endoftext|>'), 0);
  });

  test('is a base that train teaches to follow instructions', async () => {
    const records = writeRecords(scratch.join('records.jsonl'), 24);
    await assert.rejects(runAll(completeOptions({ base: out, data: records, out: scratch.join('none'), threads: 1 })), (error: Error) => error instanceof InputError && /at most 48 tokens/.test(error.message));
    const wide = scratch.join('wide');
    await runAll(pretrainOptions(scratch, data, { out: wide, fresh: { ...TINY, context: 160 }, maxSteps: 8 }));
    const done = (await runAll(completeOptions({ base: wide, data: records, out: scratch.join('taught'), rate: 3e-3, maxSteps: 12, batchTokens: 400, testSize: 6, threads: 1 }))).at(-1)!;
    assert.ok(done.type === 'done' && done.result.held_out);
    assert.ok(done.result.held_out.after < done.result.held_out.before - 0.3);
    const taught = await openModel(scratch.join('taught'));
    assert.equal(taught.template.name, 'dolly');
    assert.equal(taught.tokenizer.size, (await openModel(wide)).tokenizer.size);
    assert.equal(taught.run!.base!.path, wide);
  });
});

test('weights in bf16 are those of the same run in f32, rounded; they began as the seed says', async () => {
  const weightsOf = async (name: string, more: Partial<TrainOptions>) => {
    await runAll(pretrainOptions(scratch, data, { out: scratch.join(name), maxSteps: 2, rate: 1e-6, ...more }));
    const opened = await openModel(scratch.join(name));
    return { architecture: opened.architecture, weights: opened.weights() };
  };
  const exact = await weightsOf('f32', { dtype: 'f32' });
  const rounded = await weightsOf('bf16', { dtype: 'bf16' });
  const other = await weightsOf('other', { dtype: 'f32', seed: 7 });
  let [changed, bytes] = [0, 0];
  const byId = [exact.architecture.names.embedding, exact.architecture.names.head];
  for (const [name, { shape, data: values }] of exact.weights) {
    // The rows of added tokens are made at the opening, from the others.
    const own = byId.includes(name) ? values.subarray(0, values.length - 3 * shape[1]!) : values;
    const halves = new Uint16Array(own.length);
    const expected = new Float32Array(own.length);
    float32ToBfloat16(own, halves);
    bfloat16ToFloat32(halves, expected);
    assert.deepEqual(rounded.weights.get(name)!.data.subarray(0, own.length), expected, name);
    changed += expected.filter((v, i) => v !== own[i]).length;
    bytes += 2 * own.length;
    if (shape.length > 1) assert.notDeepEqual(other.weights.get(name)!.data, values, `${name} of another seed`);
  }
  assert.ok(changed > bytes / 4, 'most values are rounded');
  const size = readFileSync(scratch.join('bf16', 'model.safetensors')).length;
  assert.ok(size >= bytes && size < bytes + 10_000, `${size} bytes for ${bytes}`);
  // Two updates at 1e-6 leave them near where they began.
  const { names, ...rest } = exact.architecture;
  const began = initialWeights({ ...rest, names }, 0).get(names.block(0) + 'attention.dense.weight')!.data;
  const found = exact.weights.get(names.block(0) + 'attention.dense.weight')!.data;
  const deviation = (values: Float32Array) => Math.hypot(...values) / Math.sqrt(values.length);
  assert.ok(Math.abs(deviation(found) / deviation(began) - 1) < 0.15);
});

test('the same text and seed give the same bytes', async () => {
  const bytes = async (name: string) => {
    await runAll(pretrainOptions(scratch, data, { out: scratch.join(name), maxSteps: 3 }));
    return ['metrics.jsonl', 'model.safetensors', 'tokenizer.json', 'config.json'].map((f) => readFileSync(scratch.join(name, f)).toString('base64'));
  };
  assert.deepEqual(await bytes('once'), await bytes('twice'));
});

describe('a base that learns more text', () => {
  const further = (more: Partial<TrainOptions> = {}) => pretrainOptions(scratch, data, { base: out, fresh: undefined, continued: true, out: scratch.join('further'), rate: 3e-3, maxSteps: 8, ...more });

  test('begins where its pre-training ended, keeps tokenizer and sizes, and says what it was', async () => {
    const told = await runAll(further());
    const ended = events.at(-1)!;
    const done = told.at(-1)!;
    assert.ok(ended.type === 'done' && done.type === 'done' && ended.result.held_out && done.result.held_out);
    assert.ok(Math.abs(done.result.held_out.before - ended.result.held_out.after) < 0.01, `${done.result.held_out.before} for ${ended.result.held_out.after}`);
    assert.ok(done.result.held_out.after < done.result.held_out.before);
    const of = (folder: string, name: string) => readFileSync(scratch.join(folder, name), 'utf8');
    for (const file of ['config.json', 'tokenizer.json']) assert.deepEqual(JSON.parse(of('further', file)), JSON.parse(of('base', file)), file);
    const run = JSON.parse(of('further', 'run.json'));
    assert.deepEqual([run.base.path, run.base.licence, run.template.name, run.options.continued, run.options.fresh], [out, 'CC0-1.0', 'text', true, undefined]);
    assert.match(of('further', 'README.md'), /^# base, pre-trained further on text\.jsonl$/m);
  });

  test('its default rate is lower, and an adapter is no base', () => {
    assert.equal(completeOptions({ base: out, data, out: 'x', continued: true }).rate, 3e-4);
    assert.throws(() => completeOptions({ base: out, data, out: 'x', continued: true, method: 'lora' }), /expected method full/);
  });
});

test('one .txt file is one document: rows of its context, nothing held out', async () => {
  const path = scratch.join('book.txt');
  writeFileSync(path, texts(60).join('\n'));
  const told = await runAll(pretrainOptions(scratch, path, { out: scratch.join('book'), maxSteps: 2, testSize: 'auto' }));
  const prepared = told.find((e) => e.type === 'prepared')!;
  assert.deepEqual([prepared.records, prepared.heldOutRows], [1, 0]);
  assert.ok(prepared.trainRows > 20);
  assert.equal(prepared.tokens, prepared.labels + prepared.trainRows);
  const done = told.at(-1)!;
  assert.equal(done.type === 'done' && done.result.held_out, null);
});

describe('sizes that do not fit together are refused before anything is made', () => {
  for (const [hidden, heads, message] of [
    [30, 4, /--hidden and --heads: expected a width that is a multiple of the attention heads, found 30 and 4/],
    [16, 4, /--hidden and --heads: expected a width a head with an even quarter.*, found 4 \(16 over 4 heads\)/],
    [24, 2, /expected a width a head with an even quarter.*, found 12 \(24 over 2 heads\)/],
    [8, 8, /found 1 \(8 over 8 heads\)/],
  ] as const) {
    test(`${hidden} over ${heads}`, async () => {
      const options = pretrainOptions(scratch, scratch.join('not even there.txt'), { out: scratch.join('never'), fresh: { ...TINY, hidden, heads } });
      await assert.rejects(runAll(options), (error: Error) => error instanceof UsageError && message.test(error.message));
      assert.ok(!existsSync(scratch.join('never')));
    });
  }
  test('18 over 2: a quarter is rounded down', async () => {
    const done = (await runAll(pretrainOptions(scratch, data, { out: scratch.join('18'), fresh: { ...TINY, hidden: 18, heads: 2 }, maxSteps: 1 }))).at(-1)!;
    assert.equal(done.type, 'done');
  });
});
