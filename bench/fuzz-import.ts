/** `npm run proof:fuzz-import -- [--count 200000] [--seed 1]`: spoilt files over all importers; every refusal names a line, nothing crashes or hangs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../src/artefacts/random.ts';
import { attempt, seeds, spoiltFile } from '../tests/dataset/fuzz-import.ts';
import { machine } from './measure.ts';

const { values } = parseArgs({ options: { count: { type: 'string', default: '200000' }, seed: { type: 'string', default: '1' } } });
const [count, seed] = [Number(values.count), Number(values.seed)];
/** An input that takes longer hangs. */
const LONGEST_SECONDS = 10;

const folder = mkdtempSync(join(tmpdir(), 'roslin-fuzz-'));
try {
  const files = await seeds(folder);
  const random = new Random(seed);
  const totals = { records: 0, rejects: 0, refused: 0, slowest_seconds: 0 };
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    const file = files[i % files.length]!;
    const { name } = file;
    const spoilt = spoiltFile(file, random);
    const began = performance.now();
    const timer = setTimeout(() => {
      throw new Error(`input ${i} (${name}) hangs: ${spoilt.toString('base64')}`);
    }, 1000 * LONGEST_SECONDS);
    try {
      const { records, rejects, refused } = await attempt(folder, name, spoilt);
      totals.records += records;
      totals.rejects += rejects;
      if (refused) totals.refused++;
    } catch (error) {
      throw new Error(`input ${i} (${name}): ${spoilt.toString('base64')}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
    totals.slowest_seconds = Math.max(totals.slowest_seconds, (performance.now() - began) / 1000);
    if ((i + 1) % 10_000 === 0) console.error(`${i + 1} of ${count}: ${JSON.stringify(totals)}`);
  }
  const report = { ...machine(), date: new Date().toISOString(), inputs: count, seed, ...totals, seconds: (performance.now() - started) / 1000, memory: process.resourceUsage().maxRSS * 1024 };
  writeFileSync('bench/results/fuzz-import.json', `${JSON.stringify(report, null, 2)}\n`);
  console.log(JSON.stringify(report, null, 2));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
