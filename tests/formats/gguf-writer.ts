/** Makes small valid GGUF files for tests, which then corrupt them at marked bytes. Not a product: whole file in memory. */

/** Metadata with its type spelled out, as `[type id, value]`; arrays as `[9, [entry type id, entries]]`. */
export type TypedValue = readonly [type: number, value: unknown];

export interface TensorSource {
  readonly name: string;
  /** Row-major; written innermost first. */
  readonly shape: readonly number[];
  readonly type: number;
  readonly data: Uint8Array;
}

export interface GgufSource {
  readonly version?: number;
  readonly alignment?: number;
  readonly metadata?: readonly (readonly [key: string, value: TypedValue])[];
  readonly tensors?: readonly TensorSource[];
}

export const ggml = { F32: 0, F16: 1, Q8_0: 8 } as const;

export const float32Bytes = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

/** One Q8_0 block of 32 whole numbers in -127..127 with the float16 scale of the given bits. */
export function q8Block(scaleBits: number, values: readonly number[]): Uint8Array {
  const block = Buffer.alloc(34);
  block.writeUInt16LE(scaleBits, 0);
  values.forEach((value, i) => block.writeInt8(value, 2 + i));
  return block;
}

/** The file, and the byte offsets of its parts by name: "tensor count", "a dimension 0", "a type", "a offset", "k value" … */
export function ggufFile(source: GgufSource): { bytes: Buffer; marks: Map<string, number> } {
  const { version = 3, alignment = 32, metadata = [], tensors = [] } = source;
  const out = new Out();
  out.raw(Buffer.from('GGUF'));
  out.mark('version').uint32(version);
  out.mark('tensor count').uint64(tensors.length);
  out.mark('pair count').uint64(metadata.length);
  for (const [key, [type, value]] of metadata) {
    out.mark(`${key} key`).string(key);
    out.mark(`${key} type`).uint32(type);
    out.mark(`${key} value`).value(type, value);
  }
  let offset = 0;
  const places: number[] = [];
  for (const { name, shape, type, data } of tensors) {
    out.mark(`${name} name`).string(name);
    out.mark(`${name} rank`).uint32(shape.length);
    shape.toReversed().forEach((size, i) => out.mark(`${name} dimension ${i}`).uint64(size));
    out.mark(`${name} type`).uint32(type);
    out.mark(`${name} offset`).uint64(offset);
    places.push(offset);
    offset = Math.ceil((offset + data.length) / alignment) * alignment;
  }
  out.pad(alignment);
  const start = out.length;
  out.mark('data');
  tensors.forEach(({ data }, i) => {
    while (out.length < start + places[i]!) out.raw(Buffer.alloc(1));
    out.raw(data);
  });
  return { bytes: out.bytes(), marks: out.marks };
}

class Out {
  readonly marks = new Map<string, number>();
  readonly #parts: Uint8Array[] = [];
  length = 0;

  mark(name: string): this {
    this.marks.set(name, this.length);
    return this;
  }

  raw(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.length += bytes.length;
  }

  pad(alignment: number): void {
    this.raw(Buffer.alloc((alignment - (this.length % alignment)) % alignment));
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  uint32(value: number): void {
    this.value(4, value);
  }

  uint64(value: number | bigint): void {
    this.value(10, value);
  }

  string(text: string): void {
    const bytes = Buffer.from(text);
    this.uint64(bytes.length);
    this.raw(bytes);
  }

  value(type: number, value: unknown): void {
    if (type === 8) return this.string(value as string);
    if (type === 9) {
      const [entryType, entries] = value as [number, unknown[]];
      this.uint32(entryType);
      this.uint64(entries.length);
      for (const entry of entries) this.value(entryType, entry);
      return;
    }
    const bytes = Buffer.alloc([1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8][type]!);
    if (type === 0) bytes.writeUInt8(value as number);
    else if (type === 1) bytes.writeInt8(value as number);
    else if (type === 2) bytes.writeUInt16LE(value as number);
    else if (type === 3) bytes.writeInt16LE(value as number);
    else if (type === 4) bytes.writeUInt32LE(value as number);
    else if (type === 5) bytes.writeInt32LE(value as number);
    else if (type === 6) bytes.writeFloatLE(value as number);
    else if (type === 7) bytes.writeUInt8(value ? 1 : 0);
    else if (type === 10) bytes.writeBigUInt64LE(BigInt(value as number));
    else if (type === 11) bytes.writeBigInt64LE(BigInt(value as number));
    else bytes.writeDoubleLE(value as number);
    this.raw(bytes);
  }
}
