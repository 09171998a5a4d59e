/** The texts that the program brings, by language. */
import { EN } from './en.ts';
import { RU } from './ru.ts';
import type { Guidelines, Locale } from './types.ts';

export const GUIDELINES: Readonly<Record<Locale, Guidelines>> = { en: EN, ru: RU };

/** The version of the texts above: a campaign that changes its copy counts on from here. */
export const GUIDELINES_VERSION = 1;
