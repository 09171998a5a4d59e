/**
 * A training run from top to bottom, as a stream of events: open the base, read the records, then update, evaluate and
 * save until all updates are made. Prints nothing; the only thing it writes is the run's folder.
 */
import { arch, cpus, platform } from 'node:os';
import { join } from 'node:path';
import { datasetBytes, isDataset } from '../artefacts/dataset.ts';
import { RUN_SCHEMA, type RunManifest, type RunResult, type SourceFile } from '../artefacts/run.ts';
import { VERSION } from '../artefacts/version.ts';
import { AdamW, CpuDevice, learningRate, ORT_VERSION, type Device } from '../engine/index.ts';
import { InputError } from '../errors.ts';
import { requireFreeSpace } from '../formats/atomic.ts';
import { heldOutLoss, type HeldOutReport } from '../inference/held-out.ts';
import { groupByTokens, microBatch } from '../inference/micro-batches.ts';
import { openModel, type OpenedModel } from '../inference/open-model.ts';
import { identify } from '../inference/source.ts';
import type { LicenceVerdict } from '../licence/verdict.ts';
import { createAdapter } from '../models/create-adapter.ts';
import type { LoraSpec } from '../models/adapter.ts';
import { parameterCount } from '../models/architecture.ts';
import { Network } from '../models/network.ts';
import { uploadWeights } from '../models/weights.ts';
import type { Example } from '../tokenizer/example.ts';
import { refuseTaint, runVerdict, SEALED_HERE, sealHere } from './data.ts';
import { checkpointBytes, loadCheckpoint, saveCheckpoint, type CheckpointState } from './checkpoint.ts';
import type { TrainEvent } from './events.ts';
import { continuedModel, freshModel } from './fresh.ts';
import { Guard } from './guard.ts';
import { decisive, type TrainOptions } from './options.ts';
import { writeOutput } from './output.ts';
import { hashRows, labelsOf, loadRows, planUpdates, tokensOf, type Rows, type Update } from './rows.ts';
import { RunFolder } from './run-folder.ts';

export interface TrainControl {
  /** Aborted: save a checkpoint after the current update and stop. */
  readonly signal?: AbortSignal;
  readonly resume?: boolean;
}

/** Everything a run needs in memory. */
export interface Prepared {
  readonly model: OpenedModel;
  readonly lora: LoraSpec | undefined;
  readonly rows: Rows;
  readonly updates: readonly Update[];
  readonly device: Device;
  readonly network: Network;
  readonly optimizer: AdamW;
  readonly warmup: number;
  readonly baseLicence: string | null;
  readonly licence: LicenceVerdict;
}

/** Opens base and data and builds network and optimizer. @throws InputError before anything is written */
export async function prepare(options: TrainOptions): Promise<Prepared> {
  const { model, rows } = options.fresh ? freshModel(options, options.fresh) : options.continued ? await continuedModel(options) : await baseModel(options);
  const baseLicence = options.baseLicence ?? model.licence;
  const licence = runVerdict(options.fresh ? undefined : baseLicence, rows.data?.parts ?? [{ part: 'text', licence: options.licence ?? null }]);
  refuseTaint(licence, options);
  const updates = planUpdates(rows.train, options);
  const device = await makeDevice(options);
  const weights = model.weights();
  const lora = options.method === 'lora' ? createAdapter(model.architecture, weights, {
    rank: options.rank, alpha: options.alpha, seed: options.seed, addedTokens: model.template.addedTokens.map((t) => model.tokenizer.specialId(t)!),
  }) : undefined;
  const network = new Network(model.architecture, { device, weights: uploadWeights(weights, device), ...(device.views ? {} : { hostWeights: weights }), ...(lora ? { lora } : {}), train: options.method, activations: options.activations, keptRows: options.microTokens, mostRows: longestRow(rows) });
  const optimizer = new AdamW(device, network.trained, { weightDecay: options.weightDecay });
  const warmup = options.warmup === 'auto' ? Math.round(0.03 * updates.length) : options.warmup;
  return { model, lora, rows, updates, device, network, optimizer, warmup, baseLicence, licence };
}

