/**
 * Hash chains: rows that are only ever added, each holding the hash of the one before. An edit, a removal or another order shows. The
 * newest hash is kept apart (`chains`) and in every export and board, so that cutting off the end shows as well. Who may change
 * all of these together is not stopped by it: PostgreSQL's superuser, without a copy of a hash elsewhere.
 */
import { canonicalJson, sha256 } from '../artefacts/canonical.ts';
import type { Db, Tx } from './store.ts';

export const START = '0'.repeat(64);

export interface Link {
  /** From 1, without gaps. */
  readonly seq: number;
  readonly prev_hash: string;
  readonly hash: string;
}

/** The hash of a row: of the hash before it, its number and what it says, as canonical JSON. Instants as ISO text. */
export const linkHash = (prev: string, seq: number, body: Readonly<Record<string, unknown>>): string => sha256(canonicalJson({ body, prev, seq }));

/** The newest link, held: writers of one chain wait here for each other until they commit, so call it late in a transaction. */
export async function holdChain(tx: Tx, name: string): Promise<{ seq: number; hash: string }> {
  await tx.insertInto('chains').values({ name, seq: 0, hash: START }).onConflict((c) => c.doNothing()).execute();
  return tx.selectFrom('chains').select(['seq', 'hash']).where('name', '=', name).forUpdate().executeTakeFirstOrThrow();
}

/** The next link of a chain, which it holds. */
export async function extendChain(tx: Tx, name: string, body: Readonly<Record<string, unknown>>): Promise<Link> {
  const head = await holdChain(tx, name);
  const seq = head.seq + 1;
  const hash = linkHash(head.hash, seq, body);
  await tx.updateTable('chains').set({ seq, hash }).where('name', '=', name).execute();
  return { seq, prev_hash: head.hash, hash };
}

/** The newest link, also before there is one. */
export async function chainHead(db: Db | Tx, name: string): Promise<{ seq: number; hash: string }> {
  return (await db.selectFrom('chains').select(['seq', 'hash']).where('name', '=', name).executeTakeFirst()) ?? { seq: 0, hash: START };
}

/** The first thing that is wrong with a chain, as a sentence, or undefined. `rows` in the order of their numbers. */
export function chainFault(rows: readonly (Link & { readonly body: Readonly<Record<string, unknown>> })[], head: { readonly seq: number; readonly hash: string }): string | undefined {
  let prev = START;
  let seq = 0;
  for (const row of rows) {
    seq++;
    if (row.seq !== seq) return `entry ${seq} is missing: the next is ${row.seq}`;
    if (row.prev_hash !== prev) return `entry ${seq} does not follow the one before it`;
    if (row.hash !== linkHash(prev, seq, row.body)) return `entry ${seq} was changed`;
    prev = row.hash;
  }
  return head.seq === seq && head.hash === prev ? undefined : `the chain ends at entry ${seq}, its head says ${head.seq}${head.seq === seq ? ' with another hash' : ''}`;
}
