/** Answers as the OpenAI API writes them, whole or in pieces. Source: its reference of chat/completions, completions and embeddings. */
import { randomUUID } from 'node:crypto';
import { endianness } from 'node:os';
import type { CompletionRequest, ChatRequest, EmbeddingRequest } from './requests.ts';
import { promptsOf } from './requests.ts';
import type { ServedModel } from './served-model.ts';
import type { Answering, AnswerToken, Choice } from './service.ts';

type Json = Record<string, unknown>;

const idOf = (prefix: string) => `${prefix}-${randomUUID().replaceAll('-', '')}`;
const now = () => Math.floor(Date.now() / 1000);

interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

const usageOf = (prompt: number, completion: number): Usage => ({ prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion });

function head(prefix: string, object: string, { model }: Answering): Json {
  return { id: idOf(prefix), object, created: now(), model: model.id, system_fingerprint: model.fingerprint };
}

function chatLogprobs(model: ServedModel, tokens: readonly AnswerToken[]): Json | null {
  const scored = tokens.filter((t) => t.logprob !== undefined);
  if (scored.length === 0) return null;
  const entry = (id: number, logprob: number) => {
    const { token, bytes } = model.tokenText(id);
    return { token, logprob, bytes };
  };
  return { content: scored.map((t) => ({ ...entry(t.id, t.logprob!), top_logprobs: t.top!.map(([id, logprob]) => entry(id, logprob)) })), refusal: null };
}

/** Pieces of a chat answer, for an event stream. */
export async function* chatChunks(request: ChatRequest, answering: Answering): AsyncGenerator<Json> {
  const withUsage = request.stream_options?.include_usage === true;
  const first = head('chatcmpl', 'chat.completion.chunk', answering);
  const chunk = (index: number, delta: Json, logprobs: Json | null, finish: string | null): Json =>
    ({ ...first, choices: [{ index, delta, logprobs, finish_reason: finish }], ...(withUsage ? { usage: null } : {}) });
  for (const index of answering.choices.keys()) yield chunk(index, { role: 'assistant', content: '', refusal: null }, null, null);
  let made = 0;
  for await (const event of answering.events) {
    if (event.type === 'text') yield chunk(event.choice, { content: event.text }, chatLogprobs(answering.model, event.tokens), null);
    else if (event.type === 'end') {
      made += event.tokens;
      yield chunk(event.choice, {}, null, event.reason);
    }
  }
  if (withUsage) yield { ...first, choices: [], usage: usageOf(answering.promptTokens, made) };
}

export async function chatAnswer(answering: Answering): Promise<Json> {
  const first = head('chatcmpl', 'chat.completion', answering);
  const { choices, made } = await gather(answering);
  return {
    ...first,
    choices: choices.map(({ text, tokens, reason }, index) => ({ index, message: { role: 'assistant', content: text, refusal: null }, logprobs: chatLogprobs(answering.model, tokens), finish_reason: reason })),
    usage: usageOf(answering.promptTokens, made),
  };
}

interface Gathered {
  text: string;
  readonly tokens: AnswerToken[];
  prompt: readonly AnswerToken[];
  reason: string;
}

async function gather({ choices, events }: Answering): Promise<{ choices: Gathered[]; made: number }> {
  const gathered = choices.map((): Gathered => ({ text: '', tokens: [], prompt: [], reason: 'length' }));
  let made = 0;
  for await (const event of events) {
    const choice = gathered[event.choice]!;
    if (event.type === 'prompt') choice.prompt = event.scored;
    else if (event.type === 'text') {
      choice.text += event.text;
      choice.tokens.push(...event.tokens);
    } else {
      choice.reason = event.reason;
      made += event.tokens;
    }
  }
  return { choices: gathered, made };
}

/** The older form of log-probabilities: lists side by side, with where each token begins in the text. */
class TextLogprobs {
  readonly #model: ServedModel;
  #offset = 0;

  constructor(model: ServedModel) {
    this.#model = model;
  }

