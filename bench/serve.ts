/**
 * `npm run proof:serve -- --model FILE.gguf [flags]`: what a server gives beside llama.cpp's own bench tools on the same file, how long
 * clients wait, and whether it lives through clients that vanish, stall and send rubbish. Flags: `--minutes 10` of mixed load, `--speed-seconds 60`
 * of even load, `--engine`, `--threads`, `--parallel 8`, `--llama-bench PATH`, `--llama-batched-bench PATH`, `--runs 5`, `--out bench/results/serve.json`.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Random } from '../src/artefacts/random.ts';
import { machine, median } from './measure.ts';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string' }, minutes: { type: 'string', default: '10' }, 'speed-seconds': { type: 'string', default: '60' }, engine: { type: 'string' },
    threads: { type: 'string' }, parallel: { type: 'string', default: '8' }, 'llama-bench': { type: 'string' },
    'llama-batched-bench': { type: 'string' }, runs: { type: 'string', default: '5' }, out: { type: 'string', default: 'bench/results/serve.json' },
  },
});
if (flags.model === undefined) throw new Error('give --model');
const model = flags.model;
/** Of llama.cpp's tools; ours has its default where none is given. */
const threads = Number(flags.threads ?? availableParallelism());
const [parallel, runs] = [Number(flags.parallel), Number(flags.runs)];
const BARS = { single: 0.95, batched: 0.9, memory_growth: 1.05 };
/** Tokens of an answer in the measurements of speed, as llama.cpp's tools take. */
const TOKENS = 128;
const PROMPTS = [
  'The old harbour town woke slowly that morning, and the first thing anyone noticed was', 'Here is a long story about a lighthouse keeper and her dog. It begins',
  'A short history of bread, from the first ovens to the bakeries of today:', 'Dear diary, today we walked along the river for hours, and we talked about',
  'The following is an interview with a gardener about the seasons. Question:', 'Chapter one. Nobody in the valley could remember a winter like this one, because',
  'Notes of a lecture on rivers and how they shape the land. First,', 'A letter from a sailor to his sister, written over many days at sea. My dear',
];

interface Server {
  readonly url: string;
  readonly name: string;
  readonly engine: string;
  readonly process: ChildProcess;
}

async function start(): Promise<Server> {
  const args = ['serve', '--model', model, '--port', '0', '--json', '--parallel', String(parallel), ...(flags.threads === undefined ? [] : ['--threads', flags.threads]), '--keys', join(dirname(flags.out), '.no-keys.json'), ...(flags.engine === undefined ? [] : ['--engine', flags.engine])];
  const child = spawn(process.execPath, [join(import.meta.dirname, '../src/cli/main.ts'), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { url, model: name, engine } = JSON.parse(line) as { url: string; model: string; engine: string };
  return { url: url.replace(/\/v1$/, ''), name, engine, process: child };
}

interface Timed {
  readonly status: number;
  /** Milliseconds from the start to each event with text. */
  readonly at: readonly number[];
  readonly tokens: number;
  readonly begun: number;
}

async function timed({ url }: Server, path: string, body: object, signal?: AbortSignal): Promise<Timed> {
  const begun = performance.now();
  const response = await fetch(url + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }), ...(signal ? { signal } : {}) });
  const at: number[] = [];
  let tokens = 0;
  if (response.status !== 200) {
    await response.text();
    return { status: response.status, at, tokens, begun };
  }
  const decoder = new TextDecoder();
  let rest = '';
  for await (const part of response.body!) {
    rest += decoder.decode(part as Uint8Array, { stream: true });
    const events = rest.split('\n\n');
    rest = events.pop()!;
    for (const event of events) {
      if (!event.startsWith('data: {')) continue;
      const { choices, usage, error } = JSON.parse(event.slice(6)) as { choices?: { text?: string; delta?: { content?: string } }[]; usage?: { completion_tokens: number }; error?: object };
      if (error) return { status: 599, at, tokens, begun };
      if (choices?.[0]?.text || choices?.[0]?.delta?.content) at.push(performance.now() - begun);
      if (usage) tokens = usage.completion_tokens;
    }
  }
  return { status: 200, at, tokens, begun };
}

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
const spread = (values: readonly number[]) => {
  const sorted = values.toSorted((a, b) => a - b);
  return { n: sorted.length, p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), p99: quantile(sorted, 0.99), most: sorted.at(-1) ?? NaN };
};

