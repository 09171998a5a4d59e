/** A licence verdict for a terminal: what may be done, what is owed, what blocks, each with the clause that it rests on. */
import { NOT_ADVICE, type Finding, type LicenceVerdict } from '../licence/verdict.ts';
import { painter, sanitise } from './terminal.ts';

export function renderVerdict(verdict: LicenceVerdict): string {
  const paint = painter(process.stdout);
  const { redistribution: { allowed, under } } = verdict;
  const colour = verdict.verdict === 'tainted' ? 'red' : verdict.verdict === 'clear' ? 'green' : 'yellow';
  const may = !allowed ? 'no' : under === null ? 'yes, under any licence that keeps what is owed' : under.length > 0 ? `yes, together under ${under.join(' or ')}` : 'yes, each part under its own licence; no one licence takes all of them';
  const section = (title: string, findings: readonly Finding[]) => (findings.length === 0 ? [] : ['', paint('bold', title), ...lines(findings)]);
  return [
    `${paint('bold', 'verdict')}  ${paint(colour, verdict.verdict)}`,
    ...verdict.reasons.map((reason) => `  ${sanitise(reason)}`),
    `${paint('bold', 'may be passed on')}  ${may}`,
    ...section('Owed by whoever passes it on', verdict.owed), ...section('Share-alike, for changed versions of the data', verdict.share_alike),
    ...section('Limits of use', verdict.limits), ...section('Blocks commercial use, or leaves it open', verdict.blocks), '', NOT_ADVICE,
  ].join('\n');
}

function lines(findings: readonly Finding[]): string[] {
  return findings.map(({ part, licence, says, clause, records, first }) => {
    const where = records === undefined ? '' : `; ${records} ${records === 1 ? 'record' : 'records'}${first?.length ? `, first ${first.join(', ')}` : ''}`;
    return `  ${sanitise(part)}, ${sanitise(licence)}: ${sanitise(says)} (${sanitise(clause)})${where}`;
  });
}
