/**
 * The report of a check as a page in one file: what was found, charts, and examples. Charts are plain SVG with a text for those
 * who do not see them.
 */
import type { CheckReport, CheckSummary, Finding } from './check.ts';
import type { LengthBucket } from './checks/balance.ts';
import { htmlPage, shown } from './html.ts';

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; --text: #1a1a1a; --muted: #5f5f5f; --page: #fff; --line: #ddd; --bar: #3a6ea5; --block: #b3261e; --warn: #8a5a00; --ok: #1f7a3d; --mark: #ffe3b3 }
@media (prefers-color-scheme: dark) { :root { --text: #eee; --muted: #aaa; --page: #161616; --line: #333; --bar: #6fa3d8; --block: #ff8a80; --warn: #ffc46b; --ok: #7bd89a; --mark: #5a3d00 } }
body { margin: 2rem auto; max-width: 64rem; padding: 0 1rem; color: var(--text); background: var(--page) } h2 { margin-top: 2.2rem } h3 { margin: 1.6rem 0 .4rem }
table { border-collapse: collapse; width: 100% } th, td { padding: .3rem .8rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top } td.n, th.n { text-align: right; white-space: nowrap }
.block { color: var(--block) } .warn { color: var(--warn) } .ok { color: var(--ok) } .muted { color: var(--muted) } .verdict { font-weight: 600 }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 1.5rem } figure { margin: 0 } figcaption { font-weight: 600; margin-bottom: .3rem } svg { width: 100%; height: auto; overflow: visible } svg rect { fill: var(--bar) } svg text { fill: var(--text); font-size: 11px }
blockquote { margin: .5rem 0; padding: .4rem .8rem; border-left: 3px solid var(--line); white-space: pre-wrap; overflow-wrap: anywhere; font-size: .93rem } mark { background: var(--mark); color: inherit } .where { font-size: .85rem; color: var(--muted) } .unseen { opacity: .7; border: 1px dotted currentColor; font-size: .8em }
`;

/** Examples of one kind. */
const EXAMPLES = 5;

const count = (n: number): string => n.toLocaleString('en-US');
const times = (n: number, one: string): string => `${count(n)} ${one}${n === 1 ? '' : 's'}`;

export const stateOf = ({ blocking, findings }: CheckSummary): 'block' | 'warn' | 'ok' => (blocking > 0 ? 'block' : findings > 0 ? 'warn' : 'ok');
const WORDS = { block: 'must not go on', warn: 'to look at', ok: 'nothing found' } as const;

/** Horizontal bars with names. */
function bars(title: string, rows: readonly (readonly [name: string, value: number])[]): string {
  const most = Math.max(1, ...rows.map(([, value]) => value));
  const body = rows.map(([name, value], i) => {
    const y = 18 * i;
    const label = name.length > 22 ? `${Array.from(name).slice(0, 21).join('')}…` : name;
    return `<text x="146" y="${y + 12}" text-anchor="end">${shown(label)}</text><rect x="152" y="${y + 2}" width="${((150 * value) / most).toFixed(1)}" height="13"/><text x="${(156 + (150 * value) / most).toFixed(1)}" y="${y + 12}">${count(value)}</text>`;
  });
  return `<figure><figcaption>${shown(title)}</figcaption><svg viewBox="0 0 350 ${18 * rows.length}" role="img" aria-label="${shown(`${title}: ${rows.map(([name, value]) => `${name} ${value}`).join(', ')}`).replace(/<[^>]*>/g, '')}">${body.join('')}</svg></figure>`;
}

const lengths = (title: string, buckets: readonly LengthBucket[]): string => bars(title, buckets.map(({ upTo, records }, i) => [i === 0 ? `up to ${count(upTo)}` : `${count(upTo / 2 + 1)} to ${count(upTo)}`, records]));

function example({ record, other, excerpt, reason, waived }: Finding): string {
  const where = [record ? `${record.file}:${record.line}` : '', other ? `like ${other.file}:${other.line}` : '', record ? record.hash.slice(0, 12) : ''].filter((part) => part !== '').join(' · ');
  const text = excerpt ? `<blockquote>${shown(excerpt.before)}<mark>${shown(excerpt.match)}</mark>${shown(excerpt.after)}</blockquote>` : '';
  return `<div class="where">${shown(where)}</div><div>${shown(reason)}${waived === undefined ? '' : ` <span class="muted">let pass: ${shown(waived)}</span>`}</div>${text}`;
}

function section(check: CheckSummary, findings: readonly Finding[]): string {
  if (findings.length === 0) return '';
  const kinds = [...Map.groupBy(findings, ({ kind }) => kind)].sort(([, a], [, b]) => b.length - a.length);
  const body = kinds.map(([kind, own]) => `<details${kinds.length === 1 ? ' open' : ''}><summary>${shown(kind)} <span class="muted">${count(own.length)}</span></summary>${own.slice(0, EXAMPLES).map(example).join('')}</details>`);
  return `<h3 id="${shown(check.name)}">${shown(check.title)} <span class="muted">${shown(check.name)}, version ${shown(check.version)}</span></h3>${body.join('')}`;
}

/** One self-contained HTML file. Findings are those that were yielded; of each kind the first few are shown. */
export function checkPage(report: CheckReport, findings: readonly Finding[]): string {
  const byCheck = Map.groupBy(findings, ({ check }) => check);
  const { distribution, checks } = report;
  const rows = checks.map((check) => `<tr><td><a href="#${shown(check.name)}">${shown(check.title)}</a></td><td class="${stateOf(check)}">${check.findings === 0 && check.waived > 0 ? 'let pass' : WORDS[stateOf(check)]}</td><td class="n">${count(check.records)}</td><td class="n">${count(check.findings)}</td><td class="n">${count(check.waived)}</td><td>${shown(Object.entries(check.kinds).slice(0, 6).map(([kind, n]) => `${kind} ${count(n)}`).join(', '))}</td></tr>`);
  const languages = Object.entries(distribution.languages).slice(0, 12);
  return htmlPage(`${report.data}: checks`, STYLE, `<h1>${shown(report.data)}</h1>
<p><span class="verdict ${report.verdict}">${WORDS[report.verdict]}</span> · ${times(report.records, 'record')}${report.rejected > 0 ? `, ${count(report.rejected)} that cannot be read` : ''}${report.evaluation_texts > 0 ? `, held against ${times(report.evaluation_texts, 'evaluation text')}` : ''}${report.root === null ? '' : ` · root ${report.root}`}</p>
<table><thead><tr><th>check</th><th></th><th class="n">records</th><th class="n">findings</th><th class="n">let pass</th><th>kinds</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table>
<p class="muted">A finding is a reason to look, not a proof. What each check looks for, why its threshold is so, and what it misses is in docs/checks.md. Thresholds here: ${shown(Object.entries(report.options).map(([name, value]) => `${name} ${value}`).join(', '))}.</p>
<h2>What is in it</h2>
<div class="charts">
${bars('Categories', Object.entries(distribution.categories).slice(0, 20))}
${languages.length > 1 ? bars('Languages', languages) : ''}
${lengths('Instruction, characters', distribution.lengths.instruction)}
${lengths('Context, characters, where there is one', distribution.lengths.context)}
${lengths('Response, characters', distribution.lengths.response)}
</div>
<h2>What was found</h2>
${checks.map((check) => section(check, byCheck.get(check.name) ?? [])).join('\n')}`);
}
