/**
 * The studio's API: every route with its method, path, who may use it, what it takes and what it answers. The server answers nothing that
 * is not listed here. It is the only file of the server that the web imports, and it takes types alone, so that zod stays out of the page.
 * Answers are JSON; errors are `{error: {code, message, values?, fields?}}`. 401 is "signed out", 409 a conflict, 422 findings.
 */
import * as z from 'zod';
import type { Access } from '../collect/rules/access.ts';
import * as account from './contract/account.ts';
import * as collect from './contract/collect.ts';
import * as manage from './contract/manage.ts';
import * as review from './contract/review.ts';
import { done, guideline, id } from './contract/shared.ts';

export type { CampaignSummary, ConsentText, Invitation, MeView, Session } from './contract/account.ts';
export type { BoardRow, BoardView, CategoryProgress, DraftSummary, DraftView, HomeView, LiveView, OwnPoints, PointsEntry, PointsView, QuestionInput, QuestionRow, QuestionsView, RecordRow, RecordVersion, RecordView, ReportInput, ReviewView, Scores, SubmitInput, Submitted } from './contract/collect.ts';
export type { AwardRow, CampaignDraft, CampaignView, DatasetRow, HealthRow, InvitationRow, LogRow, PassageInput, PassageRow, PersonRow, Policy, ProgressView, QualityView, ReportCase, ReportRow, ReportSettlement, RosterAnswer } from './contract/manage.ts';
export type { AuditItem, DecisionRow, DecisionView, ReviewInput, ReviewItem } from './contract/review.ts';
export type { CheckFinding, Criterion, ErrorBody, ErrorCode, Example, Flag, Guideline, Passage, RecordBody, Role, Verdict, Visibility } from './contract/shared.ts';
export type { CategoryKey } from '../collect/rules/categories.ts';
export type { CampaignEvent, CampaignState } from '../collect/rules/campaign.ts';
export type { Field, Finding, FormRules } from '../collect/rules/forms.ts';
export type { SubmissionState } from '../collect/rules/submission.ts';

export interface RouteSpec {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `{name}` for what `path` checks. */
  readonly url: `/api/${string}`;
  readonly access: Access;
  /** Asks for a current consent to the campaign's text. */
  readonly consent?: true;
  readonly path?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** Undefined: a file, or another address. */
  readonly answer: z.ZodType | undefined;
  /** Requests a minute and person (or address); default 600. */
  readonly perMinute?: number;
  /** Bytes of the body; default 64 kB. */
  readonly bytes?: number;
}

const route = <const R extends RouteSpec>(spec: R): R => spec;
const byId = z.strictObject({ id });
/** Requests a minute of an address without a session: a whole office may have one. Guesses are counted apart (docs/decisions/0022). */
const OFFICE = 3000;

