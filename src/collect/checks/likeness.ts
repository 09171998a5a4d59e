/**
 * How alike two records of one author are: instruction and response as one text, by src/text/similar.ts. The parts alone would not do: short
 * questions of one kind begin alike. Of records about different passages the responses alone, since a question can be asked of any passage.
 */
import { normalise } from '../../text/normalise.ts';
import { SHORT, similarity } from '../../text/similar.ts';
import type { Written } from './similar-records.ts';

/** 0 to 1. */
export function likeness(a: Written, b: Written): number {
  if (a.context === b.context) return similarity(normalise(`${a.instruction}\n${a.response}`), normalise(`${b.instruction}\n${b.response}`));
  const [left, right] = [normalise(a.response), normalise(b.response)];
  return Math.min(left.length, right.length) < SHORT ? 0 : similarity(left, right);
}
