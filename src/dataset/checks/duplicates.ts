/** Records that are nearly the same as others: within a dataset, between its splits, and with evaluation sets. */
import type { SplitName } from '../../artefacts/dataset.ts';
import type { DatasetRecord } from '../../artefacts/record-schema.ts';
import { ContainedTexts } from '../../text/contained.ts';
import { RecordComparison, type Compared } from '../../text/near-duplicates.ts';
import { similarity } from '../../text/similar.ts';
import { sameSlots } from '../../text/slots.ts';
import type { CheckOptions, Found, Place } from './check.ts';

/** A record's place in what is checked, or a text's in an evaluation set. */
export interface Member {
  readonly file: string;
  readonly line: number;
  readonly split: SplitName | 'evaluation';
}

export interface EvaluationText extends Member {
  readonly text: string;
}

export interface PairFound extends Found {
  readonly check: 'duplicates' | 'leaks';
  /** Index of the record. */
  readonly index: number;
  readonly other: Member;
}

export const PAIR_CHECKS = [{ name: 'duplicates', version: '1', title: 'Duplicates' }, { name: 'leaks', version: '1', title: 'Leaks' }] as const;

type Kind = keyof Compared['groups'];

const PART: Readonly<Record<Kind, 'instruction' | 'context' | 'response'>> = { question: 'instruction', passage: 'context', answer: 'response' };

/** Earlier members of a group that one is held against. */
const HELD_AGAINST = 16;

/** Is given records one at a time and keeps their normalised texts alone. */
export class Duplicates {
  readonly #members: Member[] = [];
  readonly #lengths: { readonly instruction: number; readonly context: number; readonly response: number }[] = [];
  readonly #comparison = new RecordComparison();
  readonly #evaluation: readonly EvaluationText[];
  readonly #contained = new ContainedTexts();
  readonly #leaks: PairFound[] = [];
  readonly #options: CheckOptions;

  constructor(options: CheckOptions, evaluation: readonly EvaluationText[]) {
    this.#options = options;
    this.#evaluation = evaluation;
    for (const { text } of evaluation) this.#contained.add(text);
  }

  add(record: DatasetRecord, member: Member): void {
    const index = this.#members.push(member) - 1;
    const { instruction, context, response } = record;
    this.#lengths.push({ instruction: instruction.length, context: context.length, response: response.length });
    this.#comparison.add(record);
    if (this.#evaluation.length === 0) return;
    for (const part of ['instruction', 'context', 'response'] as const) {
      for (const { text, share } of this.#contained.in(record[part], this.#options.leakShare)) {
        this.#leaks.push({
          check: 'leaks', index, other: this.#evaluation[text]!, verdict: 'block', kind: 'evaluation-text', score: share,
          reason: `the ${part} holds ${Math.round(100 * share)} % of an evaluation text`, places: [this.#place(index, part)],
        });
      }
    }
  }

  #place(index: number, part: 'instruction' | 'context' | 'response'): Place {
    return { part, from: 0, to: this.#lengths[index]![part] };
  }

