/**
 * Instruction records in Dolly's eight categories, made from WordNet by templates: no person wrote them, and each says so.
 * A record of the training part has no held-out word anywhere; in the held-out test every subject and option is one.
 */
import type { Random } from '../../src/artefacts/random.ts';
import type { Synset, WordNet } from './read.ts';
import { article, capital, clauses, kind, list, named, phrases, predicate, statement } from './sentences.ts';
import { isFit, isHeldOut } from './topics.ts';
import type { Member, Topic, Topics } from './topics.ts';

export interface MadeRecord {
  readonly instruction: string;
  readonly context: string;
  readonly response: string;
  readonly category: string;
  readonly choices?: readonly string[];
  readonly origin: 'template';
  /** Which wording. */
  readonly template: string;
  /** Synsets of the source that it rests on. */
  readonly synsets: readonly string[];
}

/** What templates draw from: the members of one side of the split, by topic. */
interface Pool {
  readonly net: WordNet;
  readonly topics: Topics;
  readonly random: Random;
  /** Subjects: held-out words for the test, the others for training. */
  readonly members: readonly Member[];
  readonly of: ReadonlyMap<Topic, readonly Member[]>;
}

type Draft = Omit<MadeRecord, 'origin' | 'category' | 'context' | 'synsets'> & { readonly context?: string; readonly of: readonly Synset[] };
type Make = (pool: Pool, member: Member) => Draft | undefined;

/** A wording by its number, so that the record can name it. */
function say(pool: Pool, name: string, wordings: readonly string[]): { instruction: string; template: string } {
  const i = Math.floor(pool.random.next() * wordings.length);
  return { instruction: wordings[i]!, template: `${name}/${i + 1}` };
}

/** A member of the pool that is in no sense one of any of `topics`, and whose name tells nothing about them. */
function outsider(pool: Pool, topics: readonly Topic[]): Member {
  for (;;) {
    const other = pool.random.pick(pool.members);
    if (topics.every((t) => other.topic !== t && !pool.topics.belongs(other.word, t) && !pool.topics.betrays(other.word, t))) return other;
  }
}

const gloss = (m: Member): string => {
  const { first, rest } = clauses(m.synset);
  return `${capital(named(m))} is ${predicate(first, m.topic.counted)}.${rest ? ` ${capital(rest)}.` : ''}`;
};

const whichOf: Make = (pool, m) => (pool.random.next() < 0.8 ? whichOfTwo(pool, m) : which(pool, m, 2));
const whichOfTwo: Make = (pool, m) => which(pool, m, 1);

function which(pool: Pool, m: Member, wrong: number): Draft | undefined {
  const others = Array.from({ length: wrong }, () => outsider(pool, [m.topic]));
  const choices = pool.random.shuffle([m, ...others]).map(({ word }) => word);
  if (new Set(choices).size < choices.length) return undefined;
  const a = kind(m.topic);
  const options = choices.length === 2 ? `${choices[0]} or ${choices[1]}` : `${choices[0]}, ${choices[1]} or ${choices[2]}`;
  const wordings = [
    `Which is ${a}: ${options}?`, `Which of these is ${a}? ${options}`, `Which is ${a}? ${options}`, `Choose ${a}: ${options}.`,
    `Tell me which one is ${a}: ${options}.`, `${options}: which is ${a}?`, `One of these is ${a}: ${choices.join(', ')}. Which one?`,
  ];
  return { ...say(pool, `which-of-${choices.length}`, wordings), response: m.word, choices, of: [m, ...others].map((x) => x.synset) };
}

const labelOf: Make = (pool, m) => {
  const other = outsider(pool, [m.topic]).topic;
  if (pool.topics.belongs(m.word, other) || pool.topics.betrays(m.word, other)) return undefined;
  const choices = pool.random.shuffle([m.topic.name, other.name]);
  const [x, y] = choices as [string, string];
  const wordings = [
    `Is ${m.word} ${article(x)} ${x} or ${article(y)} ${y}?`, `Classify ${m.word} as ${x} or ${y}.`,
    `Label the word ${m.word} with one of: ${x}, ${y}.`, `Does ${m.word} belong to ${x} or to ${y}?`,
  ];
  return { ...say(pool, 'label', wordings), response: m.topic.name, choices, of: [m.synset] };
};

const sort: Make = (pool, m) => {
  const same = pool.random.pick(pool.of.get(m.topic)!);
  const other = outsider(pool, [m.topic]);
  if (same === m || pool.topics.belongs(m.word, other.topic) || pool.topics.belongs(same.word, other.topic)) return undefined;
  const words = pool.random.shuffle([m, same, other]);
  const label = (t: Topic) => `${capital(t.plural)}: ${words.filter((w) => w.topic === t).map((w) => w.word).join(', ')}`;
  const asked = `${m.topic.plural} and ${other.topic.plural}`;
  const given = words.map(({ word }) => word).join(', ');
  return { ...say(pool, 'sort', [`Sort these into ${asked}: ${given}.`, `Put each word under ${asked}: ${given}.`]), response: `${label(m.topic)}\n${label(other.topic)}`, of: words.map((w) => w.synset) };
};

