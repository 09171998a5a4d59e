/** Check digits of numbers that stand for a person or an account. Each takes digits (or letters where the number has them) without spaces. */

const digitsOf = (text: string): number[] => Array.from(text, Number);

const weighted = (digits: readonly number[], weights: readonly number[]): number => weights.reduce((sum, weight, i) => sum + weight * digits[i]!, 0);

/** ISO/IEC 7812-1, annex B. */
export function luhn(text: string): boolean {
  const sum = digitsOf(text).reverse().reduce((total, digit, i) => total + (i % 2 === 0 ? digit : digit > 4 ? 2 * digit - 9 : 2 * digit), 0);
  return sum % 10 === 0;
}

/** Remainder of a decimal number of any length. */
function remainder(text: string, divisor: number): number {
  let rest = 0;
  for (const digit of text) rest = (rest * 10 + Number(digit)) % divisor;
  return rest;
}

/** ISO 13616: the first four characters last, letters as 10 to 35, remainder 1 by 97. */
export const iban = (text: string): boolean => remainder(Array.from(text.slice(4) + text.slice(0, 4), (c) => String(parseInt(c, 36))).join(''), 97) === 1;

/** Russian taxpayer's number, 10 digits (organisations) or 12 (people): order of the tax service of 29.06.2012 N ММВ-7-6/435. */
export function inn(text: string): boolean {
  const d = digitsOf(text);
  const check = (weights: readonly number[]) => (weighted(d, weights) % 11) % 10;
  if (text.length === 10) return check([2, 4, 10, 3, 5, 9, 4, 6, 8]) === d[9];
  return text.length === 12 && check([7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) === d[10] && check([3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) === d[11];
}

/** Russian pension account, 11 digits: the sum weighted 9 to 1, modulo 101, 100 as 00. Numbers up to 001-001-998 have none. */
export function snils(text: string): boolean {
  if (Number(text.slice(0, 9)) <= 1_001_998) return false;
  return (weighted(digitsOf(text), [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101) % 100 === Number(text.slice(9));
}

/** Russian register of organisations (13 digits) or sole traders (15): all but the last modulo 11 or 13, its last digit. */
export const ogrn = (text: string): boolean => (remainder(text.slice(0, -1), text.length - 2) % 10) === Number(text.at(-1));

/** ISO 7064, MOD 11,10, of German tax identification numbers; of the first ten digits one is there twice or thrice, the others once at most. */
export function steuerId(text: string): boolean {
  const d = digitsOf(text);
  const counts = Array.from({ length: 10 }, () => 0);
  for (const digit of d.slice(0, 10)) counts[digit]!++;
  const repeated = counts.filter((n) => n > 1);
  if (d[0] === 0 || repeated.length !== 1 || repeated[0]! > 3) return false;
  let product = 10;
  for (const digit of d.slice(0, 10)) {
    const sum = (digit + product) % 10 || 10;
    product = (2 * sum) % 11;
  }
  return (11 - product) % 10 === d[10];
}

/** Brazilian CPF, 11 digits: two check digits modulo 11; all digits the same is none. */
export function cpf(text: string): boolean {
  const d = digitsOf(text);
  const check = (count: number) => ((10 * d.slice(0, count).reduce((sum, digit, i) => sum + digit * (count + 1 - i), 0)) % 11) % 10;
  return new Set(d).size > 1 && check(9) === d[9] && check(10) === d[10];
}

/** Polish PESEL, 11 digits: weights 1, 3, 7, 9. */
export const pesel = (text: string): boolean => weighted(digitsOf(text), [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;

/** Spanish DNI or NIE: the letter is the number modulo 23. */
export const dni = (text: string): boolean => 'TRWAGMYFPDXBNJZSQVHLCKE'[Number(text.slice(0, -1).replace(/^[XYZ]/, (c) => String('XYZ'.indexOf(c)))) % 23] === text.at(-1);

/** French social security number, 15 characters: 97 minus the number modulo 97; Corsica's 2A and 2B as 19 and 18. */
export const nir = (text: string): boolean => 97 - remainder(text.slice(0, 13).replace('2A', '19').replace('2B', '18'), 97) === Number(text.slice(13));
