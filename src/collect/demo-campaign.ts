/**
 * A campaign to look around in: invented people, passages and records (src/collect/demo), taken through the same doors as everybody's: handed in,
 * checked, reviewed by lot, decided, booked. Its clock runs through the days before today, so that boards and progress have something to show.
 */
import { Random } from '../artefacts/random.ts';
import { newId } from '../store/id.ts';
import { insertUser, joinTeam } from './accounts/users.ts';
import type { Person } from './accounts/sessions.ts';
import { createCampaign, moveCampaign } from './campaigns/campaigns.ts';
import { giveConsent } from './campaigns/consent.ts';
import type { Campaign } from './campaigns/current.ts';
import { addPassage } from './campaigns/passages.ts';
import type { Context } from './context.ts';
import { DEMO_PASSAGES } from './demo/passages.ts';
import { DEMO_PEOPLE, DEMO_TEAMS } from './demo/people.ts';
import { DEMO_RECORDS, type DemoRecord } from './demo/records.ts';
import { adjudicate, listDecisions } from './reviewing/decide.ts';
import { nextReview, submitReview } from './reviewing/reviews.ts';
import { Refusal } from './refusal.ts';
import { CATEGORIES } from './rules/categories.ts';
import type { Criterion, Verdict } from './rules/review-outcome.ts';
import { askQuestion } from './writing/questions.ts';
import { submitDraft } from './writing/submit.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const DAYS_BEFORE = 5;
const DAYS_AFTER = 9;

/** Makes the demo campaign and its people; `owner` null where there is none yet. Throws Refusal where a real campaign is under way. */
export async function makeDemo(real: Context, owner: string | null, locale: string): Promise<void> {
  const random = new Random(20260418);
  const start = real.now() - DAYS_BEFORE * DAY;
  let clock = start - DAY;
  const context: Context = { ...real, now: () => clock, random: () => random.next() };
  const russian = locale.startsWith('ru');
  const campaign = await createCampaign(context, owner, {
    title: russian ? 'Пробная кампания' : 'Demo campaign', purpose: russian ? 'Придуманные люди и записи, чтобы осмотреться.' : 'Invented people and records, to look around.', organisation: russian ? 'Пример' : 'Example', time_zone: 'UTC', languages: ['en', 'ru'],
    starts_at: new Date(start).toISOString(), ends_at: new Date(start + (DAYS_BEFORE + DAYS_AFTER) * DAY).toISOString(), licence: 'CC-BY-SA-4.0', goals: Object.fromEntries(CATEGORIES.map((key) => [key, 12])), consent: {},
    prizes: [{ from: 1, to: 1, text: russian ? 'День отпуска' : 'A day off' }, { from: 2, to: 5, text: russian ? 'Хорошая книга' : 'A good book' }], policy: { reviews: 2, personal_data: 'warn' },
  }, true);
  await moveCampaign(context, owner, ['owner'], 'open');
  clock = start;
  const people = await makePeople(context, campaign);
  const passages = new Map<string, string>();
  for (const { key, text, language, title, author, licence } of DEMO_PASSAGES) passages.set(key, await addPassage(context, campaign, owner, { text, language, kind: 'organisation', title, author, licence }));
  const step = (DAYS_BEFORE * DAY - 6 * HOUR) / DEMO_RECORDS.length;
  const written = new Map<string, DemoRecord>();
  for (const [i, record] of DEMO_RECORDS.entries()) {
    clock = start + HOUR + i * step;
    const author = people.get(record.author)!;
    if (await handIn(context, campaign, author, record, passages)) written.set(`${record.instruction}\n${record.response}`, record);
    // The last ones still wait when somebody looks.
    if (i < DEMO_RECORDS.length - 10) await reviewSome(context, [...people.values()], written, random, 2);
  }
  await askQuestion(context, people.get('ada')!, { category: 'general_qa', language: 'en', instruction: 'What speaks for learning to touch-type, and what against?', passage_id: null });
  await askQuestion(context, people.get('dmitri')!, { category: 'general_qa', language: 'ru', instruction: 'Зачем вести рабочий дневник, если есть календарь?', passage_id: null });
}

