/** Drafts: kept by compare-and-swap on a revision, so that a second tab or device never overwrites what it has not seen. */
import type { Person } from '../accounts/sessions.ts';
import { guidelineOf } from '../campaigns/guidelines.ts';
import { campaignById } from '../campaigns/current.ts';
import { passageView } from '../campaigns/passages.ts';
import type { Context } from '../context.ts';
import { notFound, Refusal } from '../refusal.ts';
import { serverFindings, type ServerFinding } from '../checks/findings.ts';
import type { CategoryKey } from '../rules/categories.ts';
import type { RecordText } from '../rules/forms.ts';
import { leaseEnd, LEASE_TIMES } from '../rules/work.ts';

export const excerptOf = (text: RecordText): string => {
  const line = (text.instruction.trim() || text.response.trim()).replace(/\s+/g, ' ');
  return line.length > 140 ? `${[...line].slice(0, 139).join('')}…` : line;
};

export const sameText = (a: RecordText, b: RecordText): boolean => a.instruction === b.instruction && a.context === b.context && a.response === b.response;

async function ownDraft(context: Context, person: Person, id: string) {
  const draft = await context.store.db.selectFrom('drafts').selectAll().where('id', '=', id).where('user_id', '=', person.id).executeTakeFirst();
  if (!draft || draft.state === 'discarded') throw notFound();
  if (draft.state === 'submitted') throw new Refusal('draft_closed', 'This draft was handed in.');
  return { ...draft, body: draft.body as RecordText };
}

export async function draftView(context: Context, person: Person, id: string) {
  const { db } = context.store;
  const draft = await ownDraft(context, person, id);
  const task = draft.task_id === null ? undefined : await db.selectFrom('tasks').selectAll().where('id', '=', draft.task_id).executeTakeFirst();
  const lease = task && (await db.selectFrom('leases').select(['id', 'expires_at', 'weight']).where('task_id', '=', task.id).where('user_id', '=', person.id).where('state', '=', 'claimed').where('expires_at', '>', new Date(context.now())).executeTakeFirst());
  return {
    draft: { id, category: draft.category as CategoryKey, body: draft.body, revision: draft.revision, saved_at: draft.saved_at.toISOString(), language: draft.language },
    lease: lease ? { id: lease.id, expires_at: lease.expires_at.toISOString(), weight: lease.weight } : null,
    task: task ? { id: task.id, kind: task.kind, passage: await passageView(db, task.passage_id), question: task.seed_instruction } : null,
    guideline: await guidelineOf(db, draft.campaign_id, draft.category, person.locale), revises: draft.revises,
  };
}

export async function openDrafts({ store: { db } }: Context, userId: string, campaignId: string) {
  const rows = await db.selectFrom('drafts').select(['id', 'category', 'body', 'saved_at']).where('user_id', '=', userId).where('campaign_id', '=', campaignId).where('state', '=', 'open').orderBy('saved_at', 'desc').limit(50).execute();
  return rows.map(({ id, category, body, saved_at }) => ({ id, category: category as CategoryKey, excerpt: excerptOf(body as RecordText), saved_at: saved_at.toISOString() }));
}

/** Saves if the draft is at the revision that the client has seen. The same text again is no conflict: an answer may have been lost. */
export async function saveDraft(context: Context, person: Person, id: string, { body, revision, device }: { readonly body: RecordText; readonly revision: number; readonly device: string }) {
  const { db } = context.store;
  const now = context.now();
  const saved = await db.updateTable('drafts').set((eb) => ({ body: JSON.stringify(body), device, saved_at: new Date(now), revision: eb('revision', '+', 1) }))
    .where('id', '=', id).where('user_id', '=', person.id).where('state', '=', 'open').where('revision', '=', revision).returning(['revision', 'task_id']).executeTakeFirst();
  if (saved) {
    if (saved.task_id !== null) await keepLease(context, person.id, saved.task_id, now);
    return { revision: saved.revision, saved_at: new Date(now).toISOString() };
  }
  const draft = await ownDraft(context, person, id);
  if (sameText(draft.body, body)) return { revision: draft.revision, saved_at: draft.saved_at.toISOString() };
  // Nothing that was written is lost: what did not fit is kept beside.
  await db.insertInto('draft_versions').values({ draft_id: id, revision, kind: 'conflict', body: JSON.stringify(body), device, at: new Date(now) }).execute();
  throw conflictOf(draft);
}

export const conflictOf = (draft: { readonly body: unknown; readonly revision: number; readonly saved_at: Date }): Refusal =>
  new Refusal('draft_conflict', 'This draft was changed elsewhere.', { extra: { draft: { body: draft.body, revision: draft.revision, saved_at: draft.saved_at.toISOString() } } });

/** Not at every save: once a good part of the lease is used up. */
async function keepLease({ store: { db } }: Context, userId: string, taskId: string, now: number): Promise<void> {
  const lease = await db.selectFrom('leases').select(['id', 'claimed_at', 'expires_at']).where('task_id', '=', taskId).where('user_id', '=', userId).where('state', '=', 'claimed').executeTakeFirst();
  if (!lease) return;
  const end = leaseEnd(lease.claimed_at.getTime(), now);
  if (end - lease.expires_at.getTime() > LEASE_TIMES.idle_ms / 10) await db.updateTable('leases').set({ expires_at: new Date(end) }).where('id', '=', lease.id).where('state', '=', 'claimed').execute();
}

export async function discardDraft(context: Context, person: Person, id: string): Promise<void> {
  await context.store.transaction(async (tx) => {
    const draft = await tx.updateTable('drafts').set({ state: 'discarded' }).where('id', '=', id).where('user_id', '=', person.id).where('state', '=', 'open').returning(['task_id', 'revises']).executeTakeFirst();
    if (!draft) throw notFound();
    if (draft.task_id !== null) await tx.updateTable('leases').set({ state: 'released' }).where('task_id', '=', draft.task_id).where('user_id', '=', person.id).where('state', '=', 'claimed').execute();
  });
}

/** What the server finds in a text that is being written. Form rules are looked at in the browser. */
export async function checkDraft(context: Context, person: Person, id: string, body: RecordText): Promise<readonly ServerFinding[]> {
  const draft = await ownDraft(context, person, id);
  const campaign = await campaignById(context.store.db, draft.campaign_id);
  const { findings } = await serverFindings(context, campaign, { category: draft.category as CategoryKey, language: draft.language, text: body, author: person.id, own: draft.revises ?? undefined });
  return findings;
}
