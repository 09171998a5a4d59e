/** The life of a submission: from the moment it is handed in to the dataset, back to its author, or out. */
import type { Machine } from './machine.ts';

export const SUBMISSION_STATES = ['submitted', 'checking', 'needs_fix', 'quarantined', 'in_review', 'changes_requested', 'accepted', 'rejected', 'appealed', 'withdrawn', 'retracted'] as const;
export type SubmissionState = (typeof SUBMISSION_STATES)[number];
export type SubmissionEvent = 'check' | 'pass' | 'block' | 'quarantine' | 'release' | 'revise' | 'accept' | 'request_changes' | 'reject' | 'lapse' | 'appeal' | 'reopen' | 'withdraw' | 'retract';

export const SUBMISSION: Machine<SubmissionState, SubmissionEvent> = {
  name: 'submission',
  states: SUBMISSION_STATES,
  initial: 'submitted',
  moves: [
    { event: 'check', from: ['submitted'], to: 'checking', by: ['system'] },
    { event: 'pass', from: ['checking'], to: 'in_review', by: ['system'] },
    { event: 'block', from: ['checking'], to: 'needs_fix', by: ['system'] },
    { event: 'quarantine', from: ['checking', 'in_review'], to: 'quarantined', by: ['system', 'moderator'] },
    { event: 'release', from: ['quarantined'], to: 'in_review', by: ['moderator'] },
    { event: 'revise', from: ['needs_fix', 'changes_requested'], to: 'submitted', by: ['author'] },
    { event: 'accept', from: ['in_review'], to: 'accepted', by: ['system', 'moderator'] },
    { event: 'request_changes', from: ['in_review', 'quarantined'], to: 'changes_requested', by: ['system', 'moderator'] },
    { event: 'reject', from: ['in_review', 'quarantined'], to: 'rejected', by: ['system', 'moderator'] },
    { event: 'lapse', from: ['needs_fix', 'changes_requested'], to: 'rejected', by: ['system'] },
    { event: 'appeal', from: ['rejected'], to: 'appealed', by: ['author'] },
    { event: 'reopen', from: ['appealed'], to: 'in_review', by: ['system', 'moderator'] },
    { event: 'withdraw', from: ['submitted', 'checking', 'needs_fix', 'quarantined', 'in_review', 'changes_requested', 'accepted', 'rejected', 'appealed'], to: 'withdrawn', by: ['author'] },
    { event: 'retract', from: ['accepted'], to: 'retracted', by: ['moderator', 'admin'] },
  ],
  meaning: {
    submitted: { en: 'It has been handed in and is about to be checked.', ru: 'Запись принята и сейчас будет проверена.' },
    checking: { en: 'It is being checked.', ru: 'Запись проверяется.' },
    needs_fix: { en: 'The checks found something that its author has to mend first.', ru: 'Проверка нашла то, что автору нужно исправить.' },
    quarantined: { en: 'It is set aside until a moderator has looked at it.', ru: 'Запись отложена, пока её не посмотрит модератор.' },
    in_review: { en: 'It is being reviewed and stays as it is until then.', ru: 'Запись рецензируется и до решения не меняется.' },
    changes_requested: { en: 'Reviewers asked its author for changes.', ru: 'Рецензенты попросили автора о правках.' },
    accepted: { en: 'It has been accepted.', ru: 'Запись принята в набор.' },
    rejected: { en: 'It has been rejected.', ru: 'Запись отклонена.' },
    appealed: { en: 'Its author has appealed; other reviewers will look at it.', ru: 'Автор подал апелляцию; её посмотрят другие рецензенты.' },
    withdrawn: { en: 'Its author has withdrawn it.', ru: 'Автор отозвал запись.' },
    retracted: { en: 'It was taken out because it broke the rules of the campaign.', ru: 'Запись исключена за нарушение правил кампании.' },
  },
  refused: {
    'in_review.revise': { en: 'Reviewers are reading this version. Withdraw it, or wait for their decision.', ru: 'Рецензенты читают эту версию. Отзовите её или дождитесь решения.' },
    'accepted.revise': { en: 'An accepted record stays as it was reviewed. Withdraw it and hand in a better one.', ru: 'Принятая запись остаётся такой, какой её рецензировали. Отзовите её и подайте лучшую.' },
    'rejected.revise': { en: 'A rejected record is not revised: appeal, or begin a new one from its text.', ru: 'Отклонённую запись не правят: подайте апелляцию или начните новую на её основе.' },
    'appealed.appeal': { en: 'One appeal is enough: it is already on its way.', ru: 'Достаточно одной апелляции: она уже рассматривается.' },
    'rejected.retract': { en: 'It is in no dataset and has no points: there is nothing to take back.', ru: 'Её нет в наборе, и баллов за неё нет: отменять нечего.' },
    'withdrawn.revise': { en: 'What was withdrawn does not come back. Its text is still with you: begin a new record.', ru: 'Отозванное не возвращается. Текст остался у вас: начните новую запись.' },
    'retracted.appeal': { en: 'A retraction is a moderator’s decision; write to the moderators.', ru: 'Это решение модератора; напишите модераторам.' },
  },
};

/** A second rejection in a round of its own is final. `round` counts from 1; an appeal begins the next. */
export const mayAppeal = (state: SubmissionState, round: number): boolean => state === 'rejected' && round === 1;

/** States that count against the pending cap: the record uses, or will use, reviewers' time. */
export const PENDING: readonly SubmissionState[] = ['submitted', 'checking', 'needs_fix', 'quarantined', 'in_review', 'changes_requested', 'appealed'];

/** States in which a record waits for its author. */
export const WAITS_FOR_AUTHOR: readonly SubmissionState[] = ['needs_fix', 'changes_requested'];
/** A record that its author leaves alone for so long lapses. */
export const ANSWER_MS = 7 * 86_400_000;

/** When a record lapses that waits for its author: so long after changes were asked for, its revision was last worked on, or the campaign went on after a pause. Milliseconds since 1970. */
export const lapsesAt = (asked: number, worked: number | undefined, resumed: number | undefined): number => Math.max(asked, worked ?? 0, resumed ?? 0) + ANSWER_MS;
