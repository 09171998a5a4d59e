/** A campaign over HTTP, from the owner's link to people with accounts: what every load begins with. */
import { CATEGORIES, type CategoryKey } from '../../../src/collect/rules/categories.ts';
import type { ReplayText } from '../../collect/replay.ts';
import type { Acknowledged } from './acknowledged.ts';
import { Caller, type Target } from './caller.ts';
import { passageText } from './texts.ts';

export const PASSWORD = 'a long walk along the shore';

export interface CampaignTimes {
  readonly starts: number;
  readonly ends: number;
  readonly time_zone: string;
}

export async function makeOwner(target: Target, ownerLink: string): Promise<Caller> {
  const owner = new Caller(target, 1);
  await owner.ok('POST', '/api/setup', { token: new URL(ownerLink).hash.slice(1), login: 'olga', name: 'Olga Owner', password: PASSWORD, locale: 'en' });
  return owner;
}

export async function makeCampaign(owner: Caller, texts: readonly ReplayText[], submissions: number, { starts, ends, time_zone }: CampaignTimes, reviews = 2): Promise<void> {
  const share = (key: CategoryKey) => Math.max(1, Math.ceil((submissions * texts.filter(({ category }) => category === key).length) / texts.length));
  await owner.ok('POST', '/api/manage/campaigns', {
    title: 'Fifteen thousand answers', purpose: 'A load.', organisation: 'Example Ltd', time_zone, languages: ['en'], starts_at: new Date(starts).toISOString(), ends_at: new Date(ends).toISOString(), licence: 'CC-BY-SA-3.0',
    goals: Object.fromEntries(CATEGORIES.map((key) => [key, share(key)])), consent: {}, prizes: [{ from: 1, to: 20, text: 'A day off' }], policy: { reviews, personal_data: 'warn' },
  });
  await owner.ok('POST', '/api/manage/campaign/moves', { event: 'open' });
}

/** By passage, as the pool has it, the texts about it. */
export async function addPassages(owner: Caller, texts: readonly ReplayText[], everyFiveHundred: () => Promise<void>): Promise<Map<string, ReplayText[]>> {
  const about = Map.groupBy(texts.filter(({ context }) => context !== ''), ({ context }) => passageText(context));
  let n = 0;
  for (const text of about.keys()) {
    if (n++ % 500 === 499) await everyFiveHundred();
    await owner.ok('POST', '/api/manage/passages', { text, language: 'en', kind: 'wikipedia', title: `Passage ${n}`, url: `https://en.wikipedia.org/w/index.php?oldid=${n}`, licence: 'CC-BY-SA-3.0' });
  }
  return about;
}

/** Invitations of a whole list at once: tokens in the order of people. */
export async function inviteAll(owner: Caller, people: readonly { readonly roles: string; readonly team: string }[]): Promise<string[]> {
  const csv = ['email,roles,team', ...people.map(({ roles, team }, n) => `person${n}@example.org,${roles},${team}`)].join('\n');
  const { created, faults } = await owner.ok('POST', '/api/manage/roster', { csv }) as { created: { line: number; link: string }[]; faults: unknown[] };
  if (faults.length > 0) throw new Error(JSON.stringify(faults).slice(0, 400));
  return created.toSorted((a, b) => a.line - b.line).map(({ link }) => new URL(link).hash.slice(1));
}

export const loginOf = (n: number): string => `person${n}`;

export async function join_(caller: Caller, n: number, token: string, visibility: 'name' | 'alias' | 'hidden', acknowledged: Acknowledged): Promise<void> {
  await caller.ok('POST', '/api/invitations/accept', { token, login: loginOf(n), name: `Worker Number ${n}`, password: PASSWORD, locale: 'en' });
  acknowledged.accounts.add(loginOf(n));
  const { consent } = await caller.ok('GET', '/api/session');
  await caller.ok('POST', '/api/consent', { version: consent.needed, locale: 'en' });
  if (visibility !== 'name') await caller.ok('PATCH', '/api/me', { visibility, ...(visibility === 'alias' && { alias: `Alias of ${n}` }) });
}

export const signIn = (caller: Caller, n: number): Promise<unknown> => caller.ok('POST', '/api/session', { login: loginOf(n), password: PASSWORD });
