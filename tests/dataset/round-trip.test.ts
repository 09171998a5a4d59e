/** Import, export, import: what a form has a place for comes back as it was. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DatasetRecord } from '../../src/artefacts/record-schema.ts';
import { importRecords } from '../../src/dataset/import.ts';
import { WRITERS, type Target } from '../../src/dataset/write-forms.ts';
import { arbitraryRecord, Folder, importing, PROVENANCE, withoutTurns } from './support.ts';

const ENDINGS: Record<Target, string> = { roslin: '.jsonl', dolly: '.jsonl', alpaca: '.json', messages: '.jsonl', preference: '.jsonl', csv: '.csv', parquet: '.parquet' };

async function read(path: string): Promise<DatasetRecord[]> {
  const records: DatasetRecord[] = [];
  for await (const row of importRecords(importing([path]))) {
    assert.ok(!('reason' in row), JSON.stringify(row));
    records.push(...row.records);
  }
  return records;
}

/** What is left of a record in a form, with the provenance that an import gives it. */
const KEPT: Record<Target, (record: DatasetRecord) => Partial<DatasetRecord>> = {
  roslin: (record) => record,
  csv: (record) => record,
  parquet: (record) => record,
  dolly: ({ instruction, context, response, category, choices }) => ({ instruction, context, response, category, ...(choices ? { choices } : {}), provenance: { record: PROVENANCE } }),
  alpaca: ({ instruction, context, response, category }) => ({ instruction, context, response, category, provenance: { record: PROVENANCE } }),
  messages: ({ instruction, response, category, turns }) => ({ instruction, context: '', response, category, ...(turns ? { turns } : {}), provenance: { record: PROVENANCE } }),
  preference: ({ instruction, response, category, turns, rejected }) => ({ instruction, context: '', response, category, ...(turns ? { turns } : {}), rejected: rejected!, provenance: { record: PROVENANCE } }),
};

/** Records that a form can hold: without earlier turns, or without a context apart from the question. */
const FITTING: Record<Target, (record: DatasetRecord) => DatasetRecord> = {
  roslin: (record) => record,
  csv: (record) => record,
  parquet: (record) => record,
  dolly: (record) => withoutTurns(record),
  alpaca: (record) => withoutTurns(record),
  messages: (record) => ({ ...record, context: '' }),
  preference: (record) => ({ ...record, context: '', rejected: record.rejected ?? 'worse' }),
};

for (const target of Object.keys(WRITERS) as Target[]) {
  test(`${target}: import -> export -> import is the identity`, async () => {
    using folder = new Folder();
    await fc.assert(fc.asyncProperty(fc.array(arbitraryRecord.map(FITTING[target]), { minLength: 1, maxLength: 8 }), async (records) => {
      const [once, twice] = [folder.join(`once${ENDINGS[target]}`), folder.join(`twice${ENDINGS[target]}`)];
      await WRITERS[target].write(once, records);
      const back = await read(once);
      assert.deepEqual(back, records.map(KEPT[target]));
      await WRITERS[target].write(twice, back);
      assert.deepEqual(readFileSync(twice), readFileSync(once), 'and the bytes are the same');
      assert.deepEqual(await read(twice), back);
    }), { numRuns: 60 });
  });
}

test('a form without a place for earlier turns refuses a conversation instead of cutting it', async () => {
  using folder = new Folder();
  const record = { ...fc.sample(arbitraryRecord, { numRuns: 1, seed: 1 })[0]!, turns: [{ role: 'user' as const, text: 'before' }] };
  for (const target of ['dolly', 'alpaca'] as const) await assert.rejects(WRITERS[target].write(folder.join('x'), [record]), /found a conversation/);
});

test('cells that a spreadsheet would take for a formula are quoted, and come back as they were', async () => {
  using folder = new Folder();
  const record: DatasetRecord = { instruction: '=HYPERLINK("http://x")', context: '@a', response: '\t-1', category: '+x', provenance: { record: PROVENANCE } };
  await WRITERS.csv.write(folder.join('a.csv'), [record, { ...record, instruction: "'=already" }]);
  const text = readFileSync(folder.join('a.csv'), 'utf8');
  assert.ok(text.split('\r\n')[1]!.startsWith(`"'=HYPERLINK(""http://x"")",'@a,'\t-1,'+x,`), text);
  assert.deepEqual((await read(folder.join('a.csv'))).map(({ instruction }) => instruction), [record.instruction, "'=already"]);
});
