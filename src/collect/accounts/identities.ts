/**
 * People who come by the organisation's own sign-in. An account is found by issuer and subject, which never change, and the first time by an
 * e-mail address that the issuer has verified, character for character: letters that only look the same are another address. Nobody new comes
 * in without an invitation or an address at one of the organisation's domains. The protocol is src/server/studio/single-sign-on.ts.
 */
import { audit } from '../../store/audit.ts';
import { newToken, tokenHash } from '../../store/id.ts';
import { lockName, type Tx } from '../../store/store.ts';
import { instantOf, type Context } from '../context.ts';
import { Refusal } from '../refusal.ts';
import type { Role } from '../rules/access.ts';
import { openInvitation, useInvitation } from './invitations.ts';
import { cleanName, keyOf } from './names.ts';
import { endSessions, openSession } from './sessions.ts';
import { insertUser } from './users.ts';

/** What the issuer says of who signed in there, after it was checked. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  /** One that the issuer has verified. */
  readonly email: string | undefined;
  readonly name: string | undefined;
}

/** What is kept while somebody is away at the issuer. */
export interface BegunSignIn {
  readonly issuer: string;
  readonly state: string;
  readonly nonce: string;
  /** PKCE's secret (RFC 7636). */
  readonly verifier: string;
  /** Path of ours to go to afterwards. */
  readonly target: string;
  readonly locale: string;
  /** Hash of an invitation's token. */
  readonly invitation_hash: string | null;
  /** Who is signed in already and adds this way. */
  readonly user_id: string | null;
}

const MINUTES = 10;
export const SIGN_IN_SECONDS = MINUTES * 60;
const NEW_ROLES: readonly Role[] = ['member', 'reviewer'];

/** Keeps it under a token that only this browser gets. */
export async function beginSignIn(context: Context, begun: BegunSignIn): Promise<string> {
  const token = newToken();
  await context.store.db.insertInto('sign_ins').values({ token_hash: tokenHash(token), ...begun, expires_at: new Date(context.now() + SIGN_IN_SECONDS * 1000) }).execute();
  return token;
}

/** What was begun under the token: once, and for ten minutes. */
export async function takeSignIn(context: Context, token: string): Promise<BegunSignIn | undefined> {
  const row = await context.store.db.deleteFrom('sign_ins').where('token_hash', '=', tokenHash(token)).returningAll().executeTakeFirst();
  return row && row.expires_at.getTime() > context.now() ? row : undefined;
}

/** A path on this site, whatever it pretends to be: `//evil.example` and `/\evil.example` are other hosts to a browser. */
export function ownPath(to: string | undefined): string {
  const base = 'http://studio.invalid';
  const own = to !== undefined && /^\/(?![/\\])/.test(to) && !/[\p{Cc}\\]/u.test(to) ? URL.parse(to, base) : null;
  return own?.origin === base && !own.pathname.startsWith('//') ? `${own.pathname}${own.search}` : '/';
}

/** Opens a session, with an account that is made where that is allowed. Throws Refusal. */
export async function signInAs(context: Context, identity: Identity, begun: BegunSignIn, domains: readonly string[]): Promise<string> {
  const { issuer, subject } = identity;
  return context.store.transaction(async (tx) => {
    // Two tabs of one person make one account.
    await lockName(tx, `identity ${issuer} ${subject}`);
    const known = await tx.selectFrom('identities').select('user_id').where('issuer', '=', issuer).where('subject', '=', subject).executeTakeFirst();
    if (known && begun.user_id !== null && known.user_id !== begun.user_id) throw new Refusal('sign_on_taken', 'This sign-in belongs to another account.');
    const userId = known?.user_id ?? begun.user_id ?? (await byAddress(tx, identity)) ?? (await newAccount(tx, context, identity, begun, domains));
    const { status } = await tx.selectFrom('users').select('status').where('id', '=', userId).executeTakeFirstOrThrow();
    if (status !== 'active') throw new Refusal('suspended', 'This account is suspended. Write to the organisers.');
    if (!known) {
      await tx.insertInto('identities').values({ issuer, subject, user_id: userId, created_at: instantOf(context) }).execute();
      await audit(tx, { actor: userId, type: 'identity.linked', subject: `user:${userId}` }, instantOf(context));
    }
    await audit(tx, { actor: userId, type: 'session.opened', subject: `user:${userId}` }, instantOf(context));
    return openSession(tx, userId, context.now());
  });
}

