/**
 * How far an exported file may be from the model it was made of, by type; see docs/export.md for the reasons. An export that is
 * farther is removed. Meant to be several times wider than what sound files show, and far narrower than what any wrong order of
 * rows, wrong token or wrong key does; measured so far at f32 alone.
 */
import type { ExportType } from './types.ts';

export interface Bound {
  /** Least share of positions at which both find the same token the likeliest, near ties left out. */
  readonly top1: number;
  /** Most mean Kullback-Leibler divergence of llama.cpp's distribution from ours, in nats. */
  readonly kl: number;
  /** Most relative difference of the perplexities, in either direction. */
  readonly perplexity: number;
  readonly reason: string;
}

export const BOUNDS: Readonly<Record<ExportType, Bound>> = {
  f32: { top1: 0.99, kl: 0.001, perplexity: 0.005, reason: 'only the order of sums differs, and for GPT-NeoX the form of GELU' },
  f16: { top1: 0.97, kl: 0.005, perplexity: 0.01, reason: '11 bits of every value; llama.cpp rounds activations to F16 too' },
  bf16: { top1: 0.95, kl: 0.01, perplexity: 0.02, reason: '8 bits of every value; llama.cpp rounds activations to BF16 too' },
  q8_0: { top1: 0.93, kl: 0.02, perplexity: 0.03, reason: '8 bits, and activations of 8 bits' },
  q6_k: { top1: 0.9, kl: 0.04, perplexity: 0.05, reason: '6 bits; rows that do not fit fall back to Q8_0' },
  q5_k_m: { top1: 0.85, kl: 0.08, perplexity: 0.1, reason: '5 to 6 bits' },
  q5_k: { top1: 0.85, kl: 0.08, perplexity: 0.1, reason: '5 bits, the head too' },
  q5_1: { top1: 0.85, kl: 0.08, perplexity: 0.1, reason: '5 bits with a minimum' },
  q5_0: { top1: 0.85, kl: 0.08, perplexity: 0.1, reason: '5 bits' },
  q4_k_m: { top1: 0.75, kl: 0.25, perplexity: 0.25, reason: '4 to 6 bits; small models lose most' },
  q4_k: { top1: 0.7, kl: 0.35, perplexity: 0.35, reason: '4 bits, the head too' },
  q4_1: { top1: 0.7, kl: 0.35, perplexity: 0.35, reason: '4 bits with a minimum' },
  q4_0: { top1: 0.7, kl: 0.35, perplexity: 0.35, reason: '4 bits' },
};
