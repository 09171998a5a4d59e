/**
 * Draws an `Inspection` for a terminal: figures, a table by category, a histogram of lengths, and rows with trained
 * tokens marked. People's text is shown, never obeyed: control characters are made visible, so no record can move the
 * cursor, colour the screen or reorder it. A function from value to text; the command itself is wired elsewhere.
 */
import type { Inspection, LengthBucket, PreviewRow, PreviewRun } from '../dataset/inspect.ts';

export interface RenderOptions {
  /** ANSI colours; without them trained text stands between ⟦ and ⟧. */
  readonly color: boolean;
}

const BAR_WIDTH = 36;
const SHOWN_ROWS = 8;
/** Characters that the preview shows of the beginning and of the end of a run. */
const RUN_HEAD = 320;
const RUN_TAIL = 160;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** Text of several lines, ending in a newline. */
export function renderInspection(result: Inspection, { color }: RenderOptions): string {
  const paint = palette(color);
  const { tokens } = result;
  const left = result.records - result.examples;
  const blocks = [
    [
      paint.bold('Records'),
      ...table(
        [
          ['records', count(result.records), ''],
          ['examples', count(result.examples), left === 0 ? '' : `${count(left)} left out`],
          ['template', result.template.name, result.template.hash.slice(0, 12)],
        ],
        'lrl',
      ),
    ],
    [
      paint.bold('Tokens of an example'),
      ...table(
        [
          ['mean', 'median', 'p90', 'p99', 'longest', 'limit'],
          [tokens.mean.toFixed(1), ...[tokens.median, tokens.p90, tokens.p99, tokens.max, result.max_length].map(count)],
        ],
        'rrrrrr',
      ),
      '',
      ...bars(result.histogram).map((line) => `  ${line}`),
    ],
    [
      paint.bold('What is trained'),
      ...table(
        [
          ['tokens', count(tokens.total), ''],
          ['trained', count(tokens.trained), percent(tokens.label_share)],
          ['useful if padded', percent(result.padded_useful_share), 'in random batches of 8, for comparison'],
        ],
        'lrl',
      ),
    ],
    [
      paint.bold('By category'),
      ...table(
        [
          ['category', 'examples', 'mean tokens', 'trained'],
          ...result.categories.map((row) => [
            visible(row.category).slice(0, 40),
            count(row.examples),
            row.mean_tokens.toFixed(0),
            percent(row.label_share),
          ]),
        ],
        'lrrr',
      ),
    ],
    overlong('Left out: too long', result.dropped),
    overlong('Context cut to fit', result.cut),
    ...(result.preview.length === 0
      ? []
      : [
          [`${paint.bold('Preview')}  ${paint.run('trained', true, false)}  ${paint.run('ignored', false, false)}`],
          ...result.preview.map((row) => preview(row, paint)),
        ]),
  ];
  return `${blocks.filter((block) => block.length > 0).map((block) => block.join('\n')).join('\n\n')}\n`;
}

interface Palette {
  bold(text: string): string;
  /** Trained green, ignored dim, special tokens bold. */
  run(text: string, trained: boolean, special: boolean): string;
}

function palette(color: boolean): Palette {
  const style = (codes: string, text: string): string => (text === '' ? '' : `\u001b[${codes}m${text}\u001b[0m`);
  if (!color) return { bold: (text) => text, run: (text, trained) => (trained && text !== '' ? `⟦${text}⟧` : text) };
  return {
    bold: (text) => style('1', text),
    run: (text, trained, special) => style((special ? '1;' : '') + (trained ? '32' : '2'), text),
  };
}

/** Columns as wide as their widest cell; `sides` has one letter a column, l or r. */
function table(rows: readonly (readonly string[])[], sides: string): string[] {
  const widths = [...sides].map((_, column) => Math.max(...rows.map((row) => width(row[column] ?? ''))));
  return rows.map((row) => {
    const cells = [...sides].map((side, column) => {
      const cell = row[column] ?? '';
      const space = ' '.repeat((widths[column] as number) - width(cell));
      return side === 'r' ? space + cell : cell + space;
    });
    return `  ${cells.join('  ')}`.trimEnd();
  });
}

function bars(buckets: readonly LengthBucket[]): string[] {
  const most = Math.max(...buckets.map((bucket) => bucket.examples));
  const rows = buckets.map((bucket) => {
    const eighths = Math.round((bucket.examples / most) * BAR_WIDTH * 8);
    const least = bucket.examples > 0 ? 1 : 0;
    const shown = Math.max(eighths, least);
    return [`≤ ${count(bucket.up_to)}`, count(bucket.examples), '█'.repeat(shown >> 3) + (EIGHTHS[shown & 7] as string)];
  });
  return table(rows, 'rrl').map((line) => line.slice(2));
}

function overlong(title: string, rows: Inspection['dropped']): string[] {
  if (rows.length === 0) return [];
  const shown = rows.slice(0, SHOWN_ROWS).map((row) => `line ${row.line} (${count(row.tokens)} tokens)`);
  const more = rows.length > SHOWN_ROWS ? ` and ${count(rows.length - SHOWN_ROWS)} more` : '';
  return [`${title}: ${count(rows.length)}`, `  ${shown.join(', ')}${more}`];
}

function preview(row: PreviewRow, paint: Palette): string[] {
  const head = `line ${row.line} · ${visible(row.category).slice(0, 40)} · ${count(row.tokens)} tokens, ${count(row.trained_tokens)} trained`;
  const body = row.runs.map((run) => paintRun(run, paint)).join('');
  return [paint.bold(head), ...body.split('\n').map((line) => `  ${line}`)];
}

/** Colour is closed at every line end, so that a pager showing lines apart shows them right. */
function paintRun(run: PreviewRun, paint: Palette): string {
  const characters = [...run.text];
  const hidden = characters.length - RUN_HEAD - RUN_TAIL;
  const text =
    hidden <= 0
      ? run.text
      : `${characters.slice(0, RUN_HEAD).join('')} … ${count(hidden)} more characters … ${characters.slice(-RUN_TAIL).join('')}`;
  const lines = text.split(/\r?\n/).map(visible);
  return lines
    .map((line, i) => paint.run(i < lines.length - 1 ? `${line}⏎` : line, run.trained, run.special))
    .join('\n');
}

/**
 * Text on one line without anything a terminal acts on: control characters as their Unicode pictures, direction marks
 * and other invisible ones by code point.
 */
function visible(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u001f]/g, (character) => String.fromCharCode(0x2400 + character.charCodeAt(0)))
    .replace(/\u007f/g, '\u2421')
    .replace(/[\u0080-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g, (character) => {
      return `<U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}>`;
    });
}

function width(text: string): number {
  return [...text].length;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
