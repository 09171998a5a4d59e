/**
 * WebGPU: arrays are buffers that stay on the device from run to run. What a run writes is a new buffer, which takes the
 * place of the array's old one. Parts of an array cannot be addressed, so there are no views.
 */
import type * as ort from 'onnxruntime-node';
import { allocate, type DType, type HostData } from '../dtype.ts';
import { EngineError } from '../errors.ts';
import { trace, type Graph, type Spec } from '../graph.ts';
import { lower } from '../onnx/lower.ts';
import { add, zerosLike } from '../ops.ts';
import { show, size } from '../shape.ts';
import { checkArrays, type Arrays, type Device, type DeviceArray, type Executable } from './device.ts';
import { loadOrt } from './ort.ts';

const ORT_TYPE = { f32: 'float32', i32: 'int32', bool: 'bool' } as const;

type Tensors = Readonly<Record<string, ort.Tensor>>;

/** What an array holds on the device. The device knows it too: nobody else frees the buffer of an array that was forgotten. */
interface Slot {
  tensor: ort.Tensor | undefined;
}

function free(slot: Slot): void {
  slot.tensor?.dispose();
  slot.tensor = undefined;
}

const hostTensor = (dtype: DType, data: HostData, shape: readonly number[]): ort.Tensor =>
  new (loadOrt().Tensor)(ORT_TYPE[dtype] as 'float32', data as Float32Array, shape);

