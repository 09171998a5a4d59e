/** Tables of rotary position embedding: angle(p, i) = p * theta^(-2i / R), computed in double precision. */

export interface RotaryTables {
  /** [positions, R / 2] */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

export function rotaryTables(positions: number, rotaryDim: number, theta: number): RotaryTables {
  const half = rotaryDim / 2;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let i = 0; i < half; i++) {
    const frequency = theta ** ((-2 * i) / rotaryDim);
    for (let p = 0; p < positions; p++) {
      cos[p * half + i] = Math.cos(p * frequency);
      sin[p * half + i] = Math.sin(p * frequency);
    }
  }
  return { cos, sin };
}
