/** How reviewing goes, for moderators: agreement, hidden gold items, pairs who favour each other, and what the records say of the formula's starting values. */
import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import type { Context } from '../context.ts';
import { typingOf } from '../reviewing/reviews.ts';
import { agreementOn, type AgreementReview, type AgreementRow } from '../rules/agreement.ts';
import { calibrate } from '../rules/calibrate.ts';
import type { CategoryKey } from '../rules/categories.ts';
import type { EntryFactors } from '../rules/ledger.ts';
import { reciprocalPairs } from '../rules/reciprocity.ts';
import { answerTo } from '../rules/reliability.ts';
import { CRITERIA, overall, type Criterion, type Scores, type Verdict } from '../rules/review-outcome.ts';
import { requireCampaign, type Campaign } from './current.ts';

/** With fewer pairs a figure would say nothing. */
const LEAST_UNITS = 5;

/** A row of agreement as it is shown. */
function shown({ units: n, alpha, ac1, raw }: AgreementRow) {
  const rounded = (value: number | undefined) => (value === undefined || n < LEAST_UNITS ? null : Math.round(1000 * value) / 1000);
  return { alpha: rounded(alpha), ac1: rounded(ac1), raw: rounded(raw), n };
}

/** Of a large campaign each takes many milliseconds: others have their turn in between. */
async function agreement(of: Criterion | 'verdict', reviews: readonly AgreementReview[]) {
  await setImmediate();
  return shown(agreementOn(of, reviews));
}

export async function qualityView(context: Context) {
  const { db } = context.store;
  const campaign = await requireCampaign(db);
  const all = await db.selectFrom('reviews as r').innerJoin('submissions as s', 's.id', 'r.submission_id').select(['r.submission_id', 'r.version', 'r.round', 'r.scores', 'r.verdict', 'r.reviewer_id', 'r.state', 'r.valid', 'r.is_gold', 's.category', 's.author_id', 's.decided_at']).where('s.campaign_id', '=', campaign.id).where('r.submitted_at', 'is not', null).execute();
  // What was clicked through says nothing of how clear the guideline is; how gold was answered, also by those who then rested, does.
  const plain = all.filter(({ is_gold, state, valid }) => !is_gold && state === 'submitted' && valid !== false);
  const rated = plain.map(({ submission_id, version, round, category, scores, verdict }) => ({ version_id: `${submission_id} ${version} ${round}`, category, scores: scores as Scores, verdict: verdict as Verdict }));
  const golds = await db.selectFrom('golds as g').innerJoin('submissions as s', 's.id', 'g.submission_id').select(['g.submission_id', 'g.verdict']).where('s.campaign_id', '=', campaign.id).execute();
  const goldVerdict = new Map(golds.map(({ submission_id, verdict }) => [submission_id, verdict]));
  const answers = all.filter(({ is_gold, submission_id }) => is_gold && goldVerdict.has(submission_id));
  const decided = await db.selectFrom('submissions').select(['category', 'state', 'created_at', 'decided_at']).where('campaign_id', '=', campaign.id).where('state', 'in', ['accepted', 'rejected']).where('lapsed', '=', false).where('decided_at', 'is not', null).execute();
  const hours = decided.map(({ created_at, decided_at }) => (decided_at!.getTime() - created_at.getTime()) / 3_600_000).sort((a, b) => a - b);
  const categories = await db.selectFrom('categories').select('key').where('campaign_id', '=', campaign.id).orderBy('position').execute();
  const criteria = [];
  for (const criterion of CRITERIA) criteria.push({ criterion, ...(await agreement(criterion, rated)) });
  const byCategory = [];
  for (const { key } of categories) {
    const here = decided.filter(({ category }) => category === key);
    byCategory.push({ category: key as never, ...(await agreement('verdict', rated.filter(({ category }) => category === key))), accept_rate: here.length === 0 ? null : Math.round((1000 * here.filter(({ state }) => state === 'accepted').length) / here.length) / 1000 });
  }
  return {
    criteria, categories: byCategory,
    gold: { items: golds.length, answered: answers.length, right: answers.filter(({ submission_id, verdict }) => answerTo(goldVerdict.get(submission_id)!, verdict as Verdict) === 'right').length },
    median_hours: hours.length === 0 ? null : Math.round(10 * hours[Math.floor(hours.length / 2)]!) / 10,
    pairs: await pairs(db, plain.filter(({ decided_at }) => decided_at !== null)), pilot: await pilot(db, campaign),
  };
}

interface Scored {
  readonly submission_id: string;
  readonly version: number;
  readonly round: number;
  readonly author_id: string;
  readonly reviewer_id: string;
  readonly scores: unknown;
}

/** Pairs who are kind to each other, by name: a hint for moderators, never a verdict. Only of records that are decided. */
async function pairs(db: Db, reviews: readonly Scored[]) {
  const found = reciprocalPairs(reviews.map(({ submission_id, version, round, author_id, reviewer_id, scores }) => ({ submission_id: `${submission_id} ${version} ${round}`, author_id, reviewer_id, quality: overall(scores as Scores) })));
  if (found.length === 0) return [];
  const people = await db.selectFrom('users').select(['id', 'display_name']).where('id', 'in', found.flatMap(({ pair }) => [...pair])).execute();
  const name = (id: string) => people.find((person) => person.id === id)?.display_name ?? '';
  return found.map(({ pair: [a, b], reviews: n, lean }) => ({ names: [name(a), name(b)] as [string, string], reviews: n, lean }));
}

/** What accepted records say about the formula's base and full size, beside what they are. */
async function pilot(db: Db, campaign: Campaign) {
  // The ledger says how many words they have: counting those of thousands anew takes seconds.
  const rows = await db.selectFrom('submissions as s').innerJoin('submission_versions as v', (join) => join.onRef('v.submission_id', '=', 's.id').onRef('v.version', '=', 's.version'))
    .innerJoin('ledger_entries as e', (join) => join.onRef('e.campaign_id', '=', 's.campaign_id').on('e.subject', '=', sql<string>`'submission:' || s.id`).on('e.kind', '=', 'record'))
    .leftJoin('ledger_entries as r', (join) => join.onRef('r.campaign_id', '=', 'e.campaign_id').onRef('r.reverses', '=', 'e.seq'))
    .select(['s.category', 'e.factors', 'v.telemetry']).where('s.campaign_id', '=', campaign.id).where('s.state', '=', 'accepted').where('r.seq', 'is', null).execute();
  // Whose typing was erased says nothing of the time that it took.
  const timed = rows.flatMap(({ category, factors, telemetry }) => {
    const typing = typingOf(telemetry);
    return typing ? [{ category: category as CategoryKey, words: (factors as EntryFactors & { kind: 'record' }).facts.words, active_ms: typing.active_ms }] : [];
  });
  const { rules, found } = calibrate(campaign.points, 'pilot', timed);
  return found.map(({ category, records, minutes }) => ({
    category, records, base_mp: campaign.points.base_mp[category], full_words: campaign.points.full_words[category], found: minutes === undefined ? null : { base_mp: rules.base_mp[category], full_words: rules.full_words[category] },
  }));
}
