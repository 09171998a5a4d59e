/**
 * Causal attention inside segments: a query sees the keys of its own segment at its own position or before. Rows of
 * several records may lie in one call; no weight crosses from one record to another. Keys and values may have fewer
 * heads than queries (grouped-query attention): query head i reads key head floor(i / (heads / kvHeads)).
 */
import type { Tensor } from '../graph.ts';
import { and, equal, add, greaterOrEqual, matmul, reshape, softmax, transpose, where } from '../ops.ts';

export interface AttentionInputs {
  /** [Q, heads, D] */
  readonly q: Tensor;
  /** [K, kvHeads, D] */
  readonly k: Tensor;
  readonly v: Tensor;
  /** positions and segments of queries [Q] and keys [K], i32 */
  readonly qPositions: Tensor;
  readonly kPositions: Tensor;
  readonly qSegments: Tensor;
  readonly kSegments: Tensor;
}

/** Far below every score, and finite, so that no row of a softmax is all -Infinity. */
const HIDDEN = -1e30;

/** -> [Q, heads * D] */
export function attention(a: AttentionInputs): Tensor {
  const [q, heads, d] = a.q.shape as [string, number, number];
  const [k, kvHeads] = a.k.shape as [string, number];
  const groups = heads / kvHeads;
  const column = (x: Tensor) => reshape(x, q, 1);
  const row = (x: Tensor) => reshape(x, 1, k);
  const visible = and(equal(column(a.qSegments), row(a.kSegments)), greaterOrEqual(column(a.qPositions), row(a.kPositions)));
  const bias = where(visible, 0, HIDDEN);

  // One query head a key head needs no group axis; a group axis broadcasts keys over their query heads without a copy.
  const split = (x: Tensor, n: string) => (groups === 1 ? transpose(x, 1, 0, 2) : reshape(transpose(x, 1, 0, 2), kvHeads, 1, n, d));
  const queries = groups === 1 ? transpose(a.q, 1, 0, 2) : reshape(transpose(a.q, 1, 0, 2), kvHeads, groups, q, d);
  const scores = add(matmul(queries, split(a.k, k), { transB: true, alpha: 1 / Math.sqrt(d) }), bias);
  const context = matmul(softmax(scores), split(a.v, k));
  return reshape(transpose(reshape(context, heads, q, d), 1, 0, 2), q, heads * d);
}
