/** The figures of `evaluate` beside the loss: choices by likelihood, greedy answers by exactness and overlap. Expected values are worked out here. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { toRecord } from '../../src/artefacts/record.ts';
import { chooseByLikelihood } from '../../src/evaluate/choices.ts';
import { evaluate, type Evaluation, type EvaluateEvent, type EvaluateOptions } from '../../src/evaluate/held-out.ts';
import { openModel } from '../../src/inference/open-model.ts';
import type { MicroBatch } from '../../src/models/batch.ts';
import type { Network } from '../../src/models/network.ts';
import { completeOptions } from '../../src/train/options.ts';
import { train } from '../../src/train/trainer.ts';
import { all, Scratch, writeBase, writeRecords } from '../train/tiny-base.ts';

interface Line {
  instruction: string;
  response: string;
  category: string;
  choices?: readonly string[];
}

const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());
let base = '';
before(async () => {
  base = await writeBase(scratch.join('base'), 'llama');
});

async function figures(lines: readonly Line[], more: Partial<EvaluateOptions> = {}): Promise<{ events: EvaluateEvent[]; result: Evaluation }> {
  const data = scratch.join('records.jsonl');
  writeFileSync(data, lines.map((line) => JSON.stringify(line)).join('\n'));
  const events: EvaluateEvent[] = [];
  const running = evaluate({ model: base, data, maxNewTokens: 6, threads: 1, ...more });
  for (;;) {
    const next = await running.next();
    if (next.done) return { events, result: next.value };
    events.push(next.value);
  }
}

const CHOICES = [
  ['the sheep', 'the wool and the sheep', 'a heron by the water'],
  ['the', 'wool'],
  ['otter!', 'otter?', 'otter.', 'otter;'],
  ['one', 'two', 'three', 'four', 'five'],
  ['овца', 'sheep'],
];
/** Each list with each of its texts as the right one: one in every list is the most likely. */
const asked: Line[] = CHOICES.flatMap((choices) => choices.map((response) => ({ instruction: 'Choose.', response, category: 'choice', choices })));

describe('choices', () => {
  test('the right one must be the most likely, its stop token included', async () => {
    // A record alone: its loss is a mean without the stop token, so its nats are put together again.
    const nats: number[] = [];
    const withoutStop: number[] = [];
    for (const line of asked) {
      const { result } = await figures([{ ...line, choices: [] }]);
      assert.equal(result.choice_accuracy, undefined);
      withoutStop.push(result.loss * (result.trained_tokens - 1));
      nats.push(result.loss * (result.trained_tokens - 1) + result.stop_loss);
    }
    const most = new Map<number, number>();
    let at = 0;
    let decidedByStop = 0;
    CHOICES.forEach((choices, list) => {
      const own = nats.slice(at, at + choices.length);
      const withoutTheirStop = withoutStop.slice(at, (at += choices.length));
      const [least, second] = own.toSorted((a, b) => a - b);
      assert.ok(second! - least! > 1e-3, `a clear winner in ${choices.join()}`);
      most.set(list, own.indexOf(least!));
      if (withoutTheirStop.indexOf(Math.min(...withoutTheirStop)) !== most.get(list)) decidedByStop++;
    });
    assert.ok(decidedByStop > 0, 'somewhere the stop token decides');
    const { result, events } = await figures(asked);
    assert.equal(result.choice_records, asked.length);
    assert.ok(Math.abs(result.choice_accuracy! - CHOICES.length / asked.length) < 1e-12, 'one right answer a list');
    assert.deepEqual(events.filter((e) => e.type === 'chosen').at(-1), { type: 'chosen', done: asked.reduce((n, a) => n + a.choices!.length, 0), of: asked.reduce((n, a) => n + a.choices!.length, 0) });

    // And it is the one that was worked out.
    for (const [list, index] of most) {
      const line = (i: number): Line => ({ instruction: 'Choose.', response: CHOICES[list]![i]!, category: 'choice', choices: CHOICES[list]! });
      assert.equal((await figures([line(index)])).result.choice_accuracy, 1);
      assert.equal((await figures([line((index + 1) % CHOICES[list]!.length)])).result.choice_accuracy, 0);
    }
  });

  test('records without choices do not count', async () => {
    const some = asked.slice(0, 3);
    const without = some.map((line) => ({ ...line, choices: [] }));
    const [alone, mixed] = [(await figures(some)).result, (await figures([...without, ...some])).result];
    assert.deepEqual([mixed.choice_records, mixed.choice_accuracy], [3, alone.choice_accuracy]);
    assert.equal(mixed.records, 6);
  });
});