/** Tokens a second of one stream, from its first token to its last; of answers that did not end early. */
async function single(server: Server): Promise<number> {
  const rates: number[] = [];
  for (let i = 0; rates.length < runs && i < 4 * runs; i++) {
    const { at, tokens } = await timed(server, '/v1/completions', { model: server.name, prompt: PROMPTS[i % PROMPTS.length], max_tokens: TOKENS, temperature: 0 });
    if (tokens === TOKENS) rates.push((1000 * (tokens - 1)) / (at.at(-1)! - at[0]!));
  }
  if (rates.length < runs) throw new Error('this model ends its texts too early for the measurement');
  return median(rates);
}

/** Tokens a second of all streams together, from the moment that the last has begun to the one at which the first ends. */
async function together(server: Server, streams: number): Promise<number> {
  const rates: number[] = [];
  for (let i = 0; rates.length < runs && i < 2 * runs; i++) {
    const all = await Promise.all(Array.from({ length: streams }, (_, k) => timed(server, '/v1/completions', { model: server.name, prompt: PROMPTS[k % PROMPTS.length], max_tokens: TOKENS, temperature: 0.7, seed: 100 * i + k })));
    const from = Math.max(...all.map(({ begun, at }) => begun + at[0]!));
    const to = Math.min(...all.map(({ begun, at }) => begun + at.at(-1)!));
    const inside = all.reduce((sum, { begun, at }) => sum + at.filter((t) => begun + t > from && begun + t <= to).length, 0);
    if (to - from > 500) rates.push((1000 * inside) / (to - from));
  }
  return median(rates);
}

const json = (tool: string, args: readonly string[]) => execFileSync(tool, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1e8 });

function llamaBench(tool: string): number {
  const rows = JSON.parse(json(tool, ['-m', model, '-p', '0', '-n', String(TOKENS), '-t', String(threads), '-r', String(runs), '-ngl', '0', '-o', 'json'])) as { avg_ts: number }[];
  return rows[0]!.avg_ts;
}

function llamaBatchedBench(tool: string, streams: number): number {
  const args = ['-m', model, '-c', String(streams * 256), '-b', '512', '-npp', '16', '-ntg', String(TOKENS), '-npl', String(streams), '-t', String(threads), '-ngl', '0', '--output-format', 'jsonl'];
  const lines = json(tool, args).split('\n').filter((line) => line.startsWith('{'));
  return (JSON.parse(lines.at(-1)!) as { speed_tg: number }).speed_tg;
}

/** As many clients as places, each asking again when it has its answer. */
async function evenLoad(server: Server, seconds: number): Promise<object> {
  const end = Date.now() + 1000 * seconds;
  const [first, between, whole]: [number[], number[], number[]] = [[], [], []];
  let tokens = 0;
  await Promise.all(Array.from({ length: parallel }, async (_, k) => {
    const random = new Random(k);
    while (Date.now() < end) {
      const content = `${PROMPTS[Math.floor(random.next() * PROMPTS.length)]!} ${'and so on, '.repeat(Math.floor(60 * random.next()))}`;
      const { at, status, tokens: own, begun } = await timed(server, '/v1/chat/completions', { model: server.name, messages: [{ role: 'user', content }], max_tokens: 64, seed: k });
      if (status !== 200) throw new Error(`an answer with ${status} under even load`);
      if (at.length > 0) first.push(at[0]!);
      at.forEach((t, i) => i > 0 && between.push(t - at[i - 1]!));
      whole.push(performance.now() - begun);
      tokens += own;
    }
  }));
  return { clients: parallel, seconds, tokens_per_second: tokens / seconds, first_token_ms: spread(first), between_tokens_ms: spread(between), request_ms: spread(whole) };
}

const rss = (pid: number): number => 1024 * Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
const childOf = (pid: number): number => Number(execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).trim().split(/\s+/)[0]);

