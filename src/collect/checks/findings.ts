/**
 * What the server finds in a record beside the form rules: near-duplicates in the whole campaign, personal data, names of colleagues and secrets, bad language,
 * another language than the task's. A finding blocks only at submit, and says what and where.
 */
import { loadLanguages } from '../../text/language.ts';
import { findPersonal } from '../../text/personal.ts';
import { findProfanity } from '../../text/profanity.ts';
import { findSecrets } from '../../text/secrets.ts';
import { Source } from '../../text/winnow.ts';
import type { Campaign } from '../campaigns/current.ts';
import type { Context } from '../context.ts';
import type { CategoryKey } from '../rules/categories.ts';
import { formFindings, type FindingCode, type RecordText } from '../rules/forms.ts';
import { findColleagues } from './colleagues.ts';
import { likeness } from './likeness.ts';

/** What the server finds beside the form rules. */
export const SERVER_CODES = ['personal_data', 'secret', 'profanity', 'other_language', 'like_another', 'like_your_own'] as const;

export interface ServerFinding {
  /** One of these, or of a form rule. */
  readonly code: FindingCode | (typeof SERVER_CODES)[number];
  readonly field: 'instruction' | 'context' | 'response';
  readonly severity: 'block' | 'warn';
  readonly values: Readonly<Record<string, string | number>>;
  readonly spans: readonly (readonly [number, number])[];
}

export const CHECKS_VERSION = 'collect/1';

export interface Checked {
  readonly findings: readonly ServerFinding[];
  /** To the most similar earlier record, 0 to 1000; below 500 it counts as 0. */
  readonly similarity: number;
}

export interface CheckedWhole extends Checked {
  /** To the most similar earlier record of the same author, 0 to 1000, exact. */
  readonly own_similarity: number;
}

export interface CheckedRecord {
  readonly category: CategoryKey;
  readonly language: string;
  readonly text: RecordText;
  readonly author: string;
  /** The record that this is a version of. */
  readonly own: string | undefined;
}

const MOST_SPANS = 10;
/** Below this nearness a text is hardly in the task's language. */
const FOREIGN = 0.8;

/** Those that need the whole campaign, or tables that a browser does not load. */
export async function serverFindings(context: Context, campaign: Campaign, record: CheckedRecord): Promise<Checked> {
  const found: ServerFinding[] = [];
  const { text, language } = record;
  for (const field of ['instruction', 'response'] as const) {
    for (const [kind, places] of Map.groupBy(findPersonal(text[field]), (one) => one.kind)) {
      found.push({ code: 'personal_data', field, severity: campaign.policy.personal_data, values: { kind }, spans: places.slice(0, MOST_SPANS).map(({ from, to }) => [from, to]) });
    }
    // Never blocked: a colleague may have the name of somebody whom everybody knows.
    const colleagues = await findColleagues(context.store.db, text[field]);
    if (colleagues.length > 0) found.push({ code: 'personal_data', field, severity: 'warn', values: { kind: 'colleague' }, spans: colleagues.slice(0, MOST_SPANS) });
    for (const [kind, places] of Map.groupBy(findSecrets(text[field]), (one) => one.kind)) {
      found.push({ code: 'secret', field, severity: 'block', values: { kind }, spans: places.slice(0, MOST_SPANS).map(({ from, to }) => [from, to]) });
    }
    const profane = findProfanity(text[field]);
    if (profane.length > 0) found.push({ code: 'profanity', field, severity: 'warn', values: { found: profane.length }, spans: profane.slice(0, MOST_SPANS).map(({ from, to }) => [from, to]) });
  }
  const spoken = (await loadLanguages())(text.response);
  if (spoken?.sure && spoken.language !== language.slice(0, 2) && spoken.nearness(language.slice(0, 2)) < FOREIGN) found.push({ code: 'other_language', field: 'response', severity: 'warn', values: { found: spoken.language, wanted: language }, spans: [] });
  const { findings, similarity } = await similarFindings(context, campaign, record);
  return { findings: [...found, ...findings], similarity };
}

