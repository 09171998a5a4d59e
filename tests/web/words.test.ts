/** The words of the pages: both languages complete, with the plural forms that each has; a fault is found and ends the build. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setupI18n } from '@lingui/core';
import { compileMessage } from '@lingui/message-utils/compileMessage';
import { catalogueFaults, flatten, useFaults, wordFaults } from '../../src/web/i18n/check.ts';
import { ERROR_CODES } from '../../src/server/contract/shared.ts';
import { FINDING_CODES } from '../../src/collect/rules/forms.ts';
import { SERVER_CODES } from '../../src/collect/checks/findings.ts';
import { formatOf } from '../../src/web/app/format.ts';
import en from '../../src/web/i18n/en/rest.ts';
import ru from '../../src/web/i18n/ru/rest.ts';

const WEB = fileURLToPath(new URL('../../src/web', import.meta.url));

test('English and Russian have every word, and every word is used', async () => {
  assert.deepEqual(await catalogueFaults(WEB), []);
});

const MODEL = { a: 'Hello {name}', n: '{count, plural, one {# point} other {# points}}', deep: { b: 'b' } };
const RUSSIAN = { a: 'Привет, {name}', n: '{count, plural, one {# балл} few {# балла} many {# баллов} other {# балла}}', deep: { b: 'б' } };
const FAULTS: Record<string, [words: Parameters<typeof wordFaults>[1], says: RegExp]> = {
  'a word is missing': [{ ...RUSSIAN, deep: {} }, /deep\.b is missing/],
  'a plural form is missing': [{ ...RUSSIAN, n: RUSSIAN.n.replace('few {# балла} ', '') }, /n has no form "few"/],
  'a plural form that the language has not': [{ ...RUSSIAN, n: RUSSIAN.n.replace('few', 'two {#} few') }, /n has the form "two"/],
  'a placeholder is missing': [{ ...RUSSIAN, a: 'Привет' }, /a has the placeholders none/],
  'a placeholder is unknown': [{ ...RUSSIAN, a: 'Привет, {nome}' }, /a has the placeholders nome/],
  'a message that does not parse': [{ ...RUSSIAN, a: 'Привет, {name' }, /a is no ICU message/],
  'a text is empty': [{ ...RUSSIAN, deep: { b: ' ' } }, /deep\.b is empty/],
  'a word is only there': [{ ...RUSSIAN, c: 'в' }, /c is not among the English words/],
};
test('complete words have no fault', () => assert.deepEqual(wordFaults('ru', RUSSIAN, MODEL), []));
for (const [name, [words, says]] of Object.entries(FAULTS)) {
  test(`refused: ${name}`, () => assert.match(wordFaults('ru', words, MODEL).join('\n'), says));
}

test('refused: a key that there is not, written out or computed; a word that nobody uses', () => {
  const found = (source: string) => useFaults(new Map([['page.tsx', source]]), ['a.b', 'a.c', 'n', 'admin:z']);
  assert.deepEqual(found("t('a.b'); t(`a.${x}`); t('n', { count }); t('admin:z')"), []);
  assert.deepEqual(found("t('a.b'); t(`a.${x}`); t('n'); t('admin:z'); t('a.d')"), ['page.tsx: there is no key "a.d"']);
  assert.match(found("t(`a.${x}`); t('n'); t('admin:z'); t(`q.${x}`)").join(), /there is no key "q\.\$\{x\}"/);
  assert.deepEqual(found("t('a.b'); t('n'); t('admin:z')"), ['nobody uses the key "a.c"']);
});

test('every error and every finding, of the form rules and of the server, has its words', () => {
  assert.deepEqual(ERROR_CODES.filter((code) => !(code in en.errors.codes)), []);
  const said = new Set(Object.keys(en.finding));
  assert.deepEqual([...FINDING_CODES, ...SERVER_CODES].filter((code) => !said.has(code)), []);
});

test('Russian plurals: 1 слово, 2 слова, 5 слов, 21 слово, 1,5 слова', () => {
  const words = setupI18n();
  words.load('ru', Object.fromEntries([...flatten(ru)].map(([key, text]) => [key, compileMessage(text)])));
  words.activate('ru');
  assert.deepEqual([1, 2, 5, 11, 21, 22, 1.5].map((count) => words._('write.words', { count })), ['1 слово', '2 слова', '5 слов', '11 слов', '21 слово', '22 слова', '1,5 слова']);
});

test('dates, numbers and lists follow the language', () => {
  const [english, russian] = [formatOf('en'), formatOf('ru')];
  assert.equal(english.number(15_011), '15,011');
  assert.equal(russian.number(15_011).replace(/\s/g, ' '), '15 011');
  assert.equal(russian.date('2026-11-25T12:00:00Z', 'UTC'), '25 ноября 2026 г.');
  assert.equal(english.points(1500), '1.5');
  assert.equal(russian.relative(Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 4)), '3 дня назад');
  assert.equal(russian.list(['а', 'б', 'в']), 'а, б и в');
  // The day of an instant is the campaign's, not the reader's.
  assert.equal(english.date('2026-11-25T23:30:00Z', 'Asia/Tokyo'), 'November 26, 2026');
});

