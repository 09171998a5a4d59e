/**
 * Questions for colleagues to answer. Asking pays a share of the accepted answer's points and nothing else, so few may be open at once. The
 * question is checked like a record's instruction; who answers cannot change it, so that each part has one contributor.
 */
import type { ExpressionBuilder } from 'kysely';
import { audit } from '../../store/audit.ts';
import { newId } from '../../store/id.ts';
import { lockName, type Db, type Tx } from '../../store/store.ts';
import type { Database } from '../../store/tables.ts';
import { normalise } from '../../text/normalise.ts';
import type { Person } from '../accounts/sessions.ts';
import { requireConsent } from '../campaigns/consent.ts';
import { holdCampaign, requireCampaign, type Campaign } from '../campaigns/current.ts';
import { drawPassage, passageView } from '../campaigns/passages.ts';
import { questionFindings, type ServerFinding } from '../checks/findings.ts';
import { instantOf, type Context } from '../context.ts';
import { entriesOf } from '../points/ledger.ts';
import { closedFor, notFound, Refusal } from '../refusal.ts';
import { forbidsNew } from '../rules/campaign.ts';
import { NEEDS_PASSAGE, type CategoryKey } from '../rules/categories.ts';
import { FORM_RULES } from '../rules/forms.ts';
import { OPEN_QUESTIONS } from '../rules/pending.ts';
import { recordPoints } from '../rules/points.ts';

export interface QuestionInput {
  readonly category: CategoryKey;
  readonly language: string;
  readonly instruction: string;
  /** What it is about, where the category has a passage. */
  readonly passage_id: string | null;
}

/** The language that is wanted, else the person's own where the campaign has it. Throws Refusal for one that it has not. */
export function languageFor(campaign: Campaign, person: Pick<Person, 'locale'>, wanted: string | undefined): string {
  const language = wanted ?? (campaign.languages.includes(person.locale) ? person.locale : campaign.languages[0]!);
  if (!campaign.languages.includes(language)) throw notFound();
  return language;
}

/** Questions that this person may answer now: of others, with nobody at work on them, not given back by the same person before, about no blocked passage. */
export const answerable = (campaign: Campaign, userId: string, language: string) => (eb: ExpressionBuilder<Database & { t: Database['tasks'] }, 't'>) =>
  eb.and([
    eb('t.campaign_id', '=', campaign.id), eb('t.kind', '=', 'answer'), eb('t.state', '=', 'open'), eb('t.language', '=', language), eb('t.asked_by', 'is distinct from', userId),
    eb.not(eb.exists(eb.selectFrom('leases as l').select('l.id').whereRef('l.task_id', '=', 't.id').where((e) => e.or([e('l.state', '=', 'claimed'), e.and([e('l.user_id', '=', userId), e('l.state', '=', 'released')])])))),
    eb.not(eb.exists(eb.selectFrom('passages as blocked').select('blocked.id').whereRef('blocked.id', '=', 't.passage_id').where('blocked.state', '=', 'blocked'))),
  ]);

/** How many questions of each category somebody could answer. */
export async function answerableCounts(db: Db, campaign: Campaign, person: Person): Promise<Map<string, number>> {
  const rows = await db.selectFrom('tasks as t').select(['t.category', (eb) => eb.fn.countAll<number>().as('n')]).where(answerable(campaign, person.id, languageFor(campaign, person, undefined))).groupBy('t.category').execute();
  return new Map(rows.map(({ category, n }) => [category, n]));
}

/** A passage to ask about: verified, new to this person, of those that were used least, by lot. */
export async function passageToAskAbout({ store: { db }, random }: Context, person: Person, category: CategoryKey, language: string) {
  const campaign = await requireCampaign(db);
  if (!NEEDS_PASSAGE.includes(category)) throw notFound();
  const id = await drawPassage(db, campaign, person.id, languageFor(campaign, person, language), FORM_RULES[category].context!, random);
  const passage = id === undefined ? null : await passageView(db, id);
  if (!passage) throw new Refusal('no_passage', 'There is no passage that you have not had. Ask the organisers for more, or choose another category.');
  return passage;
}

/** Asks. Throws Refusal with what has to be mended first. */
export async function askQuestion(context: Context, person: Person, question: QuestionInput): Promise<string> {
  const { db } = context.store;
  const outside = await requireCampaign(db);
  const { category } = question;
  const language = languageFor(outside, person, question.language);
  const known = await db.selectFrom('categories').select('key').where('campaign_id', '=', outside.id).where('key', '=', category).where('goal', '>', 0).executeTakeFirst();
  if (!known) throw notFound();
  const passage = question.passage_id === null ? undefined : await db.selectFrom('passages').select(['id', 'text']).where('id', '=', question.passage_id).where('campaign_id', '=', outside.id).where('state', '=', 'verified').where('language', '=', language).executeTakeFirst();
  if (question.passage_id !== null && !passage) throw notFound();
  const { findings } = await questionFindings(context, outside, { category, language, text: { instruction: question.instruction, context: passage?.text ?? '', response: '' }, author: person.id, own: undefined });
  if (findings.some(({ severity }) => severity === 'block')) throw new Refusal('findings', 'Something has to be mended before this can be asked.', { extra: { findings } });
  return context.store.transaction(async (tx) => {
    await tx.selectFrom('users').select('id').where('id', '=', person.id).forUpdate().execute();
    const campaign = await holdCampaign(tx, outside.id);
    const why = forbidsNew(campaign.state, context.now(), campaign.starts_at.getTime());
    if (why) throw closedFor(why);
    await requireConsent(tx, person.id, campaign);
    await requireRoom(tx, campaign, person);
    await requireUnasked(tx, campaign, question);
    const id = newId(context.now());
    await tx.insertInto('tasks').values({ id, campaign_id: campaign.id, category, kind: 'answer', passage_id: passage?.id ?? null, asked_by: person.id, seed_instruction: question.instruction.trim(), language, created_at: instantOf(context) }).execute();
    await audit(tx, { actor: person.id, type: 'question.asked', subject: `task:${id}`, payload: { category } }, instantOf(context));
    return id;
  });
}

