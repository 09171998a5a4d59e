/** The guide explains every flag of the verbs it is about and no other; paths that documents name are there. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import type { Command } from 'commander';
import { command as chat } from '../../src/cli/chat.ts';
import { command as dataset } from '../../src/cli/dataset.ts';
import { checkCommand } from '../../src/cli/dataset-check.ts';
import { command as evaluate } from '../../src/cli/evaluate.ts';
import { command as exportCommand } from '../../src/cli/export.ts';
import { command as generate } from '../../src/cli/generate.ts';
import { command as plan } from '../../src/cli/plan.ts';
import { command as pretrain } from '../../src/cli/pretrain.ts';
import { command as serve } from '../../src/cli/serve.ts';
import { command as train } from '../../src/cli/train.ts';
import { command as up } from '../../src/cli/up.ts';
import { root, textFiles } from './support.ts';

const verbs = (command: Command, wanted: (name: string) => boolean): Command[] => command.commands.filter((child) => wanted(child.name())) as Command[];

/** Sections of the guides that explain flags, by the beginning of their heading. */
const EXPLAINED = {
  'docs/training.md': { '2.': verbs(dataset(), (name) => name === 'inspect'), '4.': [plan(), train()], '8.': [evaluate()], '9.': [generate()], '10.': [pretrain()] },
  'docs/collect.md': { 'Flags': [up()] },
  'docs/checks.md': { 'Flags': [checkCommand()] },
  'docs/export.md': { 'Flags': [exportCommand()] },
  'docs/serve.md': { 'Flags': [serve()] },
  'docs/chat.md': { 'Flags': [chat()] },
  'docs/datasets.md': { 'Flags': verbs(dataset(), (name) => name !== 'inspect' && name !== 'check') },
};
/** Explained once for all verbs, at the beginning of the guide. */
const COMMON = new Set(['--json', '--offline']);

const sorted = (flags: Iterable<string>) => [...new Set(flags)].filter((flag) => !COMMON.has(flag)).sort();

/** Long flags of a command and of the verbs below it. */
const flagsOf = (command: Command): string[] => [...command.options.map((option) => option.long!), ...command.commands.flatMap((child) => flagsOf(child as Command))];

/** Flags in the first cells of a text's tables. */
const explained = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('| `--')).flatMap((line) => line.split(' | ')[0]!.match(/--[a-z-]+/g) ?? []);

for (const [guide, explanations] of Object.entries(EXPLAINED)) {
  const sections = readFileSync(join(root, guide), 'utf8').split(/^## /m);
  for (const [heading, commands] of Object.entries(explanations)) {
    test(`${guide}, section ${heading} explains the flags that there are`, () => {
      const section = sections.find((text) => text.startsWith(heading));
      assert.deepEqual(sorted(explained(section ?? '')), sorted((commands as Command[]).flatMap(flagsOf)));
    });
  }
}

/** Paths in code spans that begin with a folder of the project. */
const pathsIn = (text: string): string[] => [...text.matchAll(/`((?:src|docs|tests|bench|examples|scripts|tools)\/[\w./-]*)`/g)].map((match) => match[1]!);

/** A file or folder; decisions may be named by their number alone. */
function isThere(path: string): boolean {
  if (existsSync(join(root, path))) return true;
  return dirname(path) === 'docs/decisions' && readdirSync(join(root, 'docs/decisions')).some((name) => name.startsWith(`${basename(path)}-`));
}

const atRoot = readdirSync(root).filter((name) => name.endsWith('.md')).map((name) => [name, readFileSync(join(root, name), 'utf8')] as const);
// The log also names what is to come.
for (const [name, text] of [...atRoot, ...textFiles('docs', /\.md$/)].filter(([path]) => path !== 'docs/log.md')) {
  test(`${name} names paths that are there`, () => assert.deepEqual(pathsIn(text).filter((path) => !isThere(path)), []));
}

test('what is not there would be noticed', () => {
  assert.deepEqual(pathsIn('`src/none.ts`, `docs/decisions/0001`, `docs/decisions/9999` and `npm test`').filter((path) => !isThere(path)), ['src/none.ts', 'docs/decisions/9999']);
  assert.deepEqual(explained('| `--one`, `--two x\\|y` | not --three | |\n--four'), ['--one', '--two']);
});
