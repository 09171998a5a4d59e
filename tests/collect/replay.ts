/**
 * A week of a campaign as a stream of events, from records that exist: who joins, takes a task, writes for how long, hands in what, reviews,
 * withdraws or gives up, and when. Deterministic by its seed. It knows no server: whoever plays it maps people and submissions to ids, and
 * asks `judge` what a reviewer says of the record that the server gave them. Times are the campaign's; a player may run them faster.
 */
import { Random } from '../../src/artefacts/random.ts';
import { addDays, instantOf, weekdayOf } from '../../src/collect/rules/calendar.ts';
import { CATEGORIES, isCategory, type CategoryKey } from '../../src/collect/rules/categories.ts';
import { seedOf } from '../../src/collect/rules/chance.ts';
import { FORM_RULES, type FormRules } from '../../src/collect/rules/forms.ts';
import { overall, type Scores, type Verdict } from '../../src/collect/rules/review-outcome.ts';
import { countWords } from '../../src/text/words.ts';

export interface ReplayText {
  readonly category: CategoryKey;
  readonly instruction: string;
  readonly context: string;
  readonly response: string;
}

export interface ReplaySettings {
  readonly people: number;
  readonly submissions: number;
  readonly reviews_each: number;
  readonly teams: number;
  readonly days: number;
  /** First day, `YYYY-MM-DD`. */
  readonly first: string;
  readonly time_zone: string;
  readonly seed: number;
}

/** Dolly's campaign in a week. */
export const DOLLY_WEEK: ReplaySettings = { people: 5000, submissions: 15_000, reviews_each: 2, teams: 120, days: 7, first: '2026-03-23', time_zone: 'America/Los_Angeles', seed: 1 };

/** `person` and `submission` are numbers from 0. `at`: milliseconds since 1970. */
export type ReplayEvent = { readonly at: number; readonly person: number } & (
  | { readonly type: 'join'; readonly team: number; readonly board_visibility: 'name' | 'alias' | 'hidden' }
  | { readonly type: 'claim'; readonly submission: number; readonly category: CategoryKey }
  /** `writing_ms` before now its author began; `retries` more tries with the same key, as a bad network makes them. */
  | { readonly type: 'submit'; readonly submission: number; readonly writing_ms: number; readonly retries: number; readonly text: ReplayText }
  /** The task is given back or left to run out: the draft stays. */
  | { readonly type: 'give_up'; readonly submission: number; readonly text: ReplayText }
  /** Asks for a record to review, whichever it is. */
  | { readonly type: 'review' }
  | { readonly type: 'withdraw'; readonly submission: number }
);

const HOUR = 3_600_000;

/** Many write one record, a few write hundreds, as in any such contest: weights falling as a power of the rank (Zipf 1949). */
function authors(settings: ReplaySettings, random: Random): Int32Array {
  const weights = Float64Array.from({ length: settings.people }, (_, i) => (i + 3) ** -0.75);
  const sums = new Float64Array(settings.people);
  weights.reduce((sum, weight, i) => (sums[i] = sum + weight), 0);
  const order = random.permutation(settings.people);
  const pick = (): number => {
    const at = random.next() * sums.at(-1)!;
    let [low, high] = [0, settings.people - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! <= at) low = middle + 1;
      else high = middle;
    }
    return order[low]!;
  };
  return Int32Array.from({ length: settings.submissions }, pick);
}

/** An hour of work, more in the morning and the afternoon than at noon; less at the weekend, more near the end. */
function instant(settings: ReplaySettings, random: Random): number {
  for (;;) {
    const n = Math.floor(random.next() * settings.days);
    const day = addDays(settings.first, n);
    const busy = (weekdayOf(day) > 5 ? 0.15 : 0.8) * (n === settings.days - 1 ? 1.25 : 1);
    if (random.next() > busy) continue;
    const hour = 8 + 11 * random.next();
    if (hour >= 12 && hour < 13 && random.next() < 0.6) continue;
    return instantOf(day, 0, settings.time_zone) + Math.floor(hour * HOUR);
  }
}

/** So many texts: each record once, then two of a category put together, so that none is another's near-duplicate. */
export function replayTexts(sources: readonly ReplayText[], n: number, random: Random): ReplayText[] {
  const order = [...random.permutation(sources.length)].map((i) => sources[i]!);
  const texts = order.slice(0, n);
  const byCategory = Map.groupBy(order, ({ category }) => category);
  for (let round = 1; texts.length < n; round++) {
    const before = texts.length;
    for (const own of byCategory.values()) {
      for (let i = 0; i < own.length && texts.length < n; i++) {
        const [a, b] = [own[i]!, own[(i + round) % own.length]!];
        if (a !== b) texts.push({ category: a.category, context: a.context, instruction: `${a.instruction} ${b.instruction}`, response: `${b.response}\n\n${a.response}` });
      }
    }
    if (texts.length === before) throw new RangeError(`${sources.length} records do not make ${n} texts`);
  }
  return texts;
}

