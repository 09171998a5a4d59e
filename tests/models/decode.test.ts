/** Decoding with a cache against transformers: the same greedy ids, the same logits as a whole forward pass. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { CpuDevice } from '../../src/engine/index.ts';
import { generate } from '../../src/inference/generate.ts';
import { GREEDY } from '../../src/inference/sample.ts';
import { Network } from '../../src/models/network.ts';
import { loadFixture } from './fixture.ts';

const device = new CpuDevice({ threads: 1 });
after(() => device.release());

for (const name of ['neox-parallel', 'neox-sequential', 'llama-gqa', 'llama-tied', 'mistral', 'neox-lora', 'llama-lora-tokens', 'gptj', 'gptj-lora-tokens', 'qwen2', 'qwen3', 'qwen3-lora']) {
  const fixture = loadFixture(name);
  const make = () => new Network(fixture.architecture, { device, weights: fixture.weights(device), ...(fixture.lora ? { lora: fixture.lora } : {}) });

  test(`${name}: logits of every prefix, extended one by one and all at once`, async () => {
    const network = make();
    const { vocabSize } = fixture.architecture;
    for (const [i, { ids }] of fixture.sequences.entries()) {
      if (!fixture.has(`logits.${i}`)) continue;
      const expected = fixture.tensor(`logits.${i}`);
      const scale = Math.hypot(...expected) / Math.sqrt(expected.length);
      const cache = network.cache(ids.length);
      for (let t = 0; t < ids.length; t++) {
        const logits = await network.extend([{ cache, ids: ids.subarray(t, t + 1) }]);
        for (let j = 0; j < vocabSize; j++) assert.ok(Math.abs(logits[j]! - expected[t * vocabSize + j]!) < 1e-4 * scale, `sequence ${i} position ${t} id ${j}`);
      }
      const whole = await network.extend([{ cache: network.cache(ids.length), ids }]);
      for (let j = 0; j < vocabSize; j++) assert.ok(Math.abs(whole[j]! - expected.at(j - vocabSize)!) < 1e-4 * scale);
    }
  });

  test(`${name}: greedy continuation, alone and beside another text`, async () => {
    const network = make();
    const prompt = fixture.sequences[0]!.ids.subarray(0, 4);
    const options = { sampling: GREEDY, maxNewTokens: 12, stopIds: [], seed: 1, vocabulary: fixture.architecture.vocabSize };
    for (const prompts of [[prompt], [fixture.sequences[1]!.ids, prompt]]) {
      for await (const event of generate(network, prompts, options)) {
        if (event.type === 'done' && event.prompt === prompts.length - 1) assert.deepEqual(event.ids, fixture.expected.greedy.slice(-12));
      }
    }
  });
}
