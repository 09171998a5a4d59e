/**
 * Text for terminals: colours where they are wanted, foreign text made harmless, tables, and numbers as people read them.
 * Results go to standard output, everything else to standard error. Progress is in progress.ts, curves are in plot.ts.
 */

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan';

const CODES: Record<Style, readonly [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
};

/**
 * Whether to colour what is written to `stream`: NO_COLOR and FORCE_COLOR as their conventions say (set and not empty; for
 * FORCE_COLOR not 0), else only a terminal that is not "dumb".
 */
export function wantsColour(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  if (env['FORCE_COLOR']) return env['FORCE_COLOR'] !== '0' && env['FORCE_COLOR'] !== 'false';
  if (env['NO_COLOR']) return false;
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

export type Paint = (style: Style, text: string) => string;

/** A function that colours text meant for `stream`, or leaves it as it is. */
export function painter(stream: { isTTY?: boolean } = process.stdout, env: NodeJS.ProcessEnv = process.env): Paint {
  if (!wantsColour(stream, env)) return (_style, text) => text;
  return (style, text) => `\u001b[${CODES[style][0]}m${text}\u001b[${CODES[style][1]}m`;
}

// Escape sequences first and whole (CSI, OSC and the other strings, two-character ones), then what is left of control
// characters, and the marks that turn the reading direction around, which can make one text look like another.
const ESCAPES = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/gu;
const CONTROLS = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/gu;

/** Text from files, people or models made safe to print: no escape sequences, control characters (but newline and tab) or direction marks. */
export function sanitise(text: string): string {
  return text.replace(ESCAPES, '').replace(/\r\n?/g, '\n').replace(CONTROLS, '\ufffd').toWellFormed();
}

/** Columns that text takes in a terminal: wide East Asian characters and emoji two, combining marks none, colour codes none. */
export function width(text: string): number {
  let columns = 0;
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text.replace(ESCAPES, ''))) {
    columns += /^\p{M}|^\p{Cf}/u.test(segment) ? 0 : isWide(segment) ? 2 : 1;
  }
  return columns;
}

function isWide(segment: string): boolean {
  return /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u.test(segment);
}

/** Text cut to `columns` with an ellipsis. */
export function truncate(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let kept = '';
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)) {
    if (width(kept + segment) > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Rows under titles, columns two spaces apart, lines without trailing spaces. Cells must be safe already (`sanitise`). */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], paint: Paint = (_style, text) => text): string {
  const widths = columns.map(({ title }, i) => Math.max(width(title), ...rows.map((row) => width(row[i] ?? ''))));
  const format = (cells: readonly string[]) =>
    columns
      .map(({ align }, i) => {
        const cell = cells[i] ?? '';
        const gap = ' '.repeat((widths[i] ?? 0) - width(cell));
        return align === 'right' ? gap + cell : cell + gap;
      })
      .join('  ')
      .trimEnd();
  return [paint('dim', format(columns.map(({ title }) => title))), ...rows.map(format)].join('\n');
}

/** 1536 -> "1.5 KB": powers of 1000, as disks and downloads are sold. */
export function bytes(count: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
  let value = count;
  let unit = 0;
  while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || Math.abs(value) >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}

/** Seconds -> "0.4 s", "12 s", "3 min 05 s", "2 h 07 min", "3 d 4 h". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const two = (n: number) => String(n).padStart(2, '0');

/** 12345 -> "12,345". */
export function count(n: number): string {
  return n.toLocaleString('en-US');
}

/** The one JSON object of `--json`, on standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** A result for people, on standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A remark for people (a warning, what happens now), on standard error. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
