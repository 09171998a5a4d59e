/**
 * A conversation with a model: its turns, the messages that a template makes the next prompt of, and the file it is kept in.
 * A session file is JSON of version 1, written by us and read strictly: what is not exactly of this form is refused.
 */
import { readFileSync, statSync } from 'node:fs';
import { InputError } from '../errors.ts';
import { writeFileAtomic } from '../formats/atomic.ts';
import type { ChatMessage } from '../tokenizer/jinja.ts';
import { userMessage, type PromptFields } from '../tokenizer/template.ts';

export interface Turn extends PromptFields {
  readonly answer: string;
  /** The model ended it by itself. */
  readonly stopped: boolean;
}

export interface Session {
  /** A system message; empty: none, or the template's own. */
  readonly system: string;
  /** A text to answer from, for the questions to come. */
  readonly context: string;
  readonly turns: readonly Turn[];
}

interface Named {
  readonly name: string;
  /** SHA-256, hex. */
  readonly hash: string;
}

export interface SavedSession extends Session {
  readonly model: Named;
  readonly template: Named;
}

/** A session with nothing in it. */
export const newSession: Session = { system: '', context: '', turns: [] };

/** The conversation up to `question`. A context that stays the same is said once. */
export function messagesOf({ system, turns }: Pick<Session, 'system' | 'turns'>, question: PromptFields): ChatMessage[] {
  let said = '';
  const user = ({ instruction, context }: PromptFields): ChatMessage => {
    const content = userMessage({ instruction, context: context === said ? '' : context });
    said = context;
    return { role: 'user', content };
  };
  return [
    ...(system === '' ? [] : [{ role: 'system' as const, content: system }]),
    ...turns.flatMap((turn): ChatMessage[] => [user(turn), { role: 'assistant', content: turn.answer }]),
    user(question),
  ];
}

export interface FittedPrompt {
  readonly ids: Int32Array;
  /** Turns at the beginning that the prompt has no room for. */
  readonly leftOut: number;
}

/** The longest end of the conversation, in whole turns, whose prompt has at most `room` ids; the question alone may have more. */
export function fitPrompt(session: Session, question: PromptFields, room: number, encode: (messages: readonly ChatMessage[]) => Int32Array): FittedPrompt {
  for (let leftOut = 0; ; leftOut++) {
    const ids = encode(messagesOf({ system: session.system, turns: session.turns.slice(leftOut) }, question));
    if (ids.length <= room || leftOut === session.turns.length) return { ids, leftOut };
  }
}

const FORMAT = 'roslin chat';
const VERSION = 1;
const MAX_BYTES = 16 * 2 ** 20;

/** Written whole or not at all, for its owner's eyes. Throws InputError, ResourceError. */
export function writeSession(path: string, { model, template, system, context, turns }: SavedSession): void {
  const content = {
    format: FORMAT, version: VERSION, model: { name: model.name, hash: model.hash }, template: { name: template.name, hash: template.hash }, system, context,
    turns: turns.map(({ instruction, context, answer, stopped }) => ({ instruction, context, answer, stopped })),
  };
  writeFileAtomic(path, `${JSON.stringify(content, null, 2)}\n`, 0o600);
}

/** Throws InputError where the file is no session of this version. */
export function readSession(path: string): SavedSession {
  const refuse = (expected: string, found: string, part = ''): never => {
    throw new InputError({ expected, found, where: part === '' ? path : `${path} ${part}`, remedy: 'Give a file that /save wrote.' });
  };
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) return refuse('a session file', stat ? 'something else' : 'nothing there');
  if (stat.size > MAX_BYTES) refuse(`at most ${MAX_BYTES} bytes`, `${stat.size}`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)));
  } catch {
    return refuse('a session file', 'no JSON');
  }
  const object = (value: unknown, names: readonly string[], part: string): Record<string, unknown> => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('an object', JSON.stringify(value)?.slice(0, 40) ?? 'nothing', part);
    const found = Object.keys(value);
    if (found.length !== names.length || names.some((name) => !Object.hasOwn(value, name))) refuse(`the fields ${names.join(', ')}`, found.join(', ').slice(0, 200) || 'none', part);
    return value as Record<string, unknown>;
  };
  const text = (value: unknown, part: string): string => (typeof value === 'string' && value.isWellFormed() ? value : refuse('a text', JSON.stringify(value).slice(0, 40), part));
  const named = (value: unknown, part: string): Named => {
    const { name, hash } = object(value, ['name', 'hash'], part);
    if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) refuse('a SHA-256 in hex', JSON.stringify(hash).slice(0, 80), `${part} hash`);
    return { name: text(name, `${part} name`), hash: hash as string };
  };

  const { format, version } = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  if (format !== FORMAT) refuse(`"format": "${FORMAT}"`, JSON.stringify(format)?.slice(0, 40) ?? 'none');
  if (version !== VERSION) refuse(`version ${VERSION}`, JSON.stringify(version)?.slice(0, 40) ?? 'none');
  const { model, template, system, context, turns } = object(value, ['format', 'version', 'model', 'template', 'system', 'context', 'turns'], '');
  if (!Array.isArray(turns)) return refuse('a list', JSON.stringify(turns).slice(0, 40), 'turns');
  return {
    model: named(model, 'model'), template: named(template, 'template'), system: text(system, 'system'), context: text(context, 'context'),
    turns: turns.map((turn: unknown, i): Turn => {
      const part = `turn ${i + 1}`;
      const { instruction, context, answer, stopped } = object(turn, ['instruction', 'context', 'answer', 'stopped'], part);
      if (typeof stopped !== 'boolean') return refuse('"stopped" true or false', JSON.stringify(stopped).slice(0, 40), part);
      return { instruction: text(instruction, part), context: text(context, part), answer: text(answer, part), stopped };
    }),
  };
}
