/** What a doctor found, as rows with a mark, and below each the line to change. */
import { painter, print, width } from './terminal.ts';

export interface CheckRow {
  readonly name: string;
  /** `lacking` stops what it is about, `limited` does not. */
  readonly status: 'ok' | 'limited' | 'lacking';
  readonly found: string;
  readonly remedy?: string;
}

export function showChecks(checks: readonly CheckRow[]): void {
  const paint = painter();
  const mark = { ok: paint('green', '✓'), limited: paint('yellow', '!'), lacking: paint('red', '✗') };
  const columns = Math.max(...checks.map(({ name }) => width(name)));
  for (const { name, status, found, remedy } of checks) {
    print(`${mark[status]} ${name.padEnd(columns)}  ${found}`);
    if (remedy) print(`  ${' '.repeat(columns)}  ${paint('dim', `→ ${remedy}`)}`);
  }
}
