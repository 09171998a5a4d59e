/**
 * The fits inside of Q4_K, Q5_K and Q6_K, four groups of values at once: each lane of a vector has a group of its own, so every sum is taken in the order in
 * which ggml's scalar code takes it and has its bits. As WebAssembly, because JavaScript rounds to float32 at three times the cost and has no lanes
 * (docs/decisions/0034). Source of the arithmetic: `make_qkx2_quants` and `make_qx_quants` in ggml/src/ggml-quants.c.
 */
import { assemble, each, f32x4, FunctionBuilder, i32, I32, i32x4, v128, V128, when, type Code, type Local } from './wasm.ts';

/** Values of one call: their copies stay in the cache. Whole blocks of 256. */
export const FIT_VALUES = 2 ** 14;

const tenth = Math.fround(0.1);
const { fround } = Math;

// Where things lie in the module's memory, in bytes.
const lanes = { x: 0, weight: 512, trial: 1024, codes: 1536 };
const tables = { q4: 2048, q5: 2176, q6: 2304 };
const source = 4096;
const codesAt = source + 4 * FIT_VALUES;
const scalesAt = codesAt + FIT_VALUES;
const minimaAt = scalesAt + 4 * (FIT_VALUES / 16);
const pages = Math.ceil((minimaAt + 4 * (FIT_VALUES / 32)) / 65536);

/** Spacings that are tried after the first, of Q4_K (codes to 15) and Q5_K (to 31). */
const spacings = (highest: number, first: number, steps: number): number[] => Array.from({ length: steps + 1 }, (_, step) => fround(fround(first + fround(tenth * step)) + highest));
const TRIES = { q4: spacings(15, -1, 20), q5: spacings(31, -0.5, 15) };
/** The code of the extreme value: 32, then 32 - 0.9 to 32 + 0.9. */
const CENTRED = Array.from({ length: 19 }, (_, turn) => -fround(32 + fround(tenth * (turn === 0 ? 0 : turn < 10 ? turn - 10 : turn - 9))));
/** A group whose largest value is below this is all zeros. */
export const NEGLIGIBLE = fround(1e-15);

/** The nearest integer, halves to even: from the mantissa of the sum with 1.5 x 2^23; what those bits say beyond 2^22, as in C. */
const nearest = (value: Code): Code => i32x4.sub(v128.and(f32x4.add(value, f32x4.const(12582912)), i32x4.const(0x7fffff)), i32x4.const(0x400000));

/** The vectors of a group's places, one after the other, in fours. */
const places = (p: Local, count: number, body: (offset: number) => Code): Code =>
  each(p, i32.const(0), i32.const(16 * count), 64, [0, 16, 32, 48].flatMap(body));

/** Value `i` of each of four groups of `size`, from `from`, as vectors. */
const gather = (from: Local, size: number): Code =>
  Array.from({ length: size }, (_, i) => v128.store(i32.const(0), [0, 1, 2, 3].reduce((into: Code, lane) => v128.loadLane(from.get, into, lane, 4 * (size * lane + i)), f32x4.const(0)), lanes.x + 16 * i)).flat();

/** Codes of four groups as bytes, group after group. */
const scatter = (vectors: number, to: Local, size: number): Code =>
  Array.from({ length: size }, (_, i) => [0, 1, 2, 3].flatMap((lane) => i32.store8(to.get, i32x4.extract(v128.load(i32.const(0), vectors + 16 * i), lane), size * lane + i))).flat();

