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
