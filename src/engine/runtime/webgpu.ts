/**
 * WebGPU: arrays are buffers that stay on the device from run to run. What a run writes is a new buffer, which takes the
 * place of the array's old one. Parts of an array cannot be addressed, so there are no views.
 */
import type * as ort from 'onnxruntime-node';
import { allocate, type DType, type HostData } from '../dtype.ts';
import { EngineError } from '../errors.ts';
import { trace, type Graph, type Spec } from '../graph.ts';
import { lower } from '../onnx/lower.ts';
import { add } from '../ops.ts';
import { show, size } from '../shape.ts';
import { checkArrays, type Arrays, type Device, type DeviceArray, type Executable } from './device.ts';
import { loadOrt } from './ort.ts';

const ORT_TYPE = { f32: 'float32', i32: 'int32', bool: 'bool' } as const;

class WebGpuArray implements DeviceArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly #device: WebGpuDevice;
  #tensor: ort.Tensor | undefined;

  constructor(device: WebGpuDevice, dtype: DType, shape: readonly number[], data?: HostData) {
    this.#device = device;
    this.dtype = dtype;
    this.shape = shape;
    if (data) this.#tensor = this.#wrap(data);
  }

  #wrap(data: HostData): ort.Tensor {
    return new (loadOrt().Tensor)(ORT_TYPE[this.dtype] as 'float32', data as Float32Array, this.shape);
  }

  /** Zeros are not stored until they are read. */
  get tensor(): ort.Tensor {
    return (this.#tensor ??= this.#wrap(allocate(this.dtype, size(this.shape))));
  }

  /** Takes over a buffer that a run has written. */
  replace(tensor: ort.Tensor | undefined): void {
    if (this.#tensor && this.#tensor !== tensor) this.#tensor.dispose();
    this.#tensor = tensor;
  }

  rows(start: number, end: number): WebGpuArray {
    if (start === 0 && end === this.shape[0]) return this;
    throw new EngineError(`rows ${start} to ${end} of ${show(this.shape)}: a part of an array cannot be addressed on WebGPU`);
  }

  clear(): void {
    this.replace(undefined);
  }

  async copyFrom(other: DeviceArray): Promise<void> {
    await this.#device.copy(other, this);
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
    for (const name in this.#graph.inputs) feeds[name] = (inputs[name] as WebGpuArray).tensor;
    const results = await this.#session.run(feeds);
    // Only now: an array may be both an input and an output.
    for (const name in this.#graph.outputs) (outputs[name] as WebGpuArray).replace(results[name]!);
  }

  /** Results in host memory, for reading. */
  async runToHost(inputs: Arrays): Promise<Record<string, ort.Tensor>> {
    const feeds = Object.fromEntries(Object.keys(this.#graph.inputs).map((name) => [name, (inputs[name] as WebGpuArray).tensor]));
    return (await this.#session.run(feeds)) as Record<string, ort.Tensor>;
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

const MISSING = 'WebGPU needs a graphics driver that ONNX Runtime can open: Vulkan on Linux (libvulkan.so.1 and a driver; VK_ICD_FILENAMES names a software one), Direct3D 12 on Windows, Metal on macOS. Use --device cpu, or install one; "roslin doctor" shows what is found.';

export class WebGpuDevice implements Device {
  readonly kind = 'webgpu';
  readonly views = false;
  readonly #compiled = new Map<string, WebGpuExecutable>();

  /** @throws EngineError where there is no adapter */
  static async create(): Promise<WebGpuDevice> {
    const device = new WebGpuDevice();
    try {
      await device.read(device.zeros('f32', [1]));
    } catch (cause) {
      throw new EngineError(`expected a WebGPU adapter, found none (${String(cause).split('\n')[0]!.slice(0, 200)}). ${MISSING}`, { cause });
    }
    return device;
  }

  zeros(dtype: DType, shape: readonly number[]): WebGpuArray {
    return new WebGpuArray(this, dtype, shape);
  }

  upload(data: HostData, shape: readonly number[]): WebGpuArray {
    return new WebGpuArray(this, data instanceof Float32Array ? 'f32' : data instanceof Int32Array ? 'i32' : 'bool', shape, data);
  }

  /** A graph that only passes its input on: to the device, or to host memory, since a buffer cannot be read itself. */
  #identity(array: DeviceArray, toHost: boolean): Promise<WebGpuExecutable> {
    if (array.dtype !== 'f32') throw new EngineError(`only f32 arrays can be read or copied on WebGPU, got ${array.dtype}`);
    const spec: Spec = { shape: array.shape.map((_, i) => `D${i}`), dtype: 'f32' };
    const zero: Spec = { shape: [], dtype: 'f32' };
    return this.#compile(trace({ x: spec, zero }, ({ x, zero: none }) => ({ y: add(x!, none!) })), toHost);
  }

  async read(array: DeviceArray): Promise<HostData> {
    const { y } = await (await this.#identity(array, true)).runToHost({ x: array, zero: this.zeros('f32', []) });
    return y!.data as Float32Array;
  }

  async copy(from: DeviceArray, to: DeviceArray): Promise<void> {
    await (await this.#identity(from, false)).run({ x: from, zero: this.zeros('f32', []) }, { y: to });
  }

  compile(graph: Graph): Promise<Executable> {
    return this.#compile(graph, false);
  }

  async #compile(graph: Graph, toHost: boolean): Promise<WebGpuExecutable> {
    const model = lower(graph, 'webgpu');
    const key = `${toHost} ${new TextDecoder('latin1').decode(model)}`;
    let executable = this.#compiled.get(key);
    if (!executable) {
      executable = new WebGpuExecutable(graph, await loadOrt().InferenceSession.create(model, {
        executionProviders: ['webgpu'], graphOptimizationLevel: 'all', logSeverityLevel: 3, preferredOutputLocation: toHost ? 'cpu' : 'gpu-buffer',
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
