/** Taking a task, keeping it, giving it back. A lease is a task that one person works on; its end frees the task, never the draft. */
import { audit } from '../../store/audit.ts';
import { newId } from '../../store/id.ts';
import type { Db, Tx } from '../../store/store.ts';
import type { Person } from '../accounts/sessions.ts';
import { categoryFacts } from '../campaigns/facts.ts';
import { holdCampaign, requireCampaign, type Campaign } from '../campaigns/current.ts';
import { drawPassage } from '../campaigns/passages.ts';
import { instantOf, type Context } from '../context.ts';
import { closedFor, notFound, Refusal } from '../refusal.ts';
import { forbidsNew } from '../rules/campaign.ts';
import { NEEDS_PASSAGE, type CategoryKey } from '../rules/categories.ts';
import { FORM_RULES } from '../rules/forms.ts';
import { pendingCap } from '../rules/pending.ts';
import { PENDING } from '../rules/submission.ts';
import { leaseEnd, LEASES_AT_ONCE } from '../rules/work.ts';
import { answerable, languageFor } from './questions.ts';

/** How many records of somebody wait for a decision, and how many may. */
export async function pendingOf(db: Db | Tx, campaign: Campaign, person: Pick<Person, 'id' | 'stopped'>) {
  const rows = await db.selectFrom('submissions').select(['state', (eb) => eb.fn.countAll<number>().as('n')]).where('author_id', '=', person.id).where('campaign_id', '=', campaign.id).where('undone', '=', false).groupBy('state').execute();
  const count = (states: readonly string[]) => rows.filter(({ state }) => states.includes(state)).reduce((sum, { n }) => sum + n, 0);
  const { cap, because } = pendingCap(campaign.points, { accepted: count(['accepted']), rejected: count(['rejected']), stopped: person.stopped });
  return { pending: count(PENDING), cap, because };
}

export async function requirePending(db: Db | Tx, campaign: Campaign, person: Pick<Person, 'id' | 'stopped'>): Promise<void> {
  const { pending, cap, because } = await pendingOf(db, campaign, person);
  if (pending >= cap) throw new Refusal('pending_cap', `${pending} of your records wait for a decision, ${cap} may. Review something meanwhile; with more accepted ones you may have more waiting.`, { values: { pending, cap, because } });
}

export interface Claim {
  readonly category: CategoryKey;
  readonly kind: 'author' | 'answer';
  readonly language?: string | undefined;
}

/** Takes a task and opens its draft; leads to the one that is held, whatever was asked for, where no more may be held. */
export async function claimTask(context: Context, person: Person, { category, kind, language: wanted }: Claim): Promise<string> {
  const outside = await requireCampaign(context.store.db);
  const facts = await categoryFacts(context.store.db, outside);
  const weight = facts.find((one) => one.category === category)?.weight;
  if (weight === undefined) throw notFound();
  return context.store.transaction(async (tx) => {
    await tx.selectFrom('users').select('id').where('id', '=', person.id).forUpdate().execute();
    const campaign = await holdCampaign(tx, outside.id);
    const why = forbidsNew(campaign.state, context.now(), campaign.starts_at.getTime());
    if (why) throw closedFor(why);
    const now = context.now();
    await expireLeases(tx, now, person.id);
    const held = await tx.selectFrom('leases as l').innerJoin('drafts as d', (join) => join.onRef('d.task_id', '=', 'l.task_id').onRef('d.user_id', '=', 'l.user_id')).select('d.id').where('l.user_id', '=', person.id).where('l.state', '=', 'claimed').where('d.state', '=', 'open').where('d.campaign_id', '=', campaign.id).orderBy('l.claimed_at', 'desc').execute();
    if (held.length >= LEASES_AT_ONCE) return held[0]!.id;
    await requirePending(tx, campaign, person);
    const language = languageFor(campaign, person, wanted);
    const task = kind === 'answer' ? await questionFor(tx, campaign, person, category, language) : await newTask(tx, context, campaign, person, category, language);
    const lease = newId(now);
    await tx.insertInto('leases').values({ id: lease, task_id: task.id, user_id: person.id, weight, claimed_at: new Date(now), expires_at: new Date(leaseEnd(now, now)) }).execute();
    const kept = await tx.selectFrom('drafts').select('id').where('user_id', '=', person.id).where('task_id', '=', task.id).where('state', '=', 'open').executeTakeFirst();
    if (kept) return kept.id;
    const draft = newId(now);
    const body = { instruction: task.seed_instruction ?? '', context: task.passage, response: '' };
    await tx.insertInto('drafts').values({ id: draft, user_id: person.id, campaign_id: campaign.id, task_id: task.id, category, language, body: JSON.stringify(body), created_at: new Date(now), saved_at: new Date(now) }).execute();
    return draft;
  });
}

