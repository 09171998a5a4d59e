/**
 * The chat template that a base carries, as segments. It is rendered once with a stand-in for each text that a person or the
 * model writes; the output around the stand-ins is the template's own, and only there are special tokens found. For training:
 * one user message (instruction and context) and one answer; whatever else the template says, such as a default system
 * message, is kept. Trained: all that follows the generation prompt, up to and including the stop token, which is the first
 * special token after the answer. What the template writes after it is not part of an example. For talking: the prompt for
 * the next answer of a conversation.
 */
import { createHash } from 'node:crypto';
import { InputError } from '../errors.ts';
import { JinjaTemplate, pythonStrip } from './jinja.ts';
import type { ChatMessage, StripMethod } from './jinja.ts';
import { checkTemplate, joinTexts, templateHash, userMessage } from './template.ts';
import type { PromptTemplate, Segment } from './template.ts';

export interface ChatTemplateOptions {
  readonly bosToken?: string;
  readonly eosToken?: string;
  /** Contents of all special tokens of the tokenizer the template is used with. */
  readonly specialTokens: readonly string[];
  /** Names the template in messages. */
  readonly where?: string;
}

/** @param source the Jinja text. Throws InputError, with the reason, for a template that cannot be trained with. */
export function chatTemplate(source: string, options: ChatTemplateOptions): PromptTemplate {
  const where = options.where ?? 'chat template';
  const framer = new Framer(source, options, where);
  const layout = readLayout(framer, where);
  const split = (text: string, trained: boolean): Segment[] => splitSpecial(text, options.specialTokens, trained);
  const before = split(layout.before, false);
  const between = split(layout.between, false);
  const lead = split(layout.lead, true);
  const tail = split(layout.tail, true);
  const stop = tail.findIndex((segment) => segment.special !== undefined);
  const stopToken = tail[stop]?.special;
  if (stopToken === undefined) {
    refuse(where, 'a special token after the answer, so that a model can learn to stop', JSON.stringify(layout.tail.slice(0, 80)));
  }
  const ending = tail.slice(0, stop + 1);
  const prompt: PromptTemplate['prompt'] = (record) =>
    joinTexts([...before, { text: layout.trimUser(userMessage(record)), trained: false }, ...between]);
  const example: PromptTemplate['example'] = (record) => [
    ...prompt(record),
    ...joinTexts([...lead, { text: layout.trimAnswer(record.response), trained: true }, ...ending]),
  ];
  const knowsConversations = succeeds(() => framer.frame(['user', 'assistant', 'user'], true));
  return checkTemplate(
    {
      name: 'chat',
      hash: templateHash({
        template: 'chat',
        source,
        bosToken: options.bosToken ?? null,
        eosToken: options.eosToken ?? null,
        specialTokens: options.specialTokens,
      }),
      addedTokens: [],
      stopToken,
      example,
      prompt,
      ...(knowsConversations ? { conversation: (messages: readonly ChatMessage[]) => conversation(framer, messages, split) } : {}),
    },
    where,
  );
}

/** The prompt for the answer to the last of `messages`. */
function conversation(framer: Framer, messages: readonly ChatMessage[], split: (text: string, trained: boolean) => Segment[]): Segment[] {
  const { parts, trims } = framer.frame(messages.map(({ role }) => role), true);
  return joinTexts(parts.flatMap((part, i) => {
    const message = messages[i];
    if (message === undefined) return split(part, false);
    const content = message.role === 'assistant' ? framer.withoutThoughts(message.content) : message.content;
    return [...split(part, false), { text: trims[i]!(content), trained: false }];
  }));
}

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** What a template does to a text before it writes it. */
type Trim = (text: string) => string;

const METHODS: readonly StripMethod[] = ['strip', 'lstrip', 'rstrip'];
/** The changes that can be followed: none, white space or newlines taken away at one end or both. */
const TRIMS: readonly Trim[] = [
  (text) => text,
  ...METHODS.map((method): Trim => (text) => pythonStrip(method, text)),
  ...METHODS.map((method): Trim => (text) => pythonStrip(method, text, '\n')),
];
/** Put round a stand-in, it comes out of each of them otherwise. */
const SPACE = '\n \n';

/** A template's own output around the texts of a conversation: `parts` has one more than there are texts. */
interface Frame {
  readonly parts: readonly string[];
  readonly trims: readonly Trim[];
}

type Role = ChatMessage['role'];

const WHAT: Readonly<Record<Role, string>> = { system: 'the system message', user: 'the instruction', assistant: 'the answer' };

class Framer {
  readonly #template: JinjaTemplate;
  readonly #options: ChatTemplateOptions;
  readonly #where: string;
  readonly #mark: string;
  #forget: Trim | 'keeps' | undefined;

  constructor(source: string, options: ChatTemplateOptions, where: string) {
    this.#template = new JinjaTemplate(source, where);
    this.#options = options;
    this.#where = where;
    this.#mark = createHash('sha256').update(source).digest('hex').slice(0, 20);
  }

