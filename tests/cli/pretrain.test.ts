/** `roslin pretrain` as a person starts it: JSON for programs, wrong use refused, a killed run that goes on as if nothing had been. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Scratch } from '../train/tiny-base.ts';
import { writeTexts } from '../train/tiny-text.ts';

const CLI = join(import.meta.dirname, '../../src/cli/main.ts');
const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());
const text = writeTexts(scratch.join('text.jsonl'), 60);

const command = (out: string, ...more: string[]) => [
  CLI, 'pretrain', '--text', text, '--out', out, '--vocab-size', '300', '--hidden', '32', '--layers', '2', '--heads', '4', '--context', '32', '--lr', '0.01', '--batch-tokens', '200',
  '--max-steps', '60', '--test-size', '4', '--threads', '1', '--save-steps', '3', ...more,
];

function roslin(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
  return { status, stdout, stderr };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in the meantime.
  }
}

test('a run killed after a checkpoint and resumed is the run that was never killed; --json gives its result', { timeout: 60_000 }, async () => {
  const whole = scratch.join('whole');
  const { status, stdout, stderr } = roslin(...command(whole, '--json'));
  assert.equal(status, 0, stderr);
  const result = JSON.parse(stdout);
  assert.deepEqual(Object.keys(result), ['out', 'steps', 'trained_tokens', 'held_out', 'seconds']);
  assert.deepEqual([result.out, result.steps], [whole, 60]);
  assert.ok(result.held_out.after < result.held_out.before - 1);
  assert.match(stderr, /template text/);
  assert.equal(JSON.parse(readFileSync(join(whole, 'config.json'), 'utf8')).torch_dtype, 'bfloat16', 'the default of this verb');

  const out = scratch.join('killed');
  const child = spawn(process.execPath, command(out), { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const saved = () => existsSync(join(out, '.training')) && readdirSync(join(out, '.training')).some((name) => name.startsWith('step-'));
  for (let i = 0; !saved() && child.exitCode === null; i++) {
    assert.ok(i < 6000, 'waited too long for a checkpoint');
    await wait(5);
  }
  const worker = Number.parseInt(readFileSync(join(out, '.training/lock'), 'utf8'), 10);
  kill(child.pid!);
  kill(worker);
  await ended;
  assert.ok(!existsSync(join(out, 'model.safetensors')), 'it was killed before its end');

  const other = roslin(...command(out, '--resume', '--context', '16'));
  assert.equal(other.status, 1);
  assert.match(other.stderr, /expected the same (fresh|rows) as when the run began/);
  const last = roslin(...command(out, '--resume'));
  assert.equal(last.status, 0, last.stderr);
  assert.match(last.stderr, /resumed after update \d+/);
  assert.match(last.stdout, /is ready\. Teach it to follow instructions: roslin train --base /);
  for (const file of ['metrics.jsonl', 'model.safetensors', 'config.json', 'tokenizer.json']) {
    assert.ok(readFileSync(join(out, file)).equals(readFileSync(join(whole, file))), `${file} differs`);
  }
  assert.deepEqual(readdirSync(out).sort(), readdirSync(whole).sort());
});

describe('wrong use leaves nothing behind', () => {
  const cases: [string, string[], RegExp, 1 | 2][] = [
    ['a width that is no multiple of the heads', ['--hidden', '30'], /--hidden and --heads: expected a width that is a multiple of the attention heads, found 30 and 4/, 2],
    ['a head too narrow to turn', ['--hidden', '16'], /--hidden and --heads: .*found 4 \(16 over 4 heads\)/, 2],
    ['a vocabulary without the bytes', ['--vocab-size', '256'], /--vocab-size.*at least 257/, 2],
    ['a type that is not written', ['--dtype', 'f16'], /--dtype.*f32, bf16/, 2],
    ['sizes beside a base', ['--base', scratch.join('whole')], /--base: expected no sizes beside --base, which has its own, found --vocab-size/, 2],
    ['a flag of train', ['--method', 'lora'], /unknown option '--method'/, 2],
    ['text that is not there', ['--text', scratch.join('none.txt')], /none\.txt: expected a file of text, found nothing there/, 1],
    ['more documents held out than there are', ['--test-size', '60'], /--test-size: expected fewer held-out rows than the 60 records, found 60/, 1],
  ];
  for (const [name, flags, message, code] of cases) {
    test(name, () => {
      const out = scratch.join('never');
      const { status, stdout, stderr } = roslin(...command(out, ...flags));
      assert.match(stderr, message);
      assert.equal(status, code, stderr);
      assert.equal(stdout, '');
      assert.ok(!existsSync(out));
      assert.doesNotMatch(stderr, /\n\s+at .*\.ts/, 'a stack trace was shown');
    });
  }
  test('with --json it is one object', () => {
    const { status, stdout } = roslin(...command(scratch.join('never'), '--hidden', '30', '--json'));
    assert.equal(status, 2);
    const { name, where, found } = JSON.parse(stdout).error;
    assert.deepEqual([name, where, found], ['UsageError', '--hidden and --heads', '30 and 4']);
  });
  test('without text', () => {
    const { status, stderr } = roslin(CLI, 'pretrain', '--out', scratch.join('never'));
    assert.equal(status, 2);
    assert.match(stderr, /--text/);
  });
});
