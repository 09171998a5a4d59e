/** What a category asks of people, as a campaign shows it beside the form. Text, one for each language; a campaign keeps copies that it may change. */
import type { CategoryKey } from '../rules/categories.ts';

export interface GuidelineExample {
  readonly instruction: string;
  /** Empty where the category has no passage. */
  readonly context: string;
  readonly response: string;
  readonly why: string;
}

export interface Guideline {
  /** One sentence. */
  readonly summary: string;
  readonly do: readonly [string, string, string];
  readonly dont: readonly [string, string];
  readonly good: readonly GuidelineExample[];
  readonly bad: readonly GuidelineExample[];
}

export type Guidelines = Readonly<Record<CategoryKey, Guideline>>;

/** Languages in which the program brings its texts. */
export const LOCALES = ['en', 'ru'] as const;
export type Locale = (typeof LOCALES)[number];
