/**
 * `npm start | node recipes/wordnet/picture.ts --from STEP > docs/start.svg` with FORCE_COLOR=1: what a terminal shows, as a picture for the README. Knows
 * the few colour codes that src/cli/terminal.ts writes.
 */
import { parseArgs } from 'node:util';

const STYLES: Readonly<Record<string, string>> = { 1: 'font-weight="bold"', 2: 'opacity="0.6"', 31: 'fill="#ff7b72"', 32: 'fill="#7ee787"', 33: 'fill="#e3b341"', 34: 'fill="#79c0ff"', 36: 'fill="#76e3ea"' };
const [SIZE, ADVANCE, LINE, MARGIN] = [14, 8.43, 20, 16];

const { values: { from, columns } } = parseArgs({ options: { from: { type: 'string', default: '' }, columns: { type: 'string', default: '118' } } });
let text = '';
for await (const piece of process.stdin.setEncoding('utf8')) text += String(piece);
/** Spaces that stay: viewers differ in how to ask for that. */
const escape = (part: string) => part.replace(/[&<> ]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', ' ': '\u00a0' })[c]!);

/** A line as spans: a code holds until the one that ends it. */
function spans(line: string): string {
  let style = '';
  return line.split(/(\u001b\[\d+m)/).map((part) => {
    const code = /^\u001b\[(\d+)m$/.exec(part)?.[1];
    if (code === undefined) return style && part ? `<tspan ${style}>${escape(part)}</tspan>` : escape(part);
    style = STYLES[code] ?? '';
    return '';
  }).join('');
}

const lines = text.replace(/\r/g, '').trimEnd().split('\n');
const first = Math.max(0, lines.findIndex((line) => line.includes(from)));
const shown = lines.slice(first);
const [width, height] = [Number(columns) * ADVANCE + 2 * MARGIN, shown.length * LINE + 2 * MARGIN];
process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${SIZE}" fill="#e6edf3">
${shown.map((line, i) => `<text x="${MARGIN}" y="${MARGIN + (i + 0.75) * LINE}">${spans(line)}</text>`).join('\n')}
</g>
</svg>
`);
