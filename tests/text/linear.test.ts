/** Time on a megabyte that was made to be slow: no pattern may take time that grows faster than the text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findBoilerplate } from '../../src/text/boilerplate.ts';
import { findCitationMarks } from '../../src/text/citations.ts';
import { findEncodingDamage } from '../../src/text/encoding.ts';
import { fold } from '../../src/text/folded.ts';
import { loadLanguages } from '../../src/text/language.ts';
import { normalise } from '../../src/text/normalise.ts';
import { findPersonal } from '../../src/text/personal.ts';
import { findProfanity } from '../../src/text/profanity.ts';
import { findSecrets } from '../../src/text/secrets.ts';
import { findSimilar } from '../../src/text/similar.ts';
import { Source } from '../../src/text/winnow.ts';
import { ideasOf, wordsOf } from '../../src/text/words.ts';

const MEGABYTE = 1 << 20;
const PIECES = [
  'a', 'A', '1', ' ', '\n', '[', '[1]', '[note ', 'a[1', '@', 'a@', 'a.', 'a@a.', '1.', '1-', '1 ', '+1 ', '+1(', '(1', '2:', ':', 'aа', 'Ã', 'Ã©', 'Р', 'Рё', 'РёР', '\ufffd', '\u0301', 'e\u0301', '\u200b', '&', '&#1', 'eyJa', 'eyJa.', 'aws ', 'aws key ', 'key', 'secret=', 'secret= ', 'a://', 'a://b:', 'a://b:c', 'a://b:c@',
  '-----BEGIN ', 'as an ', "i'm an ai ", 'как ', '```', '`', 'A ', 'Aa.', '12 345 ', '4539 ', 'GB82 ', '😀', '\u202e', '- ', '1) ', 'a, ', ' and ', 'xox-', 'sk-', 'хуй', '【1†', 'sure! ', 'if (', '  ',
];
const FUNCTIONS: Record<string, (text: string) => unknown> = {
  normalise, fold, wordsOf, ideasOf, findPersonal, findSecrets, findBoilerplate, findEncodingDamage, findCitationMarks, findProfanity, language: await loadLanguages(), copies: (text) => new Source(text).copiesIn(`${text}!`), similar: (text) => findSimilar([text, `${text}!`, text.slice(0, 50), text.slice(1, 51)]),
};

for (const [name, run] of Object.entries(FUNCTIONS)) {
  test(`${name}: ${PIECES.length} texts, time grows with their length`, { timeout: 600_000 }, () => {
    for (const piece of PIECES) {
      // Processor time of this thread's process: others on the machine do not count. A small text says what a step costs.
      const cost = (length: number) => {
        const text = piece.repeat(Math.ceil(length / piece.length));
        const before = process.cpuUsage();
        run(text);
        const { user, system } = process.cpuUsage(before);
        return (user + system) / 1e3;
      };
      const small = cost(MEGABYTE / 16);
      const large = cost(MEGABYTE);
      // Quadratic time would be 256 times; 4 s is what the slowest linear one needs on a slow machine.
      assert.ok(large < Math.max(4000, 64 * small), `${JSON.stringify(piece)}: ${small.toFixed(0)} ms for 64 KiB, ${large.toFixed(0)} ms for 1 MiB`);
    }
  });
}
