/**
 * A dataset with its findings recorded: every record says in `checks` what was found and what was waived, and fixes that were asked for are made. A
 * record that was fixed names the one it was made from as its parent, and `fixes.jsonl` has the text that was there: the raw text is
 * kept. What comes out is imported, not sealed.
 */
import { join } from 'node:path';
import { canonicalJson } from '../artefacts/canonical.ts';
import { DATASET_SCHEMA, readDataset, readManifest, Tally, type DatasetFile, type DatasetManifest } from '../artefacts/dataset.ts';
import type { CheckResult, DatasetRecord } from '../artefacts/record-schema.ts';
import { writeManifest } from '../artefacts/seal.ts';
import { InputError } from '../errors.ts';
import { createFolderAtomic } from '../formats/atomic.ts';
import { LineWriter } from '../formats/line-writer.ts';
import { printable } from '../formats/printable.ts';
import type { Finding } from './check.ts';
import type { Fix } from './checks/check.ts';
import { recordHash } from './seal.ts';

const FIXES = 'fixes.jsonl';
/** Checks whose fixes can be made without a person's judgement. */
export const FIXABLE = ['citation-marks', 'encoding'] as const;
/** Version of all checks together, in the entry that says that a record was checked. */
const ALL = { check: 'all', version: '1' } as const;
const MOST_PLACES = 20;

export interface Written {
  readonly manifest: DatasetManifest;
  /** Records that were changed. */
  readonly fixed: number;
}

/** Writes into `out`, which must be empty or new. Throws InputError; then nothing is left. */
export async function writeChecked(dataset: string, findings: readonly Finding[], out: string, fix: readonly string[] = []): Promise<Written> {
  const before = readManifest(dataset);
  const unknown = fix.find((name) => !(FIXABLE as readonly string[]).includes(name));
  if (unknown !== undefined) throw new InputError({ expected: `fixes among ${FIXABLE.join(', ')}`, found: printable(unknown, 60), where: '--fix' });
  const byRecord = Map.groupBy(findings.filter(({ record }) => record), ({ record }) => `${record!.file}:${record!.line}`);
  const mends = (finding: Finding): boolean => fix.includes(finding.check) && finding.waived === undefined;
  return createFolderAtomic(out, async (folder) => {
    const tally = new Tally();
    const fixes = new LineWriter(join(folder, FIXES));
    let fixed = 0;
    const writers = [fixes];
    try {
      const files: DatasetFile[] = [];
      for (const file of before.files) {
        const writer = new LineWriter(join(folder, file.file));
        writers.push(writer);
        let lines = 0;
        for (const { line, record } of readDataset(dataset, file)) {
          const own = byRecord.get(`${file.file}:${line}`) ?? [];
          const made = fixRecord(record, own.filter(mends));
          const left = own.filter((finding) => !(made && finding.fix && mends(finding)));
          const checked = { ...(made?.record ?? record), checks: [...(record.checks ?? []).filter(({ check }) => check !== ALL.check && !own.some((finding) => finding.check === check)), ...resultsOf(left)] };
          if (made) {
            fixed++;
            fixes.write(`${JSON.stringify({ record: recordHash(checked), parent: recordHash(record), changes: made.changes })}\n`);
          }
          tally.add(checked, `${file.file}:${++lines}`);
          writer.write(`${canonicalJson(checked)}\n`);
        }
        files.push({ split: file.split, file: file.file, records: lines, ...writer.commit(), root: null });
      }
      fixes.commit();
      const { name, rejected, sources, split } = before;
      const manifest = writeManifest(folder, { schema: DATASET_SCHEMA, state: 'imported' as const, name, ...tally.summary(), rejected, root: null, files, sources, ...(split ? { split } : {}) });
      return { manifest, fixed };
    } catch (error) {
      for (const writer of writers) writer.abort();
      throw error;
    }
  });
}

/** What a record says of its checks: an entry for each finding, and one that all were made. */
function resultsOf(findings: readonly Finding[]): CheckResult[] {
  const open = findings.filter(({ waived }) => waived === undefined);
  const verdict = open.some((finding) => finding.verdict === 'block') ? 'block' : open.length > 0 ? 'warn' : 'ok';
  return [{ ...ALL, verdict }, ...findings.map(({ check, version, verdict: found, score, places, reason, waived }): CheckResult => ({
    check, version, verdict: found, ...(score === undefined ? {} : { score }), places: places.slice(0, MOST_PLACES).map(({ part, from, to }) => ({ part, from, to })), reason: printable(reason, 300), ...(waived === undefined ? {} : { waived }),
  }))];
}

interface Change {
  readonly part: string;
  readonly turn?: number;
  readonly from: number;
  readonly was: string;
  readonly is: string;
}

/** The record with its fixes made, and what they changed; undefined where there are none, or where nothing would be left of a part. */
export function fixRecord(record: DatasetRecord, findings: readonly Pick<Finding, 'fix'>[]): { readonly record: DatasetRecord; readonly changes: readonly Change[] } | undefined {
  // Answers to choose from must go on holding the response: such a record is left to a person.
  const fixes = record.choices ? [] : findings.flatMap(({ fix = [] }) => fix);
  if (fixes.length === 0) return undefined;
  const changes: Change[] = [];
  const mend = (text: string, own: readonly Fix[]): string => {
    let mended = text;
    // From the end, so that places before stay where they are; of two that overlap the later one is made.
    let end = text.length;
    for (const { part, turn, from, to, text: is } of own.toSorted((a, b) => b.from - a.from)) {
      if (to > end) continue;
      changes.push({ part, ...(turn === undefined ? {} : { turn }), from, was: mended.slice(from, to), is });
      mended = mended.slice(0, from) + is + mended.slice(to);
      end = from;
    }
    return mended;
  };
  const { turns, ...rest } = record;
  const texts = Object.fromEntries((['instruction', 'context', 'response', 'rejected'] as const).flatMap((part) => {
    const own = fixes.filter((fix) => fix.part === part);
    return own.length > 0 ? [[part, mend(record[part] ?? '', own)]] : [];
  }));
  const said = turns?.map(({ role, text }, i) => ({ role, text: mend(text, fixes.filter((fix) => fix.part === 'turns' && fix.turn === i)) }));
  const changed: DatasetRecord = { ...rest, ...texts, ...(said ? { turns: said } : {}), provenance: { ...record.provenance, record: { ...record.provenance.record, parents: [recordHash(record)] } } };
  const blank = [changed.instruction, changed.response, ...(changed.rejected === undefined ? [] : [changed.rejected]), ...(said ?? []).map(({ text }) => text)].some((text) => text.trim() === '');
  if (blank) return undefined;
  return { record: changed, changes };
}
