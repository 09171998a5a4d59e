/** Personal data, keys, phrases, damage, marks, rude words: what is found and what is let pass. All numbers are made up or published as examples. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { findBoilerplate } from '../../src/text/boilerplate.ts';
import { cpf, dni, iban, inn, luhn, nir, ogrn, pesel, snils, steuerId } from '../../src/text/checksums.ts';
import { findCitationMarks, withoutCitationMarks } from '../../src/text/citations.ts';
import { findEncodingDamage } from '../../src/text/encoding.ts';
import { loadLanguages } from '../../src/text/language.ts';
import { findPersonal, PERSONAL_KINDS } from '../../src/text/personal.ts';
import { findProfanity } from '../../src/text/profanity.ts';
import { findSecrets } from '../../src/text/secrets.ts';
import { withoutOverlaps } from '../../src/text/spans.ts';
import { countWords, ideasOf, wordsOf } from '../../src/text/words.ts';

describe('check digits', () => {
  const valid: [string, (text: string) => boolean, string][] = [
    ['Luhn', luhn, '4539148803436467'], ['IBAN', iban, 'GB82WEST12345698765432'], ['IBAN, Germany', iban, 'DE89370400440532013000'], ['INN of an organisation', inn, '7707083893'], ['INN of a person', inn, '500100732259'],
    ['SNILS', snils, '11223344595'], ['OGRN', ogrn, '1027700132195'], ['OGRNIP', ogrn, '304500116000157'], ['Steuer-ID', steuerId, '86095742719'], ['CPF', cpf, '52998224725'], ['PESEL', pesel, '44051401359'], ['DNI', dni, '12345678Z'], ['NIE', dni, 'X1234567L'],
    ['NIR', nir, '255081416802538'],
  ];
  for (const [name, check, number] of valid) {
    test(`${name}: right, and wrong with any other last digit`, () => {
      assert.ok(check(number), number);
      const last = number.at(-1)!;
      const others = Array.from(/\d/.test(last) ? '0123456789' : 'TRWAGMYFPDXBNJZSQVHLCKE');
      for (const other of others.filter((c) => c !== last)) assert.ok(!check(number.slice(0, -1) + other), number.slice(0, -1) + other);
    });
  }
  test('of numbers at random, one in ten passes Luhn, one in 97 an IBAN', () => {
    let passed = 0;
    for (let i = 0; i < 10_000; i++) if (luhn(String(4_000_000_000_000_000 + i * 7919))) passed++;
    assert.ok(Math.abs(passed - 1000) < 20, String(passed));
  });
});

describe('personal data', () => {
  const found: [string, string, string][] = [
    ['e-mail', 'write to anna.k+list@mail.otters.co.uk, please', 'anna.k+list@mail.otters.co.uk'], ['e-mail', '<b@c.de>', 'b@c.de'],
    ['phone', 'call +44 20 7123 4567 today', '+44 20 7123 4567'], ['phone', 'тел. +7 (912) 345-67-89', '+7 (912) 345-67-89'], ['phone', 'at (212) 736-5000.', '(212) 736-5000'], ['phone', '8 912 345-67-89', '8 912 345-67-89'], ['phone', '07911 123 456', '07911 123 456'],
    ['iban', 'to GB82 WEST 1234 5698 7654 32', 'GB82 WEST 1234 5698 7654 32'], ['card', 'card 4539 1488 0343 6467', '4539 1488 0343 6467'], ['card', '3714-496353-98431', '3714-496353-98431'],
    ['us-ssn', 'SSN 536-22-8726', '536-22-8726'], ['uk-nino', 'NI AB 12 34 56 C', 'AB 12 34 56 C'], ['ru-snils', 'СНИЛС 112-233-445 95', '112-233-445 95'], ['ru-snils', 'снилс: 11223344595', '11223344595'],
    ['ru-inn', 'ИНН 500100732259', '500100732259'], ['ru-inn', 'INN: 7707083893', '7707083893'], ['ru-ogrn', 'ОГРН 1027700132195', '1027700132195'], ['ru-passport', 'паспорт серия 45 08 № 123456', '45 08 № 123456'], ['ru-passport', 'паспорт 4508 123456', '4508 123456'],
    ['de-tax-id', 'IdNr. 86 095 742 719', '86 095 742 719'], ['de-tax-id', 'Steuer-ID 86095742719', '86095742719'], ['br-cpf', '529.982.247-25', '529.982.247-25'], ['pl-pesel', 'PESEL: 44051401359', '44051401359'], ['es-dni', 'DNI 12345678Z', '12345678Z'], ['es-dni', '12345678-Z', '12345678-Z'],
    ['fr-nir', '2 55 08 14 168 025 38', '2 55 08 14 168 025 38'], ['ip', 'from 93.184.216.34 again', '93.184.216.34'], ['ip', 'at 2606:2800:220:1:248:1893:25c8:1946', '2606:2800:220:1:248:1893:25c8:1946'],
  ];
  for (const [kind, text, match] of found) {
    test(`${kind}: ${text}`, () => assert.deepEqual(findPersonal(text).map(({ kind: is, from, to }) => [is, text.slice(from, to)]), [[kind, match]]));
  }
  test('every kind has an example here', () => assert.deepEqual([...new Set(found.map(([kind]) => kind))].sort(), [...PERSONAL_KINDS].sort()));
  const passed = [
    'someone@example.com', 'user@host', '@otter said', 'a@b', '555-0123', '(212) 555-0123', 'from 1914-1918-1945', '1234-5678', '2019-04-12', '4111 1111 1111 1111', '4539 1488 0343 6468', '1234567890123456', 'SSN 078-05-1120', '000-12-3456', '666-12-3456', '912-12-3456',
    'GB82 WEST 1234 5698 7654 33', 'XX82 WEST 1234 5698 7654 32', 'QQ123456C', 'BG 12 34 56 A', '112-233-445 96', '7707083893', 'ИНН 7707083894', '1027700132195', '86 095 742 718', '529.982.247-26', '44051401359', '12345678A', '81920K->65536K(8192000K)',
    'version 10.2.3.4', '10.0.0.1', '192.168.1.20', '127.0.0.1', '203.0.113.9', '1.2.3.4', '256.1.2.3', '2001:db8::1', '12:34:56', 'ISBN 978-3-16-148410-0', '$212.736.5000', '3.14159265358979', '+1 234', 'order 89123456789', 'паспортный стол', '+1 (555) 555-0199', 'C++20 +100 -200',
  ];
  for (const text of passed) test(`let pass: ${text}`, () => assert.deepEqual(findPersonal(text), []));
  test('places are those of the text, in order, and do not overlap', () => {
    const pieces = found.map(([, text]) => text);
    fc.assert(fc.property(fc.array(fc.constantFrom(...pieces, ...passed, 'and', '\n'), { maxLength: 8 }), (parts) => {
      const text = parts.join(' ; ');
      let end = 0;
      for (const { from, to } of findPersonal(text)) {
        assert.ok(from >= end && to > from && to <= text.length);
        end = to;
      }
    }));
  });
});

/** A token with the check digits that GitHub gives its own. */
function withCrc(prefix: string, body: string): string {
  let check = crc32(body);
  let digits = '';
  for (let i = 0; i < 6; i++) [digits, check] = ['0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'[check % 62]! + digits, Math.floor(check / 62)];
  return prefix + body + digits;
}

