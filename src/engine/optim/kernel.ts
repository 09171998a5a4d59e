/**
 * The optimizer's inner loop as WebAssembly SIMD: one pass over value, gradient and moments where a graph of element-wise
 * operators makes fifteen (docs/decisions/0003). Not a general kernel: products belong to ONNX Runtime. The module is
 * assembled here, from opcodes of the WebAssembly core specification 2.0.
 */

const I32 = 0x7f;
const F32 = 0x7d;
const F64 = 0x7c;
const V128 = 0x7b;

/** Unsigned LEB128. */
function leb(n: number): number[] {
  const bytes: number[] = [];
  do {
    bytes.push((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
    n >>>= 7;
  } while (n > 0);
  return bytes;
}

const list = (items: readonly (readonly number[])[]) => [...leb(items.length), ...items.flat()];
const section = (id: number, items: readonly (readonly number[])[]) => [id, ...leb(list(items).length), ...list(items)];
const text = (s: string) => [...leb(s.length), ...new TextEncoder().encode(s)];
const simd = (opcode: number) => [0xfd, ...leb(opcode)];

const get = (local: number) => [0x20, ...leb(local)];
const set = (local: number) => [0x21, ...leb(local)];
const i32 = (n: number) => [0x41, ...leb(n)];
const load = (pointer: number) => [...get(pointer), ...simd(0x00), 4, 0];
const store = (pointer: number, value: readonly number[]) => [...get(pointer), ...value, ...simd(0x0b), 4, 0];
const binary = (opcode: number) => (a: readonly number[], b: readonly number[]) => [...a, ...b, ...simd(opcode)];
const add = binary(0xe4);
const sub = binary(0xe5);
const mul = binary(0xe6);
const div = binary(0xe7);
const sqrt = (a: readonly number[]) => [...a, ...simd(0xe3)];
const advance = (pointer: number) => [...get(pointer), ...i32(16), 0x6a, ...set(pointer)];

/** Repeats `body` while pointer `at` is below `end`. */
const whileBelow = (at: number, end: number, body: readonly number[]) => [
  0x02, 0x40, 0x03, 0x40,
  ...get(at), ...get(end), 0x4f, 0x0d, 1, // leave when at >= end
  ...body, 0x0c, 0, 0x0b, 0x0b,
];

const code = (locals: readonly (readonly [count: number, type: number])[], body: readonly number[]) => {
  const bytes = [...list(locals.map(([n, type]) => [...leb(n), type])), ...body, 0x0b];
  return [...leb(bytes.length), ...bytes];
};

/** adamw(value, gradient, m, v, end of value, scale, decay, rate, beta1, rest1, beta2, rest2, correction, epsilon) */
function adamw(): number[] {
  const [value, gradient, m, v, end] = [0, 1, 2, 3, 4];
  const scalars = 9;
  const vector = (i: number) => get(14 + i);
  const [g, newM, newV] = [23, 24, 25];
  const [scale, decay, rate, beta1, rest1, beta2, rest2, correction, epsilon] = Array.from({ length: scalars }, (_, i) => vector(i)) as number[][];
  const splat = Array.from({ length: scalars }, (_, i) => [...get(5 + i), ...simd(0x13), ...set(14 + i)]).flat();
  return code([[scalars + 3, V128]], [
    ...splat,
    ...whileBelow(value, end, [
      ...mul(load(gradient), scale!), ...set(g),
      ...add(mul(load(m), beta1!), mul(get(g), rest1!)), ...set(newM),
      ...add(mul(load(v), beta2!), mul(mul(get(g), get(g)), rest2!)), ...set(newV),
      ...store(m, get(newM)),
      ...store(v, get(newV)),
      ...store(value, sub(mul(load(value), decay!), div(mul(get(newM), rate!), add(sqrt(mul(get(newV), correction!)), epsilon!)))),
      ...[value, gradient, m, v].flatMap(advance),
    ]),
  ]);
}

/** squares(from, end) -> sum of squares, in double precision */
function squares(): number[] {
  const [from, end, x, low, high] = [0, 1, 2, 3, 4];
  const promote = (v: readonly number[]) => [...v, ...simd(0x5f)];
  const upper = [...get(x), ...get(x), ...simd(0x0d), 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];
  const addSquare = (sum: number, v: readonly number[]) => [...v, ...set(5), ...get(sum), ...get(5), ...get(5), ...simd(0xf2), ...simd(0xf0), ...set(sum)];
  const lane = (v: number, i: number) => [...get(v), ...simd(0x21), i];
  return code([[4, V128]], [
    ...whileBelow(from, end, [...load(from), ...set(x), ...addSquare(low, promote(get(x))), ...addSquare(high, promote(upper)), ...advance(from)]),
    ...lane(low, 0), ...lane(low, 1), 0xa0, ...lane(high, 0), 0xa0, ...lane(high, 1), 0xa0,
  ]);
}

function assemble(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [[0x60, ...list([I32, I32, I32, I32, I32, F32, F32, F32, F32, F32, F32, F32, F32, F32].map((t) => [t])), 0], [0x60, 2, I32, I32, 1, F64]]),
    ...section(2, [[...text('engine'), ...text('memory'), 2, 0, 0]]),
    ...section(3, [[0], [1]]),
    ...section(7, [[...text('adamw'), 0, 0], [...text('squares'), 0, 1]]),
    ...section(10, [adamw(), squares()]),
  ]);
}

type Adamw = (value: number, gradient: number, m: number, v: number, end: number, scale: number, decay: number, rate: number, beta1: number, rest1: number, beta2: number, rest2: number, correction: number, epsilon: number) => void;

export interface Kernel {
  readonly adamw: Adamw;
  readonly squares: (from: number, end: number) => number;
}

let compiled: WebAssembly.Module | undefined;

/** The kernel over a memory; offsets are in bytes and multiples of 16. */
export function kernelOver(memory: WebAssembly.Memory): Kernel {
  compiled ??= new WebAssembly.Module(assemble());
  return new WebAssembly.Instance(compiled, { engine: { memory } }).exports as unknown as Kernel;
}