test('a tie is wrong', async () => {
  // Every token is as likely as any other: then the shortest is, and equals are equal to the last bit.
  const network = { device: { views: true }, losses: ({ targets }: MicroBatch) => Promise.resolve(new Float32Array(targets.length).fill(1.5)) } as unknown as Network;
  const model = await openModel(base);
  const verdict = async (response: string, ...others: string[]) => {
    const choosing = chooseByLikelihood(network, model, [toRecord({ instruction: 'Choose.', response, choices: [response, ...others] }, 1, 'x')]);
    for (;;) {
      const next = await choosing.next();
      if (next.done) return next.value;
    }
  };
  assert.deepEqual(await verdict('a', 'b'), [false]);
  assert.deepEqual(await verdict('a', 'bbb'), [true]);
  assert.deepEqual(await verdict('aaa', 'b', 'ccccc'), [false]);
});

test('records that the context cannot hold are left out: of the loss, the choices and the answers', async () => {
  const long: Line = { instruction: 'again '.repeat(300), response: 'a', category: 'long', choices: ['a', 'b'] };
  const longChoice: Line = { instruction: 'Choose.', response: 'the', category: 'short', choices: ['the', 'wool '.repeat(300)] };
  const fits: Line = { instruction: 'Choose.', response: 'the', category: 'short', choices: ['the', 'wool'] };
  const { result } = await figures([long, longChoice, fits], { answers: 3 });
  assert.deepEqual([result.records, result.dropped, result.choice_records, result.answered], [2, 1, 1, 2]);
  assert.deepEqual(result.answers!.map((a) => a.line), [2, 3]);
  assert.equal('choice_accuracy' in (await figures([longChoice])).result, false);
});

describe('greedy answers', () => {
  // Answers in a word or two, and ends; which word does not matter here.
  const model = scratch.join('taught');
  before(async () => {
    await all(train(completeOptions({ base, data: writeRecords(scratch.join('train.jsonl'), 60), out: model, rate: 1e-2, epochs: 6, batchTokens: 400, testSize: 0, threads: 1 })));
  });

  test('are scored against the response, as a whole and by category', async () => {
    const lines: Line[] = ['otter', 'heron', 'newt', 'wool'].map((animal, i) => ({ instruction: `Say ${animal} again and stop.`, response: 'x', category: i < 3 ? 'say' : 'other' }));
    const first = (await figures(lines, { model, answers: 4, maxNewTokens: 12 })).result.answers!;
    // What the model says does not depend on the response: make it right in the first, half right in the second.
    const words = first.map(({ answer }) => (answer.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((w) => !['a', 'an', 'the'].includes(w)));
    assert.ok(words.every((w) => w.length > 0), first.map((a) => a.answer).join(' | '));
    const responses = [`  ${first[0]!.answer}\n`, `${first[1]!.answer} ${words[1]!.map((_, i) => `other${i}`).join(' ')}`, 'nothing alike', 'nothing alike'];
    const { result, events } = await figures(lines.map((line, i) => ({ ...line, response: responses[i]! })), { model, answers: 4, maxNewTokens: 12 });
    const answers = result.answers!;
    assert.deepEqual(answers.map((a) => [a.line, a.category, a.answer]), first.map((a, i) => [i + 1, lines[i]!.category, a.answer]));
    assert.deepEqual(answers.map((a) => a.exact), [true, false, false, false]);
    // n words all found, n of 2n expected: 2n / (n + 2n).
    [1, 2 / 3, 0, 0].forEach((overlap, i) => assert.ok(Math.abs(answers[i]!.overlap - overlap) < 1e-12, `${answers[i]!.overlap}`));

    const close = (found: number | undefined, expected: number) => assert.ok(Math.abs(found! - expected) < 1e-12, `${found} for ${expected}`);
    assert.equal(result.answered, 4);
    close(result.exact_rate, 1 / 4);
    close(result.overlap, (1 + 2 / 3) / 4);
    close(result.stop_rate, 1);
    assert.deepEqual(Object.keys(result.answers_by_category!), ['other', 'say']);
    const { say, other } = result.answers_by_category!;
    assert.deepEqual([say!.answered, other!.answered], [3, 1]);
    close(say!.exact_rate, 1 / 3);
    close(say!.overlap, (1 + 2 / 3) / 3);
    close(say!.stop_rate, 1);
    close(other!.exact_rate, 0);
    assert.equal(say!.loops + other!.loops, result.loops);
    const cut = (await figures(lines, { model, answers: 4, maxNewTokens: 1 })).result;
    assert.deepEqual([cut.stop_rate, cut.answers!.map((a) => a.tokens)], [0, [1, 1, 1, 1]]);
    assert.deepEqual(events.filter((e) => e.type === 'answered').at(-1), { type: 'answered', done: 4, of: 4, tokens: answers.reduce((n, a) => n + a.tokens, 0) });
  });

  test('are not asked for unless they are', async () => {
    const { result } = await figures(asked.slice(0, 2));
    for (const key of ['answers', 'answered', 'exact_rate', 'overlap', 'answers_by_category', 'stop_rate', 'loops']) assert.equal(key in result, false, key);
  });
});