describe('keys and tokens', () => {
  const random = 'aB3dE5gH7jK9mN1pQ3sT5vX7zA9cD1';
  const jwt = `${Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')}.${Buffer.from('{"sub":"1234567890"}').toString('base64url')}.dBjftJeZ4CVPmB92K27uhbUJU1p1r`;
  // Put together here, so that no scanner takes this file for a leak.
  const found: [string, string, string][] = [
    ['private-key', `-----BEGIN RSA ${'PRIVATE'} KEY-----\nMIIE`, `-----BEGIN RSA ${'PRIVATE'} KEY-----`], ['aws', `AK${'IA'}2E5WQOV7GZKLMN4P`, `AK${'IA'}2E5WQOV7GZKLMN4P`], ['github', `token ${withCrc('ghp_', random)}`, withCrc('ghp_', random)],
    ['npm', withCrc('npm_', random), withCrc('npm_', random)], ['google', `AI${'za'}SyD3kLm9Qw8Er7Ty6Ui5Op4As2Df1Gh0JkZ`, `AI${'za'}SyD3kLm9Qw8Er7Ty6Ui5Op4As2Df1Gh0JkZ`], ['model-api', `sk-proj-${random}Zq8W`, `sk-proj-${random}Zq8W`],
    ['jwt', `Bearer ${jwt}`, jwt], ['password', 'postgres://app:s3cr3tPw@db.internal:5432/x', 's3cr3tPw'], ['random', `api_key = "${random}"`, random], ['random', `пароль: ${random}`, random], ['telegram', `12345678${'9'}:AA${'Hk3_x7Qw9Zr5Tn2Vb8Yc4Md6Lf1Gj0Ps_q'.slice(0, 33)}`, `12345678${'9'}:AA${'Hk3_x7Qw9Zr5Tn2Vb8Yc4Md6Lf1Gj0Ps_q'.slice(0, 33)}`],
  ];
  for (const [kind, text, match] of found) test(kind, () => assert.deepEqual(findSecrets(text).map(({ kind: is, from, to }) => [is, text.slice(from, to)]), [[kind, match]]));
  const passed = [
    `AK${'IA'}IOSFODNN7EXAMPLE`, `ghp_${'a'.repeat(36)}`, `${withCrc('ghp_', random).slice(0, -1)}!`, 'api_key = YOUR_API_KEY_GOES_HERE', 'secret: correct-horse-battery-staple', 'token = xxxxxxxxxxxxxxxxxxxxxxxx', 'password is changeme1234567890Ab', 'https://user:password@host.example', 'eyJhbGciOi.not.token',
    'The secret to good bread is patience', `key: ${'0123456789abcdef'.repeat(4)}`, '-----BEGIN PUBLIC KEY-----', 'sk-learn-contrib-is-a-collection-of-packages-for-python',
  ];
  for (const text of passed) test(`let pass: ${text.slice(0, 40)}`, () => assert.deepEqual(findSecrets(text), []));
});

