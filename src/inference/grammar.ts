/**
 * A grammar that an answer has to follow, and where in it a text stands. Rules over code points, as llama.cpp has them (GBNF), so that
 * one description serves both engines: `gbnf` writes it for llama.cpp, `Automaton` follows it here. What a text may go on with is
 * kept as a set of stacks, each a place in a rule and the places to return to; states are made when they are reached and kept.
 */

export type Range = readonly [first: number, last: number];

/** One character out of ranges, or another rule by its index. */
export type Element = { readonly ranges: readonly Range[] } | { readonly rule: number };

/** Alternatives of each rule; the first rule is the whole. No rule may come back to itself before a character. */
export interface Grammar {
  readonly rules: readonly (readonly (readonly Element[])[])[];
}

const MOST = 0x10ffff;

/** The text of a grammar for llama.cpp. */
export function gbnf({ rules }: Grammar): string {
  const name = (rule: number) => (rule === 0 ? 'root' : `r${rule}`);
  const point = (code: number) => `\\U${code.toString(16).toUpperCase().padStart(8, '0')}`;
  const element = (e: Element) => ('rule' in e ? name(e.rule) : `[${e.ranges.map(([a, b]) => (a === b ? point(a) : `${point(a)}-${point(b)}`)).join('')}]`);
  return rules.map((alternatives, i) => `${name(i)} ::= ${alternatives.map((sequence) => (sequence.length === 0 ? '""' : sequence.map(element).join(' '))).join(' | ')}\n`).join('');
}

/** A rule that can come back to itself before any character, if there is one: no text could ever be made of it. */
export function endlessRule({ rules }: Grammar): number | undefined {
  const empty = new Set<number>();
  const isEmpty = (e: Element) => 'rule' in e && empty.has(e.rule);
  for (let before = -1; before !== empty.size; ) {
    before = empty.size;
    rules.forEach((alternatives, i) => void (alternatives.some((sequence) => sequence.every(isEmpty)) && empty.add(i)));
  }
  const starts = rules.map((alternatives) => alternatives.flatMap((sequence) => {
    const first: number[] = [];
    for (const e of sequence) {
      if ('rule' in e) first.push(e.rule);
      if (!isEmpty(e)) break;
    }
    return first;
  }));
  const done = new Set<number>();
  for (let root = 0; root < rules.length; root++) {
    // Depth first, by hand: a schema may nest rules deeper than the stack of calls.
    const trail: { rule: number; next: number }[] = [{ rule: root, next: 0 }];
    const onTrail = new Set([root]);
    while (trail.length > 0) {
      const top = trail.at(-1)!;
      const to = done.has(top.rule) ? undefined : starts[top.rule]![top.next++];
      if (to === undefined) {
        done.add(top.rule);
        onTrail.delete(top.rule);
        trail.pop();
      } else if (onTrail.has(to)) return to;
      else if (!done.has(to)) {
        onTrail.add(to);
        trail.push({ rule: to, next: 0 });
      }
    }
  }
  return undefined;
}

interface Place {
  readonly ranges: readonly Range[] | undefined;
  readonly rule: number | undefined;
  /** The place after it in its sequence; undefined at the end. */
  readonly next: Place | undefined;
  readonly id: number;
}

/** A place and where to go on after its sequence. */
interface Stack {
  readonly place: Place;
  readonly below: Stack | undefined;
  readonly id: number;
}

interface State {
  readonly tops: readonly Stack[];
  /** The text may end here. */
  readonly complete: boolean;
  readonly next: Map<number, State | undefined>;
}

/** Where a text stands: a state, and the bytes of a character that is not whole yet. */
export interface Cursor {
  readonly state: State;
  readonly value: number;
  readonly missing: number;
  /** Least code point of this length: shorter forms of it are no UTF-8. */
  readonly least: number;
}

export class Automaton {
  readonly #rules: readonly (readonly (Place | undefined)[])[];
  readonly #stacks = new Map<string, Stack>();
  readonly #states = new Map<string, State>();
  readonly start: Cursor;

