/** Accepted records as the records of a dataset, with where each part comes from: the person by pseudonym, the passage by its source. */
import { createHmac } from 'node:crypto';
import type { DatasetRecord, Provenance } from '../artefacts/record-schema.ts';
import { secretNamed } from '../store/secrets.ts';
import type { Db, Tx } from '../store/store.ts';
import type { Campaign } from './campaigns/current.ts';
import { CHECKS_VERSION, type ServerFinding } from './checks/findings.ts';

export interface Member {
  readonly submission_id: string;
  readonly version: number;
  readonly content_hash: string;
  readonly split: 'train' | 'held_out';
  readonly record: DatasetRecord;
}

/** Makes pseudonyms of a campaign: nobody without its key can link them to people, or to those of another campaign. */
async function pseudonyms(db: Db | Tx, campaignId: string): Promise<(userId: string) => string> {
  const key = await secretNamed(db, `pseudonyms ${campaignId}`);
  return (userId) => `p-${createHmac('sha256', key).update(userId).digest('hex').slice(0, 20)}`;
}

const short = (text: string | null): string | undefined => (text === null || text.trim() === '' ? undefined : text.replace(/\p{Cc}/gu, ' ').slice(0, 400));

/** What belongs into a dataset now: accepted, and neither withdrawn nor retracted since. */
export async function acceptedMembers(db: Db | Tx, campaign: Campaign): Promise<Member[]> {
  const pseudonym = await pseudonyms(db, campaign.id);
  const rows = await db.selectFrom('submissions as s').innerJoin('submission_versions as v', (join) => join.onRef('v.submission_id', '=', 's.id').onRef('v.version', '=', 's.version'))
    .leftJoin('passages as p', 'p.id', 'v.passage_id').leftJoin('sources as o', 'o.id', 'p.source_id').leftJoin('tasks as t', 't.id', 's.task_id')
    .select(['s.id', 's.author_id', 's.category', 's.split', 's.quality', 'v.version', 'v.instruction', 'v.context', 'v.response', 'v.language', 'v.consent_version', 'v.content_hash', 'v.passage_id', 'p.state as passage_state', 'o.title', 'o.url', 'o.revision', 'o.author', 'o.licence', 'o.retrieved_on', 't.asked_by', (eb) => eb.selectFrom('consents as k').select((e) => e.fn.max('k.version').as('version')).whereRef('k.user_id', '=', 't.asked_by').whereRef('k.campaign_id', '=', 's.campaign_id').whereRef('k.given_at', '<=', 't.created_at').as('asked_consent')])
    .where('s.campaign_id', '=', campaign.id).where('s.state', '=', 'accepted').orderBy('s.id').execute();
  const checks = await db.selectFrom('check_results as c').innerJoin('submissions as s', (join) => join.onRef('s.id', '=', 'c.submission_id').onRef('s.version', '=', 'c.version')).select(['c.submission_id', 'c.check', 'c.verdict', 'c.score', 'c.detail']).where('s.campaign_id', '=', campaign.id).where('s.state', '=', 'accepted').execute();
  const checksOf = Map.groupBy(checks, ({ submission_id }) => submission_id);
  return rows.filter(({ passage_state }) => passage_state !== 'blocked').map((row) => {
    const person = (id: string, consent: number): Provenance => ({ origin: 'human', licence: campaign.licence, contributor: pseudonym(id), consent: `${campaign.slug}/${consent}` });
    const source = Object.fromEntries(Object.entries({ title: short(row.title), url: short(row.url), revision: short(row.revision), date: row.retrieved_on ?? undefined, author: short(row.author), id: row.passage_id ?? undefined }).filter(([, value]) => value !== undefined));
    const provenance = {
      // The words of a question are its asker's, under the text that was agreed to when it was asked.
      record: person(row.author_id, row.consent_version), ...(row.asked_by !== null && row.asked_by !== row.author_id && { instruction: person(row.asked_by, row.asked_consent ?? row.consent_version) }), ...(row.context !== '' && { context: { origin: 'human' as const, licence: row.licence ?? 'unknown', source } }),
    };
    const found = (checksOf.get(row.id) ?? []).sort((a, b) => (a.check < b.check ? -1 : 1)).map(({ check, verdict, score, detail }) => {
      const places = (detail as ServerFinding[]).flatMap(({ field, spans }) => spans.map(([from, to]) => ({ part: field, from, to })));
      return { check: check.replaceAll('_', '-'), version: CHECKS_VERSION, verdict, ...(score !== null && { score }), ...(places.length > 0 && { places }) };
    });
    const review = row.quality === null ? [] : [{ check: 'review-quality', version: campaign.rules_version, verdict: 'ok' as const, score: row.quality / 1000 }];
    return {
      submission_id: row.id, version: row.version, content_hash: row.content_hash, split: row.split ?? 'train',
      record: { instruction: row.instruction, context: row.context, response: row.response, category: row.category, language: row.language, provenance, checks: [...found, ...review] },
    };
  });
}
