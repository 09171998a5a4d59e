/** The pool of passages that context tasks are written about: text with its source, revision and licence. The server fetches nothing. */
import { sql } from 'kysely';
import { sha256 } from '../../artefacts/canonical.ts';
import { licencesIn, parseLicence, isLicence, writeLicence } from '../../licence/expression.ts';
import { licenceVerdict } from '../../licence/verdict.ts';
import { audit } from '../../store/audit.ts';
import { newId } from '../../store/id.ts';
import { isUniqueViolation, type Db, type Tx } from '../../store/store.ts';
import { withoutCitationMarks } from '../../text/citations.ts';
import { countWords } from '../../text/words.ts';
import { instantOf, type Context } from '../context.ts';
import { notFound, Refusal, refusedMove } from '../refusal.ts';
import { actorsOf, type Role } from '../rules/access.ts';
import { step } from '../rules/machine.ts';
import { PASSAGE, type PassageEvent } from '../rules/work.ts';
import type { Campaign } from './current.ts';

export interface PassageInput {
  readonly text: string;
  readonly language: string;
  readonly kind: 'wikipedia' | 'organisation' | 'public_domain' | 'other';
  readonly title: string;
  readonly url?: string | undefined;
  readonly revision?: string | undefined;
  readonly author?: string | undefined;
  readonly licence: string;
}

const LEAST_WORDS = 60;
const MOST_WORDS = 800;

/** What may not go into a dataset is refused before anybody writes about it. */
function requireLicence(licence: string): string {
  const refuse = (why: string) => new Refusal('passage_licence', `A passage under this licence cannot be used: ${why}.`, { fields: { licence: why } });
  if (!isLicence(licence)) throw refuse('it is no SPDX expression, such as CC-BY-SA-4.0');
  const expression = parseLicence(licence);
  if (licencesIn(expression).includes(null)) throw refuse('it is unknown');
  const { verdict, reasons } = licenceVerdict([{ part: 'data', licence }]);
  const own = licencesIn(expression).every((one) => one?.startsWith('LicenseRef-'));
  if (verdict === 'tainted' || (verdict === 'unknown' && !own)) throw refuse(reasons.join('; ') || 'it is not in the table of known ones');
  return writeLicence(expression);
}

/** Whoever may verify passages adds verified ones. */
export async function addPassage(context: Context, campaign: Campaign, actor: string | null, input: PassageInput, verified = true): Promise<string> {
  const licence = requireLicence(input.licence);
  const text = withoutCitationMarks(input.text).normalize('NFC').replace(/[ \t\u00a0]+/g, ' ').replace(/\n{3,}/g, '\n\n').trim();
  const words = countWords(text, input.language);
  if (words < LEAST_WORDS || words > MOST_WORDS) throw new Refusal('invalid_request', `A passage has ${LEAST_WORDS} to ${MOST_WORDS} words; this one has ${words}.`, { values: { words, min: LEAST_WORDS, max: MOST_WORDS }, fields: { text: 'length' } });
  if (input.kind === 'wikipedia' && !input.revision && !/[?&]oldid=\d+/.test(input.url ?? '')) throw new Refusal('invalid_request', 'Give the permanent link of the page, or its revision: pages change.', { fields: { url: 'permanent link' } });
  try {
    return await context.store.transaction(async (tx) => {
      const now = context.now();
      const [sourceId, id] = [newId(now), newId(now)];
      const { kind, title, url = null, author = null } = input;
      const revision = input.revision ?? /[?&]oldid=(\d+)/.exec(input.url ?? '')?.[1] ?? null;
      await tx.insertInto('sources').values({ id: sourceId, kind, title, url, revision, author, licence, retrieved_on: instantOf(context).toISOString().slice(0, 10), created_at: instantOf(context) }).execute();
      await tx.insertInto('passages').values({ id, campaign_id: campaign.id, source_id: sourceId, text_raw: input.text, text, words, sha256: sha256(text), language: input.language, state: verified ? 'verified' : 'proposed', added_by: actor, created_at: instantOf(context) }).execute();
      await audit(tx, { actor, type: 'passage.added', subject: `passage:${id}`, payload: { licence, sha256: sha256(text) } }, instantOf(context));
      return id;
    });
  } catch (error) {
    if (isUniqueViolation(error, 'passages_campaign_id_sha256_key')) throw new Refusal('passage_known', 'This passage is in the pool already.');
    throw error;
  }
}

