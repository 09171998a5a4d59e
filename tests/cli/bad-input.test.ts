/** Bad input through the command line: the message says what was expected, what was found and where; nothing is left behind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { archive, global, text, tuple, whole } from '../formats/torch-writer.ts';
import { CONFIGS, Scratch, writeBase, writeRecords } from '../train/tiny-base.ts';

const CLI = join(import.meta.dirname, '../../src/cli/main.ts');
const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());

let base = '';
let data = '';
const good = JSON.stringify({ instruction: 'Say it.', context: '', response: 'It.', category: 'open_qa' });

function roslin(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', timeout: 60_000 });
  return { status, stdout, stderr };
}

const file = (name: string, content: string | Uint8Array) => {
  writeFileSync(scratch.join(name), content);
  return scratch.join(name);
};

/** Trains with the given base and data and expects a refusal that matches, and no output folder. */
function refused(given: { base?: string; data?: string; flags?: string[] }, pattern: RegExp, status = 1): void {
  const out = scratch.join('out');
  const result = roslin('train', '--base', given.base ?? base, '--data', given.data ?? data, '--out', out, '--threads', '1', ...(given.flags ?? []));
  assert.match(result.stderr, pattern);
  assert.equal(result.status, status, result.stderr);
  assert.equal(result.stdout, '');
  assert.ok(!existsSync(out), 'the output folder was left behind');
  assert.doesNotMatch(result.stderr, /\n\s+at .*\.ts/, 'a stack trace was shown');
}

before(async () => {
  base = await writeBase(scratch.join('base'), 'llama');
  data = writeRecords(scratch.join('good.jsonl'), 12);
});

describe('records', () => {
  const cases: [string, string | Uint8Array, RegExp][] = [
    ['missing field', `${good}\n{"instruction": "x", "context": ""}\n`, /line 2.*response/s],
    ['empty field', `${good}\n{"instruction": "  ", "response": "y"}\n`, /line 2.*instruction/s],
    ['invalid JSON', `${good}\n{"instruction": "x", \n`, /line 2.*JSON/s],
    ['invalid UTF-8', Buffer.concat([Buffer.from('{"instruction": "'), Buffer.from([0xff, 0xfe]), Buffer.from('", "response": "y"}\n')]), /UTF-8/],
    ['byte order mark', `\ufeff${good}\n`, /byte order mark/i],
    ['a line of 10 MB', `{"instruction": "${'x'.repeat(10_000_000)}", "response": "y"}\n`, /line 1.*(MiB|MB|bytes)/s],
    ['duplicate keys', '{"instruction": "x", "instruction": "y", "response": "z"}\n', /instruction.*(twice|duplicate|once)|(twice|duplicate|once).*instruction/is],
    ['an empty file', '', /empty|no record|nothing|at least one/i],
    ['an array', '[1, 2]\n', /line 1.*object/s],
  ];
  for (const [name, content, pattern] of cases) test(name, () => refused({ data: file('bad.jsonl', content) }, pattern));

  test('CRLF is accepted', () => {
    const crlf = file('crlf.jsonl', readFileSync(data, 'utf8').replaceAll('\n', '\r\n'));
    const { status, stderr } = roslin('dataset', 'inspect', crlf, '--base', base, '--json');
    assert.equal(status, 0, stderr);
  });
  test('a folder instead of a file', () => refused({ data: base }, /expected.*file.*folder/s));
  test('nothing there', () => refused({ data: scratch.join('none.jsonl') }, /none\.jsonl.*expected.*found nothing/s));
  test('every row too long', () => refused({ flags: ['--max-length', '4'] }, /at most 4 tokens/));
  test('more rows held out than there are', () => refused({ flags: ['--test-size', '12'] }, /fewer held-out rows/));
});