const longestRow = ({ train, heldOut }: Rows): number => [...train, ...heldOut].reduce((most, row) => Math.max(most, row.ids.length), 0);

async function baseModel(options: TrainOptions): Promise<{ model: OpenedModel; rows: Rows }> {
  const model = await openModel(options.base, { template: options.template });
  if (model.kind === 'adapter') throw new InputError({ expected: 'a base model', found: 'a LoRA adapter', where: options.base, remedy: 'Train from its base, or merge it first.' });
  return { model, rows: loadRows(options, model) };
}

async function makeDevice(options: TrainOptions): Promise<Device> {
  if (options.device === 'cpu') return new CpuDevice({ arena: process.env['MALLOC_MMAP_MAX_'] === undefined, ...(options.threads === undefined ? {} : { threads: options.threads }) });
  const { WebGpuDevice } = await import('../engine/index.ts');
  return WebGpuDevice.create();
}

/** Loss and gradients of one update, summed over its micro-batches, then the step. */
export async function makeUpdate({ network, optimizer, device, warmup, updates }: Prepared, options: TrainOptions, step: number, guard: Guard): Promise<{ loss: number; lr: number; norm: number; labels: number; optimizerSeconds: number }> {
  const { rows } = updates[step]!;
  const labels = labelsOf(rows);
  network.clearGradients();
  let nats = 0;
  for (const group of groupByTokens(rows, options.microTokens)) {
    for (const l of await network.forwardBackward(microBatch(group, device))) nats += l;
  }
  const loss = nats / labels;
  guard.checkLoss(loss, rows, step + 1);
  const lr = learningRate({ schedule: options.schedule, rate: options.rate, warmup, total: updates.length }, step);
  const began = performance.now();
  const norm = await guard.watch(lr, rows, step + 1, () => optimizer.step({ rate: lr, scale: 1 / labels, maxNorm: options.maxNorm }));
  return { loss, lr, norm, labels, optimizerSeconds: (performance.now() - began) / 1000 };
}

/** What bit equality rests on. */
function machine(options: TrainOptions): RunManifest['machine'] {
  return {
    roslin: VERSION, onnxruntime: ORT_VERSION, platform: platform(), arch: arch(), cpu: cpus()[0]?.model.trim() ?? 'unknown', threads: options.threads ?? cpus().length, node: process.version, device: options.device,
  };
}

async function manifestOf(options: TrainOptions, p: Prepared): Promise<RunManifest> {
  const { model, rows, baseLicence } = p;
  const { verdict, reasons, ...obligations } = p.licence;
  const dataset = rows.data ? { dataset: { root: rows.data.root, here: rows.data.here } } : {};
  return {
    schema: RUN_SCHEMA, method: options.method, template: { name: model.template.name, hash: model.template.hash },
    base: options.fresh ? null : { ...(await identify(options.base)), kind: model.kind === 'gguf' ? 'gguf' : 'folder', licence: baseLicence },
    data: { ...(await sourceOf(options.data, rows)), records: rows.records, licence: rows.data ? rows.data.licence : options.licence ?? null, ...dataset },
    options: decisive(options), machine: machine(options), rows: { train: hashRows(rows.train), held_out: hashRows(rows.heldOut) }, dropped: rows.dropped, verdict, verdict_reasons: reasons, obligations,
    ...(verdict === 'tainted' && options.acceptTaint !== undefined ? { accepted: { taint: options.acceptTaint } } : {}),
  };
}

/** A sealed dataset is known by its root. */
async function sourceOf(path: string, { data }: Rows): Promise<SourceFile> {
  return data && !data.here ? { path, hash: data.root, bytes: datasetBytes(path) } : identify(path);
}

