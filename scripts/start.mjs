/**
 * `npm start`: shows what Roslin does, with the base model and the records that the project brings (recipes/wordnet/demo.ts). Where a
 * base and data of one's own are at hand it runs the main job on them instead: a base is ROSLIN_BASE or a .gguf in
 * .roslin/models/, data is ROSLIN_DATA or a .jsonl in .roslin/data/, rows held out for the comparison are ROSLIN_HELDOUT or
 * .roslin/data/heldout.jsonl.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { bootstrapOrExit, root, runNode } from './bootstrap.mjs';

const env = await bootstrapOrExit();
const found = inputs(process.env);
process.exitCode = found.base && found.data ? mainJob(found) : runNode([join(root, 'recipes', 'wordnet', 'demo.ts')], { env });

function inputs({ ROSLIN_BASE, ROSLIN_DATA, ROSLIN_HELDOUT }) {
  const models = files('models', '.gguf');
  const data = files('data', '.jsonl');
  const isHeldOut = (path) => path.endsWith('heldout.jsonl');
  return { base: ROSLIN_BASE || models[0], data: ROSLIN_DATA || data.find((path) => !isHeldOut(path)), heldOut: ROSLIN_HELDOUT || data.find(isHeldOut) };
}

function files(folder, ending) {
  const path = join(root, '.roslin', folder);
  if (!existsSync(path)) return [];
  return readdirSync(path).filter((name) => name.endsWith(ending)).sort().map((name) => relative(root, join(path, name)));
}

function mainJob({ base, data, heldOut }) {
  const out = freeFolder();
  const evaluate = (model) => (heldOut ? [['evaluate', '--model', model, '--data', heldOut]] : []);
  const steps = [
    ...evaluate(base),
    ['train', '--base', base, '--data', data, '--method', 'lora', '--epochs', '1', '--out', out],
    ...evaluate(out),
    ['generate', '--model', out, '--instruction', 'Which is a species of fish? Tope or Rope'],
  ];
  for (const args of steps) {
    console.log(`\n$ ./roslin ${args.map((arg) => (/[^\w./:=@-]/.test(arg) ? JSON.stringify(arg) : arg)).join(' ')}`);
    const code = runNode([join(root, 'src', 'cli', 'main.ts'), ...args], { env });
    if (code !== 0) return code;
  }
  return 0;
}

function freeFolder() {
  for (let n = 1; ; n++) {
    const out = n === 1 ? 'runs/first' : `runs/first-${n}`;
    if (!existsSync(join(root, out))) return out;
  }
}