  of(tokens: readonly AnswerToken[]): Json {
    const out = { tokens: [] as string[], token_logprobs: [] as (number | null)[], top_logprobs: [] as (Record<string, number> | null)[], text_offset: [] as number[] };
    for (const { id, logprob, top } of tokens) {
      const { token } = this.#model.tokenText(id);
      out.tokens.push(token);
      out.token_logprobs.push(logprob ?? null);
      out.top_logprobs.push(top === undefined ? null : this.#likeliest(top));
      out.text_offset.push(this.#offset);
      this.#offset += token.length;
    }
    return out;
  }

  /** Several tokens may be written alike: the likeliest stands for them. */
  #likeliest(top: NonNullable<AnswerToken['top']>): Record<string, number> {
    const found = new Map<string, number>();
    for (const [id, logprob] of top) {
      const { token } = this.#model.tokenText(id);
      if (!found.has(token)) found.set(token, logprob);
    }
    return Object.fromEntries(found);
  }
}

/** What stands before the answers of a prompt: with `echo` the prompt, as it was written. */
function echoed(request: CompletionRequest, answering: Answering, choice: number): string {
  if (!request.echo) return '';
  const prompt = promptsOf(request)[Math.floor(choice / request.n)]!;
  return typeof prompt === 'string' ? prompt : answering.model.opened.tokenizer.decode(answering.choices[choice]!.ids);
}

/** The prompt's tokens: the first has nothing before it and so no probability. */
const promptTokens = ({ ids }: Choice, scored: readonly AnswerToken[]): AnswerToken[] => [{ id: ids[0]! }, ...scored];

export async function* textChunks(request: CompletionRequest, answering: Answering): AsyncGenerator<Json> {
  const withUsage = request.stream_options?.include_usage === true;
  const first = head('cmpl', 'text_completion', answering);
  const logprobs = answering.choices.map(() => new TextLogprobs(answering.model));
  const chunk = (index: number, text: string, lists: Json | null, finish: string | null): Json =>
    ({ ...first, choices: [{ index, text, logprobs: lists, finish_reason: finish }], ...(withUsage ? { usage: null } : {}) });
  const wanted = request.logprobs !== undefined;
  const echoes = answering.choices.map((_, i) => echoed(request, answering, i));
  const opened = answering.choices.map(() => false);
  let made = 0;
  const open = function* (choice: number, scored: readonly AnswerToken[]): Generator<Json> {
    if (opened[choice] || !request.echo) return;
    opened[choice] = true;
    yield chunk(choice, echoes[choice]!, wanted ? logprobs[choice]!.of(promptTokens(answering.choices[choice]!, scored)) : null, null);
  };
  for await (const event of answering.events) {
    yield* open(event.choice, event.type === 'prompt' ? event.scored : []);
    if (event.type === 'text') yield chunk(event.choice, event.text, wanted ? logprobs[event.choice]!.of(event.tokens) : null, null);
    else if (event.type === 'end') {
      made += event.tokens;
      yield chunk(event.choice, '', null, event.reason);
    }
  }
  if (withUsage) yield { ...first, choices: [], usage: usageOf(answering.promptTokens, made) };
}

export async function textAnswer(request: CompletionRequest, answering: Answering): Promise<Json> {
  const first = head('cmpl', 'text_completion', answering);
  const { choices, made } = await gather(answering);
  return {
    ...first,
    choices: choices.map(({ text, tokens, prompt, reason }, index) => {
      const all = request.echo ? [...promptTokens(answering.choices[index]!, prompt), ...tokens] : tokens;
      return { index, text: echoed(request, answering, index) + text, logprobs: request.logprobs === undefined ? null : new TextLogprobs(answering.model).of(all), finish_reason: reason };
    }),
    usage: usageOf(answering.promptTokens, made),
  };
}

export function embeddingAnswer({ encoding_format: format }: EmbeddingRequest, { model, vectors, tokens }: { model: ServedModel; vectors: readonly Float32Array[]; tokens: number }): Json {
  return {
    object: 'list', model: model.id,
    data: vectors.map((v, index) => ({ object: 'embedding', index, embedding: format === 'float' ? Array.from(v) : base64(v) })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** Little-endian, whatever the machine is. */
function base64(vector: Float32Array): string {
  const bytes = Buffer.from(vector.buffer.slice(vector.byteOffset, vector.byteOffset + vector.byteLength));
  return (endianness() === 'LE' ? bytes : bytes.swap32()).toString('base64');
}

