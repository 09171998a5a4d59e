/** Published tensors -> arrays of the engine. Every parameter must be there in its shape, and nothing else may be. */
import type { Device, DeviceArray } from '../engine/index.ts';
import { InputError } from '../errors.ts';
import type { TensorReader } from '../formats/tensors.ts';
import { isById, parametersOf, type Architecture } from './architecture.ts';

/** Values in the host's memory by published name. */
export type Weights = Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;

/** On the CPU the arrays share memory with `weights`. */
export const uploadWeights = (weights: Weights, device: Device): Map<string, DeviceArray> =>
  new Map([...weights].map(([name, { shape, data }]) => [name, device.upload(data, shape)]));

/** The base's own names where they differ from the published ones, e.g. in GGUF. */
export interface WeightSource {
  readonly path: string;
  names(): Iterable<string>;
  shape(name: string): readonly number[] | undefined;
  read(name: string, out: Float32Array): void;
}

export function sourceOf(reader: TensorReader): WeightSource {
  return {
    path: reader.path,
    names: () => reader.tensors.keys(),
    shape: (name) => reader.tensors.get(name)?.shape,
    read: (name, out) => reader.readFloat32(name, out),
  };
}

const show = (shape: readonly number[] | undefined) => (shape ? `[${shape.join(', ')}]` : 'nothing');

/** The parameters of a model, one at a time: for what need not have all of them in memory. */
export interface ParameterReader {
  /** The values by published name; in `room`, where it is given: it has their number. */
  read(name: string, room?: Float32Array): Float32Array;
  close(): void;
}

/**
 * Reads parameters of `a` by published name. The embedding and head of the source, and the head's bias, may have more or fewer rows
 * than `a.vocabSize` (docs/numbers.md 1 and 4): rows beyond are left out; rows that are missing start as the mean of the others.
 * @throws InputError for a tensor that is missing, has another shape, or belongs to nothing.
 */
export function parameterReader(a: Architecture, source: WeightSource): ParameterReader['read'] {
  const parameters = parametersOf(a);
  for (const name of source.names()) {
    // A tied head may be stored twice; the embedding is the one that counts.
    if (!parameters.has(name) && !a.isBuffer(name) && !(a.tied && /^(lm_head|embed_out)\.weight$/.test(name))) {
      throw new InputError({ expected: `only tensors of a ${a.type} model`, found: `a tensor ${name}`, where: source.path, remedy: 'The file may belong to another architecture than its config says.' });
    }
  }
  return (name, room) => {
    const { shape } = parameters.get(name)!;
    const found = source.shape(name);
    const byId = isById(a, name);
    const fits = found && found.length === shape.length && found.every((n, i) => n === shape[i] || (i === 0 && byId && n > 0));
    if (!fits) throw new InputError({ expected: `${name} as [${shape.join(', ')}]`, found: show(found), where: source.path, remedy: 'Check that config and weights belong together.' });
    const data = room ?? new Float32Array(shape.reduce((x, y) => x * y, 1));
    if (found[0] === shape[0]) source.read(name, data);
    else resizeRows(source, name, found[0]!, found[1] ?? 1, data);
    return data;
  };
}

/** Reads all parameters of `a`, as `parameterReader` does. @throws InputError */
export function readWeights(a: Architecture, source: WeightSource): Weights {
  const read = parameterReader(a, source);
  return new Map([...parametersOf(a)].map(([name, { shape }]) => [name, { shape, data: read(name) }]));
}

function resizeRows(source: WeightSource, name: string, rows: number, width: number, out: Float32Array): void {
  const all = new Float32Array(rows * width);
  source.read(name, all);
  out.set(all.subarray(0, Math.min(all.length, out.length)));
  if (out.length <= all.length) return;
  const mean = new Float64Array(width);
  all.forEach((v, i) => (mean[i % width]! += v / rows));
  for (let at = all.length; at < out.length; at++) out[at] = mean[at % width]!;
}
