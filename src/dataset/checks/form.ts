/**
 * Checks of a record's form: what a category asks for, lengths, answers that are none, and what is copied from the context. Table and rules by
 * category are those of the campaigns (src/text/form-rules.ts), as far as they can be asked of records that were not written for one; categories
 * without a row have none.
 */
import type { DatasetRecord } from '../../artefacts/record-schema.ts';
import { isCategory } from '../../text/categories.ts';
import { CHECKS, itemTwice, partsOf, type Parts } from '../../text/form-checks.ts';
import { FORM_RULES, type FormRule } from '../../text/form-rules.ts';
import { normalise } from '../../text/normalise.ts';
import { Source } from '../../text/winnow.ts';
import { contentOf, countWords, covered, wordsOf } from '../../text/words.ts';
import type { Check, Found, Place } from './check.ts';

let last: { readonly record: DatasetRecord; readonly parts: Parts } | undefined;

/** Words of a record's texts, made once for all checks of it: they come one after the other. Of a million records those of all would not fit. */
function wordsIn(record: DatasetRecord): Parts {
  if (last?.record !== record) last = { record, parts: partsOf(record) };
  return last.parts;
}

const ruleOf = (category: string): FormRule | undefined => (isCategory(category) ? FORM_RULES[category] : undefined);

const whole = (record: DatasetRecord, part: 'instruction' | 'context' | 'response'): Place => ({ part, from: 0, to: record[part].length });

const found = (kind: string, reason: string, places: readonly Place[], score?: number): Found => ({ verdict: 'warn', kind, reason, places, ...(score === undefined ? {} : { score }) });

const lengths: Check = {
  name: 'lengths', version: '2', title: 'Lengths',
  run: (record) => {
    const rule = ruleOf(record.category);
    if (!rule) return [];
    return (['instruction', 'context', 'response'] as const).flatMap((part) => {
      const bounds = rule[part];
      if (!bounds || record[part] === '') return [];
      const words = wordsIn(record)[part].length;
      if (words < bounds.min) return [found(`${part}-short`, `${part} of ${words} words, where ${record.category} has at least ${bounds.min}`, [whole(record, part)], words)];
      return words > bounds.max ? [found(`${part}-long`, `${part} of ${words} words, where ${record.category} has at most ${bounds.max}`, [whole(record, part)], words)] : [];
    });
  },
};

/** Longest beginning of a text that rules look at: longer ones have been told by their length. */
const LOOKED_AT = 20_000;

/** The share of the answer's telling words (longer ones, numbers) that the passage has, and how many there are. */
function fromPassage(record: DatasetRecord): { readonly words: number; readonly known: number } {
  const { context, response } = wordsIn(record);
  return { words: contentOf(response).length, known: covered(response, new Set(contentOf(context))) };
}

const RULED: Readonly<Record<string, (record: DatasetRecord) => readonly Found[]>> = {
  brainstorming: (record) => {
    const parts = record.response.length > LOOKED_AT ? partsOf({ ...record, response: record.response.slice(0, LOOKED_AT) }) : wordsIn(record);
    const [few] = CHECKS.three_items.look(parts);
    if (few) return [found('few-items', `${few.values['found']} ${few.values['found'] === 1 ? 'item' : 'items'}, where brainstorming has at least ${few.values['min']}`, [whole(record, 'response')], Number(few.values['found']))];
    const [same] = itemTwice(parts);
    return same ? [found('same-items', `"${same.values['second']}" is there twice`, [same.span ? { part: 'response', from: same.span[0], to: same.span[1] } : whole(record, 'response')])] : [];
  },
  classification: (record) => {
    // Every word of the answer that is a class should have been named: an answer without a word of its question is about something else.
    const question = wordsOf(`${record.instruction} ${record.context}`.slice(0, LOOKED_AT)).map(({ key }) => key);
    const answer = wordsOf(record.response.slice(0, LOOKED_AT)).map(({ key }) => key).filter((word) => word.length > 1);
    const stem = (word: string) => word.slice(0, Math.max(4, word.length - 3));
    const named = new Set([...question, ...question.map(stem)]);
    return answer.length > 0 && !answer.some((word) => named.has(word) || named.has(stem(word))) && !/^(?:yes|no|true|false|да|нет)\b/iu.test(record.response.trim())
      ? [found('class-not-named', 'no word of the answer is in the question: classes should be named there', [whole(record, 'response')])] : [];
  },
  summarization: (record) => {
    if (record.context === '') return [];
    const long = CHECKS.shorter_than_passage.look(wordsIn(record)).find(({ severity }) => severity === 'block');
    return long ? [found('summary-long', `the summary has ${long.values['percent']} % of its passage's words, where ${long.values['max']} are enough`, [whole(record, 'response')], Number(long.values['percent']) / 100)] : [];
  },
  // Stricter than what a campaign warns of: people elsewhere were not asked to keep to the passage's words.
  closed_qa: (record) => {
    if (record.context === '') return [];
    const { words, known } = fromPassage(record);
    return words > 0 && known === 0 ? [found('not-from-passage', 'no longer word or number of the answer is in the passage', [whole(record, 'response')])] : [];
  },
  information_extraction: (record) => {
    if (record.context === '') return [];
    const { words, known } = fromPassage(record);
    return words >= 3 && known < 0.3 ? [found('not-from-passage', `only ${Math.round(100 * known)} % of the answer's longer words and numbers are in the passage`, [whole(record, 'response')], known)] : [];
  },
};

