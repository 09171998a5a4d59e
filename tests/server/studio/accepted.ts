/** Accepted records in numbers, put into the store as the studio would have: with versions, splits and entries of the ledger. */
import { campaignById } from '../../../src/collect/campaigns/current.ts';
import { book } from '../../../src/collect/points/ledger.ts';
import { CATEGORIES } from '../../../src/collect/rules/categories.ts';
import { entriesOfRecord } from '../../../src/collect/rules/ledger.ts';
import { newId } from '../../../src/store/id.ts';
import { newKey, type Client, type TestStudio } from './client.ts';

export const idOf = async (client: Client): Promise<string> => (await client.ok('GET', '/api/session')).person.id;

/** `n` records of somebody, over four categories, each worth the same. Their ids. */
export async function acceptedRecords(studio: TestStudio, author: string, n: number, change: { readonly words?: number; readonly telemetry?: object } = {}): Promise<string[]> {
  const { db } = studio.store;
  const { id: campaign_id } = await db.selectFrom('campaigns').select('id').orderBy('created_at', 'desc').executeTakeFirstOrThrow();
  const campaign = await campaignById(db, campaign_id);
  const at = new Date(studio.now());
  const work_day = at.toISOString().slice(0, 10);
  const categories = CATEGORIES.filter((category) => ['open_qa', 'general_qa', 'brainstorming', 'closed_qa'].includes(category));
  const rows = Array.from({ length: n }, (_, i) => ({ id: newId(studio.now() + i), category: categories[i % categories.length]!, key: newKey() }));
  await db.insertInto('submissions').values(rows.map(({ id, category, key }) => ({
    id, campaign_id, category, author_id: author, version: 1, state: 'accepted' as const, weight: 1000, work_day, quality: 4000, reviews_wanted: 2, split: 'train' as const, idempotency_key: key, waiting_since: at, created_at: at, decided_at: at,
  }))).execute();
  await db.insertInto('submission_versions').values(rows.map(({ id, category, key }) => ({
    submission_id: id, version: 1, instruction: `Question ${key} of ${category}?`, context: '', response: `Answer ${key} ${'word '.repeat(change.words ?? 30)}`.trim(), language: 'en', attestation: '{}', telemetry: JSON.stringify({ paste_share: 0, active_ms: 60_000, edits: 10, ...change.telemetry }), consent_version: 1, content_hash: key, text_key: key, idempotency_key: key, created_at: at,
  }))).execute();
  await studio.store.transaction(async (tx) => {
    const facts = { words: 1000, quality: 4000, similarity: 0, weight: 1000, nth_of_day: 1 } as const;
    for (const { id, category } of rows) await book(tx, studio.context, campaign_id, entriesOfRecord(campaign.points, { id, round: 1, work_day, author: { user_id: author, team_id: null } }, { ...facts, category }));
  });
  return rows.map(({ id }) => id);
}
