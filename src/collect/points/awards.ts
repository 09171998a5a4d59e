/** Prizes: candidates after the end, a blind audit of what they wrote, and who gets which place. The rules are in rules/prizes.ts. */
import { audit } from '../../store/audit.ts';
import { chainHead } from '../../store/chain.ts';
import { newId } from '../../store/id.ts';
import { lockName, type Db, type Tx } from '../../store/store.ts';
import type { Person } from '../accounts/sessions.ts';
import { givenConsent } from '../campaigns/consent.ts';
import { holdCampaign, requireCampaign, type Campaign } from '../campaigns/current.ts';
import { instantOf, type Context } from '../context.ts';
import { closedFor, notFound, Refusal, refusedMove } from '../refusal.ts';
import { goldAnswers } from '../reviewing/pay.ts';
import { actorsOf } from '../rules/access.ts';
import { boardRows } from '../rules/boards.ts';
import { forbids } from '../rules/campaign.ts';
import { offered, step } from '../rules/machine.ts';
import { auditSample, placements, prizeGate, type CandidateFacts, type Unmet } from '../rules/prizes.ts';
import { AWARD, type AwardEvent } from '../rules/work.ts';
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

/** Who is nominated: see `nominate`. */
export async function listAwards(context: Context, person: Person) {
  const { db } = context.store;
  const campaign = await requireCampaign(db);
  const rows = await db.selectFrom('awards as a').innerJoin('users as u', 'u.id', 'a.user_id').select(['a.id', 'a.user_id', 'a.state', 'a.place', 'a.prize', 'a.points_mp', 'u.display_name']).where('a.campaign_id', '=', campaign.id).orderBy('a.place').execute();
  const awards = [];
  for (const row of rows) {
    const unmet = prizeGate(await factsOfCandidate(db, campaign, row.user_id));
    awards.push({ id: row.id, place: row.place, prize: row.prize, name: row.display_name, points_mp: row.points_mp, state: row.state, gate: gateView(unmet), may: offered(AWARD, row.state, actorsOf(person.roles)) });
  }
  return awards;
}

/** Candidates are known once nothing new is taken in: before that it does nothing. Places follow from who can win, so those of later ones move up by themselves. */
export async function nominate(tx: Tx, context: Context, campaignId: string): Promise<void> {
  const campaign = await holdCampaign(tx, campaignId);
  if (forbids(campaign.state, 'audit') !== undefined) return;
  await lockName(tx, `awards ${campaign.id}`);
  const rows = boardRows(await entriesOf(tx, campaign.id), campaign.points);
  const awards = await tx.selectFrom('awards').selectAll().where('campaign_id', '=', campaign.id).execute();
  const forfeited = new Set(awards.filter(({ state }) => state === 'forfeited').map(({ user_id }) => user_id));
  const eligible = new Set<string>();
  for (const { user_id } of rows.slice(0, 200)) if (!forfeited.has(user_id) && prizeGate(await factsOfCandidate(tx, campaign, user_id)).length === 0) eligible.add(user_id);
  const { hash: seed } = await chainHead(tx, chainOf(campaign.id));
  const prizes = campaign.prizes.map(({ from, to, text }, i) => ({ id: String(i), rank_from: from, rank_to: to, text }));
  for (const { user_id, place, prize_id } of placements(rows, eligible, prizes, seed)) {
    const prize = prizes[Number(prize_id)]!.text;
    const points_mp = rows.find((row) => row.user_id === user_id)!.points_mp;
    const known = awards.find((award) => award.user_id === user_id);
    if (known) {
      if (['candidate', 'audited'].includes(known.state) && (known.place !== place || known.prize !== prize)) await tx.updateTable('awards').set({ place, prize }).where('id', '=', known.id).execute();
      continue;
    }
    const accepted = await tx.selectFrom('submissions').select('id').where('author_id', '=', user_id).where('campaign_id', '=', campaign.id).where('state', '=', 'accepted').execute();
    await tx.insertInto('awards').values({ id: newId(context.now()), campaign_id: campaign.id, user_id, state: 'candidate', place, prize, points_mp, sample: JSON.stringify(auditSample(accepted.map(({ id }) => id), user_id, seed)), created_at: instantOf(context) }).execute();
  }
}

export async function moveAward(context: Context, person: Person, id: string, event: AwardEvent, reason: string): Promise<void> {
  await context.store.transaction(async (tx) => {
    const award = await tx.selectFrom('awards').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
    if (!award) throw notFound();
    const campaign = await holdCampaign(tx, award.campaign_id);
    const why = event === 'deliver' ? forbids(campaign.state, 'deliver') : undefined;
    if (why) throw closedFor(why);
    const found = step(AWARD, award.state, event, actorsOf(person.roles));
    if (!found.ok) throw refusedMove(found.code, found.why);
    if (event === 'forfeit' && reason.trim() === '') throw new Refusal('invalid_request', 'A forfeited place needs its reason.', { fields: { reason: 'is empty' } });
    if (event === 'confirm' && prizeGate(await factsOfCandidate(tx, campaign, award.user_id)).length > 0) throw new Refusal('prize_gate', 'The conditions for a prize are not met any more.');
    await tx.updateTable('awards').set({ state: found.to, reason }).where('id', '=', id).execute();
    await audit(tx, { actor: person.id, type: `award.${event}`, subject: `award:${id}`, payload: { user: award.user_id } }, instantOf(context));
  });
}
