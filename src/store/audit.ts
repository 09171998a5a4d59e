/**
 * The audit log: who did what to what, append-only and chained. Payloads hold ids, states and hashes, never what people wrote and
 * nothing personal: erasing a person leaves it as it is.
 */
import { canonicalJson } from '../artefacts/canonical.ts';
import { ChainCheck, chainHead, holdChain, linksAfter, moveHead } from './chain.ts';
import { beforeCommit, type Db, type Tx } from './store.ts';

export interface AuditEvent {
  /** User id, or null for the program itself and the command line. */
  readonly actor: string | null;
  /** e.g. `campaign.opened`. */
  readonly type: string;
  /** e.g. `campaign:<id>`. */
  readonly subject: string;
  readonly payload?: Readonly<Record<string, unknown>>;
}

/** The name of its chain. */
export const AUDIT_CHAIN = 'audit';

type Entry = AuditEvent & { readonly at: Date };

const bodyOf = ({ actor, type, subject, payload = {}, at }: Entry) => ({ actor, type, subject, payload, at: at.toISOString() });

const noted = new WeakMap<Tx, Entry[]>();

/** Notes an event. It is written right before the transaction commits, so that writers wait for each other at the chain as shortly as may be. */
export async function audit(tx: Tx, event: AuditEvent, at: Date): Promise<void> {
  const known = noted.get(tx);
  if (known) known.push({ ...event, at });
  else {
    const entries = [{ ...event, at }];
    beforeCommit(tx, () => write(tx, entries));
    noted.set(tx, entries);
  }
}

/** Rows of one statement: a roster brings thousands. */
const AT_ONCE = 1000;

async function write(tx: Tx, entries: readonly Entry[]): Promise<void> {
  const links = linksAfter(await holdChain(tx, AUDIT_CHAIN), entries.map(bodyOf));
  const rows = entries.map(({ actor, type, subject, payload = {}, at }, i) => ({ ...links[i]!, actor_id: actor, type, subject, payload: canonicalJson(payload), at }));
  for (let from = 0; from < rows.length; from += AT_ONCE) await tx.insertInto('events').values(rows.slice(from, from + AT_ONCE)).execute();
  await moveHead(tx, AUDIT_CHAIN, links.at(-1)!);
}

/** Rows that are looked at before others have their turn. */
export const CHECKED_AT_ONCE = 1000;

/** The first fault of the log as it is now, or undefined. */
export async function auditFault(db: Db): Promise<string | undefined> {
  const head = await chainHead(db, AUDIT_CHAIN);
  const check = new ChainCheck();
  for (let after = 0; ;) {
    const rows = await db.selectFrom('events').selectAll().where('seq', '>', after).where('seq', '<=', head.seq).orderBy('seq').limit(CHECKED_AT_ONCE).execute();
    const fault = check.fault(rows.map(({ seq, prev_hash, hash, actor_id: actor, type, subject, payload, at }) => ({ seq, prev_hash, hash, body: bodyOf({ actor, type, subject, payload: payload as Readonly<Record<string, unknown>>, at }) })));
    if (fault !== undefined) return fault;
    if (rows.length < CHECKED_AT_ONCE) return check.faultAtEnd(head);
    after = rows.at(-1)!.seq;
  }
}
