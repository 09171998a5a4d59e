/** What people of a load write: real records that the form rules let through, then two of them as one, so that none is another's near-duplicate. */
import { Random } from '../../../src/artefacts/random.ts';
import { NEEDS_PASSAGE } from '../../../src/collect/rules/categories.ts';
import { formFindings } from '../../../src/collect/rules/forms.ts';
import { countWords } from '../../../src/text/words.ts';
import { withoutCitationMarks } from '../../../src/text/citations.ts';
import type { ReplayText } from '../../collect/replay.ts';

const passes = (text: ReplayText): boolean => formFindings(text.category, text, 'en').every(({ severity }) => severity !== 'block') && (text.context === '' || countWords(text.context, 'en') <= 800);

/** Of about the same length: half of the one is in both, which is below what the server takes for a duplicate. */
const alike = (a: string, b: string): boolean => a.length < 1.5 * b.length && b.length < 1.5 * a.length;

export function loadTexts(sources: readonly ReplayText[], n: number, seed: number): ReplayText[] {
  const random = new Random(seed);
  const mixed = [...random.permutation(sources.length)].map((i) => sources[i]!).map((text) => ({ ...text, context: passageText(text.context) }));
  const texts = mixed.filter(passes);
  const free = Map.groupBy(texts.filter(({ category }) => !NEEDS_PASSAGE.includes(category)), ({ category }) => category);
  for (let round = 1; texts.length < n && round < 40; round++) {
    for (const own of free.values()) {
      for (let i = 0; i < own.length && texts.length < n; i++) {
        const [a, b] = [own[i]!, own[(i + round) % own.length]!];
        if (a === b || !alike(a.response, b.response) || !alike(a.instruction, b.instruction)) continue;
        const both = { category: a.category, context: '', instruction: `${a.instruction} ${b.instruction}`, response: `${b.response}\n\n${a.response}` };
        if (passes(both)) texts.push(both);
      }
    }
  }
  if (texts.length < n) throw new RangeError(`${sources.length} records make ${texts.length} texts, ${n} are needed`);
  return texts.slice(0, n);
}

/** As the pool keeps a passage. */
export const passageText = (text: string): string => withoutCitationMarks(text).normalize('NFC').replace(/[ \t\u00a0]+/g, ' ').replace(/\n{3,}/g, '\n\n').trim();
