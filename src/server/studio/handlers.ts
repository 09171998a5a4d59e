/** What each route does: one function a route, most of them one call. */
import { signIn, openSession, endSession, SESSION_SECONDS, type Person } from '../../collect/accounts/sessions.ts';
import { beginSignIn, ownPath, SIGN_IN_SECONDS, signInAs, takeSignIn } from '../../collect/accounts/identities.ts';
import { acceptInvitation, invite, inviteRoster, listInvitations, lookAtInvitation, revokeInvitation } from '../../collect/accounts/invitations.ts';
import { setUp } from '../../collect/accounts/setup.ts';
import { changeOwn, changePassword, changePerson, eraseOwn, ownData } from '../../collect/accounts/users.ts';
import { campaignView, changeCampaign, createCampaign, moveCampaign } from '../../collect/campaigns/campaigns.ts';
import { consentText, giveConsent } from '../../collect/campaigns/consent.ts';
import { requireCampaign } from '../../collect/campaigns/current.ts';
import { guidelineOf, saveGuideline } from '../../collect/campaigns/guidelines.ts';
import { homeView, sessionView } from '../../collect/campaigns/home.ts';
import { addPassage, listPassages, movePassage } from '../../collect/campaigns/passages.ts';
import { listPeople, logPage, progressView, verifyLogs } from '../../collect/campaigns/progress.ts';
import { qualityView } from '../../collect/campaigns/quality.ts';
import { listReports, report, reportCase, settleReport } from '../../collect/campaigns/reports.ts';
import type { Context } from '../../collect/context.ts';
import { makeDemo } from '../../collect/demo-campaign.ts';
import { listAwards, moveAward } from '../../collect/points/awards.ts';
import { nextAudit, voteAudit } from '../../collect/points/audits.ts';
import { ownPoints } from '../../collect/points/own.ts';
import { boardView, liveView } from '../../collect/points/boards.ts';
import { adjudicate, decisionView, listDecisions, retract } from '../../collect/reviewing/decide.ts';
import { nextReview, skipReview, submitReview } from '../../collect/reviewing/reviews.ts';
import { notFound, Refusal } from '../../collect/refusal.ts';
import { actorsOf } from '../../collect/rules/access.ts';
import { checkDraft, discardDraft, draftView, saveDraft } from '../../collect/writing/drafts.ts';
import { askQuestion, dropQuestion, listQuestions, passageToAskAbout } from '../../collect/writing/questions.ts';
import { appealRecord, listRecords, recordView, reviseRecord, withdrawRecord } from '../../collect/writing/records.ts';
import { submitDraft, undoSubmit } from '../../collect/writing/submit.ts';
import { claimTask, extendLease, releaseDraft } from '../../collect/writing/tasks.ts';
import { newToken, tokenHash } from '../../store/id.ts';
import type { Access } from '../../collect/rules/access.ts';
import type { Answer, Asked, ROUTES, RouteName } from '../contract.ts';
import { datasetFile, listDatasets, sealDataset } from './datasets.ts';
import { healthRows } from './health.ts';
import { reportRows, toCsv } from './reports.ts';
import type { SingleSignOn } from './single-sign-on.ts';

/** What handlers work with beside what was asked. */
export interface Deps {
  readonly context: Context;
  readonly workspace: string;
  readonly embedded: boolean;
  /** The organisation's own sign-in, where there is one. */
  readonly signOn?: SingleSignOn | undefined;
}

/** Nobody is asked for who has no session where the route says that anyone may. */
type Asking<N extends RouteName> = Asked<N> & {
  readonly person: (typeof ROUTES)[N]['access'] extends Exclude<Access, 'anyone'> ? Person : Person | undefined;
  readonly address: string;
  readonly token: string | undefined;
  /** Sets the cookie of a new session, or takes it away. */
  readonly remember: (token: string | null, seconds: number) => void;
  /** Of a sign-in that has begun elsewhere, and its cookie. */
  readonly begun: string | undefined;
  readonly rememberBegun: (token: string | null, seconds: number) => void;
};

export type Handlers = { readonly [N in RouteName]: (deps: Deps, asking: Asking<N>) => Promise<Answer<N>> };

const ok = { ok: true } as const;

