/**
 * Passwords: argon2id (RFC 9106) with 19 MiB, two passes and one lane, as OWASP's cheat sheet has it, written in PHC's form so that its
 * parameters can rise later. A password is judged by its length and by the few that everybody tries; no rules of composition (NIST SP 800-63B).
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { normalise } from '../../text/normalise.ts';
import { Refusal } from '../refusal.ts';

interface Argon2 {
  readonly message: Buffer;
  readonly nonce: Buffer;
  readonly parallelism: number;
  readonly tagLength: number;
  readonly memory: number;
  readonly passes: number;
}

const argon2id = promisify(argon2) as (algorithm: 'argon2id', parameters: Argon2) => Promise<Buffer>;

/** One core is left for everybody else when a whole office signs in at nine. */
const AT_ONCE = Math.max(1, availableParallelism() - 1);
let running = 0;
const waiting: (() => void)[] = [];

async function derive(parameters: Argon2): Promise<Buffer> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await argon2id('argon2id', parameters);
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

const COST = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const TAG = 32;

const FORM = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const plain = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

/** The same characters typed on another keyboard are the same password. */
const bytesOf = (password: string): Buffer => Buffer.from(password.normalize('NFKC'));

export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16);
  const { memory, passes, parallelism } = COST;
  const tag = await derive({ message: bytesOf(password), nonce, parallelism, tagLength: TAG, memory, passes });
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${plain(nonce)}$${plain(tag)}`;
}

/** A hash that no password has: whoever is not there takes as long as whoever is. */
let nobodys: Promise<string> | undefined;

export async function verifyPassword(password: string, hash: string | null | undefined): Promise<boolean> {
  const known = hash ?? (await (nobodys ??= hashPassword(randomBytes(32).toString('hex'))));
  const [, memory, passes, parallelism, nonce, tag] = FORM.exec(known) ?? [];
  if (tag === undefined) return false;
  const expected = Buffer.from(tag, 'base64');
  const found = await derive({ message: bytesOf(password), nonce: Buffer.from(nonce!, 'base64'), parallelism: Number(parallelism), tagLength: expected.length, memory: Number(memory), passes: Number(passes) });
  return timingSafeEqual(found, expected) && Boolean(hash);
}

const LEAST = 10;
/** Of lists of leaked passwords, those of ten characters and more. */
const EVERYBODYS = new Set(['1234567890', '0123456789', '12345678910', '0987654321', 'qwertyuiop', 'qwerty123456', '1q2w3e4r5t', '1q2w3e4r5t6y', 'password123', 'password1234', 'passwordpassword', 'iloveyou123', 'administrator', 'letmein123', 'welcome123', 'йцукенгшщз']);

/** Throws Refusal for a password that would be guessed. */
export function requireStrong(password: string, names: readonly string[]): void {
  const refuse = (why: string) => new Refusal('weak_password', `The password ${why}.`, { values: { least: LEAST }, fields: { password: why } });
  const folded = normalise(password);
  if ([...password].length < LEAST) throw refuse(`needs at least ${LEAST} characters`);
  if (EVERYBODYS.has(folded) || new Set(folded).size < 4) throw refuse('is one of those that everybody tries');
  if (names.some((name) => name.length >= 4 && folded.includes(normalise(name)))) throw refuse('holds your name');
}
