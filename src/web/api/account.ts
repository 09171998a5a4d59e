/** Requests about accounts: setting up, signing in, invitations, consent, one's own data. */
import { queryOptions } from '@tanstack/react-query';
import { call } from './client.ts';
import type { ConsentText, Guideline, Invitation, MeView, Visibility } from './types.ts';

export interface NewAccount {
  readonly login: string;
  readonly name: string;
  readonly password: string;
  readonly locale: string;
}

export const signIn = (login: string, password: string) => call<unknown>('POST', '/api/session', { body: { login, password } });
/** Begins a sign-in at the organisation's own page, and goes there. `invitation`: the token of one that is accepted this way. */
export async function goToSignOn(asked: { readonly locale: string; readonly to?: string; readonly invitation?: string }): Promise<void> {
  location.assign((await call<{ readonly url: string }>('POST', '/api/sign-on', { body: asked })).url);
}
export const setUp = (token: string, account: NewAccount) => call<unknown>('POST', '/api/setup', { body: { token, ...account } });
export const startDemo = (locale: string) => call<unknown>('POST', '/api/setup/demo', { body: { locale } });

export const invitationQuery = (token: string) => queryOptions({ queryKey: ['invitation', token], queryFn: () => call<Invitation>('POST', '/api/invitations/look', { body: { token } }), retry: false });
export const acceptInvitation = (token: string, account: NewAccount) => call<unknown>('POST', '/api/invitations/accept', { body: { token, ...account } });

export const consentQuery = (locale: string) => queryOptions({ queryKey: ['consent', locale], queryFn: () => call<ConsentText>('GET', '/api/consent', { query: { locale } }) });
export const giveConsent = (version: number, locale: string) => call<unknown>('POST', '/api/consent', { body: { version, locale } });

export const meQuery = () => queryOptions({ queryKey: ['me'], queryFn: () => call<MeView>('GET', '/api/me') });
export const saveMe = (change: { name?: string; alias?: string | null; visibility?: Visibility; locale?: string }) => call<unknown>('PATCH', '/api/me', { body: change });
export const changePassword = (current: string, next: string) => call<unknown>('POST', '/api/me/password', { body: { current, next } });
export const eraseMe = (password: string) => call<unknown>('POST', '/api/me/erase', { body: { password } });

export const guidelineQuery = (category: string, locale: string) => queryOptions({ queryKey: ['guideline', category, locale], queryFn: () => call<Guideline>('GET', `/api/guidelines/${category}`, { query: { locale } }) });
