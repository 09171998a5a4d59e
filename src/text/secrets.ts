/**
 * Keys, tokens and passwords that open something: by the forms that their makers give them, some with check digits, and as a last resort
 * long random-looking strings right after a word that says so. Examples of documentation are let pass. Patterns begin
 * where none of their characters is before them, so that time is linear.
 */
import { crc32 } from 'node:zlib';
import { withoutOverlaps } from './spans.ts';

export interface SecretFinding {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

interface Kind {
  readonly kind: string;
  readonly reason: string;
  readonly pattern: RegExp;
  readonly accept?: (match: string, groups: readonly (string | undefined)[]) => boolean;
  /** The group that is the secret itself, where the match holds more. */
  readonly group?: number;
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** GitHub (and npm, which copied it): the last six characters are the CRC-32 of the thirty before, in base 62. */
function hasCrc(token: string): boolean {
  const body = token.slice(token.indexOf('_') + 1);
  let check = crc32(body.slice(0, -6));
  let text = '';
  for (let i = 0; i < 6; i++) {
    text = BASE62[check % 62]! + text;
    check = Math.floor(check / 62);
  }
  return text === body.slice(-6);
}

/** Shannon's entropy of a string's characters, bits each. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const c of text) counts.set(c, (counts.get(c) ?? 0) + 1);
  return [...counts.values()].reduce((sum, n) => sum - (n / text.length) * Math.log2(n / text.length), 0);
}

/** Sixteen random characters of 64 have 3.8 bits each on average, words have 3: what is meant to be random has three kinds of characters and few repeats. */
const looksRandom = (text: string): boolean => [/[a-z]/, /[A-Z]/, /\d/].every((kind) => kind.test(text)) && entropy(text) >= (text.length >= 32 ? 4 : 3.5) && !/(.)\1{3}|x{3}|1234|abcd|example|your|placeholder|changeme/i.test(text);

function isJwt(text: string): boolean {
  try {
    const header = JSON.parse(Buffer.from(text.split('.', 1)[0]!, 'base64url').toString()) as unknown;
    return typeof header === 'object' && header !== null && 'alg' in header;
  } catch {
    return false;
  }
}

const KINDS: readonly Kind[] = [
  { kind: 'private-key', reason: 'a private key', pattern: /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----/gu },
  { kind: 'aws', reason: 'an AWS access key id', pattern: /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])/gu, accept: (match) => !match.endsWith('EXAMPLE') },
  { kind: 'aws', reason: 'an AWS secret key, by the word before it', pattern: /aws.{0,20}?(?:secret|key).{0,20}?["'=:\s]([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/giu, group: 1, accept: (_, [, key]) => looksRandom(key!) && !key!.endsWith('EXAMPLEKEY') },
  { kind: 'github', reason: 'a GitHub token (check digits are right)', pattern: /(?<!\w)gh[pousr]_[A-Za-z0-9]{36}(?!\w)/gu, accept: hasCrc },
  { kind: 'github', reason: 'a GitHub token', pattern: /(?<!\w)github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}(?!\w)/gu },
  { kind: 'npm', reason: 'an npm token (check digits are right)', pattern: /(?<!\w)npm_[A-Za-z0-9]{36}(?!\w)/gu, accept: hasCrc },
  { kind: 'gitlab', reason: 'a GitLab token', pattern: /(?<!\w)glpat-[\w-]{20}(?![\w-])/gu, accept: looksRandom },
  { kind: 'slack', reason: 'a Slack token', pattern: /(?<!\w)xox[abprs]-\d{8,14}-[\w-]{10,80}(?![\w-])/gu },
  { kind: 'google', reason: 'a Google API key', pattern: /(?<![\w-])AIza[\w-]{35}(?![\w-])/gu, accept: looksRandom },
  { kind: 'model-api', reason: 'a key of a hosted model', pattern: /(?<![\w-])sk-(?:proj-|ant-(?:api\d\d-)?|or-v1-)?[\w-]{32,200}(?![\w-])/gu, accept: looksRandom },
  { kind: 'hugging-face', reason: 'a Hugging Face token', pattern: /(?<!\w)hf_[A-Za-z]{34}(?!\w)/gu, accept: (match) => entropy(match.slice(3)) >= 3.8 },
  { kind: 'stripe', reason: 'a Stripe key', pattern: /(?<!\w)[sr]k_live_[A-Za-z0-9]{24,99}(?!\w)/gu },
  { kind: 'telegram', reason: 'a Telegram bot token', pattern: /(?<![\w:])\d{8,10}:AA[\w-]{33}(?![\w-])/gu },
  { kind: 'roslin', reason: 'a key of a Roslin server', pattern: /(?<![\w-])rk-[\w-]{24,80}(?![\w-])/gu, accept: looksRandom },
  { kind: 'jwt', reason: 'a signed token (JWT)', pattern: /(?<![\w.-])eyJ[\w-]{10,4000}\.eyJ[\w-]{10,8000}\.[\w-]{10,2000}(?![\w-])/gu, accept: isJwt },
  {
    kind: 'password', reason: 'a password in an address', pattern: /(?<![\w+.-])[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@]{1,64}:([^\s:/@]{3,128})@[\w.-]{1,253}/giu, group: 1,
    accept: (_, [, secret]) => !/^(?:pass(?:word|wd)?|secret|\*+|x+|<.*>|\$\{.*\}|\{.*\}|pwd)$/i.test(secret!),
  },
  {
    kind: 'random', reason: 'a random string after a word for keys', pattern: /(?:api[_ -]?key|secret|token|passw(?:or)?d|пароль|ключ|access[_ -]?key|auth)["']?\s{0,3}(?:[:=]|is|это|—)\s{0,3}["'`]?([A-Za-z0-9+/_-]{16,200}={0,2})(?![A-Za-z0-9+/_=-])/giu, group: 1,
    accept: (_, [, secret]) => looksRandom(secret!),
  },
];

/** In the order of their places; of those that overlap the one that is earlier in the table. */
export function findSecrets(text: string): SecretFinding[] {
  const found: SecretFinding[] = [];
  for (const { kind, reason, pattern, accept, group = 0 } of KINDS) {
    for (const match of text.matchAll(pattern)) {
      if (accept && !accept(match[0], match)) continue;
      const from = match.index + (group === 0 ? 0 : match[0].lastIndexOf(match[group]!));
      found.push({ kind, from, to: from + match[group]!.length, reason });
    }
  }
  return withoutOverlaps(found);
}
