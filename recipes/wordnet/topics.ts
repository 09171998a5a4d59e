/** The kinds of things that the small model is asked about, and which words belong to each. */
import { createHash } from 'node:crypto';
import type { Synset, WordNet } from './read.ts';
import { phrases } from './sentences.ts';

/** A kind of things. */
interface TopicSpec {
  /** Where its synset has another name. It is the first sense among nouns. */
  readonly root?: string;
  readonly plural: string;
  /** Whether its members are counted: `a robin`, but `gold`. */
  readonly counted: boolean;
}

const TOPICS: Readonly<Record<string, TopicSpec>> = {
  bird: { plural: 'birds', counted: true },
  fish: { plural: 'fishes', counted: true },
  insect: { plural: 'insects', counted: true },
  mammal: { plural: 'mammals', counted: true },
  snake: { plural: 'snakes', counted: true },
  tree: { plural: 'trees', counted: true },
  fungus: { plural: 'fungi', counted: true },
  vegetable: { plural: 'vegetables', counted: true },
  beverage: { plural: 'beverages', counted: false },
  garment: { plural: 'garments', counted: true },
  vehicle: { plural: 'vehicles', counted: true },
  weapon: { plural: 'weapons', counted: true },
  'musical instrument': { plural: 'musical instruments', counted: true },
  tool: { plural: 'tools', counted: true },
  building: { plural: 'buildings', counted: true },
  fabric: { plural: 'fabrics', counted: false },
  disease: { plural: 'diseases', counted: false },
  drug: { plural: 'drugs', counted: false },
  mineral: { plural: 'minerals', counted: false },
  language: { root: 'natural language', plural: 'languages', counted: false },
  game: { plural: 'games', counted: false },
  city: { plural: 'cities', counted: false },
  river: { plural: 'rivers', counted: false },
  composer: { plural: 'composers', counted: true },
  writer: { plural: 'writers', counted: true },
  scientist: { plural: 'scientists', counted: true },
};

/** A word with the topic that its commonest sense belongs to. */
export interface Member {
  readonly word: string;
  readonly topic: Topic;
  readonly synset: Synset;
  /** Never in an instruction record, other than those of the held-out test. */
  readonly heldOut: boolean;
}

export interface Topic {
  readonly name: string;
  readonly plural: string;
  readonly counted: boolean;
  readonly members: Member[];
}

/** One word in so many is held out. */
const HELD_OUT_ONE_IN = 6;
/** A word that more definitions use than this is not held out: too little could be said without it. */
const MOST_USES = 12;
const MOST_MEMBERS = 260;

const digest = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE(0);

/** One in so many by its name alone: the same in every build. */
export const isHeldOut = (name: string): boolean => digest(`held out ${name.toLowerCase()}`) % HELD_OUT_ONE_IN === 0;

/** Everything below a synset. */
function descendants(net: WordNet, root: string): Set<string> {
  const seen = new Set<string>();
  const queue = [root];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const kind of net.below(id)) {
      if (seen.has(kind.id)) continue;
      seen.add(kind.id);
      queue.push(kind.id);
    }
  }
  return seen;
}

/** Names of a topic betray the answer, as in `rain tree`, `songbird` or `Aristotelian logic`. */
function betrays(word: string, names: readonly string[]): boolean {
  const lower = word.toLowerCase();
  return names.some((name) => lower.includes(name.toLowerCase()));
}

/** Whether people may be shown it: lexicographers mark what insults. */
export const isFit = ({ definition }: Synset): boolean => !/\b(slurs?|offensive|obscene|disparaging|vulgar|derogatory|pejorative|insulting|sex|sexual|prostitutes?|genitals?|penis|vagina)\b/i.test(definition);

/** How many definitions have each phrase of up to three words. */
function usesOfPhrases(net: WordNet): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { definition } of net.synsets.values()) for (const phrase of phrases(definition)) uses.set(phrase, (uses.get(phrase) ?? 0) + 1);
  return uses;
}

export interface Topics {
  readonly topics: readonly Topic[];
  readonly members: readonly Member[];
  /** Whether a word belongs to a topic in any of its senses. */
  belongs(word: string, topic: Topic): boolean;
  /** Whether a word has a name of the topic in it. */
  betrays(word: string, topic: Topic): boolean;
}

/** Members are words of one to three parts whose commonest sense lies below the topic, chosen by hash where there are more than enough. */
export function openTopics(net: WordNet): Topics {
  const below = new Map<string, Set<string>>();
  const names = new Map<string, readonly string[]>();
  const taken = new Set<string>();
  const uses = usesOfPhrases(net);
  const topics = Object.entries(TOPICS).map(([name, { root: rootName = name, plural, counted }]): Topic => {
    const root = net.senses(rootName, 'n')[0]!;
    below.set(name, descendants(net, root.id));
    names.set(name, [...root.words, name, plural, ...(name.includes(' ') ? name.split(' ') : [])]);
    const topic: Topic = { name, plural, counted, members: [] };
    const words = new Map<string, Synset>();
    for (const id of below.get(name)!) {
      // A wine is a beverage before it is a drug: what the first topic takes, later ones do not get.
      if (taken.has(id)) continue;
      taken.add(id);
      const synset = net.synsets.get(id)!;
      // Each synset is spoken for by its first word.
      const word = synset.words[0]!;
      if (!/^[\p{L}' -]{3,24}$/u.test(word) || /(idae|inae)$/.test(word) || word.split(' ').length > 3 || betrays(word, names.get(name)!) || words.has(word) || !isFit(synset)) continue;
      if (net.senses(word, 'n')[0] === synset) words.set(word, synset);
    }
    const chosen = [...words].sort(([a], [b]) => digest(a) - digest(b) || (a < b ? -1 : 1)).slice(0, MOST_MEMBERS).sort(([a], [b]) => (a < b ? -1 : 1));
    topic.members.push(...chosen.map(([word, synset]) => ({ word, topic, synset, heldOut: isHeldOut(word) && (uses.get(word.toLowerCase()) ?? 0) <= MOST_USES })));
    return topic;
  });
  return {
    topics, members: topics.flatMap((t) => t.members),
    betrays: (word, topic) => betrays(word, names.get(topic.name)!),
    belongs: (word, topic) => net.senses(word, 'n').some(({ id }) => below.get(topic.name)!.has(id)),
  };
}

