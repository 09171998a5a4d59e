/**
 * `npm run proof:crash [-- --kills N --people N]`: `kill -9` of `roslin up`, and separately of its PostgreSQL, so many times each under load. After each every
 * acknowledged draft, submission, review and point is there, no submission twice, and the chains verify. The short form is
 * tests/server/crash.test.ts. With 50 kills or more it writes bench/results/crash.json; ends with 1 where something is missing.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { crash } from '../tests/server/load/crashes.ts';
import { machine } from './measure.ts';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '50' }, people: { type: 'string', default: '8' }, killed: { type: 'string', multiple: true, default: ['server', 'postgres'] } } });
const [kills, people] = [Number(values.kills), Number(values.people)];
const begun = performance.now();
const runs = [];
for (const killed of values.killed.filter((one) => one === 'server' || one === 'postgres')) runs.push(await crash({ killed, kills, people, seed: 1, onProgress: (line) => console.error(line) }));
const report = { ...machine(), date: new Date().toISOString(), seconds: Math.round((performance.now() - begun) / 1000), runs };
if (kills >= 50 && runs.length === 2) {
  mkdirSync('bench/results', { recursive: true });
  writeFileSync('bench/results/crash.json', `${JSON.stringify(report, null, 1)}\n`);
}
console.log(JSON.stringify(report, null, 1));
process.exitCode = runs.every(({ faults }) => faults.length === 0) ? 0 : 1;
