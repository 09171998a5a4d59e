/** How sure one may be of a share: the score interval of Wilson (1927), which stays sensible for few cases and shares near 0 and 1. */

/** 95 %, both sides. */
const Z = 1.959964;

/** Lower and upper bound of the share of successes, in thousandths, rounded outwards; 0 and 1000 if there is no case. */
export function wilson(successes: number, cases: number, z: number = Z): { readonly lower: number; readonly upper: number } {
  if (cases === 0) return { lower: 0, upper: 1000 };
  const p = successes / cases;
  const middle = p + (z * z) / (2 * cases);
  const reach = z * Math.sqrt((p * (1 - p)) / cases + (z * z) / (4 * cases * cases));
  const whole = 1 + (z * z) / cases;
  return { lower: Math.max(0, Math.floor((1000 * (middle - reach)) / whole)), upper: Math.min(1000, Math.ceil((1000 * (middle + reach)) / whole)) };
}
