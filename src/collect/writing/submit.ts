/** Handing in: once, however often it is sent; checked whole; with what it will be worth if it is accepted. */
import { canonicalJson, sha256 } from '../../artefacts/canonical.ts';
import { textHash } from '../../artefacts/record.ts';
import { audit } from '../../store/audit.ts';
import { newId } from '../../store/id.ts';
import { lockName, type Db, type Tx } from '../../store/store.ts';
import { normalise } from '../../text/normalise.ts';
import type { Person } from '../accounts/sessions.ts';
import { requireConsent } from '../campaigns/consent.ts';
import { campaignById, holdCampaign, type Campaign } from '../campaigns/current.ts';
import { allFindings, CHECKS_VERSION, type CheckedWhole, type ServerFinding } from '../checks/findings.ts';
import { instantOf, type Context } from '../context.ts';
import { closedFor, notFound, Refusal, refusedMove } from '../refusal.ts';
import { dayOf } from '../rules/calendar.ts';
import { forbids } from '../rules/campaign.ts';
import type { CategoryKey } from '../rules/categories.ts';
import { writtenWords, type RecordText } from '../rules/forms.ts';
import { step, type Actor } from '../rules/machine.ts';
import { recordPoints, type RecordFacts } from '../rules/points.ts';
import { SUBMISSION, type SubmissionEvent, type SubmissionState } from '../rules/submission.ts';
import { conflictOf, sameText } from './drafts.ts';
import { requirePending } from './tasks.ts';

export interface Submit {
  readonly draft_id: string;
  readonly revision: number;
  readonly body: RecordText;
  readonly attestation: { readonly original: true; readonly no_ai: true };
  readonly telemetry: { readonly paste_share: number; readonly active_ms: number; readonly edits: number };
  readonly idempotency_key: string;
}

/** So long a record can be taken back into its draft, and is given to no reviewer. */
export const UNDO_MS = 10_000;
/** What points are shown for until reviewers have said something: neither good nor bad. */
export const EXPECTED_QUALITY = 4000;

/** The next state, or why not. */
export function moved(state: SubmissionState, event: SubmissionEvent, actors: Actor | readonly Actor[]): SubmissionState {
  const found = step(SUBMISSION, state, event, actors);
  if (!found.ok) throw refusedMove(found.code, found.why);
  return found.to;
}

