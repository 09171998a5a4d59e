/** Text out of a file, made fit for a message: no control characters reach a terminal, and no name fills a screen. */

const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** `text` with control, direction and other invisible characters as escapes, cut after `limit` characters. */
export function printable(text: string, limit = 400): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return cut.replace(unprintable, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
