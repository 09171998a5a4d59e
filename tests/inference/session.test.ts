/** Conversations: what is said in the next prompt, and session files, read strictly. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { fitPrompt, messagesOf, readSession, writeSession, type SavedSession } from '../../src/inference/session.ts';
import { assertRefuses } from '../formats/support.ts';
import { Scratch } from '../train/tiny-base.ts';

const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());
const turn = (instruction: string, context = '') => ({ instruction, context, answer: `${instruction}!`, stopped: true });
const hash = '0123456789abcdef'.repeat(4);
const saved: SavedSession = { model: { name: 'sheep', hash }, template: { name: 'chat', hash }, system: 'Be brief.', context: '', turns: [turn('Name one.\nOr two.', 'The goat 🐐.'), { ...turn('Another?'), stopped: false }] };

describe('messages', () => {
  test('say the system message first and a context once, until it changes', () => {
    const turns = [turn('a', 'C'), turn('b', 'C'), turn('c')];
    assert.deepEqual(messagesOf({ system: 'S', turns }, { instruction: 'd', context: 'C' }).map(({ role, content }) => `${role}: ${content}`), [
      'system: S', 'user: a\n\nInput:\nC', 'assistant: a!', 'user: b', 'assistant: b!', 'user: c', 'assistant: c!', 'user: d\n\nInput:\nC',
    ]);
    assert.deepEqual(messagesOf({ system: '', turns: [] }, { instruction: 'd', context: '' }), [{ role: 'user', content: 'd' }]);
  });

  test('that do not fit lose their first turns, the context being said again, and never the question', () => {
    const turns = [turn('a', 'C'), turn('b', 'C'), turn('c', 'C')];
    const encode = (messages: readonly { content: string }[]) => Int32Array.from(messages.map(({ content }) => content).join('|'), (c) => c.charCodeAt(0));
    const text = (room: number) => {
      const { ids, leftOut } = fitPrompt({ system: 'S', context: '', turns }, { instruction: 'd', context: 'C' }, room, encode);
      return [String.fromCharCode(...ids), leftOut];
    };
    assert.deepEqual(text(100), ['S|a\n\nInput:\nC|a!|b|b!|c|c!|d', 0]);
    assert.deepEqual(text(26), ['S|b\n\nInput:\nC|b!|c|c!|d', 1]);
    assert.deepEqual(text(1), ['S|d\n\nInput:\nC', 3]);
  });
});

interface Content {
  format: unknown;
  version: unknown;
  system: unknown;
  context?: unknown;
  extra?: unknown;
  model: { name: unknown; hash: unknown };
  turns: unknown;
}
/** A turn to be changed. */
const nth = (value: Content, i: number) => (value.turns as Record<string, unknown>[])[i]!;

describe('a session file', () => {
  test('comes back as it was, for its owner alone, and leaves nothing beside it', () => {
    const path = scratch.join('a.json');
    writeSession(path, saved);
    assert.deepEqual(readSession(path), saved);
    if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600);
    writeSession(path, { ...saved, turns: [] });
    assert.deepEqual(readSession(path).turns, []);
    assert.deepEqual(readdirSync(scratch.path), ['a.json']);
  });

  const content = () => {
    const path = scratch.join('b.json');
    writeSession(path, saved);
    return JSON.parse(readFileSync(path, 'utf8')) as Content;
  };
  const changes: [string, (value: Content) => unknown, RegExp][] = [
    ['another format', (v) => (v.format = 'other'), /"format": "roslin chat", found "other"/],
    ['a later version', (v) => (v.version = 2), /expected version 1, found 2/],
    ['a field more', (v) => (v.extra = 1), /expected the fields .*found .*extra/],
    ['a field less', (v) => delete v.context, /expected the fields/],
    ['a hash that is none', (v) => (v.model.hash = 'abc'), /model hash: expected a SHA-256 in hex, found "abc"/],
    ['turns that are no list', (v) => (v.turns = {}), /turns: expected a list/],
    ['a turn that is none', (v) => ((v.turns as unknown[])[1] = null), /turn 2: expected an object, found null/],
    ['an answer that is no text', (v) => (nth(v, 1)['answer'] = 3), /turn 2: expected a text, found 3/],
    ['half a character', (v) => (v.system = '\ud800'), /system: expected a text/],
    ['a turn with a field more', (v) => (nth(v, 0)['role'] = 'user'), /turn 1: expected the fields/],
    ['"stopped" as a text', (v) => (nth(v, 0)['stopped'] = 'yes'), /turn 1: expected "stopped" true or false/],
  ];
  for (const [what, change, message] of changes) {
    test(`with ${what} is refused`, () => {
      const path = scratch.join('c.json');
      const value = content();
      change(value);
      writeFileSync(path, JSON.stringify(value));
      assertRefuses(() => readSession(path), message);
    });
  }

  test('that is no file, no JSON, no UTF-8 or too large is refused', () => {
    mkdirSync(scratch.join('folder'));
    writeFileSync(scratch.join('text'), 'hello');
    writeFileSync(scratch.join('latin'), Buffer.from('{"format": "\xe9"}', 'latin1'));
    writeFileSync(scratch.join('large'), ' '.repeat(17 * 2 ** 20));
    for (const [name, message] of [['none', /nothing there/], ['folder', /something else/], ['text', /no JSON/], ['latin', /no JSON/], ['large', /at most 16777216 bytes/]] as const) {
      assertRefuses(() => readSession(scratch.join(name)), message);
    }
  });

  test('in a place that cannot be written to is refused', { skip: process.getuid?.() === 0 ? 'root may write everywhere' : false }, () => {
    mkdirSync(scratch.join('closed'));
    chmodSync(scratch.join('closed'), 0o500);
    assertRefuses(() => writeSession(scratch.join('closed', 'a.json'), saved), /without write permission/);
  });
});
