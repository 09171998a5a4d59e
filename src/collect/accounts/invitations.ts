/** Invitations: links that make one account each. An organisation's list comes as CSV. */
import { parse } from 'csv-parse/sync';
import { audit } from '../../store/audit.ts';
import { newId, newToken, tokenHash } from '../../store/id.ts';
import type { Tx } from '../../store/store.ts';
import { currentCampaign } from '../campaigns/current.ts';
import { instantOf, type Context, type Mail } from '../context.ts';
import { notFound, Refusal } from '../refusal.ts';
import { ROLES, type Role } from '../rules/access.ts';
import { keyOf } from './names.ts';
import { openSession, type Person } from './sessions.ts';
import { createUser, joinTeam, readyAccount, teamNamed, type NewAccount } from './users.ts';

const DAYS = 30;

export interface Invite {
  readonly roles: readonly Role[];
  readonly email?: string | undefined;
  readonly team?: string | undefined;
}

const linkOf = (context: Context, token: string): string => `${context.publicUrl}/invite#${token}`;

function requireMayGive(by: Person, roles: readonly Role[]): void {
  if (roles.includes('owner') && !by.roles.includes('owner')) throw new Refusal('forbidden', 'Only an owner can invite owners.');
}

async function insertInvitation(tx: Tx, context: Context, by: Person, { roles, email, team }: Invite): Promise<string> {
  const token = newToken();
  const now = context.now();
  const id = newId(now);
  if (email !== undefined && (await tx.selectFrom('users').select('id').where('email_key', '=', keyOf(email)).executeTakeFirst())) throw new Refusal('email_taken', `${email} has an account already.`, { fields: { email: 'email_taken' } });
  await tx.insertInto('invitations').values({
    id, token_hash: tokenHash(token), roles: [...new Set(roles)], email: email ?? null, team_id: team === undefined ? null : await teamNamed(tx, context, team), created_by: by.id, created_at: new Date(now), expires_at: new Date(now + DAYS * 86_400_000),
  }).execute();
  await audit(tx, { actor: by.id, type: 'invitation.made', subject: `invitation:${id}`, payload: { roles } }, instantOf(context));
  return token;
}

/** Makes one, and mails its link where that is possible. */
export async function invite(context: Context, by: Person, invitation: Invite): Promise<{ link: string; mailed: boolean }> {
  requireMayGive(by, invitation.roles);
  const token = await context.store.transaction((tx) => insertInvitation(tx, context, by, invitation));
  const link = linkOf(context, token);
  return { link, mailed: await mailed(context, invitation.email, link) };
}

const mailOf = (title: string, to: string, link: string): Mail => ({
  to, subject: `${title}: invitation / приглашение`,
  text: `You are invited to take part in "${title}". This link makes your account and is good for ${DAYS} days:\n\n${link}\n\nВас приглашают участвовать в «${title}». По этой ссылке создаётся ваша учётная запись, она действует ${DAYS} дней:\n\n${link}\n`,
});

const titleOf = async (context: Context): Promise<string> => (await currentCampaign(context.store.db))?.title ?? 'Roslin';

async function mailed(context: Context, email: string | undefined, link: string): Promise<boolean> {
  if (!context.mail || email === undefined) return false;
  const { to, subject, text } = mailOf(await titleOf(context), email, link);
  try {
    await context.mail.send(to, subject, text);
    return true;
  } catch {
    return false; // the link is shown instead
  }
}

export interface RosterResult {
  readonly created: readonly { readonly line: number; readonly email: string; readonly link: string }[];
  readonly faults: readonly { readonly line: number; readonly message: string }[];
  /** Mails that are on their way. Each link is shown as well: mail may fail. */
  readonly mailing: number;
}

const MOST_ROWS = 20_000;

