/** Blocks and rows that llama.cpp made: the project's own fixture (tools/ggml-fixture), and the shared data where it is. */
import { existsSync, readFileSync } from 'node:fs';

interface Fixture {
  /** Type -> SHA-256 of the values of pseudo-random blocks. */
  readonly dequantised: Readonly<Record<string, string>>;
  /** float32 rows of 256 values, in base64. */
  readonly rows: string;
  /** Type -> the rows as blocks, in base64. */
  readonly quantised: Readonly<Record<string, string>>;
  /** Type -> SHA-256 of `manyRows` as blocks. */
  readonly many: Readonly<Record<string, string>>;
}

export const fixture = (): Fixture => JSON.parse(readFileSync(new URL('../fixtures/ggml/llamacpp.json', import.meta.url), 'utf8')) as Fixture;

export const float32 = (bytes: Uint8Array): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer);

/** The 2048 rows of `many_rows` in tools/ggml-fixture/make_fixtures.py. */
export function manyRows(): Float32Array {
  let state = 1;
  const draw = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
  return Float32Array.from({ length: 2048 * 256 }, (_, at) => {
    const kind = (at >>> 8) % 8;
    const whole = draw() - 2 ** 23;
    const other = draw();
    const kinds = [whole, Math.abs(whole), (whole >> 17) * 2 ** 17, (whole * other) / 2 ** 24, -(2 ** 23) - (other >> 10)];
    kinds.push(whole / 2 ** ((at & 255) >> 5), (whole * (other >> 12) ** 2) / 2 ** 24, other % 16 > 0 ? 0 : whole);
    return kinds[kind]! / 2 ** 24 + 0; // whole numbers in Python have no negative zero
  });
}

const shared = new URL('../../../shared/data/ggml-quants/', import.meta.url);

export const needsShared = { skip: existsSync(shared) ? false : 'needs ../shared/data' };

/** Two rows and their blocks, by the name that their files begin with. */
export function sharedVectors(name: string): { input: Float32Array; expected: Uint8Array } {
  const read = (part: string): Uint8Array => readFileSync(new URL(`${name}_noim_${part}.bin`, shared));
  return { input: float32(read('input')), expected: read('expected') };
}

/** Root mean square of the difference, relative to that of the input. */
export function relativeLoss(input: Float32Array, output: Float32Array): number {
  let lost = 0;
  let all = 0;
  input.forEach((value, i) => {
    lost += (value - output[i]!) ** 2;
    all += value ** 2;
  });
  return Math.sqrt(lost / all);
}
