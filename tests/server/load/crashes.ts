/**
 * `kill -9` under load: of the server, or of its PostgreSQL (the whole of it, and one of its processes, by turns). After each, when it answers again,
 * what was acknowledged is looked for; a submission whose answer was lost is sent again with its key until there is one.
 */
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../../src/artefacts/random.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { DEMO_RECORDS } from '../../../src/collect/demo/records.ts';
import type { ReplayText } from '../../collect/replay.ts';
import { Acknowledged } from './acknowledged.ts';
import { Caller, targetOf, type Target } from './caller.ts';
import { Crowd, type Pace } from './crowd.ts';
import { postmasterOf, roslinUp, type Up } from './processes.ts';
import { inviteAll, join_, makeCampaign, makeOwner } from './setup.ts';
import { chainFaults, lostWrites, pointFaults, truthOf } from './truth.ts';

export interface Crashes {
  readonly killed: 'server' | 'postgres';
  readonly kills: number;
  readonly people: number;
  readonly seed: number;
  readonly onProgress?: (line: string) => void;
}

export interface CrashReport {
  readonly killed: string;
  readonly kills: number;
  readonly people: number;
  readonly acknowledged: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, number>>;
  /** Requests that had no answer, or 503. */
  readonly broken: number;
  /** From the kill until it answers again. */
  readonly seconds_away: { readonly median: number; readonly most: number };
  readonly faults: readonly string[];
}

/** As fast as a small server keeps up with. */
const PACE: Pace = { save_ms: 150, act_ms: [80, 240], saves: 2, read_words: 9.5 };
const AWAY_MS = 120_000;

