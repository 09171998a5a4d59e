/**
 * `npm run proof:import -- [--records 1000000] [--form dolly|alpaca|csv|parquet]`: a file of so many records is made, imported and sealed,
 * each in a process of its own: seconds and peak memory. The bar is 1 GB.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../src/artefacts/random.ts';
import type { DatasetRecord } from '../src/artefacts/record-schema.ts';
import { WRITERS, type Target } from '../src/dataset/write-forms.ts';
import { machine } from './measure.ts';
import { figures, roslin } from './watched.ts';

const { values } = parseArgs({ options: { records: { type: 'string', default: '1000000' }, form: { type: 'string', default: 'dolly' } } });
const [count, form] = [Number(values.records), values.form as Target];
const folder = mkdtempSync(join(tmpdir(), 'roslin-import-'));

const WORDS = 'otter heron carp newt wren eel mole toad river water stone reed night spring feather bank current hollow alder kingfisher'.split(' ');

/** Records of about the length of Dolly's: 60, 120 and 350 characters, a third of them with a context. */
function* make(): Generator<DatasetRecord> {
  const random = new Random(11);
  const text = (words: number) => Array.from({ length: 1 + Math.floor(random.next() * 2 * words) }, () => WORDS[Math.floor(random.next() * WORDS.length)]).join(' ');
  for (let i = 0; i < count; i++) {
    yield { instruction: `${i}: ${text(10)}?`, context: i % 3 === 0 ? text(60) : '', response: text(55), category: i % 2 === 0 ? 'open_qa' : 'closed_qa', provenance: { record: { origin: 'unknown', licence: 'unknown' } } };
  }
}

try {
  const file = join(folder, `made.${{ dolly: 'jsonl', alpaca: 'json', csv: 'csv', parquet: 'parquet' }[form as string] ?? 'jsonl'}`);
  await WRITERS[form].write(file, make());
  const imported = roslin('dataset', 'import', file, '--licence', 'unknown', '--origin', 'unknown', '--out', join(folder, 'imported'));
  const sealed = roslin('dataset', 'seal', join(folder, 'imported'), '--out', join(folder, 'sealed'));
  const report = {
    ...machine(), load: loadavg()[0], date: new Date().toISOString(), form, records: imported.result['records'], rejected: imported.result['rejected'], bytes: statSync(file).size, import: figures(imported), seal: figures(sealed),
    within_1_gb: imported.memory < 1e9,
  };
  writeFileSync(`bench/results/import-${form}.json`, `${JSON.stringify(report, null, 2)}\n`);
  console.log(JSON.stringify(report, null, 2));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
