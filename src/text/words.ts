/** Words and sentences, as lengths are counted. Words are runs of letters and digits; in scripts without spaces, what Unicode's segmenter says. */
import { INVISIBLE } from './normalise.ts';

const WORD = /[\p{L}\p{M}\p{N}]+(?:['’.,_-][\p{L}\p{M}\p{N}]+)*/gu;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

let segmenter: Intl.Segmenter | undefined;

/** Words of a text, in order, in lower case. */
export function wordsOf(text: string): string[] {
  const clean = text.replace(INVISIBLE, '').toLowerCase();
  if (!UNSPACED.test(clean)) return clean.match(WORD) ?? [];
  segmenter ??= new Intl.Segmenter('und', { granularity: 'word' });
  return Array.from(segmenter.segment(clean)).filter(({ isWordLike }) => isWordLike).map(({ segment }) => segment);
}

export const countWords = (text: string): number => wordsOf(text).length;

/** Items of a list in running text: lines that begin with a mark or number; else all lines; else what commas and semicolons divide. */
export function listItems(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  const marked = lines.filter((line) => /^(?:[-*•–—·]|\(?\d{1,3}[.):]|\(?[a-z][.)]|step \d)/iu.test(line));
  if (marked.length >= 2) return marked;
  if (lines.length >= 3) return lines;
  const numbered = text.split(/(?<!\w)\(?\d{1,2}[.)] ?(?=\p{L})/u).slice(1);
  if (numbered.length >= 2) return numbered;
  const parts = text.split(/[,;]| and | or | и | или /u).map((part) => part.trim()).filter((part) => part !== '');
  const sentences = text.split(/(?<=[.!?])\s+/u).filter((part) => part.trim() !== '');
  return parts.length >= sentences.length ? parts : sentences;
}
