/** What a form of records is: how it is recognised, which field becomes which part, and the records of a row. */
import type { Part } from '../../artefacts/provenance.ts';
import type { DatasetRecord, Provenance, Turn } from '../../artefacts/record-schema.ts';
import { InputError } from '../../errors.ts';
import { printable } from '../../formats/printable.ts';

export type Value = Readonly<Record<string, unknown>>;

/** What a row says of its records; what it does not say, the import's own flags do. */
export interface Draft {
  readonly instruction: string;
  readonly context?: string;
  readonly response: string;
  readonly category?: string;
  readonly language?: string;
  readonly turns?: readonly Turn[];
  readonly rejected?: string;
  readonly choices?: readonly string[];
  readonly provenance?: Partial<Record<Part | 'record', Partial<Provenance>>>;
  readonly checks?: DatasetRecord['checks'];
}

export interface FormOptions {
  /** Of a tree of answers: the path of the best-ranked ones, or every path. */
  readonly paths: 'best' | 'all';
  /** Of a conversation: all of it, the last answer being the response, or its first exchange alone. */
  readonly turns: 'all' | 'first';
}

export interface Form {
  readonly name: string;
  /** Field of the row, by part of the record: what is shown before anything is written. */
  readonly mapping: readonly (readonly [part: string, from: string])[];
  recognises(value: Value): boolean;
  /** Throws InputError, without a place, for a row that cannot be used. */
  drafts(value: Value, options: FormOptions): Draft[];
}

/** Throws InputError. */
export function refuse(expected: string, found: string): never {
  throw new InputError({ expected, found: printable(found, 120) });
}

const kindOf = (value: unknown): string => (value instanceof Uint8Array ? 'bytes that are no UTF-8' : value === undefined ? 'nothing' : value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`);

export const isObject = (value: unknown): value is Value => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field with text, kept as it is. Throws InputError. */
export function filled(value: unknown, field: string): string {
  const text = optional(value, field);
  if (value === undefined || value === null) refuse(`a field ${field} with text`, kindOf(value));
  if (text.trim() === '') refuse(`a field ${field} with text`, text === '' ? 'an empty one' : 'white space only');
  return text;
}

/** Text, or '' where there is nothing. Throws InputError for what is no text. */
export function optional(value: unknown, field: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') refuse(`text in ${field}`, kindOf(value));
  if (!value.isWellFormed()) refuse(`Unicode text in ${field}`, 'half of a surrogate pair');
  return value;
}

/** A conversation as a draft. Throws InputError where it does not end with a question and its answer. */
export function conversation(messages: readonly Turn[], turns: FormOptions['turns']): Draft {
  const ended = turns === 'first' ? firstExchange(messages) : messages;
  const [question, answer] = ended.slice(-2);
  if (answer?.role !== 'assistant') refuse('a conversation that ends with an answer', answer ? `one that ends with a message of ${answer.role}` : 'no message');
  if (question?.role !== 'user' || ended.length < 2) refuse('a question before the answer', ended.length < 2 ? 'none' : `a message of ${question!.role}`);
  const before = ended.slice(0, -2);
  return { instruction: question!.text, response: answer!.text, ...(before.length > 0 ? { turns: before } : {}) };
}

/** Up to the first answer. */
function firstExchange(messages: readonly Turn[]): readonly Turn[] {
  const end = messages.findIndex(({ role }) => role === 'assistant');
  return end === -1 ? messages : messages.slice(0, end + 1);
}

const ROLES: Readonly<Record<string, Turn['role']>> = {
  system: 'system', user: 'user', human: 'user', prompter: 'user', assistant: 'assistant', gpt: 'assistant', chatgpt: 'assistant', bot: 'assistant', model: 'assistant',
};

/** Messages by the names of their two fields. Throws InputError for a role that a record cannot hold. */
export function messagesOf(value: unknown, field: string, roleField: string, textField: string): Turn[] {
  if (!Array.isArray(value)) refuse(`a list in ${field}`, kindOf(value));
  return value.map((message: unknown, i) => {
    if (!isObject(message)) refuse(`a message in ${field}[${i}]`, kindOf(message));
    const role = message[roleField];
    const known = typeof role === 'string' && Object.hasOwn(ROLES, role.toLowerCase()) ? ROLES[role.toLowerCase()] : undefined;
    if (!known) refuse(`a role in ${field}[${i}].${roleField}: system, user or assistant`, typeof role === 'string' ? JSON.stringify(role) : kindOf(role));
    return { role: known!, text: filled(message[textField], `${field}[${i}].${textField}`) };
  });
}
