/** Counts tries by key in the database, so that several servers count together and a restart forgets nothing. */
import { sql } from 'kysely';
import type { Context } from '../context.ts';
import { instantOf } from '../context.ts';
import { Refusal } from '../refusal.ts';

export interface Limit {
  readonly key: string;
  readonly most: number;
  readonly windowMs: number;
}

/**
 * Counts a try before it is made, so that many at once are no more tries than as many in turn. Throws Refusal, and counts nothing, if one of
 * the keys has had its tries.
 */
export async function countTry(context: Context, limits: readonly Limit[]): Promise<void> {
  const now = instantOf(context);
  await context.store.transaction(async (tx) => {
    for (const { key, most, windowMs } of limits) {
      const end = new Date(now.getTime() + windowMs);
      const { hits, until } = await tx.insertInto('throttles').values({ key, hits: 1, until: end })
        .onConflict((c) => c.column('key').doUpdateSet({ hits: sql`case when throttles.until <= ${now} then 1 else throttles.hits + 1 end`, until: sql`case when throttles.until <= ${now} then ${end}::timestamptz else throttles.until end` }))
        .returning(['hits', 'until']).executeTakeFirstOrThrow();
      if (hits <= most) continue;
      const seconds = Math.ceil((until.getTime() - now.getTime()) / 1000);
      throw new Refusal('too_many_requests', `Too many attempts. Try again in ${Math.ceil(seconds / 60)} minutes.`, { values: { seconds }, retryAfter: seconds });
    }
  });
}

/** A try that was right is no try: for keys that others share. */
export const uncountTry = async (context: Context, key: string): Promise<void> => void (await context.store.db.updateTable('throttles').set({ hits: sql`greatest(hits - 1, 0)` }).where('key', '=', key).execute());

export const forgetTries = async (context: Context, key: string): Promise<void> => void (await context.store.db.deleteFrom('throttles').where('key', '=', key).execute());
