/**
 * Languages of the pages, by Lingui: ICU messages, compiled when the pages are built. Each language has three files of words:
 * `main` for the first page, `rest` and `admin` with the pages that need them. Keys are typed by the English words; check.ts
 * holds the other languages to them.
 */
import { i18n } from '@lingui/core';
import { readStored, writeStored } from '../stored.ts';

export const LOCALES = ['en', 'ru'] as const;
export type Locale = (typeof LOCALES)[number];
export type Words = 'main' | 'rest' | 'admin';

const STORED_AS = 'roslin.locale';

/** As the build makes them: messages by their whole key. */
type Compiled = Record<string, unknown>;
const FILES: Readonly<Record<Locale, Readonly<Record<Words, () => Promise<{ default: unknown }>>>>> = {
  en: { main: () => import('./en/main.ts'), rest: () => import('./en/rest.ts'), admin: () => import('./en/admin.ts') },
  ru: { main: () => import('./ru/main.ts'), rest: () => import('./ru/rest.ts'), admin: () => import('./ru/admin.ts') },
};

const wanted = new Set<Words>(['main']);
const loaded = new Set<string>();

async function load(locale: Locale): Promise<void> {
  const missing = [...wanted].filter((name) => !loaded.has(`${locale}/${name}`));
  const parts = await Promise.all(missing.map((name) => FILES[locale][name]()));
  for (const part of parts) i18n.load(locale, part.default as Compiled as Parameters<typeof i18n.load>[1]);
  for (const name of missing) loaded.add(`${locale}/${name}`);
}

const isLocale = (value: string | undefined | null): value is Locale => LOCALES.some((locale) => locale === value);

/** What was chosen here before, else the first of the browser's languages that there is, else English. */
function preferredLocale(): Locale {
  const stored = readStored(STORED_AS);
  if (isLocale(stored)) return stored;
  return navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase()).find(isLocale) ?? 'en';
}

/** Starts with the preferred language; resolves when the words of the first page are there. */
export async function startI18n(): Promise<void> {
  await use(preferredLocale());
}

/** Changes the language of the page and remembers it on this device. */
export async function setLocale(locale: Locale): Promise<void> {
  await use(locale);
  writeStored(STORED_AS, locale);
}

async function use(locale: Locale): Promise<void> {
  await load(locale);
  document.documentElement.lang = locale;
  i18n.activate(locale);
}

/** More words, in the language of the page; later changes of language bring them too. */
export async function loadWords(...names: readonly Words[]): Promise<void> {
  for (const name of names) wanted.add(name);
  await load(currentLocale());
}

export const currentLocale = (): Locale => (isLocale(i18n.locale) ? i18n.locale : 'en');

/** A key that is made while the page runs, where the words may be missing: check.ts sees by it that they are used. */
export const keyOf = (key: string): string => key;
