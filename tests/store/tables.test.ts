/** The types of tables are those of the database. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, test } from 'node:test';
import { TestDatabase } from './database.ts';
import { generateTables } from './generate-tables.ts';

const database = await TestDatabase.start();
after(() => database[Symbol.asyncDispose]());

test('src/store/tables.ts is what the migrations make', async () => {
  const file = fileURLToPath(new URL('../../src/store/tables.ts', import.meta.url));
  const made = await generateTables(await database.store());
  if (process.env['UPDATE_TABLES'] === '1') writeFileSync(file, made);
  assert.equal(readFileSync(file, 'utf8'), made, 'UPDATE_TABLES=1 npm test -- tests/store/tables.test.ts writes it anew');
});
