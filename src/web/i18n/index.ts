/**
 * Languages of the pages. Each language is two files of words: `main` for everyone and `admin`, which is loaded with the
 * first page that needs it. Keys are typed by the English words; i18n/check.ts holds the other languages to them.
 */
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';

export const LOCALES = ['en', 'ru'] as const;
export type Locale = (typeof LOCALES)[number];

const STORED_AS = 'roslin.locale';

type Words = { readonly default: Record<string, unknown> };
const FILES: Readonly<Record<Locale, Readonly<Record<'main' | 'admin', () => Promise<Words>>>>> = {
  en: { main: () => import('./en/main.ts'), admin: () => import('./en/admin.ts') },
  ru: { main: () => import('./ru/main.ts'), admin: () => import('./ru/admin.ts') },
};

const loaded = new Set<string>();
const namespaces = new Set<'main' | 'admin'>(['main']);

async function load(locale: Locale): Promise<void> {
  for (const name of namespaces) {
    if (loaded.has(`${locale}/${name}`)) continue;
    i18next.addResourceBundle(locale, name, (await FILES[locale][name]()).default, true, true);
    loaded.add(`${locale}/${name}`);
  }
}

const isLocale = (value: string | undefined | null): value is Locale => LOCALES.some((locale) => locale === value);

/** What was chosen here before, else the first of the browser's languages that there is, else English. */
export function preferredLocale(stored = read(), languages: readonly string[] = navigator.languages): Locale {
  if (isLocale(stored)) return stored;
  return languages.map((tag) => tag.slice(0, 2).toLowerCase()).find(isLocale) ?? 'en';
}

function read(): string | null {
  try {
    return localStorage.getItem(STORED_AS);
  } catch {
    return null;
  }
}

/** Starts with the preferred language; resolves when its words are there. */
export async function startI18n(): Promise<void> {
  const locale = preferredLocale();
  await i18next.use(initReactI18next).init({
    lng: locale,
    fallbackLng: false,
    ns: ['main'],
    defaultNS: 'main',
    resources: {},
    interpolation: { escapeValue: false }, // React escapes
    returnNull: false,
    react: { useSuspense: false },
  });
  await load(locale);
  document.documentElement.lang = locale;
  await i18next.changeLanguage(locale);
}

/** Changes the language of the page and remembers it on this device. */
export async function setLocale(locale: Locale): Promise<void> {
  await load(locale);
  document.documentElement.lang = locale;
  try {
    localStorage.setItem(STORED_AS, locale);
  } catch {
    // Then it holds for this page alone.
  }
  await i18next.changeLanguage(locale);
}

/** Words of the admin pages, in the language of the page; later changes of language bring them too. */
export async function loadAdminWords(): Promise<void> {
  namespaces.add('admin');
  await load(currentLocale());
}

export function currentLocale(): Locale {
  return isLocale(i18next.language) ? i18next.language : 'en';
}

/** A key that is made while the page runs, where the words may be missing: i18n/check.ts sees by it that they are used. */
export const keyOf = (key: string): string => key;
