/** The server over HTTP on our own engine: answers as `generate` gives them, and what clients do wrong. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { UsageError } from '../../src/errors.ts';
import { Answerer } from '../../src/inference/answer.ts';
import { GREEDY } from '../../src/inference/sample.ts';
import { Scratch } from '../train/tiny-base.ts';
import { metric, post, start, stream, until, type Body, type Running } from './support.ts';

const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());
const DOLLY = { service: { template: 'dolly' } } as const;
let s: Running;
let answerer: Answerer;
before(async () => {
  s = await start(scratch, DOLLY);
  answerer = await Answerer.open({ model: s.model, template: 'dolly', threads: 1 });
});
after(async () => {
  await answerer.release();
  await s[Symbol.asyncDispose]();
  assert.deepEqual(s.faults, [], 'no fault of our own was hidden from clients');
});

const CHAT = { model: 'tiny', messages: [{ role: 'user', content: 'Say otter.' }] };
const SAMPLING = { temperature: 1, topP: 0.92, topK: 0 };

async function asked(instruction: string, options: { context?: string; seed?: number; most?: number; greedy?: boolean } = {}): Promise<{ answer: string; stopped: boolean; tokens: number }> {
  const pieces = answerer.ask({ instruction, context: options.context ?? '', maxNewTokens: options.most ?? 16, sampling: options.greedy ? GREEDY : SAMPLING, seed: options.seed ?? 0 });
  let next = await pieces.next();
  while (!next.done) next = await pieces.next();
  return next.value;
}

test('a chat answer is that of generate: template, sampling, seed and length are Dolly\'s unless a request says otherwise', async () => {
  for (const seed of [1, 2, 3]) {
    const { status, body } = await post(s.url, '/v1/chat/completions', { ...CHAT, seed });
    const expected = await asked('Say otter.', { seed });
    assert.equal(status, 200);
    const choice = body.choices[0]!;
    assert.deepEqual([choice.message.role, choice.message.content, choice.finish_reason], ['assistant', expected.answer, expected.stopped ? 'stop' : 'length']);
    assert.equal(body.usage.completion_tokens, expected.tokens);
    assert.match(body.id, /^chatcmpl-/);
    assert.match(body.system_fingerprint, /^fp_/);
  }
  const greedy = await post(s.url, '/v1/chat/completions', { ...CHAT, temperature: 0, max_completion_tokens: 5 });
  assert.equal(greedy.body.choices[0]!.message.content, (await asked('Say otter.', { greedy: true, most: 5 })).answer);
});

test('instruction and context go through the template, a prompt goes on as it stands', async () => {
  const question = await post(s.url, '/v1/completions', { model: 'tiny', instruction: 'Say otter.', context: 'The otter swims.', seed: 4 });
  const { text, finish_reason: reason } = question.body.choices[0]!;
  const expected = await asked('Say otter.', { context: 'The otter swims.', seed: 4 });
  assert.deepEqual([text, reason], [expected.answer, expected.stopped ? 'stop' : 'length']);
  const prompt = await post(s.url, '/v1/completions', { model: 'tiny', prompt: 'Say otter.', seed: 4 });
  assert.notEqual(prompt.body.choices[0]!.text, text);
});

test('a stream has the same text in pieces, a role first, a reason last, usage if asked for, and [DONE]', async () => {
  const whole = await post(s.url, '/v1/chat/completions', { ...CHAT, seed: 9, n: 3 });
  const { chunks, done } = await stream(s.url, '/v1/chat/completions', { ...CHAT, seed: 9, n: 3, stream_options: { include_usage: true } });
  assert.ok(done);
  for (const [i, choice] of whole.body.choices.entries()) {
    const own = chunks.flatMap((c) => c.choices).filter((c) => c.index === i);
    assert.equal(own[0]!.delta.role, 'assistant');
    assert.equal(own.map((c) => c.delta.content ?? '').join(''), choice.message.content);
    assert.deepEqual(own.map((c) => c.finish_reason).filter(Boolean), [choice.finish_reason]);
  }
  assert.deepEqual(chunks.at(-1)!.choices, []);
  assert.deepEqual(chunks.at(-1)!.usage, whole.body.usage);
  assert.equal(new Set(chunks.map((c) => c.id)).size, 1);
  assert.notEqual(whole.body.choices[0]!.message.content, whole.body.choices[1]!.message.content, 'choices are drawn apart');
});

test('a stop string ends the answer before it, in a stream too', async () => {
  const answer = (await asked('Say otter.', { seed: 1 })).answer;
  const stop = answer.slice(4, 9);
  const expected = answer.slice(0, answer.indexOf(stop)).trimEnd();
  const { body } = await post(s.url, '/v1/chat/completions', { ...CHAT, seed: 1, stop: [stop] });
  assert.deepEqual([body.choices[0]!.message.content, body.choices[0]!.finish_reason], [expected, 'stop']);
  const { chunks } = await stream(s.url, '/v1/chat/completions', { ...CHAT, seed: 1, stop });
  assert.equal(chunks.map((c) => c.choices[0]!.delta.content ?? '').join(''), expected);
});


test('echo with logprobs scores a text as drawing it did, so that outside harnesses can score', async () => {
  const { tokenizer } = answerer.model;
  const text = 'Say otter again and stop.';
  const ids = tokenizer.encodeText(text);
  const drawn = await post(s.url, '/v1/completions', { model: 'tiny', prompt: ids, temperature: 0, max_tokens: 6, logprobs: 3 });
  const made = drawn.body.choices[0]!.logprobs;
  assert.equal(made.tokens.length, 6);
  made.token_logprobs.forEach((l, i) => assert.ok(Math.abs(l! - Math.max(...Object.values(made.top_logprobs[i]!))) < 1e-6, 'greedy takes the likeliest'));
  const idOf = new Map(Array.from({ length: tokenizer.size }, (_, id) => [s.service.base.tokenText(id).token, id]));
  const scored = await post(s.url, '/v1/completions', { model: 'tiny', prompt: [...ids, ...made.tokens.map((t) => idOf.get(t)!)], max_tokens: 0, echo: true, logprobs: 3 });
  const lists = scored.body.choices[0]!.logprobs;
  assert.deepEqual([lists.token_logprobs[0], lists.top_logprobs[0], lists.tokens.length], [null, null, ids.length + 6]);
  lists.token_logprobs.slice(-6).forEach((l, i) => assert.ok(Math.abs(l! - made.token_logprobs[i]!) < 1e-4, `${l} and ${made.token_logprobs[i]}`));

  const both = await post(s.url, '/v1/completions', { model: 'tiny', prompt: [text, 'An otter'], max_tokens: 1, echo: true, logprobs: 1, temperature: 0 });
  for (const [i, prompt] of [text, 'An otter'].entries()) {
    const { text: all, logprobs } = both.body.choices[i]!;
    const own = tokenizer.encodeText(prompt).length;
    assert.ok(all.startsWith(prompt));
    assert.equal(logprobs.tokens.length, own + 1);
    assert.equal(logprobs.tokens.slice(0, own).join(''), prompt);
    logprobs.text_offset.slice(0, own).forEach((at, k) => assert.ok(prompt.startsWith(logprobs.tokens[k]!, at)));
  }
});

test('chat logprobs: each token with its bytes and the likeliest', async () => {
  const { body } = await post(s.url, '/v1/chat/completions', { ...CHAT, seed: 5, logprobs: true, top_logprobs: 2 });
  const { message, logprobs } = body.choices[0]!;
  assert.equal(Buffer.from(logprobs.content.flatMap(({ bytes }) => bytes)).toString().trim(), message.content);
  for (const { logprob, top_logprobs: top } of logprobs.content) assert.ok(logprob <= top[0]!.logprob + 1e-6 && top.length === 2 && top[0]!.logprob >= top[1]!.logprob && top[0]!.logprob < 0);
});

test('an answer to a schema follows it, whatever the model would say; one that is cut follows it as far', async () => {
  const schema = { type: 'object', properties: { animal: { enum: ['otter', 'heron'] }, legs: { type: 'integer', minimum: 0 }, wild: { type: 'boolean' } }, required: ['animal', 'legs', 'wild'], additionalProperties: false };
  for (const temperature of [0, 1]) {
    const { body } = await post(s.url, '/v1/chat/completions', { ...CHAT, seed: 3, temperature, max_tokens: 180, response_format: { type: 'json_schema', json_schema: { name: 'a', schema, strict: true } } });
    const choice = body.choices[0]!;
    assert.equal(choice.finish_reason, 'stop', JSON.stringify(body));
    const value = JSON.parse(choice.message.content) as { animal: string; legs: number; wild: boolean };
    assert.ok(['otter', 'heron'].includes(value.animal) && Number.isInteger(value.legs) && value.legs >= 0 && typeof value.wild === 'boolean');
  }
  const object = await post(s.url, '/v1/chat/completions', { ...CHAT, seed: 3, max_tokens: 3, response_format: { type: 'json_object' } });
  assert.match(object.body.choices[0]!.message.content, /^\{/);
  const refused = await post(s.url, '/v1/chat/completions', { ...CHAT, response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'string', pattern: 'x' } } } });
  assert.equal(refused.status, 400);
  assert.match(refused.body.error.message, /"pattern"/);
});

test('embeddings: one vector a text, the same for the same text, in numbers or base64', async () => {
  const input = ['An otter swims.', 'A heron stands.', 'An otter swims.'];
  const numbers = await post(s.url, '/v1/embeddings', { model: 'tiny', input });
  const [a, b, c] = numbers.body.data.map((d) => d['embedding'] as number[]);
  assert.equal(a!.length, 32);
  assert.ok(a!.every(Number.isFinite) && a!.some((x) => x !== 0));
  assert.deepEqual(a, c);
  assert.notDeepEqual(a, b);
  const packed = await post(s.url, '/v1/embeddings', { model: 'tiny', input: input[0], encoding_format: 'base64' });
  const bytes = Buffer.from(packed.body.data[0]!['embedding'] as string, 'base64');
  assert.deepEqual(Array.from({ length: 32 }, (_, i) => bytes.readFloatLE(4 * i)), a);
});

test('the list of models says whose terms they stand under', async () => {
  const { data } = (await (await fetch(`${s.url}/v1/models`)).json()) as { data: Body['data'] };
  assert.deepEqual(data.map((m) => [m['id'], m['object'], m['context_length'], m['template'], m['licence_verdict']]), [['tiny', 'model', 256, 'dolly', 'unknown']]);
  assert.equal(((await (await fetch(`${s.url}/v1/models/tiny`)).json()) as Body).id, 'tiny');
  assert.equal((await fetch(`${s.url}/v1/models/none`)).status, 404);
});

test('texts that run together get what they get alone', async () => {
  const alone = await Promise.all([1, 2].map((seed) => asked('Say otter.', { seed, greedy: true })));
  assert.equal(alone[0]!.answer, alone[1]!.answer);
  const prompts = ['Say otter.', 'Say heron again and stop.', 'Name three animals that live by the water, and say why they do.', 'x '.repeat(100)];
  const answers = await Promise.all(prompts.flatMap((content) => [0, 1].map(async () => (await post(s.url, '/v1/chat/completions', { model: 'tiny', messages: [{ role: 'user', content }], temperature: 0 })).body.choices)));
  for (const [i, prompt] of prompts.entries()) {
    const { answer } = await asked(prompt, { greedy: true });
    for (const choices of answers.slice(2 * i, 2 * i + 2)) assert.equal(choices[0]!.message.content, answer, prompt);
  }
});

/** [status, code, path, body, headers] */
const WRONG: Record<string, [number, string, string, unknown, Record<string, string>?]> = {
  'no JSON': [400, 'invalid_json', '/v1/chat/completions', '{"model":'],
  'no UTF-8 type': [415, 'unsupported_media_type', '/v1/chat/completions', 'x', { 'Content-Type': 'text/plain' }],
  'another model': [404, 'model_not_found', '/v1/chat/completions', { ...CHAT, model: 'gpt-4o' }],
  'an adapter that is not there': [404, 'model_not_found', '/v1/chat/completions', { ...CHAT, model: 'tiny:../../etc' }],
  'too long a prompt': [400, 'context_length_exceeded', '/v1/chat/completions', { model: 'tiny', messages: [{ role: 'user', content: 'otter '.repeat(400) }] }],
  'a text beyond all bounds': [400, 'context_length_exceeded', '/v1/completions', { model: 'tiny', prompt: 'otter '.repeat(300_000) }],
  'a schema without bottom': [400, 'invalid_value', '/v1/chat/completions', `{"model":"tiny","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":${'{"items":'.repeat(50_000)}{}${'}'.repeat(50_000)}}}}`],
  'an id outside the vocabulary': [400, 'invalid_value', '/v1/completions', { model: 'tiny', prompt: [999999] }],
  'a system message for a template without': [400, 'invalid_value', '/v1/chat/completions', { model: 'tiny', messages: [{ role: 'system', content: 'x' }, { role: 'user', content: 'y' }] }],
  'nothing to answer': [400, 'invalid_value', '/v1/chat/completions', { model: 'tiny', messages: [{ role: 'user', content: 'x' }, { role: 'assistant', content: 'y' }] }],
  'an unsupported field': [400, 'unsupported_parameter', '/v1/chat/completions', { ...CHAT, tools: [{}] }],
  'nowhere': [404, 'not_found', '/v2/chat', {}],
  'a wrong method': [405, 'method_not_allowed', '/v1/models', {}],
  'too many choices for batch and queue': [429, 'queue_full', '/v1/chat/completions', { ...CHAT, n: 17 }],
};
for (const [name, [status, code, path, body, headers]] of Object.entries(WRONG)) {
  test(`refused: ${name}`, async () => {
    const answer = await post(s.url, path, body, headers);
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    const { error } = answer.body;
    assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type']);
    assert.equal(error.code, code);
    if (status === 429) assert.ok(Number(answer.headers.get('retry-after')) > 0);
  });
}

