/** The bounds in the guide are those of the code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BOUNDS } from '../../src/export/bounds.ts';
import { TYPES } from '../../src/export/types.ts';

test('docs/export.md has the bound of every type, with its reason', () => {
  const guide = readFileSync(new URL('../../docs/export.md', import.meta.url), 'utf8');
  assert.deepEqual(Object.keys(BOUNDS).sort(), Object.keys(TYPES).sort());
  const percent = (x: number) => `${Number((100 * x).toFixed(2))} %`;
  for (const [type, { top1, kl, perplexity, reason }] of Object.entries(BOUNDS)) {
    const row = `| \`${type}\` | ${percent(top1)} | ${kl} | ${percent(perplexity)} | ${reason} |`;
    assert.ok(guide.includes(row), `expected in docs/export.md:\n${row}`);
  }
});
