/**
 * `npm run proof:peer`: full fine-tuning against (a) transformers' Trainer as Dolly's trainer sets it up and (b) the
 * fastest honest set-up that TRL offers on a CPU: same weights, same records, same rows in every update, fp32, same
 * threads. Sides alternate; every cell is kept, so that an interrupted proof goes on where it was. Needs Python with
 * tools/peer/requirements.txt (ROSLIN_PYTHON) and ../shared/data.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HEAP } from '../src/engine/index.ts';
import { Random } from '../src/artefacts/random.ts';
import { readRecords } from '../src/artefacts/record.ts';
import { dollyTemplate } from '../src/tokenizer/dolly.ts';
import { encodeExamples } from '../src/tokenizer/example.ts';
import { loadTokenizer } from '../src/tokenizer/tokenizer.ts';
import { machine, median } from './measure.ts';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '70m,160m' }, sides: { type: 'string', default: 'ours,trainer,ours,trl' }, threads: { type: 'string', default: '2' },
    work: { type: 'string', default: '.roslin/peer' }, data: { type: 'string', default: '../shared/data' }, steps: { type: 'string' },
  },
});
const RECORDS: Readonly<Record<string, number>> = { '70m': 300, '160m': 100 };
const ROWS_PER_UPDATE = 8;
const MAX_LENGTH = 2047;
const BARS: Readonly<Record<string, Readonly<Record<string, number>>>> = { '70m': { trainer: 4, trl: 1.25 }, '160m': { trainer: 3, trl: 1.1 } };
const python = process.env['ROSLIN_PYTHON'] ?? 'python3';
const { OPENBLAS_CORETYPE: _c, OPENBLAS_L2_SIZE: _l, ...environment } = process.env;

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...environment, HF_HUB_OFFLINE: '1', ...(command === process.execPath ? HEAP : {}) } });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
}

/** The seeded sample of records, tokenised with Dolly's template, in updates of eight rows. */
function makeTokens(size: string): string {
  const path = join(values.work, `tokens-${size}.json`);
  if (existsSync(path)) return path;
  const tokenizerPath = join(values.data, 'tokenizers/gpt-neox/20B_tokenizer.json');
  const tokenizer = loadTokenizer(readFileSync(tokenizerPath, 'utf8'), tokenizerPath).withSpecialTokens(dollyTemplate.addedTokens);
  const records = readRecords(join(values.data, 'dolly/databricks-dolly-15k.part0.jsonl'));
  const order = new Random(42).permutation(records.length);
  const sample = [...order.subarray(0, RECORDS[size]!)].map((i) => records[i]!);
  const { examples } = encodeExamples(sample, tokenizer, dollyTemplate, { maxLength: MAX_LENGTH, overlong: 'drop' });
  const rows = examples.map(({ ids, trained }) => ({ ids: [...ids], trained: [...trained] }));
  const batches = Array.from({ length: Math.ceil(rows.length / ROWS_PER_UPDATE) }, (_, i) => [...rows.keys()].slice(i * ROWS_PER_UPDATE, (i + 1) * ROWS_PER_UPDATE));
  writeFileSync(path, JSON.stringify({ rows, batches }));
  return path;
}

interface Cell {
  readonly side: string;
  readonly losses: number[];
  readonly train_seconds: number;
  readonly peak_rss_bytes: number;
  readonly step_efficiency?: number;
  readonly product_gflops?: number;
  readonly gflops_2048?: number;
}

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  ours: [process.execPath, 'bench/ours.ts'],
  trainer: [python, 'tools/peer/trainer_dolly.py'],
  trl: [python, 'tools/peer/trl_best.py', ...(process.env['ROSLIN_TRL_FLAGS'] ?? '').split(' ').filter(Boolean)],
};

function cell(size: string, side: string, position: number, tokens: string, model: string): Cell {
  const out = join(values.work, `${size}-${position}-${side}${values.steps ? `-${values.steps}` : ''}.json`);
  if (!existsSync(out)) {
    const [command, ...args] = COMMANDS[side]!;
    run(command!, [...args, '--model-dir', model, '--tokens', tokens, '--out', out, '--threads', values.threads, ...(values.steps ? ['--steps', values.steps] : [])]);
  }
  const result = JSON.parse(readFileSync(out, 'utf8')) as Cell;
  console.log(`${size} ${side.padEnd(8)} ${result.train_seconds.toFixed(1)} s, ${(result.peak_rss_bytes / 1e9).toFixed(2)} GB, product ${(result.product_gflops ?? result.gflops_2048)?.toFixed(1)} GFLOP/s${result.step_efficiency ? `, step efficiency ${(100 * result.step_efficiency).toFixed(1)} %` : ''}`);
  return { ...result, side };
}

function proof(size: string): object {
  const model = join(values.work, `model-${size}`);
  if (!existsSync(join(model, 'config.json'))) run(python, ['tools/peer/make_model.py', '--size', size, '--out', model]);
  const tokens = makeTokens(size);
  const cells = values.sides.split(',').map((side, i) => cell(size, side, i, tokens, model));
  const of = (side: string, key: 'train_seconds' | 'peak_rss_bytes') => median(cells.filter((c) => c.side === side).map((c) => c[key]));
  const ours = cells.find((c) => c.side === 'ours')!;
  const rows = [...new Set(cells.map((c) => c.side))].filter((s) => s !== 'ours').map((side) => {
    const peer = cells.find((c) => c.side === side)!;
    const curve = Math.max(...ours.losses.map((l, i) => Math.abs(l / peer.losses[i]! - 1)));
    return {
      side, faster: of(side, 'train_seconds') / of('ours', 'train_seconds'), bar: BARS[size]![side], memory_ratio: of('ours', 'peak_rss_bytes') / of(side, 'peak_rss_bytes'),
      first_loss_difference: Math.abs(ours.losses[0]! / peer.losses[0]! - 1), curve_difference: curve,
    };
  });
  return { size, rows, cells: cells.map((c) => ({ ...c, losses: c.losses.length })) };
}

mkdirSync(values.work, { recursive: true });
const report = { ...machine(), date: new Date().toISOString(), threads: Number(values.threads), trl_flags: process.env['ROSLIN_TRL_FLAGS'] ?? '', proofs: values.sizes.split(',').map(proof) };
mkdirSync('bench/results', { recursive: true });
writeFileSync('bench/results/peer.json', `${JSON.stringify(report, null, 2)}\n`);
console.log(JSON.stringify(report.proofs, null, 2));