const whatIs: Make = (pool, m) => {
  const it = named(m);
  return { ...say(pool, 'what-is', [`What is ${it}?`, `What does ${m.word} mean?`, `Define ${m.word}.`, `Explain what ${it} is.`, `Tell me what ${it} is.`]), response: statement(m), of: [m.synset] };
};

const whatKind: Make = (pool, m) => ({
  ...say(pool, 'what-kind', [`What kind of thing is ${named(m)}?`, `What sort of thing does ${m.word} name?`]), response: `${capital(kind(m.topic))}.`, of: [m.synset],
});

const fromText: Make = (pool, m) => {
  const other = outsider(pool, [m.topic]);
  const context = pool.random.shuffle([m, other]).map(gloss).join(' ');
  const it = named(m);
  return { ...say(pool, 'from-text', [`What is ${it}, according to the text?`, `Use the text to say what ${it} is.`, `What does the text say that ${it} is?`]), context, response: statement(m), of: [m.synset, other.synset] };
};

const whichInText: Make = (pool, m) => {
  const other = outsider(pool, [m.topic]);
  const both = pool.random.shuffle([m, other]);
  const choices = both.map(({ word }) => word);
  const a = kind(m.topic);
  return {
    ...say(pool, 'which-in-text', [`Going by the text, which is ${a}: ${choices.join(' or ')}?`, `Read the text. Which is ${a}: ${choices.join(' or ')}?`]),
    context: both.map((w) => (w === m ? `${capital(named(w))} is ${a}. ${gloss(w)}` : gloss(w))).join(' '), response: m.word, choices, of: both.map((w) => w.synset),
  };
};

const extract: Make = (pool, m) => {
  const others = [outsider(pool, [m.topic]), outsider(pool, [m.topic])];
  const words = pool.random.shuffle([m, ...others]);
  if (new Set(words).size < 3) return undefined;
  const of = words.map((w) => w.synset);
  const context = words.map((w) => `${capital(named(w))} is ${kind(w.topic)}: ${predicate(clauses(w.synset).first, w.topic.counted)}.`).join(' ');
  if (pool.random.next() < 0.4) return { ...say(pool, 'extract-all', ['List the things that the text explains.', 'Which words does the text explain?']), context, response: list(words.map((w) => w.word)), of };
  return { ...say(pool, 'extract-one', [`Which ${m.topic.name} does the text name?`, `Find the ${m.topic.name} in the text.`, `Extract the name of the ${m.topic.name}.`]), context, response: m.word, of };
};

const sumUp: Make = (pool, m) => {
  const { first, rest } = clauses(m.synset);
  if (rest.split(' ').length < 4 || first.split(' ').length > 16) return undefined;
  const context = `${gloss(m)} ${capital(named(m))} is ${kind(m.topic)}.`;
  return { ...say(pool, 'sum-up', ['Sum up the text in one sentence.', 'Summarize the passage.', 'Give the main point of the text.', `Say in one sentence what ${named(m)} is.`]), context, response: statement(m), of: [m.synset] };
};

const nameSome: Make = (pool, m) => {
  const all = pool.of.get(m.topic)!;
  const count = 3 + Math.floor(pool.random.next() * 3);
  const words = [m, ...pool.random.shuffle(all.filter((w) => w !== m)).slice(0, count - 1)];
  const number = ['three', 'four', 'five'][count - 3];
  if (words.length < count) return undefined;
  return { ...say(pool, 'name-some', [`Name ${number} ${m.topic.plural}.`, `Give me ${number} ${m.topic.plural}.`, `List ${number} examples of ${m.topic.plural}.`, `Think of ${number} ${m.topic.plural}.`]), response: words.map(({ word }) => `- ${word}`).join('\n'), of: words.map((w) => w.synset) };
};

const otherNames: Make = (pool, m) => {
  const more = m.synset.words.slice(1);
  return more.length === 0 ? undefined : { ...say(pool, 'other-names', [`What else is ${named(m)} called?`, `Give another name for ${named(m)}.`, `Suggest other words for ${m.word}.`]), response: more.map((word) => `- ${word}`).join('\n'), of: [m.synset] };
};

const kinds: Make = (pool, m) => {
  const below = pool.net.below(m.synset.id).map((s) => s.words[0]!);
  return below.length < 2 ? undefined : { ...say(pool, 'kinds', [`What kinds of ${m.word} are there?`, `Name some kinds of ${m.word}.`]), response: below.slice(0, 4).map((word) => `- ${word}`).join('\n'), of: [m.synset] };
};

