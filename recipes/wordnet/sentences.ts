/** How WordNet's entries become sentences: articles, names of members, definitions as predicates. */
import type { Synset } from './read.ts';
import type { Member, Topic } from './topics.ts';

export const article = (word: string): string => (/^([aeio]|u(?!ni|s|k|til))/i.test(word) ? 'an' : 'a');

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `a, b and c` */
export const list = (words: readonly string[]): string => (words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`);

/** A word of a topic as a sentence names it: `a robin`, `gold`, `Mozart`. */
export const named = ({ word, topic }: Pick<Member, 'word' | 'topic'>): string => (topic.counted && (/^[a-z]/.test(word) || / [a-z]+$/.test(word)) && !/[^s]s$/.test(word) ? `${article(word)} ${word}` : word);

/** `a bird`, `a mineral`, `a vehicle` */
export const kind = (topic: Topic): string => `${article(topic.name)} ${topic.name}`;

/** `A robin is a small Old World songbird.` */
export const statement = (m: Member): string => `${capital(named(m))} is ${predicate(clauses(m.synset).first, m.topic.counted)}.`;

/** The first clause of a definition, and what follows it. Remarks in brackets at its beginning, as `(Greek mythology)`, are dropped. */
export function clauses({ definition }: Pick<Synset, 'definition'>): { first: string; rest: string } {
  const plain = definition.replace(/^\([^)]*\)\s*/, '');
  const at = plain.search(/[;:]/);
  return at < 0 ? { first: plain, rest: '' } : { first: plain.slice(0, at).trim(), rest: plain.slice(at + 1).trim() };
}

const DETERMINED = /^(an?|the|any|one|two|some|several|all|each|various|many|most|someone|something|[A-Z]\w*'s) /i;

/** A definition as what a thing is: with an article where it begins with none and the topic's members are counted. */
export function predicate(definition: string, counted: boolean): string {
  if (DETERMINED.test(definition) || !counted || /^\p{L}+s\b/u.test(definition)) return definition;
  return `${article(definition)} ${definition}`;
}

/** Lower-case words, and runs of two and three of them, without a plural's s. */
export function phrases(text: string): Set<string> {
  const words = text.toLowerCase().split(/[^\p{L}\p{N}'-]+/u).filter(Boolean);
  const found = new Set<string>();
  words.forEach((_, i) => {
    for (let n = 1; n <= 3 && i + n <= words.length; n++) {
      const phrase = words.slice(i, i + n).join(' ');
      found.add(phrase);
      found.add(phrase.replace(/'?s$/, ''));
    }
  });
  return found;
}

