/**
 * The chat template that a base carries, as segments. It is rendered once with a stand-in for each text that a person
 * writes; the output around the stand-ins is the template's own, and only there are special tokens found. One user
 * message (instruction and context) and one answer; whatever else the template says, such as a default system message,
 * is kept. Trained: all that follows the generation prompt, up to and including the stop token, which is the first
 * special token after the answer. What the template writes after it is not part of an example.
 */
import { createHash } from 'node:crypto';
import { InputError } from '../errors.ts';
import { JinjaTemplate } from './jinja.ts';
import type { ChatMessage } from './jinja.ts';
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
  const layout = readLayout(source, options, where);
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
  const text = (content: string, trimmed: boolean): string => (trimmed ? content.trim() : content);

  const prompt: PromptTemplate['prompt'] = (record) =>
    joinTexts([...before, { text: text(userMessage(record), layout.trimsUser), trained: false }, ...between]);
  const example: PromptTemplate['example'] = (record) => [
    ...prompt(record),
    ...joinTexts([...lead, { text: text(record.response, layout.trimsAnswer), trained: true }, ...ending]),
  ];
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
    },
    where,
  );
}

/** The template's own output around the two stand-ins. */
interface Layout {
  readonly before: string;
  /** Between the user's text and where generating begins. */
  readonly between: string;
  /** Between there and the answer: what a model must write itself. Usually empty. */
  readonly lead: string;
  readonly tail: string;
  readonly trimsUser: boolean;
  readonly trimsAnswer: boolean;
}

function readLayout(source: string, options: ChatTemplateOptions, where: string): Layout {
  const template = new JinjaTemplate(source, where);
  const mark = createHash('sha256').update(source).digest('hex').slice(0, 20);
  const [user, answer] = [`Fq${mark}User`, `Fq${mark}Answer`];
  const render = (messages: readonly ChatMessage[], generation: boolean): string =>
    template.render({
      messages,
      add_generation_prompt: generation,
      ...(options.bosToken === undefined ? {} : { bos_token: options.bosToken }),
      ...(options.eosToken === undefined ? {} : { eos_token: options.eosToken }),
    });
  const turn = (userText: string, answerText: string): readonly ChatMessage[] => [
    { role: 'user', content: userText },
    { role: 'assistant', content: answerText },
  ];

  const whole = render(turn(user, answer), false);
  const [before, afterUser] = cut(whole, user, 'the instruction', where);
  const [middle, tail] = cut(afterUser, answer, 'the answer', where);
  const [promptBefore, between] = cut(render([{ role: 'user', content: user }], true), user, 'the instruction', where);
  if (promptBefore !== before || !middle.startsWith(between)) {
    refuse(
      where,
      'examples that begin with the prompt used for generating',
      `${JSON.stringify(middle.slice(0, 80))} before an answer in an example, ${JSON.stringify(between.slice(0, 80))} in a prompt`,
    );
  }

  // White space round the content shows whether the template trims it, which is the one change that can be followed.
  const space = ' \n';
  const padded = render(turn(`${space}${user}${space}`, `${space}${answer}${space}`), false);
  const found = [true, false].flatMap((trimsUser) =>
    [true, false]
      .filter((trimsAnswer) => {
        const u = trimsUser ? user : `${space}${user}${space}`;
        const a = trimsAnswer ? answer : `${space}${answer}${space}`;
        return padded === before + u + middle + a + tail;
      })
      .map((trimsAnswer) => ({ trimsUser, trimsAnswer })),
  )[0];
  if (found === undefined) refuse(where, 'a template that keeps or trims the text of a message', 'one that changes it otherwise');
  return { before, between, lead: middle.slice(between.length), tail, ...found };
}

/** Cuts at the stand-in, which must be there exactly once. */
function cut(text: string, standIn: string, what: string, where: string): [string, string] {
  const parts = text.split(standIn);
  if (parts.length !== 2) {
    refuse(
      where,
      `a template that writes ${what} once and unchanged`,
      parts.length === 1 ? 'one that drops or alters it' : `one that writes it ${parts.length - 1} times`,
    );
  }
  return parts as [string, string];
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
