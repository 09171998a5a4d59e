/** Real clients against the server: the official `openai` package and the AI SDK. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { embed, generateText, Output, streamText } from 'ai';
import OpenAI from 'openai';
import { z } from 'zod';
import { Scratch } from '../train/tiny-base.ts';
import { start, until, type Running } from './support.ts';

const scratch = new Scratch();
let s: Running;
let openai: OpenAI;
let sdk: ReturnType<typeof createOpenAICompatible>;
before(async () => {
  s = await start(scratch);
  const { key } = s.keys.create({ name: 'client', scopes: ['generate', 'embed'] });
  openai = new OpenAI({ baseURL: `${s.url}/v1`, apiKey: key, maxRetries: 0 });
  sdk = createOpenAICompatible({ name: 'roslin', baseURL: `${s.url}/v1`, apiKey: key, includeUsage: true, supportsStructuredOutputs: true });
});
after(async () => {
  await s[Symbol.asyncDispose]();
  scratch[Symbol.dispose]();
});

const SCHEMA = { type: 'object', properties: { animal: { enum: ['otter', 'heron'] }, wild: { type: 'boolean' } }, required: ['animal', 'wild'], additionalProperties: false } as const;
const messages = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: [{ type: 'text', text: 'Say otter.' }] }] as const;
const CHAT = { model: 'tiny', messages: [...messages] as OpenAI.ChatCompletionMessageParam[], max_completion_tokens: 12, seed: 7 };

test('openai: models, a chat answer, the same in a stream, and stopped half way', async () => {
  assert.deepEqual((await openai.models.list()).data.map(({ id }) => id), ['tiny']);
  assert.equal((await openai.models.retrieve('tiny')).owned_by, 'roslin');
  const whole = await openai.chat.completions.create({ ...CHAT, n: 2, logprobs: true, top_logprobs: 1 });
  assert.equal(whole.choices.length, 2);
  assert.equal(whole.usage!.total_tokens, whole.usage!.prompt_tokens + whole.usage!.completion_tokens);
  assert.ok(whole.choices[0]!.logprobs!.content!.length > 0);
  const pieces: string[] = [];
  let usage: unknown;
  for await (const chunk of await openai.chat.completions.create({ ...CHAT, stream: true, stream_options: { include_usage: true } })) {
    pieces.push(chunk.choices[0]?.delta.content ?? '');
    usage = chunk.usage ?? usage;
  }
  assert.equal(pieces.join(''), whole.choices[0]!.message.content);
  assert.equal((usage as { prompt_tokens: number }).prompt_tokens, whole.usage!.prompt_tokens);
  const stream = openai.chat.completions.stream({ ...CHAT, max_completion_tokens: 100 });
  for await (const _ of stream) break;
  await until('the batch is empty', () => s.service.places.taken === 0);
});

test('openai: an answer to a schema, completions with echo, embeddings', async () => {
  const answer = await openai.chat.completions.create({ ...CHAT, max_completion_tokens: 60, response_format: { type: 'json_schema', json_schema: { name: 'a', strict: true, schema: SCHEMA } } });
  assert.ok(['otter', 'heron'].includes((JSON.parse(answer.choices[0]!.message.content!) as { animal: string }).animal));
  const scored = await openai.completions.create({ model: 'tiny', prompt: 'An otter swims', echo: true, logprobs: 1, max_tokens: 0 });
  assert.equal(scored.choices[0]!.text, 'An otter swims');
  assert.equal(scored.choices[0]!.logprobs!.tokens!.join(''), 'An otter swims');
  const { data } = await openai.embeddings.create({ model: 'tiny', input: ['An otter', 'A heron'] });
  assert.deepEqual(data.map(({ embedding }) => embedding.length), [32, 32]);
});

test('openai: errors are the kinds that its users catch', async () => {
  await assert.rejects(openai.chat.completions.create({ ...CHAT, model: 'gpt' }), OpenAI.NotFoundError);
  await assert.rejects(openai.chat.completions.create({ ...CHAT, frequency_penalty: 1 }), (error) => error instanceof OpenAI.BadRequestError && error.code === 'unsupported_parameter' && error.param === 'frequency_penalty');
  await assert.rejects(new OpenAI({ baseURL: `${s.url}/v1`, apiKey: 'rk-none', maxRetries: 0 }).models.list(), OpenAI.AuthenticationError);
  await assert.rejects(openai.chat.completions.create({ ...CHAT, n: 100 }), OpenAI.RateLimitError);
});

test('AI SDK: text, a stream, an object by schema, an embedding', async () => {
  const model = sdk.chatModel('tiny');
  const { text, usage, finishReason } = await generateText({ model, prompt: 'Say otter.', maxOutputTokens: 8, seed: 3 });
  assert.ok(text.length > 0 && usage.outputTokens! > 0 && ['stop', 'length'].includes(finishReason));
  let streamed = '';
  for await (const piece of streamText({ model, prompt: 'Say otter.', maxOutputTokens: 8, seed: 3 }).textStream) streamed += piece;
  assert.equal(streamed, text);
  const { output } = await generateText({ model, prompt: 'Say otter.', maxOutputTokens: 60, seed: 3, output: Output.object({ schema: z.object({ animal: z.enum(['otter', 'heron']), legs: z.number().int().min(0) }) }) });
  assert.ok(['otter', 'heron'].includes(output.animal) && output.legs >= 0);
  assert.equal((await embed({ model: sdk.embeddingModel('tiny'), value: 'An otter' })).embedding.length, 32);
});
