/**
 * Reports: somebody says that a record, a passage or a question breaks the rules; a moderator looks at it and settles it, with or without
 * doing something. Neither learns who the other is, nor whose the record is. All open reports about one thing are settled at once.
 */
import { audit } from '../../store/audit.ts';
import { newId } from '../../store/id.ts';
import type { Db, Tx } from '../../store/store.ts';
import type { ReportsTable } from '../../store/tables.ts';
import type { Selectable } from 'kysely';
import type { Person } from '../accounts/sessions.ts';
import { instantOf, type Context } from '../context.ts';
import { notFound, Refusal } from '../refusal.ts';
import { lockRecord, retractRecord, setAside } from '../reviewing/decide.ts';
import { actorsOf, mayAccess } from '../rules/access.ts';
import { forbids } from '../rules/campaign.ts';
import type { CategoryKey } from '../rules/categories.ts';
import { offered } from '../rules/machine.ts';
import { SUBMISSION } from '../rules/submission.ts';
import { excerptOf } from '../writing/drafts.ts';
import { rationaleOf, recordContent, reviewsOf } from '../writing/records.ts';
import { campaignById, requireCampaign } from './current.ts';
import { movePassageIn, passageView } from './passages.ts';

/** `review`: the record that a review is about, whose id its reviewer does not know. */
export type Reported = 'record' | 'review' | 'passage' | 'question';
/** What a moderator may do with the reported thing. `retract_copied` stops the author as well. */
export type ReportAct = 'none' | 'retract' | 'retract_copied' | 'set_aside' | 'block' | 'drop';

type Target = { readonly submission_id: string } | { readonly passage_id: string } | { readonly task_id: string };

/** Throws Refusal for what somebody has not been shown. */
async function targetOf(db: Db, person: Person, kind: Reported, id: string): Promise<Target> {
  const moderates = mayAccess('moderator', person.roles);
  if (kind === 'review') {
    const review = await db.selectFrom('reviews').select('submission_id').where('id', '=', id).where('reviewer_id', '=', person.id).executeTakeFirst();
    if (review) return review;
  } else if (kind === 'record') {
    const record = await db.selectFrom('submissions').select(['id', 'author_id']).where('id', '=', id).where('undone', '=', false).executeTakeFirst();
    if (record && (moderates || record.author_id === person.id)) return { submission_id: id };
  } else if (kind === 'passage') {
    // Passages are the campaign's, for everybody who takes part.
    const passage = await db.selectFrom('passages').select('id').where('id', '=', id).where('campaign_id', '=', (await requireCampaign(db)).id).executeTakeFirst();
    if (passage) return { passage_id: id };
  } else {
    const task = await db.selectFrom('tasks').select('id').where('id', '=', id).where('kind', '=', 'answer').executeTakeFirst();
    const held = task && (moderates || (await db.selectFrom('leases').select('id').where('task_id', '=', id).where('user_id', '=', person.id).executeTakeFirst()));
    if (held) return { task_id: id };
  }
  throw notFound();
}

/** What each kind of report is about, as the log names it. */
const SUBJECTS = { submission_id: { type: 'record', subject: 'submission' }, passage_id: { type: 'passage', subject: 'passage' }, task_id: { type: 'question', subject: 'task' } } as const;

/** Said again while it waits, the newer reason counts; what a moderator has settled stays settled for who reported it. */
export async function report(context: Context, person: Person, { kind, id, reason }: { readonly kind: Reported; readonly id: string; readonly reason: string }): Promise<void> {
  const target = await targetOf(context.store.db, person, kind, id);
  const [column, about] = Object.entries(target)[0] as [keyof typeof SUBJECTS, string];
  const { subject, type } = SUBJECTS[column];
  await context.store.transaction(async (tx) => {
    const at = instantOf(context);
    const written = await tx.insertInto('reports').values({ id: newId(context.now()), ...target, reporter_id: person.id, reason, at })
      .onConflict((c) => (column === 'submission_id' ? c.columns([column, 'reporter_id']) : c.columns([column, 'reporter_id']).where(column, 'is not', null)).doUpdateSet({ reason, at }).where('reports.state', '=', 'open')).returning('id').executeTakeFirst();
    if (!written) throw new Refusal('report_answered', 'A moderator has settled this already.');
    await audit(tx, { actor: person.id, type: `${type}.reported`, subject: `${subject}:${about}` }, at);
  });
}