/** x ≈ scale × code + minimum, minimum ≤ 0, in groups of 32: from the range, then by weighted least squares over the spacings of a table. */
function fitWithMinimum(): FunctionBuilder {
  const f = new FunctionBuilder();
  const [from, end, codes, scalesTo, minimaTo, table, tableEnd, highest] = Array.from({ length: 8 }, () => f.param()) as [Local, Local, Local, Local, Local, Local, Local, Local];
  const [p, step] = [f.local(I32), f.local(I32)];
  const vector = () => f.local(V128);
  const [x, w, code, value, squares, typical, minimum, most, sumW, sumX, inverse, scale, least, error] = Array.from({ length: 14 }, vector) as Local[] & { length: 14 };
  const [sumL, sumLL, sumXL, determinant, trialScale, trialMinimum, trialError, better, flat, flatMinimum, top] = Array.from({ length: 11 }, vector) as Local[] & { length: 11 };
  const at = (array: keyof typeof lanes, offset: number): Code => v128.load(p.get, lanes[array] + offset);
  const clamped = (v: Code): Code => i32x4.min(i32x4.max(nearest(v), i32x4.const(0)), top!.get);
  const zero = f32x4.const(0);
  /** Adds weight × (fitScale × code + fitMinimum - x)² to `sum`. */
  const addError = (sum: Local, fitScale: Local, fitMinimum: Local, codeValue: Code): Code => [
    ...error!.set(f32x4.sub(f32x4.add(f32x4.mul(fitScale.get, f32x4.fromI32(codeValue)), fitMinimum.get), x!.get)),
    ...sum.set(f32x4.add(sum.get, f32x4.mul(w!.get, f32x4.mul(error!.get, error!.get)))),
  ];
  f.body = each(from, from.get, end.get, 512, [
    ...gather(from, 32),
    ...top!.set(i32x4.splat(highest.get)),
    ...squares!.set(zero),
    ...places(p, 32, (o) => [...x!.set(at('x', o)), ...squares!.set(f32x4.add(squares!.get, f32x4.mul(x!.get, x!.get)))]),
    ...typical!.set(f32x4.sqrt(f32x4.div(squares!.get, f32x4.const(32)))),
    // The sums begin with the first value, not with zero added to it; the two are the same but for the sign of a zero.
    ...p.set(i32.const(0)),
    ...minimum!.set(at('x', 0)), ...most!.set(minimum!.get), ...sumW!.set(zero), ...sumX!.set(zero),
    ...places(p, 32, (o) => [
      ...x!.set(at('x', o)), ...w!.set(f32x4.add(typical!.get, f32x4.abs(x!.get))), ...v128.store(p.get, w!.get, lanes.weight + o),
      ...minimum!.set(f32x4.lesser(minimum!.get, x!.get)), ...most!.set(f32x4.larger(most!.get, x!.get)),
      ...sumW!.set(f32x4.add(sumW!.get, w!.get)), ...sumX!.set(f32x4.add(sumX!.get, f32x4.mul(w!.get, x!.get))),
    ]),
    ...minimum!.set(v128.select(f32x4.greater(minimum!.get, zero), zero, minimum!.get)),
    ...flat!.set(f32x4.equal(most!.get, minimum!.get)), ...flatMinimum!.set(minimum!.get),
    ...inverse!.set(f32x4.div(f32x4.fromI32(top!.get), f32x4.sub(most!.get, minimum!.get))),
    ...scale!.set(f32x4.div(f32x4.const(1), inverse!.get)),
    ...least!.set(zero),
    ...places(p, 32, (o) => [
      ...x!.set(at('x', o)), ...w!.set(at('weight', o)),
      ...code!.set(clamped(f32x4.mul(inverse!.get, f32x4.sub(x!.get, minimum!.get)))), ...v128.store(p.get, code!.get, lanes.codes + o),
      ...addError(least!, scale!, minimum!, code!.get),
    ]),
    ...each(step, table.get, tableEnd.get, 4, [
      ...inverse!.set(f32x4.div(v128.loadSplat(step.get, 0), f32x4.sub(most!.get, minimum!.get))),
      ...sumL!.set(zero), ...sumLL!.set(zero), ...sumXL!.set(zero),
      ...places(p, 32, (o) => [
        ...x!.set(at('x', o)),
        ...code!.set(clamped(f32x4.mul(inverse!.get, f32x4.sub(x!.get, minimum!.get)))), ...v128.store(p.get, code!.get, lanes.trial + o),
        ...value!.set(f32x4.fromI32(code!.get)), ...w!.set(f32x4.mul(at('weight', o), value!.get)),
        ...sumL!.set(f32x4.add(sumL!.get, w!.get)),
        ...sumLL!.set(f32x4.add(sumLL!.get, f32x4.mul(w!.get, value!.get))),
        ...sumXL!.set(f32x4.add(sumXL!.get, f32x4.mul(w!.get, x!.get))),
      ]),
      ...determinant!.set(f32x4.sub(f32x4.mul(sumW!.get, sumLL!.get), f32x4.mul(sumL!.get, sumL!.get))),
      ...trialScale!.set(f32x4.div(f32x4.sub(f32x4.mul(sumW!.get, sumXL!.get), f32x4.mul(sumX!.get, sumL!.get)), determinant!.get)),
      ...trialMinimum!.set(f32x4.div(f32x4.sub(f32x4.mul(sumLL!.get, sumX!.get), f32x4.mul(sumL!.get, sumXL!.get)), determinant!.get)),
      ...better!.set(f32x4.greater(trialMinimum!.get, zero)),
      ...trialScale!.set(v128.select(better!.get, f32x4.div(sumXL!.get, sumLL!.get), trialScale!.get)),
      ...trialMinimum!.set(v128.select(better!.get, zero, trialMinimum!.get)),
      ...trialError!.set(zero),
      ...places(p, 32, (o) => [...x!.set(at('x', o)), ...w!.set(at('weight', o)), ...addError(trialError!, trialScale!, trialMinimum!, at('trial', o))]),
      ...better!.set(v128.and(f32x4.greater(determinant!.get, zero), f32x4.less(trialError!.get, least!.get))),
      ...when(v128.anyTrue(better!.get), [
        ...least!.set(v128.select(better!.get, trialError!.get, least!.get)),
        ...scale!.set(v128.select(better!.get, trialScale!.get, scale!.get)),
        // Later spacings start from this minimum.
        ...minimum!.set(v128.select(better!.get, trialMinimum!.get, minimum!.get)),
        ...places(p, 32, (o) => v128.store(p.get, v128.select(better!.get, at('trial', o), at('codes', o)), lanes.codes + o)),
      ]),
    ]),
    ...places(p, 32, (o) => v128.store(p.get, v128.andNot(at('codes', o), flat!.get), lanes.codes + o)),
    ...v128.store(scalesTo.get, v128.andNot(scale!.get, flat!.get), 0),
    ...v128.store(minimaTo.get, f32x4.negate(v128.select(flat!.get, flatMinimum!.get, minimum!.get)), 0),
    ...scatter(lanes.codes, codes, 32),
    ...codes.set(i32.add(codes.get, i32.const(128))), ...scalesTo.set(i32.add(scalesTo.get, i32.const(16))), ...minimaTo.set(i32.add(minimaTo.get, i32.const(16))),
  ]);
  return f;
}

