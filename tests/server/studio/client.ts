/** A studio for tests over real HTTP on an embedded PostgreSQL, with a clock that tests set, and people who ask it. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { Random } from '../../../src/artefacts/random.ts';
import { makeOwnerToken } from '../../../src/collect/accounts/setup.ts';
import { SimilarRecords } from '../../../src/collect/checks/similar-records.ts';
import type { Context, Mailer } from '../../../src/collect/context.ts';
import { createApp } from '../../../src/server/studio/app.ts';
import { siteOf, TrustedProxies } from '../../../src/server/studio/http.ts';
import { Pages } from '../../../src/server/studio/pages.ts';
import { SingleSignOn, type SingleSignOnSettings } from '../../../src/server/studio/single-sign-on.ts';
import type { Store } from '../../../src/store/store.ts';
import type { TestDatabase } from '../../store/database.ts';

export const PASSWORD = 'correct horse battery staple';

export interface TestStudio extends AsyncDisposable {
  readonly url: string;
  readonly store: Store;
  readonly context: Context;
  readonly workspace: string;
  readonly faults: unknown[];
  readonly mails: { to: string; subject: string; text: string }[];
  ownerToken: string | undefined;
  now(): number;
  /** Milliseconds. */
  advance(ms: number): void;
}

export interface TestOptions {
  readonly secure?: boolean;
  /** True: one that keeps what is sent. */
  readonly mail?: boolean | Mailer;
  readonly proxies?: readonly string[];
  readonly start?: number;
  readonly signOn?: SingleSignOnSettings;
}

export async function startTestStudio(database: TestDatabase, { secure = false, mail = false, proxies = [], start = Date.UTC(2026, 10, 2, 10), signOn }: TestOptions = {}): Promise<TestStudio> {
  const store = await database.store();
  const workspace = mkdtempSync(join(tmpdir(), 'roslin-studio-'));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const publicUrl = secure ? 'https://studio.example.org' : url;
  let clock = start;
  const random = new Random(7);
  const faults: unknown[] = [];
  const mails: { to: string; subject: string; text: string }[] = [];
  const mailer: Mailer = { send: async (to, subject, text) => void mails.push({ to, subject, text }), later: (many) => void mails.push(...many), trouble: undefined };
  const context: Context = { store, now: () => clock, random: () => random.next(), similar: new SimilarRecords(), mail: mail === true ? mailer : mail === false ? undefined : mail, publicUrl };
  const app = createApp({ context, workspace, embedded: true, signOn: signOn && new SingleSignOn(signOn, { publicUrl, now: context.now, onFault: (error) => faults.push(error) }) }, { site: siteOf(publicUrl, { host: '127.0.0.1', port }), proxies: new TrustedProxies(proxies), pages: new Pages(undefined), onFault: (error) => faults.push(error), checkAnswers: true });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  server.on('request', (request, response) => void listener(request, response));
  return {
    url, store, context, workspace, faults, mails, ownerToken: await makeOwnerToken(context), now: () => clock, advance: (ms) => void (clock += ms),
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      rmSync(workspace, { recursive: true, force: true });
    },
  };
}

export interface Reply {
  readonly status: number;
  // eslint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly body: any;
  readonly headers: Headers;
  readonly text: string;
}

/** A browser as far as cookies and Origin go. */
export class Client {
  readonly studio: TestStudio;
  cookie: string | undefined;

  constructor(studio: TestStudio) {
    this.studio = studio;
  }

