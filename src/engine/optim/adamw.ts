/**
 * AdamW with decoupled decay and a clip by the global norm: p *= 1 - lr wd; m, v; p -= lr (m / (1 - b1^t)) /
 * (sqrt(v / (1 - b2^t)) + eps) (Loshchilov & Hutter; docs/numbers.md 3). On the CPU in one pass over memory (kernel.ts); as a
 * graph on other devices and for what does not fit a slab.
 */
import { f32, trace, type Graph, type Spec, type Tensor } from '../graph.ts';
import { add, div, mul, reduceSum, sqrt, sub } from '../ops.ts';
import { CpuArray } from '../runtime/cpu.ts';
import type { Device, DeviceArray, Executable } from '../runtime/device.ts';
import type { RowSet } from './row-set.ts';
import { fitsSlab, place, type Placed } from './slab.ts';

export interface Parameter {
  readonly name: string;
  readonly value: DeviceArray;
  readonly gradient: DeviceArray;
  readonly decay: boolean;
  /** Rows that a gradient has reached; all if absent. */
  readonly touched?: RowSet | undefined;
}

export interface AdamWOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number;
}

export interface StepOptions {
  readonly rate: number;
  /** Gradients are multiplied by this first: 1 / number of trained tokens. */
  readonly scale: number;
  /** Largest global norm of the scaled gradients; absent: no clip. */
  readonly maxNorm?: number;
}

interface Scalars {
  readonly scale: number;
  readonly decay: number;
  readonly rate: number;
  readonly beta1: number;
  readonly rest1: number;
  readonly beta2: number;
  readonly rest2: number;
  readonly correction: number;
  readonly epsilon: number;
}

/** One parameter's moments and how it is stepped. */
interface State {
  readonly parameter: Parameter;
  readonly m: DeviceArray;
  readonly v: DeviceArray;
  squares(): Promise<number>;
  update(scalars: Scalars): Promise<void>;
}

/** In one pass; rows that no gradient has reached have moments of zero and, without decay, nothing to change. */
function inPlace(parameter: Parameter, place: Placed, weightDecay: number): State {
  const { kernel } = place;
  const { shape } = parameter.value;
  const rowBytes = (4 * parameter.value.shape.reduce((a, b) => a * b, 1)) / shape[0]!;
  const runs = (): (readonly [number, number])[] => {
    if (!parameter.touched || weightDecay > 0 || rowBytes % 16 !== 0) return [[0, place.bytes]];
    return parameter.touched.rows().map((row) => [row * rowBytes, (row + 1) * rowBytes]);
  };
  return {
    parameter, m: new CpuArray('f32', shape, place.moments.m), v: new CpuArray('f32', shape, place.moments.v),
    squares: async () => runs().reduce((sum, [from, to]) => sum + kernel.squares(place.gradient + from, place.gradient + to), 0),
    update: async (s) => {
      for (const [from, to] of runs()) {
        kernel.adamw(place.value + from, place.gradient + from, place.m + from, place.v + from, place.value + to, s.scale, s.decay, s.rate, s.beta1, s.rest1, s.beta2, s.rest2, s.correction, s.epsilon);
      }
    },
  };
}

function updateGraph(shape: Spec, names: readonly string[]): Graph {
  const specs = { value: shape, gradient: shape, m: shape, v: shape, ...Object.fromEntries(names.map((name) => [name, f32()])) };
  return trace(specs, (x) => {
    const s = x as Record<keyof Scalars | 'value' | 'gradient' | 'm' | 'v', Tensor>;
    const g = mul(s.gradient, s.scale);
    const m = add(mul(s.m, s.beta1), mul(g, s.rest1));
    const v = add(mul(s.v, s.beta2), mul(mul(g, g), s.rest2));
    const step = div(mul(m, s.rate), add(sqrt(mul(v, s.correction)), s.epsilon));
    return { newValue: sub(mul(s.value, s.decay), step), newM: m, newV: v };
  });
}

/** As graphs over whole arrays. */
function asGraph(device: Device, parameter: Parameter): State {
  const { value, gradient } = parameter;
  const m = device.zeros('f32', value.shape);
  const v = device.zeros('f32', value.shape);
  const spec = f32(...['N', 'O', 'P'].slice(0, value.shape.length));
  const axes = value.shape.map((_, i) => i);
  const sum = device.zeros('f32', []);
  let update: Promise<Executable> | undefined;
  let square: Promise<Executable> | undefined;
  return {
    parameter, m, v,
    squares: async () => {
      square ??= device.compile(trace({ gradient: spec }, (x) => ({ sum: reduceSum(mul(x['gradient']!, x['gradient']!), axes, false) })));
      await (await square).run({ gradient }, { sum });
      return (await device.read(sum))[0]!;
    },
    update: async (scalars) => {
      update ??= device.compile(updateGraph(spec, Object.keys(scalars)));
      const given = Object.fromEntries(Object.entries(scalars).map(([k, x]) => [k, device.upload(Float32Array.of(x as number), [])]));
      await (await update).run({ value, gradient, m, v, ...given }, { newValue: value, newM: m, newV: v });
    },
  };
}

export class AdamW {
  readonly #options: Required<AdamWOptions>;
  readonly #states: readonly State[];
  #steps = 0;

  /** On the CPU the parameters' memory is moved; arrays that share memory with others (views) stay where they are. */
  constructor(device: Device, parameters: readonly Parameter[], { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 }: AdamWOptions = {}) {
    this.#options = { beta1, beta2, epsilon, weightDecay };
    const movable = parameters.filter(({ value, gradient }) => value instanceof CpuArray && gradient instanceof CpuArray && !value.isView && fitsSlab(value));
    const places = new Map(place(movable as unknown as { value: CpuArray; gradient: CpuArray }[]).map((p, i) => [movable[i]!, p]));
    this.#states = parameters.map((parameter) => {
      const placed = places.get(parameter);
      return placed ? inPlace(parameter, placed, weightDecay) : asGraph(device, parameter);
    });
  }

  /** Updates made so far. */
  get steps(): number {
    return this.#steps;
  }

  moments(): { name: string; m: DeviceArray; v: DeviceArray }[] {
    return this.#states.map(({ parameter, m, v }) => ({ name: parameter.name, m, v }));
  }

  /** To be called after values and moments were restored. */
  async restore(device: Device, steps: number): Promise<void> {
    this.#steps = steps;
    for (const { parameter, v } of this.#states) {
      if (!parameter.touched) continue;
      const width = v.shape.slice(1).reduce((a, b) => a * b, 1);
      (await device.read(v)).forEach((x, i) => x !== 0 && parameter.touched!.add(Math.floor(i / width)));
    }
  }

  /** Euclidean norm of all gradients together, before any scale. */
  async gradientNorm(): Promise<number> {
    let total = 0;
    for (const state of this.#states) total += await state.squares();
    return Math.sqrt(total);
  }

  /** One update of every parameter. Gives the norm of the scaled gradients before the clip. */
  async step({ rate, scale, maxNorm }: StepOptions): Promise<number> {
    const norm = (await this.gradientNorm()) * scale;
    const clip = maxNorm === undefined ? 1 : Math.min(1, maxNorm / (norm + 1e-6));
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    const t = this.#steps + 1;
    const scalars: Omit<Scalars, 'decay'> = {
      scale: scale * clip, rate: rate / (1 - beta1 ** t), beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2, correction: 1 / (1 - beta2 ** t), epsilon,
    };
    for (const state of this.#states) await state.update({ ...scalars, decay: state.parameter.decay ? 1 - rate * weightDecay : 1 });
    this.#steps = t;
    return norm;
  }
}