/** x ≈ scale × (code - 32) in groups of 16, with weights x²: the extreme value gets one of 19 codes around the lowest, the best of the fits is taken. */
function fitCentred(): FunctionBuilder {
  const f = new FunctionBuilder();
  const [from, end, codes, scalesTo] = Array.from({ length: 4 }, () => f.param()) as [Local, Local, Local, Local];
  const [p, step] = [f.local(I32), f.local(I32)];
  const [x, w, code, value, extreme, largest, inverse, scale, best, sumXL, sumLL, better, product, first] = Array.from({ length: 14 }, () => f.local(V128)) as Local[] & { length: 14 };
  const at = (array: keyof typeof lanes, offset: number): Code => v128.load(p.get, lanes[array] + offset);
  const zero = f32x4.const(0);
  f.body = each(from, from.get, end.get, 256, [
    ...gather(from, 16),
    ...extreme!.set(zero), ...largest!.set(zero), ...scale!.set(zero), ...best!.set(zero), ...first!.set(i32x4.const(-1)),
    ...places(p, 16, (o) => [
      ...x!.set(at('x', o)), ...value!.set(f32x4.abs(x!.get)), ...better!.set(f32x4.greater(value!.get, largest!.get)),
      ...largest!.set(v128.select(better!.get, value!.get, largest!.get)), ...extreme!.set(v128.select(better!.get, x!.get, extreme!.get)),
      ...v128.store(p.get, f32x4.mul(x!.get, x!.get), lanes.weight + o),
    ]),
    ...each(step, i32.const(tables.q6), i32.const(tables.q6 + 4 * CENTRED.length), 4, [
      ...inverse!.set(f32x4.div(v128.loadSplat(step.get, 0), extreme!.get)),
      ...sumXL!.set(zero), ...sumLL!.set(zero),
      ...places(p, 16, (o) => [
        ...x!.set(at('x', o)), ...w!.set(at('weight', o)),
        ...code!.set(i32x4.min(i32x4.max(nearest(f32x4.mul(inverse!.get, x!.get)), i32x4.const(-32)), i32x4.const(31))),
        ...v128.store(p.get, i32x4.add(code!.get, i32x4.const(32)), lanes.trial + o), ...value!.set(f32x4.fromI32(code!.get)),
        ...sumXL!.set(f32x4.add(sumXL!.get, f32x4.mul(f32x4.mul(w!.get, x!.get), value!.get))),
        ...sumLL!.set(f32x4.add(sumLL!.get, f32x4.mul(f32x4.mul(w!.get, value!.get), value!.get))),
      ]),
      ...better!.set(v128.or(first!.get, v128.and(f32x4.greater(sumLL!.get, zero), f32x4.greater(f32x4.mul(sumXL!.get, sumXL!.get), f32x4.mul(best!.get, sumLL!.get))))),
      ...first!.set(zero),
      ...when(v128.anyTrue(better!.get), [
        ...product!.set(f32x4.div(sumXL!.get, sumLL!.get)),
        ...scale!.set(v128.select(better!.get, product!.get, scale!.get)),
        ...best!.set(v128.select(better!.get, f32x4.mul(product!.get, sumXL!.get), best!.get)),
        ...places(p, 16, (o) => v128.store(p.get, v128.select(better!.get, at('trial', o), at('codes', o)), lanes.codes + o)),
      ]),
    ]),
    ...better!.set(f32x4.less(largest!.get, f32x4.const(NEGLIGIBLE))),
    ...places(p, 16, (o) => v128.store(p.get, v128.andNot(at('codes', o), better!.get), lanes.codes + o)),
    ...v128.store(scalesTo.get, v128.andNot(scale!.get, better!.get), 0),
    ...scatter(lanes.codes, codes, 16),
    ...codes.set(i32.add(codes.get, i32.const(64))), ...scalesTo.set(i32.add(scalesTo.get, i32.const(16))),
  ]);
  return f;
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly withMinimum: (...args: number[]) => void;
  readonly centred: (...args: number[]) => void;
}

