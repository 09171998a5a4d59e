/** Times by route, as percentiles. */
import type { Reply, Timed } from './caller.ts';

export interface RouteFigures {
  readonly n: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly most: number;
}

export class Times {
  #by = new Map<string, number[]>();

  readonly timed: Timed = (route: string, { ms }: Reply) => {
    const known = this.#by.get(route);
    if (known) known.push(ms);
    else this.#by.set(route, [ms]);
  };

  clear(): void {
    this.#by = new Map();
  }

  get requests(): number {
    return [...this.#by.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Of all whose route passes. */
  of(passes: (route: string) => boolean): RouteFigures {
    return figuresOf([...this.#by].filter(([route]) => passes(route)).flatMap(([, ms]) => ms));
  }

  byRoute(): Record<string, RouteFigures> {
    return Object.fromEntries([...this.#by].sort(([a], [b]) => (a < b ? -1 : 1)).map(([route, ms]) => [route, figuresOf(ms)]));
  }
}

/** By the nearest rank: a percentile is a time that was measured. */
function figuresOf(times: readonly number[]): RouteFigures {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number) => Math.round(10 * (sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0)) / 10;
  return { n: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), most: at(1) };
}