test('a body without end is refused when it is too long, told or not', async () => {
  const told = await post(s.url, '/v1/chat/completions', ' '.repeat(5 * 1024 * 1024));
  assert.deepEqual([told.status, told.body.error.code], [413, 'request_too_large']);
  const parts = new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(65536).fill(32)) });
  const untold = await fetch(`${s.url}/v1/completions`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: parts, duplex: 'half' } as RequestInit).then((r) => r.status, () => 'closed');
  assert.ok(untold === 413 || untold === 'closed', String(untold));
});

test('a client that goes away takes its texts out of the batch', async () => {
  const before = await metric(s.url, 'roslin_answer_tokens_total');
  const controller = new AbortController();
  const response = await fetch(`${s.url}/v1/chat/completions`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, signal: controller.signal, body: JSON.stringify({ ...CHAT, stream: true, n: 8, max_tokens: 200, seed: 1, logprobs: true }) });
  const reader = response.body!.getReader();
  for (let i = 0; i < 3; i++) await reader.read();
  controller.abort();
  await reader.read().catch(() => {});
  await until('the batch is empty', async () => (await metric(s.url, 'roslin_texts_running')) === 0);
  const made = (await metric(s.url, 'roslin_answer_tokens_total')) - before;
  assert.ok(made < 8 * 200 - 100, `${made} of 1600 tokens were made`);
  assert.ok((await metric(s.url, 'roslin_cancelled_total')) >= 1);
  assert.equal((await post(s.url, '/v1/chat/completions', { ...CHAT, max_tokens: 2 })).status, 200, 'and others go on');
});

