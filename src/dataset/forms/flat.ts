/** Forms with a question and an answer a row: Dolly's, Alpaca's, prompt and completion, preference pairs, Self-Instruct's seed tasks. */
import type { Turn } from '../../artefacts/record-schema.ts';
import { conversation, filled, isObject, messagesOf, optional, refuse, type Draft, type Form, type Value } from './form.ts';

const has = (value: Value, ...fields: readonly string[]) => fields.every((field) => Object.hasOwn(value, field));

const withCategory = (value: Value): { category?: string; language?: string } => {
  const [category, language] = [optional(value['category'], 'category'), optional(value['language'], 'language')];
  return { ...(category.trim() === '' ? {} : { category }), ...(language === '' ? {} : { language }) };
};

const choicesOf = (value: unknown): { choices?: string[] } => {
  const choices: unknown = typeof value === 'string' && value.startsWith('[') ? parsed(value, 'choices') : value;
  if (choices === undefined || choices === null || choices === '') return {};
  if (!Array.isArray(choices) || choices.length < 2) refuse('a list of at least two texts in choices', 'another value');
  return { choices: choices.map((choice, i) => optional(choice, `choices[${i}]`)) };
};

/** A cell of a table that holds JSON. */
export function parsed(text: string, field: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return refuse(`JSON in ${field}`, text);
  }
}

export const dolly: Form = {
  name: 'dolly',
  mapping: [['instruction', 'instruction'], ['context', 'context'], ['response', 'response'], ['category', 'category']],
  recognises: (value) => has(value, 'instruction', 'response') && !isObject(value['provenance']),
  drafts: (value) => [{
    instruction: filled(value['instruction'], 'instruction'), context: optional(value['context'], 'context'), response: filled(value['response'], 'response'), ...withCategory(value), ...choicesOf(value['choices']),
  }],
};

export const alpaca: Form = {
  name: 'alpaca',
  mapping: [['instruction', 'instruction'], ['context', 'input'], ['response', 'output'], ['category', 'category']],
  recognises: (value) => has(value, 'instruction', 'output'),
  drafts: (value) => [{ instruction: filled(value['instruction'], 'instruction'), context: optional(value['input'], 'input'), response: filled(value['output'], 'output'), ...withCategory(value) }],
};

export const promptCompletion: Form = {
  name: 'prompt-completion',
  mapping: [['instruction', 'prompt'], ['response', 'completion']],
  recognises: (value) => has(value, 'prompt', 'completion') && !isObject(value['prompt']),
  drafts: (value) => [{ instruction: filled(value['prompt'], 'prompt'), response: filled(value['completion'], 'completion'), ...withCategory(value) }],
};

/** A side of a pair: text, or a conversation whose last message counts. */
function side(value: unknown, field: string, prompt: readonly Turn[]): { text: string; before: Turn[] } {
  if (!Array.isArray(value)) return { text: filled(value, field), before: [...prompt] };
  const messages = messagesOf(value, field, 'role', 'content');
  const last = messages.at(-1);
  if (last?.role !== 'assistant') refuse(`an answer at the end of ${field}`, last ? `a message of ${last.role}` : 'nothing');
  return { text: last!.text, before: [...prompt, ...messages.slice(0, -1)] };
}

export const preference: Form = {
  name: 'preference',
  mapping: [['instruction', 'prompt'], ['response', 'chosen'], ['rejected', 'rejected']],
  recognises: (value) => has(value, 'chosen', 'rejected'),
  drafts(value) {
    const given = value['prompt'] ?? value['question'];
    const prompt: Turn[] = given === undefined || given === null ? [] : Array.isArray(given) ? messagesOf(given, 'prompt', 'role', 'content') : [{ role: 'user', text: filled(given, 'prompt') }];
    const [chosen, rejected] = [side(value['chosen'], 'chosen', prompt), side(value['rejected'], 'rejected', prompt)];
    if (JSON.stringify(chosen.before) !== JSON.stringify(rejected.before)) refuse('the same question on both sides', 'two');
    return [{ ...conversation([...chosen.before, { role: 'assistant', text: chosen.text }], 'all'), rejected: rejected.text, ...withCategory(value) }];
  },
};

/** Seed tasks have several instances of one instruction: each is a record. */
export const seedTask: Form = {
  name: 'seed-task',
  mapping: [['instruction', 'instruction'], ['context', 'instances[].input'], ['response', 'instances[].output'], ['category', 'is_classification']],
  recognises: (value) => has(value, 'instruction', 'instances'),
  drafts(value) {
    const instances = value['instances'];
    if (!Array.isArray(instances) || instances.length === 0) refuse('a list in instances', 'another value');
    const id = optional(value['id'], 'id');
    return (instances as unknown[]).map((instance, i): Draft => {
      if (!isObject(instance)) refuse(`an object in instances[${i}]`, 'another value');
      return {
        instruction: filled(value['instruction'], 'instruction'), context: optional(instance['input'], `instances[${i}].input`), response: filled(instance['output'], `instances[${i}].output`),
        ...(value['is_classification'] === true ? { category: 'classification' } : {}), ...(id === '' ? {} : { provenance: { record: { source: { id } } } }),
      };
    });
  },
};
