/** The demo campaign's data: whole, varied, within the rules of form, and honest about its faults. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEMO_PASSAGES } from '../../src/collect/demo/passages.ts';
import { DEMO_PEOPLE, DEMO_TEAMS } from '../../src/collect/demo/people.ts';
import { DEMO_RECORDS, plainVerdict } from '../../src/collect/demo/records.ts';
import { CATEGORIES, NEEDS_PASSAGE } from '../../src/collect/rules/categories.ts';
import { formFindings, FORM_RULES } from '../../src/collect/rules/forms.ts';
import { countWords } from '../../src/text/words.ts';

test('people, teams, passages and records belong together', () => {
  const keys = new Set(DEMO_PEOPLE.map(({ key }) => key));
  assert.equal(keys.size, DEMO_PEOPLE.length);
  for (const { team, board_visibility, alias } of DEMO_PEOPLE) {
    assert.ok(DEMO_TEAMS.some(({ key }) => key === team));
    assert.ok(board_visibility !== 'alias' || alias !== null);
  }
  for (const { author, passage, category, language } of DEMO_RECORDS) {
    assert.ok(keys.has(author), author);
    const found = DEMO_PASSAGES.find(({ key }) => key === passage);
    assert.equal(found !== undefined, NEEDS_PASSAGE.includes(category));
    assert.ok(!found || found.language === language);
  }
  for (const { key } of DEMO_PASSAGES) assert.ok(DEMO_RECORDS.some(({ passage }) => passage === key), `${key} is used`);
  for (const { key } of DEMO_PEOPLE) assert.ok(DEMO_RECORDS.some(({ author }) => author === key), `${key} writes`);
});

test('every passage fits all three categories that have one', () => {
  for (const { key, text, language } of DEMO_PASSAGES) {
    const words = countWords(text, language);
    for (const category of NEEDS_PASSAGE) assert.ok(words >= FORM_RULES[category].context!.min && words <= FORM_RULES[category].context!.max, `${key}: ${words} words`);
  }
});

for (const category of CATEGORIES) {
  test(`${category}: both languages or more than four records, good and bad, none that the form would block`, () => {
    const own = DEMO_RECORDS.filter((record) => record.category === category);
    assert.ok(own.length >= 5 && own.some(({ quality }) => quality >= 4) && own.some(({ quality }) => quality <= 2), `${own.length}`);
    for (const record of own) {
      const context = DEMO_PASSAGES.find(({ key }) => key === record.passage)?.text ?? '';
      const findings = formFindings(category, { ...record, context }, record.language);
      assert.deepEqual(findings.filter(({ severity }) => severity === 'block'), [], record.instruction);
      if (record.flaw === null) assert.deepEqual(findings, [], record.instruction);
      assert.equal(record.quality <= 2 ? record.flaw !== null : true, true, record.instruction);
    }
  });
}

test('about fifty records, no instruction twice, a third of them in Russian or less', () => {
  assert.ok(DEMO_RECORDS.length >= 48 && DEMO_RECORDS.length <= 55, `${DEMO_RECORDS.length}`);
  assert.equal(new Set(DEMO_RECORDS.map(({ instruction }) => instruction)).size, DEMO_RECORDS.length);
  const russian = DEMO_RECORDS.filter(({ language }) => language === 'ru');
  assert.ok(russian.length >= 10 && russian.every(({ response }) => /[а-я]/.test(response)));
});

test('gold items to plant: enough of both kinds, in both languages', () => {
  for (const language of ['en', 'ru'] as const) {
    const verdicts = DEMO_RECORDS.filter((record) => record.language === language).map(plainVerdict);
    assert.ok(verdicts.filter((verdict) => verdict === 'accept').length >= 3 && verdicts.filter((verdict) => verdict === 'reject').length >= 2, language);
  }
});
