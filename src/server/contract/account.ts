/** Setting up, signing in, invitations, consent, one's own data. Tokens of links travel in bodies, never in addresses. */
import * as z from 'zod';
import { campaignState, category, guideline, id, instant, line, locale, role, token, visibility, type Read } from './shared.ts';

export const prize = z.strictObject({ from: z.int().min(1).max(1000), to: z.int().min(1).max(1000), text: line(300) });

export const campaignSummary = z.strictObject({
  id, title: z.string(), state: campaignState, time_zone: z.string(), languages: z.array(locale), starts_at: instant, ends_at: instant, licence: z.string(), purpose: z.string(),
  prizes: z.array(prize),
});
export type CampaignSummary = Read<typeof campaignSummary>;

/** Enough for the frame of every page; 200 also for who is signed out. */
export const session = z.strictObject({
  setup_needed: z.boolean(),
  sign_in: z.strictObject({ oidc: z.array(z.strictObject({ id: z.string(), name: z.string() })) }),
  person: z.strictObject({
    id, login: z.string(), name: z.string(), alias: z.string().nullable(), roles: z.array(role), locale, team: z.strictObject({ id, name: z.string() }).nullable(), visibility,
  }).nullable(),
  campaign: campaignSummary.nullable(),
  consent: z.strictObject({ needed: z.int(), given: z.int().nullable() }).nullable(),
  waiting: z.strictObject({ drafts: z.int(), revisions: z.int(), reviews: z.int(), adjudications: z.int(), audits: z.int() }).nullable(),
});
export type Session = Read<typeof session>;

const newAccount = { login: line(60), name: line(80), password: z.string().min(1).max(200), locale };
export const setUpBody = z.strictObject({ token, ...newAccount });
export const demoBody = z.strictObject({ locale });
export const signInBody = z.strictObject({ login: line(200), password: z.string().min(1).max(200) });

/** `to`: a path to go to afterwards; `invitation`: the token of one that is accepted this way. */
export const startSignOnBody = z.strictObject({ locale, to: z.string().max(2000).optional(), invitation: token.optional() });
export const startedSignOn = z.strictObject({ url: z.string() });
/** What an issuer sends along is its own affair. */
export const signOnQuery = z.looseObject({ code: z.string().optional(), state: z.string().optional() });

export const lookBody = z.strictObject({ token });
export const invitation = z.strictObject({ roles: z.array(role), team: z.string().nullable(), email: z.string().nullable(), organisation: z.string(), expires_at: instant });
export type Invitation = Read<typeof invitation>;
export const acceptBody = z.strictObject({ token, ...newAccount });

export const consentQuery = z.strictObject({ locale });
export const consentText = z.strictObject({ version: z.int(), locale, body: z.string(), licence: z.string() });
export type ConsentText = Read<typeof consentText>;
export const consentBody = z.strictObject({ version: z.int(), locale });

export const me = z.strictObject({
  login: z.string(), name: z.string(), alias: z.string().nullable(), email: z.string().nullable(), visibility, consents: z.array(z.strictObject({ campaign: z.string(), version: z.int(), at: instant })), has_password: z.boolean(),
  /** Whether one can come by the organisation's own sign-in. */
  has_sign_on: z.boolean(),
});
export type MeView = Read<typeof me>;
export const changeMeBody = z.strictObject({ name: line(80).optional(), alias: line(60).nullable().optional(), visibility: visibility.optional(), locale: locale.optional() });
export const passwordBody = z.strictObject({ current: z.string().max(200), next: z.string().min(1).max(200) });
export const eraseBody = z.strictObject({ password: z.string().max(200) });
/** Everything that is stored about oneself, as a file. */
export const ownData = z.record(z.string(), z.unknown());

export const guidelinePath = z.strictObject({ category });
export const guidelineQuery = z.strictObject({ locale });
export { guideline };
