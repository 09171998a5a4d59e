/**
 * The audit log: who did what to what, append-only and chained. Payloads hold ids, states and hashes, never what people wrote and
 * nothing personal: erasing a person leaves it as it is.
 */
import { canonicalJson } from '../artefacts/canonical.ts';
import { chainFault, chainHead, extendChain } from './chain.ts';
import type { Db, Tx } from './store.ts';

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

const bodyOf = (event: { actor: string | null; type: string; subject: string; payload: unknown; at: Date }) => ({ ...event, at: event.at.toISOString() });

export async function audit(tx: Tx, event: AuditEvent, at: Date): Promise<void> {
  const { actor, type, subject, payload = {} } = event;
  const link = await extendChain(tx, AUDIT_CHAIN, bodyOf({ actor, type, subject, payload, at }));
  await tx.insertInto('events').values({ ...link, actor_id: actor, type, subject, payload: canonicalJson(payload), at }).execute();
}

/** The first fault of the log, or undefined. */
export async function auditFault(db: Db): Promise<string | undefined> {
  const rows = await db.selectFrom('events').selectAll().orderBy('seq').execute();
  return chainFault(rows.map(({ seq, prev_hash, hash, actor_id: actor, type, subject, payload, at }) => ({ seq, prev_hash, hash, body: bodyOf({ actor, type, subject, payload, at }) })), await chainHead(db, AUDIT_CHAIN));
}