test('rubbish on the wire does no harm', async () => {
  const { port } = new URL(s.url);
  for (const bytes of ['\x16\x03\x01\x02\x00', 'GET / HTTP/9.9\r\n\r\n', `GET /${'x'.repeat(20000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 'POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{"a', 'GET //%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n']) {
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => {});
    socket.end(bytes);
    socket.resume();
    await once(socket, 'close');
  }
  assert.equal((await fetch(`${s.url}/healthz`)).status, 200);
});

test('without a key only this machine\'s own names are answered', async () => {
  const { port } = new URL(s.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.end('GET /v1/models HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const part of socket) text += String(part);
  assert.match(text, /^HTTP\/1\.1 403 .*wrong_host/s);
});

test('keys: who has none, a wrong one, one for something else, one that is revoked; limits of one that is good', async () => {
  await using t = await start(scratch, { service: { parallel: 1 } });
  const ask = (key?: string, body: object = { model: 'tiny', messages: CHAT.messages, max_tokens: 2 }) => post(t.url, '/v1/chat/completions', body, key === undefined ? {} : { Authorization: `Bearer ${key}` });
  assert.equal((await ask()).status, 200, 'open as long as no key was made');
  const { key } = t.keys.create({ name: 'a', scopes: ['generate'], tokensPerMinute: 300, concurrency: 1 });
  const { key: other } = t.keys.create({ name: 'b', scopes: ['embed', 'metrics'] });
  assert.deepEqual([(await ask()).status, (await ask('rk-wrong')).status, (await ask(other)).status, (await ask(key)).status], [401, 401, 403, 200]);
  assert.equal((await fetch(`${t.url}/metrics`)).status, 401);
  assert.equal((await fetch(`${t.url}/metrics`, { headers: { Authorization: `Bearer ${other}` } })).status, 200);
  assert.equal((await fetch(`${t.url}/healthz`)).status, 200);
  const long = { model: 'tiny', messages: CHAT.messages, max_tokens: 150 };
  const [first, second] = [ask(key, long), ask(key, long)];
  const codes = (await Promise.all([first, second])).map(({ status, body }) => (status === 200 ? 200 : body.error.code));
  assert.deepEqual(codes.map(String).sort(), ['200', 'concurrency_limit_exceeded']);
  const limited = await ask(key, long);
  const reached = limited.status === 200 ? await ask(key, long) : limited;
  assert.deepEqual([reached.status, reached.body.error.code], [429, 'tokens_limit_exceeded']);
  assert.ok(Number(reached.headers.get('retry-after')) > 0);
  t.keys.revoke('a');
  assert.equal((await ask(key)).status, 401);
});

test('open to other machines only with a key, and the refusal says how to make one', async () => {
  await assert.rejects(start(scratch, { http: { host: '0.0.0.0' } }), (error) => error instanceof UsageError && /roslin serve keys create --name NAME/.test(error.message));
});

test('a process with the model that dies fails what runs, is started again, and answers', async () => {
  await using t = await start(scratch);
  const running = stream(t.url, '/v1/chat/completions', { ...CHAT, n: 8, max_tokens: 200, seed: 1 });
  await until('it runs', () => t.service.places.taken > 0);
  process.kill(t.service.modelPid!, 'SIGKILL');
  const { chunks, done } = await running;
  assert.ok(!done);
  assert.equal(chunks.at(-1)!.error.code, 'unavailable');
  await until('it is ready again', () => t.service.isReady);
  assert.equal((await post(t.url, '/v1/chat/completions', { ...CHAT, max_tokens: 2 })).status, 200);
  assert.equal(t.service.places.taken, 0);
  assert.equal(await metric(t.url, 'roslin_model_ended_total'), 1);
});

test('the end: running answers are finished, new requests refused, and after the time given the rest is cut', async () => {
  const t = await start(scratch, { http: { graceMs: 20_000 } });
  const running = stream(t.url, '/v1/chat/completions', { ...CHAT, n: 2, max_tokens: 100, seed: 1 });
  await until('it runs', () => t.service.places.taken > 0);
  const closing = t.server.close();
  assert.ok((await running).done);
  assert.equal(await closing, 0);
  await assert.rejects(fetch(`${t.url}/healthz`));
  await t.service[Symbol.asyncDispose]();

  const u = await start(scratch, { http: { graceMs: 0 } });
  const cut = stream(u.url, '/v1/chat/completions', { ...CHAT, n: 8, max_tokens: 200, seed: 1 });
  await until('it runs', () => u.service.places.taken > 0);
  assert.equal(await u.server.close(), 1);
  assert.equal((await cut).chunks.at(-1)!.error.code, 'shutting_down');
  await u.service[Symbol.asyncDispose]();
});