  /** Once, when all have been added. */
  *find(): Generator<PairFound> {
    const count = this.#members.length;
    for (const { text } of this.#evaluation) this.#comparison.add({ instruction: text, context: '', response: '' });
    const compared = this.#comparison.compare({ threshold: this.#options.similarity, accept: sameSlots });
    const { groups } = compared;
    const members: Member[] = [...this.#members, ...this.#evaluation];
    yield* this.#leaks;
    yield* this.#duplicates(compared, members, count);
    yield* this.#splitLeaks(compared, members, count);
    // A question of an evaluation set is known by its question alone, whatever passage a record has below it.
    const inEvaluation = Map.groupBy(this.#evaluation.map((_, i) => count + i), (i) => groups.question[i]!);
    const leaked = new Set(this.#leaks.map(({ index }) => index));
    for (let i = 0; i < count; i++) {
      const others = inEvaluation.get(groups.question[i]!) ?? [];
      if (leaked.has(i) || others.length === 0) continue;
      const { other, score } = this.#closest(compared, 'question', i, others);
      if (score >= this.#options.similarity) yield this.#found('leaks', 'evaluation-question', 'block', `the question ${percent(score)} that of an evaluation set`, ['question'], i, members[other]!, score);
    }
  }

  *#duplicates({ groups, texts }: Compared, members: readonly Member[], count: number): Generator<PairFound> {
    const compared = { groups, texts };
    const seen: Record<'question' | 'answer' | 'passage', Map<string, number[]>> = { question: new Map(), answer: new Map(), passage: new Map() };
    for (let i = 0; i < count; i++) {
      const { split } = members[i]!;
      // Across splits it is a leak and told as one.
      const earlier = (kind: Kind, key: string) => {
        const list = seen[kind].get(`${split} ${key}`) ?? [];
        seen[kind].set(`${split} ${key}`, list);
        const before = list.slice(-HELD_AGAINST);
        list.push(i);
        return { before, uses: list.length };
      };
      const asked = earlier('question', `${groups.question[i]!} ${groups.passage[i]!}`);
      const told = groups.answer[i]! < 0 ? undefined : earlier('answer', String(groups.answer[i]!));
      const read = groups.passage[i]! < 0 ? undefined : earlier('passage', String(groups.passage[i]!));
      if (asked.before.length > 0) {
        const { other, score } = this.#closest(compared, 'question', i, asked.before);
        const answers = similarity(texts.answer[i]!, texts.answer[other]!);
        const by = this.#through(score);
        if (answers >= this.#options.similarity) yield this.#found('duplicates', 'record', 'warn', `question ${percent(score)} and answer ${percent(answers)} those of another${by}`, ['question', 'answer'], i, members[other]!, score);
        else yield this.#found('duplicates', 'question', 'warn', `question ${percent(score)} that of another, answer ${percent(answers)}${by}`, ['question'], i, members[other]!, score);
      } else if (told && told.before.length > 0) {
        const { other, score } = this.#closest(compared, 'answer', i, told.before);
        yield this.#found('duplicates', 'answer', 'warn', `answer ${percent(score)} that of another question${this.#through(score)}`, ['answer'], i, members[other]!, score);
      }
      if (read && read.uses > this.#options.passageUses) {
        yield this.#found('duplicates', 'passage', 'warn', `passage used for the ${read.uses}th time, where ${this.#options.passageUses} are enough`, ['passage'], i, members[read.before[0]!]!, read.uses);
      }
    }
  }

  *#splitLeaks(compared: Compared, members: readonly Member[], count: number): Generator<PairFound> {
    const { groups } = compared;
    const keyOf = (kind: Kind, i: number) => (kind === 'question' ? `${groups.question[i]!} ${groups.passage[i]!}` : String(groups[kind][i]!));
    const trained = (kind: Kind) => Map.groupBy(this.#members.flatMap(({ split }, i) => (split === 'train' && groups[kind][i]! >= 0 ? [i] : [])), (i) => keyOf(kind, i));
    const known = { question: trained('question'), passage: trained('passage'), answer: trained('answer') };
    for (let i = 0; i < count; i++) {
      if (members[i]!.split !== 'held_out') continue;
      for (const kind of ['question', 'answer', 'passage'] as const) {
        const others = groups[kind][i]! < 0 ? [] : known[kind].get(keyOf(kind, i)) ?? [];
        if (others.length === 0) continue;
        const { other, score } = this.#closest(compared, kind, i, others);
        if (score < this.#options.similarity) continue;
        yield this.#found('leaks', `held-out-${kind}`, kind === 'passage' ? 'warn' : 'block', `held out, but its ${kind} ${percent(score)} that of a record that is trained on`, [kind], i, members[other]!, score);
        break;
      }
    }
  }

  #closest({ texts }: Compared, kind: Kind, i: number, others: readonly number[]): { other: number; score: number } {
    let best = { other: others[0]!, score: -1 };
    for (const other of others.slice(0, HELD_AGAINST)) {
      const score = similarity(texts[kind][i]!, texts[kind][other]!);
      if (score > best.score) best = { other, score };
    }
    return best;
  }

  #through = (score: number): string => (score < this.#options.similarity ? ' (through others of its group)' : '');

  #found(check: 'duplicates' | 'leaks', kind: string, verdict: 'warn' | 'block', reason: string, kinds: readonly Kind[], index: number, other: Member, score: number): PairFound {
    return { check, kind, verdict, reason, index, other, score, places: kinds.map((of) => this.#place(index, PART[of])) };
  }
}

const percent = (share: number): string => (share === 1 ? 'equals' : `is ${Math.floor(100 * share)} % like`);
