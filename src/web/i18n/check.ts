/**
 * Holds the words of all languages together and compiles them: the same keys, ICU messages that parse, the plural forms that
 * the language has, the same placeholders, no empty text; and in the sources no key that there is not, no key that nobody
 * uses. A fault ends the build.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileMessageOrThrow, type CompiledMessage } from '@lingui/message-utils/compileMessage';
import type { Plugin } from 'vite';

/** Words as they are written: text, or more of them by name. */
export interface WordTree {
  readonly [key: string]: string | WordTree;
}

export const FILES = ['main', 'rest', 'admin'] as const;
/** Keys of the organisers' words are told apart: `admin:page.people`. */
const prefixOf = (file: (typeof FILES)[number]): string => (file === 'admin' ? 'admin:' : '');

/** Words by their whole key: `write.saved`. */
export function flatten(words: WordTree, before = ''): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [key, value] of Object.entries(words)) {
    if (typeof value === 'string') flat.set(before + key, value);
    else for (const [inner, text] of flatten(value, `${before}${key}.`)) flat.set(inner, text);
  }
  return flat;
}

/** Names that a message is given, and the forms of its plurals. */
function partsOf(message: CompiledMessage, parts = { names: new Set<string>(), plurals: [] as string[][] }): { names: Set<string>; plurals: string[][] } {
  for (const token of message) {
    if (typeof token === 'string') continue;
    const [name, type, choices] = token;
    parts.names.add(name);
    if (typeof choices !== 'object' || choices === null) continue;
    const { offset: _, ...forms } = choices as Record<string, CompiledMessage>;
    if (type === 'plural') parts.plurals.push(Object.keys(forms));
    for (const form of Object.values(forms)) partsOf(form, parts);
  }
  return parts;
}

/** What is wrong with the words of a language, beside the English ones, as sentences. */
export function wordFaults(locale: string, words: WordTree, english: WordTree): string[] {
  const own = flatten(words);
  const model = flatten(english);
  const needed = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
  const faults = [...model.keys()].filter((key) => !own.has(key)).map((key) => `${locale}: ${key} is missing`);
  for (const [key, text] of own) {
    if (text.trim() === '') faults.push(`${locale}: ${key} is empty`);
    try {
      const { names, plurals } = partsOf(compileMessageOrThrow(text));
      for (const forms of plurals) {
        for (const form of needed) if (!forms.includes(form)) faults.push(`${locale}: ${key} has no form "${form}"`);
        for (const form of forms) if (!needed.some((other) => other === form)) faults.push(`${locale}: ${key} has the form "${form}", which the language does not`);
      }
      const modelText = model.get(key);
      if (modelText === undefined) faults.push(`${locale}: ${key} is not among the English words`);
      else {
        const expected = [...partsOf(compileMessageOrThrow(modelText)).names].sort().join(', ');
        const found = [...names].sort().join(', ');
        if (found !== expected) faults.push(`${locale}: ${key} has the placeholders ${found || 'none'}, the English text ${expected || 'none'}`);
      }
    } catch (error) {
      faults.push(`${locale}: ${key} is no ICU message: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  return faults;
}

/** A call of t() with a key written out, or with one of which a part is computed: `state.${state}`; or a key that keyOf() makes. */
const CALL = /\b(?:t|keyOf)\(\s*(?:'([^'\n]+)'|`([^`\n]+)`)/g;

/** Keys in the sources that do not exist, and keys that no source uses. A computed key uses all that begin as it does. */
export function useFaults(sources: ReadonlyMap<string, string>, keys: readonly string[]): string[] {
  const used = new Set<string>();
  const faults: string[] = [];
  for (const [path, source] of sources) {
    for (const [, plain, computed] of source.matchAll(CALL)) {
      const written = plain ?? computed ?? '';
      const pattern = new RegExp(`^${written.split(/\$\{[^}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`);
      const hits = keys.filter((key) => pattern.test(key));
      if (hits.length === 0) faults.push(`${path}: there is no key "${written}"`);
      for (const key of hits) used.add(key);
    }
  }
  return [...faults, ...keys.filter((key) => !used.has(key)).map((key) => `nobody uses the key "${key}"`)];
}

/** Sources below a folder, without the words themselves. */
function sourcesOf(web: string): Map<string, string> {
  const names = readdirSync(web, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name) && !/^i18n\/(check\.ts|\w\w\/)/.test(name));
  return new Map(names.map((name) => [name, readFileSync(join(web, name), 'utf8')]));
}

const readWords = async (path: string, fresh: string): Promise<WordTree> => ((await import(pathToFileURL(path).href + fresh)) as { default: WordTree }).default;

/** All faults of the words below a folder of sources. `fresh` reads the files anew although they were read before. */
export async function catalogueFaults(web: string, fresh = ''): Promise<string[]> {
  const keys: string[] = [];
  const faults: string[] = [];
  for (const file of FILES) {
    const english = await readWords(join(web, 'i18n', 'en', `${file}.ts`), fresh);
    keys.push(...flatten(english, prefixOf(file)).keys());
    for (const locale of ['en', 'ru']) faults.push(...wordFaults(locale, await readWords(join(web, 'i18n', locale, `${file}.ts`), fresh), english).map((fault) => `${file}: ${fault}`));
  }
  for (const key of keys.filter((name, i) => keys.indexOf(name) !== i)) faults.push(`${key} is in two files`);
  return [...useFaults(sourcesOf(web), keys), ...faults];
}

/** Compiles the words, and ends the build when one is missing. */
export function cataloguePlugin(web: string): Plugin {
  return {
    name: 'roslin-catalogue',
    async buildStart() {
      const faults = await catalogueFaults(web, `?${Date.now()}`);
      if (faults.length > 0) this.error(`the words of the pages do not fit together:\n  ${faults.join('\n  ')}`);
    },
    async transform(_code, id) {
      const file = FILES.find((name) => new RegExp(`i18n/\\w\\w/${name}\\.ts$`).test(id.replaceAll('\\', '/')));
      if (!file) return undefined;
      // Messages without placeholders stay lists too: Lingui takes a bare string for one that was not compiled, and warns each time it is shown.
      const compiled = [...flatten(await readWords(id, `?${Date.now()}`), prefixOf(file))].map(([key, text]) => [key, compileMessageOrThrow(text)]);
      return { code: `export default JSON.parse(${JSON.stringify(JSON.stringify(Object.fromEntries(compiled)))});`, map: null };
    },
  };
}
