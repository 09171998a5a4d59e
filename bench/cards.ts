/**
 * `npm run proof:cards -- [--python PYTHON] [--spdx-schema FILE]`: the card of a split dataset made from Dolly, held against MLCommons' reader of Croissant, SPDX's published
 * model, and SPDX's JSON Schema 3.0.1 (https://spdx.org/schema/3.0.1/spdx-json-schema.json) where a copy of it is given. Needs a Python with
 * tools/peer/cards.txt.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine } from './measure.ts';
import { roslin } from './watched.ts';

const { values } = parseArgs({ options: { data: { type: 'string', default: '../shared/data/dolly' }, python: { type: 'string', default: process.env['ROSLIN_PYTHON'] ?? 'python3' }, 'spdx-schema': { type: 'string' } } });
const files = readdirSync(values.data).filter((name) => name.endsWith('.jsonl')).sort().map((name) => join(values.data, name));
const folder = mkdtempSync(join(tmpdir(), 'roslin-cards-'));
try {
  const [imported, split] = [join(folder, 'imported'), join(folder, 'split')];
  const source = ['--source-title', 'databricks-dolly-15k', '--source-url', 'https://huggingface.co/datasets/databricks/databricks-dolly-15k', '--source-date', '2023-04'];
  roslin('dataset', 'import', files[0]!, '--licence', 'CC-BY-SA-3.0', '--origin', 'human', '--language', 'en', ...source, '--out', imported);
  roslin('dataset', 'split', imported, '--held-out', '5%', '--out', split);
  roslin('dataset', 'card', split, '--title', 'Dolly, a third of it', '--creator', 'Databricks, Inc.', '--url', 'https://huggingface.co/datasets/databricks/databricks-dolly-15k', '--release', '1.0.0', '--date', '2026-11-25');
  const { status, stdout, stderr } = spawnSync(values.python, ['tools/peer/cards.py', split, ...(values['spdx-schema'] === undefined ? [] : [values['spdx-schema']])], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(`The validators failed: ${stderr}`);
  const report = { ...machine(), date: new Date().toISOString(), ...(JSON.parse(stdout.trim().split('\n').at(-1)!) as object) };
  writeFileSync('bench/results/cards.json', `${JSON.stringify(report, null, 2)}\n`);
  console.log(JSON.stringify(report, null, 2));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
