/** The server on llama.cpp: the same answers as our own engine from the same file, alone and side by side, and sequences that come back. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exportModel } from '../../src/export/export.ts';
import { locateLlama } from '../../src/llama-cpp/install.ts';
import { loraRun } from '../export/models.ts';
import { Scratch } from '../train/tiny-base.ts';
import { metric, post, start, stream, until, type Body, type Lists, type Running } from './support.ts';

const entry = locateLlama();
const needsLlama = { skip: entry === undefined ? 'needs node-llama-cpp, which npm ci brings' : false, timeout: 120_000 };

const scratch = new Scratch();
let theirs: Running;
let ours: Running;

async function exported(model: string, to: 'gguf' | 'adapter', out: string): Promise<string> {
  const events = exportModel({ model, to, type: 'f32', out, threads: 1, maxNewTokens: 6 });
  while (!(await events.next()).done);
  return out;
}

before(async () => {
  if (entry === undefined) return;
  const run = await loraRun(scratch, 'llama', 'chat');
  const model = await exported(scratch.join('base'), 'gguf', scratch.join('tiny.gguf'));
  const adapters = new Map([['lora', await exported(run, 'adapter', scratch.join('lora.gguf'))]]);
  theirs = await start(scratch, { service: { model, engine: 'llama.cpp', entry, parallel: 4, adapters } });
  ours = await start(scratch, { service: { model: scratch.join('base'), parallel: 4, adapters: new Map([['lora', run]]) } });
});
after(async () => {
  await theirs?.[Symbol.asyncDispose]();
  await ours?.[Symbol.asyncDispose]();
  scratch[Symbol.dispose]();
});

const PROMPTS = ['Say otter.', 'Say heron again and stop.', 'Name three animals that live by the water.', 'otter '.repeat(40), 'Why?', 'A wren sings. '.repeat(9)];

const ask = (s: Running, content: string, more: object = {}) => post(s.url, '/v1/chat/completions', { model: 'tiny', messages: [{ role: 'user', content }], temperature: 0, ...more });
const contentOf = ({ body }: { body: Body }): string => body.choices[0]!.message.content;

for (const model of ['tiny', 'tiny:lora']) {
  test(`greedy answers of ${model}, alone and side by side, are our own engine's`, needsLlama, async () => {
    const expected: string[] = [];
    for (const content of PROMPTS) expected.push(contentOf(await ask(ours, content, { model })));
    assert.deepEqual(await Promise.all(PROMPTS.map(async (content) => contentOf(await ask(theirs, content, { model })))), expected);
    assert.equal(contentOf(await ask(theirs, PROMPTS[2]!, { model })), expected[2]);
  });
}

test('a seed gives the same again, another one another', needsLlama, async () => {
  const drawn = async (seed: number) => contentOf(await ask(theirs, 'Say otter.', { temperature: 1, seed }));
  assert.equal(await drawn(5), await drawn(5));
  assert.notEqual(await drawn(5), await drawn(6));
});

test('log-probabilities are those of our own engine, of the prompt too', needsLlama, async () => {
  const lists = async (s: Running) => ((await post(s.url, '/v1/completions', { model: 'tiny', prompt: 'Say otter again and stop.', temperature: 0, max_tokens: 4, logprobs: 2, echo: true })).body.choices)[0]!.logprobs as Lists;
  const [a, b] = [await lists(theirs), await lists(ours)];
  assert.deepEqual(a.tokens, b.tokens);
  assert.equal(a.token_logprobs[0], null);
  a.token_logprobs.slice(1).forEach((l, i) => assert.ok(Math.abs(l! - b.token_logprobs[i + 1]!) < 5e-3, `${l} and ${b.token_logprobs[i + 1]}`));
});

test('a schema is kept by llama.cpp\'s grammar, and by ours where log-probabilities are wanted', needsLlama, async () => {
  const schema = { type: 'object', properties: { animal: { enum: ['otter', 'heron'] }, names: { type: 'array', items: { type: 'string', maxLength: 4 }, maxItems: 2 }, wild: { type: 'boolean' } }, required: ['animal', 'wild'] };
  const format = { type: 'json_schema', json_schema: { name: 'a', schema } };
  for (const more of [{}, { logprobs: true }, { temperature: 1, seed: 3 }]) {
    const answer = await ask(theirs, 'Say otter.', { max_tokens: 150, response_format: format, ...more });
    assert.equal(answer.body.choices[0]!.finish_reason, 'stop', JSON.stringify(answer.body));
    const value = JSON.parse(contentOf(answer)) as { animal: string; wild: boolean };
    assert.ok(['otter', 'heron'].includes(value.animal) && typeof value.wild === 'boolean');
  }
});

test('clients that go away give their sequences back: as many as there are, several times over', needsLlama, async () => {
  for (let round = 0; round < 3; round++) {
    const controllers = Array.from({ length: 8 }, () => new AbortController());
    const clients = controllers.map(async ({ signal }) => {
      const response = await fetch(`${theirs.url}/v1/chat/completions`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, signal, body: JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'Say otter. '.repeat(15) }], stream: true, max_tokens: 180, seed: 1 }) });
      await response.body!.getReader().read();
    });
    await Promise.race(clients);
    for (const c of controllers) c.abort();
    await Promise.allSettled(clients);
    await until('the batch is empty', async () => (await metric(theirs.url, 'roslin_texts_running')) === 0);
  }
  assert.equal((await Promise.all(PROMPTS.map((content) => ask(theirs, content)))).every(({ status }) => status === 200), true);
});

test('an answer that fills the context ends there, and the next is not touched by it', needsLlama, async () => {
  const first = contentOf(await ask(theirs, 'Say otter.', { max_tokens: 8 }));
  const { chunks, done } = await stream(theirs.url, '/v1/completions', { model: 'tiny', prompt: 'otter '.repeat(30), max_tokens: 100_000, temperature: 1, seed: 2, logprobs: 0 });
  assert.ok(done);
  assert.ok(['stop', 'length'].includes(chunks.at(-1)!.choices[0]!.finish_reason as string));
  assert.equal(contentOf(await ask(theirs, 'Say otter.', { max_tokens: 8 })), first);
});

test('embeddings are refused with the remedy', needsLlama, async () => {
  const { status, body } = await post(theirs.url, '/v1/embeddings', { model: 'tiny', input: 'x' });
  assert.equal(status, 400);
  assert.match(body.error.message, /--engine roslin/);
});
