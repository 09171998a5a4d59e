/**
 * Which language a text is in, by the n-gram tables of `eld` (60 languages, Apache-2.0). Code, addresses and names of files are not
 * language and are taken away first; below four words every method guesses, so nothing is said. Measured in docs/checks.md.
 */
import { countWords } from './words.ts';

export interface Language {
  /** ISO 639-1. */
  readonly language: string;
  /** Whether the second best is far behind. */
  readonly sure: boolean;
}

type Detect = (text: string) => { readonly language: string; isReliable(): boolean };

/** Longer texts are judged by their beginning. */
const LOOKED_AT = 1000;
const LEAST_WORDS = 4;
const NOT_LANGUAGE = /```[\s\S]{0,4000}?```|`[^`\n]{1,200}`|https?:\/\/\S{1,500}|[\w.+-]{1,64}@[\w.-]{1,64}|\d+/gu;

let detect: Detect | undefined;

/** Loads the tables once: 1.6 MB, about 50 ms. */
export async function loadLanguages(): Promise<(text: string) => Language | undefined> {
  detect ??= (await import('eld/small')).eld.detect;
  const known = detect;
  return (text) => {
    const words = text.slice(0, 2 * LOOKED_AT).replace(NOT_LANGUAGE, ' ').slice(0, LOOKED_AT);
    if (countWords(words) < LEAST_WORDS) return undefined;
    const result = known(words);
    return result.language === '' ? undefined : { language: result.language, sure: result.isReliable() };
  };
}