export async function movePassage(context: Context, campaign: Campaign, actor: string, roles: readonly Role[], id: string, event: PassageEvent): Promise<void> {
  await context.store.transaction(async (tx) => {
    const known = await tx.selectFrom('passages').select('id').where('id', '=', id).where('campaign_id', '=', campaign.id).executeTakeFirst();
    if (!known) throw notFound();
    await movePassageIn(tx, context, actor, roles, id, event);
  });
}

/** The same inside of a transaction, for a passage that is there. */
export async function movePassageIn(tx: Tx, context: Context, actor: string, roles: readonly Role[], id: string, event: PassageEvent): Promise<void> {
  const passage = await tx.selectFrom('passages').select('state').where('id', '=', id).forUpdate().executeTakeFirstOrThrow();
  const found = step(PASSAGE, passage.state, event, actorsOf(roles));
  if (!found.ok) throw refusedMove(found.code, found.why);
  await tx.updateTable('passages').set({ state: found.to }).where('id', '=', id).execute();
  await audit(tx, { actor, type: `passage.${event}`, subject: `passage:${id}` }, instantOf(context));
}

export async function listPassages({ store: { db } }: Context, campaign: Campaign) {
  const rows = await db.selectFrom('passages as p').innerJoin('sources as s', 's.id', 'p.source_id')
    .select(['p.id', 'p.state', 'p.text', 'p.words', 'p.language', 's.title', 's.url', 's.revision', 's.licence', (eb) => eb.selectFrom('tasks').select((e) => e.fn.countAll<number>().as('n')).whereRef('tasks.campaign_id', '=', 'p.campaign_id').whereRef('tasks.passage_id', '=', 'p.id').where('tasks.state', '=', 'done').as('uses')])
    .where('p.campaign_id', '=', campaign.id).orderBy('p.id', 'desc').limit(2000).execute();
  return rows.map((row) => ({ ...row, uses: row.uses ?? 0 }));
}

export async function passageView(db: Db | Tx, id: string | null) {
  if (id === null) return null;
  const row = await db.selectFrom('passages as p').innerJoin('sources as s', 's.id', 'p.source_id').select(['p.id', 'p.text', 'p.language', 's.title', 's.url', 's.revision', 's.licence', 's.author']).where('p.id', '=', id).executeTakeFirst();
  if (!row) return null;
  const { title, url, revision, licence, author, ...passage } = row;
  return { ...passage, source: { title, url, revision, licence, author } };
}

/** A verified passage that this person has neither had nor asked about, of those that were used least, by lot. */
export async function drawPassage(tx: Db | Tx, campaign: Campaign, userId: string, language: string, words: { readonly min: number; readonly max: number }, random: () => number): Promise<string | undefined> {
  const rows = await tx
    .with('used', (db) => db.selectFrom('tasks').select(['passage_id', (eb) => eb.fn.countAll<number>().as('n')]).where('campaign_id', '=', campaign.id).where('passage_id', 'is not', null).where('state', '!=', 'dropped').groupBy('passage_id'))
    .with('had', (db) => db.selectFrom('leases as l').innerJoin('tasks as t', 't.id', 'l.task_id').select('t.passage_id').where('l.user_id', '=', userId).where('t.passage_id', 'is not', null)
      .union(db.selectFrom('tasks').select('passage_id').where('asked_by', '=', userId).where('campaign_id', '=', campaign.id).where('kind', '=', 'answer').where('state', '!=', 'dropped').where('passage_id', 'is not', null)))
    .with('fitting', (db) => db.selectFrom('passages as p').leftJoin('used as u', 'u.passage_id', 'p.id').select(['p.id', (eb) => eb.fn.coalesce('u.n', sql<number>`0`).as('uses')])
      .where('p.campaign_id', '=', campaign.id).where('p.state', '=', 'verified').where('p.language', '=', language).where('p.words', '>=', words.min).where('p.words', '<=', words.max)
      .where((eb) => eb.not(eb.exists(eb.selectFrom('had as h').select(sql`1`.as('one')).whereRef('h.passage_id', '=', 'p.id')))))
    .selectFrom('fitting').select('id').where('uses', '=', (eb) => eb.selectFrom('fitting').select((e) => e.fn.min('uses').as('least'))).orderBy('id').execute();
  return rows[Math.floor(random() * rows.length)]?.id;
}