/**
 * The account with this address. An address comes from an invitation, and whoever used that need not be whose address it is: from now on
 * only the address's owner gets in, so password and open sessions end.
 */
async function byAddress(tx: Tx, { email, issuer }: Identity): Promise<string | undefined> {
  if (email === undefined) return undefined;
  const user = await tx.selectFrom('users').select(['id', 'email']).where('email_key', '=', keyOf(email)).forUpdate().executeTakeFirst();
  if (!user) return undefined;
  // Somebody else of this issuer has the account: addresses are given to new people when the old ones leave.
  const other = await tx.selectFrom('identities').select('subject').where('user_id', '=', user.id).where('issuer', '=', issuer).executeTakeFirst();
  if (other || !sameAddress(user.email, email)) throw new Refusal('email_taken', 'Somebody has this address, or one that looks the same.');
  await tx.updateTable('users').set({ password_hash: null }).where('id', '=', user.id).execute();
  await endSessions(tx, user.id);
  return user.id;
}

const sameAddress = (a: string | null, b: string): boolean => a !== null && a.normalize('NFC').toLowerCase() === b.normalize('NFC').toLowerCase();

async function newAccount(tx: Tx, context: Context, identity: Identity, { invitation_hash, locale }: BegunSignIn, domains: readonly string[]): Promise<string> {
  const { email } = identity;
  const invitation = (invitation_hash === null ? undefined : await openInvitation(tx, context, invitation_hash, true)) ?? (await invitationTo(tx, context, email));
  if (!invitation && (email === undefined || !domains.includes(domainOf(email)))) {
    throw email === undefined ? new Refusal('sign_on_unverified', 'Your organisation has not verified your e-mail address.') : new Refusal('sign_on_uninvited', 'Nobody has invited this address.');
  }
  const [login, name] = await freeNames(tx, identity);
  const userId = await insertUser(tx, context, { login, name, locale, roles: invitation?.roles ?? NEW_ROLES, email: email ?? null, password_hash: null });
  if (invitation) await useInvitation(tx, context, invitation, userId);
  else await audit(tx, { actor: userId, type: 'person.joined', subject: `user:${userId}` }, instantOf(context));
  return userId;
}

/** What follows the last @, in small letters. */
const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1).toLowerCase();

/** Whoever owns an address that was invited needs no link. */
async function invitationTo(tx: Tx, context: Context, email: string | undefined) {
  if (email === undefined) return undefined;
  const rows = await tx.selectFrom('invitations').selectAll().where('email', 'is not', null).where('used_at', 'is', null).where('expires_at', '>', instantOf(context)).orderBy('id', 'desc').forUpdate().execute();
  return rows.find((row) => sameAddress(row.email, email));
}

const MOST = 60;

/** Login and name that nobody has: a number is added where somebody does. What the issuer sends is text of anybody's. */
async function freeNames(tx: Tx, { email, name, subject }: Identity): Promise<[login: string, name: string]> {
  const clean = (text: string | undefined): string => cleanName((text ?? '').toWellFormed().replace(/\p{Cc}/gu, ' ')).slice(0, MOST).toWellFormed();
  const wanted = [clean(name), clean(email?.split('@')[0]), clean(subject)].find((text) => keyOf(text) !== '') ?? 'Somebody';
  const login = clean(email ?? subject);
  return [await free(tx, 'login_key', keyOf(login) === '' ? wanted : login), await free(tx, 'name_key', wanted)];
}

async function free(tx: Tx, column: 'login_key' | 'name_key', wanted: string): Promise<string> {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? wanted : `${wanted} ${n}`;
    if (!(await tx.selectFrom('users').select('id').where(column, '=', keyOf(candidate)).executeTakeFirst())) return candidate;
  }
}
