/**
 * Where graphs run. A `DeviceArray` is memory the engine owns: on the CPU a typed array that ONNX Runtime reads and writes
 * in place, on WebGPU a buffer that stays on the device between runs. An output may be the same array as an input whose
 * values are read only at the place being written (an accumulator): it is then updated in place.
 */
import { type DType, type HostData } from '../dtype.ts';
import { EngineError } from '../errors.ts';
import type { Graph } from '../graph.ts';
import { show } from '../shape.ts';

export interface DeviceArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Rows [start, end) of the first axis, sharing memory. On WebGPU only the whole is possible. */
  rows(start: number, end: number): DeviceArray;
  /** Sets every element to zero. */
  clear(): void;
  /** Takes over the values of an array of the same shape. */
  copyFrom(other: DeviceArray): Promise<void>;
  /** Frees memory of a device at once; on the CPU the collector does. The array must not be used any more. */
  dispose(): void;
}

export type Arrays = Readonly<Record<string, DeviceArray>>;

export interface Executable {
  /** Reads `inputs`, writes `outputs`; every name of the graph must be given, in sizes that agree. */
  run(inputs: Arrays, outputs: Arrays): Promise<void>;
}

export interface Device {
  readonly kind: 'cpu' | 'webgpu';
  /** Whether `rows` may be a part: then records can be attended to one by one without copies. */
  readonly views: boolean;
  /** Zeros. */
  zeros(dtype: DType, shape: readonly number[]): DeviceArray;
  /** Takes the data over without a copy where it can. */
  upload(data: HostData, shape: readonly number[]): DeviceArray;
  /** The values; on the CPU the array's own memory. */
  read(array: DeviceArray): Promise<HostData>;
  /** Compiles once per graph: the same graph gives the same executable. */
  compile(graph: Graph): Promise<Executable>;
  release(): Promise<void>;
}

/** Checks arrays against a graph's specs and that each symbol has one size throughout. */
export function checkArrays(graph: Graph, inputs: Arrays, outputs: Arrays): void {
  const sizes = new Map<string, number>();
  for (const [kind, specs, arrays] of [['input', graph.inputs, inputs], ['output', graph.outputs, outputs]] as const) {
    for (const name in specs) {
      const spec = specs[name]!;
      const array = arrays[name];
      if (!array) throw new EngineError(`${kind} ${name} is missing`);
      const fits = array.dtype === spec.dtype && array.shape.length === spec.shape.length && spec.shape.every((d, i) => {
        const n = array.shape[i]!;
        if (typeof d === 'number') return d === n;
        if (!sizes.has(d)) sizes.set(d, n);
        return sizes.get(d) === n;
      });
      if (!fits) throw new EngineError(`${kind} ${name}: expected ${spec.dtype}${show(spec.shape)}, got ${array.dtype}${show(array.shape)} with ${[...sizes].map(([k, v]) => `${k}=${v}`).join(' ')}`);
    }
  }
}