export async function submitDraft(context: Context, person: Person, input: Submit) {
  const repeated = await alreadySubmitted(context.store.db, person.id, input.idempotency_key);
  if (repeated) return answerOf(context, repeated);
  const draft = await context.store.db.selectFrom('drafts').selectAll().where('id', '=', input.draft_id).where('user_id', '=', person.id).executeTakeFirst();
  if (!draft || draft.state === 'discarded') throw notFound();
  const outside = await campaignById(context.store.db, draft.campaign_id);
  const task = draft.task_id === null ? undefined : await context.store.db.selectFrom('tasks as t').leftJoin('passages as p', 'p.id', 't.passage_id').select(['t.id', 't.kind', 't.seed_instruction', 't.passage_id', 'p.text as passage']).where('t.id', '=', draft.task_id).executeTakeFirst();
  // The passage and somebody else's question are as they were given.
  const text: RecordText = { instruction: task?.seed_instruction ?? input.body.instruction, context: task?.passage ?? input.body.context, response: input.body.response };
  const record = { category: draft.category as CategoryKey, language: draft.language, text, author: person.id, own: draft.revises ?? undefined };
  // Outside of the transaction: it takes the longest. The very same text is looked for again inside.
  const checked = await allFindings(context, outside, record);
  const blocking = checked.findings.filter(({ severity }) => severity === 'block');
  if (blocking.length > 0) {
    // The same submission, sent twice, may have gone in meanwhile: then it is like itself.
    const meanwhile = await alreadySubmitted(context.store.db, person.id, input.idempotency_key);
    if (meanwhile) return answerOf(context, meanwhile);
  }
  if (blocking.length > 0 && draft.state === 'open') throw new Refusal('findings', 'Something has to be mended before this can be handed in.', { extra: { findings: checked.findings } });
  const submissionId = await context.store.transaction(async (tx) => {
    await tx.selectFrom('users').select('id').where('id', '=', person.id).forUpdate().execute();
    const again = await alreadySubmitted(tx, person.id, input.idempotency_key);
    if (again) return again;
    const held = await tx.selectFrom('drafts').selectAll().where('id', '=', draft.id).forUpdate().executeTakeFirstOrThrow();
    if (held.state !== 'open') throw new Refusal('draft_closed', 'This draft was handed in.');
    if (held.revision !== input.revision && !sameText(held.body as RecordText, input.body)) throw conflictOf(held);
    const campaign = await holdCampaign(tx, draft.campaign_id);
    const why = forbids(campaign.state, held.revises === null ? 'submit' : 'revise');
    if (why) throw closedFor(why);
    await requireConsent(tx, person.id, campaign);
    const textKey = sha256(canonicalJson([campaign.id, normalise(text.instruction), normalise(text.context), normalise(text.response)]));
    await requireNew(tx, textKey, held.revises);
    const id = held.revises === null ? await insertFirst(tx, context, campaign, person, { draft: held, key: input.idempotency_key }) : await insertRevision(tx, context, campaign, held.revises);
    await insertVersion(tx, context, campaign, id, { text, textKey, passageId: task?.passage_id ?? null, language: draft.language, input, checked });
    await tx.updateTable('drafts').set({ state: 'submitted', body: JSON.stringify(input.body), saved_at: instantOf(context) }).where('id', '=', held.id).execute();
    await audit(tx, { actor: person.id, type: held.revises === null ? 'record.submitted' : 'record.revised', subject: `submission:${id}`, payload: { category: draft.category } }, instantOf(context));
    return id;
  });
  return answerOf(context, submissionId);
}

async function alreadySubmitted(db: Db | Tx, author: string, key: string): Promise<string | undefined> {
  const row = await db.selectFrom('submission_versions as v').innerJoin('submissions as s', 's.id', 'v.submission_id').select('s.id').where('s.author_id', '=', author).where('v.idempotency_key', '=', key).executeTakeFirst();
  return row?.id;
}

/** Of two that hand in the very same at once, the second is refused. */
async function requireNew(tx: Tx, textKey: string, own: string | null): Promise<void> {
  await lockName(tx, textKey);
  const same = await tx.selectFrom('submission_versions as v').innerJoin('submissions as s', 's.id', 'v.submission_id').select('s.id').where('v.text_key', '=', textKey).where('s.state', '!=', 'withdrawn').where('s.undone', '=', false).execute();
  if (same.some(({ id }) => id !== own)) throw new Refusal('findings', 'The very same was handed in before.', { extra: { findings: [{ code: 'like_another', field: 'response', severity: 'block', values: { percent: 100 }, spans: [] } satisfies ServerFinding] } });
}

async function insertFirst(tx: Tx, context: Context, campaign: Campaign, person: Person, { draft, key }: { readonly draft: { readonly id: string; readonly task_id: string | null; readonly category: string }; readonly key: string }): Promise<string> {
  await requirePending(tx, campaign, person);
  const now = context.now();
  const weight = draft.task_id === null ? 1000 : await submitLease(tx, person.id, draft.task_id);
  const id = newId(now);
  const state = moved(moved('submitted', 'check', 'system'), 'pass', 'system');
  await tx.insertInto('submissions').values({
    id, campaign_id: campaign.id, category: draft.category, author_id: person.id, team_id: person.team?.id ?? null, task_id: draft.task_id, draft_id: draft.id, version: 1, state, weight, work_day: dayOf(now, campaign.time_zone),
    reviews_wanted: campaign.policy.reviews, idempotency_key: key, created_at: new Date(now), waiting_since: new Date(now),
  }).execute();
  return id;
}

