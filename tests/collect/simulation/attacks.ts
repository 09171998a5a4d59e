/**
 * The attacks of the scoring table, each beside the same people playing honestly: what it yields. Every figure is a mean over seeds with
 * its standard error. A gain of 1.1 means 10 % more points than the same person would have had by honest work in the same time.
 */
import { Random } from '../../../src/artefacts/random.ts';
import { seedOf } from '../../../src/collect/rules/chance.ts';
import { auditOutcome, auditSample, type AuditVote } from '../../../src/collect/rules/prizes.ts';
import { reversalsOf, sumsByUser } from '../../../src/collect/rules/ledger.ts';
import { CATEGORIES } from '../../../src/collect/rules/categories.ts';
import { FIRST_RULES, type PointsRules } from '../../../src/collect/rules/points-rules.ts';
import { FORM_RULES } from '../../../src/collect/rules/forms.ts';
import { LEASE_TIMES, LEASES_AT_ONCE } from '../../../src/collect/rules/work.ts';
import { Campaign, clamp, honestOpinion, honestText, type Opinion, type Outcome, type Person, type Plan, type Seen, USUAL } from './campaign.ts';

export interface Size {
  readonly people: number;
  readonly days: number;
  readonly seeds: number;
}

export interface Finding {
  readonly attack: string;
  readonly how: string;
  readonly answer: string;
  /** What `value` is. */
  readonly figure: string;
  readonly value: number;
  readonly error: number;
  /** The bar that it has to be under. */
  readonly at_most?: number;
}

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
const spread = (values: readonly number[]): number => (values.length < 2 ? 0 : Math.sqrt(values.reduce((sum, v) => sum + (v - mean(values)) ** 2, 0) / (values.length - 1) / values.length));
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

const accept = (minutes: number): Opinion => ({ scores: { follows_instruction: 5, correct: 5, clear: 5, grounded: null, category_fit: 5 }, verdict: 'accept', dwell_ms: minutes * 60_000, minutes });

// Ways to play ---------------------------------------------------------------------------------------------------------

/** The same words and thoughts as two records of half the size: a second question to think of, each half thinner. */
const splitter: Plan = {
  name: 'splitter',
  write: (sim, person, category) => {
    const whole = honestText(sim, person, category);
    const least = FORM_RULES[category].instruction.min + FORM_RULES[category].response.min;
    return { ...whole, words: Math.max(least, Math.floor(whole.words / 2)), minutes: whole.minutes * 0.55, quality: clamp(whole.quality - 0.2, 1, 5) };
  },
};

/** The smallest record that the form lets through, in as little time as its words take. */
export const dwarf: Plan = {
  name: 'dwarf',
  write: (sim, person, category) => {
    const words = FORM_RULES[category].instruction.min + FORM_RULES[category].response.min;
    return { ...honestText(sim, person, category), words, minutes: (USUAL.base_mp[category] / 1000) * (0.3 + 0.7 * (words / USUAL.full_words[category])), quality: clamp(sim.normal(person.skill - 0.3, 0.6), 1, 5) };
  },
};

/** One record, then four changed copies of it; what is copied costs no time, but a minute to change it well. */
const copyist = (similarity: number): Plan => ({
  name: `copyist ${similarity}`,
  write: (sim, person, category) => {
    const turn = person.notes.get('turn') ?? 0;
    person.notes.set('turn', turn + 1);
    const text = honestText(sim, person, category);
    return turn % 5 === 0 ? text : { ...text, own_similarity: similarity, similarity, minutes: text.minutes * (0.25 + 0.75 * (1 - similarity / 1000)) };
  },
});

const flooder: Plan = {
  name: 'flooder', reviews: -1, revises: false,
  write: (sim, person, category) => ({ ...honestText(sim, person, category), quality: clamp(sim.normal(1.75, 0.5), 1, 5), minutes: 0.4 }),
};

/** Pastes what a generator wrote: fluent, quick, not their own. */
const paster: Plan = {
  name: 'paster',
  write: (sim, person, category) => ({ ...honestText(sim, person, category), quality: clamp(sim.normal(4.2, 0.4), 1, 5), minutes: 0.8, copied: true }),
};

