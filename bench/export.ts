/**
 * `npm run proof:export -- --llama DIR [--models smollm2,neox410] [--types a,b] [--rounds 3] [--records 100] [--work DIR]`: exports beside
 * llama.cpp's own quantiser (DIR has its llama-quantize): time, memory, the type of every tensor and its bytes, perplexity on
 * held-out Dolly records, and every type's self-test. Every cell is kept in the work folder, so that an interrupted proof goes on where it was;
 * cells of time want a quiet machine. Needs ../shared/data, and SmolLM2's GGUF in .roslin/models.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, readSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../src/artefacts/random.ts';
import { readRecords, type InstructionRecord } from '../src/artefacts/record.ts';
import { CpuDevice } from '../src/engine/index.ts';
import { BOUNDS } from '../src/export/bounds.ts';
import { typeShares } from '../src/export/record.ts';
import { failureOf, selfTest, type SelfTest } from '../src/export/self-test.ts';
import type { ExportType } from '../src/export/types.ts';
import { readGgufContents } from '../src/formats/gguf.ts';
import { InputFile } from '../src/formats/input-file.ts';
import type { WritableDType } from '../src/formats/quantise.ts';
import { writeSafetensors } from '../src/formats/safetensors.ts';
import { heldOutLoss } from '../src/inference/held-out.ts';
import { openModel } from '../src/inference/open-model.ts';
import { parameterCount, parametersOf } from '../src/models/architecture.ts';
import { initialWeights } from '../src/models/initial-weights.ts';
import { Network } from '../src/models/network.ts';
import { architectureOf } from '../src/models/registry.ts';
import { uploadWeights } from '../src/models/weights.ts';
import { encodeExamples } from '../src/tokenizer/example.ts';
import { machine, median } from './measure.ts';

const { values } = parseArgs({
  options: {
    llama: { type: 'string' }, models: { type: 'string', default: 'smollm2,neox410' }, types: { type: 'string', default: Object.keys(BOUNDS).join() }, rounds: { type: 'string', default: '3' },
    records: { type: 'string', default: '100' }, compare: { type: 'string', default: 'q8_0,q4_k_m' }, threads: { type: 'string', default: String(availableParallelism()) },
    work: { type: 'string', default: '.roslin/proof-export' }, data: { type: 'string', default: '../shared/data' }, out: { type: 'string', default: 'bench/results/export.json' },
  },
});
const threads = Number(values.threads);
const types = values.types.split(',') as ExportType[];
const BARS = { time: 1.5, memory: 1.5, perplexity: 0.01, greedy_same: 19, greedy_of: 20 };
/** What llama-quantize calls them. */
const PEER: Readonly<Record<ExportType, readonly string[]>> = {
  f32: ['F32'], f16: ['F16'], bf16: ['BF16'], q8_0: ['Q8_0'], q4_0: ['Q4_0'], q4_1: ['Q4_1'], q5_0: ['Q5_0'], q5_1: ['Q5_1'], q6_k: ['Q6_K'], q4_k_m: ['Q4_K_M'], q5_k_m: ['Q5_K_M'],
  q4_k: ['--pure', 'Q4_K_S'], q5_k: ['--pure', 'Q5_K_S'],
};

if (values.llama === undefined) throw new Error('--llama DIR is missing: a folder with a llama-quantize of the release that node-llama-cpp brings');
const quantiser = join(values.llama, 'llama-quantize');
mkdirSync(values.work, { recursive: true });

/** `make` once; its result is kept. */
async function cell<T>(name: string, make: () => T | Promise<T>): Promise<T> {
  const path = join(values.work, `${name}.json`);
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as T;
  console.log(`${name} …`);
  const result = await make();
  writeFileSync(path, JSON.stringify(result));
  return result;
}

