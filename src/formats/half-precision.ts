/**
 * bfloat16 and IEEE 754 binary16 ("float16") to and from float32, over typed arrays, as bit patterns.
 * To the narrow type: round to nearest, ties to even; overflow gives infinity; subnormals are kept; a NaN stays a
 * NaN (made quiet, sign and leading payload bits kept). To float32: exact.
 */

const bits32 = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);

export function bfloat16ToFloat32(source: Uint16Array, out: Float32Array): void {
  const target = bits32(out);
  for (let i = 0; i < source.length; i++) target[i] = source[i]! << 16;
}

export function float32ToBfloat16(source: Float32Array, out: Uint16Array): void {
  const from = bits32(source);
  for (let i = 0; i < from.length; i++) {
    const bits = from[i]!;
    const isNaN = (bits & 0x7fffffff) > 0x7f800000;
    // Adding half of the dropped part, less one when the kept part is even, carries exactly when rounding up is due.
    out[i] = isNaN ? (bits >>> 16) | 0x40 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
}

/** All 65,536 float16 values as float32 bit patterns; as bits, because a float copy may change a NaN. */
let float16Table: Uint32Array | undefined;

function float16Bits(): Uint32Array {
  if (float16Table) return float16Table;
  const table = new Uint32Array(65536);
  for (let half = 0; half < 32768; half++) {
    const exponent = half >>> 10;
    const mantissa = half & 0x3ff;
    let bits: number;
    if (exponent === 31) bits = 0x7f800000 | (mantissa << 13);
    else if (exponent > 0) bits = ((exponent + 112) << 23) | (mantissa << 13);
    else if (mantissa === 0) bits = 0;
    else {
      const shift = Math.clz32(mantissa) - 21; // brings the leading one to bit 10, where float32 leaves it out
      bits = ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13);
    }
    table[half] = bits;
    table[half | 0x8000] = bits | 0x80000000;
  }
  float16Table = table;
  return table;
}

/** The 65,536 values of float16, indexed by their bits: for loops that meet one float16 at a time. */
export function float16Values(): Float32Array {
  return new Float32Array(float16Bits().buffer);
}

export function float16ToFloat32(source: Uint16Array, out: Float32Array): void {
  const table = float16Bits();
  const target = bits32(out);
  for (let i = 0; i < source.length; i++) target[i] = table[source[i]!]!;
}

/** The float16 bits nearest to the value with these float32 bits. */
function float16Of(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and above: nearer to 2^16 than to the largest float16
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  if (magnitude <= 0x33000000) return sign; // up to half of the smallest subnormal, whose tie goes to even: zero
  const dropped = 126 - (magnitude >>> 23); // 14 to 24 bits of the 24-bit mantissa fall below 2^-24
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const kept = mantissa >>> dropped;
  const rest = mantissa & ((1 << dropped) - 1);
  const tie = 1 << (dropped - 1);
  return sign | (kept + (rest > tie || (rest === tie && (kept & 1) === 1) ? 1 : 0));
}

export function float32ToFloat16(source: Float32Array, out: Uint16Array): void {
  const from = bits32(source);
  for (let i = 0; i < from.length; i++) out[i] = float16Of(from[i]!);
}

const single = new Float32Array(1);
const singleBits = bits32(single);

/** The float16 bits nearest to one value, which is rounded to float32 first. */
export function toFloat16(value: number): number {
  single[0] = value;
  return float16Of(singleBits[0]!);
}