interface TakenTask {
  readonly id: string;
  readonly seed_instruction: string | null;
  readonly passage: string;
}

async function newTask(tx: Tx, context: Context, campaign: Campaign, person: Person, category: CategoryKey, language: string): Promise<TakenTask> {
  const id = newId(context.now());
  const passageId = NEEDS_PASSAGE.includes(category) ? await drawPassage(tx, campaign, person.id, language, FORM_RULES[category].context!, context.random) : null;
  if (passageId === undefined) throw new Refusal('no_passage', 'There is no passage that you have not had. Ask the organisers for more, or choose another category.');
  await tx.insertInto('tasks').values({ id, campaign_id: campaign.id, category, kind: 'author', passage_id: passageId, language, created_at: instantOf(context) }).execute();
  const passage = passageId === null ? '' : (await tx.selectFrom('passages').select('text').where('id', '=', passageId).executeTakeFirstOrThrow()).text;
  return { id, seed_instruction: null, passage };
}

/** Somebody else's question that nobody works on. */
async function questionFor(tx: Tx, campaign: Campaign, person: Person, category: CategoryKey, language: string): Promise<TakenTask> {
  const row = await tx.selectFrom('tasks as t').leftJoin('passages as p', 'p.id', 't.passage_id').select(['t.id', 't.seed_instruction', 'p.text as passage']).where('t.category', '=', category).where(answerable(campaign, person.id, language))
    .orderBy('t.created_at').limit(1).forUpdate('t').skipLocked().executeTakeFirst();
  if (!row) throw new Refusal('nothing_to_do', 'Nobody has asked a question here that waits for an answer.');
  return { id: row.id, seed_instruction: row.seed_instruction, passage: row.passage ?? '' };
}

/** Leases whose time ran out end; the drafts stay. Of one person, or of everybody. */
export async function expireLeases(db: Db | Tx, now: number, userId?: string): Promise<number> {
  let query = db.updateTable('leases').set({ state: 'expired' }).where('state', '=', 'claimed').where('expires_at', '<=', new Date(now));
  if (userId !== undefined) query = query.where('user_id', '=', userId);
  return Number((await query.executeTakeFirst()).numUpdatedRows);
}

/** A sign of work: the lease lasts on, unless its time ran out. */
export async function extendLease(context: Context, person: Person, id: string): Promise<string> {
  return context.store.transaction(async (tx) => {
    const lease = await tx.selectFrom('leases').selectAll().where('id', '=', id).where('user_id', '=', person.id).forUpdate().executeTakeFirst();
    if (!lease) throw notFound();
    const now = context.now();
    const end = leaseEnd(lease.claimed_at.getTime(), now);
    if (lease.state !== 'claimed' || end <= now) throw new Refusal('lease_gone', 'The time for this task ran out. Your text is kept as a draft.');
    await tx.updateTable('leases').set({ expires_at: new Date(end), extended: lease.extended + 1 }).where('id', '=', id).execute();
    return new Date(end).toISOString();
  });
}

/** Gives a task back with a reason. The draft stays, if something is in it. */
export async function releaseDraft(context: Context, person: Person, draftId: string, reason: string): Promise<void> {
  await context.store.transaction(async (tx) => {
    const draft = await tx.selectFrom('drafts').selectAll().where('id', '=', draftId).where('user_id', '=', person.id).forUpdate().executeTakeFirst();
    if (!draft) throw notFound();
    if (draft.task_id === null) return;
    const lease = await tx.updateTable('leases').set({ state: 'released' }).where('task_id', '=', draft.task_id).where('user_id', '=', person.id).where('state', '=', 'claimed').returning('id').executeTakeFirst();
    const written = draft.body as { response: string; instruction: string };
    const task = await tx.selectFrom('tasks').select(['kind', 'seed_instruction']).where('id', '=', draft.task_id).executeTakeFirstOrThrow();
    if (draft.state === 'open' && written.response.trim() === '' && (written.instruction.trim() === '' || written.instruction === task.seed_instruction)) {
      await tx.updateTable('drafts').set({ state: 'discarded' }).where('id', '=', draftId).execute();
      if (task.kind === 'author') await tx.updateTable('tasks').set({ state: 'dropped' }).where('id', '=', draft.task_id).execute();
    }
    if (lease) await audit(tx, { actor: person.id, type: 'task.released', subject: `task:${draft.task_id}`, payload: { reason: reason.length } }, instantOf(context));
  });
}
