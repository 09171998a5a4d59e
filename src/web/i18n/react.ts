/** Words inside components: t() says a key in the language of the page, and components follow when it changes. */
import { i18n } from '@lingui/core';
import { useSyncExternalStore } from 'react';
import type admin from './en/admin.ts';
import type main from './en/main.ts';
import type rest from './en/rest.ts';

type Keys<W> = W extends string ? never : { [K in keyof W & string]: W[K] extends string ? K : `${K}.${Keys<W[K]>}` }[keyof W & string];
/** Every key that there is. */
export type Key = Keys<typeof main> | Keys<typeof rest> | `admin:${Keys<typeof admin>}`;
export type Values = Readonly<Record<string, string | number>>;

/** The words for a key. A plural follows `count`, and "#" in it is the number as the language writes it. */
export const say = (key: Key, values?: Values): string => i18n._(key, values);

export interface Translation {
  readonly t: typeof say;
  readonly i18n: { readonly language: string; readonly exists: (key: string) => boolean };
}

const subscribe = (listener: () => void) => i18n.on('change', listener);
const languages = new Map<string, Translation>();

/** The same object as long as the language is the same. */
export function useTranslation(): Translation {
  const language = useSyncExternalStore(subscribe, () => i18n.locale);
  const known = languages.get(language);
  if (known) return known;
  const made: Translation = { t: (key, values) => say(key, values), i18n: { language, exists: (key) => key in i18n.messages } };
  languages.set(language, made);
  return made;
}
