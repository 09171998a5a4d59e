/**
 * Text as all comparisons see it: what a reader would call the same is the same. NFKC, one case, no invisible marks, single spaces,
 * ё as е, citation marks such as [12] away, and letters that look alike in Latin and Cyrillic folded inside of one word that mixes them.
 * The original text stays beside it untouched.
 */

/** Zero-width characters, direction marks, soft hyphens, variation selectors. */
export const INVISIBLE = /[\p{Cf}\ufe00-\ufe0f\u034f]/gu;
const CITATION = /\[\d{1,3}\]/g;
const WORD = /[\p{L}\p{N}]+/gu;
const LATIN = /\p{Script=Latin}/u;
const CYRILLIC = /\p{Script=Cyrillic}/u;

/** Small letters that look alike. */
const CYRILLIC_OF: Readonly<Record<string, string>> = { a: 'а', c: 'с', e: 'е', o: 'о', p: 'р', x: 'х', y: 'у', k: 'к', m: 'м', t: 'т', h: 'н', b: 'в', i: 'і', s: 'ѕ', j: 'ј' };
const LATIN_OF: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(CYRILLIC_OF).map(([latin, cyrillic]) => [cyrillic, latin]));

/** Words of two alphabets, each in the one that most of its letters are of. The length stays. */
export const foldLookAlikes = (text: string): string => (LATIN.test(text) && CYRILLIC.test(text) ? text.replace(WORD, oneAlphabet) : text);

function oneAlphabet(word: string): string {
  if (!LATIN.test(word) || !CYRILLIC.test(word)) return word;
  const count = (script: RegExp) => word.match(script)?.length ?? 0;
  const table = count(/\p{Script=Latin}/gu) >= count(/\p{Script=Cyrillic}/gu) ? LATIN_OF : CYRILLIC_OF;
  return word.replace(/\p{L}/gu, (letter) => table[letter] ?? letter);
}

export function normalise(text: string): string {
  return foldLookAlikes(text.normalize('NFKC').replace(INVISIBLE, '').toLowerCase().replaceAll('ё', 'е').replace(CITATION, '')).replace(/\s+/gu, ' ').trim();
}
