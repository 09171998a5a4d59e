/** Rows of a matrix that gradients have ever reached. A row outside has moments of zero, so an update without decay would not change it. */
export class RowSet {
  readonly #member: Uint8Array;
  #rows: number[] | undefined;

  constructor(rows: number) {
    this.#member = new Uint8Array(rows);
  }

  add(row: number): void {
    if (this.#member[row]) return;
    this.#member[row] = 1;
    this.#rows = undefined;
  }

  /** Ascending. */
  rows(): readonly number[] {
    return (this.#rows ??= [...this.#member.keys()].filter((row) => this.#member[row]));
  }
}
