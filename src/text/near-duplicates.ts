/**
 * Records that are nearly the same, part by part: questions (with what was said before), passages, answers. A passage outweighs the question
 * below it, so the two are compared apart: records with the same question and different passages have nothing in common, those with one
 * passage and different questions share the passage. Similarity is that of similar.ts: changed letters, words and order of
 * sentences are found, paraphrases are not.
 */
import { DisjointSets } from './disjoint.ts';
import { normalise } from './normalise.ts';
import { findSimilar, SHORT, type SimilarOptions } from './similar.ts';

/** What is compared of a record. */
export interface ComparedTexts {
  readonly instruction: string;
  readonly context: string;
  readonly response: string;
  readonly turns?: readonly { readonly text: string }[] | undefined;
}

/** Normalised texts of records, and a group number for each; -1 where a record has none that counts. */
export interface Compared {
  readonly texts: { readonly question: readonly string[]; readonly passage: readonly string[]; readonly answer: readonly string[] };
  readonly groups: { readonly question: Int32Array; readonly passage: Int32Array; readonly answer: Int32Array };
}

/** Answers below this length, such as "Yes.", are shared by records that have nothing else in common. */
const TELLING_ANSWER = SHORT;

/** Is given records one at a time, keeps their normalised texts, and compares them at the end. */
export class RecordComparison {
  readonly #texts = { question: [] as string[], passage: [] as string[], answer: [] as string[] };

  add({ instruction, context, response, turns = [] }: ComparedTexts): void {
    this.#texts.question.push(normalise([...turns.map(({ text }) => text), instruction].join('\n')));
    this.#texts.passage.push(normalise(context));
    this.#texts.answer.push(normalise(response));
  }

  /** Throws InputError for more than two million records. */
  compare(options: SimilarOptions = {}): Compared {
    const numbers = (list: readonly string[], counts: (text: string) => boolean) => {
      const compared = list.map((text) => (counts(text) ? text : ''));
      return findSimilar(compared, options).groups.numbers().map((group, i) => (compared[i] === '' ? -1 : group));
    };
    const { question, passage, answer } = this.#texts;
    return { texts: this.#texts, groups: { question: numbers(question, () => true), passage: numbers(passage, () => true), answer: numbers(answer, (text) => text.length >= TELLING_ANSWER) } };
  }
}

/** All at once. */
export function compareRecords(records: Iterable<ComparedTexts>, options: SimilarOptions = {}): Compared {
  const comparison = new RecordComparison();
  for (const record of records) comparison.add(record);
  return comparison.compare(options);
}

/**
 * A number for each record, from 0 in the order of first members, the same for those that must not be on two sides of a split: nearly the same
 * passage, nearly the same answer of 60 characters or more, or, where there is no passage, nearly the same question. Records linked
 * through others are in one group. The result depends on the records, their order (only the numbers do) and the options, nothing else.
 */
export function nearDuplicateGroups(records: Iterable<ComparedTexts>, options: SimilarOptions = {}): Int32Array {
  const { groups } = compareRecords(records, options);
  const count = groups.question.length;
  const sets = new DisjointSets(count);
  const owners = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const keys = [groups.passage[i]! >= 0 ? `p${groups.passage[i]!}` : `q${groups.question[i]!}`, ...(groups.answer[i]! >= 0 ? [`a${groups.answer[i]!}`] : [])];
    for (const key of keys) {
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, i);
      else sets.join(owner, i);
    }
  }
  return sets.numbers();
}

/** For `splitDataset`: what is nearly the same stays on one side. */
export const nearText = { name: 'near-text/1', groups: (records: readonly ComparedTexts[]): Int32Array => nearDuplicateGroups(records) };
