/**
 * Dolly 2's template. The three keys are special tokens, the third including its newline; nothing is appended after
 * the end key, and the answer with the blank line before the end key is trained.
 * Source: training/consts.py of databrickslabs/dolly.
 */
import { checkTemplate, joinTexts, templateHash, userMessage } from './template.ts';
import type { ExampleFields, PromptFields, PromptTemplate, Segment } from './template.ts';

const INTRO =
  'Below is an instruction that describes a task. Write a response that appropriately completes the request.';
const INSTRUCTION_KEY = '### Instruction:';
const RESPONSE_KEY = '### Response:\n';
const END_KEY = '### End';

function prompt(record: PromptFields): Segment[] {
  return joinTexts([
    { text: `${INTRO}\n\n`, trained: false },
    { special: INSTRUCTION_KEY, trained: false },
    { text: `\n${userMessage(record)}\n\n`, trained: false },
    { special: RESPONSE_KEY, trained: false },
  ]);
}

function example(record: ExampleFields): Segment[] {
  return [
    ...prompt(record),
    { text: `${record.response}\n\n`, trained: true },
    { special: END_KEY, trained: true },
  ];
}

/**
 * The same as a Jinja chat template, for programs that frame messages themselves. One question and its answer are as above; a
 * conversation repeats the two. The keys stand in expressions: Jinja drops a newline at the end of a line of its own, and
 * without it the response key would not be one token. There is no system message in the data, so one is refused.
 */
export const DOLLY_JINJA = [
  `{{ ${quoted(`${INTRO}\n\n`)} }}`,
  `{% for message in messages %}`,
  `{% if message['role'] == 'user' %}{{ ${quoted(`${INSTRUCTION_KEY}\n`)} + message['content'] + '\\n\\n' }}`,
  `{% elif message['role'] == 'assistant' %}{{ ${quoted(RESPONSE_KEY)} + message['content'] + ${quoted(`\n\n${END_KEY}`)} }}{% if not loop.last %}{{ '\\n\\n' }}{% endif %}`,
  `{% else %}{{ raise_exception('This model knows no ' + message['role'] + ' messages.') }}{% endif %}`,
  `{% endfor %}`,
  `{% if add_generation_prompt %}{{ ${quoted(RESPONSE_KEY)} }}{% endif %}`,
].join('');

/** A string of Jinja. */
function quoted(text: string): string {
  return `'${text.replaceAll('\n', '\\n')}'`;
}

export const dollyTemplate: PromptTemplate = checkTemplate(
  {
    name: 'dolly',
    hash: templateHash({ template: 'dolly', intro: INTRO, keys: [INSTRUCTION_KEY, RESPONSE_KEY, END_KEY] }),
    addedTokens: [END_KEY, INSTRUCTION_KEY, RESPONSE_KEY],
    stopToken: END_KEY,
    example,
    prompt,
  },
  'the Dolly template',
);
