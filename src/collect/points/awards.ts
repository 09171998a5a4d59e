/** Prizes: candidates after the end, a blind audit of what they wrote, and who gets which place. The rules are in rules/prizes.ts. */
import { audit, AUDIT_CHAIN } from '../../store/audit.ts';
import { chainHead } from '../../store/chain.ts';
import { newId } from '../../store/id.ts';
import { lockName, type Db, type Store, type Tx } from '../../store/store.ts';
import type { Person } from '../accounts/sessions.ts';
import { givenConsent } from '../campaigns/consent.ts';
import { holdCampaign, requireCampaign, type Campaign } from '../campaigns/current.ts';
import { instantOf, type Context } from '../context.ts';
import { closedFor, notFound, Refusal, refusedMove } from '../refusal.ts';
import { goldAnswers } from '../reviewing/pay.ts';
import { actorsOf } from '../rules/access.ts';
import { boardRows, type BoardRow } from '../rules/boards.ts';
import { forbids } from '../rules/campaign.ts';
import { offered, step } from '../rules/machine.ts';
import { auditSample, placements, prizeGate, type CandidateFacts, type Unmet } from '../rules/prizes.ts';
import { AWARD, type AwardEvent, type AwardState } from '../rules/work.ts';
import { auditProgress, closeAudit } from './audits.ts';
import { chainOf, entriesOf } from './ledger.ts';

async function factsOfCandidate(db: Db | Tx, campaign: Campaign, userId: string): Promise<CandidateFacts> {
  const rows = await db.selectFrom('submissions').select(['id', 'state', 'category']).where('author_id', '=', userId).where('campaign_id', '=', campaign.id).where('undone', '=', false).execute();
  const of = (state: string) => rows.filter((row) => row.state === state);
  const golds = await goldAnswers(db, campaign, userId);
  const flags = rows.length === 0 ? { n: 0 } : await db.selectFrom('reports').select((eb) => eb.fn.countAll<number>().as('n')).where('state', '=', 'open').where('submission_id', 'in', rows.map(({ id }) => id)).executeTakeFirstOrThrow();
  return {
    accepted: of('accepted').length, rejected: of('rejected').length + of('retracted').length, categories: new Set(of('accepted').map(({ category }) => category)).size, gold_seen: golds.length, gold_right: golds.filter((answer) => answer === 'right').length,
    open_flags: flags.n, consent_current: (await givenConsent(db, userId, campaign.id)) === campaign.consent_version,
  };
}

const RULES = { accepted: 'accepted', categories: 'categories', accept_rate: 'accept_rate', gold_right: 'gold', open_flags: 'flags', consent_current: 'consent' } as const;
const gateView = (unmet: readonly Unmet[]) => Object.entries(RULES).map(([condition, rule]) => ({ rule, met: !unmet.some((one) => one.condition === condition) }));

/** Who is nominated: see `nominate`. Those who have no place at present come last. */
export async function listAwards(context: Context, person: Person) {
  const { db } = context.store;
  const campaign = await requireCampaign(db);
  const rows = await db.selectFrom('awards as a').innerJoin('users as u', 'u.id', 'a.user_id').select(['a.id', 'a.user_id', 'a.state', 'a.place', 'a.prize', 'a.points_mp', 'a.reason', 'a.sample', 'u.display_name']).where('a.campaign_id', '=', campaign.id).orderBy('a.place', (order) => order.asc().nullsLast()).execute();
  const awards = [];
  for (const row of rows) {
    const unmet = prizeGate(await factsOfCandidate(db, campaign, row.user_id));
    awards.push({
      id: row.id, place: row.place, prize: row.prize, name: row.display_name, points_mp: row.points_mp, state: row.state, reason: row.reason, gate: gateView(unmet), audit: await auditProgress(db, row), may: offered(AWARD, row.state, actorsOf(person.roles)).filter((event) => event === 'forfeit' || (row.place !== null && row.user_id !== person.id)),
    });
  }
  return awards;
}

/** More than a campaign has prizes, and who could still move up. */
const LOOKED_AT = 200;

/** The first of a board who meet the conditions: as many as there are places, and no more are looked at. */
async function eligibleOf(tx: Tx, campaign: Campaign, rows: readonly BoardRow[], forfeited: ReadonlySet<string>): Promise<Set<string>> {
  const places = Math.max(0, ...campaign.prizes.map(({ to }) => to));
  const eligible = new Set<string>();
  let last: BoardRow | undefined;
  for (const row of rows.slice(0, LOOKED_AT)) {
    // Who is equal to the last one is looked at too: the lot is between them.
    if (eligible.size >= places && last && (row.points_mp !== last.points_mp || row.quality !== last.quality)) break;
    if (forfeited.has(row.user_id) || prizeGate(await factsOfCandidate(tx, campaign, row.user_id)).length > 0) continue;
    eligible.add(row.user_id);
    last = row;
  }
  return eligible;
}

/**
 * Candidates are known once nothing new is taken in: before that it does nothing. Places follow from who can win: those of later ones move up by
 * themselves, and who falls behind the last prize keeps an award without a place. What is confirmed only ever moves up.
 */
