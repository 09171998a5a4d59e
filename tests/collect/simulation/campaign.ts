/**
 * A campaign of invented people under the real rules: they write, review, revise, answer and cheat by their plans, minute by minute, and
 * the ledger says what each got. The people are a model, not a measurement: what it shows is how the rules weigh one way of playing
 * against another, with everything else the same.
 */
import { Random } from '../../../src/artefacts/random.ts';
import { assign, pairCap, type ReviewerFacts, type WaitingRecord } from '../../../src/collect/rules/assignment.ts';
import { CATEGORIES, type CategoryKey } from '../../../src/collect/rules/categories.ts';
import { entriesOfRecord, entryOfReview, reversalsOf, sumsByUser, type Entry, type NewEntry, type Sums } from '../../../src/collect/rules/ledger.ts';
import { OPEN_QUESTIONS, pendingCap } from '../../../src/collect/rules/pending.ts';
import { leastDwell, needWeights, noveltyFactor } from '../../../src/collect/rules/points.ts';
import { FIRST_RULES, type PointsRules } from '../../../src/collect/rules/points-rules.ts';
import { answerTo, bookReviews, nextIsGold, pickGold, reliability, reviewKey, type GoldItem, type PastReview } from '../../../src/collect/rules/reliability.ts';
import { decide, overall, type CountedReview, type Scores, type Verdict } from '../../../src/collect/rules/review-outcome.ts';

/** What somebody writes: quality as a careful reader would see it, 1 to 5. */
export interface Text {
  readonly category: CategoryKey;
  readonly words: number;
  readonly quality: number;
  readonly similarity: number;
  readonly own_similarity: number;
  readonly minutes: number;
  readonly copied: boolean;
}

export interface Opinion {
  readonly scores: Scores;
  readonly verdict: Verdict;
  readonly dwell_ms: number;
  readonly minutes: number;
}

/** A record under review, as a reviewer meets it. `author` is known to the simulation, and to friends who agreed on a sign. */
export interface Seen {
  readonly author: string;
  readonly quality: number;
  readonly words: number;
}

/** A way to take part. What is left out is done honestly. */
export interface Plan {
  readonly name: string;
  /** Minutes a day. */
  readonly minutes?: (person: Person, day: number) => number;
  /** The share of turns that are reviews; -1: reviews only when nothing can be written. */
  readonly reviews?: number;
  readonly choose?: (sim: Campaign, person: Person) => { readonly category: CategoryKey; readonly weight: number } | undefined;
  readonly write?: (sim: Campaign, person: Person, category: CategoryKey) => Text;
  readonly judge?: (sim: Campaign, person: Person, seen: Seen) => Opinion;
  /** False: pass this record on. */
  readonly takes?: (sim: Campaign, person: Person, seen: Seen) => boolean;
  readonly revises?: boolean;
  /** Asks as many questions for others as may be open: half a minute each. */
  readonly asks?: boolean;
  /** False: never writes. */
  readonly writes?: boolean;
}

export interface Person {
  readonly id: string;
  readonly team_id: string;
  readonly skill: number;
  /** How far their scores miss, standard deviation in points. */
  readonly noise: number;
  readonly pace: number;
  readonly plan: Plan;
  accepted: number;
  rejected: number;
  readonly reviews: PastReview[];
  readonly seenGold: Map<string, Verdict>;
  readonly reviewed: Map<string, number>;
  skippedToday: number;
  /** For plans to keep what they like. */
  readonly notes: Map<string, number>;
}

interface Submission extends WaitingRecord {
  readonly id: string;
  readonly category: CategoryKey;
  readonly words: number;
  readonly similarity: number;
  readonly own_similarity: number;
  readonly weight: number;
  readonly day: number;
  readonly copied: boolean;
  readonly asker: Person | null;
  quality: number;
  revised: boolean;
  state: 'in_review' | 'changes_requested' | 'accepted' | 'rejected';
  opinions: { reviewer: Person; review_id: string; verdict: Verdict; scores: Scores; void: boolean }[];
}

export interface Settings {
  readonly people: number;
  readonly days: number;
  readonly teams: number;
  readonly seed: number;
  readonly rules?: PointsRules;
  /** The plan of the first so many people; everybody else is honest. */
  readonly plans?: readonly Plan[];
}

export interface Outcome {
  readonly sums: ReadonlyMap<string, Sums>;
  readonly points: ReadonlyMap<string, number>;
  readonly people: readonly Person[];
  readonly entries: readonly Entry[];
  readonly submissions: readonly { readonly id: string; readonly author_id: string; readonly state: string; readonly copied: boolean }[];
}

const K = 2;
const HOUR = 3_600_000;
/** What people like to write, whatever is needed. */
const TASTE: Readonly<Record<CategoryKey, number>> = { open_qa: 3, general_qa: 2, brainstorming: 2, classification: 1.5, creative_writing: 1, closed_qa: 1, information_extraction: 0.7, summarization: 0.7 };

