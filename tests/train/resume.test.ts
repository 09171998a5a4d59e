/** Interrupted runs, through the command line as a person starts them: killed at random moments, resumed, and the same to the last bit. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'node:test';
import { Random } from '../../src/artefacts/random.ts';
import { completeOptions } from '../../src/train/options.ts';
import { train } from '../../src/train/trainer.ts';
import { Scratch, writeBase, writeRecords } from './tiny-base.ts';

const CLI = join(import.meta.dirname, '../../src/cli/main.ts');

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

function start(args: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr }))) };
}

/** The worker that does the training, as the lock names it. */
const workerOf = (out: string): number => Number.parseInt(existsSync(join(out, '.training/lock')) ? readFileSync(join(out, '.training/lock'), 'utf8') : '0', 10);

function kill(pid: number): void {
  try {
    if (pid > 0) process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in the meantime.
  }
}

/** Ended processes may stay listed until somebody takes note of them. */
function isRunning(pid: number): boolean {
  const path = `/proc/${pid}/status`;
  return existsSync(path) && !/State:\s+Z/.test(readFileSync(path, 'utf8'));
}

const lines = (out: string) => (existsSync(join(out, 'metrics.jsonl')) ? readFileSync(join(out, 'metrics.jsonl'), 'utf8').split('\n').length - 1 : 0);

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; !condition(); i++) {
    if (i > 3000) throw new Error(`waited too long for ${what}`);
    await wait(5);
  }
}

async function inputs(scratch: Scratch): Promise<(out: string, more?: readonly string[]) => string[]> {
  const base = await writeBase(scratch.join('base'), 'llama');
  const data = writeRecords(scratch.join('train.jsonl'), 60);
  return (out, more = []) => ['train', '--base', base, '--data', data, '--out', out, '--method', 'full', '--lr', '0.001', '--batch-tokens', '100', '--max-steps', '40', '--test-size', '4', '--threads', '1', '--save-steps', '3', ...more];
}

test('a run killed at random moments and resumed is the run that was never killed', { timeout: 120_000 }, async () => {
  using scratch = new Scratch();
  const command = await inputs(scratch);
  const whole = scratch.join('whole');
  assert.equal((await start(command(whole)).ended).code, 0);

  const out = scratch.join('killed');
  const random = new Random(11);
  for (let kills = 0; kills < 4; kills++) {
    const { child, ended } = start(command(out, kills > 0 && existsSync(join(out, '.training')) ? ['--resume'] : []));
    // Once before the first checkpoint, then later and later, at any instant of an update or a save.
    const target = kills === 0 ? 1 : lines(out) + 2 + Math.floor(random.next() * 6);
    await until(() => lines(out) >= target || child.exitCode !== null, `line ${target}`);
    await wait(random.next() * 20);
    const worker = workerOf(out);
    kill(child.pid!);
    kill(worker);
    await ended;
  }
  const last = await start(command(out, ['--resume'])).ended;
  assert.equal(last.code, 0, last.stderr);
  for (const file of ['metrics.jsonl', 'model.safetensors', 'config.json', 'tokenizer.json']) {
    assert.ok(readFileSync(join(out, file)).equals(readFileSync(join(whole, file))), `${file} differs`);
  }
  assert.deepEqual(readdirSync(out).sort(), readdirSync(whole).sort());
});

test('Ctrl-C saves a checkpoint and leaves with 130; the run goes on from there; other options are refused', { timeout: 60_000 }, async () => {
  using scratch = new Scratch();
  const command = await inputs(scratch);
  const out = scratch.join('run');
  const { child, ended } = start(command(out));
  await until(() => lines(out) >= 5, 'some updates');
  child.kill('SIGINT');
  const { code, stderr } = await ended;
  assert.equal(code, 130, stderr);
  assert.match(stderr, /stopped after update \d+; go on with the same command and --resume/);
  assert.equal(readdirSync(join(out, '.training')).filter((f) => f.startsWith('step-')).length, 1);

  const again = await start(command(out)).ended;
  assert.equal(again.code, 1);
  assert.match(again.stderr, /a run that has not ended.*--resume/);
  const other = await start(command(out, ['--resume', '--seed', '7'])).ended;
  assert.equal(other.code, 1);
  assert.match(other.stderr, /expected the same/);
  assert.equal((await start(command(out, ['--resume'])).ended).code, 0);
  assert.match((await start(command(out, ['--resume'])).ended).stderr, /found one that is complete/);
});

test('a stop right after a checkpoint, or right after it was resumed from, is a stop like any other', async () => {
  using scratch = new Scratch();
  const out = scratch.join('run');
  const options = completeOptions({ base: await writeBase(scratch.join('base'), 'llama'), data: writeRecords(scratch.join('train.jsonl'), 24), out, method: 'full', batchTokens: 100, saveSteps: 2, testSize: 4, threads: 1 });
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const event of train(options, { signal: stop.signal })) {
    if (event.type === 'checkpoint') stop.abort();
    if (event.type === 'checkpoint' || event.type === 'stopped') seen.push(`${event.type} ${event.step}`);
  }
  for await (const event of train(options, { signal: AbortSignal.abort(), resume: true })) {
    if (event.type === 'checkpoint' || event.type === 'stopped') seen.push(`${event.type} ${event.step}`);
  }
  assert.deepEqual(seen, ['checkpoint 2', 'stopped 2', 'stopped 2']);
});

test('a folder that a living run uses is refused, and a worker dies with its parent', { timeout: 60_000 }, async () => {
  using scratch = new Scratch();
  const command = await inputs(scratch);
  const out = scratch.join('run');
  const { child, ended } = start(command(out, ['--max-steps', '5000']));
  await until(() => lines(out) >= 2, 'an update');
  const worker = workerOf(out);
  const second = await start(command(out, ['--max-steps', '5000', '--resume'])).ended;
  assert.equal(second.code, 1);
  assert.match(second.stderr, /in use by process/);
  kill(child.pid!);
  await ended;
  await until(() => !isRunning(worker), 'the worker to end with its parent');
});

test('a lock left by a process that is gone is taken over', { timeout: 60_000 }, async () => {
  using scratch = new Scratch();
  const command = await inputs(scratch);
  const out = scratch.join('run');
  const { child, ended } = start(command(out));
  await until(() => lines(out) >= 5, 'some updates');
  child.kill('SIGINT');
  await ended;
  writeFileSync(join(out, '.training/lock'), `${process.pid} 1`); // our number, but another process's beginning
  assert.equal((await start(command(out, ['--resume'])).ended).code, 0);
});