export async function nominate(tx: Tx, context: Context, campaignId: string): Promise<void> {
  const campaign = await holdCampaign(tx, campaignId);
  if (forbids(campaign.state, 'audit') !== undefined) return;
  await lockName(tx, `awards ${campaign.id}`);
  const rows = boardRows(await entriesOf(tx, campaign.id), campaign.points);
  const awards = await tx.selectFrom('awards').selectAll().where('campaign_id', '=', campaign.id).execute();
  const eligible = await eligibleOf(tx, campaign, rows, new Set(awards.filter(({ state }) => state === 'forfeited').map(({ user_id }) => user_id)));
  // The lot of the audit is drawn once: later entries of the ledger change nothing of it.
  const { hash: head } = await chainHead(tx, chainOf(campaign.id));
  const seed = awards.find(({ seed: drawn }) => drawn !== '')?.seed ?? head;
  const prizes = campaign.prizes.map(({ from, to, text }, i) => ({ id: String(i), rank_from: from, rank_to: to, text }));
  const placed = new Map(placements(rows, eligible, prizes, seed).map(({ user_id, place, prize_id }) => [user_id, { place, prize: prizes[Number(prize_id)]!.text }]));
  const pointsOf = new Map(rows.map(({ user_id, points_mp }) => [user_id, points_mp]));
  for (const known of awards) {
    const { place, prize } = placed.get(known.user_id) ?? { place: null, prize: '' };
    const points_mp = pointsOf.get(known.user_id) ?? 0;
    const moves = ['candidate', 'audited'].includes(known.state) || (known.state === 'confirmed' && place !== null && known.place !== null && place < known.place);
    if (moves && (known.place !== place || known.prize !== prize || known.points_mp !== points_mp)) await tx.updateTable('awards').set({ place, prize, points_mp }).where('id', '=', known.id).execute();
  }
  for (const [user_id, { place, prize }] of placed) {
    if (awards.some((award) => award.user_id === user_id)) continue;
    const accepted = await tx.selectFrom('submissions').select('id').where('author_id', '=', user_id).where('campaign_id', '=', campaign.id).where('state', '=', 'accepted').execute();
    await tx.insertInto('awards').values({ id: newId(context.now()), campaign_id: campaign.id, user_id, state: 'candidate', place, prize, seed, points_mp: pointsOf.get(user_id)!, sample: JSON.stringify(auditSample(accepted.map(({ id }) => id), user_id, seed)), created_at: instantOf(context) }).execute();
  }
}

/** By store and campaign: up to which entries of ledger and log the nominations are known to be right. */
const nominatedAt = new WeakMap<Store, { readonly campaign: string; readonly at: string }>();

/** The same, where something was booked or done since it was last found right: whatever a nomination follows from is in one of the two chains. True if it looked. */
export async function nominateIfChanged(context: Context, { id, state }: Pick<Campaign, 'id' | 'state'>): Promise<boolean> {
  if (forbids(state, 'audit') !== undefined) return false;
  const { store } = context;
  const at = JSON.stringify([await chainHead(store.db, chainOf(id)), await chainHead(store.db, AUDIT_CHAIN)]);
  const known = nominatedAt.get(store);
  if (known?.campaign === id && known.at === at) return false;
  await store.transaction((tx) => nominate(tx, context, id));
  nominatedAt.set(store, { campaign: id, at });
  return true;
}

export async function moveAward(context: Context, person: Person, id: string, event: AwardEvent, reason: string): Promise<void> {
  await context.store.transaction(async (tx) => {
    const award = await tx.selectFrom('awards').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
    if (!award) throw notFound();
    const campaign = await holdCampaign(tx, award.campaign_id);
    const why = event === 'deliver' || event === 'audit' ? forbids(campaign.state, event) : undefined;
    if (why) throw closedFor(why);
    if (award.user_id === person.id && event !== 'forfeit') throw new Refusal('own_record', 'Somebody else decides about your own prize.');
    const found = step(AWARD, award.state, event, actorsOf(person.roles));
    if (!found.ok) throw refusedMove(found.code, found.why);
    if (event === 'forfeit' && reason.trim() === '') throw new Refusal('invalid_request', 'A forfeited place needs its reason.', { fields: { reason: 'is empty' } });
    if (event !== 'forfeit' && award.place === null) throw new Refusal('prize_gate', 'There is no prize for this candidate at present.');
    if (event === 'confirm' && prizeGate(await factsOfCandidate(tx, campaign, award.user_id)).length > 0) throw new Refusal('prize_gate', 'The conditions for a prize are not met any more.');
    const judged = event === 'audit' ? await closeAudit(tx, context, campaign, person, award) : undefined;
    const state = judged?.forfeit ? lost(award.state) : found.to;
    const says = judged ? `${judged.failed.length}/${judged.sampled}` : reason;
    await tx.updateTable('awards').set({ state, reason: says, ...(state === 'forfeited' && { place: null }) }).where('id', '=', id).execute();
    await audit(tx, { actor: person.id, type: `award.${judged?.forfeit ? 'forfeit' : event}`, subject: `award:${id}`, payload: { user: award.user_id, ...(judged && { failed: judged.failed.length, sampled: judged.sampled }) } }, instantOf(context));
    // The others move up, or down past who has fewer points now.
    if (judged || event === 'forfeit') await nominate(tx, context, campaign.id);
  });
}

/** The state of a place that an audit takes: by the program, whoever closes it. */
function lost(state: AwardState): AwardState {
  const found = step(AWARD, state, 'forfeit', 'system');
  if (!found.ok) throw refusedMove(found.code, found.why);
  return found.to;
}
