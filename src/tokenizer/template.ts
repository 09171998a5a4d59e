/**
 * What a prompt template is: a record becomes segments, each either text (which can never become a special token) or
 * one special token by its content, each trained or not. Token ids and the loss mask are built from the same segments
 * (`example.ts`); nothing is ever searched for in text or ids. The two templates: `dolly.ts`, `chat.ts`.
 */
import { createHash } from 'node:crypto';
import { InputError } from '../errors.ts';
import type { ChatMessage } from './jinja.ts';

/** Exactly one of `text` and `special` is there; `special` is the content of an added special token. */
export interface Segment {
  readonly text?: string;
  readonly special?: string;
  /** Whether its tokens are targets of the loss. */
  readonly trained: boolean;
}

export interface PromptFields {
  readonly instruction: string;
  readonly context: string;
}

export interface ExampleFields extends PromptFields {
  readonly response: string;
}

export interface PromptTemplate {
  readonly name: 'dolly' | 'chat' | 'text';
  /** SHA-256, hex, of everything that decides the output. */
  readonly hash: string;
  /** Special tokens that the template needs added to the tokenizer, in order. */
  readonly addedTokens: readonly string[];
  /** Content of the special token that ends an answer. */
  readonly stopToken: string;
  /** A whole example: the segments of `prompt`, then the answer and the stop token, trained. */
  example(record: ExampleFields): Segment[];
  /** Everything before the answer. */
  prompt(record: PromptFields): Segment[];
  /**
   * The prompt for the answer to the last message of a conversation; absent where the template knows single questions only.
   * Throws InputError for what the template has no place for, such as a system message.
   */
  readonly conversation?: (messages: readonly ChatMessage[]) => Segment[];
}

/** The same template with the base's begin token in front, for bases that expect it (`addBos` of a GGUF). */
export function withBosToken(template: PromptTemplate, bosToken: string): PromptTemplate {
  const first = template.prompt({ instruction: 'x', context: '' })[0];
  if (first?.special === bosToken) return template;
  const bos: Segment = { special: bosToken, trained: false };
  return {
    ...template,
    hash: templateHash({ begin: bosToken, of: template.hash }),
    example: (record) => [bos, ...template.example(record)],
    prompt: (record) => [bos, ...template.prompt(record)],
    ...(template.conversation ? { conversation: (messages: readonly ChatMessage[]) => [bos, ...template.conversation!(messages)] } : {}),
  };
}

/** Puts neighbouring texts of the same kind together, so that they are tokenised as one run, and drops empty ones. */
export function joinTexts(segments: readonly Segment[]): Segment[] {
  const joined: Segment[] = [];
  for (const segment of segments) {
    const last = joined.at(-1);
    if (segment.text === undefined) joined.push(segment);
    else if (segment.text === '') continue;
    else if (last?.text !== undefined && last.trained === segment.trained) {
      joined[joined.length - 1] = { text: last.text + segment.text, trained: last.trained };
    } else joined.push(segment);
  }
  return joined;
}

/** Hash of what decides a template's output: JSON with keys in the order given. */
export function templateHash(parts: Readonly<Record<string, unknown>>): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** The instruction and its context as one message, joined as Dolly's generation example does it. */
export function userMessage({ instruction, context }: PromptFields): string {
  return context === '' ? instruction : `${instruction}\n\nInput:\n${context}`;
}

/** Refuses segments that no trainer could use: a template is checked once, when it is made. */
export function checkTemplate(template: PromptTemplate, where: string): PromptTemplate {
  const fields = { instruction: 'a', context: 'b', response: 'c' };
  const prompt = template.prompt(fields);
  const example = template.example(fields);
  const refuse = (expected: string, found: string): never => {
    throw new InputError({ expected, found, where, remedy: 'Use another template (--template dolly works with every base).' });
  };
  if (prompt.length === 0) refuse('a prompt before the answer', 'none');
  if (prompt.some((segment) => segment.trained)) refuse('a prompt without trained parts', 'a trained part');
  prompt.forEach((segment, i) => {
    if (example[i]?.text !== segment.text || example[i]?.special !== segment.special) {
      refuse('an example that begins with the prompt used for generating', 'another beginning');
    }
  });
  const last = example.at(-1);
  if (last?.special !== template.stopToken || !last.trained) refuse('an example that ends with the stop token', 'another end');
  return template;
}
