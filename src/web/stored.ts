/** Small settings of this device. A browser that refuses to keep them has them for this page alone. */
type Name = `roslin.${string}`;

/** Null: never set, or refused. */
export function readStored(name: Name): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Null forgets it. */
export function writeStored(name: Name, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // Then it holds for this page alone.
  }
}
