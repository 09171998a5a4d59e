/**
 * `npm run build:web`: the studio's pages, from src/web to dist/web, where the server looks for them; dist/web/licences.md lists
 * what is bundled, with its terms. Speaks on standard error only, as build.mjs does.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrapOrExit, root, runNode } from './bootstrap.mjs';

const env = await bootstrapOrExit();
const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
const config = join(root, 'src', 'web', 'vite.config.ts');
const status = runNode([vite, 'build', '--config', config, '--logLevel', 'warn'], { env, stdio: ['ignore', process.stderr, process.stderr] });
if (status !== 0) {
  process.stderr.write('roslin: the pages were not built: see the messages above\n');
  process.exit(1);
}
// The list is of JavaScript alone; the letters come from a package too.
const terms = readFileSync(join(root, 'node_modules', '@fontsource-variable', 'onest', 'LICENSE'), 'utf8');
appendFileSync(join(root, 'dist', 'web', 'licences.md'), `\n## @fontsource-variable/onest (OFL-1.1)\n\n${terms}`);
