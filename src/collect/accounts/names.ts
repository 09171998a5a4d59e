/** Names that must not be taken for each other: compared as people see them, look-alike letters and invisible ones folded. */
import { INVISIBLE, normalise } from '../../text/normalise.ts';
import { isUniqueViolation } from '../../store/store.ts';
import { Refusal } from '../refusal.ts';

/** Cyrillic letters that look like Latin ones, for comparison alone: whole words of one alphabet imitate names too. */
const LOOKS: Readonly<Record<string, string>> = { а: 'a', в: 'b', с: 'c', е: 'e', н: 'h', і: 'i', ј: 'j', к: 'k', м: 'm', о: 'o', р: 'p', ѕ: 's', т: 't', у: 'y', х: 'x', '0': 'o', '1': 'l' };

export const keyOf = (name: string): string => normalise(name).replace(/[\u0400-\u04ff01]/gu, (letter) => LOOKS[letter] ?? letter).replace(/\s+/gu, ' ');

/** As it is kept: one line, composed letters, no marks that turn or hide text. */
export const cleanName = (name: string): string => name.normalize('NFC').replace(INVISIBLE, '').replace(/\s+/gu, ' ').trim();

const TAKEN = { users_login_key_key: 'login_taken', users_name_key_key: 'name_taken', users_alias_key_key: 'alias_taken', users_email_key_key: 'email_taken' } as const;

/** Runs a change of a user; the name of another is refused. */
export async function refusingTaken<T>(change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    for (const [constraint, code] of Object.entries(TAKEN)) if (isUniqueViolation(error, constraint)) throw new Refusal(code, 'Somebody has this name, or one that looks the same.', { fields: { [code.replace('_taken', '')]: code } });
    throw error;
  }
}
