/**
 * Requests, checked. Every field is one of three: known and kept to, known and refused unless it asks for nothing
 * (`unsupported_parameter`), or unknown and refused (`unknown_parameter`), as OpenAI does. Nothing is dropped silently.
 */
import { z } from 'zod';
import type { ChatMessage } from '../tokenizer/jinja.ts';
import { ApiError, invalid, unsupported } from './errors.ts';

const MOST_CHOICES = 128;
const MOST_TOP = 20;

const count = z.number().int().positive().max(1_000_000);
const stop = z.union([z.string().min(1).max(500), z.array(z.string().min(1).max(500)).min(1).max(16)]).transform((s) => (typeof s === 'string' ? [s] : s));
const common = {
  model: z.string().max(500),
  stream: z.boolean().default(false),
  stream_options: z.strictObject({ include_usage: z.boolean().optional(), include_obfuscation: z.literal(false).optional() }).optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().gt(0).max(1).optional(),
  /** Not OpenAI's. 0: no cut. */
  top_k: z.number().int().min(0).max(1_000_000).optional(),
  seed: z.number().int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER).optional(),
  n: z.number().int().min(1).max(MOST_CHOICES).default(1),
  stop: stop.default([]),
  /** Says who asks; nothing depends on it. */
  user: z.string().max(1000).optional(),
  safety_identifier: z.string().max(1000).optional(),
  prompt_cache_key: z.string().max(1000).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
};

const textPart = z.strictObject({ type: z.literal('text'), text: z.string() });
const message = z.strictObject({
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content: z.union([z.string(), z.array(textPart).min(1).max(1000)]),
}).transform(({ role, content }): ChatMessage => ({
  role: role === 'developer' ? 'system' : role,
  content: typeof content === 'string' ? content : content.map((part) => part.text).join(''),
}));

const responseFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({ type: z.literal('json_schema'), json_schema: z.strictObject({ name: z.string().max(200), description: z.string().optional(), schema: z.record(z.string(), z.unknown()).optional(), strict: z.boolean().nullish() }) }),
]);

const chatSchema = z.strictObject({
  ...common,
  messages: z.array(message).min(1).max(256),
  max_tokens: count.optional(),
  max_completion_tokens: count.optional(),
  logprobs: z.boolean().default(false),
  top_logprobs: z.number().int().min(0).max(MOST_TOP).optional(),
  response_format: responseFormat.default({ type: 'text' }),
});

const ids = z.array(z.number().int().min(0)).min(1).max(1_000_000);
const completionSchema = z.strictObject({
  ...common,
  prompt: z.union([z.string(), z.array(z.string()).min(1).max(MOST_CHOICES), ids, z.array(ids).min(1).max(MOST_CHOICES)]).optional(),
  /** Not OpenAI's: a question, framed by the model's own template. */
  instruction: z.string().min(1).optional(),
  context: z.string().optional(),
  max_tokens: z.number().int().min(0).max(1_000_000).optional(),
  logprobs: z.number().int().min(0).max(MOST_TOP).optional(),
  echo: z.boolean().default(false),
});

const embeddingSchema = z.strictObject({
  model: z.string().max(500),
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(2048), ids, z.array(ids).min(1).max(2048)]),
  encoding_format: z.enum(['float', 'base64']).default('float'),
  user: z.string().max(1000).optional(),
});

export type ChatRequest = z.output<typeof chatSchema>;
export type CompletionRequest = z.output<typeof completionSchema>;
export type EmbeddingRequest = z.output<typeof embeddingSchema>;

/** Fields of OpenAI's that are not supported, with what may stand there all the same because it asks for nothing. */
type Refused = Readonly<Record<string, (value: unknown) => boolean>>;
const never = () => false;
const isZero = (v: unknown) => v === 0;
const isEmpty = (v: unknown) => typeof v === 'object' && v !== null && Object.keys(v).length === 0;
const is = (...values: readonly unknown[]) => (v: unknown) => values.includes(v);

const REFUSED_BY_BOTH: Refused = { frequency_penalty: isZero, presence_penalty: isZero, logit_bias: isEmpty };
const REFUSED_BY_CHAT: Refused = {
  ...REFUSED_BY_BOTH, tools: isEmpty, tool_choice: is('none', 'auto'), parallel_tool_calls: () => true, functions: isEmpty, function_call: is('none', 'auto'), audio: never,
  modalities: (v) => JSON.stringify(v) === '["text"]', prediction: never, reasoning_effort: is('none'), service_tier: is('auto', 'default'), store: is(false), verbosity: is('medium'),
  web_search_options: never, moderation: never, prompt_cache_retention: never, prompt_cache_options: never,
};
const REFUSED_BY_COMPLETIONS: Refused = { ...REFUSED_BY_BOTH, best_of: is(1), suffix: is('') };
const REFUSED_BY_EMBEDDINGS: Refused = { dimensions: never };

