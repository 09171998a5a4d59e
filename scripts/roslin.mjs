/** The command of a clone: installs what is missing, builds the pages that `up` shows where they are older than their sources, then hands over to src/cli/main.ts under Node 24. Started by ../roslin. */
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { constants } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrapOrExit, compileCache, nodeBinary, root, runNode } from './bootstrap.mjs';

const env = await bootstrapOrExit();
const main = join(root, 'src', 'cli', 'main.ts');
if (process.argv[2] === 'up' && !process.argv.includes('--doctor') && !pagesAreBuilt() && runNode([join(root, 'scripts', 'build-web.mjs')], { env }) !== 0) process.exit(1);

if (nodeBinary() === process.execPath) {
  Object.assign(process.env, env);
  process.argv[1] = main;
  nodeModule.enableCompileCache?.(compileCache);
  await import(pathToFileURL(main).href);
} else {
  const child = spawn(nodeBinary(), [main, ...process.argv.slice(2)], { env, stdio: 'inherit' });
  // Ctrl-C reaches the child from the terminal by itself; a signal sent to this process alone is passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 1);
  });
}

function pagesAreBuilt() {
  const built = statSync(join(root, 'dist', 'web', 'index.html'), { throwIfNoEntry: false });
  const sources = join(root, 'src', 'web');
  return built !== undefined && readdirSync(sources, { recursive: true }).every((name) => statSync(join(sources, name)).mtimeMs <= built.mtimeMs);
}
