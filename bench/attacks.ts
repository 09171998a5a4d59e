/**
 * `npm run proof:attacks [-- --people N --days N --seeds N]`: what every attack of the scoring table yields in a simulated campaign, beside honest work.
 * docs/scoring.md has the figures; bench/results/attacks.json keeps them. Ends with 1 if one is above its bar.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FIRST_RULES } from '../src/collect/rules/points-rules.ts';
import { attacks } from '../tests/collect/simulation/attacks.ts';
import { machine } from './measure.ts';

const { values } = parseArgs({ options: { people: { type: 'string', default: '100' }, days: { type: 'string', default: '10' }, seeds: { type: 'string', default: '10' } } });
const size = { people: Number(values.people), days: Number(values.days), seeds: Number(values.seeds) };
const begin = performance.now();
const findings = attacks(size);
for (const { attack, how, figure, value, error, at_most } of findings) {
  console.log(`${value.toFixed(3).padStart(8)} ± ${error.toFixed(3)}  ${attack}: ${how} (${figure}${at_most === undefined ? '' : `, at most ${at_most}`})`);
}
const above = findings.filter(({ value, at_most }) => at_most !== undefined && value > at_most);
const report = { ...machine(), date: new Date().toISOString(), seconds: Math.round((performance.now() - begin) / 1000), rules: FIRST_RULES.version, ...size, above: above.length, findings };
writeFileSync('bench/results/attacks.json', `${JSON.stringify(report, null, 2)}\n`);
console.log(above.length === 0 ? 'Every attack is within its bar.' : `${above.length} above their bar: ${above.map(({ how }) => how).join('; ')}`);
process.exitCode = above.length === 0 ? 0 : 1;
