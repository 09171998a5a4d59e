/** `npm run proof:<name>`: a long measurement from bench/, under the Node that the product runs on. */
import { join } from 'node:path';
import { bootstrapOrExit, root, runNode } from './bootstrap.mjs';

const env = await bootstrapOrExit();
const [name, ...args] = process.argv.slice(2);
process.exitCode = runNode([join(root, 'bench', `${name}.ts`), ...args], { env });