/** A resumed run must be the one that was interrupted, on the machine it was on. */
function sameRun(before: RunManifest, now: RunManifest, where: string): void {
  // Runs that began before datasets were sealed have no root.
  const root = (m: RunManifest) => (before.data.dataset ? m.data.dataset?.root : undefined);
  const parts = (m: RunManifest) => ({ base: m.base?.hash, data: m.data.hash, dataset: root(m), template: m.template.hash, rows: m.rows, ...m.options, ...m.machine });
  const [a, b] = [parts(before) as Record<string, unknown>, parts(now) as Record<string, unknown>];
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (JSON.stringify(a[key]) !== JSON.stringify(b[key])) {
      throw new InputError({ expected: `the same ${key} as when the run began, ${JSON.stringify(a[key])}`, found: JSON.stringify(b[key]) ?? 'nothing', where, remedy: 'Resume with the same options on the same machine, or begin a new run.' });
    }
  }
}

/** The whole run. Ends with `done`, or with `stopped` after `signal`. */
export async function* train(options: TrainOptions, { signal, resume = false }: TrainControl = {}): AsyncGenerator<TrainEvent> {
  const prepared = await prepare(options);
  const { rows, updates, network, optimizer, device, model } = prepared;
  const manifest = await manifestOf(options, prepared);
  const { folder, state } = await openFolder(options, prepared, manifest, resume);
  try {
    yield {
      type: 'prepared', parameters: parameterCount(model.architecture), trainable: network.trained.reduce((n, t) => n + t.value.shape.reduce((a, b) => a * b, 1), 0),
      records: rows.records, trainRows: rows.train.length, heldOutRows: rows.heldOut.length, tokens: tokensOf(rows.train), labels: labelsOf(rows.train), steps: updates.length,
      template: model.template.name, dropped: rows.dropped, cut: rows.cut, verdict: manifest.verdict, reasons: manifest.verdict_reasons ?? [], resumedAt: state?.step ?? 0,
    };
    yield* run(options, prepared, manifest, folder, state, signal);
  } catch (error) {
    if (optimizer.steps === 0) folder.discard();
    throw error;
  } finally {
    folder.release();
    await device.release();
  }
}

async function openFolder(options: TrainOptions, { rows, network, optimizer, device }: Prepared, manifest: RunManifest, resume: boolean): Promise<{ folder: RunFolder; state: CheckpointState | undefined }> {
  if (resume) {
    const { folder, manifest: before } = RunFolder.resume(options.out);
    try {
      sameRun(before, manifest, options.out);
      const state = await loadCheckpoint(folder.state, device, network.trained, optimizer);
      folder.cutLogs(state?.logSizes ?? {});
      if (rows.data?.here && !isDataset(join(options.out, SEALED_HERE))) await sealHere(options, rows.data);
      return { folder, state };
    } catch (error) {
      folder.release();
      throw error;
    }
  }
  // Two checkpoints for a moment, and the model itself.
  requireFreeSpace(options.out, 2 * checkpointBytes(network.trained) + checkpointBytes(network.trained) / 3, 'the run\'s checkpoints and its model');
  const folder = RunFolder.create(options.out, manifest);
  try {
    if (rows.data?.here) await sealHere(options, rows.data);
  } catch (error) {
    folder.discard();
    throw error;
  }
  return { folder, state: undefined };
}

