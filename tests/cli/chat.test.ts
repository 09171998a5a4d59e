/** `roslin chat` with its questions on standard input: answers, its commands, sessions, and errors that do not end them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
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
/** Under a base's own chat template, greedily: its answers differ by their prompts, and have no line breaks. */
const talker = await writeBase(scratch.join('talker'), 'qwen2');
const talk = (...lines: string[]) => roslin('chat', ['--model', talker, '--max-new-tokens', '8', '--threads', '1', '--temperature', '0'], `${lines.join('\n')}\n`);
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
  assert.match(stderr, /no command \/what/);
  assert.match(stderr, /expected a prompt shorter than the model's context of 256 tokens/);
});

test('lines that go on and texts between fences are one question each; tokens and their rate follow every answer', () => {
  const { status, stdout, stderr } = chat(['Say otter.\\', 'Then stop.', '"""', '/exit is text here.', 'So is this.', '"""', '"""open to the end']);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, generated(0, 'Say otter.\nThen stop.') + generated(1, '/exit is text here.\nSo is this.') + generated(2, 'open to the end'));
  assert.equal(stderr.match(/^[0-5] tokens, [\d.]+ a second(; cut at its greatest length)?$/gm)?.length, 3, stderr);
});

test("Dolly's template stands for single questions and says so; /system is refused with the reason; /edit asks anew", () => {
  const { status, stdout, stderr } = chat(['Say otter.', '/system Be kind.', '/edit Say heron.', '/edit']);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, generated(0, 'Say otter.') + generated(1, 'Say heron.'));
  assert.match(stderr, /template dolly: each question stands alone, for this template knows no conversation/);
  assert.match(stderr, /expected a template with a place for a system message, found dolly, which has none/);
  assert.match(stderr, /expected \/edit with the new text/);
});

test('under a chat template what was said before counts; /new and /system change it, /retry and /edit take the last turn away', () => {
  const answers = (...lines: string[]) => {
    const { status, stdout, stderr } = talk(...lines);
    assert.equal(status, 0, stderr);
    return stdout.split('\n').slice(0, -1);
  };
  const alone = answers('Say otter.')[0]!;
  const [, second, third, fresh] = answers('Say heron.', 'Say otter.', '/retry', '/new', 'Say otter.');
  assert.notEqual(second, alone);
  assert.equal(third, second, 'greedy: the same prompt, the same answer');
  assert.equal(fresh, alone);
  assert.deepEqual(answers('Say newt.', '/edit Say heron.', 'Say otter.').slice(1), answers('Say heron.', 'Say otter.'));
  const [kind, , forgotten] = answers('/system Be kind, otter.', 'Say otter.', '/new', 'Say otter.', '/new', '/system', 'Say otter.');
  assert.notEqual(kind, alone);
  assert.equal(forgotten, alone);
});

test('a conversation that outgrows the context loses its first turns, and says so', () => {
  const long = 'otter heron carp newt '.repeat(8);
  const { status, stdout, stderr } = talk(long, long, long, long);
  assert.equal(status, 0, stderr);
  assert.equal(stdout.split('\n').length, 5);
  assert.match(stderr, /the context of 256 tokens is full: \d turns? at the beginning left out/);
});

test('a session is saved, goes on where it was, and nothing else is written over', () => {
  const file = scratch.join('session.json');
  const first = talk('/system Be kind.', 'Say heron.', `/save ${file}`, 'Say otter.', `/save ${file}`);
  assert.equal(first.status, 0, first.stderr);
  const saved = JSON.parse(readFileSync(file, 'utf8')) as { system: string; turns: { instruction: string; answer: string }[]; model: { name: string } };
  assert.equal(saved.system, 'Be kind.');
  assert.deepEqual(saved.turns.map(({ instruction }) => instruction), ['Say heron.', 'Say otter.']);
  assert.equal(saved.model.name, 'talker');
  if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);

  const again = talk(`/load ${file}`, '/retry');
  assert.equal(again.status, 0, again.stderr);
  assert.equal(again.stdout, `${first.stdout.split('\n')[1]}\n`, 'greedy: the last answer again');
  assert.doesNotMatch(again.stderr, /another model|with the template/);

  const other = scratch.join('other.txt');
  writeFileSync(other, 'mine');
  const refused = talk('Say otter.', `/save ${other}`, `/load ${other}`, '/save', '/load nowhere');
  assert.equal(refused.status, 0, refused.stderr);
  for (const message of [/expected a new file, found one that is there already/, /expected a session file, found no JSON/, /expected a file after the command/, /found nothing there/]) assert.match(refused.stderr, message);
  assert.equal(readFileSync(other, 'utf8'), 'mine');

  const elsewhere = chat([`/load ${file}`]);
  assert.match(elsewhere.stderr, /expected a session without a system message/);
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')) as object, system: '', model: { name: 'sheep', hash: '0'.repeat(64) } }));
  const noted = chat([`/load ${file}`]);
  assert.match(noted.stderr, /2 turns from[^]*another model, sheep[^]*with the template chat/);
});

test('wrong use', () => {
  const { status, stderr } = roslin('chat', []);
  assert.equal(status, 2);
  assert.match(stderr, /--model/);
});
