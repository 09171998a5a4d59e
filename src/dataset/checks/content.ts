/** Checks of what is in a record's texts, wherever it stands. */
import { findBoilerplate } from '../../text/boilerplate.ts';
import { findCitationMarks } from '../../text/citations.ts';
import { findEncodingDamage } from '../../text/encoding.ts';
import { findPersonal } from '../../text/personal.ts';
import { findProfanity } from '../../text/profanity.ts';
import { findSecrets } from '../../text/secrets.ts';
import { inTexts, type Check, type Found } from './check.ts';

/** The text of a fix for a mark: its space before goes too where a sign follows. */
const marks = (text: string) => findCitationMarks(text).map(({ from, to }) => {
  const spaced = text[from - 1] === ' ' && /^(?:[\s.,;:!?)]|$)/u.test(text.slice(to, to + 1));
  return { from: spaced ? from - 1 : from, to, reason: 'a citation mark', fix: '' };
});

/** A language whose score is above this share of the best one's may be it: lists of names and foods look like any. */
const FAR = 0.75;

const language: Check = {
  name: 'language', version: '1', title: 'Language',
  run: (record, { language: detect, options }) => {
    if (!detect) return [];
    const expected = (record.language ?? options.language)?.split('-')[0];
    if (expected === undefined) return [];
    const found: Found[] = [];
    for (const part of ['instruction', 'response'] as const) {
      const is = detect(record[part]);
      if (is?.sure && is.language !== expected && is.nearness(expected) < FAR) found.push({ verdict: 'warn', kind: is.language, reason: `the ${part} looks like ${is.language}, not ${expected}`, places: [{ part, from: 0, to: record[part].length }] });
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
