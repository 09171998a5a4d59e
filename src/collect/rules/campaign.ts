/** The life of a campaign, and what may be done in it while it is in each state. */
import type { Machine, Sentence } from './machine.ts';

export const CAMPAIGN_STATES = ['draft', 'open', 'paused', 'closing', 'adjudicating', 'frozen', 'archived'] as const;
export type CampaignState = (typeof CAMPAIGN_STATES)[number];
export type CampaignEvent = 'open' | 'pause' | 'resume' | 'close' | 'adjudicate' | 'freeze' | 'archive';

export const CAMPAIGN: Machine<CampaignState, CampaignEvent> = {
  name: 'campaign',
  states: CAMPAIGN_STATES,
  initial: 'draft',
  moves: [
    { event: 'open', from: ['draft'], to: 'open', by: ['admin', 'owner'] },
    { event: 'pause', from: ['open'], to: 'paused', by: ['admin', 'owner'] },
    { event: 'resume', from: ['paused'], to: 'open', by: ['admin', 'owner'] },
    { event: 'close', from: ['open', 'paused'], to: 'closing', by: ['system', 'admin', 'owner'] },
    { event: 'adjudicate', from: ['closing'], to: 'adjudicating', by: ['system', 'admin', 'owner'] },
    { event: 'freeze', from: ['adjudicating'], to: 'frozen', by: ['admin', 'owner'] },
    { event: 'archive', from: ['frozen'], to: 'archived', by: ['admin', 'owner'] },
  ],
  meaning: {
    draft: { en: 'The campaign has not begun yet.', ru: 'Кампания ещё не началась.' },
    open: { en: 'The campaign is open: people are writing and reviewing.', ru: 'Кампания открыта: люди пишут и рецензируют.' },
    paused: { en: 'The campaign is paused. Drafts are kept, and everything goes on where it was.', ru: 'Кампания приостановлена. Черновики сохранены, всё продолжится с того же места.' },
    closing: { en: 'The campaign has ended. What was begun is still being reviewed and counted.', ru: 'Кампания завершена. Начатое ещё рецензируется и засчитывается.' },
    adjudicating: { en: 'The last decisions are being made; nothing new is taken in.', ru: 'Принимаются последние решения; новое уже не принимается.' },
    frozen: { en: 'The results stand.', ru: 'Результаты окончательны.' },
    archived: { en: 'The campaign is in the archive and can only be read.', ru: 'Кампания в архиве: её можно только смотреть.' },
  },
  refused: {
    'closing.open': { en: 'A campaign that has ended is not opened again: people planned by its published end. Begin another one.', ru: 'Завершённую кампанию не открывают снова: люди рассчитывали на объявленную дату. Начните новую.' },
    'closing.resume': { en: 'A campaign that has ended does not go on: people planned by its published end. Begin another one.', ru: 'Завершённая кампания не продолжается: люди рассчитывали на объявленную дату. Начните новую.' },
    'closing.freeze': { en: 'Some records still wait for their reviews. The last decisions come first.', ru: 'Некоторые записи ещё ждут рецензий. Сначала последние решения.' },
    'open.freeze': { en: 'Close the campaign first, then decide what is still open.', ru: 'Сначала завершите кампанию, затем решите всё, что ещё открыто.' },
    'frozen.adjudicate': { en: 'The results stand, and prizes may have been given. Withdrawals and retractions still count, as reversals.', ru: 'Результаты окончательны, призы могли быть вручены. Отзывы и отмены ещё учитываются как обратные записи.' },
  },
};

/** What people do in a campaign. `settle` is the program booking points. */
export const DEEDS = ['claim', 'draft', 'submit', 'revise', 'review', 'appeal', 'adjudicate', 'withdraw', 'retract', 'settle', 'audit', 'deliver', 'seal', 'configure'] as const;
export type Deed = (typeof DEEDS)[number];

/**
 * What may be done while. Drafts and withdrawing one's own words are never refused before the archive; work that was claimed before
 * the end may still be handed in while the campaign is closing, and settles.
 */
const ALLOWED: Readonly<Record<CampaignState, readonly Deed[]>> = {
  draft: ['draft', 'configure'],
  open: ['claim', 'draft', 'submit', 'revise', 'review', 'appeal', 'adjudicate', 'withdraw', 'retract', 'settle', 'seal', 'configure'],
  paused: ['draft', 'adjudicate', 'withdraw', 'retract', 'settle', 'seal', 'configure'],
  closing: ['draft', 'submit', 'revise', 'review', 'appeal', 'adjudicate', 'withdraw', 'retract', 'settle', 'seal'],
  adjudicating: ['draft', 'appeal', 'adjudicate', 'withdraw', 'retract', 'settle', 'audit', 'seal'],
  frozen: ['draft', 'withdraw', 'retract', 'deliver', 'seal'],
  archived: ['withdraw', 'seal'],
};

/** The accepted records are final: a dataset sealed before is an interim one. */
export const resultsStand = (state: CampaignState): boolean => state === 'frozen' || state === 'archived';

/** Undefined if it may be done, else why not. */
export function forbids(state: CampaignState, deed: Deed): Sentence | undefined {
  return ALLOWED[state].includes(deed) ? undefined : CAMPAIGN.meaning[state];
}

const NOT_BEGUN: Sentence = { en: 'The campaign has not begun yet.', ru: 'Кампания ещё не началась.' };

/** Why nothing new can be begun (a task, a question): its state, or its first instant is to come. Milliseconds since 1970. */
export const forbidsNew = (state: CampaignState, now: number, starts: number): Sentence | undefined => forbids(state, 'claim') ?? (now < starts ? NOT_BEGUN : undefined);

export interface OpenWork {
  /** Records that are submitted, checking, quarantined, in review, appealed, or wait for their author. */
  readonly undecided: number;
  /** Reviews that are assigned, leases that are claimed. */
  readonly under_way: number;
  /** Awards that are neither confirmed, delivered nor forfeited. */
  readonly awards_open: number;
}

/** What must be finished before a campaign can go there: empty if nothing. */
export function stillOpen(event: CampaignEvent, work: OpenWork): Sentence[] {
  const found: Sentence[] = [];
  if (event === 'adjudicate' && work.under_way > 0) found.push({ en: `Tasks and reviews under way: ${work.under_way}. They end by themselves.`, ru: `Задания и рецензии в работе: ${work.under_way}. Они завершатся сами.` });
  if (event === 'freeze' && work.undecided > 0) found.push({ en: `Records without a decision: ${work.undecided}.`, ru: `Записи без решения: ${work.undecided}.` });
  if (event === 'freeze' && work.awards_open > 0) found.push({ en: `Prizes without a decision: ${work.awards_open}.`, ru: `Призы без решения: ${work.awards_open}.` });
  return found;
}
