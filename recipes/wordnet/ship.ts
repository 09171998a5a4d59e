/**
 * `node recipes/wordnet/ship.ts --run FOLDER`: what of a finished pre-training run is committed as the box's base: weights, tokenizer, configs, `run.json`,
 * the source's licence, a card, and the loss as a picture.
 */
import { copyFileSync, readFileSync, rmSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BASE, PRETRAININGS, ROOT, shown } from './box.ts';
import { PACKAGE } from './read.ts';

const FILES = ['model.safetensors', 'config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json', 'run.json'];

interface Update {
  readonly step: number;
  readonly loss?: number;
}

/** Loss over updates, smoothed over fifty of them. */
function curve(updates: readonly Update[], heldOut: number): string {
  const losses = updates.flatMap(({ step, loss }) => (loss === undefined ? [] : [{ step, loss }]));
  const smooth: { step: number; loss: number }[] = [];
  for (let i = 0; i < losses.length; i += 10) {
    const near = losses.slice(Math.max(0, i - 25), i + 25);
    smooth.push({ step: losses[i]!.step, loss: near.reduce((sum, { loss }) => sum + loss, 0) / near.length });
  }
  const last = losses.at(-1)!.step;
  const [width, height, left, bottom] = [720, 320, 48, 36];
  const x = (step: number) => (left + (step / last) * (width - left - 16)).toFixed(1);
  const low = Math.floor(Math.min(heldOut, ...smooth.map((p) => p.loss)));
  const high = Math.ceil(Math.max(...smooth.map((p) => p.loss)));
  const y = (loss: number) => (height - bottom - ((loss - low) / (high - low)) * (height - bottom - 24)).toFixed(1);
  const line = (at: number) => `<line x1="${left}" x2="${width - 16}" y1="${y(at)}" y2="${y(at)}" stroke="#d0d7de"/><text x="${left - 8}" y="${Number(y(at)) + 4}" text-anchor="end">${at}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12" fill="#57606a">
<rect width="100%" height="100%" fill="#ffffff"/>
${Array.from({ length: high - low + 1 }, (_, i) => line(low + i)).join('\n')}
<polyline fill="none" stroke="#0969da" stroke-width="2" points="${smooth.map((p) => `${x(p.step)},${y(p.loss)}`).join(' ')}"/>
<circle cx="${x(last)}" cy="${y(heldOut)}" r="4" fill="#cf222e"/><text x="${Number(x(last)) - 8}" y="${Number(y(heldOut)) - 10}" text-anchor="end" fill="#cf222e">held out: ${heldOut.toFixed(3)}</text>
<text x="${width / 2}" y="${height - 10}" text-anchor="middle">updates (${last})</text><text x="${left + 8}" y="14">nats a token</text>
</svg>
`;
}

const { values: { run: folder } } = parseArgs({ options: { run: { type: 'string' } } });
if (folder === undefined) throw new Error('--run FOLDER is missing: what roslin pretrain wrote');
const out = join(ROOT, BASE);
const { result } = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as { result: { held_out: { after: number } } };
const card = readFileSync(join(folder, 'README.md'), 'utf8').replace('; `metrics.jsonl` has every update', '');
const updates = readFileSync(join(folder, 'metrics.jsonl'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Update);
// The run is whole: what stood there before may go.
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
for (const file of FILES) copyFileSync(join(folder, file), join(out, file));
copyFileSync(join(PACKAGE, 'LICENSE'), join(out, 'LICENSE'));
writeFileSync(join(out, 'loss.svg'), curve(updates, result.held_out.after));
writeFileSync(join(out, 'README.md'), `${card}
![Loss](loss.svg)

## What it is for

It is the base in Roslin's box: \`npm start\` tunes it on instructions, and shows both before and after. It has read WordNet's entries, statements made from them about
some 5,500 words (\`recipes/wordnet/text.ts\`), and pages in which such words are named and found again (\`pages.ts\`). No instruction and no question was among them.

## What it cannot do

It knows the words of a dictionary, in the dictionary's sentences. It does not follow instructions, it cannot count, reason or hold a conversation, and what it says about
the world is often wrong. Tuned by the demo it answers 92 of 100 choices between two kinds for a word, but of two rare words and one kind it takes the right one in 56 of 100, and its
definitions of words that no record had are mostly wrong in detail (\`bench/results/demo.json\`). WordNet's entries are of their time, and so is what they say of people. Take it for nothing but trying things out.

## Made again

\`\`\`sh
node recipes/wordnet/build.ts
${PRETRAININGS.map(shown).join('\n')}
node recipes/wordnet/ship.ts --run ${PRETRAININGS.at(-1)!.at(-1)!}
\`\`\`

The same machine, threads and versions (\`run.json\`) give the same bytes.

## Licence

\`LICENSE\` is WordNet's: its notice goes with every copy.
`);
