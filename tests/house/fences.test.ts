/**
 * Every `sh` and `ts` block of the documents runs as it stands, or says in a comment right above it why it does not:
 * <!-- not run: needs a model of 300 MB -->
 * `sh` runs in the project's folder; `ts` runs with roslin and roslin/engine meaning the sources, and `// => text` after a
 * console.log is what it must print.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { root, textFiles } from './support.ts';

interface Fence {
  readonly language: string;
  readonly code: string;
  readonly line: number;
  readonly notRun: string | undefined;
}

const TIME_LIMIT_MS = 60_000;

/** The blocks of a document, with what the comment above each says. */
function fences(markdown: string): Fence[] {
  const found: Fence[] = [];
  const lines = markdown.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const open = /^(\s*)(```+)(\S*)/.exec(lines[i] ?? '');
    if (!open) continue;
    const start = i;
    const code: string[] = [];
    for (i++; i < lines.length && !(lines[i] ?? '').trim().startsWith(open[2] ?? ''); i++) code.push((lines[i] ?? '').slice(open[1]?.length));
    const above = lines.slice(0, start).findLast((text) => text.trim() !== '') ?? '';
    found.push({ language: open[3] ?? '', code: code.join('\n'), line: start + 1, notRun: /^\s*<!-- not run: (.+\S) -->\s*$/.exec(above)?.[1] });
  }
  return found;
}

/** Runs a block; returns what went wrong, or undefined. */
function failure({ language, code }: Fence): string | undefined {
  if (language === 'sh') return report(spawnSync('sh', ['-e', '-c', code], settings()));
  const folder = mkdtempSync(join(tmpdir(), 'roslin-fence-'));
  try {
    const file = join(folder, 'fence.ts');
    const url = (path: string) => pathToFileURL(join(root, 'src', path)).href;
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(file, code.replace(/(['"])roslin\/engine\1/g, `'${url('engine/index.ts')}'`).replace(/(['"])roslin\1/g, `'${url('index.ts')}'`));
    const result = spawnSync(process.execPath, [file], settings());
    const expected = [...code.matchAll(/\/\/ => (.*)$/gm)].map((m) => (m[1] ?? '').trim());
    const printed = result.stdout.split('\n').map((text) => text.trim());
    const missing = expected.find((text) => !printed.includes(text));
    return report(result) ?? (missing === undefined ? undefined : `expected to print "${missing}", printed:\n${result.stdout}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function settings() {
  return { cwd: root, encoding: 'utf8', timeout: TIME_LIMIT_MS, env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` } } as const;
}

function report({ status, stdout, stderr, error }: { status: number | null; stdout: string; stderr: string; error?: Error }): string | undefined {
  return status === 0 ? undefined : `${error ? `${error.message}\n` : ''}ended with ${status}\n${stdout}${stderr}`;
}

const documents = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md'].filter((name) => existsSync(join(root, name)));
const texts = new Map([...documents.map((name) => [name, readFileSync(join(root, name), 'utf8')] as const), ...textFiles('docs', /\.md$/)]);

for (const [path, text] of texts) {
  for (const fence of fences(text).filter(({ language }) => ['sh', 'bash', 'shell', 'console', 'ts', 'typescript', 'js'].includes(language))) {
    test(`${path}:${fence.line} ${fence.language} block`, { skip: fence.notRun ?? false }, () => {
      assert.ok(['sh', 'ts'].includes(fence.language), `call the block sh or ts, not ${fence.language}, so that it is run`);
      assert.equal(failure(fence), undefined);
    });
  }
}

test('blocks are found, with their line and their comment', () => {
  const text = 'a\n```sh\ntrue\n```\n\n<!-- not run: too big -->\n```ts\nthrow 1;\n```\n';
  assert.deepEqual(fences(text), [
    { language: 'sh', code: 'true', line: 2, notRun: undefined },
    { language: 'ts', code: 'throw 1;', line: 7, notRun: 'too big' },
  ]);
});

test('a block that fails, or prints something else, is refused', () => {
  const block = (language: string, code: string) => ({ language, code, line: 1, notRun: undefined });
  assert.match(failure(block('sh', 'false\ntrue')) ?? '', /ended with 1/);
  assert.match(failure(block('ts', 'throw new Error("no");')) ?? '', /ended with 1[^]*no/);
  assert.match(failure(block('ts', 'console.log(1 + 1); // => 3')) ?? '', /expected to print "3"/);
  assert.equal(failure(block('ts', 'console.log(1 + 1); // => 2')), undefined);
});
