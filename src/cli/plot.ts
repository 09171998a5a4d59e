/** A curve in text: one line of blocks (`sparkline`), or a small chart with its scale (`plot`), e.g. of a loss. */

const BLOCKS = '▁▂▃▄▅▆▇█';

/** One character a column; values that are not finite leave a gap. */
export function sparkline(values: readonly number[], columns = 40): string {
  const cells = resample(values, columns);
  const { low, high } = range(cells);
  return cells.map((v) => (Number.isFinite(v) ? BLOCKS[level(v, low, high, BLOCKS.length)] : ' ')).join('');
}

/** A chart `columns` wide (its scale not counted) and `rows` high, with the lowest and highest value at its left. */
export function plot(values: readonly number[], columns = 60, rows = 8): string {
  const cells = resample(values, columns);
  const { low, high } = range(cells);
  if (!Number.isFinite(low)) return '';
  const steps = rows * BLOCKS.length;
  const heights = cells.map((v) => (Number.isFinite(v) ? level(v, low, high, steps) + 1 : 0));
  const labels = [high.toPrecision(4), low.toPrecision(4)];
  const margin = Math.max(...labels.map((label) => label.length));
  const lines: string[] = [];
  for (let row = rows - 1; row >= 0; row--) {
    const label = row === rows - 1 ? labels[0] : row === 0 ? labels[1] : '';
    const line = heights.map((h) => cell(h - row * BLOCKS.length)).join('');
    lines.push(`${(label ?? '').padStart(margin)} │${line.trimEnd()}`);
  }
  return lines.join('\n');
}

function cell(height: number): string {
  return height <= 0 ? ' ' : (BLOCKS[Math.min(height, BLOCKS.length) - 1] ?? ' ');
}

function level(value: number, low: number, high: number, steps: number): number {
  return high === low ? 0 : Math.min(steps - 1, Math.floor(((value - low) / (high - low)) * steps));
}

function range(values: readonly number[]): { low: number; high: number } {
  let low = Infinity;
  let high = -Infinity;
  for (const v of values) {
    if (!Number.isFinite(v)) continue;
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  return { low, high };
}

/** Means of equal stretches, so that no more than `columns` values remain. */
function resample(values: readonly number[], columns: number): number[] {
  if (values.length <= columns) return [...values];
  return Array.from({ length: columns }, (_, i) => {
    const from = Math.floor((i * values.length) / columns);
    const finite = values.slice(from, Math.floor(((i + 1) * values.length) / columns)).filter(Number.isFinite);
    return finite.length > 0 ? finite.reduce((a, b) => a + b, 0) / finite.length : NaN;
  });
}