export class Campaign {
  readonly rules: PointsRules;
  readonly random: Random;
  readonly people: Person[];
  readonly submissions: Submission[] = [];
  readonly entries: Entry[] = [];
  readonly #settings: Settings;
  readonly #waiting = new Set<Submission>();
  readonly #open = new Map<string, Submission[]>();
  readonly #questions: { asker: Person; category: CategoryKey }[] = [];
  readonly #accepted = new Map<string, number>();
  readonly #done = new Map<CategoryKey, number>();
  readonly #golds: (GoldItem & { readonly quality: number; readonly words: number })[] = [];
  #weights: Partial<Record<CategoryKey, number>> = {};
  now = 0;
  day = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.rules = settings.rules ?? FIRST_RULES;
    this.random = new Random(settings.seed);
    this.people = Array.from({ length: settings.people }, (_, i) => ({
      id: `p${i}`, team_id: `t${i % settings.teams}`, skill: clamp(this.normal(3.6, 0.35), 2.5, 5), noise: clamp(this.normal(0.5, 0.15), 0.2, 1), pace: clamp(this.normal(25, 8), 8, 60), plan: settings.plans?.[i] ?? { name: 'honest' },
      accepted: 0, rejected: 0, reviews: [], seenGold: new Map(), reviewed: new Map(), skippedToday: 0, notes: new Map(),
    }));
    for (let i = 0; i < 40; i++) this.#golds.push({ submission_id: `gold${i}`, author_id: 'moderator', verdict: i % 2 === 0 ? 'accept' : 'reject', quality: i % 2 === 0 ? 4.3 : 1.6, words: 60 });
    this.#need();
  }

  normal(mean: number, deviation: number): number {
    // Box and Muller (1958).
    return mean + deviation * Math.sqrt(-2 * Math.log(1 - this.random.next())) * Math.cos(2 * Math.PI * this.random.next());
  }

  weights(): Partial<Record<CategoryKey, number>> {
    return this.#weights;
  }

  run(): Outcome {
    for (this.day = 0; this.day < this.#settings.days; this.day++) this.#playDay(true);
    // Closing: only reviews and revisions, until everything is decided or a moderator does it.
    for (let i = 0; i < 5 && this.#waiting.size > 0; i++, this.day++) this.#playDay(false);
    for (const submission of this.#waiting) this.#settle(submission, submission.quality >= 3 ? 'accept' : 'reject', Math.round(submission.quality * 1000));
    for (const person of this.people) this.#bookReviews(person, true);
    const sums = sumsByUser(this.entries, this.rules);
    return { sums, points: new Map(this.people.map(({ id }) => [id, sums.get(id)?.points_mp ?? 0])), people: this.people, entries: this.entries, submissions: this.submissions };
  }

  #playDay(open: boolean): void {
    const left = new Map<Person, number>();
    for (const person of this.people) {
      person.skippedToday = 0;
      const minutes = person.plan.minutes?.(person, this.day) ?? Math.max(0, person.pace * (0.5 + this.random.next()));
      left.set(person, minutes);
    }
    const all = [...left.values()].reduce((sum, minutes) => sum + minutes, 0);
    let used = 0;
    for (const active = this.people.filter((person) => left.get(person)! > 0); active.length > 0; ) {
      const at = Math.floor(this.random.next() * active.length);
      const person = active[at]!;
      this.now = this.day * 24 * HOUR + (8 * HOUR * used) / Math.max(1, all);
      const minutes = Math.max(0.1, this.#turn(person, open));
      used += minutes;
      left.set(person, left.get(person)! - minutes);
      if (left.get(person)! <= 0) {
        active[at] = active.at(-1)!;
        active.pop();
      }
    }
  }

  #turn(person: Person, open: boolean): number {
    if (open && person.plan.asks && this.#ask(person)) return 0.5;
    const revision = person.plan.revises === false ? undefined : this.#open.get(person.id)?.find(({ state }) => state === 'changes_requested');
    if (revision) return this.#revise(revision);
    const wish = person.plan.reviews ?? 0.66;
    if (!open || this.random.next() < wish) {
      const minutes = this.#review(person);
      if (minutes !== undefined) return minutes;
    }
    const written = open && person.plan.writes !== false ? this.#write(person) : undefined;
    return written ?? this.#review(person) ?? 2;
  }

  // Writing ----------------------------------------------------------------------------------------------------------

  #write(person: Person): number | undefined {
    const mine = this.#open.get(person.id) ?? [];
    const cap = pendingCap(this.rules, { accepted: person.accepted, rejected: person.rejected, stopped: false }).cap;
    if (mine.filter(({ state }) => state === 'in_review' || state === 'changes_requested').length >= cap) return undefined;
    const question = this.random.next() < 0.2 ? this.#questions.findIndex(({ asker }) => asker !== person) : -1;
    const asked = question < 0 ? undefined : this.#questions.splice(question, 1)[0];
    const chosen = asked ? { category: asked.category, weight: this.#weights[asked.category]! } : (person.plan.choose?.(this, person) ?? this.chooseByTaste());
    const text = (person.plan.write ?? honestText)(this, person, chosen.category);
    if (noveltyFactor(this.rules, text.similarity, text.own_similarity) === undefined) return text.minutes;
    const submission: Submission = {
      id: `s${this.submissions.length}`, submission_id: `s${this.submissions.length}`, author_id: person.id, asker_id: asked?.asker.id ?? null, asker: asked?.asker ?? null, team_id: person.team_id, language: 'en', reviewers: [], waiting_since: this.now,
      category: chosen.category, words: text.words, quality: text.quality, similarity: text.similarity, own_similarity: text.own_similarity, weight: chosen.weight, day: this.day, copied: text.copied, revised: false, state: 'in_review', opinions: [],
    };
    this.submissions.push(submission);
    this.#waiting.add(submission);
    this.#open.set(person.id, [...mine.filter(({ state }) => state === 'in_review' || state === 'changes_requested'), submission]);
    this.#count(submission.category, 1);
    return text.minutes;
  }

  chooseByTaste(): { category: CategoryKey; weight: number } {
    const pull = CATEGORIES.map((category) => TASTE[category] * (this.#weights[category]! / 1000) ** 2);
    let at = this.random.next() * pull.reduce((sum, p) => sum + p, 0);
    const category = CATEGORIES[Math.max(0, pull.findIndex((p) => (at -= p) < 0))]!;
    return { category, weight: this.#weights[category]! };
  }

  #ask(person: Person): boolean {
    if (this.#questions.filter(({ asker }) => asker === person).length >= OPEN_QUESTIONS) return false;
    this.#questions.push({ asker: person, category: this.random.next() < 0.5 ? 'open_qa' : 'general_qa' });
    return true;
  }

  #revise(submission: Submission): number {
    submission.quality = Math.min(5, submission.quality + 0.8);
    submission.revised = true;
    submission.state = 'in_review';
    submission.opinions = [];
    this.#waiting.add(submission);
    return 1.5;
  }

  // Reviewing --------------------------------------------------------------------------------------------------------

  #review(person: Person): number | undefined {
    const { standing } = this.#standing(person);
    if (standing === 'resting') return undefined;
    const gold = nextIsGold(person.seenGold.size, () => this.random.next()) ? pickGold(this.#golds, person.id, person.seenGold, () => this.random.next()) : undefined;
    const facts: ReviewerFacts = { user_id: person.id, team_id: person.team_id, languages: ['en'], reviewed: person.reviewed, skipped_today: person.skippedToday, standing };
    const policy = { teams: this.#settings.teams, pair_cap: pairCap(K * this.submissions.length, this.people.length, this.people.length) };
    const submission = assign([...this.#waiting], facts, policy, this.now, () => this.random.next()) as Submission | undefined;
    if (!submission) return undefined;
    const seen: Seen = gold ? { author: 'moderator', quality: (gold as GoldItem & { quality: number }).quality, words: 60 } : { author: submission.author_id, quality: submission.quality, words: submission.words };
    if (person.plan.takes && !person.plan.takes(this, person, seen)) {
      person.skippedToday++;
      return 0.1;
    }
    const opinion = (person.plan.judge ?? honestOpinion)(this, person, seen);
    const id = `r${person.id}-${person.reviews.length}`;
    const valid = opinion.dwell_ms >= leastDwell(this.rules, seen.words);
    person.reviews.push({ id, key: reviewKey(opinion.scores, opinion.verdict), words: seen.words, dwell_ms: opinion.dwell_ms, state: 'held', ...(gold ? { gold: answerTo(gold.verdict, opinion.verdict) } : {}) });
    if (gold) person.seenGold.set(gold.submission_id, gold.verdict);
    else {
      person.reviewed.set(submission.author_id, (person.reviewed.get(submission.author_id) ?? 0) + 1);
      (submission.reviewers as string[]).push(person.id);
      // A review that was too fast does not count for the record.
      if (valid) submission.opinions.push({ reviewer: person, review_id: id, verdict: opinion.verdict, scores: opinion.scores, void: false });
      this.#decide(submission);
    }
    this.#bookReviews(person, false);
    return opinion.minutes;
  }

  #standing(person: Person): ReturnType<typeof reliability> {
    return reliability(person.reviews.filter(({ gold }) => gold !== undefined).map(({ gold }) => gold!));
  }

  #bookReviews(person: Person, last: boolean): void {
    const due = bookReviews(this.rules, person.reviews, last);
    const update = (ids: ReadonlySet<string>, state: PastReview['state']) => person.reviews.forEach((review, i) => ids.has(review.id) && (person.reviews[i] = { ...review, state }));
    for (const { id, facts } of due.book) this.#book([entryOfReview(this.rules, { id, work_day: String(this.day), reviewer: { user_id: person.id, team_id: person.team_id } }, facts)]);
    update(new Set(due.book.map(({ id }) => id)), 'booked');
    if (due.void.length === 0) return;
    const gone = new Set(due.void);
    const booked = this.entries.filter(({ user_id, kind }) => user_id === person.id && kind !== 'record');
    for (const id of gone) this.#book(reversalsOf(`review:${id}`, booked, 'review_voided'));
    update(gone, 'voided');
    for (const submission of this.#waiting) for (const opinion of submission.opinions) if (gone.has(opinion.review_id)) opinion.void = true;
  }

  #decide(submission: Submission): void {
    const counted: CountedReview[] = submission.opinions.filter((opinion) => !opinion.void).map(({ reviewer, verdict, scores }) => ({ verdict, scores, flags: [], weight: this.#standing(reviewer).weight }));
    const decision = decide(counted, K);
    if (decision.state === 'waiting') return;
    if (decision.state === 'decided') this.#settle(submission, decision.verdict, decision.quality);
    else {
      // A moderator reads with care.
      const quality = clamp(this.normal(submission.quality, 0.2), 1, 5);
      this.#settle(submission, quality >= 3 ? 'accept' : 'reject', Math.round(quality * 1000));
    }
  }

  #settle(submission: Submission, verdict: Verdict, quality: number): void {
    this.#waiting.delete(submission);
    const author = this.people.find(({ id }) => id === submission.author_id)!;
    if (verdict === 'fix' && !submission.revised && author.plan.revises !== false && this.day < this.#settings.days + 5) {
      submission.state = 'changes_requested';
      return;
    }
    if (verdict !== 'accept') {
      submission.state = 'rejected';
      author.rejected++;
      this.#count(submission.category, -1);
      return;
    }
    submission.state = 'accepted';
    author.accepted++;
    const key = `${author.id} ${submission.day}`;
    const nth = (this.#accepted.get(key) ?? 0) + 1;
    this.#accepted.set(key, nth);
    const { category, words, similarity, own_similarity, weight, asker } = submission;
    this.#book(entriesOfRecord(this.rules, { id: submission.id, round: 1, work_day: String(submission.day), author: { user_id: author.id, team_id: author.team_id }, asker: asker ? { user_id: asker.id, team_id: asker.team_id } : undefined }, { category, words, quality, similarity, own_similarity, weight, nth_of_day: nth }));
  }

  #book(entries: readonly NewEntry[]): void {
    for (const entry of entries) this.entries.push({ ...entry, seq: this.entries.length + 1 });
  }

  #count(category: CategoryKey, by: number): void {
    this.#done.set(category, (this.#done.get(category) ?? 0) + by);
    this.#need();
  }

  #need(): void {
    const goal = Math.ceil((this.#settings.people * this.#settings.days * 2) / CATEGORIES.length);
    this.#weights = needWeights(this.rules, CATEGORIES.map((category) => ({ category, goal, done: this.#done.get(category) ?? 0 })));
  }
}

export const clamp = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));

/** Words and minutes of a usual record: people write alike under any rules. */
export const USUAL = FIRST_RULES;

/** A record of one's own: length about that of Dolly's, time by length, quality by skill. */
export function honestText(sim: Campaign, person: Person, category: CategoryKey): Text {
  const words = Math.max(12, Math.round(USUAL.full_words[category] * Math.exp(sim.normal(0, 0.5))));
  const minutes = (USUAL.base_mp[category] / 1000) * (0.3 + 0.7 * (words / USUAL.full_words[category]));
  return { category, words, quality: clamp(sim.normal(person.skill, 0.7), 1, 5), similarity: Math.floor(50 + 250 * sim.random.next()), own_similarity: Math.floor(150 * sim.random.next()), minutes, copied: false };
}

/** Reading at 200 words a minute, then scores around what a careful reader would give. */
export function honestOpinion(sim: Campaign, person: Person, seen: Seen): Opinion {
  const about = seen.quality + sim.normal(0, person.noise * 0.7);
  const score = () => clamp(Math.round(about + sim.normal(0, person.noise * 0.7)), 1, 5);
  const scores: Scores = { follows_instruction: score(), correct: score(), clear: score(), grounded: null, category_fit: score() };
  const quality = overall(scores);
  const minutes = seen.words / 200 + 0.3;
  return { scores, verdict: quality >= 3000 ? 'accept' : quality >= 2500 ? 'fix' : 'reject', dwell_ms: minutes * 60_000, minutes };
}
