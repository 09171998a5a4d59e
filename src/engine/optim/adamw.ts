/**
 * AdamW with decoupled decay and a clip by the global norm, as graphs: p *= 1 - lr wd; m, v; p -= lr (m / (1 - b1^t)) /
 * (sqrt(v / (1 - b2^t)) + eps) (Loshchilov & Hutter; numerics.md 3). Works through memory in pieces that stay in the
 * cache, since it is bound by memory and not by arithmetic.
 */
import type { Graph, Spec, Tensor } from '../graph.ts';
import { f32, trace } from '../graph.ts';
import { add, div, mul, reduceSum, sqrt, sub } from '../ops.ts';
import type { Device, DeviceArray, Executable } from '../runtime/device.ts';

export interface Parameter {
  readonly name: string;
  readonly value: DeviceArray;
  readonly gradient: DeviceArray;
  readonly decay: boolean;
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

interface State {
  readonly parameter: Parameter;
  readonly m: DeviceArray;
  readonly v: DeviceArray;
  readonly pieces: readonly { value: DeviceArray; gradient: DeviceArray; m: DeviceArray; v: DeviceArray }[];
}

/** Elements of one piece: 4 arrays of 64 Ki floats are 1 MiB. */
const PIECE = 65536;
const SCALARS = ['scale', 'decay', 'rate', 'beta1', 'rest1', 'beta2', 'rest2', 'correction', 'epsilon'] as const;

function updateGraph(shape: Spec): Graph {
  const specs = { value: shape, gradient: shape, m: shape, v: shape, ...Object.fromEntries(SCALARS.map((name) => [name, f32()])) };
  return trace(specs, (x) => {
    const s = x as Record<(typeof SCALARS)[number] | 'value' | 'gradient' | 'm' | 'v', Tensor>;
    const g = mul(s.gradient, s.scale);
    const m = add(mul(s.m, s.beta1), mul(g, s.rest1));
    const v = add(mul(s.v, s.beta2), mul(mul(g, g), s.rest2));
    const step = div(mul(m, s.rate), add(sqrt(mul(v, s.correction)), s.epsilon));
    return { newValue: sub(mul(s.value, s.decay), step), newM: m, newV: v };
  });
}

export class AdamW {
  readonly #device: Device;
  readonly #options: Required<AdamWOptions>;
  readonly #states: readonly State[];
  readonly #executables = new Map<string, Promise<{ update: Executable; square: Executable }>>();
  #steps = 0;

  constructor(device: Device, parameters: readonly Parameter[], { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 }: AdamWOptions = {}) {
    this.#device = device;
    this.#options = { beta1, beta2, epsilon, weightDecay };
    this.#states = parameters.map((parameter) => {
      const { shape } = parameter.value;
      const m = device.zeros('f32', shape);
      const v = device.zeros('f32', shape);
      return { parameter, m, v, pieces: this.#split({ value: parameter.value, gradient: parameter.gradient, m, v }) };
    });
  }

  /** Updates made so far, and the moments, for checkpoints. */
  get steps(): number {
    return this.#steps;
  }

  moments(): { name: string; m: DeviceArray; v: DeviceArray }[] {
    return this.#states.map(({ parameter, m, v }) => ({ name: parameter.name, m, v }));
  }

  restore(steps: number): void {
    this.#steps = steps;
  }

  #split(arrays: State['pieces'][number]): State['pieces'] {
    const n = arrays.value.shape.reduce((a, b) => a * b, 1);
    if (!this.#device.views) return [arrays];
    const flat = Object.entries(arrays).map(([name, a]) => [name, a.flat()] as const);
    return Array.from({ length: Math.ceil(n / PIECE) }, (_, i) =>
      Object.fromEntries(flat.map(([name, a]) => [name, a.rows(i * PIECE, Math.min(n, (i + 1) * PIECE))])) as unknown as State['pieces'][number]);
  }

  #compile(rank: number): Promise<{ update: Executable; square: Executable }> {
    const key = String(rank);
    let made = this.#executables.get(key);
    if (!made) {
      const shape = f32(...['N', 'O', 'P'].slice(0, rank));
      const square = trace({ gradient: shape }, ({ gradient }) => ({ sum: reduceSum(mul(gradient!, gradient!), shape.shape.map((_, i) => i), false) }));
      made = Promise.all([this.#device.compile(updateGraph(shape)), this.#device.compile(square)]).then(([update, sq]) => ({ update, square: sq }));
      this.#executables.set(key, made);
    }
    return made;
  }

  /** Euclidean norm of all gradients together, before any scale. */
  async gradientNorm(): Promise<number> {
    const sum = this.#device.zeros('f32', []);
    let total = 0;
    for (const { pieces } of this.#states) {
      for (const { gradient } of pieces) {
        const { square } = await this.#compile(gradient.shape.length);
        await square.run({ gradient }, { sum });
        total += (await this.#device.read(sum))[0]!;
      }
    }
    return Math.sqrt(total);
  }

  /** One update of every parameter. Gives the norm of the scaled gradients before the clip. */
  async step({ rate, scale, maxNorm }: StepOptions): Promise<number> {
    const norm = (await this.gradientNorm()) * scale;
    const clip = maxNorm === undefined ? 1 : Math.min(1, maxNorm / (norm + 1e-6));
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    const t = this.#steps + 1;
    const values = {
      scale: scale * clip, rate: rate / (1 - beta1 ** t), beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2, correction: 1 / (1 - beta2 ** t), epsilon,
    };
    const scalars = (decay: number) => Object.fromEntries(Object.entries({ ...values, decay }).map(([k, v]) => [k, this.#device.upload(Float32Array.of(v), [])]));
    const [decayed, plain] = [scalars(1 - rate * weightDecay), scalars(1)];
    for (const { parameter, pieces } of this.#states) {
      for (const piece of pieces) {
        const { update } = await this.#compile(piece.value.shape.length);
        await update.run({ ...piece, ...(parameter.decay ? decayed : plain) }, { newValue: piece.value, newM: piece.m, newV: piece.v });
      }
    }
    this.#steps = t;
    return norm;
  }
}