/** Of one call, good until the next. */
export interface Fit {
  /** A byte for each value. */
  readonly codes: Uint8Array;
  /** One for each group. */
  readonly scales: Float32Array;
  /** Negated. */
  readonly minima: Float32Array;
}

let opened: (Exports & Fit & { readonly values: Float32Array }) | undefined;

function open(): NonNullable<typeof opened> {
  if (opened) return opened;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assemble(pages, { withMinimum: fitWithMinimum(), centred: fitCentred() })));
  const { memory, withMinimum, centred } = exports as unknown as Exports;
  const { buffer } = memory;
  for (const [place, table] of [[tables.q4, TRIES.q4], [tables.q5, TRIES.q5], [tables.q6, CENTRED]] as const) new Float32Array(buffer, place, table.length).set(table);
  return (opened = {
    memory, withMinimum, centred, values: new Float32Array(buffer, source, FIT_VALUES), codes: new Uint8Array(buffer, codesAt, FIT_VALUES),
    scales: new Float32Array(buffer, scalesAt, FIT_VALUES / 16), minima: new Float32Array(buffer, minimaAt, FIT_VALUES / 32),
  });
}

/** Groups of 32 with codes to 15, or with `five` to 31. `values`: whole blocks of 256, at most FIT_VALUES. */
export function fitGroupsWithMinimum(values: Float32Array, five: boolean): Fit {
  const kernel = open();
  kernel.values.set(values);
  const [table, tries] = five ? [tables.q5, TRIES.q5] : [tables.q4, TRIES.q4];
  kernel.withMinimum(source, source + 4 * values.length, codesAt, scalesAt, minimaAt, table, table + 4 * tries.length, five ? 31 : 15);
  return kernel;
}

/** Groups of 16 with codes to 63 around 32. `values`: whole blocks of 256, at most FIT_VALUES. */
export function fitGroupsCentred(values: Float32Array): Omit<Fit, 'minima'> {
  const kernel = open();
  kernel.values.set(values);
  kernel.centred(source, source + 4 * values.length, codesAt, scalesAt);
  return kernel;
}
