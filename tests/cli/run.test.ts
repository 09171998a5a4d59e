/** How the command line ends: exit codes, messages, JSON, Ctrl-C, closed pipes. Verbs of its own, in real processes. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
const file = (path: string) => new URL(path, root).href;
const folder = mkdtempSync(join(tmpdir(), 'roslin-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const program = join(folder, 'program.mjs');
writeFileSync(
  program,
  `import { Command } from '${import.meta.resolve('commander')}';
import { run } from '${file('src/cli/run.ts')}';
import { interruptSignal } from '${file('src/cli/interrupt.ts')}';
import { InputError, UsageError } from '${file('src/errors.ts')}';
const parts = { expected: 'a JSON object', found: 'an array', where: 'train.jsonl line 12', remedy: 'Correct it.' };
const actions = {
  input: () => { throw new InputError(parts); },
  usage: () => { throw new UsageError({ expected: 'a number', found: '"\\u001b[31mx"' }); },
  fault: () => { throw new TypeError('cannot read it'); },
  missing: () => import('node:fs').then((fs) => fs.readFileSync('/no/such/file')),
  result: () => console.log('{"a":1}'),
  flood: () => { for (let i = 0; i < 1e5; i++) process.stdout.write('line\\n'); },
  wait: () => { process.stderr.write('waiting\\n'); return new Promise((resolve) => setTimeout(resolve, 20_000)); },
  tidy: () => new Promise((resolve) => {
    process.stderr.write('waiting\\n');
    const timer = setTimeout(resolve, 20_000);
    interruptSignal().addEventListener('abort', () => { clearTimeout(timer); process.stderr.write('saved\\n'); resolve(); });
  }),
};
const verb = (action) => ({ summary: 'for the test', load: async () => ({ command: () => new Command().option('--epochs <n>', 'how many').option('--json', 'json').action(action) }) });
const verbs = Object.fromEntries(Object.entries(actions).map(([name, action]) => [name, verb(action)]));
verbs.broken = { summary: 'cannot be loaded', load: () => { throw new Error('loaded although not asked for'); } };
verbs.nested = { summary: 'has its own', load: async () => ({ command: () => new Command().addCommand(new Command('inner').option('--json', 'json').action(() => console.log('inner'))) }) };
process.exitCode = await run(process.argv.slice(2), verbs);
`,
);

function roslin(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });
  return { status, stdout, stderr };
}

test('help lists the verbs without loading them', () => {
  const { status, stdout } = roslin(['--help']);
  assert.equal(status, 0);
  assert.match(stdout, /broken +cannot be loaded/);
});

test('a result leaves standard output to itself', () => {
  assert.deepEqual(roslin(['result', '--json']), { status: 0, stdout: '{"a":1}\n', stderr: '' });
});

test("a verb's own verbs work, and theirs are checked too", () => {
  assert.deepEqual(roslin(['nested', 'inner']), { status: 0, stdout: 'inner\n', stderr: '' });
  assert.match(roslin(['nested', 'iner']).stderr, /unknown command 'iner'\n\(Did you mean inner\?\)/);
  assert.equal(roslin(['nested', 'inner', '--jsom']).status, 2);
});

const WRONG_USE: Record<string, [args: string[], says: RegExp]> = {
  'a misspelt verb': [['resolt'], /unknown command 'resolt'\n\(Did you mean result\?\)/],
  'a misspelt flag': [['result', '--epoch', '1'], /unknown option '--epoch'\n\(Did you mean --epochs\?\)/],
  'a flag without its value': [['result', '--epochs'], /option '--epochs <n>' argument missing/],
  'a word too many': [['result', 'now'], /too many arguments/],
  'no verb': [[], /no verb given/],
};
for (const [name, [args, says]] of Object.entries(WRONG_USE)) {
  test(`wrong use: ${name}: exit code 2, and JSON if asked for`, () => {
    const plain = roslin(args);
    assert.equal(plain.status, 2);
    assert.equal(plain.stdout, '');
    assert.match(plain.stderr, says);
    const json = roslin([...args.slice(0, 1), '--json', ...args.slice(1)]);
    assert.equal(json.status, 2);
    assert.equal((JSON.parse(json.stdout) as { error: { name: string } }).error.name, 'UsageError');
  });
}

test('our errors: the message and its exit code, no stack; as JSON their parts', () => {
  assert.deepEqual(roslin(['input']), { status: 1, stdout: '', stderr: 'roslin: train.jsonl line 12: expected a JSON object, found an array. Correct it.\n' });
  assert.deepEqual(JSON.parse(roslin(['input', '--json']).stdout), {
    error: {
      name: 'InputError', message: 'train.jsonl line 12: expected a JSON object, found an array. Correct it.',
      expected: 'a JSON object', found: 'an array', where: 'train.jsonl line 12', remedy: 'Correct it.',
    },
  });
  assert.deepEqual(roslin(['usage']), { status: 2, stdout: '', stderr: 'roslin: expected a number, found "x".\n' });
});

test('a fault of ours: short, with how to report it; the stack only with ROSLIN_DEBUG=1', () => {
  const { status, stderr } = roslin(['fault']);
  assert.equal(status, 1);
  assert.match(stderr, /^roslin: TypeError: cannot read it\nThis looks like a fault in Roslin\. .*ROSLIN_DEBUG=1/);
  assert.doesNotMatch(stderr, /\n +at /);
  assert.match(roslin(['fault'], { ROSLIN_DEBUG: '1' }).stderr, /\n +at .*program\.mjs/);
});

test('a refusal of the system is no fault of ours', () => {
  const { status, stderr } = roslin(['missing']);
  assert.equal(status, 1);
  assert.match(stderr, /^roslin: ENOENT.*\/no\/such\/file'\n$/);
});

test('a reader that leaves early is no error', () => {
  const { status, stderr } = spawnSync('bash', ['-c', `set -o pipefail; "${process.execPath}" "${program}" flood | head -n 1`], { encoding: 'utf8' });
  assert.equal(status, 0);
  assert.equal(stderr, '');
});

for (const [verb, says] of [['wait', 'waiting\n'], ['tidy', 'waiting\nsaved\n']] as const) {
  test(`Ctrl-C during "${verb}" ends at once with 130`, async () => {
    const child = spawn(process.execPath, [program, verb], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr === '') child.kill('SIGINT');
      stderr += text;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 130);
    assert.equal(stderr, says);
  });
}

test('the launcher hands exit codes and Ctrl-C through', () => {
  const launcher = fileURLToPath(new URL('scripts/roslin.mjs', root));
  const { status, stderr } = spawnSync(process.execPath, [launcher, 'doctr'], { encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stderr, /Did you mean doctor\?/);
});
