/** `roslin dataset check`: what a person should look at in a dataset, in the terminal, as JSON and as a page. */
import { Command, Option } from 'commander';
import { CHECKS, checkDataset, type CheckReport, type CheckSummary, type Finding } from '../dataset/check.ts';
import { checkPage, stateOf } from '../dataset/check-page.ts';
import { FIXABLE, writeChecked } from '../dataset/check-write.ts';
import { CHECK_DEFAULTS } from '../dataset/checks/check.ts';
import { parseWaiver, readWaivers, type Waiver } from '../dataset/waivers.ts';
import { isDataset } from '../artefacts/dataset.ts';
import { UsageError } from '../errors.ts';
import { writeFileAtomic } from '../formats/atomic.ts';
import { Progress } from './progress.ts';
import { resolve } from './resolve.ts';
import { count, note, painter, print, printJson, sanitise, truncate, type Paint, type Style } from './terminal.ts';
import { share, wholeNumber } from './train-options.ts';

interface Flags {
  readonly against?: readonly string[];
  readonly only?: readonly string[];
  readonly waive?: readonly Waiver[];
  readonly waivers?: string;
  readonly language?: string;
  readonly similarity: number;
  readonly passageUses: number;
  readonly copiedWords: number;
  readonly leakShare: number;
  readonly categoryShare: number;
  readonly examples: number;
  readonly html?: string;
  readonly out?: string;
  readonly fix?: readonly string[];
  readonly failOn?: 'block' | 'warn';
  readonly offline?: boolean;
  readonly json?: boolean;
}

const list = (text: string): readonly string[] => text.split(',').map((name) => name.trim());

function waiveFlag(text: string, before: readonly Waiver[] = []): readonly Waiver[] {
  return [...before, parseWaiver(text)];
}

export function checkCommand(): Command {
  return new Command('check')
    .description('duplicates, leaks, personal data, keys, marks, damage, lengths: what to look at before a model learns it')
    .argument('<data>', 'a dataset, a file of records or a hub id')
    .option('--against <files...>', 'evaluation sets that must not be in it')
    .option('--only <checks>', `some of ${CHECKS.map(({ name }) => name).join(', ')}`, list)
    .option('--waive <check=reason>', 'let findings pass: check=reason, check/kind=reason or check/kind@hash=reason; may be repeated', waiveFlag)
    .option('--waivers <file>', 'the same as JSON lines with check, kind, record, reason')
    .option('--language <tag>', 'of records that do not say it (default: the most frequent)')
    .option('--similarity <share>', 'from which texts are nearly the same', share, CHECK_DEFAULTS.similarity)
    .option('--passage-uses <n>', 'records that may share a passage', wholeNumber(1), CHECK_DEFAULTS.passageUses)
    .option('--copied-words <n>', 'words in a row that a summary may copy', wholeNumber(1), CHECK_DEFAULTS.copiedWords)
    .option('--leak-share <share>', 'of an evaluation text, from which it is held to be in a record', share, CHECK_DEFAULTS.leakShare)
    .option('--category-share <share>', 'below which a category is small', share, CHECK_DEFAULTS.categoryShare)
    .option('--examples <n>', 'findings to show of each check', wholeNumber(0), 2)
    .option('--html <file>', 'write the report as a page')
    .option('--out <folder>', 'write the dataset with its findings recorded; must be empty or new')
    .option('--fix <checks>', `mend in --out what needs no judgement: ${FIXABLE.join(', ')}`, list)
    .addOption(new Option('--fail-on <verdict>', 'exit with 1 from this verdict on').choices(['block', 'warn']))
    .option('--offline', 'use only what is already here')
    .option('--json', 'print one JSON object, with every finding')
    .action(check);
}

async function check(named: string, flags: Flags): Promise<void> {
  const { path: data } = await resolve(named, 'dataset', flags);
  if (flags.fix && flags.out === undefined) throw new UsageError({ expected: '--out with --fix', found: 'none', where: 'dataset check', remedy: 'The dataset itself is never changed.' });
  if (flags.out !== undefined && !isDataset(data)) throw new UsageError({ expected: 'a dataset, to write one with findings', found: 'a plain file', where: sanitise(data), remedy: 'Import it first: roslin dataset import.' });
  const { similarity, passageUses, copiedWords, leakShare, categoryShare, language } = flags;
  const waivers = [...(flags.waive ?? []), ...(flags.waivers === undefined ? [] : readWaivers(flags.waivers))];
  const run = checkDataset({ data, against: flags.against, only: flags.only, waivers, options: { similarity, passageUses, copiedWords, leakShare, categoryShare, language } });
  const findings: Finding[] = [];
  using progress = new Progress();
  let step = await run.next();
  for (; !step.done; step = await run.next()) {
    findings.push(step.value);
    if (findings.length % 100 === 0) progress.update(`${count(findings.length)} findings so far`);
  }
  progress.finish('');
  const report = step.value;
  if (flags.html !== undefined) writeFileAtomic(flags.html, checkPage(report, findings));
  const written = flags.out === undefined ? undefined : await writeChecked(data, findings, flags.out, flags.fix);
  if (flags.json) printJson({ ...report, findings, ...(written ? { out: flags.out, fixed: written.fixed } : {}) });
  else {
    print(renderCheck(report, findings, flags.examples, painter()));
    if (flags.html !== undefined) note(`${sanitise(flags.html)}: the report with charts and examples`);
    if (written) note(`${sanitise(flags.out!)}: ${count(written.manifest.records)} records with what was found, ${count(written.fixed)} of them mended. Next: roslin dataset seal ${sanitise(flags.out!)} --out …`);
  }
  if ((flags.failOn === 'block' && report.verdict === 'block') || (flags.failOn === 'warn' && report.verdict !== 'ok')) process.exitCode = 1;
}