/** The weight that was fixed at the claim. A lease that ran out is good still, unless somebody else has the task now. */
async function submitLease(tx: Tx, userId: string, taskId: string): Promise<number> {
  const task = await tx.selectFrom('tasks').select(['kind', 'state']).where('id', '=', taskId).forUpdate().executeTakeFirstOrThrow();
  const leases = await tx.selectFrom('leases').selectAll().where('task_id', '=', taskId).orderBy('claimed_at', 'desc').execute();
  const own = leases.find(({ user_id }) => user_id === userId);
  const others = leases.some(({ user_id, state }) => user_id !== userId && ['claimed', 'submitted'].includes(state));
  if (!own || task.state !== 'open' || others) throw new Refusal('lease_gone', 'Somebody else has answered this meanwhile. Your text is kept as a draft.');
  await tx.updateTable('leases').set({ state: 'submitted' }).where('id', '=', own.id).execute();
  await tx.updateTable('tasks').set({ state: 'done' }).where('id', '=', taskId).execute();
  return own.weight;
}

async function insertRevision(tx: Tx, context: Context, campaign: Campaign, id: string): Promise<string> {
  const submission = await tx.selectFrom('submissions').selectAll().where('id', '=', id).forUpdate().executeTakeFirstOrThrow();
  const state = moved(moved(moved(submission.state, 'revise', 'author'), 'check', 'system'), 'pass', 'system');
  await tx.updateTable('submissions').set({ state, version: submission.version + 1, reviews_wanted: campaign.policy.reviews, reviews_taken: 0, needs_decision: null, quality: null, decided_at: null, waiting_since: instantOf(context) }).where('id', '=', id).execute();
  return id;
}

interface NewVersion {
  readonly text: RecordText;
  readonly textKey: string;
  readonly passageId: string | null;
  readonly language: string;
  readonly input: Submit;
  readonly checked: CheckedWhole;
}

async function insertVersion(tx: Tx, context: Context, campaign: Campaign, id: string, { text, textKey, passageId, language, input, checked }: NewVersion): Promise<void> {
  const { version, category } = await tx.selectFrom('submissions').select(['version', 'category']).where('id', '=', id).executeTakeFirstOrThrow();
  const at = instantOf(context);
  await tx.insertInto('submission_versions').values({
    submission_id: id, version, ...text, language, passage_id: passageId, attestation: JSON.stringify(input.attestation), telemetry: JSON.stringify(input.telemetry), consent_version: campaign.consent_version, content_hash: textHash({ ...text, category }), text_key: textKey,
    similarity: checked.similarity, own_similarity: checked.own_similarity, idempotency_key: input.idempotency_key, created_at: at,
  }).execute();
  const byCode = Map.groupBy(checked.findings, ({ code }) => code);
  const rows = [...byCode].map(([code, findings]) => ({ submission_id: id, version, check: code, check_version: CHECKS_VERSION, verdict: findings.some(({ severity }) => severity === 'block') ? ('block' as const) : ('warn' as const), score: null, detail: JSON.stringify(findings), at }));
  // That nothing was found is a result too.
  await tx.insertInto('check_results').values([...rows, { submission_id: id, version, check: 'all', check_version: CHECKS_VERSION, verdict: rows.length > 0 ? 'warn' : 'ok', score: checked.similarity / 1000, detail: '[]', at }]).execute();
}

interface Scored {
  readonly id: string;
  readonly campaign_id: string;
  readonly author_id: string;
  readonly category: string;
  readonly weight: number;
  readonly work_day: string;
  readonly version: number;
}

/** The facts that a record's points follow from, if it is accepted with such a quality now. */
export async function factsOf(db: Db | Tx, submission: Scored, quality: number): Promise<RecordFacts> {
  return (await factsOfAll(db, [submission], quality)).get(submission.id)!;
}

