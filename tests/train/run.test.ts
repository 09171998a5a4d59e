/** Whole runs on a tiny base: what they leave, that they learn, that they are the same again, and that a split of the work changes nothing. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { test } from 'node:test';
import { evaluate } from '../../src/evaluate/held-out.ts';
import { answer } from '../../src/inference/answer.ts';
import { openModel } from '../../src/inference/open-model.ts';
import { GREEDY } from '../../src/inference/sample.ts';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import type { StepEvent, TrainEvent } from '../../src/train/events.ts';
import { completeOptions, type TrainOptions } from '../../src/train/options.ts';
import { train } from '../../src/train/trainer.ts';
import { Scratch, writeBase, writeRecords } from './tiny-base.ts';

async function finish<Y, R>(events: AsyncGenerator<Y, R>): Promise<{ all: Y[]; result: R }> {
  const all: Y[] = [];
  for (;;) {
    const next = await events.next();
    if (next.done) return { all, result: next.value };
    all.push(next.value);
  }
}

const runAll = async (options: TrainOptions): Promise<TrainEvent[]> => (await finish(train(options))).all;
const steps = (events: TrainEvent[]) => events.filter((e): e is StepEvent => e.type === 'step');

function optionsFor(scratch: Scratch, base: string, data: string, more: Partial<TrainOptions>): TrainOptions {
  return completeOptions({ base, data, out: scratch.join('run'), rate: 3e-3, epochs: 3, batchTokens: 400, testSize: 8, threads: 1, ...more });
}

for (const type of ['gpt_neox', 'llama', 'gptj', 'qwen3'] as const) {
  for (const method of ['full', 'lora'] as const) {
    // The templates do not depend on the family: both with the first two, the one that changes the vocabulary with all.
    for (const template of type === 'gpt_neox' || type === 'llama' ? (['dolly', 'chat'] as const) : (['dolly'] as const)) {
      test(`${type}, ${method}, ${template}: learns, and leaves a model that opens, scores and answers`, async () => {
        using scratch = new Scratch();
        const base = await writeBase(scratch.join('base'), type);
        const data = writeRecords(scratch.join('train.jsonl'), 60);
        const out = scratch.join('run');
        const events = await runAll(optionsFor(scratch, base, data, { method, template }));
        const done = events.at(-1)!;
        assert.ok(done.type === 'done' && done.result.held_out);
        assert.ok(done.result.held_out.after < done.result.held_out.before - 0.3, `${done.result.held_out.before} -> ${done.result.held_out.after}`);

        const expected = ['README.md', 'config.json', 'dataset', 'generation_config.json', 'metrics.jsonl', 'run.json', 'timings.jsonl', 'tokenizer.json', 'tokenizer_config.json',
          ...(method === 'lora' ? ['adapter_config.json', 'adapter_model.safetensors'] : ['model.safetensors'])].sort();
        assert.deepEqual(readdirSync(out).sort(), expected);
        const run = JSON.parse(readFileSync(scratch.join('run', 'run.json'), 'utf8'));
        assert.equal(run.template.name, template);
        assert.equal(run.verdict, 'unknown');
        const metrics = readFileSync(scratch.join('run', 'metrics.jsonl'), 'utf8').trim().split('\n').map((l) => JSON.parse(l));
        assert.equal(metrics.filter((m) => 'loss' in m).length, done.result.steps);

        const opened = await openModel(out);
        assert.equal(opened.template.name, template);
        assert.equal(opened.kind, method === 'lora' ? 'adapter' : 'folder');
        assert.equal(opened.architecture.vocabSize, template === 'dolly' ? 447 : 448);
        const { result } = await finish(evaluate({ model: out, data, maxNewTokens: 8, answers: 3, threads: 1 }));
        assert.ok(result.loss < done.result.held_out.before - 0.3);
        assert.equal(result.records, 60);
        assert.equal(result.answers!.length, 3);
        const said = await finish(answer({ model: out, instruction: 'Say otter again and stop.', context: '', maxNewTokens: 8, sampling: GREEDY, seed: 1 }));
        assert.equal(said.all.join('').trim(), said.result.answer);
      });
    }
  }
}

test('the same inputs give the same bytes; another seed gives others', async () => {
  using scratch = new Scratch();
  const base = await writeBase(scratch.join('base'), 'llama');
  const data = writeRecords(scratch.join('train.jsonl'), 30);
  const bytes = async (name: string, seed: number) => {
    await runAll(optionsFor(scratch, base, data, { out: scratch.join(name), method: 'lora', epochs: 1, seed }));
    return ['metrics.jsonl', 'adapter_model.safetensors'].map((f) => readFileSync(scratch.join(name, f)).toString('base64'));
  };
  const [a, b, c] = [await bytes('a', 1), await bytes('b', 1), await bytes('c', 2)];
  assert.deepEqual(a, b);
  assert.notDeepEqual(a, c);
});

test('loss and weights do not depend on the split into micro-batches', async () => {
  using scratch = new Scratch();
  const base = await writeBase(scratch.join('base'), 'gpt_neox');
  const data = writeRecords(scratch.join('train.jsonl'), 40);
  const weights: Float32Array[] = [];
  const losses: number[][] = [];
  for (const microTokens of [1, 150, 100000]) {
    const out = scratch.join(`micro-${microTokens}`);
    losses.push(steps(await runAll(optionsFor(scratch, base, data, { out, microTokens, epochs: 1, testSize: 0 }))).map((s) => s.loss));
    const reader = openSafetensors(out);
    const all = new Float32Array([...reader.tensors.values()].reduce((n, t) => n + t.shape.reduce((a, b) => a * b, 1), 0));
    let at = 0;
    for (const { name, shape } of reader.tensors.values()) {
      const n = shape.reduce((a, b) => a * b, 1);
      reader.readFloat32(name, all.subarray(at, (at += n)));
    }
    reader.close();
    weights.push(all);
  }
  for (const i of [0, 1]) {
    losses[i]!.forEach((l, step) => assert.ok(Math.abs(l / losses[2]![step]! - 1) < 1e-5, `update ${step}: ${l} and ${losses[2]![step]}`));
    assert.ok(Math.hypot(...weights[i]!.map((w, j) => w - weights[2]![j]!)) / Math.hypot(...weights[2]!) < 1e-4);
  }
});

test('a moved base of an adapter is found by --base, and another base is refused', async () => {
  using scratch = new Scratch();
  const base = await writeBase(scratch.join('base'), 'llama');
  const other = await writeBase(scratch.join('other'), 'gpt_neox');
  const data = writeRecords(scratch.join('train.jsonl'), 20);
  await runAll(optionsFor(scratch, base, data, { method: 'lora', epochs: 1, testSize: 0 }));
  renameSync(base, scratch.join('elsewhere'));
  await assert.rejects(openModel(scratch.join('run')), /the base that this adapter was trained on/);
  await assert.rejects(openModel(scratch.join('run'), { base: other }), /another content/);
  assert.equal((await openModel(scratch.join('run'), { base: scratch.join('elsewhere') })).kind, 'adapter');
});

test('weights that are not finite stop the run, name the rows and leave nothing', async () => {
  using scratch = new Scratch();
  const base = await writeBase(scratch.join('base'), 'llama', (name, data) => {
    if (name.endsWith('down_proj.weight')) data[3] = NaN;
  });
  const data = writeRecords(scratch.join('train.jsonl'), 12);
  await assert.rejects(runAll(optionsFor(scratch, base, data, { testSize: 0 })), /a finite loss.*NaN|update 1, records of lines/);
  assert.ok(!existsSync(scratch.join('run')));
});

test('weights that do not move stop the run', async () => {
  using scratch = new Scratch();
  const base = await writeBase(scratch.join('base'), 'gpt_neox');
  const data = writeRecords(scratch.join('train.jsonl'), 12);
  await assert.rejects(runAll(optionsFor(scratch, base, data, { testSize: 0, rate: 1e-30, schedule: 'constant', warmup: 0 })), /trained weights that change/);
});

test('an output folder with something in it is refused and left alone', async () => {
  using scratch = new Scratch();
  const base = await writeBase(scratch.join('base'), 'gpt_neox');
  const data = writeRecords(scratch.join('train.jsonl'), 12);
  await assert.rejects(runAll(optionsFor(scratch, base, data, { out: base })), /an empty or new output folder/);
  assert.deepEqual(readdirSync(base).sort(), ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']);
});
