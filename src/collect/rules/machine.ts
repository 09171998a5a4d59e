/**
 * State machines as closed tables: a move that is not in the table does not exist, and whoever asks for it is told why. Pure: who asks
 * and what for are arguments; that the state is still the same when it is written is for the store to see to.
 */

/** Who may do something: `author` is whose record, lease, review or award it is; `system` is the program itself. */
export type Actor = 'system' | 'author' | 'reviewer' | 'moderator' | 'admin' | 'owner';

export interface Move<State extends string, Event extends string> {
  readonly event: Event;
  readonly from: readonly State[];
  readonly to: State;
  readonly by: readonly Actor[];
}

/** The same sentence in every language of the product. */
export interface Sentence {
  readonly en: string;
  readonly ru: string;
}

export interface Machine<State extends string, Event extends string> {
  readonly name: string;
  readonly states: readonly State[];
  readonly initial: State;
  readonly moves: readonly Move<State, Event>[];
  /** What a state means for whoever asks for something that it does not allow. */
  readonly meaning: Readonly<Record<State, Sentence>>;
  /** Where more can be said than what the state means: by `<state>.<event>`. */
  readonly refused?: Readonly<Record<string, Sentence>>;
}

export type Step<State extends string> =
  | { readonly ok: true; readonly to: State }
  /** `code` names the case for programs: `<machine>.<state>.<event>`, or `<machine>.<event>.not_yours` where only the actor was wrong. */
  | { readonly ok: false; readonly code: string; readonly why: Sentence };

const PEOPLE: Readonly<Record<Actor, Sentence>> = {
  system: { en: 'the program itself', ru: 'сама программа' },
  author: { en: 'the person it belongs to', ru: 'тот, кому это принадлежит' },
  reviewer: { en: 'a reviewer', ru: 'рецензент' },
  moderator: { en: 'a moderator', ru: 'модератор' },
  admin: { en: 'an administrator', ru: 'администратор' },
  owner: { en: 'an owner', ru: 'владелец' },
};

/** What an event does to a state when one of `actors` asks for it: the next state, or why not. */
export function step<State extends string, Event extends string>(machine: Machine<State, Event>, state: State, event: Event, actors: Actor | readonly Actor[]): Step<State> {
  const asking: readonly Actor[] = typeof actors === 'string' ? [actors] : actors;
  const move = machine.moves.find((m) => m.event === event && m.from.includes(state));
  if (!move) {
    return { ok: false, code: `${machine.name}.${state}.${event}`, why: machine.refused?.[`${state}.${event}`] ?? machine.meaning[state] };
  }
  if (!move.by.some((actor) => asking.includes(actor))) {
    const who = { en: move.by.map((actor) => PEOPLE[actor].en).join(' or '), ru: move.by.map((actor) => PEOPLE[actor].ru).join(' или ') };
    return { ok: false, code: `${machine.name}.${event}.not_yours`, why: { en: `Only ${who.en} can do this.`, ru: `Это может сделать только ${who.ru}.` } };
  }
  return { ok: true, to: move.to };
}

/** The events that these actors may ask for now, in the order of the table: what a page offers as buttons. */
export function offered<State extends string, Event extends string>(machine: Machine<State, Event>, state: State, actors: Actor | readonly Actor[]): Event[] {
  const asking: readonly Actor[] = typeof actors === 'string' ? [actors] : actors;
  return machine.moves.filter((m) => m.from.includes(state) && m.by.some((actor) => asking.includes(actor))).map((m) => m.event);
}
