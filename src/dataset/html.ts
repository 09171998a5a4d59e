/**
 * Pages in one file. No script, nothing fetched, no style but its own, and a policy of its own that forbids all else; a person's text is
 * escaped and can only ever be text.
 */
import { createHash } from 'node:crypto';

/** Text that can be nothing but text. */
const escapeHtml = (text: string): string => text.toWellFormed().replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** What a reader would not see, or that would turn the page's direction, by its code point. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Escaped, and what cannot be seen by its code point. */
export const shown = (text: string): string => escapeHtml(text).replace(UNSEEN, (character) => (character === '\n' || character === '\t' ? character : `<span class="unseen">U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}</span>`));

/** One self-contained HTML file. `style` and `main` are markup already: what people wrote must have gone through `shown`. */
export function htmlPage(title: string, style: string, main: string): string {
  const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${shown(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;
}