  /** Throws InputError where the template does not write each text once, in order, kept or trimmed. */
  frame(roles: readonly Role[], generation: boolean): Frame {
    const texts = roles.map((_, i) => this.#standIn(i));
    const parts: string[] = [];
    let rest = this.#render(roles, texts, generation);
    for (const [i, text] of texts.entries()) {
      const [before, after] = this.#cut(rest, text, WHAT[roles[i]!]);
      parts.push(before);
      rest = after;
    }
    parts.push(rest);
    const spaced = texts.map((text) => SPACE + text + SPACE);
    const trims = trimsOf(this.#render(roles, spaced, generation), parts, spaced);
    if (trims === undefined) refuse(this.#where, 'a template that keeps or trims the text of a message', 'one that changes it otherwise');
    return { parts, trims };
  }

  /** Some templates leave the model's thoughts out of the answers that went before. */
  withoutThoughts(answer: string): string {
    const end = answer.lastIndexOf(THOUGHTS_END);
    if (end < 0) return answer;
    this.#forget ??= this.#howThoughtsAreForgotten();
    return this.#forget === 'keeps' ? answer : this.#forget(answer.slice(end + THOUGHTS_END.length));
  }

  #howThoughtsAreForgotten(): Trim | 'keeps' {
    const roles: readonly Role[] = ['user', 'assistant', 'user'];
    const [first, thought, answer, last] = [0, 1, 2, 3].map((i) => this.#standIn(i)) as [string, string, string, string];
    const { parts } = this.frame(roles, true);
    const spaced = SPACE + answer + SPACE;
    const shown = this.#render(roles, [first, `<think>\n${thought}\n${THOUGHTS_END}${spaced}`, last], true);
    return TRIMS.find((trim) => shown === parts[0]! + first + parts[1]! + trim(spaced) + parts[2]! + last + parts[3]!) ?? 'keeps';
  }

  #standIn(i: number): string {
    return `Fq${this.#mark}x${i}x`;
  }

  #render(roles: readonly Role[], texts: readonly string[], generation: boolean): string {
    const { bosToken, eosToken } = this.#options;
    return this.#template.render({
      messages: roles.map((role, i) => ({ role, content: texts[i]! })),
      add_generation_prompt: generation,
      ...(bosToken === undefined ? {} : { bos_token: bosToken }),
      ...(eosToken === undefined ? {} : { eos_token: eosToken }),
    });
  }

  /** Cuts at the stand-in, which must be there exactly once. */
  #cut(text: string, standIn: string, what: string): [string, string] {
    const parts = text.split(standIn);
    if (parts.length !== 2) {
      refuse(
        this.#where,
        `a template that writes ${what} once and unchanged`,
        parts.length === 1 ? 'one that drops or alters it' : `one that writes it ${parts.length - 1} times`,
      );
    }
    return parts as [string, string];
  }
}

const THOUGHTS_END = '</think>';

/** How each of `texts` was changed on its way into `whole`; undefined where none of the known ways explains it. */
function trimsOf(whole: string, parts: readonly string[], texts: readonly string[], at = 0): Trim[] | undefined {
  const part = parts[at]!;
  if (!whole.startsWith(part)) return undefined;
  const rest = whole.slice(part.length);
  if (at === texts.length) return rest === '' ? [] : undefined;
  for (const trim of TRIMS) {
    const text = trim(texts[at]!);
    const following = rest.startsWith(text) ? trimsOf(rest.slice(text.length), parts, texts, at + 1) : undefined;
    if (following) return [trim, ...following];
  }
  return undefined;
}

/** The template's own output around an instruction and its answer. */
interface Layout {
  readonly before: string;
  /** Between the user's text and where generating begins. */
  readonly between: string;
  /** Between there and the answer: what a model must write itself. Usually empty. */
  readonly lead: string;
  readonly tail: string;
  readonly trimUser: Trim;
  readonly trimAnswer: Trim;
}

function readLayout(framer: Framer, where: string): Layout {
  const example = framer.frame(['user', 'assistant'], false);
  const prompt = framer.frame(['user'], true);
  const [before, middle, tail] = example.parts as [string, string, string];
  const [trimUser, trimAnswer] = example.trims as [Trim, Trim];
  const [promptBefore, between] = prompt.parts as [string, string];
  if (promptBefore !== before || !middle.startsWith(between) || prompt.trims[0] !== trimUser) {
    refuse(
      where,
      'examples that begin with the prompt used for generating',
      `${JSON.stringify(middle.slice(0, 80))} before an answer in an example, ${JSON.stringify(between.slice(0, 80))} in a prompt`,
    );
  }
  return { before, between, lead: middle.slice(between.length), tail, trimUser, trimAnswer };
}

/** Splits the template's own text at special tokens: at each place the longest that begins there. */
function splitSpecial(text: string, specialTokens: readonly string[], trained: boolean): Segment[] {
  const longestFirst = [...specialTokens].sort((a, b) => b.length - a.length);
  const segments: Segment[] = [];
  let from = 0;
  for (let at = 0; at < text.length; ) {
    const special = longestFirst.find((content) => text.startsWith(content, at));
    if (special === undefined) {
      at++;
      continue;
    }
    if (at > from) segments.push({ text: text.slice(from, at), trained });
    segments.push({ special, trained });
    at += special.length;
    from = at;
  }
  if (from < text.length) segments.push({ text: text.slice(from), trained });
  return segments;
}

function refuse(where: string, expected: string, found: string): never {
  throw new InputError({ expected, found, where, remedy: 'Use another template (--template dolly works with every base).' });
}