/** Members know each other's records by a sign, give them the best scores, and pass others on while they may. */
function ring(members: readonly string[], sloppy: boolean): Plan {
  const ours = new Set(members);
  return {
    name: sloppy ? 'ring, sloppy' : 'ring',
    judge: (sim, person, seen) => (ours.has(seen.author) ? { ...honestOpinion(sim, person, seen), ...accept(0.5), dwell_ms: 60_000 + seen.words * 100 } : honestOpinion(sim, person, seen)),
    takes: (_, person, seen) => ours.has(seen.author) || person.skippedToday >= 4,
    ...(sloppy ? { write: (sim: Campaign, person: Person, category: (typeof CATEGORIES)[number]) => { const text = honestText(sim, person, category); return { ...text, quality: clamp(text.quality - 1, 1, 5), minutes: text.minutes * 0.6 }; } } : {}),
  };
}

/** Bots that only review: `dwell` minutes for each, by their own way of judging. */
const bot = (name: string, judge: (sim: Campaign, person: Person, seen: Seen) => Opinion): Plan => ({ name, reviews: 1, writes: false, judge });
const clicker = bot('clicks at once', () => accept(0.03));
const patient = bot('waits, accepts everything', (_, __, seen) => accept(0.1 + seen.words / 600));
const dice = bot('waits, throws dice', (sim, person, seen) => {
  const quality = 1 + 4 * sim.random.next();
  return { ...honestOpinion(sim, { ...person, noise: 0.3 }, { ...seen, quality }), dwell_ms: 60_000 * (0.1 + seen.words / 600), minutes: 0.1 + seen.words / 600 };
});

/** Writes honestly, clicks through reviews. */
const lazy: Plan = { name: 'lazy reviewer', judge: (_, __, seen) => accept(0.05 + seen.words / 600) };

const best = (sim: Campaign): { category: (typeof CATEGORIES)[number]; weight: number } => {
  const weights = sim.weights();
  const category = [...CATEGORIES].sort((a, b) => weights[b]! - weights[a]!)[0]!;
  return { category, weight: weights[category]! };
};
const picker: Plan = { name: 'picks the highest W', choose: (sim) => best(sim) };
/** Claims as many tasks as may be held when W is high, and uses them until the longest lease ends. */
const hoarder: Plan = {
  name: 'hoards claims',
  choose: (sim, person) => {
    for (let i = 0; i < LEASES_AT_ONCE; i++) {
      const until = person.notes.get(`until ${i}`) ?? -1;
      const now = best(sim);
      if (until < sim.now || (person.notes.get(`weight ${i}`) ?? 0) < now.weight) {
        person.notes.set(`until ${i}`, sim.now + LEASE_TIMES.most_ms).set(`weight ${i}`, now.weight).set(`category ${i}`, CATEGORIES.indexOf(now.category));
      }
    }
    const held = Array.from({ length: LEASES_AT_ONCE }, (_, i) => i).sort((a, b) => person.notes.get(`weight ${b}`)! - person.notes.get(`weight ${a}`)!)[0]!;
    person.notes.set(`until ${held}`, -1);
    return { category: CATEGORIES[person.notes.get(`category ${held}`)!]!, weight: person.notes.get(`weight ${held}`)! };
  },
};

/** Nothing until the last day, then all the minutes of the campaign. */
const sniper = (days: number): Plan => ({ name: 'sniper', minutes: (person, day) => (day < days - 1 ? 0 : person.pace * days) });

const asker: Plan = { name: 'floods questions', asks: true };

// Measures -------------------------------------------------------------------------------------------------------------

/** A campaign for each seed, with these plans for the first people. */
function play(size: Size, rules: PointsRules, plans: readonly Plan[]): Outcome[] {
  return Array.from({ length: size.seeds }, (_, i) => new Campaign({ people: size.people, days: size.days, teams: 10, seed: i + 1, rules, plans }).run());
}

const pointsOf = (outcome: Outcome, n: number): number => mean(outcome.people.slice(0, n).map(({ id }) => outcome.points.get(id)!));

/** Mean points of the first n people beside what they have without the attack, as a ratio of means; its error by the seeds. */
function gain(plays: readonly Outcome[], honest: readonly Outcome[], n: number): { value: number; error: number } {
  const [a, b] = [plays.map((outcome) => pointsOf(outcome, n)), honest.map((outcome) => pointsOf(outcome, n))];
  const value = mean(a) / mean(b);
  // Delta method for a ratio of means of independent runs.
  return { value, error: value * Math.hypot(spread(a) / Math.max(1, mean(a)), spread(b) / mean(b)) };
}

const rounded = <T extends Finding>(finding: T): T => ({ ...finding, value: Math.round(finding.value * 1000) / 1000, error: Math.round(finding.error * 1000) / 1000 });

