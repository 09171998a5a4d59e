/**
 * `npm run proof:duplicates -- [--data FILE...] [--python PYTHON] [--no-peer]`: how many planted near-duplicates are found, by kind of change and
 * length; and the time for all texts of the same records beside Python's datasketch, with the same shingles, permutations, bands and
 * confirmation. Time is that of the processor, so that others on the machine do not count. Needs a Python with tools/peer/duplicates.txt.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../src/artefacts/random.ts';
import { readRecords } from '../src/artefacts/record.ts';
import { bandsFor } from '../src/text/minhash.ts';
import { normalise } from '../src/text/normalise.ts';
import { findSimilar, SHORT, SIMILAR_DEFAULTS } from '../src/text/similar.ts';
import { sameSlots } from '../src/text/slots.ts';
import { machine, median } from './measure.ts';
import { exchangeable, paraphrase } from './paraphrase.ts';

const { values } = parseArgs({ options: { data: { type: 'string', multiple: true }, python: { type: 'string', default: process.env['ROSLIN_PYTHON'] ?? 'python3' }, peer: { type: 'boolean', default: true }, planted: { type: 'string', default: '300' } }, allowNegative: true });
const FILE = 'bench/results/duplicates.json';
const folder = '../shared/data/dolly';
const files = values.data ?? (existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jsonl')).map((name) => join(folder, name)) : []);
if (files.length === 0) throw new Error('No records: give files with --data.');
const records = files.sort().flatMap((file) => readRecords(file));

const LETTERS = 'abcdefghijklmnopqrstuvwxyz ';

/** So many changes at random places: a letter exchanged, put in, or taken out. */
function editCharacters(text: string, share: number, random: Random): string {
  const units = Array.from(text);
  const places = new Set<number>();
  const wanted = Math.round(share * units.length);
  while (places.size < wanted) places.add(Math.floor(random.next() * units.length));
  return units.map((unit, i) => {
    if (!places.has(i)) return unit;
    const letter = LETTERS[Math.floor(random.next() * LETTERS.length)]!;
    return [letter === unit ? '' : letter, '', unit + letter][Math.floor(random.next() * 3)]!;
  }).join('');
}

/** Words exchanged for words of other texts. */
function exchangeWords(text: string, share: number, random: Random): string {
  const words = text.split(' ');
  const places = new Set<number>();
  const wanted = Math.round(share * words.length);
  while (places.size < wanted) places.add(Math.floor(random.next() * words.length));
  return words.map((word, i) => (places.has(i) ? VOCABULARY[Math.floor(random.next() * VOCABULARY.length)]! : word)).join(' ');
}

function reorderSentences(text: string, random: Random): string {
  const sentences = text.split(/(?<=[.!?]) /u);
  const order = sentences.map((sentence) => ({ sentence, key: random.next() })).sort((a, b) => a.key - b.key).map(({ sentence }) => sentence);
  return order.join(' ');
}

const VOCABULARY = records.slice(0, 500).flatMap(({ response }) => normalise(response).split(' ')).filter((word) => word.length > 2);

interface Change {
  readonly name: string;
  readonly fits: (text: string) => boolean;
  readonly make: (text: string, random: Random) => string;
}
const characters = (share: number): Change => ({ name: `characters ${100 * share} %`, fits: (text) => Math.round(share * text.length) >= 1, make: (text, random) => editCharacters(text, share, random) });
const words = (share: number): Change => ({ name: `words ${100 * share} %`, fits: (text) => Math.round(share * text.split(' ').length) >= 1, make: (text, random) => exchangeWords(text, share, random) });
const CHANGES: readonly Change[] = [
  ...[0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3].map(characters), ...[0.05, 0.1].map(words), { name: 'paraphrased', fits: (text) => exchangeable(text) >= 2, make: paraphrase },
  { name: 'sentences reordered', fits: (text) => text.split(/(?<=[.!?]) /u).length >= 3, make: reorderSentences },
];
const CLASSES = [['below 60 characters', 0, 60], ['60 to 300', 60, 300], ['above 300', 300, Infinity]] as const;

const PARTS = ['instruction', 'context', 'response'] as const;
const textsOf = (part: (typeof PARTS)[number]): string[] => [...new Set(records.map((record) => normalise(record[part])))].filter((text) => text !== '');

