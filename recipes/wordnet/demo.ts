/**
 * What `npm start` shows: a small base model that cannot follow instructions becomes one that can, on this machine, with the same
 * test before and after. Every step is a verb that anyone can run; what an earlier start made is used again.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../../src/formats/atomic.ts';
import { count, duration, painter, print, sanitise, table } from '../../src/cli/terminal.ts';
import { attended, BASE, BOX, ROOT, shown, TRAIN, verb } from './box.ts';
import { make } from './build.ts';
import { measure, spelling, type Measures } from './measure.ts';

const TUNED = `${BOX}/tuned`;
const REPORT = join(ROOT, BOX, 'report.json');
const SIZES = { labels: 200, pairs: 100, records: 100 };

interface Report {
  /** What the figures rest on: the base, the records, the options. */
  readonly key: string;
  readonly before: Measures;
  readonly after: Measures;
  readonly spelling: ReturnType<typeof spelling>;
  readonly seconds: number;
}

const paint = painter(process.stdout);
const began = performance.now();
const step = (title: string) => print(`\n${paint('bold', title)}`);

/** One string for all that decides the result. */
function keyOf(): string {
  const hash = (path: string) => readFileSync(join(ROOT, path), 'utf8');
  return JSON.stringify([hash('recipes/wordnet/hashes.json'), hash(`${BASE}/run.json`), TRAIN, SIZES]);
}

function earlier(key: string): Report | undefined {
  if (!existsSync(REPORT) || !existsSync(join(ROOT, TUNED, 'run.json'))) return undefined;
  const report = JSON.parse(readFileSync(REPORT, 'utf8')) as Report;
  return report.key === key ? report : undefined;
}

async function fresh(key: string): Promise<Report> {
  rmSync(join(ROOT, TUNED), { recursive: true, force: true });
  step('3  Before: the base, asked what it has never been asked');
  const before = await measure(BASE, SIZES);
  const given = ['--base', BASE, '--data', `${BOX}/train.jsonl`, ...TRAIN, '--out', TUNED];
  step('4  What the training will take');
  print(paint('dim', shown(['plan', ...given])));
  const plan = await verb<{ tokens: number; steps: number; seconds: number; memory: number }>(['plan', ...given], true);
  print(`${count(plan.tokens)} tokens in ${plan.steps} updates, about ${duration(plan.seconds)}, ${(plan.memory / 1e6).toFixed(0)} MB of memory`);
  step('5  Training: every weight, on this machine\'s processor');
  print(paint('dim', shown(['train', ...given])));
  await verb(['train', ...given]);
  step('6  After: the same questions again');
  const after = await measure(TUNED, SIZES);
  const report = { key, before, after, spelling: spelling(1000), seconds: (performance.now() - began) / 1000 };
  writeFileAtomic(REPORT, `${JSON.stringify(report, null, 1)}\n`);
  return report;
}

const percent = (x: number) => `${(100 * x).toFixed(0)} %`;

function compare({ before, after, spelling: letters }: Report): void {
  const row = (name: string, value: (m: Measures) => string, other = '') => [name, value(before), value(after), other];
  print(table([{ title: 'on words that no record had' }, { title: 'before', align: 'right' }, { title: 'after', align: 'right' }, { title: 'by spelling', align: 'right' }], [
    row('a word, two kinds: the right one is likelier', (m) => percent(m.likelier), percent(letters.labels)),
    row('a word, two kinds: it answers the right one', (m) => percent(m.exact), percent(letters.labels)),
    row('two words, one kind: it answers the right word', (m) => percent(m.pair_exact), percent(letters.pairs)),
    row('answers that end by themselves', (m) => percent(m.stops)),
    row('words shared with the true definition', (m) => percent(m.overlap)),
    row('loss a token of the true answer', (m) => m.loss.toFixed(2)),
  ], paint));
  print(paint('dim', `${SIZES.labels + SIZES.pairs} choices and ${SIZES.records} records; "by spelling" is a classifier that sees letters alone`));
}

/** One line, so that a base that never ends does not fill the screen. */
const short = (text: string): string => {
  const line = sanitise(text).replace(/\s+/g, ' ').trim();
  return line === '' ? '(nothing)' : line.length > 100 ? `${line.slice(0, 99)}…` : line;
};

/** The first of each kind, right or wrong. */
function examples({ before, after }: Report): void {
  const kinds = [...after.labelled.slice(0, 2), ...['open_qa', 'information_extraction'].flatMap((category) => after.answers.find((a) => a.category === category) ?? [])];
  const all = [...before.labelled, ...before.answers];
  for (const { instruction, context, answer, response } of kinds) {
    const earlier = all.find((a) => a.instruction === instruction && a.context === context)!;
    print(`\n${paint('bold', `> ${sanitise(instruction)}`)}${context ? `\n  ${short(context)}` : ''}
  before  ${paint('dim', short(earlier.answer))}
  after   ${short(answer)} ${answer.trim() === response.trim() ? paint('green', '✓') : ''}
  right   ${paint('dim', short(response))}`);
  }
}

print(`${paint('bold', 'Roslin')}: a base model that cannot follow instructions becomes one that can, here and offline.`);
step('1  The records');
make(join(ROOT, BOX));
const records = readFileSync(join(ROOT, BOX, 'train.jsonl'), 'utf8').trimEnd().split('\n').length;
print(`${count(records)} records in eight categories, made from WordNet 3.1 by templates (recipes/wordnet);
each names its source. Checked against the committed hash.
Licence verdict: ${paint('green', 'clear')} (WordNet 3.0 license: keep its notice).`);
step('2  The base');
print(`${BASE}: a GPT-NeoX that has read WordNet's entries and nothing else,
made with roslin pretrain. It has never seen an instruction.`);
const key = keyOf();
const known = earlier(key);
if (known) print(`\nAn earlier start trained on exactly this (${TUNED}); its result is used again. Delete ${TUNED} to see it happen.`);
const report = known ?? await fresh(key);
step(`${known ? 3 : 7}  Before and after`);
compare(report);
examples(report);
print(`
${paint('bold', 'What it cannot do')}: it knows the words of a dictionary and the questions of its templates, and little
else. Of two rare words it often takes the wrong one, and its definitions of words that no record had are
mostly wrong in detail. It cannot count, reason or hold a conversation.
For real work, take a base that has read more:
  ./roslin train --base EleutherAI/pythia-160m --data YOUR.jsonl --method lora --out runs/first   # docs/training.md`);
if (process.stdin.isTTY && process.stdout.isTTY) {
  step(`Now ask it yourself, e.g. "${report.after.labelled[0]!.instruction}" or "What is a harpsichord?"`);
  process.exitCode = await attended(['chat', '--model', TUNED, '--temperature', '0']);
} else {
  print(`\nTry it:\n  ${shown(['chat', '--model', TUNED])}\n  ${shown(['generate', '--model', TUNED, '--instruction', report.after.labelled[0]!.instruction])}`);
}
