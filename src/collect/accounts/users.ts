/** People: making, changing, exporting and erasing them. Erasing keeps the rows that others' work hangs on, without anything personal. */
import { audit } from '../../store/audit.ts';
import { newId } from '../../store/id.ts';
import type { Tx } from '../../store/store.ts';
import { instantOf, type Context } from '../context.ts';
import { notFound, Refusal } from '../refusal.ts';
import type { Role } from '../rules/access.ts';
import { cleanName, keyOf, refusingTaken } from './names.ts';
import { hashPassword, requireStrong, verifyPassword } from './password.ts';
import { endSessions, isFresh, type Person } from './sessions.ts';
import { countTry, forgetTries } from './throttle.ts';

export interface NewAccount {
  readonly login: string;
  readonly name: string;
  readonly password: string;
  readonly locale: string;
}

export interface ReadyAccount extends Omit<NewAccount, 'password'> {
  readonly password_hash: string;
}

/** Checked and hashed, which takes as long as many queries: before a transaction, where that can be. */
export async function readyAccount(account: NewAccount): Promise<ReadyAccount> {
  const [login, name] = [cleanName(account.login), cleanName(account.name)];
  requireNames({ login, name });
  requireStrong(account.password, [login, name]);
  return { login, name, locale: account.locale, password_hash: await hashPassword(account.password) };
}

export async function createUser(tx: Tx, context: Context, account: ReadyAccount, roles: readonly Role[], email: string | null): Promise<string> {
  return insertUser(tx, context, { ...account, roles, email });
}

export async function insertUser(tx: Tx, context: Context, user: { readonly login: string; readonly name: string; readonly locale: string; readonly roles: readonly Role[]; readonly email: string | null; readonly password_hash: string | null }): Promise<string> {
  const id = newId(context.now());
  const { login, name, locale, roles, email, password_hash } = user;
  await refusingTaken(() => tx.insertInto('users').values({
    id, login, login_key: keyOf(login), display_name: name, name_key: keyOf(name), email, email_key: email === null ? null : keyOf(email), locale, roles: [...new Set(roles)], password_hash, created_at: instantOf(context),
  }).execute());
  return id;
}

function requireNames(names: Readonly<Record<string, string>>): void {
  for (const [field, value] of Object.entries(names)) if (keyOf(value) === '') throw new Refusal('invalid_request', 'A name needs a letter that can be seen.', { fields: { [field]: 'is empty' } });
}

export async function joinTeam(tx: Tx, context: Context, userId: string, name: string | null): Promise<string | null> {
  const at = instantOf(context);
  const current = await tx.selectFrom('memberships').select('team_id').where('user_id', '=', userId).where('until', 'is', null).executeTakeFirst();
  const teamId = name === null ? null : await teamNamed(tx, context, name);
  if ((current?.team_id ?? null) === teamId) return teamId;
  if (current) await tx.updateTable('memberships').set({ until: at }).where('user_id', '=', userId).where('until', 'is', null).execute();
  if (teamId !== null) await tx.insertInto('memberships').values({ user_id: userId, team_id: teamId, since: at }).onConflict((c) => c.columns(['user_id', 'since']).doUpdateSet({ team_id: teamId, until: null })).execute();
  return teamId;
}

export async function teamNamed(tx: Tx, context: Context, name: string): Promise<string> {
  const clean = cleanName(name);
  await tx.insertInto('teams').values({ id: newId(context.now()), name: clean, name_key: keyOf(clean), created_at: instantOf(context) }).onConflict((c) => c.column('name_key').doNothing()).execute();
  return (await tx.selectFrom('teams').select('id').where('name_key', '=', keyOf(clean)).executeTakeFirstOrThrow()).id;
}

export interface OwnChange {
  readonly name?: string | undefined;
  readonly alias?: string | null | undefined;
  readonly visibility?: 'name' | 'alias' | 'hidden' | undefined;
  readonly locale?: string | undefined;
}

export async function changeOwn(context: Context, person: Person, { name, alias, visibility, locale }: OwnChange): Promise<void> {
  const clean = { name: name === undefined ? undefined : cleanName(name), alias: alias === undefined || alias === null ? alias : cleanName(alias) };
  requireNames(Object.fromEntries(Object.entries(clean).filter((entry): entry is [string, string] => typeof entry[1] === 'string')));
  const wanted = visibility ?? person.visibility;
  const after = clean.alias === undefined ? person.alias : clean.alias;
  if (wanted === 'alias' && after === null) throw new Refusal('invalid_request', 'Choose an alias first.', { fields: { alias: 'is empty' } });
  const change = {
    ...(clean.name !== undefined && { display_name: clean.name, name_key: keyOf(clean.name) }), ...(clean.alias !== undefined && { alias: clean.alias, alias_key: clean.alias === null ? null : keyOf(clean.alias) }),
    ...(visibility !== undefined && { board_visibility: visibility }), ...(locale !== undefined && { locale }),
  };
  if (Object.keys(change).length > 0) await refusingTaken(() => context.store.db.updateTable('users').set(change).where('id', '=', person.id).execute());
}

