/** The ledger in the store: entries are added under the campaign's chain, never changed; what is booked twice is booked once. */
import { canonicalJson } from '../../artefacts/canonical.ts';
import { CHECKED_AT_ONCE } from '../../store/audit.ts';
import { ChainCheck, chainHead, holdChain, linksAfter, moveHead } from '../../store/chain.ts';
import type { Db, Tx } from '../../store/store.ts';
import type { LedgerEntriesTable } from '../../store/tables.ts';
import type { Selectable } from 'kysely';
import type { Campaign } from '../campaigns/current.ts';
import { instantOf, type Context } from '../context.ts';
import { ledgerFaults, type Entry, type EntryFactors, type NewEntry } from '../rules/ledger.ts';
import { POINTS_RULES } from '../rules/points-rules.ts';

export const chainOf = (campaignId: string): string => `ledger ${campaignId}`;

const bodyOf = (entry: NewEntry, at: Date) => ({ ...entry, at: at.toISOString() });

/** What is hashed: the number is the chain's. */
const unnumbered = (row: Selectable<LedgerEntriesTable>): NewEntry => ({
  user_id: row.user_id, team_id: row.team_id, kind: row.kind, subject: row.subject, rules_version: row.rules_version, delta_mp: row.delta_mp, factors: row.factors as EntryFactors, reverses: row.reverses, event_id: row.event_id, work_day: row.work_day,
});

const entryOf = (row: Selectable<LedgerEntriesTable>): Entry => ({ seq: row.seq, ...unnumbered(row) });

/** Books entries; those whose event is booked already are left out. Returns the new ones. */
export async function book(tx: Tx, context: Context, campaignId: string, entries: readonly NewEntry[]): Promise<number> {
  if (entries.length === 0) return 0;
  // Whoever holds the chain's head alone looks whether an event is booked.
  const head = await holdChain(tx, chainOf(campaignId));
  const known = new Set((await tx.selectFrom('ledger_entries').select('event_id').where('event_id', 'in', entries.map(({ event_id }) => event_id)).execute()).map(({ event_id }) => event_id));
  const at = instantOf(context);
  const fresh = entries.filter(({ event_id }) => !known.has(event_id));
  if (fresh.length === 0) return 0;
  const links = linksAfter(head, fresh.map((entry) => bodyOf(entry, at)));
  await tx.insertInto('ledger_entries').values(fresh.map((entry, i) => ({ ...links[i]!, campaign_id: campaignId, ...entry, factors: canonicalJson(entry.factors), at }))).execute();
  await moveHead(tx, chainOf(campaignId), links.at(-1)!);
  return fresh.length;
}

export async function entriesOf(db: Db | Tx, campaignId: string, filter: { readonly user?: string; readonly subject?: string; readonly before?: Date } = {}): Promise<Entry[]> {
  let query = db.selectFrom('ledger_entries').selectAll().where('campaign_id', '=', campaignId).orderBy('seq');
  if (filter.user !== undefined) query = query.where('user_id', '=', filter.user);
  if (filter.subject !== undefined) query = query.where('subject', '=', filter.subject);
  if (filter.before !== undefined) query = query.where('at', '<=', filter.before);
  return (await query.execute()).map(entryOf);
}

/** What is wrong with a campaign's ledger as it is now, and the first entry at fault: its chain, and that each entry follows from its own facts and rules. */
export async function verifyLedger(db: Db, campaign: Pick<Campaign, 'id'>): Promise<{ fault: string; at: number | null } | undefined> {
  const head = await chainHead(db, chainOf(campaign.id));
  const check = new ChainCheck();
  const entries: Entry[] = [];
  let fault: string | undefined;
  while (fault === undefined) {
    const rows = await db.selectFrom('ledger_entries').selectAll().where('campaign_id', '=', campaign.id).where('seq', '>', entries.at(-1)?.seq ?? 0).where('seq', '<=', head.seq).orderBy('seq').limit(CHECKED_AT_ONCE).execute();
    fault = check.fault(rows.map((row) => ({ seq: row.seq, prev_hash: row.prev_hash, hash: row.hash, body: bodyOf(unnumbered(row), row.at) })));
    entries.push(...rows.map(entryOf));
    if (rows.length < CHECKED_AT_ONCE) break;
  }
  fault ??= check.faultAtEnd(head) ?? ledgerFaults(entries, new Map(POINTS_RULES.map((rules) => [rules.version, rules])))[0];
  return fault === undefined ? undefined : { fault, at: Number(/entry (\d+)/.exec(fault)?.[1] ?? 0) || null };
}