/** Holds a buffer, or until the first run reads it what it was made of: values in host memory, or nothing but zeros. */
class WebGpuArray implements DeviceArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly #device: WebGpuDevice;
  readonly #slot: Slot = { tensor: undefined };
  #host: HostData | undefined;
  /** The buffer's values are to count as zeros. */
  #cleared = false;

  constructor(device: WebGpuDevice, dtype: DType, shape: readonly number[], host?: HostData) {
    if (host && host.length !== size(shape)) throw new EngineError(`${host.length} values do not fill ${show(shape)}`);
    this.#device = device;
    this.dtype = dtype;
    this.shape = shape;
    this.#host = host;
    device.watch(this, this.#slot);
  }

  /** The values as a run reads them. Ids, positions and single numbers are sent anew each time, all else is sent once. */
  async tensor(): Promise<ort.Tensor> {
    const { tensor } = this.#slot;
    if (tensor && !this.#cleared) return tensor;
    if (tensor) this.replace(await this.#device.zerosLike(tensor));
    else {
      const sent = hostTensor(this.dtype, this.hostValues!, this.shape);
      if (this.dtype !== 'f32' || this.shape.length === 0) return sent;
      this.replace(await this.#device.copy(sent));
    }
    return this.#slot.tensor!;
  }

  /** The values where they are not on the device alone. */
  get hostValues(): HostData | undefined {
    if (this.#slot.tensor && !this.#cleared) return undefined;
    return this.#host ?? allocate(this.dtype, size(this.shape));
  }

  /** Takes over a buffer that a run has written. */
  replace(tensor: ort.Tensor): void {
    if (this.#slot.tensor !== tensor) free(this.#slot);
    this.#slot.tensor = tensor;
    this.#host = undefined;
    this.#cleared = false;
  }

  rows(start: number, end: number): WebGpuArray {
    if (start === 0 && end === this.shape[0]) return this;
    throw new EngineError(`rows ${start} to ${end} of ${show(this.shape)}: a part of an array cannot be addressed on WebGPU; use a CPU device for this`);
  }

  clear(): void {
    this.#host = undefined;
    this.#cleared = true;
  }

  async copyFrom(other: DeviceArray): Promise<void> {
    if (this === other) return;
    if (other.dtype !== this.dtype || show(other.shape) !== show(this.shape)) {
      throw new EngineError(`expected values for ${this.dtype}${show(this.shape)}, got ${other.dtype}${show(other.shape)}`);
    }
    const from = other as WebGpuArray;
    const host = from.hostValues;
    if (this.dtype === 'f32') return this.replace(await this.#device.copy(host ? hostTensor('f32', host, this.shape) : await from.tensor()));
    this.#host = host!.slice();
  }

  dispose(): void {
    free(this.#slot);
    this.#host = undefined;
  }
}

class WebGpuExecutable implements Executable {
  readonly #graph: Graph;
  readonly #session: ort.InferenceSession;

  constructor(graph: Graph, session: ort.InferenceSession) {
    this.#graph = graph;
    this.#session = session;
  }

  async run(inputs: Arrays, outputs: Arrays): Promise<void> {
    checkArrays(this.#graph, inputs, outputs);
    const feeds: Record<string, ort.Tensor> = {};
    for (const name in this.#graph.inputs) feeds[name] = await (inputs[name] as WebGpuArray).tensor();
    const results = await this.runTensors(feeds);
    // Only now: an array may be both an input and an output.
    for (const name in this.#graph.outputs) (outputs[name] as WebGpuArray).replace(results[name]!);
  }

  async runTensors(feeds: Tensors): Promise<Tensors> {
    try {
      return (await this.#session.run(feeds)) as Tensors;
    } catch (cause) {
      const sizes = Object.entries(feeds).map(([name, { dims }]) => `${name} [${dims.join(', ')}]`).join(', ');
      throw new EngineError(`WebGPU could not run a graph on ${sizes}: ${reason(cause)} If its memory does not suffice, give it fewer rows at a time.`, { cause });
    }
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

/** What ONNX Runtime says, without the place in its source that it says it from. */
const reason = (cause: unknown): string => String(cause instanceof Error ? cause.message : cause).replace(/^\/\S+ .* was false\. /, '').split('\n')[0]!.trim().replace(/[^.]$/, '$&.');

const MISSING = 'It needs a graphics driver that ONNX Runtime can open: Vulkan on Linux (libvulkan.so.1 and a driver; VK_ICD_FILENAMES can name one, also one in software), Direct3D 12 on Windows, Metal on macOS. Install one, or use the CPU; "roslin doctor" shows what is found.';

const RELEASED = 'this WebGPU device was released, and its arrays with it; create another';

export class WebGpuDevice implements Device {
  readonly kind = 'webgpu';
  readonly views = false;
  readonly #compiled = new Map<string, WebGpuExecutable>();
  readonly #slots = new Set<Slot>();
  readonly #forgotten = new FinalizationRegistry<Slot>((slot) => {
    free(slot);
    this.#slots.delete(slot);
  });
  #released = false;

  /** @throws EngineError where there is no adapter */
  static async create(): Promise<WebGpuDevice> {
    const device = new WebGpuDevice();
    try {
      const array = device.zeros('f32', [1]);
      await array.copyFrom(device.upload(Float32Array.of(2), [1]));
      const [value] = await device.read(array);
      if (value !== 2) throw new Error(`a copy of 2 gave ${value}`);
      array.dispose();
    } catch (cause) {
      await device.release();
      if (cause instanceof EngineError) throw cause;
      throw new EngineError(`expected a WebGPU adapter, found none: ${reason(cause)} ${MISSING}`, { cause });
    }
    return device;
  }

  zeros(dtype: DType, shape: readonly number[]): DeviceArray {
    return new WebGpuArray(this, dtype, shape);
  }

  /** The data must not be changed any more. */
  upload(data: HostData, shape: readonly number[]): DeviceArray {
    return new WebGpuArray(this, data instanceof Float32Array ? 'f32' : data instanceof Int32Array ? 'i32' : 'bool', shape, data);
  }

  async read(array: DeviceArray): Promise<HostData> {
    if (this.#released) throw new EngineError(RELEASED);
    const from = array as WebGpuArray;
    return from.hostValues ?? ((await this.copy(await from.tensor(), 'cpu')).data as Float32Array);
  }

  /** @internal */
  watch(array: WebGpuArray, slot: Slot): void {
    this.#slots.add(slot);
    this.#forgotten.register(array, slot);
  }

  /**
   * @internal The same values in a buffer, or in host memory, since a buffer cannot be read itself. The sum with a zero
   * that the graph does not know is the copy that no optimisation leaves out.
   */
  async copy(x: ort.Tensor, to: 'cpu' | 'gpu-buffer' = 'gpu-buffer'): Promise<ort.Tensor> {
    const copier = await this.#compile(trace({ x: anyOf(x), zero: { shape: [], dtype: 'f32' } }, (t) => ({ y: add(t['x']!, t['zero']!) })), to);
    return (await copier.runTensors({ x, zero: hostTensor('f32', Float32Array.of(0), []) }))['y']!;
  }

  /** @internal Zeros in a buffer of the same shape. */
  async zerosLike(x: ort.Tensor): Promise<ort.Tensor> {
    return (await (await this.#compile(trace({ x: anyOf(x) }, (t) => ({ y: zerosLike(t['x']!) })), 'gpu-buffer')).runTensors({ x }))['y']!;
  }

  compile(graph: Graph): Promise<Executable> {
    return this.#compile(graph, 'gpu-buffer');
  }

  async #compile(graph: Graph, to: 'cpu' | 'gpu-buffer'): Promise<WebGpuExecutable> {
    if (this.#released) throw new EngineError(RELEASED);
    const model = lower(graph, 'webgpu');
    const key = `${to} ${new TextDecoder('latin1').decode(model)}`;
    let executable = this.#compiled.get(key);
    if (!executable) {
      executable = new WebGpuExecutable(graph, await loadOrt().InferenceSession.create(model, {
        executionProviders: ['webgpu'], graphOptimizationLevel: 'all', logSeverityLevel: 3, preferredOutputLocation: to,
      }));
      this.#compiled.set(key, executable);
    }
    return executable;
  }

  async release(): Promise<void> {
    this.#released = true;
    this.#slots.forEach(free);
    this.#slots.clear();
    for (const executable of this.#compiled.values()) await executable.release();
    this.#compiled.clear();
  }
}

const anyOf = (x: ort.Tensor): Spec => ({ shape: x.dims.map((_, i) => `D${i}`), dtype: 'f32' });