/** Typing at 40 words a minute, and thinking. */
const writingMs = (text: ReplayText, random: Random): number => Math.round(60_000 * (0.5 + countWords(`${text.instruction} ${text.response}`) / 40) * (0.7 + 0.6 * random.next()));

/** All events in the order of time. */
export function replayEvents(sources: readonly ReplayText[], settings: ReplaySettings = DOLLY_WEEK): ReplayEvent[] {
  const random = new Random(settings.seed);
  const texts = replayTexts(sources, settings.submissions, random);
  const writers = authors(settings, random);
  const events: ReplayEvent[] = [];
  const joined = new Map<number, number>();
  const join = (person: number, at: number) => joined.set(person, Math.min(joined.get(person) ?? Infinity, at - 5 * 60_000));
  for (const [submission, text] of texts.entries()) {
    const person = writers[submission]!;
    const writing_ms = writingMs(text, random);
    const at = instant(settings, random) + writing_ms;
    events.push({ at: at - writing_ms, person, type: 'claim', submission, category: text.category });
    join(person, at - writing_ms);
    if (random.next() < 0.02) {
      // Somebody gives up half-way; a colleague writes it a little later.
      events.push({ at: at - Math.floor(writing_ms / 2), person, type: 'give_up', submission, text });
      events.push({ at: at + 60_000, person, type: 'claim', submission, category: text.category });
      events.push({ at: at + 60_000 + writing_ms, person, type: 'submit', submission, writing_ms, retries: 0, text });
    } else {
      events.push({ at, person, type: 'submit', submission, writing_ms, retries: random.next() < 0.01 ? 1 + Math.floor(random.next() * 3) : 0, text });
    }
    if (random.next() < 0.005) events.push({ at: at + writing_ms + 2 * HOUR, person, type: 'withdraw', submission });
    for (let k = 0; k < settings.reviews_each; k++) {
      // Those who write much review much; the record may be anybody's.
      const reviewer = writers[Math.floor(random.next() * writers.length)]!;
      const when = at + Math.floor(random.next() * 4 * HOUR);
      events.push({ at: when, person: reviewer, type: 'review' });
      join(reviewer, when);
    }
  }
  for (let person = 0; person < settings.people; person++) {
    const u = random.next();
    const at = joined.get(person) ?? instant(settings, random);
    events.push({ at, person, type: 'join', team: Math.floor(random.next() * settings.teams), board_visibility: u < 0.85 ? 'name' : u < 0.95 ? 'alias' : 'hidden' });
  }
  return events.map((event, i) => ({ event, i })).sort((a, b) => a.event.at - b.event.at || a.i - b.i).map(({ event }) => event);
}

/** What this reviewer says of this submission, always the same: most records are good, reviewers mostly agree. */
export function judge(settings: ReplaySettings, submission: number, person: number, passage: boolean): { readonly scores: Scores; readonly verdict: Verdict; readonly comment: string } {
  const item = new Random(seedOf(`${settings.seed} ${submission}`));
  const own = new Random(seedOf(`${settings.seed} ${submission} ${person}`));
  const quality = item.next() < 0.12 ? 1.5 + item.next() : 3.3 + 1.6 * item.next();
  const score = () => Math.min(5, Math.max(1, Math.round(quality + (own.next() - 0.5) * 1.4)));
  const scores: Scores = { follows_instruction: score(), correct: score(), clear: score(), grounded: passage ? score() : null, category_fit: score() };
  const value = overall(scores);
  const verdict: Verdict = value >= 3000 ? 'accept' : value >= 2400 ? 'fix' : 'reject';
  return { scores, verdict, comment: verdict === 'accept' ? '' : 'Generated by the replay: below the line of the rubric.' };
}

/** What an editor would have saved by now: the text typed so far, for the n-th save of all. */
export function typedSoFar(text: ReplayText, nth: number, all: number): Pick<ReplayText, 'instruction' | 'context' | 'response'> {
  const typed = Math.ceil(((text.instruction.length + text.response.length) * nth) / all);
  return { instruction: text.instruction.slice(0, typed), context: text.context, response: text.response.slice(0, Math.max(0, typed - text.instruction.length)) };
}

/** The form rules of such a campaign: Dolly's records were written under none, so only the shape of a category is asked for. */
export const REPLAY_FORM_RULES: FormRules = Object.fromEntries(
  CATEGORIES.map((category) => {
    const any = { min: 1, max: 20_000 };
    return [category, { context: FORM_RULES[category].context === null ? null : any, instruction: any, response: any, checks: [] }];
  }),
) as unknown as FormRules;

/** A record of Dolly's as a text, if it has the shape of its category: a passage where one is needed, none elsewhere, within what fields hold. */
export function replayText(record: { readonly instruction: string; readonly context: string; readonly response: string; readonly category: string }): ReplayText | undefined {
  const { instruction, context, response, category } = record;
  if (!isCategory(category)) return undefined;
  const passage = FORM_RULES[category].context !== null;
  if (passage !== (context.trim() !== '') || instruction.length > 1900 || context.length > 12_000 || response.length > 5900) return undefined;
  return { category, instruction, context, response };
}
