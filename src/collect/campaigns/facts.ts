/** How far a campaign is: counts by category, kept for a moment, since every page asks for them. */
import type { Db } from '../../store/store.ts';
import type { CategoryKey } from '../rules/categories.ts';
import { needWeights } from '../rules/points.ts';
import type { Campaign } from './current.ts';

export interface CategoryFacts {
  readonly category: CategoryKey;
  readonly goal: number;
  readonly accepted: number;
  /** Handed in and undecided. */
  readonly in_review: number;
  readonly rejected: number;
  readonly changes_requested: number;
  readonly claimed: number;
  /** Factor W in thousandths. */
  readonly weight: number;
}

const KEPT_MS = 1500;
const kept = new WeakMap<Db, { campaign: string; until: number; facts: Promise<CategoryFacts[]> }>();

/** `fresh`: not from what is kept. */
export function categoryFacts(db: Db, campaign: Campaign, fresh = false): Promise<CategoryFacts[]> {
  const known = kept.get(db);
  if (!fresh && known && known.campaign === campaign.id && known.until > performance.now()) return known.facts;
  const facts = readFacts(db, campaign);
  kept.set(db, { campaign: campaign.id, until: performance.now() + KEPT_MS, facts });
  facts.catch(() => kept.delete(db));
  return facts;
}

const IN_REVIEW: readonly string[] = ['submitted', 'checking', 'in_review', 'quarantined', 'appealed'];

async function readFacts(db: Db, campaign: Campaign): Promise<CategoryFacts[]> {
  const [categories, counts, claims] = await Promise.all([
    db.selectFrom('categories').select(['key', 'goal']).where('campaign_id', '=', campaign.id).orderBy('position').execute(),
    db.selectFrom('submissions').select(['category', 'state', (eb) => eb.fn.countAll<number>().as('n')]).where('campaign_id', '=', campaign.id).where('undone', '=', false).groupBy(['category', 'state']).execute(),
    db.selectFrom('leases as l').innerJoin('tasks as t', 't.id', 'l.task_id').select(['t.category', (eb) => eb.fn.countAll<number>().as('n')]).where('t.campaign_id', '=', campaign.id).where('l.state', '=', 'claimed').groupBy('t.category').execute(),
  ]);
  const count = (category: string, states: readonly string[]) => counts.filter((row) => row.category === category && states.includes(row.state)).reduce((sum, { n }) => sum + n, 0);
  const facts = categories.map(({ key, goal }) => ({
    category: key as CategoryKey, goal, accepted: count(key, ['accepted']), in_review: count(key, IN_REVIEW), rejected: count(key, ['rejected']), changes_requested: count(key, ['changes_requested', 'needs_fix']),
    claimed: claims.find(({ category }) => category === key)?.n ?? 0,
  }));
  const weights = needWeights(campaign.points, facts.map(({ category, goal, accepted, in_review, claimed }) => ({ category, goal, done: accepted + in_review + claimed })));
  return facts.map((one) => ({ ...one, weight: weights[one.category]! }));
}
