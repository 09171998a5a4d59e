/** The checks really fire: bad code is given to the compiler and the linter as this project sets them up, and is refused. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { root } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'roslin-checks-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const BAD_FOR_LINT: Record<string, [rule: string, path: string, source: string]> = {
  'a promise nobody waits for': ['no-floating-promises', 'src/train/a.ts', `async function f(): Promise<void> {}\nexport function g(): void {\n  f();\n}\n`],
  'an async function where none is awaited': ['no-misused-promises', 'src/train/b.ts', `export function g(items: number[]): void {\n  items.forEach(async (item) => {\n    await Promise.resolve(item);\n  });\n}\n`],
  'a library that prints': ['no-console', 'src/train/c.ts', `console.log('hello');\nexport {};\n`],
  'any': ['no-explicit-any', 'src/train/d.ts', `export const x: any = 1;\n`],
  'a union member forgotten in a switch': ['switch-exhaustiveness-check', 'src/train/e.ts', `export function f(x: 'a' | 'b'): void {\n  switch (x) {\n    case 'a':\n  }\n}\n`],
  'a string thrown': ['only-throw-error', 'src/train/f.ts', `export function f(): never {\n  throw 'no';\n}\n`],
  'a loose comparison': ['eqeqeq', 'src/train/g.ts', `export const f = (x: unknown): boolean => x == 1;\n`],
};

const BAD_FOR_TYPES: Record<string, [code: string, path: string, source: string]> = {
  'an element that may be missing': ['TS2322', 'src/train/h.ts', `export const first = (items: number[]): number => items[0];\n`],
  'an enum, which Node cannot strip': ['TS1294', 'src/train/i.ts', `export enum Colour { Red }\n`],
  'an unused import': ['TS6133', 'src/train/j.ts', `import { join } from 'node:path';\nexport {};\n`],
};

for (const [, path, source] of Object.values({ ...BAD_FOR_LINT, ...BAD_FOR_TYPES })) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), source);
}
for (const file of ['tsconfig.json', '.oxlintrc.json']) copyFileSync(join(root, file), join(folder, file));
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');

const lint = run('oxlint/bin/oxlint', ['--type-aware', '--format', 'unix', 'src']);
for (const [name, [rule, path]] of Object.entries(BAD_FOR_LINT)) {
  test(`the linter refuses ${name}`, () => {
    const hits = lint.output.split('\n').filter((line) => line.startsWith(path) && line.includes(`(${rule})`));
    assert.notEqual(hits.length, 0, `no ${rule} in:\n${lint.output}`);
    assert.match(hits[0] ?? '', /\[Error\//);
  });
}

const types = run('typescript/bin/tsc', ['--noEmit', '--pretty', 'false', '-p', '.']);
for (const [name, [code, path]] of Object.entries(BAD_FOR_TYPES)) {
  test(`the compiler refuses ${name}`, () => {
    assert.ok(types.output.split('\n').some((line) => line.startsWith(path) && line.includes(code)), `no ${code} in:\n${types.output}`);
  });
}

test('both then end with an error', () => {
  assert.notEqual(lint.status, 0);
  assert.notEqual(types.status, 0);
});

function run(tool: string, args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules', tool), ...args], { cwd: folder, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}
