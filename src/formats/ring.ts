/** Places in one buffer, taken and given back in the same order: the places of what is read ahead. */
export class Ring {
  readonly #capacity: number;
  readonly #taken: { readonly from: number; readonly to: number }[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Where `size` in a row are free, or undefined. A size of the whole capacity fits once nothing is taken. */
  take(size: number): number | undefined {
    const [oldest, newest] = [this.#taken[0], this.#taken.at(-1)];
    let from: number | undefined = 0;
    if (oldest && newest) {
      const wrapped = newest.from < oldest.from;
      if (newest.to + size <= (wrapped ? oldest.from : this.#capacity)) from = newest.to;
      else from = !wrapped && size <= oldest.from ? 0 : undefined;
    } else if (size > this.#capacity) from = undefined;
    if (from !== undefined) this.#taken.push({ from, to: from + size });
    return from;
  }

  /** Gives back the oldest. */
  free(): void {
    this.#taken.shift();
  }
}