/** What one way to play yields beside honest work, by a tenth of the people. */
export function yieldOf(plan: Plan, size: Size, rules: PointsRules): { value: number; error: number } {
  const n = Math.max(1, Math.floor(size.people / 10));
  return gain(play(size, rules, Array.from({ length: n }, () => plan)), play(size, rules, []), n);
}

/** Ten of a hundred play the attack at once, so that the mean says something; the ring is five. */
export function attacks(size: Size, rules: PointsRules = FIRST_RULES): Finding[] {
  const found: Finding[] = [];
  const TEN = Math.max(1, Math.floor(size.people / 10));
  const many = (plan: Plan) => play(size, rules, Array.from({ length: TEN }, () => plan));
  const honest = play(size, rules, []);
  const compare = (attack: string, how: string, answer: string, plan: Plan, at_most?: number, base: readonly Outcome[] = honest) => {
    const plays = many(plan);
    found.push({ attack, how, answer, figure: 'points over honest points', ...gain(plays, base, TEN), ...(at_most === undefined ? {} : { at_most }) });
    return plays;
  };

  compare('many tiny or near-same records', 'each record split into two halves', 'size, D', splitter, 1.02);
  compare('many tiny or near-same records', 'the smallest records that the form lets through', 'size, D', dwarf, 1.02);
  for (const similarity of [300, 500, 700]) compare('many tiny or near-same records', `four of five are copies of an own one, similarity ${similarity / 1000}`, 'N', copyist(similarity), 1.02);

  const floods = compare('junk flood', 'junk of which about 3 % is accepted, 0.4 minutes each', 'pay on accept, pending cap', flooder);
  const shares = floods.map((outcome) => mean(outcome.people.slice(0, TEN).map(({ id }) => outcome.points.get(id)!)) / median(outcome.people.slice(TEN).map(({ id }) => outcome.points.get(id)!)));
  found.push({ attack: 'junk flood', how: 'the same, beside the honest median of the same campaign', answer: 'pay on accept, pending cap', figure: 'points over the honest median', value: mean(shares), error: spread(shares), at_most: 1 });
  const rates = floods.flatMap((outcome) => outcome.people.slice(0, TEN).map(({ accepted, rejected }) => accepted / Math.max(1, accepted + rejected)));
  found.push({ attack: 'junk flood', how: 'accepted share of the flood', answer: '', figure: 'share', value: mean(rates), error: spread(rates) });

  const pastes = compare('pasted from a generator', 'before the audit', 'attestation, hints', paster);
  for (const seen of [0.9, 0.5, 0.2]) {
    const left = pastes.flatMap((outcome, s) => outcome.people.slice(0, TEN).map(({ id }) => afterAudit(outcome, rules, id, seen, `seed ${s}`) / Math.max(1, pointsOf(honest[s]!, TEN))));
    found.push({ attack: 'pasted from a generator', how: `after the audit, if a moderator notices ${seen * 100} % of such records`, answer: 'audit, claw-back', figure: 'points over honest points', value: mean(left), error: spread(left), ...(seen === 0.9 ? { at_most: 0.1 } : {}) });
  }

  const members = ['p0', 'p1', 'p2', 'p3', 'p4'];
  for (const sloppy of [false, true]) {
    const plan = ring(members, sloppy);
    const plays = play(size, rules, members.map(() => plan));
    found.push({ attack: 'friends approve each other', how: `a ring of 5 in ${size.people}${sloppy ? ', who also write worse and faster' : ''}`, answer: 'random blind assignment, pair cap, few skips', figure: 'points over honest points', ...gain(plays, honest, 5), at_most: 1.05 });
  }

  // The time of one person on two accounts: a quarter of it reviews the other account's records.
  const half = (share: number, partner: (person: Person) => string, writes: boolean): Plan => ({
    name: 'puppet', writes, reviews: writes ? 0.66 : 1, minutes: (person) => person.pace * share,
    judge: (sim, person, seen) => (seen.author === partner(person) ? { ...accept(0.5), dwell_ms: 60_000 + seen.words * 100 } : honestOpinion(sim, person, seen)),
    takes: (_, person, seen) => seen.author === partner(person) || person.skippedToday >= 4,
  });
  const pairs = Math.floor(size.people / 20);
  const numbered = (person: Person) => Number(person.id.slice(1));
  const puppets = play(size, rules, [...Array.from({ length: pairs }, () => half(0.75, (p) => `p${numbered(p) + pairs}`, true)), ...Array.from({ length: pairs }, () => half(0.25, (p) => `p${numbered(p) - pairs}`, false))]);
  found.push({ attack: 'sock puppets', how: 'a second account that reviews for the first, out of one person’s time', answer: 'invitations by person; random blind assignment, pair cap', figure: 'points over honest points', ...gain(puppets, honest, pairs), at_most: 1.02 });

  for (const plan of [clicker, patient, dice]) {
    const plays = many(plan);
    const points = plays.flatMap((outcome) => outcome.people.slice(0, TEN).map(({ id }) => outcome.points.get(id)! / 1000));
    const raw = plays.flatMap((outcome) => outcome.people.slice(0, TEN).map(({ id }) => (outcome.sums.get(id)?.review_mp ?? 0) / 1000));
    found.push({ attack: 'review by clicking', how: `reviews alone, ${plan.name}`, answer: 'dwell floor, gold, constant pattern, 30 % share', figure: 'points on the board', value: mean(points), error: spread(points), at_most: 0 });
    found.push({ attack: 'review by clicking', how: `reviews alone, ${plan.name}: before the 30 % rule`, answer: 'dwell floor, gold, constant pattern', figure: 'points booked for reviews', value: mean(raw), error: spread(raw) });
  }
  compare('review by clicking', 'writes honestly, accepts everything unread', 'gold: the pay of such reviews is taken back', lazy);

  const picks = compare('waiting for a high W', 'always writes what is needed most (as intended)', 'W within 0.7 and 1.5', picker);
  compare('waiting for a high W', 'hoards claims, beside who writes what is needed most', 'W fixed at the claim, one lease, two hours at most', hoarder, 1.03, picks);
  compare('last-minute snipe', 'all the time of the campaign on its last day', 'D, pending cap', sniper(size.days), 1);
  const rests = honest.flatMap((outcome) => outcome.people.filter(({ reviews }) => reviews.length >= 10).map(({ reviews }) => (reviews.some(({ state }) => state === 'voided') ? 1 : 0)));
  found.push({ attack: 'none', how: 'honest reviewers whose reviews are voided by chance', answer: '', figure: 'share', value: mean(rests), error: spread(rests), at_most: 0.05 });
  const unpaid = honest.flatMap((outcome) => outcome.people.filter(({ reviews }) => reviews.length >= 10).map(({ reviews }) => (reviews.every(({ state }) => state === 'held') ? 1 : 0)));
  found.push({ attack: 'none', how: 'honest reviewers with ten reviews or more who are never paid', answer: '', figure: 'share', value: mean(unpaid), error: spread(unpaid), at_most: 0.05 });
  const kept = honest.map((outcome) => outcome.submissions.filter(({ state }) => state === 'accepted').length / outcome.submissions.length);
  found.push({ attack: 'none', how: 'honest records that are accepted', answer: '', figure: 'share', value: mean(kept), error: spread(kept) });
  compare('question flood', 'as many questions as may be open, half a minute each, beside honest work', '10 %, three open questions', asker, 1.05);
  return found.map(rounded);
}