function run(command: string, args: readonly string[]): { seconds: number; output: string; said: string } {
  const began = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.slice(-2000)}`);
  return { seconds: (performance.now() - began) / 1000, output: stdout, said: stderr };
}

interface Written {
  readonly seconds: number;
  readonly before: number;
  readonly growth: number;
}

/** The F32 file again as `type`, by us and by llama.cpp; wall time of the whole process. */
const write = (source: string, type: ExportType, out: string): Written & { readonly wall: number } => {
  rmSync(out, { force: true });
  const { seconds, output } = run(process.execPath, ['bench/export-write.ts', '--model', source, '--type', type, '--out', out, '--threads', String(threads)]);
  return { ...(JSON.parse(output) as Written), wall: seconds };
};
const quantise = (source: string, type: ExportType, out: string): number => {
  rmSync(out, { force: true });
  const flags = PEER[type];
  return run(quantiser, [...flags.slice(0, -1), source, out, flags.at(-1)!, String(threads)]).seconds;
};
/** As it calls itself where it begins. */
const release = (source: string): string => {
  const { output, said } = run(quantiser, ['--dry-run', source, 'Q8_0']);
  return /version: .*/.exec(output + said)?.[0] ?? 'an unknown version';
};

async function makeNeox(folder: string): Promise<string> {
  if (existsSync(join(folder, 'config.json'))) return folder;
  mkdirSync(folder, { recursive: true });
  const config = {
    model_type: 'gpt_neox', vocab_size: 50304, hidden_size: 1024, num_hidden_layers: 24, num_attention_heads: 16, intermediate_size: 4096, max_position_embeddings: 2048, hidden_act: 'gelu',
    layer_norm_eps: 1e-5, use_parallel_residual: true, tie_word_embeddings: false, attention_bias: true, rotary_pct: 0.25, rotary_emb_base: 10000, bos_token_id: 0, eos_token_id: 0,
  };
  const architecture = architectureOf(config, folder);
  const weights = initialWeights(architecture, 410);
  await writeSafetensors(join(folder, 'model.safetensors'), [...parametersOf(architecture)].map(([name, { shape }]) => ({ name, dtype: 'F32' as const, shape, data: () => weights.get(name)!.data })), { metadata: { format: 'pt' } });
  copyFileSync(join(values.data, 'tokenizers/gpt-neox/20B_tokenizer.json'), join(folder, 'tokenizer.json'));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ bos_token: '<|endoftext|>', eos_token: '<|endoftext|>' }));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}

const SMOLLM2 = ['SmolLM2-135M-Instruct.Q4_1.gguf', 'SmolLM2-135M-Instruct.gguf'].map((name) => join('.roslin/models', name));
const MODELS: Readonly<Record<string, () => Promise<string>>> = {
  smollm2: async () => SMOLLM2.find((path) => existsSync(path)) ?? Promise.reject(new Error(`none of ${SMOLLM2.join(', ')} is there`)),
  neox410: () => makeNeox(join(values.work, 'neox410')),
};

/** A seeded sample of the last part of dolly-15k, which no model here was trained on. */
function heldOut(): InstructionRecord[] {
  const all = readRecords(join(values.data, 'dolly/databricks-dolly-15k.part2.jsonl'));
  return [...new Random(100).permutation(all.length).subarray(0, Number(values.records))].map((i) => all[i]!);
}

interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly hash: string;
}

function tensorsIn(path: string): Map<string, StoredTensor> {
  const file = new InputFile(path, 'a GGUF file');
  const { tensors } = readGgufContents(file);
  file.close();
  const descriptor = openSync(path, 'r');
  try {
    return new Map([...tensors].map(([name, { dtype, shape, offset, byteLength }]) => {
      const bytes = Buffer.alloc(byteLength);
      readSync(descriptor, bytes, 0, byteLength, offset);
      return [name, { dtype, shape, hash: createHash('sha256').update(bytes).digest('hex') }];
    }));
  } finally {
    closeSync(descriptor);
  }
}

function layout(ours: string, theirs: string) {
  const [a, b] = [tensorsIn(ours), tensorsIn(theirs)];
  const others = [...a].filter(([name, { dtype }]) => b.get(name)?.dtype !== dtype).map(([name, { dtype }]) => `${name}: ${dtype}, ${b.get(name)?.dtype ?? 'absent'} there`);
  const same = [...a].filter(([name, { hash }]) => b.get(name)?.hash === hash).length;
  return {
    tensors: { ours: a.size, theirs: b.size }, same_type: a.size === b.size && others.length === 0, others: others.slice(0, 10), same_bytes: same,
    shares: typeShares([...a.values()].map(({ dtype, shape }) => ({ dtype: dtype as WritableDType, shape }))),
  };
}

/** Of the responses, by our own forward pass on what the file's blocks stand for. */
async function perplexity(path: string): Promise<{ perplexity: number; tokens: number; records: number }> {
  const model = await openModel(path, { asItIs: true });
  const { examples } = encodeExamples(heldOut(), model.tokenizer, model.template, { maxLength: 1024, overlong: 'drop' });
  const device = new CpuDevice({ threads });
  const network = new Network(model.architecture, { device, weights: uploadWeights(model.weights(), device) });
  const scoring = heldOutLoss(network, examples);
  let next = await scoring.next();
  while (!next.done) next = await scoring.next();
  await device.release();
  return { perplexity: next.value.perplexity, tokens: next.value.trained_tokens, records: next.value.records };
}

/** Twenty of them, greedy answers of up to 64 ids. */
async function tested(path: string, source: string, type: ExportType): Promise<SelfTest & { failure: string | null }> {
  const model = await openModel(source, { asItIs: true });
  const records = heldOut().filter(({ instruction, context, response }) => instruction.length + context.length + response.length < 1500).slice(0, BARS.greedy_of);
  const events = selfTest(path, model, { type, records, maxNewTokens: 64, threads });
  let next = await events.next();
  while (!next.done) next = await events.next();
  return { ...next.value, failure: failureOf(next.value) ?? null };
}

async function proof(name: string) {
  const source = await MODELS[name]!();
  const f32 = join(values.work, `${name}.f32.gguf`);
  if (!existsSync(f32)) {
    write(source, 'f32', `${f32}.part.gguf`);
    renameSync(`${f32}.part.gguf`, f32);
  }
  const { architecture } = await openModel(source, { asItIs: true });
  const largest = 4 * Math.max(...[...parametersOf(architecture).values()].map(({ shape }) => shape.reduce((x, y) => x * y, 1)));
  const rows: Record<string, object> = {};
  for (const type of types) {
    const [ours, theirs] = [join(values.work, `${name}.${type}.ours.gguf`), join(values.work, `${name}.${type}.theirs.gguf`)];
    const rounds: { ours: ReturnType<typeof write>; theirs: number }[] = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      rounds.push(await cell(`${name}-${type}-time-${round}`, () => {
        // Each goes first in every other round.
        if (round % 2 === 0) return { ours: write(f32, type, ours), theirs: quantise(f32, type, theirs) };
        const first = quantise(f32, type, theirs);
        return { ours: write(f32, type, ours), theirs: first };
      }));
    }
    const files = () => {
      if (!existsSync(ours)) write(f32, type, ours);
      if (!existsSync(theirs)) quantise(f32, type, theirs);
    };
    const places = await cell(`${name}-${type}-layout`, () => (files(), { ...layout(ours, theirs), bytes: statSync(ours).size }));
    const compared = !values.compare.split(',').includes(type) ? undefined : await cell(`${name}-${type}-perplexity`, async () => {
      files();
      const [a, b] = [await perplexity(ours), await perplexity(theirs)];
      return { ours: a.perplexity, theirs: b.perplexity, relative: a.perplexity / b.perplexity - 1, tokens: a.tokens, records: a.records };
    });
    const test = await cell(`${name}-${type}-self-test`, () => (files(), tested(ours, f32, type)));
    for (const path of [ours, theirs]) rmSync(path, { force: true });
    // The writing; Node's start and the opening of the model are in `process` (docs/decisions/0034).
    const [own, whole, peer] = [median(rounds.map((r) => r.ours.seconds)), median(rounds.map((r) => r.ours.wall)), median(rounds.map((r) => r.theirs))];
    const growth = Math.max(...rounds.map((r) => r.ours.growth));
    const reached = {
      time: own / peer <= BARS.time, memory: growth / largest <= BARS.memory, layout: places.same_type, self_test: test.failure === null,
      ...(compared ? { perplexity: Math.abs(compared.relative) <= BARS.perplexity } : {}), ...(type === 'f32' ? { greedy: test.greedy.same >= BARS.greedy_same && test.greedy.answers >= BARS.greedy_of } : {}),
    };
    rows[type] = {
      ...places, seconds: { ours: own, process: whole, theirs: peer, ratio: own / peer, process_ratio: whole / peer, rounds: rounds.map((r) => [r.ours.seconds, r.ours.wall, r.theirs]) }, memory: { growth, of_largest_tensor: growth / largest },
      ...(compared ? { perplexity: compared } : {}), self_test: test, reached,
    };
    console.log(`${name} ${type.padEnd(7)} ${own.toFixed(2)} s (process ${whole.toFixed(2)} s), theirs ${peer.toFixed(2)} s; memory ${(growth / largest).toFixed(2)}; types ${places.same_type ? 'the same' : 'OTHERS'}, ${places.same_bytes} of ${places.tensors.ours} tensors the same bytes; `
      + `${compared ? `perplexity ${(100 * compared.relative).toFixed(3)} %; ` : ''}top-1 ${test.top1.toFixed(4)}, KL ${test.kl.toExponential(1)}, ${test.greedy.same} of ${test.greedy.answers} answers${test.failure === null ? '' : ` — ${test.failure}`}`);
  }
  return { name, parameters: parameterCount(architecture), largest_tensor_bytes: largest, types: rows };
}

const models = [];
for (const name of values.models.split(',')) models.push(await proof(name));
const report = { ...machine(), date: new Date().toISOString(), threads, peer: `llama-quantize, ${release(join(values.work, `${models[0]!.name}.f32.gguf`))}`, bars: BARS, models };
writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`);
