/**
 * `npm run build` and `npm pack`: TypeScript from src/ to dist/ with declarations. Types are not stripped under
 * node_modules, so the published package is built. Generated .js files with their .d.ts are copied as they are.
 * Speaks on standard error only: `npm pack --json` owns standard output.
 */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bootstrapOrExit, root, runNode } from './bootstrap.mjs';

const env = await bootstrapOrExit();
const src = join(root, 'src');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const status = runNode([tsc, '-p', join(root, 'tsconfig.build.json')], { env, stdio: ['ignore', process.stderr, process.stderr] });
if (status !== 0) {
  process.stderr.write('roslin: the build failed: see the messages above\n');
  process.exit(1);
}

for (const name of readdirSync(src, { recursive: true })) {
  if (!/\.(js|d\.ts)$/.test(name) || /^web[\\/]/.test(name)) continue;
  mkdirSync(dirname(join(dist, name)), { recursive: true });
  copyFileSync(join(src, name), join(dist, name));
}
if (runNode([join(root, 'scripts', 'build-web.mjs')], { env, stdio: ['ignore', process.stderr, process.stderr] }) !== 0) process.exit(1);
chmodSync(join(dist, 'cli', 'main.js'), 0o755);
