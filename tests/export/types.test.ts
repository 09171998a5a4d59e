/** Which tensor gets which type, worked out by hand from the rules in llama.cpp's source (src/llama-quant.cpp of v0.4.0); its quantiser was not run for these. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dtypeOf, moreBits, TYPES, type ExportType, type Proportions } from '../../src/export/types.ts';

const llama = (layers: number, more: Partial<Proportions> = {}): Proportions => ({ architecture: 'llama', layers, heads: 32, kvHeads: 8, tied: false, ...more });
const neox = (layers: number): Proportions => ({ architecture: 'gptneox', layers, heads: 16, kvHeads: 16, tied: false });
const smol = llama(30, { heads: 9, kvHeads: 3, tied: true });

test('blocks with more bits', () => {
  const those = (layers: number) => Array.from({ length: layers }, (_, i) => i).filter((i) => moreBits(i, layers));
  assert.deepEqual(those(32), [0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31]);
  assert.deepEqual(those(6), [2, 5]);
  assert.deepEqual(those(2), [1]);
});

const CASES: readonly [type: ExportType, name: string, shape: number[], model: Proportions, dtype: string][] = [
  // Vectors and norms stay as they are, in every type.
  ['q4_k_m', 'blk.0.attn_norm.weight', [4096], llama(32), 'F32'],
  ['f16', 'output_norm.weight', [4096], llama(32), 'F32'],
  ['q8_0', 'blk.0.attn_qkv.bias', [3072], neox(24), 'F32'],
  ['f16', 'blk.0.ffn_up.weight', [4096, 1024], neox(24), 'F16'],
  ['bf16', 'token_embd.weight', [50304, 1024], neox(24), 'BF16'],
  // The head, or the table that stands for it.
  ['q4_k_m', 'output.weight', [128256, 4096], llama(32), 'Q6_K'],
  ['q4_k_m', 'token_embd.weight', [128256, 4096], llama(32), 'Q4_K'],
  ['q4_k_m', 'token_embd.weight', [128256, 4096], llama(32, { tied: true }), 'Q6_K'],
  ['q8_0', 'output.weight', [128256, 4096], llama(32), 'Q8_0'],
  ['q4_0', 'output.weight', [128256, 4096], llama(32), 'Q6_K'],
  ['q4_0', 'token_embd.weight', [128256, 4096], llama(32), 'Q4_0'],
  ['q5_1', 'token_embd.weight', [49152, 576], smol, 'Q8_0'],
  ['q4_k', 'output.weight', [128256, 4096], llama(32), 'Q4_K'],
  // Values and the way down.
  ['q4_k_m', 'blk.0.attn_v.weight', [1024, 4096], llama(32), 'Q6_K'],
  ['q4_k_m', 'blk.4.attn_v.weight', [1024, 4096], llama(32), 'Q4_K'],
  ['q4_k_m', 'blk.6.ffn_down.weight', [4096, 14336], llama(32), 'Q6_K'],
  ['q5_k_m', 'blk.5.ffn_down.weight', [4096, 14336], llama(32), 'Q5_K'],
  ['q5_k_m', 'blk.31.attn_v.weight', [1024, 4096], llama(32), 'Q6_K'],
  ['q4_k_m', 'blk.0.attn_k.weight', [1024, 4096], llama(32), 'Q4_K'],
  ['q4_k_m', 'blk.0.attn_qkv.weight', [3072, 1024], neox(24), 'Q6_K'],
  ['q4_k_m', 'blk.3.attn_qkv.weight', [3072, 1024], neox(24), 'Q4_K'],
  ['q6_k', 'blk.3.attn_qkv.weight', [3072, 1024], neox(24), 'Q6_K'],
  ['q4_k_m', 'blk.11.attn_v.weight', [1024, 8192], llama(80, { heads: 64 }), 'Q5_K'],
  ['q4_k_m', 'blk.11.attn_v.weight', [8192, 8192], llama(80, { heads: 64, kvHeads: 64 }), 'Q4_K'],
  ['q4_k_m', 'blk.11.attn_v.weight', [1024, 8192], llama(80, { architecture: 'qwen2', heads: 64 }), 'Q5_K'],
  // Rows that are no whole blocks of 256.
  ['q4_k_m', 'token_embd.weight', [49152, 576], smol, 'Q8_0'],
  ['q4_k_m', 'blk.0.attn_q.weight', [576, 576], smol, 'Q5_0'],
  ['q4_k_m', 'blk.0.attn_v.weight', [192, 576], smol, 'Q8_0'],
  ['q4_k_m', 'blk.0.ffn_down.weight', [576, 1536], smol, 'Q6_K'],
  ['q4_k_m', 'blk.3.ffn_down.weight', [576, 1536], smol, 'Q4_K'],
  ['q5_k_m', 'blk.0.attn_q.weight', [576, 576], smol, 'Q5_1'],
  ['q6_k', 'blk.0.attn_q.weight', [576, 576], smol, 'Q8_0'],
  // Not even blocks of 32.
  ['q4_k', 'blk.0.attn_q.weight', [48, 48], smol, 'F16'],
  ['q8_0', 'blk.0.attn_q.weight', [48, 48], smol, 'F16'],
];
for (const [type, name, shape, model, dtype] of CASES) {
  test(`${type}: ${name} [${shape.join(', ')}] of ${model.layers} blocks is ${dtype}`, () => assert.equal(dtypeOf(type, name, shape, model), dtype));
}

test('the numbers that stand for the types in a file', () => {
  assert.deepEqual(Object.entries(TYPES).map(([type, { fileType }]) => [type, fileType]), [
    ['f32', 0], ['f16', 1], ['bf16', 32], ['q8_0', 7], ['q4_0', 2], ['q4_1', 3], ['q5_0', 8], ['q5_1', 9], ['q4_k', 14], ['q5_k', 16], ['q6_k', 18], ['q4_k_m', 15], ['q5_k_m', 17],
  ]);
});
