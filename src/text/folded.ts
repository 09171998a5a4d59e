/**
 * Text normalised as in normalise.ts, with the place in the original of each of its characters, so that what is found in one can be shown
 * in the other. It goes character by character (a letter with its combining marks), where normalise.ts takes the text whole: scripts
 * whose letters compose otherwise (Korean in separate jamo) come out differently.
 */
import { foldLookAlikes, INVISIBLE } from './normalise.ts';

export interface Folded {
  readonly text: string;
  /** For each unit of `text` the place in the original where it comes from, and the original's length at the end. */
  readonly places: Uint32Array;
}

/** A citation mark, a run of ASCII that nothing combines with, or a letter with its marks. */
const PIECE = /\[\d{1,3}\]|([!-Z\\-~]+)(?!\p{M})|\P{M}\p{M}*|\p{M}/gu;

export function fold(original: string): Folded {
  let text = '';
  // NFKC makes up to 18 units of one.
  let places = new Uint32Array(original.length + 32);
  let spaced = true;
  const add = (piece: string, at: number, step: 0 | 1) => {
    if (text.length + piece.length + 1 > places.length) {
      const grown = new Uint32Array(2 * places.length + piece.length);
      grown.set(places);
      places = grown;
    }
    for (let i = 0; i < piece.length; i++) places[text.length + i] = at + step * i;
    text += piece;
  };
  for (const { 0: character, 1: plain, index } of original.matchAll(PIECE)) {
    if (plain !== undefined) {
      add(plain.toLowerCase(), index, 1);
      spaced = false;
      continue;
    }
    if (character.length > 2 && character.startsWith('[') && character.endsWith(']')) continue;
    const folded = character.normalize('NFKC').replace(INVISIBLE, '').toLowerCase().replaceAll('ё', 'е');
    if (folded === '') continue;
    if (/^\s+$/u.test(folded)) {
      if (!spaced) add(' ', index, 0);
      spaced = true;
    } else {
      add(folded.replace(/\s+/gu, ' '), index, 0);
      spaced = false;
    }
  }
  const end = text.endsWith(' ') ? text.length - 1 : text.length;
  places[end] = original.length;
  return { text: foldLookAlikes(text.slice(0, end)), places: places.subarray(0, end + 1) };
}
