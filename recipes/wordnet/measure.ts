/** The same tests of a model before and after: held-out words and two kinds, two held-out words and a kind, and held-out records of every category. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/artefacts/random.ts';
import { BOX, ROOT, verb } from './box.ts';
import { openWordNet, PACKAGE } from './read.ts';
import { trainSpelling } from './spelling.ts';
import { openTopics } from './topics.ts';

interface Answer {
  /** Of the record, from 1. */
  readonly line: number;
  readonly instruction: string;
  readonly answer: string;
  readonly category: string;
}

/** An answer beside its record. */
interface Example extends Answer {
  readonly context: string;
  readonly response: string;
}

interface Evaluation {
  readonly loss: number;
  readonly stop_rate: number;
  readonly loops: number;
  readonly exact_rate: number;
  readonly choice_accuracy?: number;
  readonly answers: readonly Answer[];
  readonly answers_by_category: Readonly<Record<string, { readonly exact_rate: number; readonly overlap: number }>>;
}

/** Shares from 0 to 1, and nats. */
export interface Measures {
  /** A word and two kinds: the right kind has the higher probability. */
  readonly likelier: number;
  /** A word and two kinds: the greedy answer is the right kind. */
  readonly exact: number;
  /** Two words and a kind: the same two shares, for the right word. */
  readonly pair_likelier: number;
  readonly pair_exact: number;
  /** Words that the answers to open questions share with WordNet's definitions (F1). */
  readonly overlap: number;
  /** Greedy answers, to all three, that end by themselves. */
  readonly stops: number;
  /** A response token. */
  readonly loss: number;
  /** To the records, and to a word and two kinds. */
  readonly answers: readonly Example[];
  readonly labelled: readonly Example[];
}

export interface Sizes {
  readonly labels: number;
  readonly pairs: number;
  readonly records: number;
}

const NEW_TOKENS = '64';

const readLines = <T>(file: string): T[] => readFileSync(join(ROOT, BOX, file), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as T);

function beside(file: string, answers: readonly Answer[]): Example[] {
  const records = readLines<{ context: string; response: string }>(`${file}.jsonl`);
  return answers.map((answer) => ({ ...answer, context: records[answer.line - 1]!.context, response: records[answer.line - 1]!.response }));
}

export async function measure(model: string, { labels, pairs, records }: Sizes, quiet = false): Promise<Measures> {
  const evaluate = (file: string, count: number) => verb<Evaluation>(
    ['evaluate', '--model', model, '--data', `${BOX}/${file}.jsonl`, '--template', 'dolly', '--limit', String(count), '--stop-rate', String(count), '--max-new-tokens', NEW_TOKENS], quiet);
  const [labelled, chosen, answered] = [await evaluate('labels', labels), await evaluate('pairs', pairs), await evaluate('heldout', records)];
  return {
    likelier: labelled.choice_accuracy!, exact: labelled.exact_rate, pair_likelier: chosen.choice_accuracy!, pair_exact: chosen.exact_rate,
    overlap: answered.answers_by_category['open_qa']?.overlap ?? 0,
    stops: (labelled.stop_rate * labels + chosen.stop_rate * pairs + answered.stop_rate * records) / (labels + pairs + records), loss: answered.loss,
    answers: beside('heldout', answered.answers), labelled: beside('labels', labelled.answers),
  };
}

interface Choice {
  readonly response: string;
  readonly choices: readonly string[];
  readonly synsets: readonly string[];
}


/** What letters alone achieve on the same tests, learnt from the words of the same instruction records. */
export function spelling(count: number): { readonly labels: number; readonly pairs: number } {
  const { members } = openTopics(openWordNet(join(PACKAGE, 'dict')));
  const bySynset = new Map(members.map((m) => [m.synset.id, m]));
  const used = new Set(readLines<Choice>('train.jsonl').flatMap((r) => r.synsets));
  const score = trainSpelling([...used].flatMap((id) => bySynset.get(id) ?? []).map(({ word, topic }) => ({ word, topic: topic.name })), new Random(5));
  const share = (file: string, isRight: (choice: Choice, wrong: string) => boolean) =>
    readLines<Choice>(file).slice(0, count).filter((c) => isRight(c, c.choices.find((other) => other !== c.response)!)).length / count;
  return {
    labels: share('labels.jsonl', ({ response, synsets }, wrong) => {
      const { word } = bySynset.get(synsets[0]!)!;
      return score(word, response) > score(word, wrong);
    }),
    pairs: share('pairs.jsonl', ({ response, synsets }, wrong) => {
      const { topic } = synsets.map((id) => bySynset.get(id)!).find(({ word }) => word === response)!;
      return score(response, topic.name) > score(wrong, topic.name);
    }),
  };
}