/** All rows or none: with a fault nothing is made. */
export async function inviteRoster(context: Context, by: Person, csv: string): Promise<RosterResult> {
  const faults: { line: number; message: string }[] = [];
  const rows: (Invite & { email: string; line: number })[] = [];
  let table: { record: Record<string, string>; info: { lines: number } }[];
  try {
    table = parse(csv, { columns: (header: string[]) => header.map((name) => name.trim().toLowerCase()), bom: true, delimiter: [',', ';', '\t'], trim: true, skip_empty_lines: true, info: true, max_record_size: 10_000 }) as unknown as typeof table;
  } catch (error) {
    return { created: [], faults: [{ line: (error as { lines?: number }).lines ?? 1, message: 'this is no CSV' }], mailing: 0 };
  }
  if (table.length > MOST_ROWS) return { created: [], faults: [{ line: MOST_ROWS + 1, message: `more than ${MOST_ROWS} rows` }], mailing: 0 };
  if (table.length > 0 && !('email' in table[0]!.record)) return { created: [], faults: [{ line: 1, message: 'there is no column email' }], mailing: 0 };
  const seen = new Set<string>();
  const known = new Set((await context.store.db.selectFrom('users').select('email_key').where('email_key', 'is not', null).execute()).map(({ email_key }) => email_key!));
  for (const { record, info: { lines: line } } of table) {
    const email = record['email'] ?? '';
    const roles = (record['roles'] ?? '').toLowerCase().split(/[\s|]+/).filter((word) => word !== '');
    const odd = roles.find((word) => !(ROLES as readonly string[]).includes(word));
    if (!/^[^\s@<>"(),;:]{1,64}@[^\s@<>"(),;:]{1,190}$/.test(email)) faults.push({ line, message: 'no e-mail address' });
    else if (seen.has(keyOf(email))) faults.push({ line, message: 'the same address twice' });
    else if (known.has(keyOf(email))) faults.push({ line, message: 'has an account already' });
    else if (odd !== undefined) faults.push({ line, message: `no role: ${odd.slice(0, 40)}` });
    else if (roles.includes('owner') && !by.roles.includes('owner')) faults.push({ line, message: 'only an owner can invite owners' });
    seen.add(keyOf(email));
    const team = record['team']?.slice(0, 60);
    rows.push({ line, email, roles: roles.length === 0 ? ['member', 'reviewer'] : (roles as Role[]), ...(team ? { team } : {}) });
  }
  if (faults.length > 0 || rows.length === 0) return { created: [], faults: faults.length > 0 ? faults : [{ line: 1, message: 'no rows' }], mailing: 0 };
  const tokens = await context.store.transaction(async (tx) => {
    const made: string[] = [];
    for (const row of rows) made.push(await insertInvitation(tx, context, by, row));
    return made;
  });
  const created = rows.map(({ line, email }, i) => ({ line, email, link: linkOf(context, tokens[i]!) }));
  if (!context.mail) return { created, faults: [], mailing: 0 };
  const title = await titleOf(context);
  context.mail.later(created.map(({ email, link }) => mailOf(title, email, link)));
  return { created, faults: [], mailing: created.length };
}

export async function openInvitation(db: Context['store']['db'] | Tx, context: Context, hash: string, lock = false) {
  let query = db.selectFrom('invitations').selectAll().where('token_hash', '=', hash);
  if (lock) query = query.forUpdate();
  const row = await query.executeTakeFirst();
  if (!row || row.used_at !== null || row.expires_at.getTime() <= context.now()) throw new Refusal('link_invalid', 'This invitation was used or has run out. Ask for a new one.');
  return row;
}

export async function lookAtInvitation(context: Context, token: string) {
  const { roles, team_id, email, expires_at } = await openInvitation(context.store.db, context, tokenHash(token));
  const team = team_id === null ? undefined : await context.store.db.selectFrom('teams').select('name').where('id', '=', team_id).executeTakeFirst();
  return { roles, team: team?.name ?? null, email, organisation: (await currentCampaign(context.store.db))?.organisation ?? '', expires_at: expires_at.toISOString() };
}

/** Makes the account and signs in. */
export async function acceptInvitation(context: Context, token: string, account: NewAccount): Promise<string> {
  await openInvitation(context.store.db, context, tokenHash(token));
  const ready = await readyAccount(account);
  return context.store.transaction(async (tx) => {
    const invitation = await openInvitation(tx, context, tokenHash(token), true);
    const userId = await createUser(tx, context, ready, invitation.roles, invitation.email);
    await useInvitation(tx, context, invitation, userId);
    return openSession(tx, userId, context.now());
  });
}

/** Its team, and that it is used. */
export async function useInvitation(tx: Tx, context: Context, { id, team_id }: { readonly id: string; readonly team_id: string | null }, userId: string): Promise<void> {
  if (team_id !== null) await joinTeam(tx, context, userId, (await tx.selectFrom('teams').select('name').where('id', '=', team_id).executeTakeFirstOrThrow()).name);
  await tx.updateTable('invitations').set({ used_at: instantOf(context), used_by: userId }).where('id', '=', id).execute();
  await audit(tx, { actor: userId, type: 'invitation.accepted', subject: `invitation:${id}` }, instantOf(context));
}

export async function listInvitations(context: Context) {
  const rows = await context.store.db.selectFrom('invitations as i').leftJoin('teams as t', 't.id', 'i.team_id').select(['i.id', 'i.roles', 'i.email', 't.name as team', 'i.created_at', 'i.expires_at', 'i.used_at']).orderBy('i.id', 'desc').limit(2000).execute();
  const now = context.now();
  return rows.map(({ id, roles, email, team, created_at, expires_at, used_at }) => ({
    id, roles, email, team, created_at: created_at.toISOString(), expires_at: expires_at.toISOString(), state: used_at !== null ? ('used' as const) : expires_at.getTime() <= now ? ('expired' as const) : ('open' as const),
  }));
}

/** An open one ends now; a used one stays as it was. */
export async function revokeInvitation(context: Context, by: Person, id: string): Promise<void> {
  await context.store.transaction(async (tx) => {
    const { numUpdatedRows } = await tx.updateTable('invitations').set({ expires_at: instantOf(context) }).where('id', '=', id).where('used_at', 'is', null).executeTakeFirst();
    if (numUpdatedRows === 0n) throw notFound();
    await audit(tx, { actor: by.id, type: 'invitation.revoked', subject: `invitation:${id}` }, instantOf(context));
  });
}
