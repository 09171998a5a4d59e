/** `roslin chat` in a real terminal (a pty that `script` makes): Ctrl-C, pastes, typing ahead, /edit, and the history of the start before. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { CONFIGS, Scratch, writeBase } from '../train/tiny-base.ts';

const CLI = join(import.meta.dirname, '../../src/cli/main.ts');
const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());
// util-linux's own; that of BSD has other flags.
const script = process.platform === 'linux' && spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux');
const skip = script ? false : 'needs script of util-linux';

class Terminal {
  readonly #child;
  #seen = '';
  #from = 0;
  readonly ended: Promise<number | null>;

  constructor(flags: readonly string[]) {
    const command = [process.execPath, CLI, 'chat', ...flags].map((word) => `'${word}'`).join(' ');
    this.#child = spawn('script', ['--quiet', '--flush', '--return', '--command', `stty cols 200; ${command}`, '/dev/null'], {
      env: { ...process.env, XDG_STATE_HOME: scratch.join('state'), TERM: 'xterm', NO_COLOR: '1' },
    });
    this.#child.stdout.on('data', (bytes: Buffer) => (this.#seen += bytes));
    this.ended = new Promise((resolve) => this.#child.on('exit', resolve));
  }

  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** What was shown since the last call, up to and with `pattern`. */
  async until(pattern: RegExp): Promise<string> {
    for (const start = Date.now(); ; await setTimeout(10)) {
      const rest = this.#seen.slice(this.#from);
      const found = pattern.exec(rest);
      if (found) {
        this.#from += found.index + found[0].length;
        return rest.slice(0, found.index + found[0].length);
      }
      if (Date.now() - start > 60_000) {
        this.#child.kill();
        throw new Error(`no ${pattern} in ${JSON.stringify(rest)}`);
      }
    }
  }
}

const PROMPT = /> \u001b\[3G/;
const COUNT = /(\d+) tokens, [\d.]+ a second[^\r\n]*/;

test('Ctrl-C stops an answer, and the session goes on', { skip, timeout: 180_000 }, async () => {
  const model = await writeBase(scratch.join('long'), 'llama');
  // Room for an answer that takes a while.
  writeFileSync(join(model, 'config.json'), JSON.stringify({ ...CONFIGS.llama, max_position_embeddings: 8192 }));
  const terminal = new Terminal(['--model', model, '--threads', '1', '--max-new-tokens', '8000', '--temperature', '0', '--no-history']);
  const start = await terminal.until(PROMPT);
  assert.match(start, /template chat: a conversation/);
  assert.ok(start.includes('\u001b[?2004h'));
  for (const question of ['Say otter.', 'Say heron.']) {
    terminal.type(`${question}\r`);
    await terminal.until(/\.\r+\n[^\r\n\u001b]{2}/);
    terminal.type('lost\u0003');
    const [, tokens] = COUNT.exec(await terminal.until(/a second; stopped/))!;
    assert.ok(Number(tokens) > 0 && Number(tokens) < 8000, tokens);
    assert.doesNotMatch(await terminal.until(PROMPT), /lost/);
  }
  terminal.type('\u0004');
  assert.equal(await terminal.ended, 0);
  await terminal.until(/\u001b\[\?2004l/);
});

test('pastes, typing ahead, /edit, and the history of the start before', { skip, timeout: 180_000 }, async () => {
  mkdirSync(scratch.join('state'));
  const model = await writeBase(scratch.join('base'), 'llama');
  const session = scratch.join('session.json');
  const first = new Terminal(['--model', model, '--threads', '1', '--max-new-tokens', '12', '--seed', '1']);
  await first.until(PROMPT);
  first.type('Say otter.\r');
  await first.until(COUNT);

  await first.until(PROMPT);

  // A paste of three lines is one message.
  first.type('\u001b[200~one\ntwo\nthree\u001b[201~ and four');
  await first.until(/one↵two↵three and four/);
  first.type('\r');
  await first.until(/\n/);
  // Keys that come during the answer wait for its end.
  first.type(`/save ${session}\r`);
  await first.until(COUNT);
  await first.until(/kept in [^]*2 turns/);
  const { turns } = JSON.parse(readFileSync(session, 'utf8')) as { turns: { instruction: string }[] };
  assert.deepEqual(turns.map(({ instruction }) => instruction), ['Say otter.', 'one\ntwo\nthree and four']);

  // /edit brings the last question back to be changed.
  first.type('/edit\r');
  await first.until(/one↵two↵three and four/);
  first.type(' and five\r');
  await first.until(COUNT);
  first.type(`/save ${session}\r`);
  await first.until(/kept in [^]*2 turns/);
  assert.match(readFileSync(session, 'utf8'), /one\\ntwo\\nthree and four and five/);

  // Ctrl-C drops what is typed; at an empty prompt it leaves.
  first.type('never sent');
  await first.until(/never sent/);
  first.type('\u0003');
  await first.until(/\^C/);
  await first.until(PROMPT);
  first.type('\u0003');
  assert.equal(await first.ended, 0);
  const history = scratch.join('state', 'roslin', 'chat-history.jsonl');
  assert.equal(statSync(history).mode & 0o777, 0o600);
  assert.deepEqual(readFileSync(history, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as string), [
    'Say otter.', 'one\ntwo\nthree and four', `/save ${session}`, '/edit', 'one\ntwo\nthree and four and five', `/save ${session}`,
  ]);

  // The next start has it under the arrow keys.
  const second = new Terminal(['--model', model, '--threads', '1', '--max-new-tokens', '5']);
  await second.until(PROMPT);
  second.type('\u001b[A');
  await second.until(/\/save /);
  second.type('\u001b[A');
  await second.until(/one↵two↵three and four and five/);
  second.type('\u0015\u0004');
  assert.equal(await second.ended, 0);

  const third = new Terminal(['--model', model, '--threads', '1', '--max-new-tokens', '5', '--no-history']);
  await third.until(PROMPT);
  third.type('a secret\r');
  await third.until(COUNT);
  third.type('/exit\r');
  assert.equal(await third.ended, 0);
  assert.doesNotMatch(readFileSync(history, 'utf8'), /secret/);
});
