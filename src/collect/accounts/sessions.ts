/** Sessions: opaque tokens of 256 bits, kept as hashes. A new one at every sign-in; changes of password, roles or status end the others. */
import { sql } from 'kysely';
import { newToken, tokenHash } from '../../store/id.ts';
import type { Db, Tx } from '../../store/store.ts';
import type { Role } from '../rules/access.ts';
import { instantOf, type Context } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { audit } from '../../store/audit.ts';
import { keyOf } from './names.ts';
import { verifyPassword } from './password.ts';
import { countTry, forgetTries, uncountTry, type Limit } from './throttle.ts';

/** Who is asking. */
export interface Person {
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly alias: string | null;
  readonly roles: readonly Role[];
  readonly locale: string;
  readonly visibility: 'name' | 'alias' | 'hidden';
  readonly team: { readonly id: string; readonly name: string } | null;
  readonly stopped: boolean;
}

const LIFE_MS = 30 * 86_400_000;
const IDLE_MS = 7 * 86_400_000;
/** A session says so seldom that it is in use. */
const SEEN_MS = 10 * 60_000;

export const SESSION_SECONDS = LIFE_MS / 1000;

export async function openSession(db: Db | Tx, userId: string, now: number): Promise<string> {
  const token = newToken();
  const at = new Date(now);
  await db.insertInto('sessions').values({ token_hash: tokenHash(token), user_id: userId, created_at: at, seen_at: at, expires_at: new Date(now + LIFE_MS) }).execute();
  return token;
}

export async function endSessions(db: Db | Tx, userId: string, exceptToken?: string): Promise<void> {
  let query = db.deleteFrom('sessions').where('user_id', '=', userId);
  if (exceptToken !== undefined) query = query.where('token_hash', '!=', tokenHash(exceptToken));
  await query.execute();
}

export const endSession = async (db: Db, token: string): Promise<void> => void (await db.deleteFrom('sessions').where('token_hash', '=', tokenHash(token)).execute());

/** Whose token it is, or undefined. */
export async function personOf(context: Context, token: string): Promise<Person | undefined> {
  const now = context.now();
  const hash = tokenHash(token);
  const row = await context.store.db.selectFrom('sessions as s').innerJoin('users as u', 'u.id', 's.user_id')
    .leftJoin('memberships as m', (join) => join.onRef('m.user_id', '=', 'u.id').on('m.until', 'is', null)).leftJoin('teams as t', 't.id', 'm.team_id')
    .select(['u.id', 'u.login', 'u.display_name', 'u.alias', 'u.roles', 'u.locale', 'u.board_visibility', 'u.status', 'u.stopped', 's.expires_at', 's.seen_at', 't.id as team_id', 't.name as team_name'])
    .where('s.token_hash', '=', hash).executeTakeFirst();
  if (!row || row.status !== 'active' || row.expires_at.getTime() <= now || row.seen_at.getTime() + IDLE_MS <= now) return undefined;
  if (row.seen_at.getTime() + SEEN_MS <= now) await context.store.db.updateTable('sessions').set({ seen_at: new Date(now) }).where('token_hash', '=', hash).execute();
  return {
    id: row.id, login: row.login, name: row.display_name, alias: row.alias, roles: row.roles, locale: row.locale, visibility: row.board_visibility, stopped: row.stopped,
    team: row.team_id === null ? null : { id: row.team_id, name: row.team_name! },
  };
}

const FRESH_MS = 10 * 60_000;

/** Whether the session began so lately that it stands for a password where there is none. */
export async function isFresh(context: Context, token: string): Promise<boolean> {
  const row = await context.store.db.selectFrom('sessions').select('created_at').where('token_hash', '=', tokenHash(token)).executeTakeFirst();
  return row !== undefined && row.created_at.getTime() + FRESH_MS > context.now();
}

/**
 * Wrong passwords that are heard, docs/decisions/0022: few of one account from one address; of an account from anywhere as many as NIST SP
 * 800-63B lets pass; from an address that a whole office shares as many as an office mistypes.
 */
const QUARTER_MS = 15 * 60_000;
const tries = (key: string, address: string) => ({
  pair: { key: `login ${key} at ${address}`, most: 5, windowMs: QUARTER_MS },
  account: { key: `login ${key}`, most: 100, windowMs: 4 * QUARTER_MS },
  from: { key: `address ${address}`, most: 300, windowMs: QUARTER_MS },
}) as const satisfies Readonly<Record<string, Limit>>;

/** Opens a session. The answer to a wrong password and to somebody unknown is the same, and takes as long. */
export async function signIn(context: Context, login: string, password: string, address: string): Promise<string> {
  const key = keyOf(login);
  const { pair, account, from } = tries(key, address);
  await countTry(context, [pair, account, from]);
  const user = await context.store.db.selectFrom('users').select(['id', 'password_hash', 'status']).where((eb) => eb.or([eb('login_key', '=', key), eb('email_key', '=', key)]))
    // Logins are chosen freely: nobody stands in the way of whose address it is.
    .orderBy(sql`email_key is not distinct from ${key}`, 'desc').executeTakeFirst();
  const right = await verifyPassword(password, user?.password_hash);
  if (!user || !right || user.status === 'erased') throw new Refusal('wrong_password', 'Name or password is not right.');
  await forgetTries(context, pair.key);
  for (const shared of [account, from]) await uncountTry(context, shared.key);
  if (user.status === 'suspended') throw new Refusal('suspended', 'This account is suspended. Write to the organisers.');
  return context.store.transaction(async (tx) => {
    const token = await openSession(tx, user.id, context.now());
    await audit(tx, { actor: user.id, type: 'session.opened', subject: `user:${user.id}` }, instantOf(context));
    return token;
  });
}
