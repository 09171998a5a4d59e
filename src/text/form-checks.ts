/**
 * The rules of form by name: what a campaign asks of who writes, and a check of a dataset of what is there. Each looks at one record and knows only
 * words, not what is true: where it can be wrong it warns, and a person decides. Blocked is only what is plain: a copy, a list of two, a summary as long as its passage.
 */
import { contentOf, covered, ideasOf, itemsOf, longestRun, sentencesOf, wordJaccard, wordKey, wordsOf, type Word } from './words.ts';

type FieldName = 'instruction' | 'context' | 'response';

/** A record's texts and their words, made once for all rules. */
export interface Parts {
  readonly text: Readonly<Record<FieldName, string>>;
  readonly locale: string;
  readonly instruction: readonly Word[];
  readonly context: readonly Word[];
  readonly response: readonly Word[];
}

interface Seen {
  readonly field: FieldName;
  readonly severity: 'block' | 'warn';
  readonly values: Readonly<Record<string, number | string>>;
  readonly span?: readonly [start: number, end: number];
}

interface Check {
  /** Fields that must hold something before the check says anything. */
  readonly reads: readonly FieldName[];
  readonly look: (parts: Parts) => Seen[];
}

const percent = (share: number): number => Math.round(share * 100);
const quoted = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text);

/** Words of a run of at most so many are nobody's own; a summary with more is a copy. */
const COPIED_WORDS = 12;
const SUMMARY_SHARE = { min: 0.02, max: 0.6 };

const YES_NO_EN = /^(?:is|are|was|were|am|do|does|did|can|could|will|would|should|shall|may|might|has|have|had)$/;
const OFTEN_ASKED_WITH = /\b(?:or|why|how|which|what|explain)\b|(?:^|\s)(?:или|почему|как|зачем|какой|какая|какие|объясни\p{L}*)(?=\s|\p{P}|$)/iu;

function yesNo({ instruction, text }: Parts): Seen[] {
  const first = instruction[0]?.key ?? '';
  const asks = YES_NO_EN.test(first) || instruction.slice(1, 4).some(({ key }) => key === 'ли');
  return asks && !OFTEN_ASKED_WITH.test(text.instruction) ? [{ field: 'instruction', severity: 'warn', values: {} }] : [];
}

/** Phrases that come along when text is copied from an assistant's window. They prove nothing about the rest. */
const STOCK_PHRASES = [
  'as an ai language model', 'as an ai assistant', 'as a large language model', 'i am an ai', "i'm an ai", 'my knowledge cutoff', 'i do not have personal opinions', "i don't have personal opinions",
  'regenerate response', 'copy code', 'i hope this helps', "certainly! here", "sure! here", "sure, here's", 'it is important to note that',
  'как языковая модель', 'как искусственный интеллект', 'как ии', 'будучи языковой моделью', 'у меня нет личного мнения', 'надеюсь, это поможет', 'конечно! вот', 'важно отметить, что', 'скопировать код',
] as const;
const escaped = (phrase: string): string => phrase.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll("'", "['’]");
const STOCK = new RegExp(`(?<![\\p{L}\\p{N}])(?:${STOCK_PHRASES.map(escaped).join('|')})(?![\\p{L}\\p{N}])`, 'giu');

function stockPhrases({ text }: Parts): Seen[] {
  return (['instruction', 'response'] as const).flatMap((field) =>
    [...text[field].matchAll(STOCK)].slice(0, 3).map((match): Seen => ({ field, severity: 'warn', values: { phrase: match[0] }, span: [match.index, match.index + match[0].length] })),
  );
}

const plain = (words: readonly Word[]): string => words.map(({ key }) => key).join(' ');

function passageCopied({ response, context }: Parts): Seen[] {
  return response.length > 0 && plain(response) === plain(context) ? [{ field: 'response', severity: 'block', values: {} }] : [];
}

function questionCopied({ instruction, context, locale, text }: Parts): Seen[] {
  if (instruction.length === 0) return [];
  const asked = plain(instruction);
  const whole = sentencesOf(text.context, locale).some((sentence) => plain(wordsOf(sentence, locale)) === asked);
  const run = longestRun(instruction, context);
  return whole || (run.length >= 8 && run.length >= 0.9 * instruction.length) ? [{ field: 'instruction', severity: 'block', values: { words: run.length }, span: [run.start, run.end] }] : [];
}

function answerInPassage({ response, context }: Parts): Seen[] {
  const share = covered(response, new Set(contentOf(context)));
  return share < 0.3 ? [{ field: 'response', severity: 'warn', values: { percent: percent(share) } }] : [];
}

function itemsInPassage({ text, context, locale }: Parts): Seen[] {
  const known = new Set(contentOf(context));
  return itemsOf(text.response)
    .filter((item) => covered(wordsOf(item.text, locale), known) < 0.5)
    .slice(0, 5)
    .map((item) => ({ field: 'response', severity: 'warn', values: { item: quoted(item.text) }, span: [item.start, item.end] }));
}

