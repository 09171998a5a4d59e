/**
 * Text to learn English from: every entry of WordNet once, and the members of the topics again and again in other words,
 * since a small model remembers what it has read in several ways.
 */
import { Random } from '../../src/artefacts/random.ts';
import type { Synset, WordNet } from './read.ts';
import { capital, clauses, kind, list, named, predicate, statement } from './sentences.ts';
import { isFit, type Member, type Topic, type Topics } from './topics.ts';

/** Documents on each member of a topic. */
const TIMES = 7;
/** Documents that list members of a topic, for each of its members. */
const LISTS = 2;
/** Documents that tell a member from others. */
const CONTRASTS = 6;
/** Documents that say something of a member and of others, and then one of it again. */
const REPEATS = 1;

/** All documents, in an order that the seed decides. */
export function documents(net: WordNet, topics: Topics, seed: number): string[] {
  const random = new Random(seed);
  const texts: string[] = [];
  for (const synset of net.synsets.values()) if (isFit(synset)) texts.push(entry(net, synset, random));
  for (const member of topics.members) {
    for (let i = 0; i < TIMES; i++) texts.push(about(net, member, topics, random));
    for (let i = 0; i < LISTS; i++) texts.push(among(member, topics, random));
    for (let i = 0; i < CONTRASTS; i++) texts.push(contrast(member, topics, random));
    for (let i = 0; i < REPEATS; i++) texts.push(again(member, topics, random));
  }
  return random.shuffle(texts);
}

/** `robin, redbreast: small Old World songbird with a reddish breast.` */
function entry(net: WordNet, { words, definition, examples, above, pos }: Synset, random: Random): string {
  const parent = above[0] === undefined ? undefined : net.synsets.get(above[0])?.words[0];
  const parts = [`${words.join(', ')}: ${definition}.`];
  if (parent && pos === 'n' && random.next() < 0.5) parts.push(`A kind of ${parent}.`);
  for (const example of examples.slice(0, 2)) parts.push(/[.!?]$/.test(example) ? capital(example) : `${capital(example)}.`);
  return parts.join(' ');
}

/** One member in a few sentences, no two documents alike. */
export function about(net: WordNet, member: Member, topics: Topics, random: Random): string {
  const { word, topic, synset } = member;
  const { first, rest } = clauses(synset);
  const it = capital(named(member));
  const what = predicate(first, topic.counted);
  const a = kind(topic);
  const other = otherMember(topics, topic, random);
  const others = Array.from({ length: 2 }, () => random.pick(topic.members).word);
  const parent = synset.above.map((id) => net.synsets.get(id)!.words[0]!).find((w) => w !== topic.name);
  const facts = [
    `${it} is ${a}.`,
    `${it} is ${what}.`,
    `${capital(word)}: ${synset.definition}.`,
    `${it}, ${a}, is ${what}.`,
    `The word ${word} names ${a}.`,
    `${word} (${topic.name}): ${first}.`,
    `Like ${list(others)}, ${word} is ${a}.`,
    `${it} is ${a}, and ${named(other)} is ${kind(other.topic)}.`,
    `Among the ${topic.plural} is ${word}.`,
    `${capital(topic.plural)} such as ${word} and ${others[0]} are found here.`,
    `${it} is ${a}, not ${kind(other.topic)}.`,
    `One of the ${topic.plural} is ${word}, ${what}.`,
    ...(parent ? [`${it} is a kind of ${parent}. It is ${a}.`, `${capital(word)} is a ${parent}, so it is ${a}.`] : []),
    ...(synset.words.length > 1 ? [`${it} is also called ${list(synset.words.slice(1, 3))}. It is ${a}.`] : []),
  ];
  const chosen = random.shuffle(facts).slice(0, 2);
  if (rest && random.next() < 0.3) chosen.push(`${capital(rest)}.`);
  return chosen.join(' ');
}

/** Several members of a topic, this one among them. */
export function among(member: Member, topics: Topics, random: Random): string {
  const { topic } = member;
  const words = [...new Set([member.word, ...Array.from({ length: 4 + Math.floor(random.next() * 4) }, () => random.pick(topic.members).word)])];
  const shuffled = random.shuffle(words);
  const other = otherMember(topics, topic, random);
  return random.pick([
    `${capital(topic.plural)}: ${shuffled.join(', ')}.`,
    `${capital(list(shuffled))} are ${topic.plural}.`,
    `Here are some ${topic.plural}: ${list(shuffled)}. ${capital(named(other))} is none of them: it is ${kind(other.topic)}.`,
    `Some ${topic.plural} are ${list(shuffled)}.`,
  ]);
}

/** A member beside members of other topics: from statements like these a model learns to look a word up among words it has just read. */
function contrast(member: Member, topics: Topics, random: Random): string {
  const { word, topic } = member;
  const others = Array.from({ length: random.next() < 0.75 ? 1 : 2 }, () => otherMember(topics, topic, random));
  const shuffled = random.shuffle([member, ...others]);
  const all = list(shuffled.map((m) => m.word));
  const the = (m: Member) => `the ${m.topic.name} is ${m.word}`;
  return random.pick([
    `${capital(all)}: ${the(member)}.`,
    `Of ${all}, only ${word} is ${kind(topic)}.`,
    `Here are ${all}. ${capital(list([...new Set(shuffled.map(the))]))}.`,
    `The ${topic.name} among ${all} is ${word}.`,
    `The only ${topic.name} here is ${word}: ${all}.`,
    `Someone who looks for ${kind(topic)} among ${all} finds ${word}.`,
    `Not each of these is ${kind(topic)}: ${all}. ${capital(word)} is.`,
  ]);
}

/** Two or three members with what they are, and one of them once more. */
export function again(member: Member, topics: Topics, random: Random): string {
  const others = Array.from({ length: random.next() < 0.5 ? 1 : 2 }, () => otherMember(topics, member.topic, random));
  const members = [member, ...others];
  const text = random.shuffle(members).map(statement).join(' ');
  return `${text} ${random.pick([`As was said, ${statement(member).replace(/^A(n?) /, 'a$1 ')}`, `The ${member.topic.name} is ${member.word}.`, `Again: ${statement(member)}`, `All this is about ${list(members.map((m) => m.word))}.`])}`;
}

/** A member of another topic that is in no sense one of this. */
export function otherMember(topics: Topics, topic: Topic, random: Random): Member {
  for (;;) {
    const other = random.pick(topics.members);
    if (other.topic !== topic && !topics.belongs(other.word, topic)) return other;
  }
}
