/**
 * Personal data by its form: addresses and numbers that reach or identify a person. A number counts where its check digits are right; where
 * those are few, a word beside it must say what it is. No names, no postal addresses: forms cannot tell those. Every pattern
 * begins where none of its characters is before it and has bounded repetitions, so that time is linear in the text.
 */
import { isIPv6 } from 'node:net';
import { cpf, dni, iban, inn, luhn, nir, ogrn, pesel, snils, steuerId } from './checksums.ts';
import { withoutOverlaps } from './spans.ts';

export interface PersonalFinding {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

interface Kind {
  readonly kind: string;
  readonly reason: string;
  readonly pattern: RegExp;
  /** A character without which the pattern cannot be there. */
  readonly needs: RegExp;
  readonly accept?: (match: string, before: string, after: string) => boolean;
}

const bare = (text: string): string => text.replace(/[\s().–\u00a0\u202f-]/gu, '');
/** Whether a word stands in the characters before. */
const says = (before: string, words: RegExp): boolean => words.test(before);

/** Country → length of its IBANs (SWIFT registry, release 99). */
const IBAN_LENGTHS: Readonly<Record<string, number>> = {
  AD: 24, AE: 23, AL: 28, AT: 20, AZ: 28, BA: 20, BE: 16, BG: 22, BH: 22, BI: 27, BR: 29, BY: 28, CH: 21, CR: 22, CY: 28, CZ: 24, DE: 22, DJ: 27, DK: 18, DO: 28, EE: 20, EG: 29, ES: 24, FI: 18, FK: 18, FO: 18, FR: 27,
  GB: 22, GE: 22, GI: 23, GL: 18, GR: 27, GT: 28, HN: 28, HR: 21, HU: 28, IE: 22, IL: 23, IQ: 23, IS: 26, IT: 27, JO: 30, KW: 30, KZ: 20, LB: 28, LC: 32, LI: 21, LT: 20, LU: 20, LV: 21, LY: 25, MC: 27, MD: 24, ME: 22,
  MK: 19, MN: 20, MR: 27, MT: 31, MU: 30, NI: 28, NL: 18, NO: 15, OM: 23, PK: 24, PL: 28, PS: 29, PT: 25, QA: 29, RO: 24, RS: 22, RU: 33, SA: 24, SC: 31, SD: 18, SE: 24, SI: 19, SK: 24, SM: 27, SO: 23, ST: 25, SV: 28,
  TL: 23, TN: 24, TR: 26, UA: 29, VA: 22, VG: 24, XK: 20, YE: 30,
};

/** Names that RFC 2606 and RFC 6761 keep for examples. */
const EXAMPLE_HOST = /(?:^|\.)(?:example(?:\.(?:com|net|org|edu))?|test|invalid|localhost)$/i;

/** Cards by their first digits (ISO/IEC 7812): Visa, Mastercard, American Express, Discover, Diners, JCB, UnionPay, Mir, Maestro. */
const CARD = /^(?:4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|6(?:011|4[4-9]\d|5\d\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}|220[0-4]\d{12,15}|(?:50|5[6-9]|6\d)\d{10,17})$/;
/** Numbers that makers of payment software publish for tests. */
const TEST_CARDS = new Set(['4242424242424242', '4111111111111111', '5555555555554444', '378282246310005', '4012888888881881', '5105105105105100', '6011111111111117']);

/** RFC 1918, 5735, 6598, multicast and documentation: addresses of nobody in particular. */
const NOBODYS_IP = /^(?:0|10|127|22[4-9]|2[3-5]\d)\.|^172\.(?:1[6-9]|2\d|3[01])\.|^192\.168\.|^169\.254\.|^192\.0\.[02]\.|^198\.51\.100\.|^203\.0\.113\.|^198\.1[89]\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^(?:8\.8\.[84]\.[84]|1\.1\.1\.1|1\.0\.0\.1|9\.9\.9\.9)$/;

/** North American number: area and exchange begin with 2 to 9, and are no service codes; 555-0100 to 0199 are for fiction. */
const isNorthAmerican = (digits: string): boolean => /^1?[2-9]\d\d[2-9]\d{6}$/.test(digits) && !/^1?(?:[2-9]11\d{7}|\d{3}[2-9]11\d{4}|\d{3}55501\d\d)$/.test(digits);

const KINDS: readonly Kind[] = [
  {
    kind: 'e-mail', reason: 'an e-mail address', needs: /@/, pattern: /(?<![\w.%+-])[\w%+-][\w.%+-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,5}[A-Za-z]{2,24}(?![\w@])/gu,
    accept: (match) => !EXAMPLE_HOST.test(match.slice(match.indexOf('@') + 1)) && !match.includes('..'),
  },
  {
    kind: 'phone', reason: 'a telephone number in international form', needs: /\+/, pattern: /(?<![\w+])\+[1-9]\d{0,2}(?:[ .\u00a0-]?(?:\(\d{1,5}\)|\d{1,7})){2,6}(?![\d(])/gu,
    accept: (match) => {
      const digits = bare(match).slice(1);
      return digits.length >= 9 && digits.length <= 15 && (!digits.startsWith('1') || isNorthAmerican(digits)) && (!digits.startsWith('7') || /^7[3-9]\d{9}$|^7[67]\d{9}$/.test(digits));
    },
  },
  {
    kind: 'phone', reason: 'a North American telephone number', needs: /\d{4}/, pattern: /(?<![\w.+$€£/-])(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[.-])[2-9]\d\d[.-]\d{4}(?![\w-]|\.\d)/gu,
    accept: (match) => isNorthAmerican(bare(match)),
  },
  {
    kind: 'phone', reason: 'a Russian telephone number', needs: /8/, pattern: /(?<![\w.+-])8[ \u00a0-]?\(?[3489]\d\d\)?[ \u00a0-]?\d{3}[ \u00a0-]?\d\d[ \u00a0-]?\d\d(?![\w-])/gu,
    // Eleven digits in a row are a number like any other, unless something says so.
    accept: (match, before) => /[ ()\u00a0-]/.test(match) || says(before, /тел|моб|phone|звон|whatsapp/iu),
  },
  { kind: 'phone', reason: 'a British telephone number', needs: /0/, pattern: /(?<![\w.+-])0(?:7\d{3}[ -]\d{3}[ -]?\d{3}|2\d[ -]\d{4}[ -]\d{4}|1\d{3}[ -]\d{6}|1\d\d[ -]\d{3}[ -]\d{4})(?![\w-])/gu, accept: (match) => !/^07700900|^020794609|^01632960/.test(bare(match)) },
  {
    kind: 'iban', reason: 'a bank account (IBAN whose check digits are right)', needs: /[A-Z]{2}\d{2}/, pattern: /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{1,4}){3,8}(?![A-Za-z0-9])/gu,
    accept: (match) => {
      const text = match.replaceAll(' ', '');
      return IBAN_LENGTHS[text.slice(0, 2)] === text.length && iban(text);
    },
  },
  {
    kind: 'card', reason: 'a payment card (known beginning, Luhn check digit)', needs: /\d{3}/, pattern: /(?<![\w.+-])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5})(?![\w-]|[.,]\d)/gu,
    accept: (match) => CARD.test(bare(match)) && luhn(bare(match)) && !TEST_CARDS.has(bare(match)) && new Set(bare(match)).size > 2,
  },
  {
    kind: 'us-ssn', reason: 'a US social security number', needs: /\d{4}/, pattern: /(?<![\w.-])\d{3}([- ])\d{2}\1\d{4}(?![\w-])/gu,
    // Never given out: 000, 666, 9xx, 00, 0000, and two that advertisements made known. With spaces a word must say what it is.
    accept: (match, before) => !/^(?:000|666|9\d\d)|^\d{3}.00|0000$|^078.05.1120|^219.09.9999/.test(match) && (match[3] === '-' || says(before, /ssn|social security/iu)),
  },
  { kind: 'uk-nino', reason: 'a British national insurance number', needs: /[A-Z]{2} ?\d/, pattern: /(?<![A-Za-z0-9])(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D](?![A-Za-z0-9])/gu, accept: (match) => bare(match) !== 'QQ123456C' },
  { kind: 'ru-snils', reason: 'a Russian pension account (SNILS, check digits are right)', needs: /\d{3}/, pattern: /(?<![\w-])\d{3}[- ]\d{3}[- ]\d{3}[- ]\d{2}(?![\w-])/gu, accept: (match) => snils(bare(match)) },
  { kind: 'ru-snils', reason: 'a Russian pension account (SNILS, check digits are right)', needs: /\d{11}/, pattern: /(?<![\w.-])\d{11}(?![\w-]|[.,]\d)/gu, accept: (match, before) => says(before, /снилс|snils/iu) && snils(match) },
  { kind: 'ru-inn', reason: 'a Russian taxpayer number (INN, check digits are right)', needs: /\d{10}/, pattern: /(?<![\w.-])(?:\d{12}|\d{10})(?![\w-]|[.,]\d)/gu, accept: (match, before) => says(before, /(?<!\p{L})(?:инн|inn)(?!\p{L})/iu) && inn(match) },
  {
    kind: 'ru-ogrn', reason: 'a Russian register number (OGRN or OGRNIP, check digit is right)', needs: /\d{13}/, pattern: /(?<![\w.-])(?:[1235]\d{12}|3\d{14})(?![\w-]|[.,]\d)/gu, accept: (match, before) => says(before, /огрн|ogrn/iu) && ogrn(match),
  },
  { kind: 'ru-passport', reason: 'a Russian passport, by the word before it', needs: /\d{6}/, pattern: /(?<![\w.-])\d{2} ?\d{2} (?:№ ?|N ?)?\d{6}(?![\w-])|(?<![\w.-])\d{4} (?:№|номер|N) ?\d{6}(?![\w-])|(?<![\w.-])\d{10}(?![\w-])/gu, accept: (_match, before) => says(before, /паспорт|серия|passport/iu) },
  { kind: 'de-tax-id', reason: 'a German tax identification number (check digit is right)', needs: /\d{2}/, pattern: /(?<![\w.-])\d{2} \d{3} \d{3} \d{3}(?![\w-]|[.,]?\d| \d)/gu, accept: (match) => steuerId(bare(match)) },
  { kind: 'de-tax-id', reason: 'a German tax identification number (check digit is right)', needs: /\d{11}/, pattern: /(?<![\w.-])\d{11}(?![\w-]|[.,]\d)/gu, accept: (match, before) => says(before, /steuer|tax id|\btin\b|idnr/iu) && steuerId(match) },
  { kind: 'br-cpf', reason: 'a Brazilian taxpayer number (CPF, check digits are right)', needs: /\d{3}\./, pattern: /(?<![\w.-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])/gu, accept: (match) => cpf(bare(match)) },
  { kind: 'pl-pesel', reason: 'a Polish PESEL (check digit is right)', needs: /\d{11}/, pattern: /(?<![\w.-])\d{11}(?![\w-]|[.,]\d)/gu, accept: (match, before) => says(before, /pesel/iu) && pesel(match) },
  { kind: 'es-dni', reason: 'a Spanish identity number (DNI or NIE, its letter is right)', needs: /\d{7}/, pattern: /(?<![\w-])(?:\d{8}|[XYZ]-?\d{7})-?[A-HJ-NP-TV-Z](?![\w-])/gu, accept: (match, before) => dni(bare(match)) && (/-[A-Z]$/.test(match) || says(before, /\b(?:dni|nie|nif|identidad)\b/iu)) },
  { kind: 'fr-nir', reason: 'a French social security number (key is right)', needs: /[12]/, pattern: /(?<![\w.-])[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d(?![\w-]|[.,]\d)/gu, accept: (match) => nir(bare(match)) },
  {
    kind: 'ip', reason: 'an IP address of the open internet', needs: /\d\./, pattern: /(?<![\w.-])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?![\w-]|\.\d)/gu,
    // Numbers of versions, sections and standards look the same.
    accept: (match, before) => !NOBODYS_IP.test(match) && !says(before, /(?:\bv|version|release|section|chapter|update|firmware|§|вер(?:сия|сии)?\.?)\s*$/iu) && Number(match.split('.')[0]) > 9,
  },
  {
    kind: 'ip', reason: 'an IPv6 address of the open internet', needs: /:/, pattern: /(?<![\w:.])[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}(?![\w:])/gu,
    accept: (match) => isIPv6(match) && !/^2001:0?db8:/i.test(match),
  },
];

/** What is looked at before and after a match. */
const NEAR = 32;

/** In the order of their places; of those that overlap the longer one, then the one whose kind is earlier in the table. */
export function findPersonal(text: string): PersonalFinding[] {
  const found: (PersonalFinding & { readonly rank: number })[] = [];
  for (const [rank, { kind, reason, pattern, needs, accept }] of KINDS.entries()) {
    if (!needs.test(text)) continue;
    for (const { 0: match, index } of text.matchAll(pattern)) {
      const to = index + match.length;
      if (accept && !accept(match, text.slice(Math.max(0, index - NEAR), index), text.slice(to, to + NEAR))) continue;
      found.push({ kind, from: index, to, reason, rank });
    }
  }
  return withoutOverlaps(found.sort((a, b) => b.to - b.from - (a.to - a.from) || a.rank - b.rank)).map(({ kind, from, to, reason }) => ({ kind, from, to, reason }));
}

/** Kinds that are looked for. */
export const PERSONAL_KINDS: readonly string[] = [...new Set(KINDS.map(({ kind }) => kind))];
