/** The first owner: by a link that is printed once at the start and good until it is used. Afterwards accounts are made by invitation alone. */
import { audit } from '../../store/audit.ts';
import { newToken, tokenHash } from '../../store/id.ts';
import { instantOf, type Context } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { createUser, readyAccount, type NewAccount } from './users.ts';
import { openSession } from './sessions.ts';

const SECRET = 'owner link';

export async function setupNeeded({ store: { db } }: Pick<Context, 'store'>): Promise<boolean> {
  const canSignIn = await db.selectFrom('users as u').leftJoin('identities as i', 'i.user_id', 'u.id').select('u.id').where((eb) => eb.or([eb('u.password_hash', 'is not', null), eb('i.subject', 'is not', null)])).limit(1).executeTakeFirst();
  return canSignIn === undefined;
}

/** A new link's token where there is no owner yet; links made before are void. */
export async function makeOwnerToken(context: Context): Promise<string | undefined> {
  if (!(await setupNeeded(context))) return undefined;
  const token = newToken();
  const row = { value: tokenHash(token), created_at: instantOf(context) };
  await context.store.db.insertInto('secrets').values({ name: SECRET, ...row }).onConflict((c) => c.column('name').doUpdateSet(row)).execute();
  return token;
}

/** Makes the owner and signs in. */
export async function setUp(context: Context, token: string, account: NewAccount): Promise<{ token: string; userId: string }> {
  return context.store.transaction(async (tx) => {
    // The row is the lock: of two at once the second finds it gone.
    const secret = await tx.selectFrom('secrets').select('value').where('name', '=', SECRET).forUpdate().executeTakeFirst();
    if (!secret) throw new Refusal('setup_done', 'This studio has an owner already. Ask for an invitation.');
    if (secret.value !== tokenHash(token)) throw new Refusal('link_invalid', 'This link is not good any more. The server prints a new one when it starts.');
    const userId = await createUser(tx, context, await readyAccount(account), ['owner', 'reviewer', 'member'], null);
    await tx.deleteFrom('secrets').where('name', '=', SECRET).execute();
    await audit(tx, { actor: userId, type: 'owner.created', subject: `user:${userId}` }, instantOf(context));
    return { token: await openSession(tx, userId, context.now()), userId };
  });
}
