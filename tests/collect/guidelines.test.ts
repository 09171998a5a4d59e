/** The texts: whole in both languages, and their examples keep the rules that they explain. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONSENT, fillConsent } from '../../src/collect/guidelines/consent.ts';
import { GUIDELINES } from '../../src/collect/guidelines/index.ts';
import { LOCALES } from '../../src/collect/guidelines/types.ts';
import { CATEGORIES } from '../../src/collect/rules/categories.ts';
import { formFindings } from '../../src/collect/rules/forms.ts';

for (const locale of LOCALES) {
  for (const category of CATEGORIES) {
    const guideline = GUIDELINES[locale][category];
    test(`${locale} ${category}: one sentence, three do, two don't, a good and a bad example`, () => {
      assert.match(guideline.summary, /^[^.!?]*\.$/u, 'one sentence');
      assert.equal(new Set([...guideline.do, ...guideline.dont]).size, 5);
      assert.ok(guideline.good.length >= 1 && guideline.bad.length >= 1);
      for (const text of [guideline.summary, ...guideline.do, ...guideline.dont]) assert.equal(/[а-я]/i.test(text), locale === 'ru', text);
    });

    test(`${locale} ${category}: nothing is found in a good example, and the bad one is worth a reason`, () => {
      for (const example of guideline.good) assert.deepEqual(formFindings(category, example, locale), [], example.instruction);
      for (const example of [...guideline.good, ...guideline.bad]) assert.ok(example.why.length > 20);
    });
  }

  test(`${locale}: the consent text names organisation and licence, and both are filled in as they are`, () => {
    const text = fillConsent(CONSENT[locale], { organisation: 'A $& B', licence: 'CC-BY-SA-4.0' });
    assert.ok(text.includes('A $& B') && text.includes('CC-BY-SA-4.0') && !text.includes('{'));
    assert.equal(text.match(/^\d\. /gm)?.length, 7);
  });
}
