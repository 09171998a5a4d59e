/**
 * A small assembler for WebAssembly with SIMD: instructions are functions from their operands' code to code, and a module has one memory and exported
 * functions without results. Nothing is checked here but the engine's own validation. Format: WebAssembly core specification 2.0, chapter 5.
 */

/** Bytes of instructions. */
export type Code = readonly number[];

export const I32 = 0x7f;
export const V128 = 0x7b;
type ValueType = typeof I32 | typeof V128;

export interface Local {
  readonly get: Code;
  set(value: Code): Code;
}

function unsigned(value: number): number[] {
  const out: number[] = [];
  do {
    const byte = value & 0x7f;
    value >>>= 7;
    out.push(value ? byte | 0x80 : byte);
  } while (value);
  return out;
}

function signed(value: number): number[] {
  const out: number[] = [];
  for (;;) {
    const byte = value & 0x7f;
    value >>= 7;
    const done = (value === 0 && !(byte & 0x40)) || (value === -1 && (byte & 0x40) !== 0);
    out.push(done ? byte : byte | 0x80);
    if (done) return out;
  }
}

const vector = (items: readonly Code[]): number[] => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: Code): number[] => [id, ...unsigned(content.length), ...content];

/** Locals and parameters of one function. */
export class FunctionBuilder {
  readonly #params: ValueType[] = [];
  readonly #locals: ValueType[] = [];
  body: Code = [];

  /** All parameters come before the first local. */
  param(): Local {
    this.#params.push(I32);
    return local(this.#params.length - 1);
  }

  local(type: ValueType): Local {
    this.#locals.push(type);
    return local(this.#params.length + this.#locals.length - 1);
  }

  get type(): Code {
    return [0x60, ...vector(this.#params.map((type) => [type])), 0];
  }

  get code(): Code {
    const all = [...vector(this.#locals.map((type) => [1, type])), ...this.body, 0x0b];
    return [...unsigned(all.length), ...all];
  }
}

const local = (index: number): Local => ({ get: [0x20, ...unsigned(index)], set: (value) => [...value, 0x21, ...unsigned(index)] });

/** A module whose memory has `pages` of 64 KiB and is exported as `memory`. */
export function assemble(pages: number, functions: Readonly<Record<string, FunctionBuilder>>): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(functions);
  const name = (text: string): number[] => [...unsigned(text.length), ...Buffer.from(text)];
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, vector(entries.map(([, { type }]) => type))),
    ...section(3, vector(entries.map((_, i) => unsigned(i)))),
    ...section(5, vector([[1, ...unsigned(pages), ...unsigned(pages)]])),
    ...section(7, vector([[...name('memory'), 2, 0], ...entries.map(([key], i) => [...name(key), 0, ...unsigned(i)])])),
    ...section(10, vector(entries.map(([, { code }]) => code))),
  ]);
}

const binary = (...code: number[]) => (a: Code, b: Code): Code => [...a, ...b, ...code];
const unary = (...code: number[]) => (a: Code): Code => [...a, ...code];
const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];
const at = (align: number, offset: number): number[] => [align, ...unsigned(offset)];
/** IEEE 754 bytes, little-endian. */
const floatBytes = (value: number): Uint8Array => new Uint8Array(Float32Array.of(value).buffer);

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: binary(0x6a),
  lessUnsigned: binary(0x49),
  store8: (address: Code, value: Code, offset: number): Code => [...address, ...value, 0x3a, ...at(0, offset)],
};

/** Four lanes of 32 bits. */
export const v128 = {
  load: (address: Code, offset: number): Code => [...address, ...simd(0x00), ...at(0, offset)],
  /** One value for all lanes. */
  loadSplat: (address: Code, offset: number): Code => [...address, ...simd(0x09), ...at(0, offset)],
  loadLane: (address: Code, into: Code, lane: number, offset: number): Code => [...address, ...into, ...simd(0x56), ...at(0, offset), lane],
  store: (address: Code, value: Code, offset: number): Code => [...address, ...value, ...simd(0x0b), ...at(0, offset)],
  and: binary(...simd(0x4e)),
  /** Bits of `a` that `b` has not. */
  andNot: binary(...simd(0x4f)),
  or: binary(...simd(0x50)),
  /** Lane by lane: `a` where the mask is set, else `b`. */
  select: (mask: Code, a: Code, b: Code): Code => [...a, ...b, ...mask, ...simd(0x52)],
  anyTrue: unary(...simd(0x53)),
};

export const f32x4 = {
  const: (value: number): Code => [...simd(0x0c), ...[0, 1, 2, 3].flatMap(() => [...floatBytes(value)])],
  less: binary(...simd(0x43)),
  greater: binary(...simd(0x44)),
  equal: binary(...simd(0x41)),
  abs: unary(...simd(0xe0)),
  negate: unary(...simd(0xe1)),
  sqrt: unary(...simd(0xe3)),
  add: binary(...simd(0xe4)),
  sub: binary(...simd(0xe5)),
  mul: binary(...simd(0xe6)),
  div: binary(...simd(0xe7)),
  /** b < a ? b : a */
  lesser: binary(...simd(0xea)),
  /** a < b ? b : a */
  larger: binary(...simd(0xeb)),
  fromI32: unary(...simd(0xfa)),
};

export const i32x4 = {
  const: (value: number): Code => [...simd(0x0c), ...[0, 1, 2, 3].flatMap(() => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255])],
  extract: (a: Code, lane: number): Code => [...a, ...simd(0x1b), lane],
  splat: unary(...simd(0x11)),
  add: binary(...simd(0xae)),
  sub: binary(...simd(0xb1)),
  min: binary(...simd(0xb6)),
  max: binary(...simd(0xb8)),
};

export const when = (condition: Code, body: Code): Code => [...condition, 0x04, 0x40, ...body, 0x0b];

/** `body` with `counter` from `from`, in steps, below `to`; once at least. */
export const each = (counter: Local, from: Code, to: Code, step: number, body: Code): Code => [
  ...counter.set(from), 0x03, 0x40, ...body, ...counter.set(i32.add(counter.get, i32.const(step))), ...i32.lessUnsigned(counter.get, to), 0x0d, 0, 0x0b,
];
