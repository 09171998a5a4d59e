/** A page of records as the trainer sees them, in one file: trained, ignored and special tokens in their own colours. */
import { htmlPage, shown } from './html.ts';
import type { Inspection, PreviewRow, PreviewRun } from './inspect.ts';

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; --trained: #d7f5dd; --special: #ffe3b3; --text: #1a1a1a; --muted: #666; --page: #fff; --line: #ddd }
@media (prefers-color-scheme: dark) { :root { --trained: #14432a; --special: #5a3d00; --text: #eee; --muted: #aaa; --page: #161616; --line: #333 } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: var(--text); background: var(--page) }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .2rem .8rem .2rem 0; text-align: left; border-bottom: 1px solid var(--line) } td.n, th.n { text-align: right }
article { border: 1px solid var(--line); border-radius: 6px; margin: 1rem 0; padding: .8rem 1rem } article h2 { font-size: .9rem; font-weight: 600; margin: 0 0 .5rem; color: var(--muted) }
.tokens { white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.6 ui-monospace, monospace }
.ignored { color: var(--muted) } .trained { background: var(--trained); border-bottom: 2px solid #2e9e56 } .special { background: var(--special); font-weight: 600; border-radius: 3px } .special.trained { border-bottom: 2px solid #2e9e56 }
.unseen { opacity: .7; border: 1px dotted currentColor; border-radius: 2px; font-size: .8em }
`;

const kind = ({ trained, special }: PreviewRun): string => `${special ? 'special ' : ''}${trained ? 'trained' : 'ignored'}`;

const article = (row: PreviewRow): string => `<article>
<h2>line ${row.line} · ${shown(row.category)} · ${row.tokens} tokens, ${row.trained_tokens} trained</h2>
<div class="tokens">${row.runs.map((run) => `<span class="${kind(run)}" title="${run.tokens} ${run.tokens === 1 ? 'token' : 'tokens'}, ${kind(run)}">${shown(run.text)}</span>`).join('')}</div>
</article>`;

/** One self-contained HTML file. */
export function inspectionPage(result: Inspection, title: string): string {
  const row = (cells: readonly string[]) => `<tr>${cells.map((cell, i) => `<td${i > 0 ? ' class="n"' : ''}>${shown(cell)}</td>`).join('')}</tr>`;
  const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
  return htmlPage(title, STYLE, `<h1>${shown(title)}</h1>
<p>${result.records} records, ${result.examples} of them fit into ${result.max_length} tokens with template ${shown(result.template.name)}. ${percent(result.tokens.label_share)} of ${result.tokens.total} tokens are trained.</p>
<p><span class="trained">trained</span> the model learns to write this · <span class="ignored">ignored</span> it reads this · <span class="special">special</span> tokens of the template, which no text can become</p>
<table><thead><tr><th>category</th><th class="n">examples</th><th class="n">mean tokens</th><th class="n">trained</th></tr></thead>
<tbody>${result.categories.map((c) => row([c.category, String(c.examples), c.mean_tokens.toFixed(0), percent(c.label_share)])).join('\n')}</tbody></table>
${result.preview.map(article).join('\n')}`);
}
