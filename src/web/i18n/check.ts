/**
 * Holds the words of all languages together: the same keys, the plural forms that the language has, the same placeholders,
 * no empty text; and in the sources no key that there is not, no key that nobody uses. A fault ends the build.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'vite';

/** Words as they are written: text, or more of them by name. */
export interface Words {
  readonly [key: string]: string | Words;
}

export const NAMESPACES = ['main', 'admin'] as const;
const PLURAL = /_(zero|one|two|few|many|other)$/;

/** Words by their whole key: `write.saved`. */
export function flatten(words: Words, before = ''): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [key, value] of Object.entries(words)) {
    if (typeof value === 'string') flat.set(before + key, value);
    else for (const [inner, text] of flatten(value, `${before}${key}.`)) flat.set(inner, text);
  }
  return flat;
}

const baseOf = (key: string): string => key.replace(PLURAL, '');
const placeholders = (text: string): string[] => [...text.matchAll(/\{\{\s*(\w+)/g)].map((found) => found[1] ?? '').sort();

/** What is wrong with the words of a language, beside the English ones, as sentences. */
export function wordFaults(locale: string, words: Words, english: Words): string[] {
  const own = flatten(words);
  const model = flatten(english);
  const faults: string[] = [];
  const plural = new Set([...model.keys()].filter((key) => PLURAL.test(key)).map(baseOf));
  const forms = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;

  for (const base of plural) {
    const said = new Set([...model].filter(([key]) => baseOf(key) === base && PLURAL.test(key)).flatMap(([, text]) => placeholders(text)));
    for (const form of forms) {
      const text = own.get(`${base}_${form}`);
      if (text === undefined) faults.push(`${locale}: ${base} has no form "${form}"`);
      else for (const name of placeholders(text)) if (!said.has(name)) faults.push(`${locale}: ${base}_${form} names {{${name}}}, which the English words do not`);
    }
  }
  for (const [key, text] of model) {
    if (plural.has(baseOf(key)) && PLURAL.test(key)) continue;
    const found = own.get(key);
    if (found === undefined) faults.push(`${locale}: ${key} is missing`);
    else if (placeholders(found).join() !== placeholders(text).join()) faults.push(`${locale}: ${key} has the placeholders ${placeholders(found).join(', ') || 'none'}, the English text ${placeholders(text).join(', ') || 'none'}`);
  }
  for (const [key, text] of own) {
    if (text.trim() === '') faults.push(`${locale}: ${key} is empty`);
    if (plural.has(baseOf(key)) && PLURAL.test(key)) {
      if (!forms.some((form) => key === `${baseOf(key)}_${form}`)) faults.push(`${locale}: ${key} is a form that the language does not have`);
    } else if (!model.has(key)) faults.push(`${locale}: ${key} is not among the English words`);
  }
  return faults;
}

/** A call of t() with a key written out, or with one of which a part is computed: `state.${state}`; or a key that keyOf() makes. */
const CALL = /\b(?:t|keyOf)\(\s*(?:'([^'\n]+)'|`([^`\n]+)`)/g;

/** Keys in the sources that do not exist, and keys that no source uses. A computed key uses all that begin as it does. */
export function useFaults(sources: ReadonlyMap<string, string>, english: Readonly<Record<(typeof NAMESPACES)[number], Words>>): string[] {
  const keys = new Map<string, { used: boolean }>();
  for (const name of NAMESPACES) for (const key of flatten(english[name]).keys()) keys.set(`${name}:${PLURAL.test(key) ? baseOf(key) : key}`, { used: false });
  const faults: string[] = [];
  for (const [path, source] of sources) {
    for (const [, plain, computed] of source.matchAll(CALL)) {
      const written = plain ?? computed ?? '';
      const [space, key] = written.startsWith('admin:') ? ['admin', written.slice(6)] : ['main', written.replace(/^main:/, '')];
      const pattern = new RegExp(`^${space}:${key.split(/\$\{[^}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`);
      let any = false;
      for (const [name, entry] of keys) if (pattern.test(name)) any = entry.used = true;
      if (!any) faults.push(`${path}: there is no key "${written}"`);
    }
  }
  for (const [name, { used }] of keys) if (!used) faults.push(`nobody uses the key "${name}"`);
  return faults;
}

/** Sources below a folder, without the words themselves. */
export function sourcesOf(web: string): Map<string, string> {
  const names = readdirSync(web, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name) && !/^i18n\/(check\.ts|\w\w\/)/.test(name));
  return new Map(names.map((name) => [name, readFileSync(join(web, name), 'utf8')]));
}

/** All faults of the words below a folder of sources. `fresh` reads the files anew although they were read before. */
export async function catalogueFaults(web: string, fresh = ''): Promise<string[]> {
  const read = async (locale: string, name: string) => ((await import(pathToFileURL(join(web, 'i18n', locale, `${name}.ts`)).href + fresh)) as { default: Words }).default;
  const english = { main: await read('en', 'main'), admin: await read('en', 'admin') };
  const faults = useFaults(sourcesOf(web), english);
  for (const name of NAMESPACES) {
    faults.push(...wordFaults('en', english[name], english[name]).map((fault) => `${name}: ${fault}`));
    faults.push(...wordFaults('ru', await read('ru', name), english[name]).map((fault) => `${name}: ${fault}`));
  }
  return faults;
}

/** Ends the build when a key is missing. */
export function cataloguePlugin(web: string): Plugin {
  return {
    name: 'roslin-catalogue',
    async buildStart() {
      const faults = await catalogueFaults(web, `?${Date.now()}`);
      if (faults.length > 0) this.error(`the words of the pages do not fit together:\n  ${faults.join('\n  ')}`);
    },
  };
}
