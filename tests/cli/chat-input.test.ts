/** What is typed: lines to messages, pastes, keys that wait, and the history file. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { historyPath, InputHistory } from '../../src/cli/chat-history.ts';
import { Gatherer, KeyFilter } from '../../src/cli/chat-input.ts';
import { Scratch } from '../train/tiny-base.ts';

const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());

describe('lines', () => {
  const messages = (...lines: string[]) => {
    const gatherer = new Gatherer();
    const found = lines.flatMap((line) => gatherer.add(line) ?? []).map(({ text, literal }) => (literal ? { literal: text } : text));
    return gatherer.open ? [...found, 'open'] : found;
  };
  test('are messages', () => assert.deepEqual(messages('a', '/b c', ''), ['a', '/b c', '']));
  test('that end with a backslash go on; two backslashes are two', () => {
    assert.deepEqual(messages('a\\', 'b\\', 'c', 'd\\\\', 'e\\\\\\', 'f'), ['a\nb\nc', 'd\\\\', 'e\\\\\nf']);
    assert.deepEqual(messages('a\\'), ['open']);
  });
  test('between fences are one text and never a command, backslashes and all', () => {
    assert.deepEqual(messages('"""', '/exit', '', 'a\\', '"""', 'b'), [{ literal: '/exit\n\na\\' }, 'b']);
    assert.deepEqual(messages('"""one', 'two"""', '"""/three"""'), [{ literal: 'one\ntwo' }, { literal: '/three' }]);
    assert.deepEqual(messages('say """', '"""', 'a'), ['say """', 'open']);
  });
});

describe('keys', () => {
  const filtered = (...chunks: (string | Buffer)[]): Promise<string> => {
    const filter = new KeyFilter({ setRawMode: () => process.stdin });
    for (const chunk of chunks) filter.write(chunk);
    filter.end();
    return collected(filter);
  };
  const collected = async (filter: KeyFilter): Promise<string> => {
    const parts: Buffer[] = [];
    filter.on('data', (part: Buffer) => parts.push(part));
    await once(filter, 'end');
    return Buffer.concat(parts).toString();
  };

  test('go through, arrows and characters of several bytes too', async () => {
    const bytes = Buffer.from('é\u001b[A🐑\r');
    assert.equal(await filtered(bytes.subarray(0, 1), bytes.subarray(1, 3), bytes.subarray(3, 7), bytes.subarray(7)), 'é\u001b[A🐑\r');
  });

  test('of a paste are one line, whatever the pieces they come in', async () => {
    const whole = 'a\u001b[200~one\r\ntwo\nthree\rfour\n\n🐑\u0003\u001b[A\tend\u001b[201~b\r';
    const expected = 'aone↵two↵three↵four↵↵🐑[A\tendb\r';
    assert.equal(await filtered(whole), expected);
    const bytes = Buffer.from(whole);
    for (let size = 1; size < 9; size++) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
      assert.equal(await filtered(...pieces), expected, `pieces of ${size}`);
    }
  });

  test('Escape alone comes after a moment', async () => {
    const filter = new KeyFilter({ setRawMode: () => process.stdin });
    filter.write('\u001b');
    await setTimeout(5);
    assert.equal(filter.read(), null);
    await setTimeout(100);
    assert.equal(String(filter.read()), '\u001b');
  });

  test('wait while an answer comes; Ctrl-C stops it and drops them', async () => {
    const filter = new KeyFilter({ setRawMode: () => process.stdin });
    const text = collected(filter);
    let stopped = 0;
    filter.write('a');
    filter.hold(() => stopped++);
    filter.write('lost\r');
    filter.write('x\u0003y');
    filter.write('kept\r');
    assert.equal(stopped, 1);
    filter.release();
    filter.write('b');
    filter.end();
    assert.equal(await text, 'akept\rb');
  });
});

describe('the history', () => {
  const path = scratch.join('state', 'roslin', 'chat-history.jsonl');

  test('is there at the next start, newest first, for its owner alone', () => {
    const first = new InputHistory(path);
    assert.deepEqual(first.entries, []);
    for (const text of ['one', 'two\nlines', 'two\nlines', 'é🐑']) first.add(text);
    const second = new InputHistory(path);
    assert.deepEqual(second.entries, ['é🐑', 'two\nlines', 'one']);
    assert.deepEqual(second.entries, first.entries);
    if (process.platform === 'win32') return;
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(join(path, '..')).mode & 0o777, 0o700);
    chmodSync(path, 0o644);
    new InputHistory(path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('is bounded, in number and in length, and mends its file', () => {
    const file = scratch.join('long.jsonl');
    writeFileSync(file, Array.from({ length: 2500 }, (_, i) => `${JSON.stringify(`n${i}`)}\n`).join(''));
    const history = new InputHistory(file);
    assert.equal(history.entries.length, 1000);
    assert.equal(history.entries[0], 'n2499');
    assert.equal(readFileSync(file, 'utf8').split('\n').length, 1001);
    history.add('x'.repeat(30_000));
    history.add('last');
    assert.equal(history.entries.length, 1000);
    assert.deepEqual(new InputHistory(file).entries.slice(0, 2), ['last', 'n2499']);
  });

  test('loses what is no text, and one that is too large', () => {
    const file = scratch.join('damaged.jsonl');
    writeFileSync(file, '"a"\n{"b": 1}\n"c\n\u0000\n"d"\n');
    assert.deepEqual(new InputHistory(file).entries, ['d', 'a']);
    assert.equal(readFileSync(file, 'utf8'), '"a"\n"d"\n');
    writeFileSync(file, `"${'x'.repeat(5 * 2 ** 20)}"\n`);
    assert.deepEqual(new InputHistory(file).entries, []);
    assert.equal(statSync(file).size, 0);
  });

  test('without a path, or with one that cannot be used, is for this chat only', () => {
    const none = new InputHistory();
    none.add('a');
    assert.deepEqual([none.entries, none.problem], [['a'], undefined]);
    mkdirSync(scratch.join('folder.jsonl'));
    const unusable = new InputHistory(scratch.join('folder.jsonl'));
    unusable.add('a');
    assert.deepEqual(unusable.entries, ['a']);
    assert.match(unusable.problem!, /is no file/);
  });

  test('is in the state folder of its system', () => {
    assert.equal(historyPath({ XDG_STATE_HOME: '/state' }, 'linux'), join('/state', 'roslin', 'chat-history.jsonl'));
    assert.match(historyPath({ XDG_STATE_HOME: 'relative' }, 'linux'), /\.local.state.roslin.chat-history\.jsonl$/);
    assert.match(historyPath({}, 'darwin'), /\.local.state.roslin/);
  });
});