/** Who acts for good on an account of one's own, and how they show that it is theirs. */
export interface Proof {
  readonly password: string;
  /** Of the session: without a password it must have begun lately. */
  readonly token: string;
}

/** Asks for the password of who is signed in already, or for a sign-in of the last minutes where there is none; wrong passwords are counted. */
async function requireProof(context: Context, person: Person, { password, token }: Proof): Promise<void> {
  const { password_hash } = await context.store.db.selectFrom('users').select('password_hash').where('id', '=', person.id).executeTakeFirstOrThrow();
  if (password_hash === null) {
    if (await isFresh(context, token)) return;
    throw new Refusal('sign_in_again', 'Sign in again first: this asks for a sign-in of the last ten minutes.');
  }
  const key = `own password ${person.id}`;
  await countTry(context, [{ key, most: 5, windowMs: 15 * 60_000 }]);
  if (await verifyPassword(password, password_hash)) return forgetTries(context, key);
  throw new Refusal('wrong_password', 'The password is not right.', { fields: { current: 'is not right' } });
}

/** All sessions end; the caller opens a new one. */
export async function changePassword(context: Context, person: Person, proof: Proof, next: string): Promise<void> {
  await requireProof(context, person, proof);
  requireStrong(next, [person.login, person.name]);
  const password_hash = await hashPassword(next);
  await context.store.transaction(async (tx) => {
    await tx.updateTable('users').set({ password_hash }).where('id', '=', person.id).execute();
    await endSessions(tx, person.id);
    await audit(tx, { actor: person.id, type: 'password.changed', subject: `user:${person.id}` }, instantOf(context));
  });
}

export async function changePerson(context: Context, by: Person, id: string, change: { readonly roles?: readonly Role[] | undefined; readonly team?: string | null | undefined; readonly status?: 'active' | 'suspended' | undefined; readonly stopped?: false | undefined }): Promise<void> {
  await context.store.transaction(async (tx) => {
    const owners = await tx.selectFrom('users').select('id').where('status', '=', 'active').where((eb) => eb('roles', '@>', eb.val(['owner'] as Role[]))).orderBy('id').forUpdate().execute();
    const user = await tx.selectFrom('users').select(['id', 'roles', 'status']).where('id', '=', id).forUpdate().executeTakeFirst();
    if (!user || user.status === 'erased') throw notFound();
    // An administrator makes nobody an owner, and touches none.
    // Whoever was found to have copied does not forgive it to themselves.
    if (change.stopped === false && id === by.id) throw new Refusal('forbidden', 'Somebody else lets you write again.');
    const touchesOwner = user.roles.includes('owner') || change.roles?.includes('owner');
    if (touchesOwner && !by.roles.includes('owner')) throw new Refusal('forbidden', 'Only an owner can change owners.');
    const stays = (change.roles ?? user.roles).includes('owner') && (change.status ?? user.status) === 'active';
    if (user.roles.includes('owner') && !stays && owners.length <= 1) throw new Refusal('last_owner', 'The last owner stays: make somebody else an owner first.');
    if (change.roles) await tx.updateTable('users').set({ roles: [...new Set(change.roles)] }).where('id', '=', id).execute();
    if (change.status) await tx.updateTable('users').set({ status: change.status }).where('id', '=', id).execute();
    if (change.stopped === false) await tx.updateTable('users').set({ stopped: false }).where('id', '=', id).execute();
    if (change.team !== undefined) await joinTeam(tx, context, id, change.team);
    if (change.roles || change.status) await endSessions(tx, id);
    await audit(tx, { actor: by.id, type: 'person.changed', subject: `user:${id}`, payload: { ...(change.roles && { roles: change.roles }), ...(change.status && { status: change.status }), ...(change.team !== undefined && { team: change.team !== null }), ...(change.stopped === false && { stopped: false }) } }, instantOf(context));
  });
}

