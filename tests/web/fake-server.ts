/**
 * The studio's server for the pages' tests, in memory: serves dist/web under a strict content policy and answers the contract's
 * routes. Requests and answers go through the contract's schemas, so that it cannot drift from the real one unseen.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROUTES, type RouteName, type RouteSpec } from '../../src/server/contract.ts';
import * as data from './fake-data.ts';

const DIST = fileURLToPath(new URL('../../dist/web', import.meta.url));
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.json': 'application/json', '.md': 'text/plain' };
export const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'";

interface Draft {
  readonly id: string;
  readonly category: (typeof data.progress)[number]['category'];
  body: { instruction: string; context: string; response: string };
  revision: number;
  saved_at: string;
  open: boolean;
  leased: boolean;
  question: string | null;
}

export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly more: object;
  constructor(status: number, code: string, more: object = {}) {
    super(code);
    this.status = status;
    this.code = code;
    this.more = more;
  }
}

/** What tests change and look at. */
export class Studio {
  signedIn = true;
  setupNeeded = false;
  consentGiven: number | null = 1;
  campaign: typeof data.CAMPAIGN | null = data.CAMPAIGN;
  roles: (typeof data.PERSON)['roles'] = ['owner'];
  down = false;
  drafts = new Map<string, Draft>();
  submitted: { draft_id: string; body: Draft['body']; idempotency_key: string }[] = [];
  reviews: unknown[] = [];
  decisions: unknown[] = [];
  reviewsLeft = 2;
  auditsLeft = 2;
  votes: unknown[] = [];
  reported: unknown[] = [];
  settled: unknown[] = [];
  asked: string[] = [];
  moves: unknown[] = [];
  sealed = 0;
  /** Text of people in every place that shows such. */
  written: string | undefined;
  calls: string[] = [];
  #next = 1000;

