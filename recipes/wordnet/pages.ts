/**
 * Pages for the second part of pre-training: passages about several words each, one after the other up to some two hundred tokens. From the first part's short
 * texts a model learns what a word is; from these it learns to look words up that it has read lines before, and to say them again on a line of their own.
 */
import { Random } from '../../src/artefacts/random.ts';
import type { WordNet } from './read.ts';
import { capital, kind, list, named } from './sentences.ts';
import { about, again, among, otherMember } from './text.ts';
import type { Member, Topics } from './topics.ts';

/** Passages of each sort about each member. */
const LOOKUPS = 6;
const CHOICES = 8;

export function pages(net: WordNet, topics: Topics, seed: number): string[] {
  const random = new Random(seed);
  const passages = topics.members.flatMap((member) => [
    ...Array.from({ length: LOOKUPS }, () => lookup(member, topics, random)),
    ...Array.from({ length: CHOICES }, () => choice(member, topics, random)),
    about(net, member, topics, random),
    random.next() < 0.5 ? again(member, topics, random) : among(member, topics, random),
  ]);
  const shuffled = random.shuffle(passages);
  const texts: string[] = [];
  for (let from = 0, to = 0; from < shuffled.length; from = to) {
    to += 2 + Math.floor(random.next() * 4);
    texts.push(shuffled.slice(from, to).join('\n'));
  }
  return texts;
}

/** Words of different kinds, and then each found again by its kind. */
function lookup(member: Member, topics: Topics, random: Random): string {
  const members = [member];
  for (const most = 2 + Math.floor(random.next() * 3); members.length < most;) {
    const other = otherMember(topics, member.topic, random);
    if (members.every((m) => m.topic !== other.topic && !topics.belongs(other.word, m.topic) && !topics.belongs(m.word, other.topic))) members.push(other);
  }
  const words = random.shuffle(members).map(({ word }) => word);
  const all = random.pick([list(words), words.join(', '), `${words.slice(0, -1).join(', ')} or ${words.at(-1)!}`]);
  const head = random.pick([`Here are ${all}.`, `${capital(all)}.`, `Take ${all}.`, `Words: ${all}.`, words.join('\n')]);
  const found = random.shuffle(members).map(({ word, topic, synset }) => random.pick([
    `The ${topic.name} is ${word}.`, `The ${topic.name} among them is ${word}.`, `Only ${word} is ${kind(topic)}.`, `Someone who looks for ${kind(topic)} finds ${word}.`,
    `${capital(named({ word, topic }))} is ${kind(topic)}.`, `${capital(topic.plural)}: ${word}.`, `${capital(kind(topic))}:\n${word}`, `The ${topic.name} among them:\n${word}`,
    `${capital(topic.name)}:\n${word}`, `${capital(topic.plural)}:\n- ${word}`, `The word for ${kind(topic)}:\n${word}`, synset.words[0] === word ? `By its name ${kind(topic)}:\n${word}` : `${capital(word)}, ${kind(topic)}.`,
  ]));
  return [head, ...found].join('\n');
}

/** A word and two kinds, and which of them it is. */
function choice(member: Member, topics: Topics, random: Random): string {
  const { word, topic } = member;
  let other = topic;
  while (other === topic || topics.belongs(word, other)) other = otherMember(topics, topic, random).topic;
  const [x, y] = random.next() < 0.5 ? [topic, other] : [other, topic];
  return random.pick([
    `Between ${x.name} and ${y.name}, ${word} is ${kind(topic)}.`, `Of ${x.plural} and ${y.plural}, ${word} is with the ${topic.plural}.`, `${capital(word)}, ${x.name} or ${y.name}:\n${topic.name}`,
    `Whether ${word} is ${kind(x)} or ${kind(y)}: it is ${kind(topic)}.`, `${capital(named(member))} is ${kind(topic)} and not ${kind(other)}.`, `Put under ${x.name} or ${y.name}, ${word} goes to\n${topic.name}`,
    `There are two boxes, ${x.name} and ${y.name}. The word ${word} goes into the box\n${topic.name}`,
  ]);
}
