/**
 * Records that are nearly the same, part by part: questions (with what was said before), passages, answers. A passage outweighs the question
 * below it, so the two are compared apart: records with the same question and different passages have nothing in common, those with one
 * passage and different questions share the passage. Similarity is that of similar.ts: changed letters, words and order of
 * sentences are found, paraphrases are not.
 */
import { DisjointSets } from './disjoint.ts';
import { normalise } from './normalise.ts';
import { findSimilar, SHORT, similarity, SIMILAR_DEFAULTS, type SimilarOptions } from './similar.ts';
import { sameSlots } from './slots.ts';

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

/** For a split: what a check would call duplicates stays on one side. */
export const nearText = { name: 'near-text/1', groups: (records: readonly ComparedTexts[]): Int32Array => nearDuplicateGroups(records, { accept: sameSlots }) };

export type ComparedKind = keyof Compared['groups'];

/** Earlier members of a group that one is held against. */
export const HELD_AGAINST = 16;

/** Which of some members is most like `i`, looking at the first of them, and how much. */
export function closest({ texts }: Pick<Compared, 'texts'>, kind: ComparedKind, i: number, others: readonly number[]): { readonly other: number; readonly score: number } {
  let best = { other: others[0]!, score: -1 };
  for (const other of others.slice(0, HELD_AGAINST)) {
    const score = similarity(texts[kind][i]!, texts[kind][other]!);
    if (score > best.score) best = { other, score };
  }
  return best;
}

/** What is asked is a question and the passage below it. */
export const groupKey = ({ groups }: Pick<Compared, 'groups'>, kind: ComparedKind, i: number): string => (kind === 'question' ? `${groups.question[i]!} ${groups.passage[i]!}` : String(groups[kind][i]!));

/** A held-out record of which something is nearly that of a record that is trained on. */
export interface Overlap {
  readonly kind: ComparedKind;
  readonly heldOut: number;
  readonly trained: number;
  readonly score: number;
}

/** Of each held-out record the first of question, answer and passage that a trained one has too. */
export function* overlaps(compared: Compared, trained: readonly number[], heldOut: readonly number[], threshold: number = SIMILAR_DEFAULTS.threshold): Generator<Overlap, void, void> {
  const known = (kind: ComparedKind) => Map.groupBy(trained.filter((i) => compared.groups[kind][i]! >= 0), (i) => groupKey(compared, kind, i));
  const groups = { question: known('question'), answer: known('answer'), passage: known('passage') };
  for (const i of heldOut) {
    for (const kind of ['question', 'answer', 'passage'] as const) {
      const others = compared.groups[kind][i]! < 0 ? [] : groups[kind].get(groupKey(compared, kind, i)) ?? [];
      if (others.length === 0) continue;
      const { other, score } = closest(compared, kind, i, others);
      if (score < threshold) continue;
      yield { kind, heldOut: i, trained: other, score };
      break;
    }
  }
}