/** Points of a candidate after a blind audit by two moderators who each notice a copied record with this probability. */
function afterAudit(outcome: Outcome, rules: PointsRules, user_id: string, notices: number, seed: string): number {
  const accepted = outcome.submissions.filter(({ author_id, state }) => author_id === user_id && state === 'accepted');
  if (accepted.length === 0) return 0;
  const copied = new Map(accepted.map(({ id, copied }) => [id, copied]));
  const random = new Random(seedOf(`${seed} ${user_id} ${notices}`));
  const votes = new Map(
    auditSample(accepted.map(({ id }) => id), user_id, seed).map((id) => {
      const vote = (): AuditVote => (copied.get(id) && random.next() < notices ? 'fail' : 'pass');
      const first = [vote(), vote()];
      return [id, first[0] === first[1] ? first : [...first, vote()]];
    }),
  );
  const result = auditOutcome(votes);
  if (!result.done) throw new Error('the audit is not done');
  const sums = outcome.sums.get(user_id)!;
  if (!result.forfeit) return Math.max(0, sums.points_mp - Math.floor((sums.points_mp * result.failed.length) / result.sampled));
  // Forfeited: everything that was written is taken back.
  const mine = outcome.entries.filter((entry) => entry.user_id === user_id);
  const back = accepted.flatMap(({ id }) => reversalsOf(`submission:${id}`, mine, 'retracted')).map((entry, i) => ({ ...entry, seq: outcome.entries.length + 1 + i }));
  return sumsByUser([...mine, ...back], rules).get(user_id)!.points_mp;
}