const file = (body: string | Buffer<ArrayBuffer>, type: string, name: string): Response => new Response(body, { headers: { 'content-type': type, 'content-disposition': `attachment; filename="${name}"` } });

const elsewhere = (location: string): Response => new Response(null, { status: 303, headers: { location } });

const DOWNLOAD_TYPES: Readonly<Record<string, string>> = { json: 'application/json; charset=utf-8', jsonl: 'application/jsonl; charset=utf-8', md: 'text/markdown; charset=utf-8', tsv: 'text/tab-separated-values; charset=utf-8' };

export const HANDLERS: Handlers = {
  session: async ({ context, signOn }, { person }) => ({ ...(await sessionView(context, person)), sign_in: { oidc: signOn ? [{ id: 'sign-on', name: signOn.settings.name }] : [] } }),
  signIn: async ({ context }, { body, address, token, remember }) => {
    if (token !== undefined) await endSession(context.store.db, token);
    remember(await signIn(context, body.login, body.password, address), SESSION_SECONDS);
    return ok;
  },
  signOut: async ({ context }, { token, remember }) => {
    if (token !== undefined) await endSession(context.store.db, token);
    remember(null, 0);
    return ok;
  },
  startSignOn: async ({ context, signOn }, { person, body, rememberBegun }) => {
    if (!signOn) throw notFound();
    const { url, ...secrets } = await signOn.begin();
    const begun = { ...secrets, target: ownPath(body.to), locale: body.locale, invitation_hash: body.invitation === undefined ? null : tokenHash(body.invitation), user_id: person?.id ?? null };
    rememberBegun(await beginSignIn(context, begun), SIGN_IN_SECONDS);
    return { url };
  },
  finishSignOn: async ({ context, signOn }, { person, query, token, begun: begunToken, remember, rememberBegun }) => {
    rememberBegun(null, 0);
    const begun = begunToken === undefined ? undefined : await takeSignIn(context, begunToken);
    try {
      // Somebody else may have signed in here meanwhile.
      if (!signOn || !begun || begun.user_id !== (person?.id ?? null)) throw new Refusal('sign_on_failed', 'This sign-in was not begun here.');
      const fresh = await signInAs(context, await signOn.finish(query as Record<string, string>, begun), begun, signOn.settings.domains);
      if (token !== undefined) await endSession(context.store.db, token);
      remember(fresh, SESSION_SECONDS);
      return elsewhere(`${context.publicUrl}${begun.target}`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return elsewhere(`${context.publicUrl}${person ? '/me' : '/sign-in'}?fault=${error.code}`);
    }
  },
  setUp: async ({ context }, { body: { token, ...account }, remember }) => {
    remember((await setUp(context, token, account)).token, SESSION_SECONDS);
    return ok;
  },
  startDemo: async ({ context }, { person, body }) => {
    await makeDemo(context, person.id, body.locale);
    return ok;
  },
  lookAtInvitation: async ({ context }, { body }) => lookAtInvitation(context, body.token),
  acceptInvitation: async ({ context }, { body: { token, ...account }, remember }) => {
    remember(await acceptInvitation(context, token, account), SESSION_SECONDS);
    return ok;
  },
  consent: async ({ context }, { query }) => consentText(context.store.db, await requireCampaign(context.store.db), query.locale),
  giveConsent: async ({ context }, { person, body }) => {
    await giveConsent(context, person.id, await requireCampaign(context.store.db), body.version, body.locale);
    return ok;
  },
  me: async ({ context: { store: { db } } }, { person }) => {
    const user = await db.selectFrom('users').select(['email', 'password_hash']).where('id', '=', person.id).executeTakeFirstOrThrow();
    const consents = await db.selectFrom('consents as c').innerJoin('campaigns as k', 'k.id', 'c.campaign_id').select(['k.title', 'c.version', 'c.given_at']).where('c.user_id', '=', person.id).orderBy('c.given_at').execute();
    const identity = await db.selectFrom('identities').select('subject').where('user_id', '=', person.id).limit(1).executeTakeFirst();
    return { login: person.login, name: person.name, alias: person.alias, email: user.email, visibility: person.visibility, has_password: user.password_hash !== null, has_sign_on: identity !== undefined, consents: consents.map(({ title, version, given_at }) => ({ campaign: title, version, at: given_at.toISOString() })) };
  },
  changeMe: async ({ context }, { person, body }) => {
    await changeOwn(context, person, body);
    return ok;
  },
  changePassword: async ({ context }, { person, token, body, remember }) => {
    await changePassword(context, person, { password: body.current, token: token! }, body.next);
    remember(await openSession(context.store.db, person.id, context.now()), SESSION_SECONDS);
    return ok;
  },
  ownData: async ({ context }, { person }) => ownData(context, person),
  eraseMe: async ({ context }, { person, token, body, remember }) => {
    await eraseOwn(context, person, { password: body.password, token: token! });
    remember(null, 0);
    return ok;
  },
  guideline: async ({ context: { store: { db } } }, { path, query }) => mutable(await guidelineOf(db, (await requireCampaign(db)).id, path.category, query.locale)),

  home: async ({ context }, { person }) => homeView(context, person),
  claimTask: async ({ context }, { person, body }) => ({ draft_id: await claimTask(context, person, body) }),
  draft: async ({ context }, { person, path }) => mutable(await draftView(context, person, path.id)),
  saveDraft: async ({ context }, { person, path, body }) => saveDraft(context, person, path.id, body),
  discardDraft: async ({ context }, { person, path }) => {
    await discardDraft(context, person, path.id);
    return ok;
  },
  checkDraft: async ({ context }, { person, path, body }) => ({ findings: mutable(await checkDraft(context, person, path.id, body.body)) }),
  releaseDraft: async ({ context }, { person, path, body }) => {
    await releaseDraft(context, person, path.id, body.reason);
    return ok;
  },
  extendLease: async ({ context }, { person, path }) => ({ expires_at: await extendLease(context, person, path.id) }),
  submit: async ({ context }, { person, body }) => submitDraft(context, person, body),
  records: async ({ context }, { person }) => ({ records: await listRecords(context, person) }),
  record: async ({ context }, { person, path }) => mutable(await recordView(context, person, path.id)),
  undoSubmit: async ({ context }, { person, path }) => ({ draft_id: await undoSubmit(context, person, path.id) }),
  revise: async ({ context }, { person, path }) => ({ draft_id: await reviseRecord(context, person, path.id) }),
  appeal: async ({ context }, { person, path, body }) => {
    await appealRecord(context, person, path.id, body.reason);
    return ok;
  },
  withdraw: async ({ context }, { person, path }) => {
    await withdrawRecord(context, person, path.id);
    return ok;
  },
  report: async ({ context }, { person, body }) => {
    await report(context, person, body);
    return ok;
  },
  questions: async ({ context }, { person }) => listQuestions(context, person),
  askQuestion: async ({ context }, { person, body }) => ({ id: await askQuestion(context, person, body) }),
  questionPassage: async ({ context }, { person, body }) => ({ passage: await passageToAskAbout(context, person, body.category, body.language) }),
  dropQuestion: async ({ context }, { person, path }) => {
    await dropQuestion(context, person, path.id);
    return ok;
  },
  points: async ({ context }, { person }) => ownPoints(context, person),
  board: async ({ context }, { person, query }) => boardView(context, person, query.period),
  live: async ({ context }, { body }) => liveView(context, body.token),

  nextReview: async ({ context }, { person }) => ({ item: mutable(await nextReview(context, person)) }),
  submitReview: async ({ context }, { person, path, body }) => {
    await submitReview(context, person, path.id, body);
    return ok;
  },
  skipReview: async ({ context }, { person, path, body }) => {
    await skipReview(context, person, path.id, body.reason);
    return ok;
  },
  decisions: async ({ context }, { person }) => ({ records: await listDecisions(context, person) }),
  decision: async ({ context }, { person, path }) => mutable(await decisionView(context, person, path.id)),
  decide: async ({ context }, { person, path, body }) => {
    await adjudicate(context, person, path.id, body);
    return ok;
  },
  nextAudit: async ({ context }, { person }) => mutable(await nextAudit(context, person)),
  voteAudit: async ({ context }, { person, path, body }) => {
    await voteAudit(context, person, path.id, body);
    return ok;
  },
  retract: async ({ context }, { person, path, body }) => {
    await retract(context, person, path.id, body);
    return ok;
  },

  createCampaign: async ({ context }, { person, body }) => campaignView(context, await createCampaign(context, person.id, body), person.roles, person.locale),
  campaign: async ({ context }, { person }) => campaignView(context, await requireCampaign(context.store.db), person.roles, person.locale),
  changeCampaign: async ({ context }, { person, body }) => campaignView(context, await changeCampaign(context, person.id, body), person.roles, person.locale),
  moveCampaign: async ({ context }, { person, body }) => campaignView(context, await moveCampaign(context, person.id, actorsOf(person.roles), body.event), person.roles, person.locale),
  progress: async ({ context }) => progressView(context),
  quality: async ({ context }) => qualityView(context),
  people: async ({ context }) => ({ people: await listPeople(context) }),
  changePerson: async ({ context }, { person, path, body }) => {
    await changePerson(context, person, path.id, body);
    return ok;
  },
  invitations: async ({ context }) => ({ invitations: await listInvitations(context) }),
  invite: async ({ context }, { person, body }) => invite(context, person, body),
  revokeInvitation: async ({ context }, { person, path }) => {
    await revokeInvitation(context, person, path.id);
    return ok;
  },
  roster: async ({ context }, { person, body }) => mutable(await inviteRoster(context, person, body.csv)),
  passages: async ({ context }) => ({ passages: await listPassages(context, await requireCampaign(context.store.db)) }),
  addPassage: async ({ context }, { person, body }) => {
    await addPassage(context, await requireCampaign(context.store.db), person.id, body);
    return ok;
  },
  movePassage: async ({ context }, { person, path, body }) => {
    await movePassage(context, await requireCampaign(context.store.db), person.id, person.roles, path.id, body.event);
    return ok;
  },
  managedGuideline: async ({ context: { store: { db } } }, { path }) => mutable(await guidelineOf(db, (await requireCampaign(db)).id, path.category, path.locale)),
  saveGuideline: async ({ context }, { person, path, body }) => ({ version: await saveGuideline(context, person.id, (await requireCampaign(context.store.db)).id, path.category, path.locale, body) }),
  awards: async ({ context }, { person }) => ({ awards: await listAwards(context, person) }),
  moveAward: async ({ context }, { person, path, body }) => {
    await moveAward(context, person, path.id, body.event, body.reason);
    return ok;
  },
  reports: async ({ context }, { person }) => ({ reports: await listReports(context, person) }),
  reportCase: async ({ context }, { person, path }) => mutable(await reportCase(context, person, path.id)),
  settleReport: async ({ context }, { person, path, body }) => {
    await settleReport(context, person, path.id, body);
    return ok;
  },
  log: async ({ context }, { query }) => logPage(context, query.before),
  verifyLogs: async ({ context }) => verifyLogs(context),
  datasets: async ({ context, workspace }) => mutable(await listDatasets(context, workspace)),
  sealDataset: async ({ context, workspace }, { person }) => mutable(await sealDataset(context, workspace, person)),
  datasetFile: async ({ context, workspace }, { path }) => file((await datasetFile(context, workspace, Number(path.version), path.file)) as Buffer<ArrayBuffer>, DOWNLOAD_TYPES[path.file.split('.').at(-1)!] ?? 'application/octet-stream', path.file),
  downloadReport: async ({ context }, { path: { name, form } }) => {
    const rows = await reportRows(context, name);
    return form === 'csv' ? file(toCsv(rows), 'text/csv; charset=utf-8', `${name}.csv`) : file(JSON.stringify(rows), 'application/json; charset=utf-8', `${name}.json`);
  },
  health: async (deps) => healthRows(deps),
  liveLink: async ({ context }) => {
    const token = newToken();
    const row = { value: tokenHash(token), created_at: new Date(context.now()) };
    await context.store.db.insertInto('secrets').values({ name: 'live link', ...row }).onConflict((c) => c.column('name').doUpdateSet(row)).execute();
    return { link: `${context.publicUrl}/live#${token}` };
  },
};

type Mutable<T> = T extends readonly [infer A, infer B] ? [Mutable<A>, Mutable<B>] : T extends readonly (infer Item)[] ? Mutable<Item>[] : T extends object ? { -readonly [Key in keyof T]: Mutable<T[Key]> } : T;

/** Only for the type checker: what is answered is written out at once. */
function mutable<T>(value: T): Mutable<T> {
  return value as Mutable<T>;
}