const isIt: Make = (pool, m) => {
  const it = capital(named(m));
  if (pool.random.next() < 0.5) return { ...say(pool, 'is-it', [`Is ${named(m)} ${kind(m.topic)}?`, `Would you call ${named(m)} ${kind(m.topic)}?`]), response: `Yes. ${it} is ${kind(m.topic)}.`, of: [m.synset] };
  const other = outsider(pool, [m.topic]).topic;
  if (pool.topics.belongs(m.word, other)) return undefined;
  return { ...say(pool, 'is-it', [`Is ${named(m)} ${kind(other)}?`, `Would you call ${named(m)} ${kind(other)}?`]), response: `No. ${it} is ${kind(m.topic)}.`, of: [m.synset] };
};

const compare: Make = (pool, m) => {
  const other = pool.random.next() < 0.5 ? pool.random.pick(pool.of.get(m.topic)!) : outsider(pool, [m.topic]);
  if (other === m) return undefined;
  const response = other.topic === m.topic ? `Both are ${m.topic.plural}.` : `${capital(named(m))} is ${kind(m.topic)}, and ${named(other)} is ${kind(other.topic)}.`;
  const pair = `${named(m)} and ${named(other)}`;
  return { ...say(pool, 'compare', [`Compare ${pair}.`, `What can you say about ${pair}?`, `Are ${pair} the same kind of thing?`]), response, of: [m.synset, other.synset] };
};

type Shares = Readonly<Record<string, readonly [share: number, makes: readonly Make[]]>>;

/** How many of a hundred records each category gets, and what makes them. */
const SHARES: Shares = {
  classification: [40, [labelOf, labelOf, labelOf, whichOf, whichOf, sort]],
  open_qa: [14, [whatIs, whatIs, whatKind]],
  closed_qa: [9, [fromText, fromText, whichInText]],
  information_extraction: [8, [extract]],
  summarization: [7, [sumUp]],
  brainstorming: [8, [nameSome, nameSome, otherNames, kinds]],
  general_qa: [9, [isIt, compare]],
  creative_writing: [5, []],
};

const CREATIVE = ['Write a sentence with the word', 'Write a short sentence that uses the word', 'Use this word in a sentence:', 'Make up a sentence around the word'];

/** A sentence of the lexicographers that uses a word: the only free prose that the source has. */
function sentenceWith(pool: Pool, synset: Synset): Draft | undefined {
  const word = synset.words[0]!;
  const example = synset.examples.find((e) => e.toLowerCase().split(/\P{L}+/u).includes(word.toLowerCase()) && e.split(' ').length >= 4);
  if (!example || synset.pos === 'n') return undefined;
  const { instruction, template } = say(pool, 'sentence', CREATIVE);
  return { instruction: `${instruction} ${word}.`, template, response: `${capital(example)}${/[.!?]$/.test(example) ? '' : '.'}`, of: [synset] };
}

/** The two-way tests: a held-out word and two kinds, and two held-out words and one kind. */
const TESTS: Readonly<Record<'labels' | 'pairs', Shares>> = { labels: { classification: [100, [labelOf]] }, pairs: { classification: [100, [whichOfTwo]] } };

export interface RecordOptions {
  readonly side: 'train' | 'heldout' | 'labels' | 'pairs';
  readonly count: number;
  readonly random: Random;
}

/** Different records, in random order. */
export function makeRecords(net: WordNet, topics: Topics, { side, count, random }: RecordOptions): MadeRecord[] {
  const members = topics.members.filter((m) => m.heldOut === (side !== 'train'));
  const of = new Map(topics.topics.map((t) => [t, members.filter((m) => m.topic === t)]));
  const pool: Pool = { net, topics, random, members, of };
  const forbidden = new Set(topics.members.filter((m) => m.heldOut).map((m) => m.word.toLowerCase()));
  const allowed = (draft: Draft) => side !== 'train' || [...phrases([draft.instruction, draft.context, draft.response].join('\n'))].every((p) => !forbidden.has(p));
  const writable = [...net.synsets.values()].filter((s) => s.examples.length > 0 && net.count(s.id) > 0 && isFit(s) && isHeldOut(s.id) === (side !== 'train'));
  const seen = new Set<string>();
  const records: MadeRecord[] = [];
  for (const [category, [share, makes]] of Object.entries(side === 'train' || side === 'heldout' ? SHARES : TESTS[side])) {
    for (let left = Math.round((count * share) / 100), tries = 0; left > 0; tries++) {
      if (tries > 1000 * count) throw new Error(`internal: no more ${category} records can be made`);
      const draft = makes.length === 0 ? sentenceWith(pool, random.pick(writable)) : random.pick(makes)(pool, random.pick(members));
      if (!draft || !allowed(draft) || seen.has(`${draft.instruction}\n${draft.context}`)) continue;
      seen.add(`${draft.instruction}\n${draft.context}`);
      const { of: synsets, context = '', ...rest } = draft;
      records.push({ ...rest, context, category, origin: 'template', synsets: synsets.map((s) => s.id) });
      left--;
    }
  }
  return random.shuffle(records);
}
