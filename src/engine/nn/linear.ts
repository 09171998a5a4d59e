/** y = x W^T + b, and the low-rank addition of LoRA. Weights lie as published: [out, in]. */
import type { Tensor } from '../graph.ts';
import { add, matmul, mul } from '../ops.ts';

/** x [T, in], weight [out, in], bias [out] -> [T, out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const y = matmul(x, weight, { transB: true });
  return bias ? add(y, bias) : y;
}

/** scale * B A x with a [r, in] and b [out, r] (PEFT's lora_A, lora_B; scale = alpha / r) -> [T, out]. */
export function lowRank(x: Tensor, a: Tensor, b: Tensor, scale: number): Tensor {
  return matmul(mul(matmul(x, a, { transB: true }), scale), b, { transB: true });
}