async function metrics(server: Server): Promise<Record<string, number>> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Object.fromEntries(text.split('\n').filter((l) => l && !l.startsWith('#')).map((l) => [l.slice(0, l.lastIndexOf(' ')), Number(l.slice(l.lastIndexOf(' ') + 1))]));
}

/** Clients of every kind at once; what each saw is counted. */
async function mixedLoad(server: Server, minutes: number): Promise<Record<string, unknown> & { reached: Record<string, boolean> }> {
  const end = Date.now() + 60_000 * minutes;
  const counts: Record<string, number> = {};
  const count = (what: string) => void (counts[what] = (counts[what] ?? 0) + 1);
  const { hostname, port } = new URL(server.url);
  const chat = (random: Random, more: object = {}) => ({ model: server.name, messages: [{ role: 'user', content: `${PROMPTS[Math.floor(random.next() * PROMPTS.length)]!} ${'more '.repeat(Math.floor(200 * random.next()))}` }], max_tokens: 1 + Math.floor(60 * random.next()), seed: Math.floor(1e6 * random.next()), ...more });
  const post = async (path: string, body: string, signal?: AbortSignal) => {
    const response = await fetch(server.url + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body, ...(signal ? { signal } : {}) });
    await response.arrayBuffer();
    return response.status;
  };
  const raw = async (bytes: string, readMs: number, read: boolean) => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    await once(socket, 'connect');
    if (!read) socket.pause();
    else socket.resume();
    socket.write(bytes);
    await Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, readMs))]);
    socket.destroy();
  };
  const schema = { type: 'object', properties: { place: { type: 'string', maxLength: 20 }, mood: { enum: ['calm', 'wild'] }, years: { type: 'integer', minimum: 0 } }, required: ['place', 'mood', 'years'] };
  const kinds: Record<string, (random: Random) => Promise<void>> = {
    stream: async (r) => count(`stream ${(await timed(server, '/v1/chat/completions', chat(r))).status}`),
    whole: async (r) => count(`whole ${await post('/v1/chat/completions', JSON.stringify(chat(r)))}`),
    schema: async (r) => count(`schema ${await post('/v1/chat/completions', JSON.stringify(chat(r, { max_tokens: 80, response_format: { type: 'json_schema', json_schema: { name: 's', schema } } })))}`),
    score: async (r) => count(`score ${await post('/v1/completions', JSON.stringify({ model: server.name, prompt: PROMPTS[Math.floor(r.next() * 8)], max_tokens: 0, echo: true, logprobs: 1 }))}`),
    vanish: async (r) => {
      const gone = new AbortController();
      setTimeout(() => gone.abort(), 10 + 1500 * r.next());
      await timed(server, '/v1/chat/completions', chat(r, { max_tokens: 400, n: 1 + Math.floor(2 * r.next()) }), gone.signal).then(() => count('vanish too late'), () => count('vanish'));
    },
    stall: async (r) => {
      const body = JSON.stringify(chat(r, { stream: true, max_tokens: 200 }));
      await raw(`POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 3000, false);
      count('stall');
    },
    slow: async () => {
      await raw('POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"model"', 4000, true);
      count('slow');
    },
    rubbish: async (r) => {
      const bytes = Array.from({ length: 300 }, () => String.fromCharCode(Math.floor(256 * r.next()))).join('');
      await raw(bytes, 1000, true);
      const body = ['{"model":', '[]', JSON.stringify({ ...chat(r), messages: [{ role: 'user', content: bytes }], tools: [{}] }), JSON.stringify({ model: server.name, prompt: [-1] }), bytes][Math.floor(5 * r.next())]!;
      count(`rubbish ${await post('/v1/chat/completions', body)}`);
    },
    flood: async (r) => {
      const answers = await Promise.all(Array.from({ length: 40 }, () => post('/v1/chat/completions', JSON.stringify(chat(r, { n: 4, max_tokens: 4 })))));
      for (const status of answers) count(`flood ${status}`);
      await new Promise((resolve) => setTimeout(resolve, 5000));
    },
  };
  const clients: (keyof typeof kinds)[] = ['stream', 'stream', 'stream', 'whole', 'whole', 'schema', 'score', 'vanish', 'vanish', 'vanish', 'stall', 'slow', 'rubbish', 'flood'];
  const model = childOf(server.process.pid!);
  const memory: { at: number; server: number; model: number }[] = [];
  const begun = Date.now();
  const watch = setInterval(() => memory.push({ at: Math.round((Date.now() - begun) / 1000), server: rss(server.process.pid!), model: rss(model) }), 2000);
  const faults: string[] = [];
  await Promise.all(clients.map(async (kind, i) => {
    const random = new Random(i);
    while (Date.now() < end) await kinds[kind]!(random).catch((error: unknown) => void faults.push(`${kind}: ${String(error)}`));
  }));
  clearInterval(watch);
  // What was left behind by clients that went away ends by itself.
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const after = await metrics(server);
  const stillAnswers = (await timed(server, '/v1/chat/completions', chat(new Random(99)))).status === 200;
  const third = (from: number, to: number, what: 'server' | 'model') => median(memory.slice(Math.floor(from * memory.length), Math.ceil(to * memory.length)).map((m) => m[what]));
  const growth = { server: third(2 / 3, 1, 'server') / third(1 / 3, 2 / 3, 'server'), model: third(2 / 3, 1, 'model') / third(1 / 3, 2 / 3, 'model') };
  const wrong = Object.keys(counts).filter((what) => !/ (200|429)$|^rubbish 4|^vanish|^stall|^slow/.test(what));
  return {
    minutes, clients: clients.length, counts, faults: faults.slice(0, 10), memory_growth_last_third: growth, memory_mb: memory.filter((_, i) => i % Math.ceil(memory.length / 60) === 0).map((m) => [m.at, Math.round(m.server / 1e6), Math.round(m.model / 1e6)]),
    reached: {
      no_restart: !after['roslin_model_ended_total'], nothing_stuck: after['roslin_texts_running'] === 0 && after['roslin_texts_waiting'] === 0, still_answers: stillAnswers,
      only_expected_answers: wrong.length === 0 && faults.length === 0, memory_flat: growth.server <= BARS.memory_growth && growth.model <= BARS.memory_growth,
    },
  };
}

const server = await start();
try {
  const speed: Record<string, number | undefined> = { single: await single(server), [`streams_${parallel}`]: await together(server, parallel) };
  const even = Number(flags['speed-seconds']) > 0 ? await evenLoad(server, Number(flags['speed-seconds'])) : undefined;
  const mixed = Number(flags.minutes) > 0 ? await mixedLoad(server, Number(flags.minutes)) : undefined;
  server.process.kill('SIGTERM');
  const [code] = (await once(server.process, 'exit')) as [number];
  // Nothing else runs beside llama.cpp's own tools.
  const theirs = {
    ...(flags['llama-bench'] === undefined ? {} : { single: llamaBench(flags['llama-bench']) }),
    ...(flags['llama-batched-bench'] === undefined ? {} : { [`streams_${parallel}`]: llamaBatchedBench(flags['llama-batched-bench'], parallel) }),
  };
  const ratio = (what: string) => (theirs[what as 'single'] === undefined ? undefined : speed[what]! / theirs[what as 'single']!);
  const ratios = { single: ratio('single'), batched: ratio(`streams_${parallel}`) };
  const reached = {
    ...(ratios.single === undefined ? {} : { single: ratios.single >= BARS.single }), ...(ratios.batched === undefined ? {} : { batched: ratios.batched >= BARS.batched }),
    ...mixed?.reached, ended_in_order: code === 130,
  };
  const report = {
    ...machine(), date: new Date().toISOString(), model: basename(model), bytes: statSync(model).size, engine: server.engine, threads, parallel, tokens: TOKENS, runs,
    tokens_per_second: { ours: speed, llama_cpp: theirs, ratios }, even_load: even, mixed_load: mixed, bars: BARS, reached,
  };
  mkdirSync(dirname(flags.out), { recursive: true });
  writeFileSync(flags.out, `${JSON.stringify(report, null, 2)}\n`);
  console.log(JSON.stringify(report, null, 2));
  process.exitCode = Object.values(reached).every(Boolean) ? 0 : 1;
} finally {
  server.process.kill('SIGTERM');
}