async function openOf(db: Db | Tx, campaign: Campaign, userId: string): Promise<number> {
  const { n } = await db.selectFrom('tasks').select((eb) => eb.fn.countAll<number>().as('n')).where('asked_by', '=', userId).where('campaign_id', '=', campaign.id).where('kind', '=', 'answer').where('state', '=', 'open').executeTakeFirstOrThrow();
  return n;
}

async function requireRoom(tx: Tx, campaign: Campaign, person: Person): Promise<void> {
  const open = await openOf(tx, campaign, person.id);
  const most = person.stopped ? 0 : OPEN_QUESTIONS;
  if (open >= most) throw new Refusal('open_questions', `${open} of your questions wait for an answer; ${most} may at once.`, { values: { open, most } });
}

/** Of two who ask the very same at once, the second is refused. */
async function requireUnasked(tx: Tx, campaign: Campaign, { category, instruction, passage_id }: QuestionInput): Promise<void> {
  const text = normalise(instruction);
  await lockName(tx, `question ${campaign.id} ${category}`);
  const open = await tx.selectFrom('tasks').select('seed_instruction').where('campaign_id', '=', campaign.id).where('category', '=', category).where('kind', '=', 'answer').where('state', '=', 'open').where('passage_id', 'is not distinct from', passage_id).execute();
  if (open.some(({ seed_instruction }) => normalise(seed_instruction ?? '') === text)) throw new Refusal('findings', 'This question waits for an answer already.', { extra: { findings: [{ code: 'like_another', field: 'instruction', severity: 'block', values: { percent: 100 }, spans: [] } satisfies ServerFinding] } });
}

/** Takes a question back that nobody works on. One that was answered is part of a record of two people. */
export async function dropQuestion(context: Context, person: Person, id: string): Promise<void> {
  await context.store.transaction(async (tx) => {
    const task = await tx.selectFrom('tasks').select('state').where('id', '=', id).where('asked_by', '=', person.id).where('kind', '=', 'answer').forUpdate().executeTakeFirst();
    if (!task || task.state === 'dropped') throw notFound();
    const taken = await tx.selectFrom('leases').select('id').where('task_id', '=', id).where('state', '=', 'claimed').executeTakeFirst();
    if (task.state === 'done' || taken) throw new Refusal('question_taken', 'Somebody answers this question, or has answered it.');
    await tx.updateTable('tasks').set({ state: 'dropped' }).where('id', '=', id).execute();
    await audit(tx, { actor: person.id, type: 'question.dropped', subject: `task:${id}` }, instantOf(context));
  });
}

const REFUSED: readonly string[] = ['rejected', 'withdrawn', 'retracted'];

/** One's own questions, newest first, with what came of them. No answer and nobody who answers shows. */
export async function listQuestions(context: Context, person: Person) {
  const { db } = context.store;
  const campaign = await requireCampaign(db);
  const rows = await db.selectFrom('tasks as t').leftJoin('submissions as s', (join) => join.onRef('s.task_id', '=', 't.id').on('s.undone', '=', false))
    .select(['t.id', 't.category', 't.language', 't.seed_instruction', 't.state', 't.created_at', 's.id as record', 's.state as answer', (eb) => eb.exists(eb.selectFrom('leases as l').select('l.id').whereRef('l.task_id', '=', 't.id').where('l.state', '=', 'claimed')).as('taken')])
    .where('t.asked_by', '=', person.id).where('t.campaign_id', '=', campaign.id).where('t.kind', '=', 'answer').where('t.state', '!=', 'dropped').orderBy('t.id', 'desc').limit(200).execute();
  const shares = (await entriesOf(db, campaign.id, { user: person.id })).filter(({ factors }) => factors.kind === 'question');
  return {
    may: person.stopped ? 0 : Math.max(0, OPEN_QUESTIONS - (await openOf(db, campaign, person.id))), share: campaign.points.asker_share,
    questions: rows.map(({ id, category, language, seed_instruction, state, created_at, record, answer, taken }) => {
      const entry = answer === 'accepted' ? shares.findLast(({ subject }) => subject === `submission:${record}`) : undefined;
      const points = entry?.factors.kind === 'question' ? { ...recordPoints(campaign.points, entry.factors.facts), delta_mp: entry.delta_mp, rules_version: entry.rules_version, settled: true } : null;
      const fate = state === 'open' ? (taken ? 'taken' : 'open') : answer === 'accepted' ? 'accepted' : answer !== null && REFUSED.includes(answer) ? 'refused' : 'answered';
      return { id, category: category as CategoryKey, language, text: seed_instruction ?? '', at: created_at.toISOString(), state: fate as 'open' | 'taken' | 'answered' | 'accepted' | 'refused', points };
    }),
  };
}
