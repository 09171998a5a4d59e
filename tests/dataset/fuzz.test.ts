/** Fuzz of all importers, short: the long form is `npm run proof:fuzz-import`. ROSLIN_FUZZ=10 makes ten times as many. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attempt, seeds, spoiltInput, wholeFile } from './fuzz-import.ts';
import { Folder } from './support.ts';

const COUNT = Math.ceil(3000 * Number(process.env['ROSLIN_FUZZ'] ?? 1));

test(`${COUNT} spoilt files: records, or a reason with its line (seed 7)`, { timeout: 1_200_000 }, async () => {
  using folder = new Folder();
  const files = await seeds(folder.path);
  for (const file of files) {
    const { records, refused } = await attempt(folder.path, file.name, wholeFile(file));
    assert.ok(records > 0 && !refused, `${file.name} is right before it is spoilt`);
  }
  const counts = { records: 0, rejects: 0, refused: 0 };
  for (let i = 0; i < COUNT; i++) {
    const { name, bytes } = spoiltInput(files, 7, i);
    const { records, rejects, refused } = await attempt(folder.path, name, bytes);
    counts.records += records;
    counts.rejects += rejects;
    if (refused) counts.refused++;
  }
  // Of each kind there must be some, or nothing was tried.
  assert.ok(counts.records > COUNT / 2 && counts.rejects > COUNT / 20 && counts.refused > COUNT / 10, JSON.stringify(counts));
});

test('inputs that once ended the process or kept it busy are refused', async () => {
  using folder = new Folder();
  const files = await seeds(folder.path);
  // Parquet whose columns lie nowhere: promises that nobody waited for failed;
  // and Parquet whose page says that it holds billions of values: minutes.
  for (const [seed, index] of [[1, 12_797], [1, 19_205]] as const) {
    const { name, bytes } = spoiltInput(files, seed, index);
    assert.equal((await attempt(folder.path, name, bytes)).refused, true);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
