/** Fields of requests: kept to, refused by name, or unknown; none dropped silently. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../src/serve/errors.ts';
import { chatRequest, completionRequest, embeddingRequest } from '../../src/serve/requests.ts';

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Say otter.' }] };
const TEXT = { model: 'm', prompt: 'An otter' };

test('what is not given has its default, and null is not given', () => {
  const request = chatRequest({ ...CHAT, temperature: null, stop: null, tools: null });
  assert.deepEqual([request.stream, request.n, request.stop, request.temperature, request.response_format], [false, 1, [], undefined, { type: 'text' }]);
});

test('content in parts, and the developer as the system', () => {
  const { messages } = chatRequest({ model: 'm', messages: [{ role: 'developer', content: 'Be brief.' }, { role: 'user', content: [{ type: 'text', text: 'Say ' }, { type: 'text', text: 'otter.' }] }, { role: 'assistant', content: 'No.', tool_calls: [] }] });
  assert.deepEqual(messages, [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Say otter.' }, { role: 'assistant', content: 'No.' }]);
});

test('what asks for nothing may stand there', () => {
  chatRequest({ ...CHAT, frequency_penalty: 0, presence_penalty: 0, logit_bias: {}, tools: [], tool_choice: 'none', parallel_tool_calls: false, service_tier: 'auto', store: false, modalities: ['text'], user: 'u', metadata: { a: 'b' } });
  completionRequest({ ...TEXT, best_of: 1, suffix: '' });
});

/** [how it is read, body, code, field] */
const REFUSED: Record<string, [(body: unknown) => unknown, unknown, string, string | null]> = {
  'no object': [chatRequest, [], 'invalid_value', null],
  'no model': [chatRequest, { messages: CHAT.messages }, 'invalid_value', 'model'],
  'no messages': [chatRequest, { model: 'm', messages: [] }, 'invalid_value', 'messages'],
  'an unknown field': [chatRequest, { ...CHAT, temprature: 1 }, 'unknown_parameter', 'temprature'],
  'an unknown field inside': [chatRequest, { ...CHAT, stream: true, stream_options: { usage: true } }, 'unknown_parameter', 'stream_options.usage'],
  'penalties': [chatRequest, { ...CHAT, frequency_penalty: 0.5 }, 'unsupported_parameter', 'frequency_penalty'],
  'a bias': [completionRequest, { ...TEXT, logit_bias: { 5: 1 } }, 'unsupported_parameter', 'logit_bias'],
  'tools': [chatRequest, { ...CHAT, tools: [{ type: 'function' }] }, 'unsupported_parameter', 'tools'],
  'a demanded tool': [chatRequest, { ...CHAT, tool_choice: 'required' }, 'unsupported_parameter', 'tool_choice'],
  'a picture': [chatRequest, { model: 'm', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] }, 'unsupported_parameter', 'messages[0].content[0].type'],
  'an answer of a tool': [chatRequest, { model: 'm', messages: [{ role: 'tool', content: 'x', tool_call_id: '1' }] }, 'unsupported_parameter', 'messages[0].role'],
  'a name': [chatRequest, { model: 'm', messages: [{ role: 'user', content: 'x', name: 'Ann' }] }, 'unsupported_parameter', 'messages[0].name'],
  'a role': [chatRequest, { model: 'm', messages: [{ role: 'wizard', content: 'x' }] }, 'invalid_value', 'messages[0].role'],
  'a temperature': [chatRequest, { ...CHAT, temperature: -1 }, 'invalid_value', 'temperature'],
  'a temperature that is none': [chatRequest, { ...CHAT, temperature: 'hot' }, 'invalid_value', 'temperature'],
  'too many stop strings': [chatRequest, { ...CHAT, stop: Array.from({ length: 17 }, () => 'x') }, 'invalid_value', 'stop'],
  'an empty stop string': [chatRequest, { ...CHAT, stop: '' }, 'invalid_value', 'stop'],
  'two lengths': [chatRequest, { ...CHAT, max_tokens: 1, max_completion_tokens: 2 }, 'invalid_value', 'max_tokens'],
  'likeliest without logprobs': [chatRequest, { ...CHAT, top_logprobs: 2 }, 'invalid_value', 'top_logprobs'],
  'options of a stream without one': [chatRequest, { ...CHAT, stream_options: { include_usage: true } }, 'invalid_value', 'stream_options'],
  'a format': [chatRequest, { ...CHAT, response_format: { type: 'xml' } }, 'invalid_value', 'response_format.type'],
  'nothing to go on with': [completionRequest, { model: 'm' }, 'invalid_value', 'prompt'],
  'text and question': [completionRequest, { ...TEXT, instruction: 'x' }, 'invalid_value', 'prompt'],
  'no tokens': [completionRequest, { ...TEXT, max_tokens: 0 }, 'invalid_value', 'max_tokens'],
  'the best of several': [completionRequest, { ...TEXT, best_of: 3 }, 'unsupported_parameter', 'best_of'],
  'something after': [completionRequest, { ...TEXT, suffix: 'x' }, 'unsupported_parameter', 'suffix'],
  'too many choices': [completionRequest, { model: 'm', prompt: ['a', 'b'], n: 65 }, 'invalid_value', 'n'],
  'dimensions': [embeddingRequest, { model: 'm', input: 'x', dimensions: 8 }, 'unsupported_parameter', 'dimensions'],
  'an empty input': [embeddingRequest, { model: 'm', input: '' }, 'invalid_value', 'input'],
};
for (const [name, [read, body, code, param]] of Object.entries(REFUSED)) {
  test(`refused: ${name}`, () => {
    assert.throws(() => read(body), (error) => {
      assert.ok(error instanceof ApiError, String(error));
      assert.deepEqual([error.status, error.body.error.code, error.body.error.param], [400, code, param], error.message);
      return true;
    });
  });
}
