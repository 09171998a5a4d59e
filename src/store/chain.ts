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
  const held = () => tx.selectFrom('chains').select(['seq', 'hash']).where('name', '=', name).forUpdate().executeTakeFirst();
  const head = await held();
  if (head) return head;
  await tx.insertInto('chains').values({ name, seq: 0, hash: START }).onConflict((c) => c.doNothing()).execute();
  return (await held())!;
}

/** The links after a head, for rows in their order. */
export function linksAfter(head: { readonly seq: number; readonly hash: string }, bodies: readonly Readonly<Record<string, unknown>>[]): Link[] {
  let { seq, hash } = head;
  return bodies.map((body) => {
    const prev_hash = hash;
    seq++;
    hash = linkHash(prev_hash, seq, body);
    return { seq, prev_hash, hash };
  });
}

/** The new head of a chain that is held: the last of the links that were added. */
export async function moveHead(tx: Tx, name: string, { seq, hash }: Link): Promise<void> {
  await tx.updateTable('chains').set({ seq, hash }).where('name', '=', name).execute();
}

/** The newest link, also before there is one. */
export async function chainHead(db: Db | Tx, name: string): Promise<{ seq: number; hash: string }> {
  return (await db.selectFrom('chains').select(['seq', 'hash']).where('name', '=', name).executeTakeFirst()) ?? { seq: 0, hash: START };
}

/** Looks along a chain, piece by piece. */
export class ChainCheck {
  #prev = START;
  #seq = 0;

  /** The first thing that is wrong with the rows that follow, in the order of their numbers, as a sentence, or undefined. */
  fault(rows: readonly (Link & { readonly body: Readonly<Record<string, unknown>> })[]): string | undefined {
    for (const row of rows) {
      this.#seq++;
      if (row.seq !== this.#seq) return `entry ${this.#seq} is missing: the next is ${row.seq}`;
      if (row.prev_hash !== this.#prev) return `entry ${this.#seq} does not follow the one before it`;
      if (row.hash !== linkHash(this.#prev, this.#seq, row.body)) return `entry ${this.#seq} was changed`;
      this.#prev = row.hash;
    }
    return undefined;
  }

  /** Whether it ends where its head says. */
  faultAtEnd(head: { readonly seq: number; readonly hash: string }): string | undefined {
    return head.seq === this.#seq && head.hash === this.#prev ? undefined : `the chain ends at entry ${this.#seq}, its head says ${head.seq}${head.seq === this.#seq ? ' with another hash' : ''}`;
  }
}
