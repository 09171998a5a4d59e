/** Budgets: lines of a file, outside packages, megabytes of an install. Raising one is a decision, not a fix. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageJson, packageLock, root, textFiles } from './support.ts';

const LINES = 600;
/** docs/decisions/0011 and 0012: four of them for datasets, two for checks; five more for the studio's server; 0023: one for single sign-on. */
const DEPENDENCIES = 17;
/** docs/decisions/0010: three clients of the server's API came to it; 0033: what the studio's pages are built of and tried with; 0021: a mail server; 0023: an issuer to sign in at. */
const DEV_DEPENDENCIES = 36;
/** docs/decisions/0008: llama.cpp's build for the processor came to it, 150 MB with what it depends on; 0033: 110 MB for the pages. */
const INSTALL_MB = 1050;

const GENERATED = ['src/engine/onnx/onnx_pb.js', 'src/engine/onnx/onnx_pb.d.ts'];

test(`no source file has more than ${LINES} lines`, () => {
  const long = ['src', 'tests', 'scripts']
    .flatMap((folder) => [...textFiles(folder, /\.(tsx?|js|mjs)$/)])
    .filter(([path, text]) => !GENERATED.includes(path) && text.split('\n').length > LINES);
  assert.deepEqual(long.map(([path, text]) => `${path}: ${text.split('\n').length} lines`), []);
});

test('few outside packages', () => {
  const count = (list: Record<string, string>) => Object.keys(list).length;
  assert.ok(count(packageJson.dependencies) <= DEPENDENCIES, `dependencies: ${Object.keys(packageJson.dependencies).join(', ')}`);
  assert.ok(count(packageJson.devDependencies) <= DEV_DEPENDENCIES, `devDependencies: ${Object.keys(packageJson.devDependencies).join(', ')}`);
});

test('dependencies of users are pinned to the version that was tested', () => {
  for (const [name, range] of Object.entries({ ...packageJson.dependencies, ...packageJson.peerDependencies })) {
    assert.match(range, /^\d+\.\d+\.\d+$/, `${name}: ${range}`);
    assert.equal(packageLock.packages[`node_modules/${name}`]?.version, range, name);
  }
});

test(`an install takes at most ${INSTALL_MB} MB, Node and development tools counted`, () => {
  const parts = ['node_modules', '.node/node_modules'].filter((folder) => existsSync(join(root, folder)));
  const sizes = parts.map((folder) => [folder, Math.round(diskUse(join(root, folder)) / 1e6)] as const);
  const total = sizes.reduce((sum, [, mb]) => sum + mb, 0);
  assert.ok(total <= INSTALL_MB, `${total} MB: ${sizes.map(([folder, mb]) => `${folder} ${mb}`).join(', ')}`);
});

/** Bytes on disk below a folder; a file with several links counts once. */
function diskUse(folder: string): number {
  const seen = new Set<number>();
  let total = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const { ino, blocks } = lstatSync(join(folder, name));
    if (seen.has(ino)) continue;
    seen.add(ino);
    total += blocks * 512;
  }
  return total;
}