async function makePeople(context: Context, campaign: Campaign): Promise<Map<string, Person>> {
  const people = new Map<string, Person>();
  const names = new Map(DEMO_TEAMS.map(({ key, name }) => [key, name]));
  for (const { key, login, display_name: name, alias, team, locale, board_visibility: visibility, roles } of DEMO_PEOPLE) {
    const person = await context.store.transaction(async (tx) => {
      // No password: nobody can sign in as one of them.
      const known = await tx.selectFrom('users').select('id').where('login', '=', login).executeTakeFirst();
      const id = known?.id ?? (await insertUser(tx, context, { login, name, locale, roles, email: null, password_hash: null }));
      await tx.updateTable('users').set({ alias, alias_key: alias?.toLowerCase() ?? null, board_visibility: visibility }).where('id', '=', id).execute();
      const teamId = await joinTeam(tx, context, id, names.get(team)!);
      return { id, login, name, alias, roles, locale, visibility, stopped: false, team: { id: teamId!, name: names.get(team)! } };
    });
    await giveConsent(context, person.id, campaign, 1, locale);
    people.set(key, person);
  }
  return people;
}

/** As by a claim, with the passage that the record is about. False where it is refused, which the records of the demo may be as anybody's. */
async function handIn(context: Context, campaign: Campaign, author: Person, { category, language, instruction, response, passage, flaw }: DemoRecord, passages: ReadonlyMap<string, string>): Promise<boolean> {
  const now = context.now();
  const at = new Date(now);
  const [task, draft] = [newId(now), newId(now)];
  const passageId = passage === null ? null : passages.get(passage)!;
  const text = { instruction, context: '', response };
  await context.store.transaction(async (tx) => {
    await tx.insertInto('tasks').values({ id: task, campaign_id: campaign.id, category, kind: 'author', passage_id: passageId, language, created_at: at }).execute();
    await tx.insertInto('leases').values({ id: newId(now), task_id: task, user_id: author.id, weight: 1000, claimed_at: at, expires_at: new Date(now + HOUR) }).execute();
    await tx.insertInto('drafts').values({ id: draft, user_id: author.id, campaign_id: campaign.id, task_id: task, category, language, body: JSON.stringify(text), created_at: at, saved_at: at }).execute();
  });
  try {
    await submitDraft(context, author, {
      draft_id: draft, revision: 0, body: text, attestation: { original: true, no_ai: true }, telemetry: { paste_share: flaw === 'ai_phrases' ? 0.9 : 0, active_ms: 3000 * response.split(' ').length, edits: response.split(' ').length }, idempotency_key: `demo-${draft}`,
    });
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await context.store.db.updateTable('drafts').set({ state: 'discarded' }).where('id', '=', draft).execute();
    return false;
  }
}

const COMMENTS: Readonly<Record<NonNullable<DemoRecord['flaw']> | 'none', string>> = {
  wrong: 'The answer is not right; please look it up once more.', vague: 'Too general: it would fit any question.', incomplete: 'Something that was asked for is missing.', ungrounded: 'This is not in the passage.', personal_data: 'This holds personal data of somebody.', ai_phrases: 'This reads like copied from an assistant.',
  off_category: 'This belongs to another category.', near_duplicate: 'Very like another record.', constraint_missed: 'One of the constraints is not kept.', none: 'Could be clearer in two places.',
};

/** Some reviewers take what the lot gives them, read it, and say what a careful reader would. */
async function reviewSome(context: Context, people: readonly Person[], written: ReadonlyMap<string, DemoRecord>, random: Random, count: number): Promise<void> {
  const later: Context = { ...context, now: () => context.now() + 15 * 60_000 };
  const done: Context = { ...context, now: () => context.now() + 20 * 60_000 };
  for (let i = 0; i < count; i++) {
    const reviewer = people[Math.floor(random.next() * people.length)]!;
    const item = await nextReview(later, reviewer);
    if (!item) continue;
    const record = written.get(`${item.version.instruction}\n${item.version.response}`);
    const quality = record?.quality ?? 4;
    const verdict: Verdict = quality >= 3 ? 'accept' : quality === 2 ? 'fix' : 'reject';
    const score = Math.max(verdict === 'accept' ? 3 : 1, Math.min(5, quality + (random.next() < 0.25 ? 1 : 0)));
    const scores = Object.fromEntries(item.criteria.map((criterion: Criterion) => [criterion, score]));
    const flags = record?.flaw === 'personal_data' ? (['personal_data'] as const) : [];
    await submitReview(done, reviewer, item.review_id, { scores, verdict: flags.length > 0 && verdict === 'accept' ? 'fix' : verdict, flags, comment: verdict === 'accept' && flags.length === 0 ? '' : COMMENTS[record?.flaw ?? 'none'] });
  }
  for (const moderator of people.filter(({ roles }) => roles.includes('moderator'))) {
    for (const { record_id } of (await listDecisions(done, moderator)).slice(0, random.next() < 0.3 ? 1 : 0)) await adjudicate(done, moderator, record_id, { verdict: 'fix', quality: 2, rationale: 'The guideline asks for this to be mended first.' });
  }
}
