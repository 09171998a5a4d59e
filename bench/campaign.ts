/**
 * `npm run proof:campaign [-- --people N --submissions N --seconds S --crowd N --keep FOLDER --out FILE]`: a week of Dolly's campaign from real records.
 *
 * 1. The week: everybody joins by invitation, writes, reviews, decides, over the real HTTP API, against the studio as `roslin up` starts it, on its
 *    embedded PostgreSQL with every write synced. Only the clock is set from here, so that the week goes by in minutes; boards are drawn every day.
 * 2. The measurement: `roslin up` itself on the same workspace, 200 people sign in (measured apart), then each saves a draft every 3 s and acts every
 *    5 to 10 s, while an organiser looks at the pages of management and a screen shows the live page. Times from sending to the last byte.
 * 3. What was acknowledged is there; points, ledger, boards and logs are held against each other (tests/server/load/truth.ts).
 *
 * The full size writes bench/results/campaign.json and ends with 1 if a bar is missed; other sizes print only, unless --out names a file.
 */
import { existsSync, mkdirSync, mkdtempSync, chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readRecords } from '../src/artefacts/record.ts';
import { addDays, dayOf, instantOf } from '../src/collect/rules/calendar.ts';
import { openWorkspace } from '../src/store/workspace.ts';
import { DOLLY_WEEK, judge, replayEvents, replayText } from '../tests/collect/replay.ts';
import { Acknowledged } from '../tests/server/load/acknowledged.ts';
import { Caller, targetOf } from '../tests/server/load/caller.ts';
import { Crowd, DOLLY_PACE } from '../tests/server/load/crowd.ts';
import { Times } from '../tests/server/load/figures.ts';
import { postmasterOf, processorSeconds, replayServer, roslinUp } from '../tests/server/load/processes.ts';
import { addPassages, makeCampaign, makeOwner, PASSWORD, signIn } from '../tests/server/load/setup.ts';
import { loadTexts } from '../tests/server/load/texts.ts';
import { truthOf } from '../tests/server/load/truth.ts';
import { eachAtMost, Week } from '../tests/server/load/week.ts';
import { machine } from './measure.ts';

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '5000' }, submissions: { type: 'string', default: '' }, seconds: { type: 'string', default: '300' }, crowd: { type: 'string', default: '200' }, data: { type: 'string', default: '../shared/data/dolly' },
    keep: { type: 'string' }, out: { type: 'string' },
  },
});
const people = Number(values.people);
const submissions = values.submissions === '' ? 3 * people : Number(values.submissions);
const seconds = Number(values.seconds);
const crowd = Math.min(Number(values.crowd), people);
const full = people >= 5000 && submissions >= 15_000 && seconds >= 300 && crowd >= 200;
const MODERATORS = 5;
const BOARD_HOUR = 9;
const BAR_MS = 300;
const FILE = 'bench/results/campaign.json';

const say = (line: string) => console.error(`${new Date().toISOString().slice(11, 19)}  ${line}`);
const sorted = (counts: ReadonlyMap<string, number>) => Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
const since = (begun: number) => Math.round((performance.now() - begun) / 100) / 10;

if (!existsSync(values.data)) throw new Error(`No records in ${values.data}: give a folder of databricks-dolly-15k with --data.`);
const sources = readdirSync(values.data).filter((name) => name.endsWith('.jsonl')).sort().flatMap((name) => readRecords(join(values.data, name))).map(replayText).filter((text) => text !== undefined);
const first = addDays(dayOf(Date.now(), DOLLY_WEEK.time_zone), -DOLLY_WEEK.days - 3);
const settings = { ...DOLLY_WEEK, people, submissions, first, teams: Math.min(DOLLY_WEEK.teams, Math.max(4, Math.floor(people / 40))) };
// Enough for the week, for who works while it is measured, and instead of what is refused.
const texts = loadTexts(sources, submissions + Math.ceil((crowd * seconds) / 15) + Math.ceil(submissions * 0.08) + 200, settings.seed);
const planned = texts.slice(0, submissions);
const spare = texts.slice(submissions).filter(({ context }) => context === '');
const events = replayEvents(planned, settings);
say(`${sources.length} real records; ${events.length} events of ${people} people`);

