/** The next id of a text from its logits: drawn, kept to a grammar, and with the log-probabilities that were asked for. */
import type { Random } from '../artefacts/random.ts';
import { InputError } from '../errors.ts';
import { Automaton, TokenTable, type Cursor, type Grammar } from '../inference/grammar.ts';
import { sample, type Sampling } from '../inference/sample.ts';
import type { Scored } from './protocol.ts';

/** Log-probability of `id` and of the `top` likeliest. */
export function score(logits: Float32Array, id: number, top: number): Scored {
  let most = -Infinity;
  for (const l of logits) if (l > most) most = l;
  let sum = 0;
  for (const l of logits) sum += Math.exp(l - most);
  const norm = most + Math.log(sum);
  const best: number[] = [];
  for (let i = 0; top > 0 && i < logits.length; i++) {
    if (best.length === top && logits[i]! <= logits[best.at(-1)!]!) continue;
    let at = best.length;
    while (at > 0 && logits[best[at - 1]!]! < logits[i]!) at--;
    best.splice(at, 0, i);
    best.length = Math.min(best.length, top);
  }
  return { id, logprob: logits[id]! - norm, top: best.map((i) => [i, logits[i]! - norm] as const) };
}

/** An automaton that has grown beyond is made anew: one of nested values has no end of states. */
const MOST_STATES = 20_000;

/** Follows the grammars of texts over one vocabulary. */
export class Grammars {
  readonly #table: TokenTable;
  readonly #known = new Map<string, Automaton>();

  constructor(bytes: readonly Uint8Array[]) {
    this.#table = new TokenTable(bytes);
  }

  begin(grammar: Grammar, stopIds: readonly number[]): GrammarText {
    const key = JSON.stringify(grammar);
    // What an automaton has learnt of a grammar serves all texts; few are kept.
    const known = this.#known.get(key);
    const automaton = known && known.size < MOST_STATES ? known : new Automaton(grammar);
    this.#known.delete(key);
    this.#known.set(key, automaton);
    if (this.#known.size > 8) this.#known.delete(this.#known.keys().next().value!);
    return new GrammarText(automaton, this.#table, stopIds);
  }
}

export class GrammarText {
  readonly #automaton: Automaton;
  readonly #table: TokenTable;
  readonly #stopIds: readonly number[];
  #cursor: Cursor;

  constructor(automaton: Automaton, table: TokenTable, stopIds: readonly number[]) {
    this.#automaton = automaton;
    this.#table = table;
    this.#stopIds = stopIds;
    this.#cursor = automaton.start;
  }

  /** Nothing can follow: the answer is at its end without a stop token. */
  get isFinal(): boolean {
    return this.#automaton.isFinal(this.#cursor);
  }

  /** A draw that the grammar allows: the first one where it does, else one among those allowed. As llama.cpp does it. */
  draw(logits: Float32Array, sampling: Sampling, random: Random): number {
    const first = sample(logits, sampling, random);
    if (this.#accepts(first)) return first;
    const allowed = this.#table.allowed(this.#automaton, this.#cursor);
    if (this.#automaton.isComplete(this.#cursor)) for (const id of this.#stopIds) allowed[id] = 1;
    const kept = logits.map((l, i) => (allowed[i] ? l : -Infinity));
    if (kept.every((l) => l === -Infinity)) throw new InputError({ expected: 'a token that the schema allows next', found: 'none in the vocabulary', where: 'response_format', remedy: 'Simplify the schema.' });
    const id = sample(kept, sampling, random);
    this.#accepts(id);
    return id;
  }

  #accepts(id: number): boolean {
    if (this.#stopIds.includes(id)) return this.#automaton.isComplete(this.#cursor);
    const next = this.#table.follow(this.#automaton, this.#cursor, id);
    if (next) this.#cursor = next;
    return next !== undefined;
  }
}
