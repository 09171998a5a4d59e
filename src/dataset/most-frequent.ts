/** The value that is there most often, of several the first in their order; undefined where there is none. */
export const mostFrequent = (values: readonly string[]): string | undefined =>
  [...Map.groupBy(values, (value) => value)].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))[0]?.[0];
