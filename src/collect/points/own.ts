/** One's own entries of the ledger, each with the lines that its points follow from: every point can be opened by whose it is. */
import type { Person } from '../accounts/sessions.ts';
import { requireCampaign } from '../campaigns/current.ts';
import type { Context } from '../context.ts';
import { explain, sumsByUser, type Explained } from '../rules/ledger.ts';
import { POINTS_RULES } from '../rules/points-rules.ts';
import { entriesOf } from './ledger.ts';

const MOST = 1000;

/** A line in one shape: what it is, points or a factor, and what these are from. */
function lineOf(line: Explained) {
  const { line: name, ...rest } = line;
  const { mp = null, factor = null, from = {}, ...values } = rest as { mp?: number; factor?: number; from?: Record<string, number> } & Record<string, string | number>;
  return { line: name, mp, factor, values: { ...from, ...values } };
}

export async function ownPoints({ store: { db } }: Context, person: Person) {
  const campaign = await requireCampaign(db);
  const entries = await entriesOf(db, campaign.id, { user: person.id });
  const times = new Map((await db.selectFrom('ledger_entries').select(['seq', 'at']).where('campaign_id', '=', campaign.id).where('user_id', '=', person.id).execute()).map(({ seq, at }) => [seq, at]));
  const records = new Set((await db.selectFrom('submissions').select('id').where('author_id', '=', person.id).where('campaign_id', '=', campaign.id).execute()).map(({ id }) => id));
  const reversed = new Set(entries.map(({ reverses }) => reverses));
  const sums = sumsByUser(entries, campaign.points).get(person.id);
  const idOf = (subject: string) => (subject.startsWith('submission:') ? subject.slice('submission:'.length) : '');
  return {
    points_mp: sums?.points_mp ?? 0, reviews_mp: sums?.review_mp ?? 0, reviews_counted_mp: sums?.review_counted_mp ?? 0,
    entries: entries.slice(-MOST).reverse().map(({ seq, kind, subject, delta_mp, factors, rules_version }) => ({
      seq, kind, at: times.get(seq)!.toISOString(), delta_mp, taken_back: reversed.has(seq), record_id: records.has(idOf(subject)) ? idOf(subject) : null, rules_version, lines: explain(POINTS_RULES.find(({ version }) => version === rules_version) ?? campaign.points, factors).map(lineOf),
    })),
  };
}
