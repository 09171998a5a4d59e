/**
 * Merkle root over records, as RFC 6962 (section 2.1) builds its tree: leaves and inner nodes are hashed with different
 * first bytes, so that no inner node can be passed off as a record. Leaves are sorted before, so the root says which
 * records there are, each as often as it is there, and nothing of the order in which they came.
 */
import { createHash, hash } from 'node:crypto';

const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);
const PARTS = Buffer.of(2);

/** The hash of a record's canonical bytes. */
export const leafHash = (bytes: Uint8Array): Buffer => createHash('sha256').update(LEAF).update(bytes).digest();

const join = (left: Uint8Array, right: Uint8Array): Buffer => hash('sha256', Buffer.concat([NODE, left, right]), 'buffer');

/** Root, hex, of leaves that are added in their sorted order. Holds one hash a level, whatever their number. */
export class MerkleTree {
  /** Roots of whole subtrees, largest first; a subtree's size is a power of two. */
  readonly #subtrees: { size: number; root: Buffer }[] = [];
  #last: Buffer | undefined;

  /** @throws Error where `leaf` is less than the one before: the caller sorts */
  add(leaf: Buffer): void {
    if (this.#last && Buffer.compare(this.#last, leaf) > 0) throw new Error('leaves were not added in order');
    this.#last = leaf;
    let subtree = { size: 1, root: leaf };
    while (this.#subtrees.at(-1)?.size === subtree.size) {
      const left = this.#subtrees.pop()!;
      subtree = { size: 2 * subtree.size, root: join(left.root, subtree.root) };
    }
    this.#subtrees.push(subtree);
  }

  /** Of no leaves: the hash of nothing. */
  root(): string {
    const [last, ...larger]: Uint8Array[] = this.#subtrees.map(({ root }) => root).reverse();
    if (!last) return createHash('sha256').digest('hex');
    return Buffer.from(larger.reduce((right, left) => join(left, right), last)).toString('hex');
  }
}

/** One root for the parts of a dataset in their order: for a single part its own. Hashed apart, so that two parts are not one that holds both. */
export function rootOfParts(roots: readonly string[]): string {
  if (roots.length === 1) return roots[0]!;
  return hash('sha256', Buffer.concat([PARTS, ...roots.map((root) => Buffer.from(root, 'hex'))]));
}