function recall(): Record<string, unknown>[] {
  const rows: Record<string, unknown>[] = [];
  const random = new Random(17);
  for (const part of PARTS) {
    const texts = textsOf(part);
    const order = texts.map((_, i) => ({ i, key: random.next() })).sort((a, b) => a.key - b.key).map(({ i }) => i);
    // Each original has one copy, so that no copy is found through another.
    let next = 0;
    const planted = CHANGES.flatMap((change) => {
      const own: { change: string; original: number; copy: string }[] = [];
      for (; next < order.length && own.length < Number(values.planted); next++) {
        const text = texts[order[next]!]!;
        if (change.fits(text)) own.push({ change: change.name, original: order[next]!, copy: normalise(change.make(text, random)) });
      }
      return own;
    });
    for (const [rule, accept] of [['alike', undefined], ['alike, no word exchanged', sameSlots]] as const) {
      const { groups } = findSimilar([...texts, ...planted.map(({ copy }) => copy)], accept ? { accept } : {});
      for (const change of CHANGES) {
        for (const [name, from, to] of CLASSES) {
          const own = planted.map((plant, i) => ({ ...plant, found: groups.find(texts.length + i) === groups.find(plant.original) })).filter((plant) => plant.change === change.name && texts[plant.original]!.length >= from && texts[plant.original]!.length < to);
          if (own.length > 0) rows.push({ part, rule, change: change.name, length: name, planted: own.length, found: own.filter(({ found }) => found).length });
        }
      }
    }
  }
  return rows;
}

function ours(texts: readonly string[]): { seconds: number; cpu_seconds: number; links: number } {
  const [began, before] = [performance.now(), process.cpuUsage()];
  const { links } = findSimilar(texts);
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - began) / 1e3, cpu_seconds: (user + system) / 1e6, links: links.length };
}

const before = !values.peer && existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, unknown>)['speed'] : undefined;
const report: Record<string, unknown> = { ...machine(), date: new Date().toISOString(), records: records.length, threshold: SIMILAR_DEFAULTS.threshold, permutations: SIMILAR_DEFAULTS.permutations, ...bandsFor(SIMILAR_DEFAULTS.permutations, SIMILAR_DEFAULTS.threshold, SIMILAR_DEFAULTS.recall) };
if (values.peer) {
  // Long texts alone: for short ones the two would do different things.
  const texts = PARTS.flatMap(textsOf).filter((text) => text.length >= SHORT / SIMILAR_DEFAULTS.threshold);
  const place = mkdtempSync(join(tmpdir(), 'roslin-duplicates-'));
  try {
    writeFileSync(join(place, 'texts.json'), JSON.stringify({ texts, threshold: SIMILAR_DEFAULTS.threshold, permutations: report['permutations'], bands: report['bands'], rows: report['rows'] }));
    const rounds: { ours: ReturnType<typeof ours>; peers: Record<string, { cpu_seconds: number; seconds: number; links: number }> }[] = [];
    for (let round = 0; round < 3; round++) {
      const own = ours(texts);
      const { status, stdout, stderr } = spawnSync(values.python, ['tools/peer/duplicates.py', join(place, 'texts.json')], { encoding: 'utf8', maxBuffer: 2 ** 26 });
      if (status !== 0) throw new Error(`The peer failed: ${stderr}`);
      rounds.push({ ours: own, peers: JSON.parse(stdout.trim().split('\n').at(-1)!) as never });
      console.error(JSON.stringify(rounds.at(-1)));
    }
    const middle = (of: (round: (typeof rounds)[number]) => number) => median(rounds.map(of));
    const names = Object.keys(rounds[0]!.peers).filter((name) => name !== 'versions');
    const own = middle((round) => round.ours.cpu_seconds);
    report['speed'] = {
      texts: texts.length, characters: texts.reduce((sum, text) => sum + text.length, 0), cpu_seconds: own, seconds: middle((round) => round.ours.seconds), links: rounds[0]!.ours.links,
      peers: Object.fromEntries(names.map((name) => {
        const cpu = middle((round) => round.peers[name]!.cpu_seconds);
        return [name, { cpu_seconds: cpu, seconds: middle((round) => round.peers[name]!.seconds), links: rounds[0]!.peers[name]!.links, times_ours: cpu / own }];
      })),
      versions: rounds[0]!.peers['versions'],
    };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
if (before !== undefined) report['speed'] = before;
report['recall'] = recall();

writeFileSync(FILE, `${JSON.stringify(report, null, 1)}\n`);
console.log(readFileSync(FILE, 'utf8'));