const folder = mkdtempSync(join(values.keep ?? tmpdir(), 'roslin-campaign-'));
// Started as root, PostgreSQL runs as somebody else, who has to get there.
chmodSync(folder, 0o711);
const workspace = join(folder, 'studio');
const acknowledged = new Acknowledged();
let fine = false;
try {
  const starts = instantOf(first, 0, settings.time_zone);
  const server = await replayServer(workspace, starts - 3_600_000);
  const target = targetOf(server.url);
  const weekTimes = new Times();
  target.timed = weekTimes.timed;
  let begun = performance.now();
  const cpuBefore = process.cpuUsage();
  const owner = await makeOwner(target, server.ownerLink!);
  await makeCampaign(owner, planned, submissions, { starts, ends: Date.now() + 3 * 86_400_000, time_zone: settings.time_zone });
  let clock = starts - 3_600_000;
  const about = await addPassages(owner, planned, () => server.setClock((clock += 60_000)));
  say(`${about.size} passages after ${since(begun)} s`);
  const week = new Week({ settings, events, server, target, owner, acknowledged, spare, about, boardHour: BOARD_HOUR, moderators: MODERATORS, onProgress: say });
  await week.play();
  const weekCpu = process.cpuUsage(cpuBefore);
  const weekFigures = {
    seconds: since(begun), requests: weekTimes.requests, ...week.done, unwritten: week.unwritten.length, faults_of_server: server.faults.length, generator_cpu_seconds: Math.round((weekCpu.user + weekCpu.system) / 1e6), server_cpu_seconds: Math.round(processorSeconds(server.child.pid!)), postgres_cpu_seconds: Math.round(processorSeconds(postmasterOf(workspace))),
    refused: sorted(week.refused), by_route: weekTimes.byRoute(),
  };
  say(`the week took ${weekFigures.seconds} s: ${JSON.stringify(week.done)}, ${weekTimes.requests} requests, refused ${JSON.stringify(weekFigures.refused)}`);
  for (const fault of server.faults.slice(0, 5)) say(`fault of the server: ${fault}`);
  await server.stop();
  if (values.keep) writeFileSync(join(folder, 'acknowledged.json'), JSON.stringify([...acknowledged.accounts]));

  const up = await roslinUp(workspace);
  const times = new Times();
  const live = targetOf(up.url);
  live.timed = times.timed;
  // Those who write most, and as many others.
  const written = Map.groupBy([...acknowledged.submissions.values()], ({ login }) => login);
  const busy = week.people.toSorted((a, b) => (written.get(`person${b.n}`)?.length ?? 0) - (written.get(`person${a.n}`)?.length ?? 0));
  const working = [...busy.slice(0, Math.floor(crowd / 2)), ...busy.slice(-Math.ceil(crowd / 2))].map(({ n }) => ({ n, caller: new Caller(live, n + 2) }));
  begun = performance.now();
  await eachAtMost(8, working, ({ n, caller }) => signIn(caller, n));
  const logins = { people: working.length, at_once: 8, seconds: since(begun), ...times.of((route) => route === 'POST /api/session') };
  const organiser = new Caller(live, 1);
  await organiser.ok('POST', '/api/session', { login: 'olga', password: PASSWORD });
  const { link } = await organiser.ok('POST', '/api/manage/live-link');
  say(`${working.length} signed in after ${logins.seconds} s`);
  // The first requests meet a server that has just begun: it reads what was handed in before.
  const atWork = new Crowd({
    people: working, texts: spare, acknowledged, pace: DOLLY_PACE, seed: settings.seed,
    verdict: (text, person, passage) => {
      const { scores, ...said } = judge(settings, week.numberOf(text), person, passage);
      return { ...said, scores: Object.fromEntries(Object.entries(scores).filter(([, score]) => score !== null)) as Record<string, number> };
    },
  });
  let looking = true;
  const managing = (async () => {
    const pages = ['progress', 'quality', 'people', 'log', 'health', 'campaign', 'passages', 'invitations', 'reports', 'awards'];
    for (let i = 0; looking; i++) {
      const page = pages[i % pages.length]!;
      await organiser.ask('GET', `/api/manage/${page}`);
      if (i % pages.length === 0) await organiser.ask('POST', '/api/manage/log/verify');
      if (i % 6 === 0) await organiser.ask('POST', '/api/live', { token: new URL(link).hash.slice(1) });
      for (let left = 50; left > 0 && looking; left--) await sleep(100);
    }
  })();
  const warm = Math.min(20, seconds / 4);
  const running = atWork.run();
  await sleep(1000 * warm);
  times.clear();
  const lag = monitorEventLoopDelay({ resolution: 5 });
  lag.enable();
  const cpu = { generator: process.cpuUsage(), server: processorSeconds(up.child.pid!), postgres: processorSeconds(postmasterOf(workspace)) };
  begun = performance.now();
  await sleep(1000 * seconds);
  const measured = since(begun);
  const used = process.cpuUsage(cpu.generator);
  const cpuSeconds = { generator: (used.user + used.system) / 1e6, server: processorSeconds(up.child.pid!) - cpu.server, postgres: processorSeconds(postmasterOf(workspace)) - cpu.postgres };
  lag.disable();
  const byRoute = times.byRoute();
  const requests = times.requests;
  const isPage = (route: string) => route.startsWith('GET ') && !route.includes('/manage/');
  const pages = times.of(isPage);
  const submit = times.of((route) => route === 'POST /api/records');
  const writes = times.of((route) => !route.startsWith('GET ') && !route.includes('/manage/'));
  atWork.stop();
  looking = false;
  await running;
  await managing;
  await up.stop();
  const serverSaid = up.said().split('\n').filter((line) => line.startsWith('roslin:'));

  say('held against each other');
  await using opened = await openWorkspace(workspace, { databaseUrl: '' });
  const { faults, counts } = await truthOf(opened.store, acknowledged);
  const share = (used_: number) => Math.round((1000 * used_) / measured) / 1000;
  const bars = {
    page_data_p99: pages.p99 < BAR_MS, submit_p99: submit.p99 < BAR_MS, nothing_lost_and_all_sums_right: faults.length === 0, no_wrong_answer: atWork.wrong.length === 0 && serverSaid.length === 0 && weekFigures.faults_of_server === 0,
    size: counts['people']! > people && acknowledged.submissions.size >= submissions && acknowledged.reviews.size >= 0.99 * submissions * settings.reviews_each,
  };
  const report = {
    ...machine(), date: new Date().toISOString(), settings, real_records: sources.length, week: weekFigures, logins,
    measured: {
      seconds: measured, people: crowd, requests, requests_a_second: Math.round((10 * requests) / measured) / 10, page_data_ms: pages, submit_ms: submit, all_writes_ms: writes,
      cores_used: { generator: share(cpuSeconds.generator), server: share(cpuSeconds.server), postgres: share(cpuSeconds.postgres) }, generator_lag_p99_ms: Math.round(lag.percentile(99) / 1e5) / 10,
      by_route_ms: byRoute, refused: sorted(atWork.refused), wrong: atWork.wrong.slice(0, 20), server_said: serverSaid.slice(0, 20),
    },
    acknowledged: acknowledged.counts(), counts, faults: faults.slice(0, 50), faults_in_all: faults.length, bars,
  };
  const file = values.out ?? (full ? FILE : undefined);
  if (file !== undefined) {
    mkdirSync('bench/results', { recursive: true });
    writeFileSync(file, `${JSON.stringify(report, null, 1)}\n`);
  }
  console.log(JSON.stringify(report, null, 1));
  fine = Object.values(bars).every(Boolean);
} finally {
  if (!values.keep) rmSync(folder, { recursive: true, force: true });
}
process.exitCode = fine ? 0 : 1;
