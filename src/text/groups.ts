/** Texts in groups of which each shares something with another: union and find. What is shared, the caller says by keys. */

/** Group numbers, from 0 in the order of their first member: members with a key in common are in one group. */
export function groupsByKeys(keys: Iterable<readonly string[]>): Int32Array {
  const parents: number[] = [];
  const find = (i: number): number => {
    let root = i;
    while (parents[root] !== root) root = parents[root]!;
    for (let at = i; parents[at] !== root; ) [at, parents[at]] = [parents[at]!, root];
    return root;
  };
  const owner = new Map<string, number>();
  let i = 0;
  for (const own of keys) {
    parents.push(i);
    for (const key of own) {
      const other = owner.get(key);
      if (other === undefined) owner.set(key, i);
      else {
        const [a, b] = [find(other), find(i)];
        parents[Math.max(a, b)] = Math.min(a, b);
      }
    }
    i++;
  }
  const numbers = new Map<number, number>();
  return Int32Array.from(parents, (_, member) => {
    const root = find(member);
    if (!numbers.has(root)) numbers.set(root, numbers.size);
    return numbers.get(root)!;
  });
}
