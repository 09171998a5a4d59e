/**
 * The published package: packed here, installed in an empty folder with nothing but the npm registry, and used there. In a
 * copy of the project, so that a failure cannot leave a build behind.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { ORT_INTEGRITY, ORT_VERSION } from '../../src/engine/runtime/version.ts';
import { packageJson, packageLock, root } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'roslin-package-'));
const user = join(folder, 'user');
const env = {
  ...process.env,
  PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
  ROSLIN_CACHE: join(folder, 'cache'),
  npm_config_loglevel: 'error',
  npm_config_fetch_retries: '0',
};
// What our own npm set for this run must not help the user's.
for (const name of Object.keys(env)) if (/^(npm_(lifecycle|package)|ONNXRUNTIME_NODE|npm_config_onnxruntime|INIT_CWD)/i.test(name)) delete (env as NodeJS.ProcessEnv)[name];

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}
let packed: Packed;

before(() => {
  const copy = join(folder, 'project');
  mkdirSync(copy);
  mkdirSync(user);
  for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts', 'src', ...packageJson.files]) {
    if (name !== 'dist' && existsSync(join(root, name))) cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir');
  const { stdout } = run('npm', ['pack', '--json', '--pack-destination', folder], copy);
  packed = (JSON.parse(stdout) as Packed[])[0] as Packed;
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('the package holds what users need and nothing else', () => {
  const paths = packed.files.map(({ path }) => path);
  assert.deepEqual(paths.filter((path) => !/^(package\.json|README\.md|LICENSE|CHANGELOG\.md|schemas\/record\.schema\.json|dist\/.*\.(js|d\.ts)|dist\/web\/([\w-]+\.(html|svg|json|md)|assets\/[\w-]+\.(css|woff2)))$/.test(path)), []);
  assert.deepEqual(paths.filter((path) => /(^|\/)tests?\/|\.test\./.test(path)), []);
  for (const needed of ['LICENSE', 'schemas/record.schema.json', 'dist/cli/main.js', 'dist/engine/index.js', 'dist/engine/index.d.ts', 'dist/web/index.html', 'dist/web/licences.md', 'dist/engine/onnx/onnx_pb.js', 'dist/engine/onnx/onnx_pb.d.ts']) {
    assert.ok(paths.includes(needed), `${needed} is missing`);
  }
  assert.ok(packed.size < 2e6, `${packed.size} bytes`);
});

test('what is built imports built files', () => {
  const dist = join(folder, 'project', 'dist');
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    // In declarations the compiler takes "./x.ts" for x.d.ts, so it leaves them; the next but one test compiles against them.
    if (name.endsWith('.js')) assert.doesNotMatch(readFileSync(join(dist, name), 'utf8'), /(from|import\()\s*['"]\.[^'"]*\.ts['"]/, name);
  }
});

test('ONNX Runtime is pinned to what the lock file holds', () => {
  assert.equal(packageJson.peerDependencies['onnxruntime-node'], ORT_VERSION);
  for (const [name, integrity] of Object.entries(ORT_INTEGRITY)) {
    assert.equal(packageLock.packages[`node_modules/${name}`]?.integrity, integrity, name);
  }
});

test('an install in an empty folder works, and so does what was installed', { timeout: 300_000 }, (t) => {
  const reachable = spawnSync('npm', ['view', `commander@${packageJson.dependencies['commander']}`, 'version'], { cwd: user, env, encoding: 'utf8', timeout: 20_000 });
  if (reachable.status !== 0) return t.skip('needs the npm registry');

  run('npm', ['install', '--no-audit', '--no-fund', join(folder, packed.filename)]);
  const installed = JSON.parse(readFileSync(join(user, 'node_modules', '.package-lock.json'), 'utf8')) as typeof packageLock;
  // npm 10 and 11 run such scripts, npm 12 does not: with none, they all do the same.
  assert.deepEqual(Object.entries(installed.packages).filter(([, entry]) => entry.hasInstallScript).map(([path]) => path), []);

  assert.match(run('npx', ['--no-install', 'roslin', '--help']).stdout, /Usage: roslin/);
  assert.equal(doctor([]).computing?.status, 'limited');
  assert.equal(doctor(['--install']).computing?.status, 'ok');
  const script = `const engine = await import('roslin/engine'); console.log(Object.keys(engine).length > 0);`;
  assert.equal(run(process.execPath, ['--input-type=module', '-e', script]).stdout, 'true\n');

  writeFileSync(join(user, 'use.ts'), `import * as engine from 'roslin/engine';\nexport const names: string[] = Object.keys(engine);\n`);
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')];
  run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), ...options, 'use.ts']);
});

function doctor(options: readonly string[]): Record<string, { status: string }> {
  const { checks } = JSON.parse(run('npx', ['--no-install', 'roslin', 'doctor', '--json', ...options]).stdout) as { checks: { name: string; status: string }[] };
  return Object.fromEntries(checks.map((check) => [check.name, check]));
}

function run(command: string, args: readonly string[], cwd = user): { stdout: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return { stdout };
}
