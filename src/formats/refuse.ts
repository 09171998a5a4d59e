/** How readers of weights refuse a file: in words that may hold text from the file itself, made fit for a terminal. */
import { InputError } from '../errors.ts';
import { printable } from './printable.ts';

/** Throws InputError: `part` names the place within the file; `remedy` is given where the usual one would not help. */
export type Refuse = (expected: string, found: string, part?: string, remedy?: string) => never;

export function refuserFor(path: string, usualRemedy: string): Refuse {
  return (expected, found, part = '', remedy = usualRemedy) => {
    throw new InputError({
      expected: printable(expected),
      found: printable(found),
      where: `${path}${part && ` ${printable(part, 120)}`}`,
      remedy,
    });
  };
}

/** Git leaves a short text in the place of a large file: recognised by its first eight bytes. */
export function refuseLfsPointer(path: string, start: Buffer): void {
  if (start.toString('latin1', 0, 8) !== 'version ') return;
  const remedy = 'Fetch the weights with `git lfs pull`, or download the model again.';
  throw new InputError({ expected: 'weights', found: 'a Git LFS pointer to them', where: path, remedy });
}