/** The same of several records of one author in one campaign. */
export async function factsOfAll(db: Db | Tx, submissions: readonly Scored[], quality: number): Promise<Map<string, RecordFacts>> {
  if (submissions.length === 0) return new Map();
  const [{ campaign_id, author_id }] = submissions as readonly [Scored];
  const days = [...new Set(submissions.map(({ work_day }) => work_day))];
  const versions = await db.selectFrom('submission_versions as v').innerJoin('submissions as s', (join) => join.onRef('s.id', '=', 'v.submission_id').onRef('s.version', '=', 'v.version'))
    .select(['v.submission_id', 'v.instruction', 'v.context', 'v.response', 'v.language', 'v.similarity', 'v.own_similarity']).where('v.submission_id', 'in', submissions.map(({ id }) => id)).execute();
  const booked = await db.selectFrom('ledger_entries as e').select(['e.work_day', 'e.subject']).where('e.campaign_id', '=', campaign_id).where('e.user_id', '=', author_id).where('e.kind', '=', 'record').where('e.work_day', 'in', days)
    .where((eb) => eb.not(eb.exists(eb.selectFrom('ledger_entries as r').select('r.seq').whereRef('r.campaign_id', '=', 'e.campaign_id').whereRef('r.reverses', '=', 'e.seq')))).execute();
  const texts = new Map(versions.map((version) => [version.submission_id, version]));
  return new Map(submissions.map(({ id, category, weight, work_day }) => {
    const version = texts.get(id)!;
    const others = booked.filter((entry) => entry.work_day === work_day && entry.subject !== `submission:${id}`).length;
    return [id, { category: category as CategoryKey, words: writtenWords(version, version.language), quality, similarity: version.similarity, ...(version.own_similarity !== null && { own_similarity: version.own_similarity }), weight, nth_of_day: others + 1 }];
  }));
}

async function answerOf(context: Context, id: string) {
  const { db } = context.store;
  const submission = await db.selectFrom('submissions').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  const campaign = await campaignById(db, submission.campaign_id);
  const { created_at } = await db.selectFrom('submission_versions').select('created_at').where('submission_id', '=', id).where('version', '=', submission.version).executeTakeFirstOrThrow();
  const points = recordPoints(campaign.points, await factsOf(db, submission, EXPECTED_QUALITY));
  return { record_id: id, undo_until: new Date(created_at.getTime() + UNDO_MS).toISOString(), points: { ...points, rules_version: campaign.rules_version, settled: false } };
}

/** Takes a record back into its draft, as if it had not been handed in. Only a first version, and before anybody has read it. */
export async function undoSubmit(context: Context, person: Person, id: string): Promise<string> {
  return context.store.transaction(async (tx) => {
    const submission = await tx.selectFrom('submissions').selectAll().where('id', '=', id).where('author_id', '=', person.id).forUpdate().executeTakeFirst();
    if (!submission) throw notFound();
    if (submission.undone) return submission.draft_id!;
    const late = context.now() > submission.created_at.getTime() + UNDO_MS || submission.version > 1 || submission.state !== 'in_review' || submission.reviews_taken > 0 || submission.draft_id === null;
    if (late) throw new Refusal('undo_too_late', 'It is on its way already. You can withdraw it, or wait for its reviews.');
    await tx.updateTable('submissions').set({ state: moved(submission.state, 'withdraw', 'author'), undone: true }).where('id', '=', id).execute();
    await tx.updateTable('drafts').set((eb) => ({ state: 'open', revision: eb('revision', '+', 1) })).where('id', '=', submission.draft_id).execute();
    if (submission.task_id !== null) {
      await tx.updateTable('tasks').set({ state: 'open' }).where('id', '=', submission.task_id).execute();
      await tx.updateTable('leases').set({ state: 'claimed' }).where('task_id', '=', submission.task_id).where('user_id', '=', person.id).where('state', '=', 'submitted').execute();
    }
    await audit(tx, { actor: person.id, type: 'record.undone', subject: `submission:${id}` }, instantOf(context));
    return submission.draft_id!;
  });
}