function parse<T extends z.ZodType>(schema: T, body: unknown, refused: Refused): z.output<T> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid(null, 'The body must be a JSON object.');
  // null stands for "not given", as with OpenAI.
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  for (const [name, asksNothing] of Object.entries(refused)) {
    if (!Object.hasOwn(given, name)) continue;
    if (!asksNothing(given[name])) throw unsupported(name, `"${name}" is not supported by this server.`);
    delete given[name];
  }
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const issue = deepest(result.error.issues[0]!);
  const path = issue.path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part)), '');
  if (issue.code === 'unrecognized_keys') {
    const name = [path, issue.keys[0]].filter(Boolean).join('.');
    throw new ApiError({ status: 400, code: 'unknown_parameter', param: name, message: `Unknown parameter: "${name}".` });
  }
  throw invalid(path || null, `${path ? `"${path}": ` : ''}${issue.message}`);
}

type Issue = z.core.$ZodIssue;

/** Of a value that may be one of several, the complaint that got furthest. */
function deepest(issue: Issue): Issue {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue;
  const within = issue.errors.flatMap((issues) => issues.slice(0, 1)).map(deepest).sort((a, b) => b.path.length - a.path.length)[0];
  return within && within.path.length > 0 ? { ...within, path: [...issue.path, ...within.path] } : issue;
}

export function chatRequest(body: unknown): ChatRequest {
  refuseInMessages(body);
  const request = parse(chatSchema, body, REFUSED_BY_CHAT);
  if (request.max_tokens !== undefined && request.max_completion_tokens !== undefined && request.max_tokens !== request.max_completion_tokens) throw invalid('max_tokens', '"max_tokens" and "max_completion_tokens" say different things.');
  if (request.top_logprobs !== undefined && !request.logprobs) throw invalid('top_logprobs', '"top_logprobs" needs "logprobs": true.');
  return withStream(request);
}

export function completionRequest(body: unknown): CompletionRequest {
  const request = parse(completionSchema, body, REFUSED_BY_COMPLETIONS);
  if ((request.prompt === undefined) === (request.instruction === undefined)) throw invalid('prompt', 'Give either "prompt", a text to go on with, or "instruction", a question for the model\'s template.');
  if (request.context !== undefined && request.instruction === undefined) throw invalid('context', '"context" belongs to "instruction".');
  if (request.echo && request.instruction !== undefined) throw invalid('echo', '"echo" belongs to "prompt".');
  if (request.max_tokens === 0 && !request.echo) throw invalid('max_tokens', '0 makes sense with "echo" only.');
  if (request.n * promptsOf(request).length > MOST_CHOICES) throw invalid('n', `At most ${MOST_CHOICES} choices a request.`);
  return withStream(request);
}

export const embeddingRequest = (body: unknown): EmbeddingRequest => parse(embeddingSchema, body, REFUSED_BY_EMBEDDINGS);

function withStream<T extends { stream: boolean; stream_options?: unknown }>(request: T): T {
  if (request.stream_options !== undefined && !request.stream) throw invalid('stream_options', '"stream_options" needs "stream": true.');
  return request;
}

/** Each prompt as text or ids. */
export function promptsOf({ prompt }: { readonly prompt?: CompletionRequest['prompt'] | EmbeddingRequest['input'] }): readonly (string | readonly number[])[] {
  if (prompt === undefined) return [''];
  if (typeof prompt === 'string') return [prompt];
  return typeof prompt[0] === 'number' ? [prompt as number[]] : (prompt as (string | number[])[]);
}

/** What a message may hold with OpenAI and not here, by its name: images, sound, calls of tools. */
function refuseInMessages(body: unknown): void {
  const messages: unknown = (body as { messages?: unknown } | null)?.messages;
  if (!Array.isArray(messages)) return;
  messages.forEach((m: unknown, i) => {
    if (typeof m !== 'object' || m === null) return;
    const fields = m as Record<string, unknown>;
    if (fields['role'] === 'tool' || fields['role'] === 'function') throw unsupported(`messages[${i}].role`, 'Messages of tools are not supported by this server.');
    for (const name of ['tool_calls', 'function_call', 'audio', 'refusal', 'name', 'tool_call_id']) {
      const value = fields[name];
      if (value === undefined) continue;
      if (value !== null && !isEmpty(value)) throw unsupported(`messages[${i}].${name}`, `"${name}" in a message is not supported by this server.`);
      delete fields[name];
    }
    if (!Array.isArray(fields['content'])) return;
    fields['content'].forEach((part: unknown, p) => {
      const type: unknown = (part as { type?: unknown } | null)?.type;
      if (typeof type === 'string' && type !== 'text') throw unsupported(`messages[${i}].content[${p}].type`, `Parts of type "${type}" are not supported by this server: this model reads text.`);
    });
  });
}