const kindOf = ({ submission_id, passage_id }: Pick<Selectable<ReportsTable>, 'submission_id' | 'passage_id'>): 'record' | 'passage' | 'question' => (submission_id !== null ? 'record' : passage_id !== null ? 'passage' : 'question');

/** Without those about one's own records and questions: somebody else settles them. */
const reportsFor = (db: Db | Tx, person: Person) =>
  db.selectFrom('reports as r').leftJoin('submissions as s', 's.id', 'r.submission_id').leftJoin('submission_versions as v', (join) => join.onRef('v.submission_id', '=', 's.id').onRef('v.version', '=', 's.version')).leftJoin('passages as p', 'p.id', 'r.passage_id').leftJoin('tasks as t', 't.id', 'r.task_id')
    .select(['r.id', 'r.submission_id', 'r.passage_id', 'r.task_id', 'r.reason', 'r.state', 'r.answer', 'r.at', 'v.instruction', 'v.context', 'v.response', 'p.text as passage', 't.seed_instruction as question'])
    .where('s.author_id', 'is distinct from', person.id).where('t.asked_by', 'is distinct from', person.id);

type Listed = Awaited<ReturnType<ReturnType<typeof reportsFor>['execute']>>[number];

const rowOf = (row: Listed) => ({
  id: row.id, kind: kindOf(row), reason: row.reason, state: row.state, answer: row.answer, at: row.at.toISOString(),
  excerpt: excerptOf(row.submission_id !== null ? { instruction: row.instruction ?? '', context: '', response: row.response ?? '' } : { instruction: row.question ?? row.passage ?? '', context: '', response: '' }),
});

export async function listReports({ store: { db } }: Context, person: Person) {
  const rows = await reportsFor(db, person).orderBy((eb) => eb('r.state', '=', 'open'), 'desc').orderBy('r.at', 'desc').limit(500).execute();
  return rows.map(rowOf);
}

/** One report with the whole of what it is about, and what may be done. */
export async function reportCase(context: Context, person: Person, id: string) {
  const { db } = context.store;
  const row = await reportsFor(db, person).where('r.id', '=', id).executeTakeFirst();
  if (!row) throw notFound();
  const submission = row.submission_id === null ? undefined : await db.selectFrom('submissions').selectAll().where('id', '=', row.submission_id).executeTakeFirstOrThrow();
  const record = submission && { id: submission.id, state: submission.state, ...(await recordContent(db, submission, person.locale)), rationale: await rationaleOf(db, submission.id) };
  const task = row.task_id === null ? undefined : await db.selectFrom('tasks').select(['category', 'language', 'seed_instruction', 'passage_id']).where('id', '=', row.task_id).executeTakeFirstOrThrow();
  return {
    report: rowOf(row), record: record ?? null, reviews: submission ? await reviewsOf(db, submission.id) : [], passage: await passageView(db, row.passage_id ?? task?.passage_id ?? null),
    question: task ? { category: task.category as CategoryKey, language: task.language, text: task.seed_instruction ?? '' } : null, may: row.state === 'open' ? await actsFor(db, person, row) : [],
  };
}

