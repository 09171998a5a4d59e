/** Made-up people and records for the pages' tests. Every answer is checked against the contract's schemas before it is sent. */
import { GUIDELINES } from '../../src/collect/guidelines/index.ts';
import { CONSENT, fillConsent } from '../../src/collect/guidelines/consent.ts';
import { CATEGORIES, type CategoryKey } from '../../src/collect/rules/categories.ts';
import type { Answer, CategoryProgress, RecordView, Session, SubmissionState } from '../../src/server/contract.ts';

/** Ids in the contract's form, by a number. */
export const idOf = (n: number): string => `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const NOW = Date.now();
export const ago = (minutes: number): string => new Date(NOW - minutes * 60_000).toISOString();

export const CAMPAIGN: NonNullable<Session['campaign']> = {
  id: idOf(1),
  title: 'Autumn of a thousand answers',
  state: 'open',
  time_zone: 'Europe/London',
  languages: ['en', 'ru'],
  starts_at: ago(9 * 1440),
  ends_at: ago(-5 * 1440),
  licence: 'CC-BY-SA-4.0',
  purpose: 'Our support team answers the same questions every day. What you write here teaches a model of our own to help them.',
  prizes: [{ from: 1, to: 3, text: 'A day off' }, { from: 4, to: 20, text: 'Dinner for two' }],
};

export const PERSON: NonNullable<Session['person']> = { id: idOf(2), login: 'isla', name: 'Isla Fraser', alias: 'Thistle', roles: ['owner', 'member'], locale: 'en', team: { id: idOf(3), name: 'North Sea' }, visibility: 'name' };

export function guideline(category: CategoryKey, locale = 'en'): Answer<'guideline'> {
  const text = GUIDELINES[locale === 'ru' ? 'ru' : 'en'][category];
  return { version: 1, summary: text.summary, do: [...text.do], dont: [...text.dont], good: [...text.good], bad: [...text.bad] };
}
export const consentText = (locale: string) => ({ version: 1, locale, licence: CAMPAIGN.licence, body: fillConsent(CONSENT[locale === 'ru' ? 'ru' : 'en'], { organisation: 'Harbour & Sons', licence: CAMPAIGN.licence }) });

const GOALS = [250, 150, 120, 100, 80, 120, 130, 50];
export const progress: CategoryProgress[] = CATEGORIES.map((category, i) => ({ category, goal: GOALS[i] ?? 0, accepted: [203, 88, 61, 34, 19, 96, 71, 31][i] ?? 0, in_review: 6 + i, mine: [4, 0, 3, 1, 0, 2, 0, 1][i] ?? 0, weight: [760, 1010, 1120, 1390, 1500, 700, 1040, 980][i] ?? 1000, base_mp: [3000, 4000, 5000, 5000, 5000, 2000, 3000, 4000][i] ?? 0, questions: [0, 2, 1, 0, 0, 3, 0, 1][i] ?? 0 }));

export const POINTS = { delta_mp: 4368, base_mp: 5000, factors: { size: 930, quality: 1000, novelty: 1000, need: 940, day: 1000 }, rules_version: '2026-1', settled: false };

export const PASSAGE = {
  id: idOf(4),
  language: 'en',
  text: GUIDELINES.en.closed_qa.good[0]?.context ?? '',
  source: { title: 'Honey', url: 'https://en.wikipedia.org/w/index.php?title=Honey&oldid=1180000000', revision: '1180000000', licence: 'CC-BY-SA-4.0', author: 'Wikipedia contributors' },
};

const TEXTS: readonly (readonly [CategoryKey, SubmissionState, string, string])[] = [
  ['summarization', 'changes_requested', 'Explain in two sentences why honey keeps so long.', 'Bees dry nectar until microbes cannot live in it, and its acid does the rest. An open jar in damp air may still go off.'],
  ['open_qa', 'accepted', 'Why do we see our breath on cold mornings?', 'Breath is warm and moist. In cold air its water vapour turns into tiny drops, and these scatter light like a small cloud.'],
  ['brainstorming', 'in_review', 'Give me five ways to welcome a colleague who joins in the middle of winter.', '- a flask of soup on the first day\n- a map of the warmest desks\n- a walk at noon while there is light'],
  ['closed_qa', 'rejected', 'What is honey?', 'It is food that bees make and it hardly ever spoils.'],
  ['creative_writing', 'submitted', 'Write a short letter of a lighthouse to the sea, without the word "wave", ending with a question.', 'Dear sea, you have been loud again…'],
  ['classification', 'withdrawn', 'Sort these by whether they are played with the breath, with a bow or by striking: cello, oboe, marimba', 'Breath: oboe. Bow: cello. Striking: marimba.'],
];

export const records: RecordView[] = TEXTS.map(([category, state, instruction, response], i) => ({
  id: idOf(100 + i),
  category,
  state,
  language: 'en',
  versions: [{ version: 1, at: ago(3000 - i * 300), instruction, context: '', response: i === 0 ? 'Bees dry nectar until microbes cannot live in it.' : response }, ...(i === 0 ? [{ version: 2, at: ago(200), instruction, context: '', response }] : [])],
  passage: category === 'summarization' || category === 'closed_qa' ? PASSAGE : null,
  findings: i === 3 ? [{ code: 'answer_in_passage', field: 'response', severity: 'warn', values: { percent: 24 }, spans: [[0, 14]] }] : [],
  reviews: state === 'accepted' || state === 'rejected' || state === 'changes_requested' ? [
    { version: 1, scores: { follows_instruction: 4, correct: state === 'rejected' ? 2 : 5, clear: 4, category_fit: 3 }, verdict: state === 'accepted' ? 'accept' : state === 'rejected' ? 'reject' : 'fix', flags: [], comment: state === 'accepted' ? '' : 'The open jar is missing, and it is the second half of the passage.', at: ago(100) },
    { version: 1, scores: { follows_instruction: 3, correct: 4, clear: 5, category_fit: 2 }, verdict: state === 'accepted' ? 'accept' : 'reject', flags: state === 'rejected' ? ['ai_phrases'] : [], comment: state === 'accepted' ? 'Nicely put.' : 'Anyone could ask this without the passage.', at: ago(90) },
  ] : [],
  rationale: null,
  points: state === 'withdrawn' || state === 'rejected' ? null : { ...POINTS, settled: state === 'accepted' },
  answer_by: state === 'changes_requested' ? ago(-3 * 1440) : null,
  lapsed: false,
  may: { revise: state === 'changes_requested', appeal: state === 'rejected', withdraw: !['withdrawn'].includes(state) },
  guideline: guideline(category),
}));

const NAMES = ['Rory MacLeod', 'Мария Соколова', 'Thistle', 'Ewan Grant', 'Isla Fraser', 'Пётр Ёлкин', 'Catriona Mackintosh-Featherstonehaugh', 'Iain Ross'];
const boardRow = (rank: number) => ({ rank, name: NAMES[(rank - 1) % NAMES.length] ?? '', team: rank % 3 === 0 ? null : ['North Sea', 'Highlands'][rank % 2] ?? null, points_mp: 260_000 - rank * 17_350, accepted: 64 - rank * 4, me: rank === 5 });
export const board: Answer<'board'> = {
  cutoff: ago(400),
  next: ago(-1000),
  blackout: false,
  top: [1, 2, 3, 4, 5, 6, 7, 8].map(boardRow),
  around: [3, 4, 5, 6, 7].map(boardRow),
  teams: [{ rank: 1, name: 'Highlands', points_mp: 184_200, members: 12, mine: false }, { rank: 2, name: 'North Sea', points_mp: 171_900, members: 9, mine: true }],
  provisional_mp: 12_400,
};

export const reviewItem = (n: number): NonNullable<Answer<'nextReview'>['item']> => ({
  review_id: idOf(500 + n),
  category: 'summarization',
  language: 'en',
  version: { version: 2, at: ago(60), instruction: 'Explain in two sentences why honey keeps so long.', context: PASSAGE.text, response: 'Bees dry nectar until microbes cannot live in it, and its acid and a trace of peroxide do the rest. Only an open jar in damp air may still go off.' },
  previous: { version: 1, at: ago(600), instruction: 'Explain why honey keeps so long.', context: PASSAGE.text, response: 'Bees dry nectar until microbes cannot live in it.' },
  passage: PASSAGE,
  findings: [{ code: 'like_another', field: 'response', severity: 'warn', values: { percent: 54 }, spans: [[0, 48]] }],
  telemetry: { paste_share: 0.12, active_ms: 312_000, edits: 148 },
  criteria: ['follows_instruction', 'correct', 'clear', 'grounded', 'category_fit'],
  guideline: guideline('summarization'),
  expires_at: ago(-30),
});

export const campaignView: Answer<'campaign'> = {
  id: CAMPAIGN.id,
  state: 'open',
  title: CAMPAIGN.title,
  purpose: CAMPAIGN.purpose,
  organisation: 'Harbour & Sons',
  time_zone: CAMPAIGN.time_zone,
  languages: ['en', 'ru'],
  starts_at: CAMPAIGN.starts_at,
  ends_at: CAMPAIGN.ends_at,
  licence: CAMPAIGN.licence,
  goals: Object.fromEntries(CATEGORIES.map((category, i) => [category, GOALS[i]])),
  consent: { en: consentText('en').body, ru: consentText('ru').body },
  prizes: [...CAMPAIGN.prizes],
  policy: { reviews: 2, personal_data: 'block' },
  moves: [{ event: 'pause', blocked: [] }, { event: 'close', blocked: ['Five records wait for their authors.'] }],
};

export const managed = {
  progress: { categories: CATEGORIES.map((category, i) => ({ category, goal: GOALS[i] ?? 0, accepted: progress[i]?.accepted ?? 0, in_review: 6 + i, rejected: 3 + i, changes_requested: 2 })), people: 148, active_today: 37, days: Array.from({ length: 9 }, (_, i) => ({ day: ago((8 - i) * 1440).slice(0, 10), submitted: 40 + ((i * 37) % 55), accepted: 25 + ((i * 23) % 30) })), waiting: { reviews: 43, decisions: 3, passages: 7, reports: 1 } },
  quality: { criteria: (['follows_instruction', 'correct', 'clear', 'grounded', 'category_fit'] as const).map((criterion, i) => ({ criterion, alpha: i === 3 ? null : 0.81 - i * 0.07, ac1: 0.86, raw: 0.78, n: 212 })), categories: CATEGORIES.map((category, i) => ({ category, alpha: 0.78 - i * 0.03, ac1: i === 6 ? 0.5 : 0.84, raw: 0.74, n: 40 + i, accept_rate: 0.82 })), gold: { items: 24, answered: 190, right: 161 }, pairs: [{ names: ['Rory MacLeod', 'Мария Соколова'] as [string, string], reviews: 6, lean: 1350 }], pilot: CATEGORIES.map((category, i) => ({ category, records: 12 + i * 9, base_mp: 3000, full_words: 35, found: i === 0 ? null : { base_mp: 2500 + 500 * i, full_words: 30 + 5 * i } })), median_hours: 5.5 },
  people: NAMES.map((name, i) => ({ id: idOf(700 + i), name, login: `login${i}`, email: null, stopped: i === 2, roles: i === 0 ? (['admin', 'reviewer'] as const) : (['member', 'reviewer'] as const), team: i % 2 ? 'North Sea' : null, status: i === 5 ? ('suspended' as const) : ('active' as const), accepted: 40 - i * 4, joined_at: ago(9000) })),
  invitations: [{ id: idOf(800), roles: ['member' as const, 'reviewer' as const], email: 'anna@example.org', team: 'Highlands', created_at: ago(100), expires_at: ago(-9000), state: 'open' as const }],
  passages: [{ id: idOf(900), state: 'proposed' as const, title: 'Honey', url: PASSAGE.source.url, revision: '1180000000', licence: 'CC-BY-SA-4.0', language: 'en', words: 118, uses: 0, text: PASSAGE.text }, { id: idOf(901), state: 'verified' as const, title: 'Harbour handbook, chapter 3', url: null, revision: '2026-09', licence: 'LicenseRef-Internal', language: 'en', words: 340, uses: 6, text: PASSAGE.text }],
  awards: [{ id: idOf(950), place: 1, reason: '', audit: { sampled: 10, judged: 10, failed: 1 }, prize: 'A day off', name: 'Rory MacLeod', points_mp: 242_650, state: 'candidate' as const, gate: (['accepted', 'categories', 'accept_rate', 'gold', 'flags', 'consent'] as const).map((rule) => ({ rule, met: rule !== 'gold' })), may: ['audit' as const, 'forfeit' as const] }, { id: idOf(951), place: null, reason: '', audit: { sampled: 10, judged: 4, failed: 0 }, prize: '', name: 'Мария Соколова', points_mp: 201_300, state: 'candidate' as const, gate: [], may: ['forfeit' as const] }],
  reports: [
    { id: idOf(960), kind: 'record' as const, reason: 'This names a customer.', excerpt: 'Dear Mrs Example, thank you for your order…', at: ago(50), state: 'open' as const, answer: '' },
    { id: idOf(961), kind: 'question' as const, reason: 'Nobody can know this.', excerpt: 'What did the captain think that night?', at: ago(500), state: 'dismissed' as const, answer: 'It is a fair question.' },
  ],
  log: Array.from({ length: 12 }, (_, i) => ({ seq: 412 - i, at: ago(i * 7), actor: i % 4 === 0 ? null : NAMES[i % NAMES.length] ?? null, type: ['record.submitted', 'review.submitted', 'record.accepted', 'invitation.used'][i % 4] ?? '', subject: idOf(100 + i) })),
  datasets: [{ version: '1', state: 'sealed' as const, interim: true, records: 512, train: 486, held_out: 26, root: 'b7f31c0e5a4d9f0c2f6f0e1d3c5b7a9900112233445566778899aabbccddeeff', licence: 'CC-BY-SA-4.0', at: ago(3000), files: [{ name: 'records.jsonl', href: '/api/manage/datasets/1/records.jsonl' }, { name: 'README.md', href: '/api/manage/datasets/1/README.md' }] }],
  health: [{ name: 'Database', status: 'ok' as const, message: 'PostgreSQL 18, in the workspace folder.', remedy: null }, { name: 'Mail', status: 'limited' as const, message: 'No SMTP server is configured: links are shown to you instead.', remedy: 'roslin up --smtp smtp://user@host:587' }, { name: 'Disk', status: 'missing' as const, message: '0.4 GB are free.', remedy: 'Free 2 GB where the workspace is.' }],
};

export const questions: Answer<'questions'> = {
  may: 1, share: 100,
  questions: [
    { id: idOf(970), category: 'general_qa', language: 'en', text: 'What speaks for learning to touch-type, and what against?', at: ago(30), state: 'open', points: null },
    { id: idOf(971), category: 'closed_qa', language: 'en', text: 'Why does honey keep so long?', at: ago(3000), state: 'accepted', points: { ...POINTS, delta_mp: 436, settled: true } },
    { id: idOf(972), category: 'open_qa', language: 'ru', text: 'Зачем вести рабочий дневник, если есть календарь?', at: ago(2000), state: 'taken', points: null },
  ],
};

export const auditItem = (n: number): NonNullable<Answer<'nextAudit'>['item']> => {
  const { review_id: _r, previous: _p, criteria: _c, expires_at: _e, ...item } = reviewItem(n);
  return { ...item, record_id: idOf(980 + n) };
};

const line = (name: 'base' | 'size' | 'quality' | 'novelty' | 'need' | 'day' | 'review' | 'reversal' | 'audit' | 'total' | 'asker_share', mp: number | null, factor: number | null = null, values: Record<string, string | number> = {}) => ({ line: name, mp, factor, values });
export const ownPoints: Answer<'points'> = {
  points_mp: 86_400, reviews_mp: 40_000, reviews_counted_mp: 25_920,
  entries: [
    { seq: 9, kind: 'audit', at: ago(10), delta_mp: -2100, taken_back: false, record_id: null, rules_version: '2026-1', lines: [line('audit', null, null, { failed: 1, sampled: 10, reversed_mp: 4368 }), line('total', -2100)] },
    { seq: 8, kind: 'reversal', at: ago(20), delta_mp: -4368, taken_back: false, record_id: idOf(101), rules_version: '2026-1', lines: [line('reversal', -4368, null, { reason: 'retracted' }), line('total', -4368)] },
    { seq: 7, kind: 'question', at: ago(200), delta_mp: 436, taken_back: false, record_id: null, rules_version: '2026-1', lines: [line('base', 5000), line('size', null, 930), line('quality', null, 1000), line('novelty', null, 1000), line('need', null, 940), line('day', null, 1000), line('asker_share', null, 100), line('total', 436)] },
    { seq: 5, kind: 'review', at: ago(300), delta_mp: 500, taken_back: false, record_id: null, rules_version: '2026-1', lines: [line('review', 500, null, { because: 'valid', dwell_ms: 90_000, least_ms: 12_000 }), line('total', 500)] },
    { seq: 2, kind: 'record', at: ago(900), delta_mp: 4368, taken_back: true, record_id: idOf(101), rules_version: '2026-1', lines: [line('base', 5000), line('size', null, 930), line('quality', null, 1000), line('novelty', null, 1000), line('need', null, 940), line('day', null, 1000), line('total', 4368)] },
  ],
};
