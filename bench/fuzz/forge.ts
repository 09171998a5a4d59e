/** Bytes of a file format written field by field, some of them lies; and bytes changed afterwards without a plan. Seeded. */
import { Random } from '../../src/artefacts/random.ts';

const EDGES = [0n, 1n, 2n, 3n, 7n, 8n, 31n, 32n, 33n, 127n, 128n, 255n, 256n, 65_535n, 65_536n, 2n ** 20n, 2n ** 26n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];

export class Forge {
  readonly random: Random;
  /** How likely a field is a lie. */
  readonly rate: number;
  #bytes = Buffer.alloc(4096);
  length = 0;

  constructor(random: Random, rate: number) {
    this.random = random;
    this.rate = rate;
  }

  below(n: number): number {
    return Math.floor(this.random.next() * n);
  }

  chance(p: number): boolean {
    return this.random.next() < p;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** `value`, or something that stands in its place. */
  lie(value: number | bigint): bigint {
    const truth = BigInt(value);
    if (!this.chance(this.rate)) return truth;
    const near = this.pick([truth + 1n, truth - 1n, truth * 2n, truth / 2n, truth ^ (1n << BigInt(this.below(63))), -truth]);
    return this.chance(0.5) ? this.pick(EDGES) : near;
  }

  u8(value: number): void {
    this.#number(this.lie(value), 1);
  }

  u32(value: number): void {
    this.#number(this.lie(value), 4);
  }

  u64(value: number | bigint): void {
    this.#number(this.lie(value), 8);
  }

  raw(bytes: Uint8Array | string): void {
    const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    this.#room(data.length);
    this.#bytes.set(data, this.length);
    this.length += data.length;
  }

  zeros(n: number): void {
    this.raw(Buffer.alloc(n));
  }

  /** Length, then characters; now and then no text at all. */
  text(value: string): void {
    const bytes = this.chance(this.rate) ? Buffer.from(Array.from({ length: this.below(12) }, () => this.below(256))) : Buffer.from(value);
    this.u64(bytes.length);
    this.raw(bytes);
  }

  bytes(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.length));
  }

  #number(value: bigint, width: 1 | 4 | 8): void {
    this.#room(width);
    let rest = BigInt.asUintN(8 * width, value);
    for (let i = 0; i < width; i++, rest >>= 8n) this.#bytes[this.length++] = Number(rest & 255n);
  }

  #room(n: number): void {
    if (this.length + n <= this.#bytes.length) return;
    const larger = Buffer.alloc(2 * (this.length + n));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** A copy of `bytes` with one to four changes: a byte, a piece left out, put twice, or moved, or the end cut off. */
export function damage(bytes: Buffer, random: Random): Buffer {
  let out = bytes;
  const at = () => Math.floor(random.next() * (out.length + 1));
  for (let n = 1 + Math.floor(random.next() * 4); n > 0; n--) {
    const [from, to, length] = [at(), at(), 1 + Math.floor(random.next() * 16)];
    const kind = Math.floor(random.next() * 6);
    if (kind <= 1) {
      out = Buffer.from(out);
      if (from < out.length) out[from] = kind === 0 ? Math.floor(random.next() * 256) : out[from]! ^ (1 << Math.floor(random.next() * 8));
    } else if (kind === 2) out = Buffer.concat([out.subarray(0, from), out.subarray(from + length)]);
    else if (kind === 3) out = Buffer.concat([out.subarray(0, from), out.subarray(to, to + length), out.subarray(from)]);
    else if (kind === 4) out = Buffer.concat([out.subarray(0, from), out.subarray(to, to + length), out.subarray(from + length)]);
    else if (random.next() < 0.3) out = out.subarray(0, from);
  }
  return out;
}

/** The source of chance of input `index` of a target: the same whatever was made before it. */
export function randomOf(target: string, seed: number, index: number): Random {
  let x = seed ^ Math.imul(index + 1, 0x9e3779b1);
  for (const character of target) x = Math.imul(x ^ character.charCodeAt(0), 0x01000193);
  return new Random(x >>> 0);
}
