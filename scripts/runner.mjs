/**
 * Runs the checks and the tests, prints them compactly and counts them. Needs Node 24 and installed packages: the scripts
 * that use it (test.mjs, check.mjs) see to both. Not a test framework: node:test does the work.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { run } from 'node:test';
import { bootstrapOrExit, nodeBinary, root, runNode } from './bootstrap.mjs';

const TEST_TIMEOUT_MS = 15 * 60_000;

/** Installs what is missing and goes on under Node 24: in this process if it is one, else in a child that takes its place. */
export async function underNode24(script, args) {
  const env = await bootstrapOrExit();
  if (nodeBinary() !== process.execPath) process.exit(runNode([script, ...args], { env }));
  Object.assign(process.env, env);
}

const CHECKS = {
  types: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'],
  'types of the pages': ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tests/web/tsconfig.json'],
  lint: ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings', '--format', 'unix'],
};

/** Runs checks by name; returns {passed, failed}. */
export function runChecks(names) {
  const counts = { passed: 0, failed: 0, skipped: [] };
  for (const name of names) {
    const begun = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, CHECKS[name], { cwd: root, encoding: 'utf8' });
    const ok = status === 0;
    if (!ok) console.log(`${stdout}${stderr}`.trimEnd());
    console.log(line(ok, name, begun));
    counts[ok ? 'passed' : 'failed']++;
  }
  return counts;
}

/** Test files under these paths (files or folders, relative to the root); all of them if none is given. */
export function testFiles(paths) {
  return (paths.length > 0 ? paths : ['tests']).flatMap((path) => {
    const full = resolve(root, path);
    if (!existsSync(full)) throw new Error(`there is no ${path}: give a test file or a folder of tests, e.g. tests/house`);
    if (statSync(full).isFile()) return [full];
    return readdirSync(full, { recursive: true }).filter((name) => name.endsWith('.test.ts')).map((name) => join(full, name)).sort();
  });
}

/** Runs test files, each in its own process, two at a time; returns {passed, failed, skipped: reasons}. */
export async function runTests(files) {
  if (files.length === 0) throw new Error('no test file (*.test.ts) was found there');
  // The pages' tests open what was built of these sources, not of older ones.
  if (files.some((file) => shortName(file).startsWith('tests/web/')) && spawnSync(process.execPath, [join(root, 'scripts', 'build-web.mjs')], { cwd: root, stdio: 'inherit' }).status !== 0) {
    throw new Error('the pages that tests/web opens were not built');
  }
  const results = new Map(files.map((file) => [file, { file, passed: 0, skipped: [], failures: [], output: '', ms: 0, printed: false }]));
  const stream = run({ files, concurrency: 2, isolation: 'process', timeout: TEST_TIMEOUT_MS });
  for await (const { type, data } of stream) {
    const result = results.get(data.file) ?? results.get(resolve(root, data.name ?? ''));
    if (!result) continue;
    if (type === 'test:stdout' || type === 'test:stderr') result.output += data.message;
    else if (type === 'test:pass' || type === 'test:fail') record(type, data, result);
    else if (type === 'test:diagnostic' && LATE_ERROR.test(data.message)) fail(result, 'an error after the end of its test', data.message);
    else if (type === 'test:summary') print({ ...result, ms: data.duration_ms }, result);
  }
  // A file whose process died has no summary.
  for (const result of results.values()) if (!result.printed) print(result, result);

  const all = [...results.values()];
  const sum = (pick) => all.reduce((total, result) => total + pick(result), 0);
  return { passed: sum(({ passed }) => passed), failed: sum(({ failures }) => failures.length), skipped: all.flatMap(({ skipped }) => skipped) };
}

/** What node:test says, as a mere remark, when something fails after the test that began it. */
const LATE_ERROR = /asynchronous activity after the test ended/;

function record(type, data, result) {
  if (data.details?.type === 'suite') return;
  const isFile = resolve(root, data.name) === result.file;
  result.ms = isFile ? data.details.duration_ms : result.ms;
  if (data.skip !== undefined || data.todo !== undefined) {
    const reason = data.skip ?? data.todo;
    result.skipped.push(`${shortName(result.file)}: ${data.name}${typeof reason === 'string' && reason !== '' ? ` (${reason})` : ''}`);
  } else if (type === 'test:fail') {
    fail(result, data.name, data.details.error, data.line);
  } else if (isFile) {
    fail(result, data.name, 'the file holds no test');
  } else {
    result.passed++;
  }
}

function fail(result, name, error, at) {
  result.failures.push({ name, where: at ? `${shortName(result.file)}:${at}` : shortName(result.file), error });
}

function print({ file, passed, skipped, failures, output, ms }, result) {
  result.printed = true;
  const ok = failures.length === 0;
  if (!ok && output !== '') console.log(indent(output.trimEnd()));
  for (const { name, where, error } of failures) console.log(`✗ ${name}\n  at ${where}\n${indent(describe(error))}`);
  const parts = [`${passed} passed`, ...(ok ? [] : [`${failures.length} failed`]), ...(skipped.length > 0 ? [`${skipped.length} skipped`] : [])];
  console.log(line(ok, `${shortName(file)}  ${parts.join(', ')}`, undefined, ms));
}

/** The error of a failed test without the wrapper that node:test puts around it. */
function describe(error) {
  const cause = error?.cause ?? error;
  return String(cause?.stack ?? cause);
}

const shortName = (file) => relative(root, resolve(root, file)).split(sep).join('/');
const indent = (text) => text.split('\n').map((part) => `    ${part}`).join('\n');

function line(ok, text, begun, ms = performance.now() - begun) {
  return `${ok ? '✓' : '✗'} ${text}  ${(ms / 1000).toFixed(1)} s`;
}

/** Prints what was skipped and why, then the closing line, and sets the exit code. The closing line must stay the last. */
export function close(...parts) {
  const sum = (pick) => parts.reduce((total, part) => total + pick(part), 0);
  const skipped = parts.flatMap((part) => part.skipped);
  const failed = sum((part) => part.failed);
  if (skipped.length > 0) console.log(`\nskipped:\n${skipped.map((reason) => `- ${reason}`).join('\n')}`);
  console.log(`\n${sum((part) => part.passed)} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
  process.exitCode = failed > 0 ? 1 : 0;
}
