/**
 * The stage: a model out as GGUF, as a safetensors folder, or as an adapter. A GGUF is written under a temporary name, tried in
 * llama.cpp, and takes its own name only if it is within its type's bounds; after a failure nothing is left.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { RunManifest } from '../artefacts/run.ts';
import { unseenRecords } from '../artefacts/dataset.ts';
import { VERSION } from '../artefacts/version.ts';
import { InputError, RoslinError, UsageError } from '../errors.ts';
import { createFolderAtomic, describeWriteError, writeFileAtomic } from '../formats/atomic.ts';
import { openGguf } from '../formats/gguf.ts';
import { writeGguf, type GgufTensor, type GgufTyped } from '../formats/gguf-write.ts';
import { writeShardedSafetensors, type WrittenFile } from '../formats/safetensors-write.ts';
import { folderFiles } from '../inference/model-folder.ts';
import { openModel, type OpenedModel, type OpenOptions } from '../inference/open-model.ts';
import { LLAMA_PACKAGE, LLAMA_VERSION } from '../llama-cpp/version.ts';
import { parameterCount, parametersOf } from '../models/architecture.ts';
import { adapterGguf, loraOf, refuseTokenRows, writePeft } from './adapter.ts';
import { jinjaOf, metadataOf, tensorsOf } from './gguf-model.ts';
import { mergedWeights } from './merge.ts';
import { passingOn, type Accepted } from './passing-on.ts';
import { PROMPTS } from './prompts.ts';
import { describeModel, exportCard, EXPORT_SCHEMA, typeShares, type ExportManifest, type Target } from './record.ts';
import { failureOf, selfTest, type SelfTest, type SelfTestEvent } from './self-test.ts';
import { TYPES, type ExportType } from './types.ts';

export interface ExportOptions extends OpenOptions, Accepted {
  readonly model: string;
  readonly to: Target;
  readonly type?: ExportType | undefined;
  readonly out: string;
  /** Records for the self-test. */
  readonly data?: string | undefined;
  /** First records of those only. */
  readonly limit?: number | undefined;
  /** Ids of a greedy answer in the self-test. */
  readonly maxNewTokens?: number | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** llama.cpp is not to be fetched where it is missing. */
  readonly offline?: boolean | undefined;
}

export type ExportEvent = { readonly type: 'written'; readonly bytes: number; readonly total: number } | SelfTestEvent;

/** Below this many parameters the vocabulary is most of a model, and 4 bits save little and cost much. */
const SMALL = 500e6;

type Floats = 'f32' | 'f16' | 'bf16';
const isFloat = (type: ExportType): type is Floats => type === 'f32' || type === 'f16' || type === 'bf16';
const DTYPES = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;

/** Yields what is done; returns what export.json says. Throws InputError, ResourceError or UsageError, and then leaves nothing. */
export async function* exportModel(options: ExportOptions): AsyncGenerator<ExportEvent, ExportManifest> {
  refuseWrongUse(options);
  const model = await openModel(options.model, { ...options, asItIs: true });
  passingOn(model, options);
  const isFile = options.to === 'gguf' || (options.to === 'adapter' && options.out.endsWith('.gguf'));
  if (options.to === 'adapter' && isFile) refuseTokenRows(loraOf(model), model.path);
  if (options.to === 'adapter') loraOf(model);
  return isFile ? yield* exportFile(model, options) : await exportFolder(model, options);
}

/** What can be said before anything is read. */
function refuseWrongUse({ to, type, out, data }: ExportOptions): void {
  const refuse = (expected: string, found: string, where: string): never => {
    throw new UsageError({ expected, found, where });
  };
  if (to !== 'gguf' && type !== undefined && !isFloat(type)) refuse('f32, f16 or bf16 for this format', type, '--type');
  if (to === 'adapter' && out.endsWith('.gguf') && type === 'bf16') refuse('f32 or f16 for an adapter GGUF', type, '--type');
  if (to === 'gguf' && !out.endsWith('.gguf')) refuse('the name of a file that ends with .gguf', out, '--out');
  if (data !== undefined && to === 'safetensors') refuse('no --data: only a GGUF is tried', data, '--data');
  if (existsSync(out) && !(to !== 'gguf' && statSync(out).isDirectory())) {
    throw new InputError({ expected: 'a place where nothing is yet', found: 'a file', where: out, remedy: 'Choose another --out, or move this one away.' });
  }
}

