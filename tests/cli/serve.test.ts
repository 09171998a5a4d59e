/** `roslin serve` as a command: where it listens, what it refuses, how it ends; and its keys. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { Scratch, writeBase } from '../train/tiny-base.ts';

const CLI = join(import.meta.dirname, '../../src/cli/main.ts');
const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());
const model = await writeBase(scratch.join('base'), 'llama');

const roslin = (...args: string[]) => spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', cwd: scratch.path, timeout: 60_000 });

test('keys are made, shown once, listed and revoked', () => {
  const made = roslin('serve', 'keys', 'create', '--name', 'studio', '--days', '3', '--tokens-per-minute', '1000', '--scopes', 'generate,metrics');
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stdout, /^rk-[\w-]{43}\n$/);
  assert.ok(!readFileSync(scratch.join('.roslin/keys.json'), 'utf8').includes(made.stdout.trim()));
  const listed = roslin('serve', 'keys', 'list');
  assert.match(listed.stdout, /studio +valid +generate metrics +\d{4}-\d\d-\d\d +1,000/);
  assert.ok(!listed.stdout.includes(made.stdout.trim()));
  assert.equal(roslin('serve', 'keys', 'revoke', 'studio').status, 0);
  assert.match(roslin('serve', 'keys', 'list').stdout, /studio +revoked/);
  assert.equal(roslin('serve', 'keys', 'revoke', 'studio').status, 1);
  assert.equal(roslin('serve', 'keys', 'create', '--name', 'x', '--scopes', 'all').status, 2);
});

test('wrong use: no model, llama.cpp for a folder, others without a key', () => {
  for (const [args, says] of [[[], /--model: expected a model/], [['--model', model, '--engine', 'llama.cpp'], /expected a \.gguf file/], [['--model', model, '--host', '0.0.0.0', '--port', '0', '--keys', scratch.join('none.json')], /roslin serve keys create --name NAME --keys/], [['--model', model, '--adapter', 'x'], /--adapter: expected a name and a path/]] as const) {
    const { status, stderr } = roslin('serve', ...args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, says);
  }
});

test('it says where it listens, answers, and ends when it is told to, with exit code 130', { timeout: 60_000 }, async () => {
  const child = spawn(process.execPath, [CLI, 'serve', '--model', model, '--port', '0', '--threads', '1', '--json', '--keys', scratch.join('none.json')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (part: Buffer) => (said += part.toString()));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { url, ...rest } = JSON.parse(line) as { url: string };
  assert.deepEqual(rest, { model: 'base', engine: 'roslin', template: 'chat', context: 256, parallel: 4, keys: false });
  const response = await fetch(`${url}/chat/completions`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ model: 'base', messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Say otter.' }, { role: 'assistant', content: 'otter' }, { role: 'user', content: 'Again.' }], max_tokens: 3 }) });
  assert.equal(response.status, 200, await response.text());
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [130, null]);
  assert.match(said, /Only this machine can reach it/);
  assert.match(said, /Ending/);
});
