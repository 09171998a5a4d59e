/**
 * Rude words, by the lists of `naughty-words` (28 languages, CC-BY-4.0): whole words only, so that Scunthorpe is a town. A list knows neither
 * quotation nor irony nor the second meaning of a word: what it finds is a hint. Words that are mostly used otherwise are left out.
 */
import { createRequire } from 'node:module';

export interface ProfanityFinding {
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** Entries of the lists that medicine, law, history, cooking or sports use in earnest: most of their uses are not rude. */
const EARNEST = new Set(`anal anus autoerotic bareback bastinado bondage butt cialis clitoris cock cocks coon coons cornhole darkie dick dingleberry domination ecchi ejaculation erotic erotism escort eunuch fecal fingering genitals gol grope
  hardcore hentai humping incest intercourse kinky lolita lovemaking masturbation nipple nipples nude nudity orgy paedophile panties panty pedophile pegging penis playboy porn porno pornography rape raping rapist rectum sadism
  santorum scat scissoring semen sex sexo sexual sexuality sexually sexy shibari shrimping skeet snatch snowballing spastic spunk strappado suck sucks swastika swinger tit topless twink twinkie undressing vagina viagra vibrator
  voyeur vulva xx xxx yaoi мент секс хрен фига хапать обнаженный офигеть ссать член`.split(/\s+/u));

/** The four roots of Russian obscenity with their prefixes and endings: the list has few of the forms. Not words that only look so (страховать, команда, ребёнок, употреблять). */
const RUSSIAN = /^(?:(?:на|по|о|до|за|от|ни|не|а|рас)?ху[йяеию](?:$|в|л|н|с|т|ч|м|к|р)|(?:за|от|по|с|рас|до|под|у|вы|о)?пизд|(?:за|от|по|съ?|разъ?|до|подъ?|у|вы|объ?|на|про|изъ?)?еб(?:а|ё|л[аоиу]н|ну|у[тчн])|бля(?:д|$|х?а$))/u;

const WORD = /[\p{L}\p{M}]+/gu;

let words: ReadonlySet<string> | undefined;

function load(): ReadonlySet<string> {
  const lists = createRequire(import.meta.url)('naughty-words') as Readonly<Record<string, readonly string[]>>;
  const single = (list: readonly string[]) => list.map((entry) => entry.toLowerCase().replaceAll('ё', 'е')).filter((entry) => /^[\p{L}\p{M}]{3,}$/u.test(entry) && !EARNEST.has(entry));
  return new Set(LANGUAGES.flatMap((language) => single(lists[language] ?? [])));
}

/** Lists whose words are no everyday words of another language among these. */
const LANGUAGES = ['en', 'ru'] as const;

/** In the order of their places. */
export function findProfanity(text: string): ProfanityFinding[] {
  const known = (words ??= load());
  const found: ProfanityFinding[] = [];
  for (const { 0: word, index } of text.matchAll(WORD)) {
    const plain = word.toLowerCase().replaceAll('ё', 'е');
    if (known.has(plain) || RUSSIAN.test(plain)) found.push({ from: index, to: index + word.length, reason: 'a rude word, by a list' });
  }
  return found;
}
