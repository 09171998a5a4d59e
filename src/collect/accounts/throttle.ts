/** Counts failures by key in the database, so that several servers count together and a restart forgets nothing. */
import { sql } from 'kysely';
import type { Context } from '../context.ts';
import { instantOf } from '../context.ts';
import { Refusal } from '../refusal.ts';

export interface Limit {
  readonly key: string;
  readonly most: number;
  readonly windowMs: number;
}

/** Throws Refusal if a key has had its failures. */
export async function requireBelow(context: Context, limits: readonly Limit[]): Promise<void> {
  const now = instantOf(context);
  const rows = await context.store.db.selectFrom('throttles').selectAll().where('key', 'in', limits.map(({ key }) => key)).where('until', '>', now).execute();
  for (const { key, hits, until } of rows) {
    const { most } = limits.find((limit) => limit.key === key)!;
    if (hits >= most) {
      const seconds = Math.ceil((until.getTime() - now.getTime()) / 1000);
      throw new Refusal('too_many_requests', `Too many attempts. Try again in ${Math.ceil(seconds / 60)} minutes.`, { values: { seconds }, retryAfter: seconds });
    }
  }
}

export async function countFailure(context: Context, limits: readonly Limit[]): Promise<void> {
  const now = instantOf(context);
  for (const { key, windowMs } of limits) {
    const until = new Date(now.getTime() + windowMs);
    await context.store.db.insertInto('throttles').values({ key, hits: 1, until })
      .onConflict((c) => c.column('key').doUpdateSet({ hits: sql`case when throttles.until <= ${now} then 1 else throttles.hits + 1 end`, until: sql`case when throttles.until <= ${now} then ${until}::timestamptz else throttles.until end` })).execute();
  }
}

export const forgetFailures = async (context: Context, keys: readonly string[]): Promise<void> => void (await context.store.db.deleteFrom('throttles').where('key', 'in', keys).execute());