async function actsFor(db: Db | Tx, person: Person, { submission_id, passage_id, task_id }: Pick<Listed, 'submission_id' | 'passage_id' | 'task_id'>): Promise<ReportAct[]> {
  if (submission_id !== null) {
    const { state, campaign_id, needs_decision } = await db.selectFrom('submissions').select(['state', 'campaign_id', 'needs_decision']).where('id', '=', submission_id).executeTakeFirstOrThrow();
    const campaign = await campaignById(db, campaign_id);
    const events = offered(SUBMISSION, state, actorsOf(person.roles));
    const may = (deed: 'retract' | 'adjudicate') => forbids(campaign.state, deed) === undefined;
    return ['none', ...(events.includes('retract') && may('retract') ? (['retract', 'retract_copied'] as const) : []), ...(events.includes('quarantine') && needs_decision === null && may('adjudicate') ? (['set_aside'] as const) : [])];
  }
  if (passage_id !== null) {
    const { state } = await db.selectFrom('passages').select('state').where('id', '=', passage_id).executeTakeFirstOrThrow();
    return state === 'blocked' ? ['none'] : ['none', 'block'];
  }
  const { state } = await db.selectFrom('tasks').select('state').where('id', '=', task_id!).executeTakeFirstOrThrow();
  return state === 'open' ? ['none', 'drop'] : ['none'];
}

/** Settles a report and all open ones about the same thing. `act`: what is done with it, where something is. */
export async function settleReport(context: Context, person: Person, id: string, { state, act, answer }: { readonly state: 'actioned' | 'dismissed'; readonly act: ReportAct; readonly answer: string }): Promise<void> {
  if (state === 'dismissed' && act !== 'none') throw new Refusal('invalid_request', 'What is dismissed has no consequence.', { fields: { act: 'is given for a dismissed report' } });
  await context.store.transaction(async (tx) => {
    const found = await reportsFor(tx, person).where('r.id', '=', id).executeTakeFirst();
    if (!found) throw notFound();
    if (found.submission_id !== null) await lockRecord(tx, found.submission_id);
    const held = await tx.selectFrom('reports').select('state').where('id', '=', id).forUpdate().executeTakeFirstOrThrow();
    if (held.state !== 'open') throw new Refusal('report_answered', 'A moderator has settled this already.');
    if (!(await actsFor(tx, person, found)).includes(act)) throw new Refusal('state_move', 'That is not possible in the state that it is in.', { values: { move: act, why_en: 'It is in another state by now.', why_ru: 'Состояние тем временем изменилось.' } });
    await carryOut(tx, context, person, found, act, answer);
    const about = found.submission_id !== null ? ({ submission_id: found.submission_id } as const) : found.passage_id !== null ? ({ passage_id: found.passage_id } as const) : ({ task_id: found.task_id! } as const);
    const [column, value] = Object.entries(about)[0] as ['submission_id', string];
    const settled = await tx.updateTable('reports').set({ state, answer, answered_by: person.id, answered_at: instantOf(context) }).where(column, '=', value).where('state', '=', 'open').returning('id').execute();
    for (const one of settled) await audit(tx, { actor: person.id, type: `report.${state}`, subject: `report:${one.id}`, payload: { act } }, instantOf(context));
  });
}

async function carryOut(tx: Tx, context: Context, person: Person, { submission_id, passage_id, task_id }: Listed, act: ReportAct, reason: string): Promise<void> {
  switch (act) {
    case 'none':
      return;
    case 'retract':
    case 'retract_copied':
      return retractRecord(tx, context, person, submission_id!, { reason, copied: act === 'retract_copied' });
    case 'set_aside':
      return setAside(tx, context, await lockRecord(tx, submission_id!), 'report', person.id, actorsOf(person.roles));
    case 'block':
      return movePassageIn(tx, context, person.id, person.roles, passage_id!, 'block');
    case 'drop':
      await tx.updateTable('tasks').set({ state: 'dropped' }).where('id', '=', task_id!).where('state', '=', 'open').execute();
      await tx.updateTable('leases').set({ state: 'released' }).where('task_id', '=', task_id!).where('state', '=', 'claimed').execute();
      await audit(tx, { actor: person.id, type: 'question.dropped', subject: `task:${task_id}` }, instantOf(context));
  }
}