/** What is said of the weights beside their types. */
function notesOf(model: OpenedModel, to: Target): string[] {
  const source = model.base ?? model.path;
  const stored = model.kind === 'gguf' || (model.base !== undefined && statSync(source).isFile()) ? storedTypes(source) : [];
  const quantised = stored.length > 0 ? `${basename(source)} has quantised weights (${stored.join(', ')}): the model computes with the values that they stand for, and these were written, rounded anew.` : undefined;
  const merged = model.lora && to !== 'adapter' ? 'The adapter was merged in single precision into the weights that it was trained on.' : undefined;
  return [merged, to === 'adapter' ? undefined : quantised].filter((note) => note !== undefined);
}

/** Quantised types among a GGUF's tensors. */
function storedTypes(path: string): string[] {
  const reader = openGguf(path);
  reader.close();
  return [...new Set([...reader.tensors.values()].map(({ dtype }) => dtype))].filter((dtype) => !['F32', 'F16', 'BF16'].includes(dtype));
}

function manifestOf(model: OpenedModel, options: ExportOptions, type: string, written: WrittenFile, tensors: Parameters<typeof typeShares>[0], seconds: number): ExportManifest {
  return {
    schema: EXPORT_SCHEMA, to: options.to, type, file: basename(options.out), bytes: written.bytes, sha256: written.sha256, ...describeModel(model), ...passingOn(model, options), notes: notesOf(model, options.to),
    types: typeShares(tensors), versions: { roslin: VERSION, [LLAMA_PACKAGE]: LLAMA_VERSION, node: process.version }, seconds: { write: seconds }, self_test: null,
  };
}