const category: Check = {
  name: 'category', version: '2', title: 'Rules of its category',
  run: (record) => {
    const rule = ruleOf(record.category);
    if (!rule) return [];
    const context = rule.context && record.context.trim() === '' ? [found('no-context', `${record.category} needs a context`, [whole(record, 'instruction')])]
      : !rule.context && !rule.passage_elsewhere && record.context.trim() !== '' ? [found('context', `${record.category} has no context`, [whole(record, 'context')])] : [];
    return [...context, ...(RULED[record.category]?.(record) ?? [])];
  },
};

/** Answers that say nothing: placeholders, single signs, refusals to answer. */
const EMPTY_ANSWER = /^(?:n\/?a|none|null|nil|undefined|nan|tbd|todo|test(?:ing)?|asdf\w*|qwerty|lorem ipsum.*|x{2,}|no answer|not applicable|see above|same as above|\.{2,}|-+|\?+|нет ответа|тест)[.!]?$/iu;
const NO_ANSWER = /^(?:(?:sorry,? )?i (?:do not|don't|don’t) know|no idea|i(?:'m| am|’m) not sure|не знаю|без понятия)\b/iu;

const answer: Check = {
  name: 'answer', version: '1', title: 'Answers that are none',
  run: (record) => {
    const text = record.response.trim();
    const place = [whole(record, 'response')];
    if (!/[\p{L}\p{N}]/u.test(text)) return /\p{S}/u.test(text) ? [] : [found('no-word', 'the answer has no letter and no digit', place)];
    if (EMPTY_ANSWER.test(text)) return [found('placeholder', 'the answer is a placeholder', place)];
    if (NO_ANSWER.test(text) && text.length < 200) return [found('no-answer', 'the answer says that it does not know', place)];
    const [said, asked] = [normalise(text), normalise(record.instruction)];
    if (said === asked) return [found('echo', 'the answer is the instruction', place)];
    if (record.rejected !== undefined && normalise(record.rejected) === said) return [found('same-pair', 'the rejected answer is the chosen one', place)];
    if (repeats(said)) return [found('repetition', 'the answer repeats itself', place)];
    // A long answer that ends within a word or after a comma was cut off.
    if (text.length >= 200 && /[\p{L},;:(–-]$/u.test(text) && !text.slice(-300).includes('\n') && /(?:[,;:(–-]|(?<!\p{L})(?:and|or|the|a|an|of|to|in|with|for|и|или|в|на|с))$/iu.test(text)) return [found('cut-off', 'the answer ends in the middle of a sentence', place)];
    return [];
  },
};

/** Whether a text of some length has so few different runs of four words that it goes in circles. */
function repeats(text: string): boolean {
  const words = text.slice(0, LOOKED_AT).split(' ');
  if (words.length < 40) return false;
  const runs = new Set(words.slice(3).map((_, i) => words.slice(i, i + 4).join(' ')));
  return runs.size / (words.length - 3) < 0.5;
}

const copied: Check = {
  name: 'copied', version: '1', title: 'Copied from the context',
  run: (record, { options }) => {
    if (record.context.length < 40) return [];
    const copies = new Source(record.context).copiesIn(record.response);
    if (copies.length === 0) return [];
    const share = copies.reduce((sum, { from, to }) => sum + to - from, 0) / record.response.trim().length;
    const ofContext = copies.reduce((sum, { sourceFrom, sourceTo }) => sum + sourceTo - sourceFrom, 0) / record.context.trim().length;
    const places = copies.flatMap(({ from, to, sourceFrom, sourceTo }): Place[] => [{ part: 'response', from, to }, { part: 'context', from: sourceFrom, to: sourceTo }]);
    if (share > 0.9 && ofContext > 0.9) return [found('whole', 'the answer is the whole context', places, share)];
    if (record.category !== 'summarization') return [];
    const longest = Math.max(...copies.map(({ text }) => countWords(text)));
    return longest > options.copiedWords ? [found('summary', `${longest} words in a row are the passage's, where a summary has at most ${options.copiedWords}`, places, longest)] : [];
  },
};

export const FORM_CHECKS: readonly Check[] = [category, lengths, answer, copied];