export async function crash({ killed, kills, people, seed, onProgress }: Crashes): Promise<CrashReport> {
  const folder = mkdtempSync(join(tmpdir(), 'roslin-crash-'));
  chmodSync(folder, 0o711);
  const workspace = join(folder, 'studio');
  const random = new Random(seed);
  const acknowledged = new Acknowledged();
  const faults: string[] = [];
  const away: number[] = [];
  let up: Up | undefined;
  let crowd: Crowd | undefined;
  try {
    up = await roslinUp(workspace);
    const target = targetOf(up.url);
    let broken = 0;
    target.timed = (_, { status }) => void (broken += Number(status === 0 || status === 503));
    const texts = inventedTexts(4000 + 60 * kills * people, random);
    const owner = await makeOwner(target, up.ownerLink!);
    await makeCampaign(owner, texts, texts.length, { starts: Date.now() - 86_400_000, ends: Date.now() + 7 * 86_400_000, time_zone: 'UTC' }, 1);
    const tokens = await inviteAll(owner, Array.from({ length: people }, () => ({ roles: 'member reviewer', team: '' })));
    const callers: { n: number; caller: Caller }[] = [];
    for (const [n, token] of tokens.entries()) {
      callers.push({ n, caller: new Caller(target, n + 2) });
      await join_(callers[n]!.caller, n, token, 'name', acknowledged);
    }
    crowd = new Crowd({ people: callers, texts, acknowledged, pace: PACE, seed, verdict: () => ({ scores: { follows_instruction: 4, correct: 4, clear: 4, category_fit: 5 }, verdict: 'accept', comment: '' }) });
    crowd.tolerant = true;
    const running = crowd.run();
    // Until the first records can be reviewed, so that points are booked while it is killed.
    for (let left = 600; acknowledged.reviews.size < 2; left--) {
      if (left === 0 || crowd.wrong.length > 0) throw new Error(`no reviews yet: ${JSON.stringify([...crowd.refused])} ${crowd.wrong[0] ?? ''}`);
      await sleep(200);
    }
    for (let kill = 0; kill < kills; kill++) {
      await sleep(200 + 1300 * random.next());
      const begun = performance.now();
      if (killed === 'server') {
        up.child.kill('SIGKILL');
        await once(up.child, 'exit');
        up = await roslinUp(workspace);
        target.url = up.url;
      } else {
        const before = timesReady(workspace);
        process.kill(kill % 2 === 0 ? postmasterOf(workspace) : backendOf(postmasterOf(workspace)), 'SIGKILL');
        // Those that live on answer for a moment still.
        for (const end = Date.now() + AWAY_MS; timesReady(workspace) === before; await sleep(10)) if (Date.now() > end) throw new Error(`PostgreSQL does not come back: ${up.said()}`);
      }
      await answering(target, up);
      away.push((performance.now() - begun) / 1000);
      await crowd.pause();
      await using store = await storeOf(workspace);
      faults.push(...[...(await lostWrites(store, acknowledged)), ...(await chainFaults(store)), ...(await pointFaults(store))].map((fault) => `after kill ${kill + 1}: ${fault}`));
      crowd.resume();
      onProgress?.(`${killed} ${kill + 1}: away ${away.at(-1)!.toFixed(1)} s, ${JSON.stringify(acknowledged.counts())}, ${faults.length} faults`);
    }
    await sleep(500);
    crowd.stop();
    await running;
    const { faults: last, counts } = await truthWith(workspace, acknowledged);
    faults.push(...last, ...crowd.wrong.map((line) => `a wrong answer: ${line}`));
    const sorted = away.toSorted((a, b) => a - b);
    const rounded = (seconds: number) => Math.round(100 * seconds) / 100;
    return { killed, kills, people, acknowledged: acknowledged.counts(), counts, broken, seconds_away: { median: rounded(sorted[sorted.length >> 1]!), most: rounded(sorted.at(-1)!) }, faults };
  } finally {
    crowd?.stop();
    await up?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function truthWith(workspace: string, acknowledged: Acknowledged) {
  await using store = await storeOf(workspace);
  return await truthOf(store, acknowledged);
}

/** A look at the database that does nothing to keep it alive. */
function storeOf(workspace: string): Promise<Store> {
  const home = join(workspace, 'postgres');
  return openStore({ host: join(home, 'socket'), port: 5432, user: 'roslin', password: readFileSync(join(home, 'password'), 'utf8').trim(), database: 'roslin' }, { connections: 2 });
}

async function answering(target: Target, up: Up): Promise<void> {
  const asker = new Caller({ url: target.url, agent: target.agent }, 0);
  for (const end = Date.now() + AWAY_MS; ; await sleep(20)) {
    if (up.child.exitCode !== null || up.child.signalCode !== null) throw new Error(`the server ended: ${up.said()}`);
    if ((await asker.ask('GET', '/healthz')).status === 200) return;
    if (Date.now() > end) throw new Error(`nothing answers after ${AWAY_MS / 1000} s: ${up.said()}`);
  }
}

/** How often this PostgreSQL has begun to take connections, by its log. */
const timesReady = (workspace: string): number => readFileSync(join(workspace, 'postgres', 'postgres.log'), 'utf8').split('ready to accept connections').length;

/** A process of PostgreSQL's that serves one of our connections. */
function backendOf(postmaster: number): number {
  for (const name of readdirSync('/proc')) {
    try {
      if (!/^\d+$/.test(name) || Number(readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1]) !== postmaster) continue;
      if (readFileSync(`/proc/${name}/cmdline`, 'utf8').startsWith('postgres: roslin roslin ')) return Number(name);
    } catch {
      // It ended meanwhile.
    }
  }
  throw new Error('PostgreSQL serves nobody');
}

const WORDS = [...new Set(DEMO_RECORDS.filter(({ language }) => language === 'en').flatMap(({ response }) => response.toLowerCase().match(/[a-z]{4,}/g) ?? []))];

/** Short texts that say nothing and are like no other. */
function inventedTexts(n: number, random: Random): ReplayText[] {
  const line = (words: number) => Array.from({ length: words }, () => random.pick(WORDS)).join(' ');
  return Array.from({ length: n }, () => ({ category: 'open_qa', instruction: `Why ${line(8)}?`, context: '', response: `Because ${line(11)}.` }));
}