  constructor(grammar: Grammar) {
    let places = 0;
    this.#rules = grammar.rules.map((alternatives) => alternatives.map((sequence) =>
      sequence.reduceRight<Place | undefined>((next, e) => ({ ranges: 'ranges' in e ? e.ranges : undefined, rule: 'rule' in e ? e.rule : undefined, next, id: places++ }), undefined)));
    this.start = this.#cursor(this.#state((add) => this.#enter(0, undefined, add)));
  }

  /** States that were reached so far: they are kept. */
  get size(): number {
    return this.#states.size;
  }

  isComplete({ state, missing }: Cursor): boolean {
    return missing === 0 && state.complete;
  }

  /** Whether nothing can follow. */
  isFinal({ state, missing }: Cursor): boolean {
    return missing === 0 && state.complete && state.tops.length === 0;
  }

  /** After one more byte of UTF-8; undefined where no text of the grammar goes on so. */
  advance({ state, value, missing, least }: Cursor, byte: number): Cursor | undefined {
    if (missing === 0) {
      if (byte < 0x80) return this.#character(state, byte);
      if (byte < 0xc2 || byte > 0xf4) return undefined;
      return byte < 0xe0 ? this.#partial(state, byte & 0x1f, 1, 0x80) : byte < 0xf0 ? this.#partial(state, byte & 0x0f, 2, 0x800) : this.#partial(state, byte & 0x07, 3, 0x10000);
    }
    if ((byte & 0xc0) !== 0x80) return undefined;
    const longer = (value << 6) | (byte & 0x3f);
    return missing === 1 ? this.#character(state, longer) : this.#partial(state, longer, missing - 1, least);
  }

  #character(state: State, code: number): Cursor | undefined {
    let next = state.next.get(code);
    if (next === undefined && !state.next.has(code)) {
      const matching = state.tops.filter(({ place }) => place.ranges!.some(([a, b]) => code >= a && code <= b));
      next = matching.length === 0 ? undefined : this.#state((add) => matching.forEach(({ place, below }) => this.#at(place.next, below, add)));
      state.next.set(code, next);
    }
    return next && this.#cursor(next);
  }

  /** The bytes so far leave a range of code points: one of them must be allowed. */
  #partial(state: State, value: number, missing: number, least: number): Cursor | undefined {
    const first = Math.max(value << (6 * missing), least);
    const last = Math.min(((value + 1) << (6 * missing)) - 1, MOST);
    if (first > last || (first >= 0xd800 && last <= 0xdfff)) return undefined;
    const possible = state.tops.some(({ place }) => place.ranges!.some(([a, b]) => a <= last && b >= first));
    return possible ? { state, value, missing, least } : undefined;
  }

  #cursor(state: State): Cursor {
    return { state, value: 0, missing: 0, least: 0 };
  }

  #state(fill: (add: (top: Stack | undefined) => void) => void): State {
    const tops = new Map<number, Stack>();
    let complete = false;
    fill((top) => (top ? tops.set(top.id, top) : (complete = true)));
    const sorted = [...tops.values()].sort((a, b) => a.id - b.id);
    const key = `${complete}${sorted.map(({ id }) => id).join()}`;
    let state = this.#states.get(key);
    if (!state) this.#states.set(key, (state = { tops: sorted, complete, next: new Map() }));
    return state;
  }

  #enter(rule: number, below: Stack | undefined, add: (top: Stack | undefined) => void): void {
    for (const first of this.#rules[rule]!) this.#at(first, below, add);
  }

  /** Adds the stacks with a character on top that are reached from `place` without reading one. */
  #at(place: Place | undefined, below: Stack | undefined, add: (top: Stack | undefined) => void): void {
    if (place === undefined) {
      if (below === undefined) add(undefined);
      else this.#at(below.place, below.below, add);
    } else if (place.rule === undefined) add(this.#stack(place, below));
    // A rule at the end of another needs no place to return to: repetition does not grow the stack.
    else this.#enter(place.rule, place.next ? this.#stack(place.next, below) : below, add);
  }

  #stack(place: Place, below: Stack | undefined): Stack {
    const key = `${place.id} ${below?.id ?? ''}`;
    let stack = this.#stacks.get(key);
    if (!stack) this.#stacks.set(key, (stack = { place, below, id: this.#stacks.size }));
    return stack;
  }
}

/** The bytes of a vocabulary's tokens in an order in which those that begin alike are tried once. */
export class TokenTable {
  readonly #bytes: readonly Uint8Array[];
  readonly #order: Int32Array;
  /** Bytes that a token has in common with the one before it. */
  readonly #common: Int32Array;

  /** A token without bytes stands for no text and is never allowed. */
  constructor(bytes: readonly Uint8Array[]) {
    this.#bytes = bytes;
    this.#order = Int32Array.from([...bytes.keys()].filter((id) => bytes[id]!.length > 0).sort((a, b) => Buffer.compare(bytes[a]!, bytes[b]!)));
    this.#common = Int32Array.from(this.#order, (id, i) => {
      if (i === 0) return 0;
      const [a, b] = [bytes[this.#order[i - 1]!]!, bytes[id]!];
      let n = 0;
      while (n < a.length && n < b.length && a[n] === b[n]) n++;
      return n;
    });
  }

  /** Where the text stands after a token; undefined where it may not follow. */
  follow(automaton: Automaton, from: Cursor, id: number): Cursor | undefined {
    const bytes = this.#bytes[id];
    if (bytes === undefined || bytes.length === 0) return undefined;
    let cursor: Cursor | undefined = from;
    for (const byte of bytes) if (!(cursor = automaton.advance(cursor, byte))) return undefined;
    return cursor;
  }

  /** 1 for each token that may follow. */
  allowed(automaton: Automaton, from: Cursor): Uint8Array {
    const allowed = new Uint8Array(this.#bytes.length);
    const cursors: Cursor[] = [from];
    /** Bytes of the token before that could be read. */
    let read = 0;
    for (let i = 0; i < this.#order.length; i++) {
      // It has the byte that stopped the one before.
      if (this.#common[i]! > read) continue;
      const id = this.#order[i]!;
      const bytes = this.#bytes[id]!;
      read = this.#common[i]!;
      for (; read < bytes.length; read++) {
        const next = automaton.advance(cursors[read]!, bytes[read]!);
        if (!next) break;
        cursors[read + 1] = next;
      }
      if (read === bytes.length) allowed[id] = 1;
    }
    return allowed;
  }
}
