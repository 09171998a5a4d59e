/** `npm run proof:demo`: the demo of `npm start` on its whole test, trained twice from one seed, against its bars. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BASE, BOX, ROOT, TRAIN, verb } from '../recipes/wordnet/box.ts';
import { make } from '../recipes/wordnet/build.ts';
import { measure, spelling } from '../recipes/wordnet/measure.ts';
import { machine } from './measure.ts';

const SIZES = { labels: 1000, pairs: 1000, records: 400 };
const BARS = { exact: 0.8, above_spelling: 0.05, stops: 0.98, loss_fall: 0.3 };

make(join(ROOT, BOX));
mkdirSync(join(ROOT, '.roslin'), { recursive: true });
const folder = mkdtempSync(join(ROOT, '.roslin/proof-demo-'));
const path = (name: string) => relative(ROOT, join(folder, name));
const train = (name: string) => verb<{ seconds: number }>(['train', '--base', BASE, '--data', `${BOX}/train.jsonl`, ...TRAIN, '--out', path(name)]);
const hash = (name: string, file: string) => createHash('sha256').update(readFileSync(join(folder, name, file))).digest('hex');
try {
  const before = await measure(BASE, SIZES);
  const { seconds } = await train('a');
  await train('b');
  const after = await measure(path('a'), SIZES);
  const letters = spelling(SIZES.labels);
  const same = ['model.safetensors', 'metrics.jsonl'].every((file) => hash('a', file) === hash('b', file));
  const reached = {
    exact: after.exact >= BARS.exact, above_spelling: after.exact - letters.labels >= BARS.above_spelling, stops: after.stops >= BARS.stops,
    loss_fall: 1 - after.loss / before.loss >= BARS.loss_fall, same_twice: same,
  };
  const { answers: _b, labelled: _lb, ...figuresBefore } = before;
  const { answers: _a, labelled: _la, ...figuresAfter } = after;
  const report = { ...machine(), date: new Date().toISOString(), ...SIZES, train_seconds: seconds, before: figuresBefore, after: figuresAfter, spelling: letters, bars: BARS, reached };
  mkdirSync('bench/results', { recursive: true });
  writeFileSync('bench/results/demo.json', `${JSON.stringify(report, null, 2)}\n`);
  console.log(JSON.stringify(report, null, 2));
  process.exitCode = Object.values(reached).every(Boolean) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