export const ROUTES = {
  session: route({ method: 'GET', url: '/api/session', access: 'anyone', answer: account.session, perMinute: OFFICE }),
  signIn: route({ method: 'POST', url: '/api/session', access: 'anyone', body: account.signInBody, answer: done, perMinute: 600 }),
  signOut: route({ method: 'DELETE', url: '/api/session', access: 'anyone', answer: done }),
  startSignOn: route({ method: 'POST', url: '/api/sign-on', access: 'anyone', body: account.startSignOnBody, answer: account.startedSignOn, perMinute: 600 }),
  /** Where the organisation's sign-in sends the browser back to. */
  finishSignOn: route({ method: 'GET', url: '/api/sign-on/callback', access: 'anyone', query: account.signOnQuery, answer: undefined, perMinute: 600 }),
  setUp: route({ method: 'POST', url: '/api/setup', access: 'anyone', body: account.setUpBody, answer: done, perMinute: 10 }),
  startDemo: route({ method: 'POST', url: '/api/setup/demo', access: 'owner', body: account.demoBody, answer: done, perMinute: 10 }),
  lookAtInvitation: route({ method: 'POST', url: '/api/invitations/look', access: 'anyone', body: account.lookBody, answer: account.invitation, perMinute: OFFICE }),
  acceptInvitation: route({ method: 'POST', url: '/api/invitations/accept', access: 'anyone', body: account.acceptBody, answer: done, perMinute: OFFICE }),
  consent: route({ method: 'GET', url: '/api/consent', access: 'person', query: account.consentQuery, answer: account.consentText }),
  giveConsent: route({ method: 'POST', url: '/api/consent', access: 'person', body: account.consentBody, answer: done }),
  me: route({ method: 'GET', url: '/api/me', access: 'person', answer: account.me }),
  changeMe: route({ method: 'PATCH', url: '/api/me', access: 'person', body: account.changeMeBody, answer: done }),
  changePassword: route({ method: 'POST', url: '/api/me/password', access: 'person', body: account.passwordBody, answer: done, perMinute: 10 }),
  ownData: route({ method: 'GET', url: '/api/me/export', access: 'person', answer: account.ownData, perMinute: 10 }),
  eraseMe: route({ method: 'POST', url: '/api/me/erase', access: 'person', body: account.eraseBody, answer: done, perMinute: 10 }),
  guideline: route({ method: 'GET', url: '/api/guidelines/{category}', access: 'person', path: account.guidelinePath, query: account.guidelineQuery, answer: guideline }),

  home: route({ method: 'GET', url: '/api/home', access: 'person', answer: collect.home }),
  claimTask: route({ method: 'POST', url: '/api/tasks/claim', access: 'person', consent: true, body: collect.claimBody, answer: collect.claimed }),
  draft: route({ method: 'GET', url: '/api/drafts/{id}', access: 'person', path: byId, answer: collect.draftView }),
  saveDraft: route({ method: 'PUT', url: '/api/drafts/{id}', access: 'person', path: byId, body: collect.saveDraftBody, answer: collect.savedDraft, bytes: 256 * 1024 }),
  discardDraft: route({ method: 'DELETE', url: '/api/drafts/{id}', access: 'person', path: byId, answer: done }),
  checkDraft: route({ method: 'POST', url: '/api/drafts/{id}/check', access: 'person', path: byId, body: collect.checkBody, answer: collect.findings, bytes: 256 * 1024, perMinute: 120 }),
  releaseDraft: route({ method: 'POST', url: '/api/drafts/{id}/release', access: 'person', path: byId, body: collect.releaseBody, answer: done }),
  extendLease: route({ method: 'POST', url: '/api/leases/{id}/extend', access: 'person', path: byId, answer: collect.extended }),
  submit: route({ method: 'POST', url: '/api/records', access: 'person', consent: true, body: collect.submitBody, answer: collect.submitted, bytes: 256 * 1024 }),
  records: route({ method: 'GET', url: '/api/records', access: 'person', answer: collect.records }),
  record: route({ method: 'GET', url: '/api/records/{id}', access: 'person', path: byId, answer: collect.record }),
  undoSubmit: route({ method: 'POST', url: '/api/records/{id}/undo', access: 'person', path: byId, answer: collect.claimed }),
  revise: route({ method: 'POST', url: '/api/records/{id}/revise', access: 'person', path: byId, consent: true, answer: collect.claimed }),
  appeal: route({ method: 'POST', url: '/api/records/{id}/appeal', access: 'person', path: byId, body: collect.reasonBody, answer: done }),
  withdraw: route({ method: 'POST', url: '/api/records/{id}/withdraw', access: 'person', path: byId, answer: done }),
  report: route({ method: 'POST', url: '/api/reports', access: 'person', body: collect.reportBody, answer: done, perMinute: 20 }),
  questions: route({ method: 'GET', url: '/api/questions', access: 'person', answer: collect.questions }),
  askQuestion: route({ method: 'POST', url: '/api/questions', access: 'person', consent: true, body: collect.questionBody, answer: collect.asked, perMinute: 60 }),
  questionPassage: route({ method: 'POST', url: '/api/questions/passage', access: 'person', consent: true, body: collect.questionPassageBody, answer: collect.questionPassage, perMinute: 60 }),
  dropQuestion: route({ method: 'DELETE', url: '/api/questions/{id}', access: 'person', path: byId, answer: done }),
  points: route({ method: 'GET', url: '/api/points', access: 'person', answer: collect.ownPoints }),
  board: route({ method: 'GET', url: '/api/board', access: 'person', query: collect.boardQuery, answer: collect.board }),
  /** For a screen that nobody is signed in at: it shows a token of its own. */
  live: route({ method: 'POST', url: '/api/live', access: 'anyone', body: collect.liveBody, answer: collect.live, perMinute: 120 }),

  nextReview: route({ method: 'POST', url: '/api/reviews/next', access: 'reviewer', consent: true, answer: review.nextReview }),
  submitReview: route({ method: 'POST', url: '/api/reviews/{id}/submit', access: 'reviewer', path: byId, body: review.reviewBody, answer: done }),
  skipReview: route({ method: 'POST', url: '/api/reviews/{id}/skip', access: 'reviewer', path: byId, body: review.skipBody, answer: done }),
  decisions: route({ method: 'GET', url: '/api/decisions', access: 'moderator', answer: review.decisions }),
  decision: route({ method: 'GET', url: '/api/decisions/{id}', access: 'moderator', path: byId, answer: review.decision }),
  decide: route({ method: 'POST', url: '/api/decisions/{id}', access: 'moderator', path: byId, body: review.decideBody, answer: done }),
  nextAudit: route({ method: 'POST', url: '/api/audit/next', access: 'moderator', answer: review.nextAudit }),
  voteAudit: route({ method: 'POST', url: '/api/audit/{id}', access: 'moderator', path: byId, body: review.auditVoteBody, answer: done }),
  retract: route({ method: 'POST', url: '/api/manage/records/{id}/retract', access: 'moderator', path: byId, body: collect.retractBody, answer: done }),

  createCampaign: route({ method: 'POST', url: '/api/manage/campaigns', access: 'admin', body: manage.campaignDraft, answer: manage.campaign, bytes: 256 * 1024 }),
  campaign: route({ method: 'GET', url: '/api/manage/campaign', access: 'admin', answer: manage.campaign }),
  changeCampaign: route({ method: 'PATCH', url: '/api/manage/campaign', access: 'admin', body: manage.campaignChange, answer: manage.campaign, bytes: 256 * 1024 }),
  moveCampaign: route({ method: 'POST', url: '/api/manage/campaign/moves', access: 'admin', body: manage.moveBody, answer: manage.campaign }),
  progress: route({ method: 'GET', url: '/api/manage/progress', access: 'moderator', answer: manage.progress }),
  quality: route({ method: 'GET', url: '/api/manage/quality', access: 'moderator', answer: manage.quality }),
  people: route({ method: 'GET', url: '/api/manage/people', access: 'admin', answer: manage.people }),
  changePerson: route({ method: 'PATCH', url: '/api/manage/people/{id}', access: 'admin', path: byId, body: manage.changePersonBody, answer: done }),
  invitations: route({ method: 'GET', url: '/api/manage/invitations', access: 'admin', answer: manage.invitations }),
  invite: route({ method: 'POST', url: '/api/manage/invitations', access: 'admin', body: manage.inviteBody, answer: manage.invited }),
  revokeInvitation: route({ method: 'DELETE', url: '/api/manage/invitations/{id}', access: 'admin', path: byId, answer: done }),
  roster: route({ method: 'POST', url: '/api/manage/roster', access: 'admin', body: manage.rosterBody, answer: manage.roster, bytes: 1100 * 1024 }),
  passages: route({ method: 'GET', url: '/api/manage/passages', access: 'moderator', answer: manage.passages }),
  addPassage: route({ method: 'POST', url: '/api/manage/passages', access: 'moderator', body: manage.passageBody, answer: done }),
  movePassage: route({ method: 'POST', url: '/api/manage/passages/{id}/moves', access: 'moderator', path: byId, body: manage.passageMoveBody, answer: done }),
  managedGuideline: route({ method: 'GET', url: '/api/manage/guidelines/{category}/{locale}', access: 'moderator', path: manage.guidelinePlace, answer: guideline }),
  saveGuideline: route({ method: 'PUT', url: '/api/manage/guidelines/{category}/{locale}', access: 'admin', path: manage.guidelinePlace, body: manage.saveGuidelineBody, answer: manage.savedGuideline, bytes: 256 * 1024 }),
  awards: route({ method: 'GET', url: '/api/manage/awards', access: 'admin', answer: manage.awards }),
  moveAward: route({ method: 'POST', url: '/api/manage/awards/{id}/moves', access: 'admin', path: byId, body: manage.moveAwardBody, answer: done }),
  reports: route({ method: 'GET', url: '/api/manage/reports', access: 'moderator', answer: manage.reports }),
  reportCase: route({ method: 'GET', url: '/api/manage/reports/{id}', access: 'moderator', path: byId, answer: manage.reportCase }),
  settleReport: route({ method: 'POST', url: '/api/manage/reports/{id}', access: 'moderator', path: byId, body: manage.settleReportBody, answer: done }),
  log: route({ method: 'GET', url: '/api/manage/log', access: 'admin', query: manage.logQuery, answer: manage.log }),
  verifyLogs: route({ method: 'POST', url: '/api/manage/log/verify', access: 'admin', answer: manage.verification, perMinute: 10 }),
  datasets: route({ method: 'GET', url: '/api/manage/datasets', access: 'admin', answer: manage.datasets }),
  sealDataset: route({ method: 'POST', url: '/api/manage/datasets', access: 'admin', answer: manage.datasetRow, perMinute: 10 }),
  datasetFile: route({ method: 'GET', url: '/api/manage/datasets/{version}/{file}', access: 'admin', path: manage.datasetFilePath, answer: undefined }),
  downloadReport: route({ method: 'GET', url: '/api/manage/reports/{name}/{form}', access: 'admin', path: manage.reportPath, answer: undefined, perMinute: 30 }),
  health: route({ method: 'GET', url: '/api/manage/health', access: 'admin', answer: manage.health }),
  liveLink: route({ method: 'POST', url: '/api/manage/live-link', access: 'admin', answer: manage.liveLink }),
} as const satisfies Readonly<Record<string, RouteSpec>>;

export type RouteName = keyof typeof ROUTES;
type Part<S> = S extends z.ZodType ? z.output<S> : undefined;
type Spec<N extends RouteName> = (typeof ROUTES)[N];
/** What the handler of a route is given, checked. */
export interface Asked<N extends RouteName> {
  readonly path: Spec<N> extends { path: infer P } ? Part<P> : undefined;
  readonly query: Spec<N> extends { query: infer Q } ? Part<Q> : undefined;
  readonly body: Spec<N> extends { body: infer B } ? Part<B> : undefined;
}
export type Answer<N extends RouteName> = Spec<N>['answer'] extends z.ZodType ? z.input<Spec<N>['answer']> : Response;
