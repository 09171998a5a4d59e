/**
 * Names of people who have an account here, in a text: an author's own name would end the blind review, a colleague's does not belong in a
 * dataset. Names as people see them (src/collect/accounts/names.ts), of two words and more, in either order: "Anna" alone is anybody.
 */
import type { Db } from '../../store/store.ts';
import { keyOf } from '../accounts/names.ts';

const WORD = /[\p{L}\p{M}]+(?:['’-][\p{L}\p{M}]+)*/gu;
/** A letter that a name begins with: a capital, or one of a script that has none. */
const BEGINS = /^[\p{Lu}\p{Lt}\p{Lo}]/u;
const MOST_WORDS = 4;
/** Names are looked up so many at once. */
const AT_ONCE = 1000;

/** Their places, in order. Names are found as they are written: not inflected, and not inside of other words. */
export async function findColleagues(db: Db, text: string): Promise<[from: number, to: number][]> {
  const words = [...text.matchAll(WORD)].map(({ 0: match, index }) => {
    const word = match.replace(/['’]s$/u, '');
    return { word, from: index, to: index + word.length, begins: BEGINS.test(word) };
  });
  const places = new Map<string, [number, number][]>();
  const note = (name: string, place: [number, number]) => {
    const key = keyOf(name);
    places.set(key, [...(places.get(key) ?? []), place]);
  };
  for (const [i, first] of words.entries()) {
    if (!first.begins) continue;
    for (let n = 2; n <= MOST_WORDS; n++) {
      const last = words[i + n - 1];
      if (!last || /[^\s,.]/u.test(text.slice(words[i + n - 2]!.to, last.from))) break;
      if (!last.begins) continue;
      const run = words.slice(i, i + n).map(({ word }) => word);
      note(run.join(' '), [first.from, last.to]);
      if (n === 2) note(run.toReversed().join(' '), [first.from, last.to]);
    }
  }
  const found: [number, number][] = [];
  const keys = [...places.keys()];
  for (let from = 0; from < keys.length; from += AT_ONCE) {
    const rows = await db.selectFrom('users').select('name_key').where('name_key', 'in', keys.slice(from, from + AT_ONCE)).where('status', '!=', 'erased').execute();
    found.push(...rows.flatMap(({ name_key }) => places.get(name_key) ?? []));
  }
  return found.sort(([a], [b]) => a - b);
}
