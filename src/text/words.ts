/**
 * Words of a text with their places: what is counted, compared and paid for, the same everywhere. By Intl.Segmenter, so that "word" means the same
 * in any language, on the server and in a browser. Signs that nobody sees divide no word.
 */
import { INVISIBLE } from './normalise.ts';

export interface Word {
  /** As compared: one case, NFKC, ё as е, without invisible signs. */
  readonly key: string;
  /** Offsets in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
}

const segmenters = new Map<string, Intl.Segmenter>();

function segmenter(locale: string, granularity: 'word' | 'sentence'): Intl.Segmenter {
  const name = `${locale} ${granularity}`;
  const known = segmenters.get(name);
  if (known) return known;
  const made = new Intl.Segmenter(locale, { granularity });
  segmenters.set(name, made);
  return made;
}

const UNSEEN = new RegExp(`^(?:${INVISIBLE.source})+$`, 'u');

export function wordsOf(text: string, locale = 'en'): Word[] {
  const found: Word[] = [];
  // Where the last word ends, if only invisible signs came since.
  let open = -1;
  for (const { segment, index, isWordLike } of segmenter(locale, 'word').segment(text)) {
    const end = index + segment.length;
    if (isWordLike) {
      const before = open === index ? found.at(-1) : undefined;
      if (before && before.end < index) found[found.length - 1] = { key: before.key + wordKey(segment), start: before.start, end };
      else found.push({ key: wordKey(segment), start: index, end });
      open = end;
    } else if (open === index && UNSEEN.test(segment)) open = end;
  }
  return found;
}

export const wordKey = (word: string): string => word.normalize('NFKC').toLowerCase().replaceAll('ё', 'е').replace(INVISIBLE, '');

export const countWords = (text: string, locale = 'en'): number => wordsOf(text, locale).length;

export function sentencesOf(text: string, locale = 'en'): string[] {
  return [...segmenter(locale, 'sentence').segment(text)].map(({ segment }) => segment.trim()).filter((sentence) => sentence !== '');
}

/** Words that say something: numbers, and words of four letters or more, cut to five so that most endings do not matter. */
export function contentOf(words: readonly Word[]): string[] {
  return words.filter(({ key }) => key.length >= 4 || /\d/.test(key)).map(({ key }) => (/\d/.test(key) ? key : key.slice(0, 5)));
}

/** The share of `part`'s content words that `whole` has, 0 to 1; 1 if there are none. */
export function covered(part: readonly Word[], whole: ReadonlySet<string>): number {
  const content = contentOf(part);
  return content.length === 0 ? 1 : content.filter((word) => whole.has(word)).length / content.length;
}

export interface Run {
  /** Words. */
  readonly length: number;
  /** Where it is in the first text: offsets in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
}

/** The longest run of words of `text` that stands in `other` as it is. */
export function longestRun(text: readonly Word[], other: readonly Word[]): Run {
  // Numbers instead of strings: the loop below is the only slow one of the form rules.
  const numbers = new Map<string, number>();
  const numberOf = ({ key }: Word) => numbers.get(key) ?? (numbers.set(key, numbers.size), numbers.size - 1);
  const [left, right] = [Int32Array.from(text, numberOf), Int32Array.from(other, numberOf)];
  let before = new Uint32Array(other.length + 1);
  let row = new Uint32Array(other.length + 1);
  let length = 0;
  let last = -1;
  for (let i = 0; i < left.length; i++) {
    for (let j = 0; j < right.length; j++) {
      const run = left[i] === right[j] ? before[j]! + 1 : 0;
      row[j + 1] = run;
      if (run > length) {
        length = run;
        last = i;
      }
    }
    [before, row] = [row, before];
  }
  return length === 0 ? { length, start: 0, end: 0 } : { length, start: text[last - length + 1]!.start, end: text[last]!.end };
}

/** Shared words over all words, 0 to 1 (Jaccard 1912); 0 if both are empty. */
export function wordJaccard(a: readonly Word[], b: readonly Word[]): number {
  const [left, right] = [new Set(a.map(({ key }) => key)), new Set(b.map(({ key }) => key))];
  const shared = [...left].filter((key) => right.has(key)).length;
  const all = left.size + right.size - shared;
  return all === 0 ? 0 : shared / all;
}

export interface Item {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const MARK = /^\s*(?:[-*•–—]|\(?\d{1,3}[.)]|\(?\p{L}[.)])\s+/u;

/** The items of a list: its lines, without marks; of a single line what stands between semicolons or commas, or after numbers. */
export function itemsOf(text: string): Item[] {
  const lines = pieces(text, /\n+/g);
  const marked = lines.filter((line) => MARK.test(line.text));
  if (marked.length >= 2) return marked.map(unmarked);
  if (lines.length >= 2) return lines.map(unmarked);
  const numbered = pieces(text, /(?:^|\s)\(?\d{1,3}[.)]\s+/g);
  if (numbered.length >= 2) return numbered;
  const semicolons = pieces(text, /;/g);
  return semicolons.length >= 2 ? semicolons : pieces(text, /,|\s(?:and|or|и|или)\s/g);
}

/** Ideas of a list: its items or, where these are fewer than three, the sentences of a paragraph that has more. Without `start` for a sentence. */
export function ideasOf(text: string, locale = 'en'): readonly (Item | { readonly text: string; readonly start?: undefined; readonly end?: undefined })[] {
  const items = itemsOf(text);
  if (items.length >= 3) return items;
  const sentences = sentencesOf(text, locale);
  return sentences.length > items.length ? sentences.map((sentence) => ({ text: sentence })) : items;
}

function pieces(text: string, at: RegExp): Item[] {
  const found: Item[] = [];
  let from = 0;
  const add = (to: number) => {
    const raw = text.slice(from, to);
    const start = from + raw.length - raw.trimStart().length;
    if (raw.trim() !== '') found.push({ text: raw.trim(), start, end: start + raw.trim().length });
  };
  for (const match of text.matchAll(at)) {
    add(match.index);
    from = match.index + match[0].length;
  }
  add(text.length);
  return found;
}

function unmarked(item: Item): Item {
  const mark = MARK.exec(item.text)?.[0].length ?? 0;
  return { text: item.text.slice(mark), start: item.start + mark, end: item.end };
}
