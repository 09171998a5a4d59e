/** A text said in other words, by WordNet: for near-duplicates that the check does not look for (bench/duplicates.ts). */
import { join } from 'node:path';
import { openWordNet, PACKAGE } from '../recipes/wordnet/read.ts';
import type { Random } from '../src/artefacts/random.ts';

const wordnet = openWordNet(join(PACKAGE, 'dict'));

/** Other words for the commonest meaning of a word, in its first part of speech that has any. */
function synonyms(word: string): readonly string[] {
  for (const pos of ['n', 'v', 'a', 'r'] as const) {
    const others = wordnet.senses(word, pos)[0]?.words.filter((other) => other.toLowerCase() !== word) ?? [];
    if (others.length > 0) return others;
  }
  return [];
}

/** Every word of four letters or more that has a synonym is exchanged for one; where a comma parts a sentence in two, its halves change places. */
export function paraphrase(text: string, random: Random): string {
  const said = text.replace(/[a-z]{4,}/gu, (word) => {
    const others = synonyms(word);
    return others[Math.floor(random.next() * others.length)] ?? word;
  });
  return said.replace(/([^.!?,]+), ([^.!?,]+)(?=[.!?]|$)/gu, '$2, $1');
}

/** Words of `text` that {@link paraphrase} can exchange. */
export const exchangeable = (text: string): number => text.match(/[a-z]{4,}/gu)?.filter((word) => synonyms(word).length > 0).length ?? 0;
