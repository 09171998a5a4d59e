/** Forms of conversations: messages as chat programs have them, ShareGPT's, and the message trees of OpenAssistant. */
import type { Provenance, Turn } from '../../artefacts/record-schema.ts';
import { conversation, filled, isObject, messagesOf, optional, refuse, type Draft, type Form, type FormOptions, type Value } from './form.ts';

export const messages: Form = {
  name: 'messages',
  mapping: [['instruction', 'messages: the last of user'], ['response', 'messages: the last of assistant'], ['turns', 'messages: those before']],
  recognises: (value) => Array.isArray(value['messages']),
  drafts(value, { turns }) {
    const category = optional(value['category'], 'category');
    return [{ ...conversation(messagesOf(value['messages'], 'messages', 'role', 'content'), turns), ...(category.trim() === '' ? {} : { category }) }];
  },
};

const shared = (value: Value): string => (Object.hasOwn(value, 'conversations') ? 'conversations' : 'conversation');

export const sharegpt: Form = {
  name: 'sharegpt',
  mapping: [['instruction', 'conversations: the last of human'], ['response', 'conversations: the last of gpt'], ['turns', 'conversations: those before']],
  recognises: (value) => Array.isArray(value[shared(value)]),
  drafts: (value, { turns }) => [conversation(messagesOf(value[shared(value)], shared(value), 'from', 'value'), turns)],
};

/** A message of a tree with what it says of itself. */
interface Node {
  readonly role: 'user' | 'assistant';
  readonly text: string;
  readonly language: string;
  readonly provenance: Partial<Provenance>;
  readonly replies: readonly Node[];
}

function nodeOf(value: unknown, path: string): Node {
  if (!isObject(value)) refuse(`a message at ${path}`, 'another value');
  const role = value['role'];
  if (role !== 'prompter' && role !== 'assistant') refuse(`prompter or assistant in ${path}.role`, String(role));
  const replies = value['replies'] ?? [];
  if (!Array.isArray(replies)) refuse(`a list in ${path}.replies`, 'another value');
  const [user, id, made] = ['user_id', 'message_id', 'created_date'].map((field) => optional(value[field], `${path}.${field}`)) as [string, string, string];
  const source = { ...(id === '' ? {} : { id }), ...(/^\d{4}-\d\d-\d\d/.test(made) ? { date: made.slice(0, 10) } : {}) };
  return {
    role: role === 'prompter' ? 'user' : 'assistant', text: filled(value['text'], `${path}.text`), language: optional(value['lang'], `${path}.lang`),
    // What is marked as a model's own is one's, whatever is said of the whole.
    provenance: { ...(value['synthetic'] === true ? { origin: 'machine' as const } : {}), ...(/^[\w.:-]{1,64}$/.test(user) ? { contributor: user } : {}), ...(Object.keys(source).length > 0 ? { source } : {}) },
    replies: ranked(replies as unknown[]).map((reply, i) => nodeOf(reply, `${path}.replies[${i}]`)),
  };
}

/** Replies that were not deleted, the best-ranked first; those without a rank come last, in their order. */
function ranked(replies: readonly unknown[]): unknown[] {
  const rank = (reply: unknown): number => (isObject(reply) && typeof reply['rank'] === 'number' ? reply['rank'] : Infinity);
  return replies.filter((reply) => !isObject(reply) || reply['deleted'] !== true).sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
}

/** Paths from the root that end with an answer that nobody answered on. */
function paths(node: Node, before: readonly Node[], which: FormOptions['paths']): Node[][] {
  const here = [...before, node];
  const further = (which === 'best' ? node.replies.slice(0, 1) : node.replies).flatMap((reply) => paths(reply, here, which));
  return further.length > 0 ? further : node.role === 'assistant' ? [here] : [];
}

export const openAssistant: Form = {
  name: 'openassistant',
  mapping: [['instruction', 'the last prompter message of a path'], ['response', 'the assistant message after it'], ['turns', 'messages before'], ['language', 'lang']],
  recognises: (value) => isObject(value['prompt']) && (Array.isArray(value['prompt']['replies']) || Object.hasOwn(value, 'message_tree_id')),
  drafts(value, options) {
    const found = paths(nodeOf(value['prompt'], 'prompt'), [], options.paths);
    if (found.length === 0) refuse('a tree with an answer', 'none');
    const drafts = found.map((path) => draftOf(options.turns === 'first' ? path.slice(0, path.findIndex(({ role }) => role === 'assistant') + 1) : path));
    // Paths that share their first exchange give the same one.
    return options.turns === 'first' ? [...new Map(drafts.map((draft) => [JSON.stringify(draft), draft])).values()] : drafts;
  },
};

function draftOf(path: readonly Node[]): Draft {
  const turns: Turn[] = path.map(({ role, text }) => ({ role, text }));
  const [question, answer] = path.slice(-2) as [Node, Node];
  const language = answer?.language ?? '';
  return { ...conversation(turns, 'all'), ...(language === '' ? {} : { language }), provenance: { instruction: question.provenance, response: answer.provenance } };
}