async function exportFolder(model: OpenedModel, options: ExportOptions): Promise<ExportManifest> {
  const type = (options.type ?? (options.to === 'adapter' ? 'f32' : 'bf16')) as Floats;
  const dtype = DTYPES[type];
  return createFolderAtomic(options.out, async (folder) => {
    const began = performance.now();
    const weights = options.to === 'adapter' ? model.openWeights() : mergedWeights(model);
    const tensors = [...parametersOf(model.architecture)].map(([name, { shape }]) => ({ name, dtype, shape, data: () => weights.read(name) }));
    let written: WrittenFile;
    try {
      if (options.to === 'adapter') {
        written = await writePeft(folder, model, dtype, weights);
        if (model.run) writeFileAtomic(join(folder, 'run.json'), jsonOf(model.run satisfies RunManifest));
      } else {
        const files = [...(await writeShardedSafetensors(folder, tensors, { metadata: { format: 'pt' } })).values()];
        written = { sha256: files[0]!.sha256, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
        for (const [name, content] of Object.entries(folderFiles(model, dtype, jinjaOf(model)))) writeFileAtomic(join(folder, name), content);
      }
    } finally {
      weights.close();
    }
    const manifest = manifestOf(model, options, type, written, options.to === 'adapter' ? [] : tensors, (performance.now() - began) / 1000);
    writeFileAtomic(join(folder, 'README.md'), exportCard(manifest));
    writeFileAtomic(join(folder, 'export.json'), jsonOf(manifest));
    return manifest;
  });
}

const jsonOf = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** Names of what lies beside an exported file. */
export const besideFile = (file: string) => ({ card: `${file}.md`, json: `${file}.export.json` });

async function* exportFile(model: OpenedModel, options: ExportOptions): AsyncGenerator<ExportEvent, ExportManifest> {
  const out = resolve(options.out);
  const temporary = join(dirname(out), `.${basename(out)}.tmp-${randomBytes(6).toString('hex')}`);
  const beside = besideFile(out);
  try {
    const type = options.type ?? (options.to === 'adapter' ? 'f32' : parameterCount(model.architecture) < SMALL ? 'q8_0' : 'q4_k_m');
    const began = performance.now();
    const { written, tensors } = yield* writeFile(temporary, model, options, type);
    const seconds = (performance.now() - began) / 1000;
    const test = yield* tryFile(temporary, model, options, type);
    const failure = failureOf(test);
    if (failure !== undefined) {
      throw new InputError({ expected: `a file within the bounds of ${type} (${test.bound.reason})`, found: failure, where: out, remedy: 'Choose a type with more bits. If f32 fails too, please report it. The file was removed.' });
    }
    const manifest = { ...manifestOf(model, options, type, written, tensors, seconds), self_test: test };
    writeFileAtomic(beside.card, exportCard(manifest));
    writeFileAtomic(beside.json, jsonOf(manifest));
    renameSync(temporary, out);
    return manifest;
  } catch (error) {
    for (const path of [temporary, beside.card, beside.json]) rmSync(path, { force: true });
    throw renamed(describeWriteError(error, out), temporary, out);
  }
}

/** Written under another name first, which is nobody's business. */
function renamed(error: unknown, from: string, to: string): unknown {
  if (!(error instanceof RoslinError)) return error;
  const parts = Object.fromEntries(Object.entries(error.parts).map(([key, text]) => [key, (text as string).replaceAll(from, to)])) as unknown as RoslinError['parts'];
  return new (error.constructor as new (parts: RoslinError['parts'], options: ErrorOptions) => RoslinError)(parts, { cause: error });
}

async function* writeFile(path: string, model: OpenedModel, options: ExportOptions, type: ExportType): AsyncGenerator<ExportEvent, { written: WrittenFile; tensors: readonly GgufTensor[] }> {
  const weights = options.to === 'adapter' ? model.openWeights() : mergedWeights(model);
  try {
    const { metadata, tensors } = options.to === 'adapter'
      ? adapterGguf(model, type === 'f16' ? 'F16' : 'F32', weights)
      : { metadata: metadataOf(model, type, VERSION, passingOn(model, options).redistributable), tensors: tensorsOf(model, type, weights) };
    return { written: yield* progressing(path, metadata, tensors, options), tensors };
  } finally {
    weights.close();
  }
}

/** writeGguf, its progress as events. */
async function* progressing(path: string, metadata: readonly [string, GgufTyped][], tensors: readonly GgufTensor[], { threads, signal }: ExportOptions): AsyncGenerator<ExportEvent, WrittenFile> {
  let latest: ExportEvent | undefined;
  let wake = () => {};
  let done = false;
  const writing = writeGguf(path, {
    metadata, tensors, threads, signal,
    onProgress: (bytes, total) => {
      latest = { type: 'written', bytes, total };
      wake();
    },
  }).finally(() => {
    done = true;
    wake();
  });
  writing.catch(() => {}); // awaited below
  while (!done) {
    await new Promise<void>((resolve) => (wake = resolve));
    if (latest) yield latest;
    latest = undefined;
  }
  return writing;
}

/** An adapter is tried beside its base, which llama.cpp must have as a GGUF too. */
async function* tryFile(path: string, model: OpenedModel, options: ExportOptions, type: ExportType): AsyncGenerator<ExportEvent, SelfTest> {
  const records = options.data === undefined ? PROMPTS : unseenRecords(options.data).slice(0, options.limit ?? 20);
  const settings = { records, maxNewTokens: options.maxNewTokens ?? 48, threads: options.threads, signal: options.signal, offline: options.offline };
  if (options.to !== 'adapter') return yield* selfTest(path, model, { ...settings, type });
  if (model.base !== undefined && statSync(model.base).isFile()) {
    // The base's own file: where it is quantised, llama.cpp computes with its blocks and with rounded activations.
    return yield* selfTest(model.base, model, { ...settings, adapter: path, type: storedTypes(model.base).length > 0 ? 'q8_0' : 'f16' });
  }
  const base = await openModel(model.base!, { asItIs: true });
  const file = `${path}-base`;
  const weights = mergedWeights(base);
  try {
    yield* progressing(file, metadataOf(base, 'f32', VERSION), tensorsOf(base, 'f32', weights), options);
    return yield* selfTest(file, model, { ...settings, adapter: path, type: type === 'f32' ? 'f32' : 'f16' });
  } finally {
    weights.close();
    rmSync(file, { force: true });
  }
}

export const exportTypes = Object.keys(TYPES) as readonly ExportType[];