  newDraft(category: Draft['category'], question: string | null = null): Draft {
    const draft: Draft = { id: data.idOf(this.#next++), category, body: { instruction: '', context: '', response: '' }, revision: 0, saved_at: new Date().toISOString(), open: true, leased: true, question };
    this.drafts.set(draft.id, draft);
    return draft;
  }

  draft(id: string): Draft {
    const draft = this.drafts.get(id);
    if (!draft) throw new Refusal(404, 'not_found');
    return draft;
  }

  record(id: string) {
    const record = data.records.find((entry) => entry.id === id) ?? (this.submitted.length > 0 ? data.records[4] : undefined);
    if (!record) throw new Refusal(404, 'not_found');
    return { ...record, id };
  }
}

/** The contract's schemas have checked it. */
type Asked = { path: Record<string, string>; query: Record<string, string>; body: never };
type Handler = (studio: Studio, asked: Asked) => unknown;
const OK = { ok: true };

const HANDLERS: Partial<Record<RouteName, Handler>> = {
  session: (s) => ({
    setup_needed: s.setupNeeded,
    sign_in: { oidc: [{ id: 'sign-on', name: 'Harbour login' }] },
    person: s.signedIn && !s.setupNeeded ? { ...data.PERSON, roles: s.roles, name: s.written ?? data.PERSON.name } : null,
    campaign: s.campaign && { ...s.campaign, title: s.written ?? s.campaign.title, purpose: s.written ?? s.campaign.purpose },
    consent: s.campaign && { needed: 1, given: s.consentGiven },
    waiting: { drafts: [...s.drafts.values()].filter(({ open }) => open).length, revisions: 1, reviews: s.reviewsLeft, adjudications: 1, audits: s.auditsLeft },
  }),
  startSignOn: () => ({ url: '/sign-in?fault=sign_on_uninvited' }),
  signIn: (s, { body }) => {
    if (body['password'] !== 'correct horse') throw new Refusal(403, 'wrong_password');
    s.signedIn = true;
    return OK;
  },
  signOut: (s) => ((s.signedIn = false), OK),
  setUp: (s) => ((s.setupNeeded = false), (s.signedIn = true), OK),
  startDemo: () => OK,
  lookAtInvitation: () => ({ roles: ['member', 'reviewer'], team: 'Highlands', email: null, organisation: 'Harbour & Sons', expires_at: data.ago(-1440) }),
  acceptInvitation: (s) => ((s.signedIn = true), (s.consentGiven = null), OK),
  consent: (s, { query }) => ({ ...data.consentText(query['locale'] ?? 'en'), ...(s.written && { body: s.written }) }),
  giveConsent: (s, { body }) => ((s.consentGiven = Number(body['version'])), OK),
  me: () => ({ login: 'isla', name: 'Isla Fraser', alias: 'Thistle', email: 'isla@example.org', visibility: 'name', consents: [{ campaign: data.CAMPAIGN.title, version: 1, at: data.ago(9000) }], has_password: true, has_sign_on: false }),
  changeMe: () => OK,
  changePassword: () => OK,
  ownData: () => ({ name: 'Isla Fraser' }),
  eraseMe: () => OK,
  guideline: (_, { path, query }) => data.guideline(path['category'] as never, query['locale']),
  home: (s) => ({ categories: data.progress, points: { settled: 86_400, provisional: 12_400 }, rank: 5, accepted: 24, streak: { days: 3, free_left: true }, drafts: [...s.drafts.values()].filter(({ open }) => open).map(({ id, category, body, saved_at }) => ({ id, category, excerpt: s.written ?? body.instruction, saved_at })), decisions: data.records.slice(0, 2).map((record) => ({ record_id: record.id, category: record.category, state: record.state, excerpt: s.written ?? record.versions[0]?.instruction ?? '', at: data.ago(90) })) }),
  claimTask: (s, { body }) => ({ draft_id: s.newDraft(body['category'] as never, body['kind'] === 'answer' ? 'How do tides work?' : null).id }),
  draft: (s, { path }) => {
    const draft = s.draft(path['id'] ?? '');
    if (!draft.open) throw new Refusal(410, 'draft_closed');
    const passage = ['closed_qa', 'information_extraction', 'summarization'].includes(draft.category) ? { ...data.PASSAGE, text: s.written ?? data.PASSAGE.text } : null;
    if (passage) draft.body = { ...draft.body, context: passage.text };
    return { draft: { id: draft.id, category: draft.category, body: draft.body, revision: draft.revision, saved_at: draft.saved_at, language: 'en' }, lease: draft.leased ? { id: data.idOf(77), expires_at: data.ago(-30), weight: 1000 } : null, task: { id: data.idOf(78), kind: draft.question ? 'answer' : 'author', passage, question: draft.question }, guideline: { ...data.guideline(draft.category), ...(s.written && { summary: s.written }) }, revises: null };
  },
  saveDraft: (s, { path, body }) => {
    const draft = s.draft(path['id'] ?? '');
    if (!draft.open) throw new Refusal(410, 'draft_closed');
    if (draft.revision !== body['revision']) throw new Refusal(409, 'draft_conflict', { draft: { body: draft.body, revision: draft.revision, saved_at: draft.saved_at } });
    draft.body = body['body'];
    draft.revision++;
    draft.saved_at = new Date().toISOString();
    return { revision: draft.revision, saved_at: draft.saved_at };
  },
  discardDraft: (s, { path }) => ((s.draft(path['id'] ?? '').open = false), OK),
  checkDraft: (_, { body }) => {
    const { response } = body['body'] as { response: string };
    const at = response.indexOf('+44 20 7946 0958');
    return { findings: at < 0 ? [] : [{ code: 'personal_data', field: 'response', severity: 'warn', values: {}, spans: [[at, at + 16]] }] };
  },
  releaseDraft: (s, { path }) => ((s.draft(path['id'] ?? '').leased = false), OK),
  extendLease: () => ({ expires_at: data.ago(-30) }),
  submit: (s, { body }) => {
    const draft = s.draft(body['draft_id']);
    draft.open = false;
    s.submitted.push(body as never);
    return { record_id: data.idOf(2000 + s.submitted.length), undo_until: new Date(Date.now() + 10_000).toISOString(), points: data.POINTS };
  },
  records: (s) => ({ records: data.records.map(({ id, category, state, language, versions, points }) => ({ id, category, state, excerpt: s.written ?? versions[0]?.instruction ?? '', language, at: versions.at(-1)?.at, points_mp: points?.delta_mp ?? 0, settled: points?.settled ?? false })) }),
  record: (s, { path }) => {
    const record = s.record(path['id'] ?? '');
    return s.written ? { ...record, versions: record.versions.map((version) => ({ ...version, instruction: s.written, response: s.written })), reviews: record.reviews.map((review) => ({ ...review, comment: s.written })), rationale: s.written } : record;
  },
  undoSubmit: (s) => {
    const draft = s.draft(s.submitted.pop()?.draft_id ?? '');
    draft.open = true;
    return { draft_id: draft.id };
  },
  revise: (s) => ({ draft_id: s.newDraft('summarization').id }),
  appeal: () => OK,
  withdraw: () => OK,
  report: (s, { body }) => (s.reported.push(body), OK),
  questions: (s) => ({ ...data.questions, questions: [...s.asked.map((text, i) => ({ ...data.questions.questions[0]!, id: data.idOf(990 + i), text })), ...data.questions.questions.map((question) => ({ ...question, ...(s.written && { text: s.written }) }))] }),
  askQuestion: (s, { body }) => (s.asked.push(body['instruction']), { id: data.idOf(990) }),
  questionPassage: (s) => ({ passage: { ...data.PASSAGE, ...(s.written && { text: s.written }) } }),
  dropQuestion: () => OK,
  nextAudit: (s) => ({ left: s.auditsLeft, item: s.auditsLeft > 0 ? { ...data.auditItem(s.auditsLeft), ...(s.written && { version: { ...data.auditItem(1).version, response: s.written } }) } : null }),
  voteAudit: (s, { body }) => (s.votes.push(body), s.auditsLeft--, OK),
  points: () => data.ownPoints,
  board: (s) => (s.written ? { ...data.board, top: data.board.top.map((row) => ({ ...row, name: s.written, team: s.written })) } : data.board),
  live: (s) => ({ title: s.written ?? data.CAMPAIGN.title, ends_at: data.CAMPAIGN.ends_at, time_zone: 'UTC', accepted: 603, goal: 1000, today: 41, people: 148, categories: data.progress.map(({ category, accepted, goal }) => ({ category, accepted, goal })), top: data.board.top.map(({ rank, name, points_mp }) => ({ rank, name, points_mp })), teams: [] }),
  nextReview: (s) => {
    const item = data.reviewItem(s.reviewsLeft);
    return { item: s.reviewsLeft > 0 ? { ...item, ...(s.written && { version: { ...item.version, response: s.written }, previous: null }) } : null };
  },
  submitReview: (s, { body }) => (s.reviews.push(body), s.reviewsLeft--, OK),
  skipReview: (s) => (s.reviewsLeft--, OK),
  decisions: (s) => ({ records: s.decisions.length > 0 ? [] : [{ record_id: data.idOf(103), category: 'closed_qa', reason: 'disagreement', excerpt: 'What is honey?', at: data.ago(300) }] }),
  decision: (s) => {
    const { points: _p, may: _m, answer_by: _a, lapsed: _l, reviews, ...record } = s.record(data.idOf(103));
    return { record, reviews };
  },
  decide: (s, { body }) => (s.decisions.push(body), OK),
  createCampaign: (s) => ((s.campaign = data.CAMPAIGN), data.campaignView),
  campaign: () => data.campaignView,
  changeCampaign: () => data.campaignView,
  moveCampaign: (s, { body }) => (s.moves.push(body), data.campaignView),
  progress: () => data.managed.progress,
  quality: () => data.managed.quality,
  people: (s) => ({ people: data.managed.people.map((person) => ({ ...person, ...(s.written && { name: s.written, team: s.written }) })) }),
  changePerson: () => OK,
  invitations: () => ({ invitations: data.managed.invitations }),
  invite: () => ({ link: 'https://studio.example/invite#AAAABBBBCCCCDDDDEEEEFFFF', mailed: false }),
  revokeInvitation: () => OK,
  roster: () => ({ created: [{ line: 2, email: 'anna@example.org', link: 'https://studio.example/invite#AAAABBBBCCCCDDDDEEEEFFFF' }], faults: [{ line: 3, message: 'is no e-mail address' }], mailing: 1 }),
  passages: (s) => ({ passages: data.managed.passages.map((passage) => ({ ...passage, ...(s.written && { title: s.written, text: s.written, url: s.written }) })) }),
  addPassage: () => OK,
  movePassage: () => OK,
  managedGuideline: (_, { path }) => data.guideline(path['category'] as never, path['locale']),
  saveGuideline: () => ({ version: 2 }),
  awards: () => ({ awards: data.managed.awards }),
  moveAward: (s, { path, body }) => (s.moves.push({ award: path['id'], ...(body as object) }), OK),
  reports: (s) => ({ reports: data.managed.reports.map((report) => ({ ...report, ...(s.written && { reason: s.written, excerpt: s.written }) })) }),
  reportCase: (s, { path }) => {
    const { points: _p, may: _m, reviews, answer_by: _a, lapsed: _l, ...record } = s.record(data.idOf(103));
    const found = data.managed.reports.find(({ id }) => id === path['id']) ?? data.managed.reports[0]!;
    return { report: { ...found, ...(s.written && { reason: s.written }) }, record: found.kind === 'record' ? record : null, reviews: found.kind === 'record' ? reviews : [], passage: null, question: found.kind === 'question' ? { category: 'open_qa', language: 'en', text: s.written ?? found.excerpt } : null, may: found.state === 'open' ? ['none', 'retract', 'retract_copied'] : [] };
  },
  settleReport: (s, { body }) => (s.settled.push(body), OK),
  log: (s) => ({ events: data.managed.log.map((row) => ({ ...row, ...(s.written && { actor: s.written, subject: s.written }) })), more: false }),
  verifyLogs: () => ({ events: { ok: true, at: null }, ledger: { ok: true, at: null } }),
  datasets: () => ({ datasets: data.managed.datasets, acceptable: 603 }),
  sealDataset: (s) => (s.sealed++, data.managed.datasets[0]),
  health: () => ({ checks: data.managed.health, mail: false }),
  liveLink: () => ({ link: 'https://studio.example/live#AAAABBBBCCCCDDDDEEEEFFFF' }),
};

export interface Running {
  readonly url: string;
  readonly studio: Studio;
  close(): Promise<void>;
}

/** Starts it on a free port of loopback. */
export async function startFake(): Promise<Running> {
  const studio = new Studio();
  const server = createServer((request, response) => void answer(studio, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    studio,
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}

async function answer(studio: Studio, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
  if (!pathname.startsWith('/api/')) return file(pathname, response);
  let text = '';
  for await (const part of request) text += String(part);
  if (studio.down) return void response.destroy();
  studio.calls.push(`${request.method} ${pathname}`);
  try {
    const [name, path] = find(request.method ?? '', pathname);
    const route: RouteSpec = ROUTES[name];
    if (!studio.signedIn && route.access !== 'anyone') throw new Refusal(401, 'signed_out');
    const body = text === '' ? undefined : (JSON.parse(text) as unknown);
    const asked = { path: check(route.path, path), query: check(route.query, Object.fromEntries(searchParams)), body: check(route.body, body) } as Asked;
    const handler = HANDLERS[name];
    if (!handler || !route.answer) throw new Error(`the test's server does not answer ${name}`);
    json(response, 200, route.answer.parse(handler(studio, asked)));
  } catch (error) {
    if (error instanceof Refusal) return json(response, error.status, { error: { code: error.code, message: error.code }, ...error.more });
    faults.push(`${request.method} ${pathname}: ${String(error)}`);
    json(response, 500, { error: { code: 'internal', message: String(error) } });
  }
}

/** What does not keep to the contract: empty at the end of a good test. */
export const faults: string[] = [];

const check = (schema: { parse(value: unknown): unknown } | undefined, value: unknown): unknown => (schema ? schema.parse(value) : undefined);

function find(method: string, pathname: string): [RouteName, Record<string, string>] {
  for (const [name, route] of Object.entries(ROUTES)) {
    if (route.method !== method) continue;
    const match = new RegExp(`^${route.url.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`).exec(pathname);
    if (match) return [name as RouteName, { ...match.groups }];
  }
  throw new Refusal(404, 'not_found');
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(value));
}

function file(pathname: string, response: ServerResponse): void {
  const name = extname(pathname) === '' ? 'index.html' : normalize(pathname).replace(/^(\.\.[/\\])+/, '');
  try {
    const bytes = readFileSync(join(DIST, name));
    response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff', 'cache-control': name === 'index.html' ? 'no-cache' : 'max-age=31536000, immutable' });
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}