describe('models', () => {
  const spoiled = async (name: string, change: (folder: string) => void) => {
    const folder = await writeBase(scratch.join(name), 'llama');
    change(folder);
    return folder;
  };
  const config = (change: object) => (folder: string) => writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...CONFIGS.llama, ...change }));
  const weights = (change: (bytes: Buffer) => Buffer) => (folder: string) => {
    const path = join(folder, 'model.safetensors');
    writeFileSync(path, change(readFileSync(path)));
  };
  const pickle = (folder: string) => {
    rmSync(join(folder, 'model.safetensors'));
    writeFileSync(join(folder, 'pytorch_model.bin'), archive(whole(global('os', 'system'), tuple(text(`touch ${join(folder, 'ran')}`)), 'R')));
  };
  const cases: [string, (folder: string) => void, RegExp][] = [
    ['unknown architecture', config({ model_type: 'mamba' }), /model_type.*gpt_neox.*llama.*mamba/s],
    ['unknown activation', config({ hidden_act: 'relu' }), /hidden_act.*silu.*relu/s],
    ['rope scaling', config({ rope_scaling: { rope_type: 'llama3', factor: 8 } }), /rope_scaling.*llama3/s],
    ['an unknown field', config({ mystery_gate: true }), /mystery_gate/],
    ['a truncated safetensors', weights((b) => b.subarray(0, b.length - 100)), /model\.safetensors/],
    ['a lying header length', weights((b) => { b.writeBigUInt64LE(2n ** 63n, 0); return b; }), /header/],
    ['a pickle that would run a program', pickle, /data\.pkl byte 2.*only names that a dictionary of tensors needs, found os\.system/s],
    ['weights of another config', config({ intermediate_size: 128 }), /mlp.*128.*64/s],
    ['no tokenizer', (folder) => writeFileSync(join(folder, 'tokenizer.json'), ''), /tokenizer\.json|base/],
    ['a tokenizer that does not fit', config({ vocab_size: 100 }), /at most 100 ids.*444/s],
  ];
  for (const [name, change, pattern] of cases) test(name, async () => refused({ base: await spoiled(`base ${name}`, change) }, pattern));

  test('a GGUF that is none', () => refused({ base: file('fake.gguf', 'GGUF but not really') }, /fake\.gguf/));
  test('a truncated GGUF', () => refused({ base: file('short.gguf', Buffer.concat([Buffer.from('GGUF'), Buffer.from([3, 0, 0, 0])])) }, /short\.gguf/));
  test('nothing there', () => refused({ base: scratch.join('none') }, /none.*expected.*found nothing/s));
});

describe('flags', () => {
  test('a misspelt flag names the nearest', () => refused({ flags: ['--epoch', '2'] }, /--epoch.*--epochs/s, 2));
  test('a misspelt verb names the nearest', () => {
    const { status, stderr } = roslin('trian');
    assert.equal(status, 2);
    assert.match(stderr, /trian.*train/s);
  });
  for (const [flag, value] of [['--epochs', '0'], ['--lr', 'nan'], ['--lr', '-1'], ['--method', 'qlora'], ['--template', 'alpaca'], ['--schedule', 'poly'], ['--batch-tokens', '1e9x'], ['--test-size', '-3']]) {
    test(`${flag} ${value}`, () => refused({ flags: [flag!, value!] }, new RegExp(flag!), 2));
  }
  test('a missing flag', () => {
    const { status, stderr } = roslin('train', '--base', base);
    assert.equal(status, 2);
    assert.match(stderr, /--data/);
  });
  test('with --json a failure is one JSON object', () => {
    const { status, stdout } = roslin('evaluate', '--model', base, '--data', scratch.join('none.jsonl'), '--json');
    assert.equal(status, 1);
    assert.match(JSON.parse(stdout).error.found, /nothing/);
  });
  test('an output folder in use', () => {
    const out = scratch.join('in use');
    mkdirSync(out);
    writeFileSync(join(out, 'mine.txt'), 'mine');
    const { status, stderr } = roslin('train', '--base', base, '--data', data, '--out', out);
    assert.equal(status, 1);
    assert.match(stderr, /an empty or new output folder/);
    assert.deepEqual(readdirSync(out), ['mine.txt']);
  });
});

test('a full disk ends the run with the reason', (t) => {
  const mount = scratch.join('small');
  mkdirSync(mount);
  if (process.platform !== 'linux' || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount]).status !== 0) return t.skip('needs the right to mount a small file system');
  try {
    const { status, stderr, stdout } = roslin('train', '--base', base, '--data', data, '--out', join(mount, 'run'), '--threads', '1');
    assert.equal(status, 1);
    assert.match(stderr, /free.*expected|expected.*free/s);
    assert.equal(stdout, '');
    assert.deepEqual(readdirSync(mount), []);
  } finally {
    spawnSync('umount', [mount]);
  }
});
