/** Keys that the studio makes for itself, once for all servers on one database. */
import type { Db, Tx } from './store.ts';
import { newToken } from './id.ts';

/** The one of this name, of 256 random bits; made where it is not there. */
export async function secretNamed(db: Db | Tx, name: string): Promise<string> {
  await db.insertInto('secrets').values({ name, value: newToken(), created_at: new Date() }).onConflict((c) => c.doNothing()).execute();
  return (await db.selectFrom('secrets').select('value').where('name', '=', name).executeTakeFirstOrThrow()).value;
}