function askedShape({ text }: Parts): Seen[] {
  if (/\bjson\b/i.test(text.instruction)) return isJson(text.response) ? [] : [{ field: 'response', severity: 'warn', values: { shape: 'json' } }];
  const list = /\b(?:bullet(?:ed)?|numbered) (?:list|points?)\b|\bbullets\b|маркированн\p{L}+ списк|нумерованн\p{L}+ списк/iu.test(text.instruction);
  return list && itemsOf(text.response).length < 2 ? [{ field: 'response', severity: 'warn', values: { shape: 'list' } }] : [];
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}

function shorterThanPassage({ response, context }: Parts): Seen[] {
  const share = response.length / Math.max(1, context.length);
  if (share > SUMMARY_SHARE.max) return [{ field: 'response', severity: 'block', values: { percent: percent(share), max: percent(SUMMARY_SHARE.max), words: Math.floor(context.length * SUMMARY_SHARE.max) } }];
  return share < SUMMARY_SHARE.min ? [{ field: 'response', severity: 'warn', values: { percent: percent(share), min: percent(SUMMARY_SHARE.min), words: Math.ceil(context.length * SUMMARY_SHARE.min) } }] : [];
}

function ownWords({ response, context }: Parts): Seen[] {
  const run = longestRun(response, context);
  return run.length > COPIED_WORDS ? [{ field: 'response', severity: 'block', values: { words: run.length, max: COPIED_WORDS }, span: [run.start, run.end] }] : [];
}

/** Good summaries share few words with their passage, in Russian fewer: only what shares hardly any is asked about. */
const FAITHFUL = 0.25;

function faithful({ response, context }: Parts): Seen[] {
  const share = covered(response, new Set(contentOf(context)));
  return share < FAITHFUL ? [{ field: 'response', severity: 'warn', values: { percent: percent(share) } }] : [];
}

const IDEAS = 3;

function threeItems(parts: Parts): Seen[] {
  const found = ideasOf(parts.text.response, parts.locale).length;
  return found < IDEAS ? [{ field: 'response', severity: 'block', values: { found, min: IDEAS } }] : [];
}

/** The first idea of an answer that one before it is `same` as. */
function repeatedIdea({ text, locale }: Parts, same: (a: readonly Word[], b: readonly Word[]) => boolean): Seen[] {
  const items = ideasOf(text.response, locale).slice(0, 60).map((item) => ({ ...item, words: wordsOf(item.text, locale) }));
  for (const [i, item] of items.entries()) {
    const like = items.slice(0, i).find((other) => same(item.words, other.words));
    if (like) return [{ field: 'response', severity: 'block', values: { first: quoted(like.text), second: quoted(item.text) }, ...(item.start === undefined || item.end === undefined ? {} : { span: [item.start, item.end] as const }) }];
  }
  return [];
}

const distinctItems = (parts: Parts): Seen[] => repeatedIdea(parts, (a, b) => wordJaccard(a, b) >= 0.6);

/** The same words in the same order: what is certain in a list that nobody can be asked about any more. Of winners by year half of the words are alike. */
export const itemTwice = (parts: Parts): Seen[] => repeatedIdea(parts, (a, b) => a.length > 0 && plain(a) === plain(b));

/** The items to sort: what stands after the last colon, if it is a list of three or more. Other ways to ask are left alone. */
function itemsToSort(instruction: string): string[] {
  const after = instruction.slice(instruction.lastIndexOf(':') + 1);
  const items = instruction.includes(':') ? itemsOf(after).map((item) => item.text.replace(/[.?!]+$/, '').trim()) : [];
  return items.length >= 3 && items.every((item) => item.length <= 80) ? items : [];
}

function eachItemOnce({ text, response, locale }: Parts): Seen[] {
  const said = ` ${plain(response)} `;
  return itemsToSort(text.instruction)
    .map((item) => ({ item, times: said.split(` ${plain(wordsOf(item, locale))} `).length - 1 }))
    .filter(({ times }) => times !== 1)
    .slice(0, 5)
    .map(({ item, times }) => ({ field: 'response', severity: 'warn', values: { item: quoted(item), times } }));
}

/** Labels are what stands before a colon in the answer's lines, unless that is an item. */
function labelsNamed({ text, instruction, locale }: Parts): Seen[] {
  const asked = new Set(instruction.map(({ key }) => key.slice(0, 4)));
  const items = new Set(itemsToSort(text.instruction).map(wordKey));
  const labels = text.response.split('\n').map((line) => line.replace(/^\s*(?:[-*•]|\d+[.)])\s*/, '')).filter((line) => line.includes(':')).map((line) => line.slice(0, line.indexOf(':')).trim());
  return labels
    .filter((label) => label !== '' && label.length <= 40 && !items.has(wordKey(label)) && !wordsOf(label, locale).some(({ key }) => asked.has(key.slice(0, 4))))
    .slice(0, 3)
    .map((label) => ({ field: 'instruction', severity: 'warn', values: { label: quoted(label) } }));
}

