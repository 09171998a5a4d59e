/** The audit log as writers leave it and as somebody with the database's password might: in pieces of a thousand, and beyond one. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { audit, auditFault } from '../../src/store/audit.ts';
import { TestDatabase } from './database.ts';

const database = await TestDatabase.start();
after(() => database[Symbol.asyncDispose]());

const event = (n: number) => ({ actor: null, type: 'test.noted', subject: `test:${n}`, payload: { n } });

test('events of one transaction and of many at once make one chain; those of a failed one are not there', async () => {
  const store = await database.store();
  await store.transaction(async (tx) => {
    for (let n = 0; n < 2500; n++) await audit(tx, event(n), new Date(n));
  });
  await Promise.all(Array.from({ length: 20 }, (_, n) => store.transaction((tx) => audit(tx, event(2500 + n), new Date(n)))));
  await assert.rejects(store.transaction(async (tx) => {
    await audit(tx, event(-1), new Date(0));
    throw new Error('no');
  }), /no/);
  assert.equal(await auditFault(store.db), undefined);
  const { n } = await store.db.selectFrom('events').select((eb) => eb.fn.countAll<number>().as('n')).executeTakeFirstOrThrow();
  assert.equal(n, 2520);
  await assert.rejects(store.db.transaction().execute((tx) => audit(tx, event(0), new Date(0))), /not begun by store.transaction/);
});

test('an edit, a removal and a cut-off end show, wherever they are', async () => {
  const store = await database.store();
  await store.transaction(async (tx) => {
    for (let n = 1; n <= 1200; n++) await audit(tx, event(n), new Date(n));
  });
  await store.pool.query('alter table events disable trigger all');
  const spoilt = async (sql: string): Promise<string | undefined> => {
    await store.pool.query(sql);
    return auditFault(store.db);
  };
  assert.equal(await spoilt(`delete from events where seq = 1200`), 'the chain ends at entry 1199, its head says 1200');
  assert.equal(await spoilt(`update events set payload = '{"n": 0}' where seq = 1100`), 'entry 1100 was changed');
  assert.equal(await spoilt(`delete from events where seq = 3`), 'entry 3 is missing: the next is 4');
});
