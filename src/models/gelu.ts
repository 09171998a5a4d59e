/** The kinds of GELU by the names that published configs have for them; other activations are not implemented. */
import { ops, type Tensor } from '../engine/index.ts';
import type { ConfigReader } from './config.ts';

const KINDS = {
  gelu: (x: Tensor) => ops.gelu(x, 'erf'),
  gelu_new: (x: Tensor) => ops.gelu(x, 'tanh'),
  gelu_fast: (x: Tensor) => ops.gelu(x, 'tanh'),
  gelu_pytorch_tanh: (x: Tensor) => ops.gelu(x, 'tanh'),
} as const;

/** The kind that `field` names. @throws InputError for any other */
export const geluOf = (c: ConfigReader, field: string, fallback: keyof typeof KINDS): ((x: Tensor) => Tensor) =>
  KINDS[c.oneOf(field, Object.keys(KINDS) as (keyof typeof KINDS)[], fallback)];
