/** Where the box's things are, and how its verbs are run: as a person would run them, in processes of their own. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
export const BASE = 'recipes/wordnet/base';
export const BOX = '.roslin/box';

const PRETRAIN = ['--batch-tokens', '4096', '--micro-tokens', '4096', '--licence', 'WordNet-3.0'];

/** What the base is pre-trained with, on what a word is and then on pages: the sizes were tried (docs/log.md). */
export const PRETRAININGS = [
  ['pretrain', '--text', `${BOX}/text.jsonl`, '--vocab-size', '4096', '--hidden', '256', '--layers', '6', '--heads', '4', '--context', '256', '--epochs', '2', '--lr', '2e-3', ...PRETRAIN, '--out', '.roslin/base-first'],
  ['pretrain', '--base', '.roslin/base-first', '--text', `${BOX}/pages.jsonl`, '--epochs', '3', '--lr', '1e-3', ...PRETRAIN, '--out', '.roslin/base-pages'],
];

/** What the demo trains with: full, since the model is small; the rate and the length were tried (docs/log.md). */
export const TRAIN = ['--method', 'full', '--template', 'dolly', '--lr', '1e-3', '--epochs', '1', '--batch-tokens', '1024', '--test-size', '60', '--licence', 'WordNet-3.0', '--dtype', 'bf16'];

/** A command as a person would type it. */
export const shown = (args: readonly string[]): string => `./roslin ${args.map((a) => (/[^\w./:=@-]/.test(a) ? JSON.stringify(a) : a)).join(' ')}`;

/** Runs a verb; its progress goes to the terminal, its JSON object comes back. @throws Error where it fails */
export async function verb<T = Record<string, unknown>>(args: readonly string[], quiet = false): Promise<T> {
  const child = spawn(process.execPath, [join(ROOT, 'src/cli/main.ts'), ...args, '--json'], { cwd: ROOT, stdio: ['ignore', 'pipe', quiet ? 'ignore' : 'inherit'] });
  let text = '';
  for await (const piece of child.stdout!.setEncoding('utf8')) text += String(piece);
  const code = await new Promise<number | null>((resolve) => (child.exitCode === null ? child.once('close', resolve) : resolve(child.exitCode)));
  if (code !== 0) throw new Error(`${shown(args)} ended with ${code}`);
  return JSON.parse(text) as T;
}

/** Runs a verb in the terminal as it is. Gives its exit code. */
export function attended(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [join(ROOT, 'src/cli/main.ts'), ...args], { cwd: ROOT, stdio: 'inherit' });
  // Ctrl-C belongs to the verb: it goes to both, and this process waits for the verb's end.
  const wait = () => {};
  process.on('SIGINT', wait);
  return new Promise((resolve) => child.once('close', (code) => {
    process.off('SIGINT', wait);
    resolve(code ?? 1);
  }));
}
