/**
 * One input to one reader, and what it came to. A reader must open a file or refuse it with an InputError, whatever its bytes
 * are, in bounded time, with no more new memory than the file's size and a constant. What it opens is read to the last value.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GCProfiler, getHeapStatistics } from 'node:v8';
import type { Random } from '../../src/artefacts/random.ts';
import { InputError } from '../../src/errors.ts';
import { blockLayouts } from '../../src/formats/ggml.ts';
import { readGgufContents } from '../../src/formats/gguf.ts';
import type { FileBytes } from '../../src/formats/input-file.ts';
import { readPytorchContents } from '../../src/formats/pytorch.ts';
import { readTensorFloat32 } from '../../src/formats/read-tensor.ts';
import { readSafetensorsHeader } from '../../src/formats/safetensors-header.ts';
import { elementCount, type StoredTensor, type TensorInfo } from '../../src/formats/tensors.ts';
import { memoryFile } from '../../tests/formats/torch-writer.ts';
import { makeGguf } from './gguf.ts';
import { makePytorch } from './pytorch.ts';
import { makeSafetensors } from './safetensors.ts';

export interface Target {
  make(random: Random): Buffer;
  read(file: FileBytes): Iterable<StoredTensor>;
}

export const targets: Readonly<Record<string, Target>> = {
  gguf: { make: makeGguf, read: (file) => readGgufContents(file).tensors.values() },
  safetensors: { make: makeSafetensors, read: (file) => readSafetensorsHeader(file).entries },
  pytorch: { make: makePytorch, read: (file) => readPytorchContents(file).entries },
};

/** New memory beyond the file's size; inputs have a few kilobytes, the largest some sixty. */
export const CONSTANT = 2 ** 21;
/** Of processor time: an input takes a fraction of a millisecond. */
const SECONDS = 1;

export interface Outcome {
  readonly opened: boolean;
  /** Bytes of memory that were new. */
  readonly growth: number;
  readonly seconds: number;
  /** What a reader must not do. */
  readonly fault?: string;
}

/** Values of opened tensors are read into this, so that it is no new memory of the reader's. */
const values = new Float32Array(2 ** 22);

const used = (): number => {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
};

export function attempt(target: Target, bytes: Uint8Array): Outcome {
  let { collected, ...outcome } = once(target, bytes);
  // The collector freed what was there before, so the difference says too little: right after it there is nothing left to free.
  for (let again = 0; again < 3 && collected && !outcome.fault; again++) ({ collected, ...outcome } = once(target, bytes));
  return outcome;
}

function once(target: Target, bytes: Uint8Array): Outcome & { readonly collected: boolean } {
  const collector = new GCProfiler();
  collector.start();
  const file = memoryFile(bytes, 'fuzzed');
  const before = used();
  const start = process.threadCpuUsage();
  let opened = false;
  let fault: string | undefined;
  try {
    const tensors = [...target.read(file)];
    opened = true;
    for (const tensor of tensors) fault ??= readValues(file, tensor);
  } catch (error) {
    if (!(error instanceof InputError)) fault = `threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
    else if (!error.parts.where || error.message.length > 4000) fault = `refused without a place, or in ${error.message.length} characters`;
  }
  const growth = used() - before;
  const spent = process.threadCpuUsage(start);
  const collected = collector.stop()!.statistics.length > 0;
  const seconds = (spent.user + spent.system) / 1e6;
  if (growth > bytes.length + CONSTANT) fault ??= `${growth} bytes of new memory for a file of ${bytes.length}`;
  if (file.asked > 40 * bytes.length + 1000) fault ??= `read ${file.asked} bytes of a file of ${bytes.length}`;
  if (seconds > SECONDS) fault ??= `${seconds} s`;
  return { opened, growth, seconds, collected, ...(fault === undefined ? {} : { fault }) };
}

/** What is wrong with a tensor of an opened file, if anything is. */
function readValues(file: FileBytes, tensor: StoredTensor): string | undefined {
  const { name, dtype, shape, offset, byteLength, strides } = tensor;
  if (strides !== undefined || !Object.hasOwn(blockLayouts, dtype)) return undefined;
  const count = elementCount(shape);
  if (count === undefined || offset < 0 || offset + byteLength > file.size) return `tensor ${name} of ${byteLength} bytes at ${offset} in a file of ${file.size}`;
  if (count > values.length) return `tensor ${name} of ${count} values in a file of ${file.size}`;
  readTensorFloat32(file, offset, tensor as TensorInfo & StoredTensor, values.subarray(0, count));
  return undefined;
}

/** Hash over the readers, and over what makes the inputs: counts of another one do not add up. */
export function sourcesHash(): string {
  const hash = createHash('sha256');
  for (const folder of ['src/formats', 'bench/fuzz']) {
    for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}