const SIGNS: Readonly<Record<'block' | 'warn' | 'ok', readonly [sign: string, style: Style]>> = { block: ['✗', 'red'], warn: ['!', 'yellow'], ok: ['✓', 'green'] };
const BAR = 12;
const WIDTH = 110;

/** Text of several lines. People's text is shown, never obeyed. */
export function renderCheck(report: CheckReport, findings: readonly Finding[], examples: number, paint: Paint): string {
  const widest = Math.max(...report.checks.map(({ title }) => title.length));
  const most = Math.max(1, ...report.checks.map(({ records }) => records));
  const line = (check: CheckSummary) => {
    const [sign, style] = SIGNS[stateOf(check)];
    const bar = check.records === 0 ? '' : '█'.repeat(Math.max(1, Math.round((BAR * check.records) / most)));
    const kinds = Object.entries(check.kinds).slice(0, 4).map(([kind, n]) => `${kind} ${count(n)}`).join(', ') + (Object.keys(check.kinds).length > 4 ? ', …' : '');
    return `  ${paint(style, sign)} ${check.title.padEnd(widest)}  ${(check.records > 0 ? count(check.records) : check.findings > 0 ? count(check.findings) : '').padStart(7)}  ${paint(style, bar.padEnd(BAR))}  ${paint('dim', kinds)}${check.waived > 0 ? paint('dim', ` (${count(check.waived)} let pass)`) : ''}`;
  };
  const byCheck = Map.groupBy(findings.filter(({ waived }) => waived === undefined), ({ check }) => check);
  const shown = report.checks.flatMap((check) => {
    const own = spread(byCheck.get(check.name) ?? [], examples);
    return own.length === 0 ? [] : [`${paint('bold', check.title)}`, ...own.flatMap((finding) => exampleLines(finding, paint)), ''];
  });
  const head = `${paint('bold', sanitise(report.data))}: ${count(report.records)} records${report.rejected > 0 ? `, ${count(report.rejected)} that cannot be read` : ''}${report.evaluation_texts > 0 ? `, held against ${count(report.evaluation_texts)} evaluation texts` : ''}`;
  return [head, '', ...report.checks.map(line), '', ...shown, ...lastLines(report, findings)].join('\n').trimEnd();
}

/** Some of each kind in turn, so that the most frequent does not hide the others. */
function spread(findings: readonly Finding[], wanted: number): Finding[] {
  const kinds = [...Map.groupBy(findings, ({ kind }) => kind).values()];
  return Array.from({ length: wanted }, (_, round) => kinds.flatMap((own) => own[round] ?? [])).flat().slice(0, wanted);
}

function exampleLines({ record, other, reason, excerpt }: Finding, paint: Paint): string[] {
  const flat = (text: string) => sanitise(text).replaceAll('\n', '⏎').replaceAll('\t', ' ');
  const where = record ? `${record.file}:${record.line}` : '';
  const first = `  ${paint('cyan', sanitise(where))}${where === '' ? '' : '  '}${truncate(flat(reason), WIDTH)}${other ? paint('dim', `  (${sanitise(other.file)}:${other.line})`) : ''}`;
  if (!excerpt || excerpt.match === '') return [first];
  const [before, match] = [Array.from(flat(excerpt.before)).slice(-40).join(''), truncate(flat(excerpt.match), 60)];
  return [first, `      ${paint('dim', before)}${paint('yellow', match)}${paint('dim', truncate(flat(excerpt.after), 30))}`];
}

function lastLines({ checks, verdict, unused_waivers }: CheckReport, findings: readonly Finding[]): string[] {
  const lines: string[] = [];
  for (const { check, kind, record, reason } of unused_waivers) lines.push(`A waiver lets nothing pass: ${check}${kind === undefined ? '' : `/${kind}`}${record === undefined ? '' : `@${record}`}=${sanitise(reason)}`);
  const fixable = FIXABLE.filter((name) => findings.some((finding) => finding.check === name && finding.fix && finding.waived === undefined));
  if (fixable.length > 0) lines.push(`Can be mended, the raw text kept: --fix ${fixable.join(',')} --out FOLDER`);
  const blocking = checks.filter((check) => check.blocking > 0).map(({ title }) => title.toLowerCase());
  if (verdict === 'block') lines.push(`Must not go on as it is: ${blocking.join(', ')}. Remove the records, or let them pass with a reason: --waive CHECK=REASON`);
  return lines;
}
