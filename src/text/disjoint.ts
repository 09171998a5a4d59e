/** Sets that grow together: union by the lower number, with path halving (Tarjan). */
export class DisjointSets {
  readonly #parents: Int32Array;

  constructor(count: number) {
    this.#parents = Int32Array.from({ length: count }, (_, i) => i);
  }

  /** The least member of a set. */
  find(member: number): number {
    const parents = this.#parents;
    let at = member;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at]!]!;
      at = parents[at]!;
    }
    return at;
  }

  /** Whether they were apart. */
  join(a: number, b: number): boolean {
    const [x, y] = [this.find(a), this.find(b)];
    this.#parents[Math.max(x, y)] = Math.min(x, y);
    return x !== y;
  }

  /** Group numbers from 0, in the order of their first member. */
  numbers(): Int32Array<ArrayBuffer> {
    const numbers = new Map<number, number>();
    return Int32Array.from(this.#parents, (_, member) => {
      const root = this.find(member);
      if (!numbers.has(root)) numbers.set(root, numbers.size);
      return numbers.get(root)!;
    });
  }
}
