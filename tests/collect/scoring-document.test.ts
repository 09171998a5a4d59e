/** docs/scoring.md says what the rules are and what was measured. `UPDATE_SCORING=1` writes the measured table anew. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CATEGORIES } from '../../src/collect/rules/categories.ts';
import { FIRST_RULES } from '../../src/collect/rules/points-rules.ts';

const path = new URL('../../docs/scoring.md', import.meta.url);
const document = readFileSync(path, 'utf8');

test('the table of base and full size is that of the rules', () => {
  for (const category of CATEGORIES) assert.ok(document.includes(`| ${category} | ${FIRST_RULES.base_mp[category] / 1000} | ${FIRST_RULES.full_words[category]} |`), category);
  assert.ok(document.includes(`\`${FIRST_RULES.version}\``));
});

test('the figures are those of bench/results/attacks.json', () => {
  const { findings, rules, people, days, seeds } = JSON.parse(readFileSync(new URL('../../bench/results/attacks.json', import.meta.url), 'utf8')) as {
    rules: string; people: number; days: number; seeds: number; findings: { attack: string; how: string; figure: string; value: number; error: number; at_most?: number }[];
  };
  assert.equal(rules, FIRST_RULES.version, 'measured under the rules in force');
  const rows = findings.map(({ attack, how, figure, value, error, at_most }) => `| ${attack} | ${how} | ${figure} | ${value.toFixed(2)} ± ${error.toFixed(2)} | ${at_most ?? ''} |`);
  const table = [`${people} people, ${days} days, ${seeds} seeds.`, '', '| attack | how | figure | measured | at most |', '|---|---|---|---|---|', ...rows].join('\n');
  const [before, , after] = document.split(/<!-- \/?figures -->/);
  const whole = `${before}<!-- figures -->\n${table}\n<!-- /figures -->${after}`;
  if (process.env['UPDATE_SCORING']) writeFileSync(path, whole);
  else assert.equal(document, whole);
});
