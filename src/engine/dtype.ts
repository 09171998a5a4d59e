/** Element types of the engine. Masters are fp32; integers carry ids, positions and segments; booleans carry masks. */

export type DType = 'f32' | 'i32' | 'bool';
export type HostData = Float32Array | Int32Array | Uint8Array;

export function allocate(dtype: DType, length: number): HostData {
  if (dtype === 'f32') return new Float32Array(length);
  return dtype === 'i32' ? new Int32Array(length) : new Uint8Array(length);
}