async function* run(options: TrainOptions, prepared: Prepared, manifest: RunManifest, folder: RunFolder, state: CheckpointState | undefined, signal: AbortSignal | undefined): AsyncGenerator<TrainEvent> {
  const { rows, updates, network, optimizer, device, model, lora } = prepared;
  const started = performance.now() - 1000 * (state?.seconds ?? 0);
  const elapsed = () => (performance.now() - started) / 1000;
  const guard = new Guard(device, network.trained);
  const evaluateAfter = evaluationSteps(updates.length);
  let before = state?.before ?? null;
  let after = before;
  let trainedTokens = state?.trainedTokens ?? 0;
  let savedAt = performance.now();
  let done = state?.step ?? 0;
  let saved = state?.step;
  const save = async () => {
    await saveCheckpoint(folder.state, device, network.trained, optimizer, { step: done, logSizes: folder.logSizes(), before, trainedTokens, seconds: elapsed() });
    savedAt = performance.now();
    saved = done;
  };
  const measure = async function* (): AsyncGenerator<TrainEvent> {
    const report = yield* evaluateRows(network, rows.heldOut);
    after = report.loss;
    folder.append('metrics.jsonl', { step: done, held_out: report });
    yield { type: 'evaluated', step: done, report };
  };
  if (state === undefined && rows.heldOut.length > 0) {
    yield* measure();
    before = after;
  }
  const speed = new Speed(updates);
  while (done < updates.length) {
    if (signal?.aborted) {
      // The last update may have its checkpoint already: one that was due, or the one that was resumed from.
      if (saved !== done) {
        await save();
        yield { type: 'checkpoint', step: done };
      }
      yield { type: 'stopped', step: done };
      return;
    }
    const t0 = performance.now();
    const { loss, lr, norm, labels } = await makeUpdate(prepared, options, done, guard);
    const seconds = (performance.now() - t0) / 1000;
    const update = updates[done]!;
    done++;
    trainedTokens += labels;
    speed.add(done, seconds);
    const tokens = tokensOf(update.rows);
    const memory = process.memoryUsage.rss();
    folder.append('metrics.jsonl', { step: done, epoch: update.epoch, loss, lr, grad_norm: norm, tokens, labels, rows: hashRows(update.rows) });
    folder.append('timings.jsonl', { step: done, seconds, tokens_per_second: tokens / seconds, memory });
    yield { type: 'step', step: done, steps: updates.length, epoch: update.epoch, loss, lr, grad_norm: norm, tokens, labels, seconds, memory, secondsLeft: speed.left(done) };
    if (rows.heldOut.length > 0 && evaluateAfter.has(done)) yield* measure();
    const due = options.saveSteps === undefined ? performance.now() - savedAt >= 1000 * options.saveSeconds : done % options.saveSteps === 0;
    if (due && done < updates.length) {
      await save();
      yield { type: 'checkpoint', step: done };
    }
  }
  const result: RunResult = { steps: done, trained_tokens: trainedTokens, held_out: before === null || after === null ? null : { before, after }, seconds: elapsed() };
  await writeOutput(options.out, model, network, lora, options.dtype, { ...manifest, result });
  folder.complete();
  yield { type: 'done', out: options.out, result };
}

async function* evaluateRows(network: Network, rows: readonly Example[]): AsyncGenerator<TrainEvent, HeldOutReport> {
  const evaluation = heldOutLoss(network, rows);
  for (;;) {
    const next = await evaluation.next();
    if (next.done) return next.value;
    yield { type: 'evaluating', done: next.value, of: rows.length };
  }
}

/** After each quarter of a long run, and at the end. */
function evaluationSteps(total: number): Set<number> {
  return new Set(total < 20 ? [total] : [1, 2, 3, 4].map((i) => Math.round((total * i) / 4)));
}

/** Time left from the rate of the latest updates, in tokens. */
class Speed {
  readonly #tokens: readonly number[];
  readonly #recent: { tokens: number; seconds: number }[] = [];

  constructor(updates: readonly Update[]) {
    this.#tokens = updates.map((u) => tokensOf(u.rows));
  }

  add(done: number, seconds: number): void {
    this.#recent.push({ tokens: this.#tokens[done - 1]!, seconds });
    if (this.#recent.length > 10) this.#recent.shift();
  }

  left(done: number): number {
    const sum = this.#recent.reduce((a, r) => ({ tokens: a.tokens + r.tokens, seconds: a.seconds + r.seconds }));
    return (this.#tokens.slice(done).reduce((a, b) => a + b, 0) * sum.seconds) / sum.tokens;
  }
}
