/**
 * Records that wait for their author do not wait for ever: after a week without an answer they lapse, and at once when nobody can answer any
 * more. While a campaign is paused nothing lapses. A lapsed record is a rejected one: it can be appealed.
 */
import { audit } from '../../store/audit.ts';
import type { Db, Tx } from '../../store/store.ts';
import type { Campaign } from '../campaigns/current.ts';
import { instantOf, type Context } from '../context.ts';
import { forbids } from '../rules/campaign.ts';
import { lapsesAt, WAITS_FOR_AUTHOR } from '../rules/submission.ts';
import { moved } from './submit.ts';

interface Waiting {
  readonly decided_at: Date | null;
  readonly waiting_since: Date;
  readonly worked_at: Date | null;
}

/** Until when an author may answer; null: there is no end to it now. */
export function answerBy(campaign: Pick<Campaign, 'state' | 'resumed_at'>, { decided_at, waiting_since, worked_at }: Waiting): number | null {
  if (campaign.state === 'paused') return null;
  const asked = (decided_at ?? waiting_since).getTime();
  return forbids(campaign.state, 'revise') === undefined ? lapsesAt(asked, worked_at?.getTime(), campaign.resumed_at?.getTime()) : asked;
}

const waiting = (db: Db | Tx, campaignId: string) =>
  db.selectFrom('submissions as s').select(['s.id', 's.author_id', 's.state', 's.decided_at', 's.waiting_since', (eb) => eb.selectFrom('drafts as d').select('d.saved_at').whereRef('d.revises', '=', 's.id').where('d.state', '=', 'open').as('worked_at')])
    .where('s.campaign_id', '=', campaignId).where('s.state', 'in', [...WAITS_FOR_AUTHOR]).where('s.undone', '=', false).orderBy('s.author_id').orderBy('s.id');

/** When the record of an author lapses, for that author; null where it does not wait. */
export async function lapseOf(db: Db, campaign: Campaign, id: string): Promise<Date | null> {
  const row = await waiting(db, campaign.id).where('s.id', '=', id).executeTakeFirst();
  const at = row && answerBy(campaign, row);
  return at === undefined || at === null ? null : new Date(at);
}

/** Lets lapse what is due; how many. */
export async function lapseRecords(tx: Tx, context: Context, campaign: Campaign): Promise<number> {
  const due = (row: Waiting): boolean => {
    const at = answerBy(campaign, row);
    return at !== null && at <= context.now();
  };
  let lapsed = 0;
  for (const { id, author_id } of (await waiting(tx, campaign.id).execute()).filter(due)) {
    await tx.selectFrom('users').select('id').where('id', '=', author_id).forUpdate().execute();
    await tx.selectFrom('submissions').select('id').where('id', '=', id).forUpdate().execute();
    // Its author may have been quicker.
    const row = await waiting(tx, campaign.id).where('s.id', '=', id).executeTakeFirst();
    if (!row || !due(row)) continue;
    await tx.updateTable('submissions').set({ state: moved(row.state, 'lapse', 'system'), lapsed: true, decided_at: instantOf(context) }).where('id', '=', id).execute();
    await tx.updateTable('drafts').set({ state: 'discarded' }).where('revises', '=', id).where('state', '=', 'open').execute();
    await audit(tx, { actor: null, type: 'record.lapsed', subject: `submission:${id}`, payload: { from: row.state } }, instantOf(context));
    lapsed++;
  }
  return lapsed;
}
