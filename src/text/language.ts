/**
 * Which language a text is in, by the n-gram tables of `eld` (60 languages, Apache-2.0). Code, addresses and names are not
 * language and are taken away first; below six words of the rest every method guesses, so nothing is said. Measured in docs/checks.md.
 */
import { countWords } from './words.ts';

export interface Language {
  /** ISO 639-1. */
  readonly language: string;
  /** Whether the library holds it for reliable. */
  readonly sure: boolean;
  /** How near another language comes to it: 0 not at all, 1 the same. */
  nearness(language: string): number;
}

type Detect = (text: string) => { readonly language: string; isReliable(): boolean; getScores(): Readonly<Record<string, number>> };

/** Longer texts are judged by their beginning. */
const LOOKED_AT = 1000;
const LEAST_WORDS = 6;
/** A capital letter is a name more often than not, and names are of any language. Words at the beginning of sentences go too: the others tell enough. */
const NAME = /(?<!\p{L})\p{Lu}[\p{L}\p{M}\p{N}.’'-]{0,60}/gu;
const NOT_LANGUAGE = /```[\s\S]{0,4000}?```|`[^`\n]{1,200}`|https?:\/\/\S{1,500}|[\w.+-]{1,64}@[\w.-]{1,64}|\d+/gu;

let detect: Detect | undefined;

/** Loads the tables once: 1.6 MB, about 50 ms. */
export async function loadLanguages(): Promise<(text: string) => Language | undefined> {
  detect ??= (await import('eld/small')).eld.detect;
  const known = detect;
  return (text) => {
    const words = text.slice(0, 2 * LOOKED_AT).replace(NOT_LANGUAGE, ' ').slice(0, LOOKED_AT).replace(NAME, ' ');
    if (countWords(words) < LEAST_WORDS) return undefined;
    const result = known(words);
    if (result.language === '') return undefined;
    return { language: result.language, sure: result.isReliable(), nearness: (other) => (result.getScores()[other] ?? 0) / result.getScores()[result.language]! };
  };
}
