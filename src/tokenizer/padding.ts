/** What padding would cost, for comparison: nothing here is ever padded. */
import { Random } from '../artefacts/random.ts';

const ROWS = 8;
const MULTIPLE = 8;

/** Share of useful tokens in shuffled batches of 8 rows, each padded to its longest row and to a multiple of 8, as Dolly's trainer pads them. */
export function usefulShareIfPadded(lengths: readonly number[], seed = 42): number {
  const order = new Random(seed).permutation(lengths.length);
  let padded = 0;
  for (let from = 0; from < order.length; from += ROWS) {
    const batch = [...order.subarray(from, from + ROWS)].map((i) => lengths[i]!);
    padded += batch.length * Math.ceil(Math.max(...batch) / MULTIPLE) * MULTIPLE;
  }
  return lengths.reduce((a, b) => a + b, 0) / padded;
}