/** Everything that is stored of a person, for that person. */
export async function ownData({ store: { db } }: Context, person: Person): Promise<Record<string, unknown>> {
  const user = await db.selectFrom('users').select(['id', 'login', 'display_name', 'alias', 'email', 'locale', 'roles', 'status', 'board_visibility', 'created_at']).where('id', '=', person.id).executeTakeFirstOrThrow();
  const mine = await db.selectFrom('submissions').selectAll().where('author_id', '=', person.id).orderBy('id').execute();
  const versions = mine.length === 0 ? [] : await db.selectFrom('submission_versions').selectAll().where('submission_id', 'in', mine.map(({ id }) => id)).orderBy('submission_id').orderBy('version').execute();
  return {
    user,
    teams: await db.selectFrom('memberships as m').innerJoin('teams as t', 't.id', 'm.team_id').select(['t.name', 'm.since', 'm.until']).where('m.user_id', '=', person.id).execute(),
    consents: await db.selectFrom('consents').selectAll().where('user_id', '=', person.id).execute(),
    sign_ons: await db.selectFrom('identities').select(['issuer', 'subject', 'created_at']).where('user_id', '=', person.id).execute(),
    sessions: await db.selectFrom('sessions').select(['created_at', 'seen_at', 'expires_at']).where('user_id', '=', person.id).execute(),
    drafts: await db.selectFrom('drafts').selectAll().where('user_id', '=', person.id).execute(),
    records: mine.map((record) => ({ ...record, versions: versions.filter(({ submission_id }) => submission_id === record.id) })),
    questions: await db.selectFrom('tasks').select(['id', 'category', 'seed_instruction', 'language', 'state', 'created_at']).where('asked_by', '=', person.id).where('kind', '=', 'answer').execute(),
    reviews: await db.selectFrom('reviews').select(['id', 'version', 'round', 'state', 'scores', 'verdict', 'flags', 'comment', 'skip_reason', 'dwell_ms', 'assigned_at', 'submitted_at']).where('reviewer_id', '=', person.id).execute(),
    points: await db.selectFrom('ledger_entries').selectAll().where('user_id', '=', person.id).orderBy('seq').execute(),
    judgements: await db.selectFrom('audit_votes').select(['vote', 'reason', 'at']).where('moderator_id', '=', person.id).execute(),
    reports: await db.selectFrom('reports').select(['reason', 'state', 'at']).where('reporter_id', '=', person.id).execute(),
  };
}

/**
 * Takes away what is personal: names, address, password, sign-ins elsewhere, sessions, drafts, how records were typed, free words in appeals,
 * skips and reports. The records stay under the licence that was consented to, without a name, unless their author withdraws them before;
 * so do comments on others' records, which belong to their decisions. Ledger and log hold ids alone and stay as they are.
 */
export async function eraseOwn(context: Context, person: Person, proof: Proof): Promise<void> {
  await requireProof(context, person, proof);
  await context.store.transaction(async (tx) => {
    const owners = await tx.selectFrom('users').select('id').where('status', '=', 'active').where((eb) => eb('roles', '@>', eb.val(['owner'] as Role[]))).orderBy('id').forUpdate().execute();
    if (owners.length === 1 && owners[0]!.id === person.id) throw new Refusal('last_owner', 'The last owner stays: make somebody else an owner first.');
    const id = person.id;
    await tx.updateTable('users').set({
      login: `erased-${id}`, login_key: `erased-${id}`, display_name: '', name_key: `erased-${id}`, alias: null, alias_key: null, email: null, email_key: null, password_hash: null, status: 'erased', roles: [], board_visibility: 'hidden',
    }).where('id', '=', id).execute();
    await tx.updateTable('invitations').set({ email: null }).where('used_by', '=', id).execute();
    await tx.deleteFrom('identities').where('user_id', '=', id).execute();
    await tx.deleteFrom('sign_ins').where('user_id', '=', id).execute();
    await endSessions(tx, id);
    await tx.updateTable('submission_versions').set({ telemetry: '{}' }).where('submission_id', 'in', tx.selectFrom('submissions').select('id').where('author_id', '=', id)).where('telemetry', '!=', '{}').execute();
    await tx.updateTable('submissions').set({ appeal_reason: null }).where('author_id', '=', id).execute();
    await tx.updateTable('reviews').set({ skip_reason: null }).where('reviewer_id', '=', id).execute();
    const drafts = tx.selectFrom('drafts').select('id').where('user_id', '=', id);
    await tx.deleteFrom('draft_versions').where('draft_id', 'in', drafts).execute();
    await tx.updateTable('drafts').set({ body: JSON.stringify({ instruction: '', context: '', response: '' }), device: '' }).where('user_id', '=', id).execute();
    await tx.updateTable('drafts').set({ state: 'discarded' }).where('user_id', '=', id).where('state', '=', 'open').execute();
    await tx.updateTable('leases').set({ state: 'released' }).where('user_id', '=', id).where('state', '=', 'claimed').execute();
    await tx.updateTable('tasks').set({ state: 'dropped', seed_instruction: '' }).where('asked_by', '=', id).where('kind', '=', 'answer').where('state', '=', 'open').execute();
    await tx.updateTable('reports').set({ reason: '' }).where('reporter_id', '=', id).execute();
    await tx.updateTable('reports').set({ answer: '' }).where('answered_by', '=', id).execute();
    await tx.updateTable('audit_votes').set({ reason: '' }).where('moderator_id', '=', id).execute();
    await tx.updateTable('memberships').set({ until: instantOf(context) }).where('user_id', '=', id).where('until', 'is', null).execute();
    await audit(tx, { actor: id, type: 'person.erased', subject: `user:${id}` }, instantOf(context));
  });
}
