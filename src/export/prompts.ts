/** What the self-test asks where no records are given, and the texts whose tokens it compares: our own words, nobody's data. */
import type { InstructionRecord } from '../artefacts/record.ts';

type Plain = Pick<InstructionRecord, 'instruction' | 'context' | 'response'>;

export const PROMPTS: readonly Plain[] = [
  { instruction: 'Which of these is a fish: tope or rope?', context: '', response: 'Tope is a fish. It is a small shark of shallow seas.' },
  { instruction: 'Name three things that are made of wool.', context: '', response: 'A jumper, a carpet and the felt of a piano hammer are made of wool.' },
  { instruction: 'Where did the ewe sleep?', context: 'The ewe slept in the barn until it rained through the roof. Then she moved under the cart.', response: 'She slept in the barn first, and under the cart after the rain came through.' },
  { instruction: 'Write a short note that tells a neighbour that the gate was left open.', context: '', response: 'Good morning! The gate to the lower field stood open when I came by, so I closed it. All the sheep seem to be there. Kind regards, Ann' },
  { instruction: 'How many days are there in a leap year?', context: '', response: 'There are 366 days in a leap year.' },
  { instruction: 'Sort these words by the alphabet: pear, apple, fig.', context: '', response: 'apple, fig, pear' },
  { instruction: 'What does a shepherd do in spring?', context: '', response: 'In spring a shepherd helps the ewes to lamb, marks the lambs, and brings the flock to fresh grass as soon as it has grown.' },
  { instruction: 'Summarise the text in one sentence.', context: 'The bridge was built in 1831. It was closed in 1990 because the river had washed out two of its piers, and opened again eight years later.', response: 'The bridge of 1831 was closed from 1990 to 1998 because the river had damaged two piers.' },
];

/** Runs of spaces, which some tokenizers have as tokens of their own. */
const runs = Array.from({ length: 23 }, (_, i) => `${' '.repeat(i + 2)}x${i + 2}`).join('');

export const TEXTS: readonly string[] = [
  runs,
  `${' '.repeat(40)}indented\n\n\n   three\t\ttabs  \n`,
  'The sheep\'s 12 lambs cost £1,234.50 in 1996; don\'t they?',
  'naïve café, Ångström, русский текст, 你好世界, 🐑 and 👩‍🌾',
  'int main(void) {\r\n    return a[0] << 2; // keep\r\n}\r\n',
  '<|endoftext|> ### End and [INST] are only text here',
  ' leading and trailing ',
];