describe('phrases of language models', () => {
  const found = [
    'As an AI language model, I cannot', "I'm just a large language model", 'Being an AI assistant I', 'as of my last knowledge update in 2021', "I don't have personal opinions", 'Regenerate response', 'cited here【12†source】', 'Как языковая модель, я не могу', 'Я — нейросеть и', 'У меня нет личного мнения',
    'Als KI-Sprachmodell kann ich', 'En tant que modèle de langage,', 'Como modelo de lenguaje, no', 'Como um modelo de linguagem', 'In quanto modello linguistico', '作为一个人工智能语言模型，', '大規模言語モデルとして', 'Certainly! Here is a list', 'I’m ChatGPT',
  ];
  for (const text of found) test(text, () => assert.equal(findBoilerplate(text).length > 0, true));
  for (const text of ['A language model predicts words.', 'He works as an aide', 'I am an airline pilot', 'Sure, I like it', 'нейросеть обучают на текстах', 'How do AI systems learn?', 'Als Kind kann man', 'Como una manzana']) test(`let pass: ${text}`, () => assert.deepEqual(findBoilerplate(text), []));
});

describe('damage', () => {
  const misread = (text: string, as: string): string => new TextDecoder(as).decode(new TextEncoder().encode(text));
  for (const [text, as] of [['café, naïve', 'windows-1252'], ['it’s “fine” — really', 'windows-1252'], ['Привет, мир', 'windows-1251'], ['日本語', 'windows-1252'], ['😀', 'windows-1252'], ['Ärger und Öl', 'windows-1252']] as const) {
    test(`${text} read as ${as} is found, and mended`, () => {
      const damaged = misread(text, as);
      const found = findEncodingDamage(damaged);
      assert.ok(found.length > 0);
      let mended = damaged;
      for (const { from, to, fix } of found.toReversed()) mended = mended.slice(0, from) + (fix ?? '?') + mended.slice(to);
      assert.equal(mended, text);
    });
  }
  const others: [string, string | undefined][] = [['lost \ufffd here', undefined], ['a\u0007b', ''], ['it\u0092s', '’'], ['abc\u202edef', ''], ['in\ufeffside', ''], ['a &amp; b', '&'], ['&#8217;', '’'], ['&#x41;', 'A']];
  for (const [text, fix] of others) test(JSON.stringify(text), () => assert.deepEqual(findEncodingDamage(text).map((f) => f.fix), [fix]));
  for (const text of ['café', 'Привет, «СССР»', 'Ребро Рёбра РЫБА', 'naïve Ångström Ñandú', 'IRMÃ e MÃE', 'AT&T &c', 'a\tb\r\n', 'Σ = ∑', 'ÀÉÎ', '日本語', '👩‍👩‍👧']) test(`let pass: ${text}`, () => assert.deepEqual(findEncodingDamage(text), []));
  test('text of any script is not damaged', () => {
    const scripts = fc.stringMatching(/^[\p{Script=Latin}\p{Script=Greek}\p{Script=Han} .,]{0,30}$/u).filter((s) => !/[\u00c0-\u00ff][\u0080-\u00ff€-™Œ-ž]/u.test(s) && s.isWellFormed());
    fc.assert(fc.property(scripts, (text) => assert.deepEqual(findEncodingDamage(text), [])));
  });
});