async function similarFindings(context: Context, campaign: Campaign, { text, author, own }: CheckedRecord): Promise<Checked> {
  const { db } = context.store;
  await context.similar.refresh(db, campaign.id);
  const except = new Set(own === undefined ? [] : [own]);
  const findings: ServerFinding[] = [];
  let similarity = 0;
  for (let tries = 0; tries < 20; tries++) {
    const matches = context.similar.find(text, except);
    if (matches.length === 0) break;
    // What was taken back does not count any more.
    const gone = await db.selectFrom('submissions').select('id').where('id', 'in', matches.map(({ submission_id }) => submission_id)).where((eb) => eb.or([eb('state', '=', 'withdrawn'), eb('undone', '=', true)])).execute();
    if (gone.length > 0) {
      for (const { id } of gone) except.add(id);
      continue;
    }
    for (const match of matches) {
      const thousandths = Math.round(1000 * match.similarity);
      similarity = Math.max(similarity, thousandths);
      const spans = new Source(match.text).copiesIn(text[match.field]).slice(0, MOST_SPANS).map(({ from, to }): [number, number] => [from, to]);
      findings.push({
        code: match.author_id === author ? 'like_your_own' : 'like_another', field: match.field, severity: thousandths > campaign.points.novelty.most ? 'block' : 'warn',
        values: { percent: Math.floor(100 * match.similarity), ...(match.author_id === author && { at: match.at.toISOString() }) }, spans,
      });
    }
    break;
  }
  return { findings, similarity };
}

/** To the author's most similar earlier record, 0 to 1000: compared with each of theirs, so that nothing is missed. */
async function ownSimilarity({ store: { db } }: Context, campaign: Campaign, { text, author, own }: CheckedRecord): Promise<{ by: number; at: Date | undefined }> {
  const rows = await db.selectFrom('submissions as s').innerJoin('submission_versions as v', (join) => join.onRef('v.submission_id', '=', 's.id').onRef('v.version', '=', 's.version')).select(['s.id', 'v.instruction', 'v.context', 'v.response', 'v.created_at'])
    .where('s.author_id', '=', author).where('s.campaign_id', '=', campaign.id).where('s.state', '!=', 'withdrawn').where('s.undone', '=', false).execute();
  let most: { by: number; at: Date | undefined } = { by: 0, at: undefined };
  for (const { id, created_at, ...other } of rows) {
    const by = id === own ? 0 : Math.round(1000 * likeness(text, other));
    if (by > most.by) most = { by, at: created_at };
  }
  return most;
}

const formOf = (record: CheckedRecord): ServerFinding[] => formFindings(record.category, record.text, record.language).map(({ span, ...finding }) => ({ ...finding, spans: span ? [span] : [] }));
/** A text that is far too long is not looked into. */
const isEndless = (form: readonly ServerFinding[]): boolean => form.some(({ code }) => code === 'too_many_characters');

/** Form rules and the server's own. */
export async function allFindings(context: Context, campaign: Campaign, record: CheckedRecord): Promise<CheckedWhole> {
  const form = formOf(record);
  if (isEndless(form)) return { findings: form, similarity: 0, own_similarity: 0 };
  const found = await serverFindings(context, campaign, record);
  const own = await ownSimilarity(context, campaign, record);
  const findings = [...form, ...found.findings];
  // What the line for all does not see: short answers, which are nobody's, in a record that is the author's own once more.
  if (own.by > campaign.points.novelty.own.most && !findings.some(({ code }) => code === 'like_your_own')) findings.push({ code: 'like_your_own', field: 'response', severity: 'block', values: { percent: Math.floor(own.by / 10), ...(own.at && { at: own.at.toISOString() }) }, spans: [] });
  return { findings, similarity: found.similarity, own_similarity: own.by };
}

/** Those of a question without an answer: of its instruction alone. */
export async function questionFindings(context: Context, campaign: Campaign, record: CheckedRecord): Promise<Checked> {
  const asked = (findings: readonly ServerFinding[]) => findings.filter(({ field }) => field !== 'response');
  const form = formOf(record);
  if (isEndless(form)) return { findings: asked(form), similarity: 0 };
  const found = await serverFindings(context, campaign, record);
  return { findings: [...asked(form), ...asked(found.findings)], similarity: found.similarity };
}
