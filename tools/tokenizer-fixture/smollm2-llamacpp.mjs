/**
 * Makes tests/fixtures/tokenizer/smollm2-llamacpp.json: texts of our own with the ids that llama.cpp gives them for the
 * tokenizer of SmolLM2-135M-Instruct (special tokens not parsed, none added).
 *
 * Run it in an empty folder with `npm install node-llama-cpp@3.21.1` (it is no dependency of the project):
 *   node PROJECT/tools/tokenizer-fixture/smollm2-llamacpp.mjs SmolLM2-135M-Instruct.gguf PROJECT/tests/fixtures/tokenizer/smollm2-llamacpp.json
 */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const TEXTS = [
  'The ewe on the hill answered at once.',
  ' A leading space, then words',
  'trailing spaces   ',
  'a  b   c    d     e',
  '                                ',
  '\t\ttabs\tinside\t\n',
  'one\ntwo\n\nthree\n\n\nfour',
  '\n\n\nstarts with newlines',
  'windows\r\nline\r\nends\r\n',
  '    def shear(flock: list[str]) -> int:\n        return sum(len(s) for s in flock)\n',
  'if (a && b || !c) { x += 1; y <<= 2; } // keep',
  'const wool = sheep?.map(({ fleece = 0 }) => fleece ** 2) ?? [];',
  '<div class="pen" data-count=\'7\'>&nbsp;</div>',
  'SELECT name, COUNT(*) FROM lambs WHERE born >= \'1996-07-05\' GROUP BY name;',
  '0 1 12 123 1234 12345 1234567890',
  'pi is 3.14159265 and c is 299,792,458 m/s',
  'v2.0.1-rc3, 50%, $19.99, €7, £3, ¥100',
  '١٢٣ ४५६ ௭௮',
  '½ ¾ ² ³ Ⅷ ①',
  'x² + y² = z²',
  "don't can't I'll we've they're it's I'm he'd",
  "DON'T CAN'T I'LL WE'VE THEY'RE",
  'rock’n’roll and “curly quotes” — with dashes – and… dots',
  'naïve café résumé über Ångström señor',
  'e\u0301 combining, cafe\u0301 too',
  'русский текст про овец',
  'йод и йога',
  '\u0438\u0306од decomposed: \u0438\u0306',
  'Ελληνικά κείμενα',
  'שלום עולם',
  'مرحبا بالعالم',
  'नमस्ते दुनिया',
  'สวัสดีชาวโลก',
  '你好，世界！羊在草地上。',
  'ひつじが一匹、ヒツジが二匹',
  '안녕하세요 양떼',
  'mixed 中文 and English 混在',
  '🐑',
  '🐑🐏🐐 flock 🚜',
  '👩‍🌾 farmer, 👨‍👩‍👧‍👦 family',
  '🏴󠁧󠁢󠁳󠁣󠁴󠁿 Roslin',
  '❤️ and ❤',
  'zero\u200bwidth and nbsp\u00a0here',
  'thin\u2009space, ideographic\u3000space, line\u2028separator',
  'tab\tthen  two spaces\n   then three',
  '!!! ??? ... ,,, ;;; ::: ---',
  '#hashtag @mention https://example.org/a?b=c&d=%20e#f',
  'mail someone@example.org, call +44 131 555 0100',
  'C:\\sheep\\dolly.txt and /home/dolly/.woolrc',
  '{"name": "Dolly", "born": 1996, "tags": ["sheep", "clone"]}',
  '| a | b |\n|---|---|\n| 1 | 2 |',
  '# Title\n\n* item\n  * nested\n\n1. first\n2. second\n',
  '$\\frac{a}{b} \\le \\sum_{i=0}^{n} x_i$',
  'ALLCAPS lowercase MixedCase camelCase snake_case kebab-case',
  'antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis',
  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  '=-=-=-=-=-=-=-=-=-=-=-=-=-=-',
  'text with <|endoftext|> and <|im_start|>user inside',
  '<|im_end|>',
  '### Instruction:\nshear the sheep\n\n### Response:\ndone\n\n### End',
  'ſtrange ſ and K (kelvin) and ﬁ ligature',
  '\u0000 nul and \u001b[31m escape and \u007f delete',
  'ᚠᚢᚦ runes, 𐍈 gothic, 𝔣𝔯𝔞𝔨𝔱𝔲𝔯',
  'a\u0300\u0301\u0302\u0303 many marks',
];

const [model, out] = process.argv.slice(2);
const require = createRequire(join(process.cwd(), 'here.js'));
const { getLlama } = await import(pathToFileURL(require.resolve('node-llama-cpp')).href);
const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error' });
const loaded = await llama.loadModel({ modelPath: resolve(model), gpuLayers: 0 });
const cases = TEXTS.map((text) => ({ text, ids: Array.from(loaded.tokenize(text, false)) }));
const lines = cases.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n');
writeFileSync(
  out,
  `{\n  "made_by": "tools/tokenizer-fixture/smollm2-llamacpp.mjs, node-llama-cpp 3.21.1, SmolLM2-135M-Instruct",\n  "cases": [\n${lines}\n  ]\n}\n`,
);
console.log(`${cases.length} texts, ${cases.reduce((sum, entry) => sum + entry.ids.length, 0)} ids`);
await llama.dispose();