/** Signs of a constraint, each its own kind: numbers, what must or must not be there, place and time, persons, kind of text, manner. */
const CONSTRAINTS = [
  /\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|fifty|sixty|hundred)\b|(?:^|\s)(?:один|одн\p{L}+|два|две|три|четыре|пять|шесть|семь|восемь|девять|десять|двух|трёх|четырёх|пяти|шести|семи|восьми|двадцать|пятьдесят|сто)(?=\s|\p{P}|$)/iu,
  /\b(?:must|should|include|including|mention|use|using|contain)\b|(?:^|\s)(?:долж\p{L}+|упомян\p{L}+|используй\p{L}*|включ\p{L}+|обязательно)/iu,
  /\b(?:without|never|avoid|no|not|don['’]t)\b|(?:^|\s)(?:без|не|никогда|избега\p{L}+)\s/iu,
  /\b(?:set in|takes place|during|in the year|at (?:night|dawn|sea)|on (?:a|the) )|(?:^|\s)(?:происходит|действие|ночью|зимой|летом|осенью|весной)/iu,
  /\b(?:about|who|whose|between|from the (?:view|perspective)|narrat\w+|told by|for (?:a|an|my|the|children))\b|(?:^|\s)(?:про|об?|котор\p{L}+|от лица|рассказчик|для)\s/iu,
  /\b(?:poem|haiku|sonnet|limerick|story|letter|dialogue|speech|song|review|e-?mail|scene|toast|fable|diary|note|message|postcard|invitation|joke|monologue)\b|(?:^|\s)(?:стих\p{L}*|хокку|сонет\p{L}*|рассказ\p{L}*|письмо|диалог\p{L}*|речь|песн\p{L}+|тост|басн\p{L}+|дневник\p{L}*|записк\p{L}+|открытк\p{L}+|приглашени\p{L}+|монолог\p{L}*|сценк\p{L}+)/iu,
  /\b(?:style|tone|funny|humou?rous|sad|formal|rhym\w+|ironic|cheerful|serious|suspense\w*|polite\w*|angry|gentle|end(?:s|ing)?)\b|(?:^|\s)(?:стил\p{L}+|тон\p{L}*|смешн\p{L}+|грустн\p{L}+|официальн\p{L}+|рифм\p{L}+|шутлив\p{L}+|вежлив\p{L}+|сердит\p{L}+|зак[ао]нч\p{L}+|конец|концовк\p{L}+)/iu,
] as const;

function twoConstraints({ text }: Parts): Seen[] {
  const found = CONSTRAINTS.filter((sign) => sign.test(text.instruction)).length;
  return found < 2 ? [{ field: 'instruction', severity: 'warn', values: { found, min: 2 } }] : [];
}

function repeatsItself({ text, locale }: Parts): Seen[] {
  const sentences = sentencesOf(text.response, locale).map((sentence) => plain(wordsOf(sentence, locale))).filter((sentence) => sentence !== '');
  const repeated = sentences.length - new Set(sentences).size;
  return sentences.length >= 4 && repeated > 0.3 * sentences.length ? [{ field: 'response', severity: 'warn', values: { percent: percent(repeated / sentences.length) } }] : [];
}

export const partsOf = (text: Parts['text'], locale = 'en'): Parts => ({ text, locale, instruction: wordsOf(text.instruction, locale), context: wordsOf(text.context, locale), response: wordsOf(text.response, locale) });

export const CHECKS = {
  yes_no: { reads: ['instruction'], look: yesNo },
  stock_phrases: { reads: [], look: stockPhrases },
  passage_copied: { reads: ['context', 'response'], look: passageCopied },
  question_copied: { reads: ['instruction', 'context'], look: questionCopied },
  answer_in_passage: { reads: ['context', 'response'], look: answerInPassage },
  items_in_passage: { reads: ['context', 'response'], look: itemsInPassage },
  asked_shape: { reads: ['instruction', 'response'], look: askedShape },
  shorter_than_passage: { reads: ['context', 'response'], look: shorterThanPassage },
  own_words: { reads: ['context', 'response'], look: ownWords },
  faithful: { reads: ['context', 'response'], look: faithful },
  three_items: { reads: ['response'], look: threeItems },
  distinct_items: { reads: ['response'], look: distinctItems },
  each_item_once: { reads: ['instruction', 'response'], look: eachItemOnce },
  labels_named: { reads: ['instruction', 'response'], look: labelsNamed },
  two_constraints: { reads: ['instruction'], look: twoConstraints },
  repeats_itself: { reads: ['response'], look: repeatsItself },
} as const satisfies Readonly<Record<string, Check>>;

export type CheckName = keyof typeof CHECKS;
