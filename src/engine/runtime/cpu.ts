/** The CPU: typed arrays wrapped without a copy, results written into arrays that exist already. */
import type * as ort from 'onnxruntime-node';
import { allocate, type DType, type HostData } from '../dtype.ts';
import { EngineError } from '../errors.ts';
import type { Graph } from '../graph.ts';
import { lower, UNTAKEN } from '../onnx/lower.ts';
import { size, show } from '../shape.ts';
import { loadOrt } from './ort.ts';
import { checkArrays, type Arrays, type Device, type DeviceArray, type Executable } from './device.ts';

const ORT_TYPE = { f32: 'float32', i32: 'int32', bool: 'bool' } as const;

export class CpuArray implements DeviceArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Whether the memory belongs to another array. */
  readonly isView: boolean;
  #data: HostData;
  #tensor: ort.Tensor | undefined;

  constructor(dtype: DType, shape: readonly number[], data: HostData, isView = false) {
    if (data.length !== size(shape)) throw new EngineError(`${data.length} values do not fill ${show(shape)}`);
    this.dtype = dtype;
    this.shape = shape;
    this.#data = data;
    this.isView = isView;
  }

  /** @internal The memory as ONNX Runtime wants it: in the array's shape, or in another of the same size. */
  tensorOf(shape?: readonly number[]): ort.Tensor {
    const make = (dims: readonly number[]) => new (loadOrt().Tensor)(ORT_TYPE[this.dtype] as 'float32', this.data as Float32Array, dims);
    return shape ? make(shape) : (this.#tensor ??= make(this.shape));
  }

  rows(start: number, end: number): CpuArray {
    if (start === 0 && end === this.shape[0]) return this;
    const width = size(this.shape.slice(1));
    return new CpuArray(this.dtype, [end - start, ...this.shape.slice(1)], this.data.subarray(start * width, end * width), true);
  }

  get data(): HostData {
    return this.#data;
  }

  /** Copies the values to other memory, which is the array's from now on. Views taken before keep the old. */
  moveTo(memory: HostData): void {
    memory.set(this.#data);
    this.#data = memory;
    this.#tensor = undefined;
  }

  clear(): void {
    this.data.fill(0);
  }

  async copyFrom(other: DeviceArray): Promise<void> {
    this.data.set((other as CpuArray).data);
  }

  dispose(): void {}
}

/**
 * What the Node binding says of the output that it cannot hand out. It copies every other output into a new array although the
 * caller gave memory for it, as slow as a few element-wise operators and garbage to collect; after this refusal it does not.
 */
const REFUSED = 'Non tensor type';

class CpuExecutable implements Executable {
  readonly #graph: Graph;
  readonly #session: ort.InferenceSession;
  /** Outputs that the model writes under another shape than the graph's. */
  readonly #shapes = new Map<string, readonly number[]>();

  constructor(graph: Graph, session: ort.InferenceSession) {
    this.#graph = graph;
    this.#session = session;
    for (const output of session.outputMetadata) {
      if (output.isTensor && output.shape.length !== graph.outputs[output.name]!.shape.length) this.#shapes.set(output.name, output.shape as number[]);
    }
  }

  async run(inputs: Arrays, outputs: Arrays): Promise<void> {
    checkArrays(this.#graph, inputs, outputs);
    const feeds: Record<string, ort.Tensor> = {};
    const fetches: Record<string, ort.Tensor | null> = { [UNTAKEN]: null };
    for (const name in this.#graph.inputs) feeds[name] = (inputs[name] as CpuArray).tensorOf();
    for (const name in this.#graph.outputs) fetches[name] = (outputs[name] as CpuArray).tensorOf(this.#shapes.get(name));
    try {
      await this.#session.run(feeds, fetches);
    } catch (error) {
      if (!(error instanceof Error && error.message.includes(REFUSED))) throw error;
    }
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

export interface CpuOptions {
  /** Threads of each product; the machine's cores if absent. */
  readonly threads?: number;
  /**
   * Whether each graph keeps the memory of its intermediate values for its next run (default). Without, all share the
   * process's heap: far less memory, and as fast where that heap keeps what it got (`HEAP`).
   */
  readonly arena?: boolean;
}

/**
 * Environment under which glibc's heap keeps memory instead of giving it back after every run. Large blocks too: apart from the
 * heap they would be zeroed anew each time, which made an update at 160 million parameters 5 % slower.
 */
export const HEAP: Readonly<Record<string, string>> = { MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: String(2 ** 40), MALLOC_TOP_PAD_: String(2 ** 26) };

export class CpuDevice implements Device {
  readonly kind = 'cpu';
  readonly views = true;
  readonly #threads: number;
  readonly #arena: boolean;
  readonly #compiled = new Map<string, CpuExecutable>();

  constructor({ threads = 0, arena = true }: CpuOptions = {}) {
    this.#threads = threads;
    this.#arena = arena;
  }

  zeros(dtype: DType, shape: readonly number[]): CpuArray {
    return new CpuArray(dtype, shape, allocate(dtype, size(shape)));
  }

  upload(data: HostData, shape: readonly number[]): CpuArray {
    return new CpuArray(data instanceof Float32Array ? 'f32' : data instanceof Int32Array ? 'i32' : 'bool', shape, data);
  }

  async read(array: DeviceArray): Promise<HostData> {
    return (array as CpuArray).data;
  }

  async compile(graph: Graph): Promise<Executable> {
    const model = lower(graph, 'cpu');
    const key = new TextDecoder('latin1').decode(model);
    let executable = this.#compiled.get(key);
    if (!executable) {
      executable = new CpuExecutable(graph, await loadOrt().InferenceSession.create(model, {
        executionProviders: ['cpu'],
        intraOpNumThreads: this.#threads,
        interOpNumThreads: 1,
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
        enableCpuMemArena: this.#arena,
        // Every session has threads of its own; those of one must not spin while another runs.
        extra: { session: { force_spinning_stop: '1', set_denormal_as_zero: '1' } },
      }));
      this.#compiled.set(key, executable);
    }
    return executable;
  }

  async release(): Promise<void> {
    for (const executable of this.#compiled.values()) await executable.release();
    this.#compiled.clear();
  }
}
