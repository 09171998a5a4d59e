import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockLayouts, dtypeOfGgmlId } from '../../src/formats/ggml.ts';
import { assertRefuses } from './support.ts';

test('ids of llama.cpp map to types; others are refused by name or number', () => {
  const ids = {
    F32: 0, F16: 1, Q4_0: 2, Q4_1: 3, Q5_0: 6, Q5_1: 7, Q8_0: 8, Q2_K: 10, Q3_K: 11, Q4_K: 12, Q5_K: 13, Q6_K: 14,
    IQ4_NL: 20, IQ4_XS: 23, BF16: 30,
  };
  assert.deepEqual(Object.keys(ids).sort(), Object.keys(blockLayouts).sort());
  for (const [dtype, id] of Object.entries(ids)) assert.equal(dtypeOfGgmlId(id, 'x.gguf'), dtype);
  assertRefuses(() => dtypeOfGgmlId(16, 'x.gguf byte 5'), /^x\.gguf byte 5: expected one of .*Q6_K.* found IQ2_XXS \(ggml type 16\)/);
  assertRefuses(() => dtypeOfGgmlId(99, 'x.gguf'), /found the unknown ggml type 99/);
});