describe('citation marks', () => {
  const cases: [string, string][] = [
    ['single route.[3] It', 'single route. It'], ['retired.[1][2]', 'retired.'], ['period.[5]: 209  Until', 'period.  Until'], ['many [5]: 20 of them', 'many: 20 of them'], ['Dragon Ball Z[c] is', 'Dragon Ball Z is'], ['word [12].', 'word.'], ['true.[citation needed] But', 'true. But'], ['a[note 1], b', 'a, b'], ['Город[4][прим. 2] стоит', 'Город стоит'], ['x.[1]:12–14 y', 'x. y'],
  ];
  for (const [text, clean] of cases) test(text, () => assert.equal(withoutCitationMarks(text), clean));
  for (const text of ['values[0] = 3', 'for (i = 0;;) a[1];', '[1, 2, 3]', '[1] first', 'list[2](x)', 'def f(a):\n  return a[1]', 'see [the text]', '[1234] tokens', 'm[i].name', 'f([1])', '```\nx[1]\n```']) test(`let pass: ${text}`, () => assert.equal(withoutCitationMarks(text), text));
  test('taking away is all that is done, and doing it again does nothing', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom('word', '[3]', '[12]', ' ', '. ', ', ', '[a]', '[1234]', '('), { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      const clean = withoutCitationMarks(text);
      assert.ok(findCitationMarks(text).length > 0 || clean === text);
      let at = 0;
      for (const c of clean) at = text.indexOf(c, at) + 1;
      assert.ok(clean === '' || at > 0);
    }));
  });
});

describe('rude words', () => {
  test('whole words of the lists, and forms of the four Russian roots', () => {
    for (const text of ['What the fuck is it', 'это пиздец', 'наебал всех', 'хуйня какая', 'Бля!']) assert.equal(findProfanity(text).length, 1, text);
    for (const text of ['Scunthorpe', 'assess the classic cockpit', 'Moby Dick', 'a Maine coon', 'sexual reproduction of ferns', 'страховать ребёнка', 'употреблять', 'хлеб', 'команда', 'рубля', 'хулиган', 'небеса', 'мебель', 'учебник', 'ебонит'.slice(2), 'тебе', 'погреб', 'себя', 'худой', 'художник', 'ставня']) assert.deepEqual(findProfanity(text), [], text);
  });
});

describe('language', () => {
  const sentences: [string, string][] = [
    ['ru', 'Выдра живёт у реки и охотится ночью, а днём спит в камышах.'], ['de', 'Der Otter lebt am Fluss und jagt in der Nacht, am Tag schläft er im Schilf.'], ['fr', 'La loutre vit près de la rivière et chasse la nuit, le jour elle dort dans les roseaux.'],
    ['es', 'La nutria vive junto al río y caza de noche, de día duerme entre los juncos.'], ['en', 'the otter lives by the river and hunts at night, by day it sleeps in the reeds.'], ['it', 'la lontra vive vicino al fiume e caccia di notte, di giorno dorme tra le canne.'], ['pl', 'wydra mieszka nad rzeką i poluje w nocy, a w dzień śpi w trzcinach.'],
    ['uk', 'видра живе біля річки та полює вночі, а вдень спить в очереті.'],
  ];
  test('sentences', async () => {
    const detect = await loadLanguages();
    for (const [language, text] of sentences) assert.equal(detect(text)?.language, language, text);
  });
  test('nothing is said of few words, names, code', async () => {
    const detect = await loadLanguages();
    for (const text of ['', 'Yes.', 'Jair Bolsonaro, Michel Temer, Dilma Rousseff, Itamar Franco, Fernando Collor', '```\nfor x in y: print(x) if x else exit\n```', 'https://example.org/a/b/c/d/e']) assert.equal(detect(text), undefined, text);
  });
});

test('of stretches that overlap the first of the list stays', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 8 })).map(([from, length]) => ({ from, to: from + length })), { maxLength: 12 }), (list) => {
    const kept = withoutOverlaps(list);
    for (let i = 1; i < kept.length; i++) assert.ok(kept[i]!.from >= kept[i - 1]!.to);
    if (list.length > 0) assert.ok(kept.includes(list[0]!));
    for (const span of list) assert.ok(kept.some((k) => k.from < span.to && span.from < k.to));
  }));
});

test('words and items', () => {
  const text = "The otter's 1,024 fish\u200b — ёж";
  assert.deepEqual(wordsOf(text).map(({ key }) => key), ['the', "otter's", '1,024', 'fish', 'еж']);
  assert.deepEqual(wordsOf(text).map(({ start, end }) => text.slice(start, end)), ['The', "otter's", '1,024', 'fish', 'ёж']);
  assert.ok(wordsOf('水獭住在河边').length >= 3, 'scripts without spaces');
  for (const sign of ['\u200b', '\u00ad', '\u200d', '\u2060\u200b']) {
    const padded = wordsOf(`a ri${sign}v${sign}er${sign}`);
    assert.deepEqual(padded.map(({ key }) => key), ['a', 'river'], 'invisible signs make no word more');
    assert.equal(countWords(`one${sign} two ${sign}three ${sign}`), 3);
  }
  for (const [text, items] of [['- a\n- b\n- c', 3], ['1. red 2. blue 3. green', 3], ['red, blue and green', 3], ['One thing.', 1], ['a\nb\nc\nd', 4], ['First do this. Then that. Rest.', 3]] as const) assert.equal(ideasOf(text).length, items, text);
});
