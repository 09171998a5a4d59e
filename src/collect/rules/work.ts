/** The smaller lives: leases, reviews, passages, awards; and the times that a lease keeps. */
import type { Machine } from './machine.ts';

export const LEASE_STATES = ['offered', 'claimed', 'submitted', 'released', 'expired'] as const;
export type LeaseState = (typeof LEASE_STATES)[number];
export type LeaseEvent = 'claim' | 'extend' | 'submit' | 'release' | 'expire';

/** A lease is a task that one person works on. Its end frees the task, never the draft. */
export const LEASE: Machine<LeaseState, LeaseEvent> = {
  name: 'lease',
  states: LEASE_STATES,
  initial: 'offered',
  moves: [
    { event: 'claim', from: ['offered'], to: 'claimed', by: ['author'] },
    { event: 'extend', from: ['claimed'], to: 'claimed', by: ['author', 'system'] },
    { event: 'submit', from: ['claimed'], to: 'submitted', by: ['author'] },
    { event: 'release', from: ['claimed'], to: 'released', by: ['author', 'moderator', 'system'] },
    { event: 'expire', from: ['claimed'], to: 'expired', by: ['system'] },
  ],
  meaning: {
    offered: { en: 'Nobody has taken this task yet.', ru: 'Это задание ещё никто не взял.' },
    claimed: { en: 'Somebody is working on this task.', ru: 'Над этим заданием уже работают.' },
    submitted: { en: 'This task has been handed in.', ru: 'Это задание уже сдано.' },
    released: { en: 'This task was given back. Your text is kept as a draft.', ru: 'Задание возвращено. Ваш текст сохранён как черновик.' },
    expired: { en: 'The time for this task ran out. Your text is kept as a draft: take the task again, if it is still free.', ru: 'Время задания вышло. Ваш текст сохранён как черновик: возьмите задание снова, если оно свободно.' },
  },
};

export const REVIEW_STATES = ['assigned', 'submitted', 'skipped', 'expired', 'voided'] as const;
export type ReviewState = (typeof REVIEW_STATES)[number];
export type ReviewEvent = 'submit' | 'skip' | 'expire' | 'void';

export const REVIEW: Machine<ReviewState, ReviewEvent> = {
  name: 'review',
  states: REVIEW_STATES,
  initial: 'assigned',
  moves: [
    { event: 'submit', from: ['assigned'], to: 'submitted', by: ['reviewer'] },
    { event: 'skip', from: ['assigned'], to: 'skipped', by: ['reviewer'] },
    { event: 'expire', from: ['assigned'], to: 'expired', by: ['system'] },
    { event: 'void', from: ['assigned', 'submitted'], to: 'voided', by: ['system', 'moderator'] },
  ],
  meaning: {
    assigned: { en: 'This review has not been handed in yet.', ru: 'Эта рецензия ещё не сдана.' },
    submitted: { en: 'This review has been handed in and is not changed any more.', ru: 'Рецензия сдана и больше не меняется.' },
    skipped: { en: 'You passed this record on; somebody else reviews it.', ru: 'Вы пропустили эту запись; её рецензирует кто-то другой.' },
    expired: { en: 'The time for this review ran out; somebody else reviews the record.', ru: 'Время рецензии вышло; запись рецензирует кто-то другой.' },
    voided: { en: 'This review does not count: the record was withdrawn or revised, or the review broke the rules.', ru: 'Эта рецензия не учитывается: запись отозвали или исправили, либо рецензия нарушила правила.' },
  },
};

export const PASSAGE_STATES = ['proposed', 'verified', 'blocked'] as const;
export type PassageState = (typeof PASSAGE_STATES)[number];
export type PassageEvent = 'verify' | 'block' | 'reopen';

export const PASSAGE: Machine<PassageState, PassageEvent> = {
  name: 'passage',
  states: PASSAGE_STATES,
  initial: 'proposed',
  moves: [
    { event: 'verify', from: ['proposed'], to: 'verified', by: ['moderator', 'admin'] },
    { event: 'block', from: ['proposed', 'verified'], to: 'blocked', by: ['moderator', 'admin', 'system'] },
    { event: 'reopen', from: ['blocked'], to: 'proposed', by: ['admin'] },
  ],
  meaning: {
    proposed: { en: 'Source and licence of this passage have not been looked at yet.', ru: 'Источник и лицензия отрывка ещё не проверены.' },
    verified: { en: 'This passage has been verified.', ru: 'Отрывок проверен.' },
    blocked: { en: 'This passage must not be used: its licence or its content forbids it.', ru: 'Отрывок использовать нельзя: этого не позволяет лицензия или содержание.' },
  },
};

export const AWARD_STATES = ['candidate', 'audited', 'confirmed', 'delivered', 'forfeited'] as const;
export type AwardState = (typeof AWARD_STATES)[number];
export type AwardEvent = 'audit' | 'confirm' | 'deliver' | 'forfeit';

export const AWARD: Machine<AwardState, AwardEvent> = {
  name: 'award',
  states: AWARD_STATES,
  initial: 'candidate',
  moves: [
    { event: 'audit', from: ['candidate'], to: 'audited', by: ['system', 'moderator'] },
    { event: 'confirm', from: ['audited'], to: 'confirmed', by: ['admin', 'owner'] },
    { event: 'deliver', from: ['confirmed'], to: 'delivered', by: ['admin', 'owner'] },
    { event: 'forfeit', from: ['candidate', 'audited', 'confirmed'], to: 'forfeited', by: ['author', 'admin', 'owner', 'system'] },
  ],
  meaning: {
    candidate: { en: 'This place waits for its audit.', ru: 'Это место ждёт выборочной проверки.' },
    audited: { en: 'The audit is done; the prize waits to be confirmed.', ru: 'Проверка завершена; приз ждёт подтверждения.' },
    confirmed: { en: 'The prize is confirmed.', ru: 'Приз подтверждён.' },
    delivered: { en: 'The prize has been handed over.', ru: 'Приз вручён.' },
    forfeited: { en: 'This place was given up or taken back; the next one moved up.', ru: 'От этого места отказались или его отозвали; следующий поднялся.' },
  },
  refused: {
    'candidate.confirm': { en: 'Two moderators look at a sample of the accepted records first.', ru: 'Сначала два модератора смотрят выборку принятых записей.' },
    'delivered.forfeit': { en: 'What has been handed over is not taken back here.', ru: 'Вручённое здесь уже не отзывают.' },
  },
};

/** A lease lasts so long after the last sign of work, and in all no longer than that. Milliseconds. */
export interface LeaseTimes {
  readonly idle_ms: number;
  readonly warn_ms: number;
  readonly most_ms: number;
}

/** The longest is short against a campaign: a need weight that was fixed at the claim cannot be hoarded. */
export const LEASE_TIMES: LeaseTimes = { idle_ms: 30 * 60_000, warn_ms: 2 * 60_000, most_ms: 2 * 3_600_000 };

/** Until when a lease lasts if there was a sign of work at `now`. Milliseconds since 1970. */
export const leaseEnd = (claimedAt: number, now: number, times: LeaseTimes = LEASE_TIMES): number => Math.min(now + times.idle_ms, claimedAt + times.most_ms);

/** Tasks that one person may hold at once: who wants another one gives this back, and keeps the draft. */
export const LEASES_AT_ONCE = 1;
