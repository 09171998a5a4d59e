/** Checks of what is in a record's texts, wherever it stands. */
import type { DatasetRecord } from '../../artefacts/record-schema.ts';
import { findBoilerplate } from '../../text/boilerplate.ts';
import { citationCuts } from '../../text/citations.ts';
import { findEncodingDamage } from '../../text/encoding.ts';
import { findPersonal } from '../../text/personal.ts';
import { findProfanity } from '../../text/profanity.ts';
import { findSecrets } from '../../text/secrets.ts';
import { wordsOf } from '../../text/words.ts';
import { inTexts, type Check, type Found } from './check.ts';

const marks = (text: string) => citationCuts(text).map((cut) => ({ ...cut, reason: 'a citation mark', fix: '' }));

/** A language whose score is above this share of the best one's may be it: lists of names and foods look like any. */
const FAR = 0.75;
/** An answer with this share of its words from its question or passage is made of their names and terms, whatever language those look like. */
const TAKEN = 0.75;

function taken({ instruction, context, response }: DatasetRecord): number {
  const given = new Set(wordsOf(`${instruction} ${context}`).map(({ key }) => key));
  const words = wordsOf(response);
  return words.filter(({ key }) => given.has(key)).length / Math.max(1, words.length);
}

const language: Check = {
  name: 'language', version: '2', title: 'Language',
  run: (record, { language: detect, options }) => {
    if (!detect) return [];
    const expected = (record.language ?? options.language)?.split('-')[0];
    if (expected === undefined) return [];
    const found: Found[] = [];
    for (const part of ['instruction', 'response'] as const) {
      const is = detect(record[part]);
      if (is?.sure && is.language !== expected && is.nearness(expected) < FAR && !(part === 'response' && taken(record) >= TAKEN)) found.push({ verdict: 'warn', kind: is.language, reason: `the ${part} looks like ${is.language}, not ${expected}`, places: [{ part, from: 0, to: record[part].length }] });
    }
    return found;
  },
};

export const CONTENT_CHECKS: readonly Check[] = [
  { name: 'personal-data', version: '1', title: 'Personal data', run: (record) => inTexts(record, findPersonal, { verdict: 'block', kind: 'personal', secret: true }) },
  { name: 'secrets', version: '1', title: 'Keys and tokens', run: (record) => inTexts(record, findSecrets, { verdict: 'block', kind: 'secret', secret: true }) },
  { name: 'model-phrases', version: '1', title: 'Phrases of language models', run: (record) => inTexts(record, findBoilerplate, { verdict: 'warn', kind: 'phrase' }) },
  { name: 'encoding', version: '1', title: 'Damaged text', run: (record) => inTexts(record, findEncodingDamage, { verdict: 'warn', kind: 'damage' }) },
  { name: 'citation-marks', version: '1', title: 'Citation marks', run: (record) => inTexts(record, marks, { verdict: 'warn', kind: 'mark' }) },
  { name: 'profanity', version: '1', title: 'Rude words', run: (record) => inTexts(record, findProfanity, { verdict: 'warn', kind: 'word' }) },
  language,
];
