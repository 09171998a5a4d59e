/**
 * `npm run proof:checks -- [--sample 20 [--check name]]`: all of Dolly is imported and checked, each in a process of its own: seconds and memory, and what each
 * check finds. The bars are 30 s and 1 GB for both together. Once more against the evaluation sets, for what leaks into them. `--sample` shows as many findings of each check, chosen by hash, with the
 * texts around, for a person to judge; what a person found right is kept in the report by hand (`looked_at`, `right`), and stays as long as
 * the check finds as much as it did.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CheckReport, Finding } from '../src/dataset/check.ts';
import { machine } from './measure.ts';
import { figures, roslin } from './watched.ts';

const FILE = 'bench/results/checks.json';
const { values } = parseArgs({ options: { data: { type: 'string', default: '../shared/data' }, sample: { type: 'string', default: '0' }, check: { type: 'string' } } });
const dolly = readdirSync(join(values.data, 'dolly')).filter((name) => name.endsWith('.jsonl')).sort().map((name) => join(values.data, 'dolly', name));
const evaluation = readdirSync(join(values.data, 'eval')).filter((name) => name.endsWith('.jsonl')).sort().map((name) => join(values.data, 'eval', name));

interface Reviewed {
  readonly check: string;
  readonly findings: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly looked_at?: number;
  readonly right?: number;
}

type Checked = CheckReport & { readonly findings: readonly Finding[] };
const reviewed = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as { checks: Reviewed[] }).checks : [];
const verdictOn = (check: string, findings: number) => {
  const { looked_at, right } = reviewed.find((before) => before.check === check && before.findings === findings) ?? {};
  return looked_at === undefined || right === undefined ? {} : { looked_at, right };
};

const folder = mkdtempSync(join(tmpdir(), 'roslin-checks-'));
try {
  const load = loadavg()[0]!;
  const out = join(folder, 'dolly');
  const imported = roslin('dataset', 'import', ...dolly, '--licence', 'CC-BY-SA-3.0', '--origin', 'human', '--out', out);
  const checked = roslin('dataset', 'check', out, '--html', join(folder, 'report.html'));
  const report = checked.result as unknown as Checked;
  const against = roslin('dataset', 'check', out, '--only', 'leaks', '--against', ...evaluation);
  const leaks = (against.result as unknown as Checked).checks[0]!;
  const seconds = imported.seconds + checked.seconds;
  const written = {
    ...machine(), load_before: load, date: new Date().toISOString(), records: report.records, rejected: report.rejected, import: figures(imported), check: figures(checked), both_seconds: seconds, both_cpu_seconds: imported.cpu_seconds + checked.cpu_seconds,
    within_30_s: seconds <= 30, within_1_gb: Math.max(imported.memory, checked.memory) <= 1e9,
    checks: report.checks.map(({ name, findings, kinds }): Reviewed => ({ check: name, findings, kinds, ...verdictOn(name, findings) })),
    against_evaluation_sets: { texts: (against.result as unknown as Checked).evaluation_texts, ...figures(against), findings: leaks.findings, kinds: leaks.kinds },
  };
  writeFileSync(FILE, `${JSON.stringify(written, null, 2)}\n`);
  console.log(JSON.stringify(written, null, 2));
  if (Number(values.sample) > 0) show([...report.findings, ...(against.result as unknown as Checked).findings], out);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Findings of each check in the order of a hash: the same each time. */
function show(findings: readonly Finding[], dataset: string): void {
  const lines = readFileSync(join(dataset, 'records.jsonl'), 'utf8').split('\n');
  const key = ({ check, kind, record }: Finding) => createHash('sha256').update(`${check} ${kind} ${record?.hash}`).digest('hex');
  for (const [check, own] of Map.groupBy(findings, (finding) => finding.check)) {
    if (values.check !== undefined && values.check !== check) continue;
    for (const finding of own.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)).slice(0, Number(values.sample))) {
      const text = (line: number | undefined) => (line === undefined ? undefined : JSON.parse(lines[line - 1]!) as Record<string, unknown>);
      const brief = (record: Record<string, unknown> | undefined) => record && Object.fromEntries(['category', 'instruction', 'context', 'response'].map((part) => [part, String(record[part]).slice(0, 600)]));
      console.log(JSON.stringify({ check, kind: finding.kind, reason: finding.reason, excerpt: finding.excerpt, record: brief(text(finding.record?.line)), other: finding.other?.file === 'records.jsonl' ? brief(text(finding.other.line)) : finding.other }, null, 1));
    }
  }
}