  async ask(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    const response = await fetch(`${this.studio.url}${path}`, {
      method, redirect: 'manual',
      headers: { ...(method !== 'GET' && { origin: this.studio.context.publicUrl }), ...(body !== undefined && { 'content-type': 'application/json' }), ...(this.cookie !== undefined && { cookie: this.cookie }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    for (const set of response.headers.getSetCookie()) {
      const [pair] = set.split(';') as [string];
      const others = (this.cookie ?? '').split('; ').filter((other) => other !== '' && other.split('=')[0] !== pair.split('=')[0]);
      this.cookie = [...others, ...(/Max-Age=0/.test(set) ? [] : [pair])].join('; ') || undefined;
    }
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: /json/.test(response.headers.get('content-type') ?? '') && text !== '' && !/jsonl/.test(response.headers.get('content-type')!) ? JSON.parse(text) : undefined };
  }

  /** Asks, and takes no other answer than 200. */
  async ok(method: string, path: string, body?: unknown): Promise<Reply['body']> {
    const reply = await this.ask(method, path, body);
    assert.equal(reply.status, 200, `${method} ${path}: ${reply.status} ${reply.text} ${this.studio.faults.map((fault) => (fault as Error).stack).join('\n')}`);
    return reply.body;
  }

  async refused(method: string, path: string, body: unknown, code: string): Promise<Reply['body']> {
    const reply = await this.ask(method, path, body);
    assert.equal(reply.body?.error?.code, code, `${method} ${path}: ${reply.status} ${reply.text}`);
    return reply.body;
  }
}

export async function owner(studio: TestStudio): Promise<Client> {
  const client = new Client(studio);
  await client.ok('POST', '/api/setup', { token: studio.ownerToken, login: 'olga', name: 'Olga Owner', password: PASSWORD, locale: 'en' });
  return client;
}

export const DAY = 86_400_000;

export const campaignDraft = (now: number, change: object = {}): object => ({
  title: 'Our model', purpose: 'To have one of our own.', organisation: 'Example Ltd', time_zone: 'Europe/Berlin', languages: ['en', 'ru'], starts_at: new Date(now - DAY).toISOString(), ends_at: new Date(now + 14 * DAY).toISOString(), licence: 'CC-BY-SA-4.0',
  goals: { open_qa: 10, general_qa: 10, closed_qa: 10, brainstorming: 10 }, consent: {}, prizes: [{ from: 1, to: 3, text: 'A day off' }], policy: { reviews: 2, personal_data: 'warn' }, ...change,
});

/** An open campaign. */
export async function openCampaign(client: Client, change: object = {}): Promise<void> {
  await client.ok('POST', '/api/manage/campaigns', campaignDraft(client.studio.now(), change));
  await client.ok('POST', '/api/manage/campaign/moves', { event: 'open' });
}

/** Somebody who came by an invitation and agreed to the text. */
export async function join_(admin: Client, name: string, roles: readonly string[] = ['member', 'reviewer'], team?: string): Promise<Client> {
  const { link } = await admin.ok('POST', '/api/manage/invitations', { roles, ...(team !== undefined && { team }) });
  const client = new Client(admin.studio);
  await client.ok('POST', '/api/invitations/accept', { token: new URL(link).hash.slice(1), login: name, name: `${name} Person`, password: PASSWORD, locale: 'en' });
  const session = await client.ok('GET', '/api/session');
  if (session.campaign) await client.ok('POST', '/api/consent', { version: session.consent.needed, locale: 'en' });
  return client;
}

let keys = 0;
export const newKey = (): string => `key-${Date.now()}-${keys++}`;

export const attested = { attestation: { original: true, no_ai: true }, telemetry: { paste_share: 0, active_ms: 60_000, edits: 40 } } as const;

/** Writes a record from claim to submit. */
export async function write(client: Client, category: string, body: { instruction: string; response: string }): Promise<{ record_id: string; draft_id: string }> {
  const { draft_id } = await client.ok('POST', '/api/tasks/claim', { category, kind: 'author' });
  const { draft } = await client.ok('GET', `/api/drafts/${draft_id}`);
  const text = { ...draft.body, ...body };
  const { revision } = await client.ok('PUT', `/api/drafts/${draft_id}`, { body: text, revision: draft.revision, device: 'test' });
  const { record_id } = await client.ok('POST', '/api/records', { draft_id, revision, body: text, ...attested, idempotency_key: newKey() });
  return { record_id, draft_id };
}

export const GOOD = { follows_instruction: 4, correct: 4, clear: 4, category_fit: 4 } as const;

/** Takes the next review and hands it in after a while; the item, or null where there is none. */
export async function review(client: Client, change: object = {}): Promise<Reply['body']> {
  const { item } = await client.ok('POST', '/api/reviews/next');
  if (item === null) return null;
  client.studio.advance(120_000);
  const scores = item.criteria.includes('grounded') ? { ...GOOD, grounded: 4 } : GOOD;
  await client.ok('POST', `/api/reviews/${item.review_id}/submit`, { scores, verdict: 'accept', flags: [], comment: '', ...change });
  return item;
}

export const RECORDS = [
  { instruction: 'Why does the sky look blue on a clear day?', response: 'Air scatters short waves of light far more than long ones, so blue light reaches our eyes from every direction of the sky.' },
  { instruction: 'What keeps a ship made of steel from sinking?', response: 'Its hull encloses so much air that the whole ship weighs less than the water which it pushes aside, so the water carries it.' },
  { instruction: 'How did people store ice before refrigerators were there?', response: 'It was cut from lakes in winter and kept in deep cellars under straw or sawdust, where a large heap melted only slowly until autumn.' },
  { instruction: 'Which gas do plants take from the air to grow?', response: 'Plants take up carbon dioxide through small openings in their leaves and make sugar from it with the energy of light.' },
  { instruction: 'Where do the salts in the oceans come from?', response: 'Rain dissolves minerals from rocks on land, rivers carry them down, and since only pure water evaporates they stay in the sea.' },
] as const;
