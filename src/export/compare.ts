/** Two models' distributions at the same positions as a few figures. Pure. */

export interface Comparison {
  readonly positions: number;
  /** Share of the positions that are no near tie at which the same token is the likeliest. */
  readonly top1: number;
  /** Positions where our two likeliest tokens are closer than `TIE`: not counted in `top1`. */
  readonly ties: number;
  /** Mean and greatest Kullback-Leibler divergence of theirs from ours, in nats. */
  readonly kl: number;
  readonly kl_max: number;
  /** Of the text's own tokens. */
  readonly perplexity: { readonly ours: number; readonly theirs: number; readonly relative: number };
}

/** Logits closer than this are decided by the order of sums. */
export const TIE = 1e-3;

export class Comparer {
  #positions = 0;
  #decided = 0;
  #alike = 0;
  #kl = 0;
  #klMax = 0;
  #ours = 0;
  #theirs = 0;

  /** One position: our logits, their log-probabilities, and the token that the text goes on with. */
  add(logits: Float32Array, theirs: Float32Array, next: number): void {
    let [best, second, at, theirBest] = [-Infinity, -Infinity, 0, 0];
    for (let i = 0; i < logits.length; i++) {
      const value = logits[i]!;
      if (value > best) [second, best, at] = [best, value, i];
      else if (value > second) second = value;
      if (theirs[i]! > theirs[theirBest]!) theirBest = i;
    }
    let sum = 0;
    for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - best);
    const log = best + Math.log(sum);
    let kl = 0;
    for (let i = 0; i < logits.length; i++) {
      const own = logits[i]! - log;
      if (own > -40) kl += Math.exp(own) * (own - theirs[i]!);
    }
    this.#positions++;
    if (best - second >= TIE) {
      this.#decided++;
      if (at === theirBest) this.#alike++;
    }
    this.#kl += kl;
    this.#klMax = Math.max(this.#klMax, kl);
    this.#ours -= logits[next]! - log;
    this.#theirs -= theirs[next]!;
  }

  result(): Comparison {
    const [ours, theirs] = [Math.exp(this.#ours / this.#positions), Math.exp(this.#theirs / this.#positions)];
    return {
      positions: this.#positions, top1: this.#decided === 0 ? 1 : this.#alike / this.#decided, ties: this.#positions - this.#decided,
      kl: this.#kl / this.#positions, kl_max: this.#klMax, perplexity: { ours, theirs, relative: theirs / ours - 1 },
    };
  }
}
