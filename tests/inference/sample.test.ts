/** Choosing ids, and the answers made of them. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Random } from '../../src/artefacts/random.ts';
import { CpuDevice } from '../../src/engine/index.ts';
import { generate, repeats, type GenerateEvent, type GenerateOptions } from '../../src/inference/generate.ts';
import { heldOutLoss } from '../../src/inference/held-out.ts';
import { groupByTokens } from '../../src/inference/micro-batches.ts';
import { argmax, GREEDY, sample } from '../../src/inference/sample.ts';
import { Network } from '../../src/models/network.ts';
import { loadFixture } from '../models/fixture.ts';

const device = new CpuDevice({ threads: 1 });
after(() => device.release());

/** Shares of 20,000 draws. */
function shares(logits: Float32Array, sampling: Parameters<typeof sample>[1]): number[] {
  const random = new Random(3);
  const counts = Array.from(logits, () => 0);
  for (let i = 0; i < 20000; i++) counts[sample(logits, sampling, random)]!++;
  return counts.map((n) => n / 20000);
}
const near = (a: number[], b: number[]) => a.forEach((x, i) => assert.ok(Math.abs(x - b[i]!) < 0.012, `${a.join(' ')} instead of ${b.join(' ')}`));

const logits = Float32Array.from([0.5, 0.3, 0.15, 0.05], Math.log);

test('draws follow the probabilities, cut by top-p and top-k, sharpened by temperature', () => {
  near(shares(logits, { temperature: 1, topP: 1, topK: 0 }), [0.5, 0.3, 0.15, 0.05]);
  near(shares(logits, { temperature: 1, topP: 0.75, topK: 0 }), [0.625, 0.375, 0, 0]);
  near(shares(logits, { temperature: 1, topP: 0.92, topK: 0 }), [0.5263, 0.3158, 0.1579, 0]);
  near(shares(logits, { temperature: 1, topP: 1, topK: 1 }), [1, 0, 0, 0]);
  const squares = [0.25, 0.09, 0.0225, 0.0025].map((x) => x / 0.365);
  near(shares(logits, { temperature: 0.5, topP: 1, topK: 0 }), squares);
});

test('temperature 0 takes the most likely id, the lower of two', () => {
  assert.equal(argmax(Float32Array.of(1, 3, 3, 2)), 1);
  assert.equal(sample(Float32Array.of(1, 3, 3, 2), GREEDY, new Random(1)), 1);
});

test('xoshiro128** is seeded, uniform and permutes', () => {
  assert.deepEqual([...new Random(7).permutation(5)], [...new Random(7).permutation(5)]);
  const random = new Random(1);
  const mean = Array.from({ length: 20000 }, () => random.next()).reduce((a, b) => a + b, 0) / 20000;
  assert.ok(Math.abs(mean - 0.5) < 0.01);
  assert.deepEqual([...new Random(9).permutation(100)].sort((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i));
});

test('a run of ids that occurs twice is seen', () => {
  assert.equal(repeats([1, 2, 3, 1, 2, 3], 3), true);
  assert.equal(repeats([1, 2, 3, 1, 2, 4], 3), false);
  assert.equal(repeats([1, 1, 1], 2), true);
});

test('rows are grouped by tokens; a longer one stands alone', () => {
  const row = (n: number) => ({ ids: new Int32Array(n), trained: new Uint8Array(n) });
  assert.deepEqual(groupByTokens([row(3), row(4), row(9), row(2), row(5)], 7).map((g) => g.map((r) => r.ids.length)), [[3, 4], [9], [2, 5]]);
});

test('an answer ends at its stop id, at its length, or at the end of the context; more prompts than places wait', async () => {
  const fixture = loadFixture('llama-gqa');
  const network = new Network(fixture.architecture, { device, weights: fixture.weights(device) });
  const prompt = fixture.sequences[0]!.ids.subarray(0, 4);
  const [first, second, third] = fixture.expected.greedy as [number, number, number];
  const run = async (prompts: Int32Array[], more: Partial<GenerateOptions>) => {
    const done: Extract<GenerateEvent, { type: 'done' }>[] = [];
    for await (const event of generate(network, prompts, { sampling: GREEDY, maxNewTokens: 5, stopIds: [], seed: 1, vocabulary: 64, ...more })) if (event.type === 'done') done.push(event);
    return done.sort((a, b) => a.prompt - b.prompt);
  };
  const stop = third !== first && third !== second ? third : second;
  const [stopped] = await run([prompt], { stopIds: [stop] });
  assert.deepEqual([stopped!.stopped, stopped!.ids], [true, fixture.expected.greedy.slice(0, fixture.expected.greedy.indexOf(stop))]);
  const [cut] = await run([prompt], {});
  assert.deepEqual([cut!.stopped, cut!.ids], [false, fixture.expected.greedy.slice(0, 5)]);
  const [full] = await run([new Int32Array(fixture.architecture.contextLength - 2)], { maxNewTokens: 100 });
  assert.equal(full!.ids.length, 2);
  const many = await run([prompt, fixture.sequences[1]!.ids, prompt], { atOnce: 2 });
  assert.deepEqual(many[0]!.ids, many[2]!.ids);
  assert.deepEqual(many[0]!.ids, cut!.ids);
  const [bounded] = await run([prompt], { vocabulary: 3 });
  assert.ok(bounded!.ids.every((id) => id < 3));
  await assert.rejects(run([new Int32Array(fixture.architecture.contextLength)], {}), /shorter than the model's context/);
});

test('held-out loss: response tokens and stop token apart, by category', async () => {
  const fixture = loadFixture('neox-parallel');
  const network = new Network(fixture.architecture, { device, weights: fixture.weights(device) });
  const rows = fixture.sequences.map((s, i) => ({ ...s, line: i + 1, category: i === 1 ? 'b' : 'a', hash: String(i), responseBytes: 10 + i }));
  const scoring = heldOutLoss(network, rows, 12);
  let next = await scoring.next();
  while (!next.done) next = await scoring.next();
  // The same from the logits that transformers gave.
  const nats = rows.map(({ ids, trained }, i) => {
    const all = fixture.tensor(`logits.${i}`);
    return [...ids.keys()].filter((t) => trained[t]).map((t) => {
      const row = all.subarray((t - 1) * 64, t * 64);
      return Math.log(row.reduce((n, x) => n + Math.exp(x), 0)) - row[ids[t]!]!;
    });
  });
  const sum = (x: number[]) => x.reduce((a, b) => a + b, 0);
  const body = nats.map((n) => n.slice(0, -1));
  const close = (a: number, b: number) => assert.ok(Math.abs(a / b - 1) < 1e-4, `${a} instead of ${b}`);
  close(next.value.loss, sum(body.flat()) / body.flat().length);
  close(next.value.stop_loss, sum(nats.map((n) => n.at(-1)!)) / 3);
  close(next.value.bits_per_byte, sum(body.flat()) / Math.LN2 / 33);
  close(next.value.by_category['b']!.loss, sum(body[1]!) / body[1]!.length);
  assert.equal(next.value.trained_tokens, fixture.expected.count);
});
