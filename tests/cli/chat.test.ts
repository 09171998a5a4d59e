/** `roslin chat` with its questions on standard input: answers, its commands, and errors that do not end the session. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Scratch, writeBase } from '../train/tiny-base.ts';

const CLI = join(import.meta.dirname, '../../src/cli/main.ts');
const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());
const model = await writeBase(scratch.join('base'), 'llama');

const FLAGS = ['--model', model, '--template', 'dolly', '--max-new-tokens', '5', '--threads', '1'];

function roslin(verb: string, flags: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, verb, ...flags], { encoding: 'utf8', input, timeout: 60_000 });
  return { status, stdout, stderr };
}
const chat = (lines: readonly string[]) => roslin('chat', [...FLAGS, '--seed', '7'], `${lines.join('\n')}\n`);
/** Questions of a chat count up from its seed. */
const generated = (nth: number, instruction: string, context = '') => roslin('generate', [...FLAGS, '--seed', String(7 + nth), '--instruction', instruction, '--context', context]).stdout;

test('answers are those of generate; /context is kept until it is forgotten; /retry asks again; /exit ends before what follows', () => {
  const { status, stdout, stderr } = chat(['Say otter.', '', '/context The otter swims.', 'Say otter.', '/context', '/retry', '/exit', 'Say heron.']);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, generated(0, 'Say otter.') + generated(1, 'Say otter.', 'The otter swims.') + generated(2, 'Say otter.'));
  assert.ok(stdout.trim().length > 10, stdout);
  assert.notEqual(generated(1, 'Say otter.'), generated(1, 'Say otter.', 'The otter swims.'));
});

test('an unknown command shows the help, a prompt that is too long is told, and the session goes on; the end of input ends it', () => {
  const { status, stdout, stderr } = chat(['/what', 'otter '.repeat(400), 'Say newt.']);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, generated(1, 'Say newt.'));
  assert.ok(stderr.split('/retry  ').length === 3, 'the help at the beginning, and once more');
  assert.match(stderr, /expected a prompt shorter than the model's context of 256 tokens/);
});

test('wrong use', () => {
  const { status, stderr } = roslin('chat', []);
  assert.equal(status, 2);
  assert.match(stderr, /--model/);
});
