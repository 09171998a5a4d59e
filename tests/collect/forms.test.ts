/** The rules of form, in both languages: what is blocked, what is only hinted at, and where. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CATEGORIES, NEEDS_PASSAGE } from '../../src/collect/rules/categories.ts';
import { FIELD_CHARACTERS, FINDING_CODES, formFindings, FORM_RULES, writtenWords, type RecordText } from '../../src/collect/rules/forms.ts';
import { countWords, itemsOf, longestRun, wordsOf } from '../../src/text/words.ts';

/** `code` of what warns, `CODE` of what blocks. */
const codes = (category: (typeof CATEGORIES)[number], text: Partial<RecordText>, locale?: string) =>
  formFindings(category, { instruction: '', context: '', response: '', ...text }, locale).map(({ code, severity }) => (severity === 'block' ? code.toUpperCase() : code));
const filler = (n: number, word = 'word') => Array.from({ length: n }, (_, i) => `${word}${i}`).join(' ');

const HARBOUR = `The old harbour of Lindholm was dug by hand between 1821 and 1827. Two hundred men worked there every summer, and most of them were farmers who needed the
money. When the railway came in 1874 the ships stayed away, and the basin slowly filled with mud. In 1968 a swimming club bought the place for a single crown. Its
members cleaned the basin in nine weekends, built a wooden deck along the northern wall, and opened the first open-air sauna of the county. Today about forty thousand
people swim there each year, although the water is seldom warmer than nineteen degrees. The town pays for lifeguards in July and August only.`;

test('words are what a reader would count, in English and Russian', () => {
  assert.equal(countWords("It's 3.5 km — isn't it?"), 5);
  assert.equal(countWords('Сколько это, по-вашему, стоит? Ещё 12 руб.', 'ru'), 8);
  assert.equal(countWords('  \n\t — … '), 0);
  assert.deepEqual(wordsOf('Ёлка ель').map(({ key, start, end }) => [key, start, end]), [['елка', 0, 4], ['ель', 5, 8]]);
});

test('items are lines, numbers, semicolons or commas', () => {
  const texts = (text: string) => itemsOf(text).map((item) => item.text);
  assert.deepEqual(texts('- one\n- two\n\n* three'), ['one', 'two', 'three']);
  assert.deepEqual(texts('Some ideas:\n1. Walk\n2) Swim'), ['Walk', 'Swim'], 'a heading is no item');
  assert.deepEqual(texts('1. Walk 2. Swim 3. Read'), ['Walk', 'Swim', 'Read']);
  assert.deepEqual(texts('яблоко, груша и слива'), ['яблоко', 'груша', 'слива']);
  for (const item of itemsOf('- one\n- two, too')) assert.equal('- one\n- two, too'.slice(item.start, item.end), item.text);
});

test('the longest run that was copied', () => {
  const run = longestRun(wordsOf('so: the quick brown fox sleeps'), wordsOf('The quick, brown fox jumps'));
  assert.deepEqual(run, { length: 4, start: 4, end: 23 });
  assert.equal(longestRun(wordsOf('a b'), wordsOf('c')).length, 0);
});

test('lengths block at both ends of every field, and exactly there', () => {
  for (const category of CATEGORIES) {
    const rule = FORM_RULES[category];
    const good = { instruction: filler(rule.instruction.min), context: rule.context ? filler(rule.context.min, 'ctx') : '', response: filler(rule.response.min, 'r') };
    const lengths = (change: Partial<RecordText>) => formFindings(category, { ...good, ...change }).filter(({ code }) => code === 'too_short' || code === 'too_long').map(({ code, field, values }) => [code, field, values['found']]);
    assert.deepEqual(lengths({}), [], category);
    assert.deepEqual(lengths({ instruction: filler(rule.instruction.min - 1) }), [['too_short', 'instruction', rule.instruction.min - 1]]);
    assert.deepEqual(lengths({ instruction: filler(rule.instruction.max) }), []);
    assert.deepEqual(lengths({ instruction: filler(rule.instruction.max + 1) }), [['too_long', 'instruction', rule.instruction.max + 1]]);
    assert.deepEqual(lengths({ response: filler(rule.response.max) }), []);
    assert.deepEqual(lengths({ response: filler(rule.response.max + 1) }), [['too_long', 'response', rule.response.max + 1]]);
    if (rule.context) assert.deepEqual(lengths({ context: filler(rule.context.min - 1) }), [['too_short', 'context', rule.context.min - 1]]);
  }
});

test('three categories have a passage, the others none', () => {
  for (const category of CATEGORIES) {
    const found = codes(category, { context: NEEDS_PASSAGE.includes(category) ? '' : 'something' });
    assert.ok(found.includes(NEEDS_PASSAGE.includes(category) ? 'PASSAGE_MISSING' : 'PASSAGE_UNWANTED'), category);
    assert.equal(FORM_RULES[category].context !== null, NEEDS_PASSAGE.includes(category));
  }
});

test('an empty form is told that it is empty, and nothing else', () => {
  for (const category of CATEGORIES) assert.ok(codes(category, {}).every((code) => code === 'EMPTY' || code === 'PASSAGE_MISSING'), category);
  assert.deepEqual(codes('open_qa', { instruction: '   ', response: '\n' }), ['EMPTY', 'EMPTY']);
});

test('open questions: not those that yes answers', () => {
  const response = filler(20);
  assert.deepEqual(codes('open_qa', { instruction: 'Is the Moon smaller than the Earth?', response }), ['yes_no']);
  assert.deepEqual(codes('open_qa', { instruction: 'Верно ли, что Луна меньше Земли?', response }, 'ru'), ['yes_no']);
  assert.deepEqual(codes('open_qa', { instruction: 'Is the Moon or the Earth smaller?', response }), []);
  assert.deepEqual(codes('open_qa', { instruction: 'Why is the Moon smaller than the Earth?', response }), []);
});

test('closed questions: not a sentence of the passage, and an answer that is in it', () => {
  const good = { instruction: 'When did the ships stop coming to Lindholm, and why?', context: HARBOUR, response: 'After 1874, because the railway had come.' };
  assert.deepEqual(codes('closed_qa', good), []);
  assert.deepEqual(codes('closed_qa', { ...good, instruction: 'The town pays for lifeguards in July and August only?' }), ['QUESTION_COPIED']);
  assert.deepEqual(codes('closed_qa', { ...good, response: 'Because Napoleon blockaded several continental ports.' }), ['answer_in_passage']);
  assert.deepEqual(codes('closed_qa', { ...good, response: HARBOUR }), ['PASSAGE_COPIED']);
});

test('extraction: items that are in the passage, in the shape that was asked for', () => {
  const ask = 'List every year that the passage names, with what happened in it.';
  assert.deepEqual(codes('information_extraction', { instruction: ask, context: HARBOUR, response: '- 1821: the harbour is dug\n- 1874: the railway\n- 1968: the swimming club' }), []);
  const found = formFindings('information_extraction', { instruction: ask, context: HARBOUR, response: '- 1874: the railway\n- 1912: a terrible earthquake' });
  assert.deepEqual(found.map(({ code, severity, values }) => [code, severity, values['item']]), [['items_in_passage', 'warn', '1912: a terrible earthquake']]);
  assert.deepEqual(codes('information_extraction', { instruction: 'Give the years of the passage as JSON.', context: HARBOUR, response: '1874, 1968' }), ['asked_shape']);
  assert.deepEqual(codes('information_extraction', { instruction: 'Give the years of the passage as JSON.', context: HARBOUR, response: '{"railway": 1874}' }), []);
});

test('summaries: shorter, in own words, and about the passage', () => {
  const instruction = 'Summarise the story of this harbour.';
  const own = 'Farmers dug the harbour at Lindholm in the 1820s, but the railway took its trade and mud filled it. A swimming club bought it cheaply in 1968, cleaned it and built a sauna; now tens of thousands swim there.';
  assert.deepEqual(codes('summarization', { instruction, context: HARBOUR, response: own }), []);
  const copied = formFindings('summarization', { instruction, context: HARBOUR, response: `In short: ${own} Its members cleaned the basin in nine weekends, built a wooden deck along the northern wall.` });
  assert.deepEqual(copied.map(({ code, severity, values }) => [code, severity, values['words']]), [['own_words', 'block', 16]]);
  const [start, end] = copied[0]!.span!;
  assert.match(`In short: ${own} Its members cleaned the basin in nine weekends, built a wooden deck along the northern wall.`.slice(start, end), /^Its members .* wall$/);
  assert.ok(codes('summarization', { instruction, context: HARBOUR, response: filler(90) }).includes('SHORTER_THAN_PASSAGE'));
  assert.deepEqual(codes('summarization', { instruction, context: HARBOUR, response: filler(30) }), ['faithful']);
});

test('brainstorming: three ideas or more, none twice', () => {
  const instruction = 'What could one do on a rainy Sunday?';
  assert.deepEqual(codes('brainstorming', { instruction, response: '- bake bread with a neighbour\n- sort the photographs of last summer\n- learn three chords on the guitar' }), []);
  assert.deepEqual(codes('brainstorming', { instruction, response: 'Bake bread with a neighbour. Sort the photographs of last summer. Learn three chords on the guitar.' }), [], 'sentences are ideas too');
  assert.deepEqual(codes('brainstorming', { instruction, response: '- bake bread with the neighbour and her two children\n- sort the photographs of last summer' }), ['THREE_ITEMS']);
  assert.deepEqual(codes('brainstorming', { instruction, response: '- bake some bread\n- bake some good bread\n- sort the photographs of last summer\n- learn chords' }), ['DISTINCT_ITEMS']);
  assert.deepEqual(codes('brainstorming', { instruction: 'Чем заняться в дождливое воскресенье дома?', response: '1. Испечь хлеб вместе с соседкой.\n2. Разобрать фотографии прошлого лета.\n3. Выучить три аккорда на гитаре.' }, 'ru'), []);
});

test('classification: every item once, with labels that the task names', () => {
  const instruction = 'Sort these into fruit and vegetables, one line for each group: carrot, plum, leek, pear, apple, onion, turnip';
  assert.deepEqual(codes('classification', { instruction, response: 'Fruit: plum, pear, apple\nVegetables: carrot, leek, onion, turnip' }), []);
  const found = formFindings('classification', { instruction, context: '', response: 'Fruit: plum, pear\nVegetables: carrot, leek, onion, turnip, plum\nMinerals: salt' });
  assert.deepEqual(found.map(({ code, values }) => [code, values['item'] ?? values['label'], values['times'] ?? 0]), [['each_item_once', 'plum', 2], ['each_item_once', 'apple', 0], ['labels_named', 'Minerals', 0]]);
  assert.deepEqual(codes('classification', { instruction: 'Which of these two is a fish that people catch at sea, and which one is a thing of hemp? Tope or Rope', response: 'Tope is a fish, rope is not.' }), [], 'asked in another way: left alone');
});

test('creative writing: at least two constraints; no text in circles', () => {
  const response = filler(60);
  assert.deepEqual(codes('creative_writing', { instruction: 'Write a short text that would please my dear old grandmother', response }), ['two_constraints']);
  assert.deepEqual(codes('creative_writing', { instruction: 'Write a four-line poem about a lighthouse keeper who never saw the sea', response }), []);
  assert.deepEqual(codes('creative_writing', { instruction: 'Сочини стихотворение из четырёх строк про смотрителя маяка, который не видел моря', response }, 'ru'), []);
  assert.deepEqual(codes('creative_writing', { instruction: 'Write a four-line poem about a lighthouse keeper who never saw the sea', response: 'The sea was grey and the wind blew cold all night. '.repeat(6) }), ['repeats_itself']);
});

test('stock phrases are a hint with their place, in both languages and with either apostrophe', () => {
  for (const [text, phrase, locale] of [['Well. As an AI language model I cannot say.', 'As an AI language model', 'en'], ['But I don’t have personal opinions here.', 'I don’t have personal opinions', 'en'], ['Надеюсь, это поможет вам.', 'Надеюсь, это поможет', 'ru']] as const) {
    const found = formFindings('general_qa', { instruction: 'What do you think about rain?', context: '', response: `${text} ${filler(25)}` }, locale);
    assert.deepEqual(found.map(({ code, severity, span }) => [code, severity, `${text} `.slice(...span!)]), [['stock_phrases', 'warn', phrase]]);
  }
  assert.deepEqual(codes('general_qa', { instruction: 'What is a copy codebook in cryptography?', response: filler(25) }), [], 'inside a word it is nothing');
});

test('any text gets an answer, in time, with spans inside of its field', () => {
  const piece = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('- a\n', '1. ', ': ', ', ', '; ', 'ли ', 'JSON', '\u202e', 'ё', '‍', 'As an AI language model', '# '));
  const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
  fc.assert(fc.property(fc.constantFrom(...CATEGORIES), text, text, text, (category, instruction, context, response) => {
    const record = { instruction, context, response };
    for (const { code, field, span } of formFindings(category, record)) {
      assert.ok(FINDING_CODES.includes(code));
      if (span) assert.ok(0 <= span[0] && span[0] < span[1] && span[1] <= record[field].length);
    }
    assert.ok(Number.isInteger(writtenWords(record)));
  }), { numRuns: 300, seed: 8 });
});

test('the longest and ugliest text that is let in takes under a second of the processor', () => {
  for (const unit of ['a ', 'a,', '- a\n', '1. ', 'a: b\n', 'Как ИИ ', ' ', 'a.\n', 'a', '1', '(', 'не ', 'как']) {
    for (const category of CATEGORIES) {
      const fill = (n: number) => unit.repeat(Math.floor(n / unit.length));
      const begin = process.cpuUsage();
      formFindings(category, { instruction: fill(FIELD_CHARACTERS.instruction), context: fill(FIELD_CHARACTERS.context), response: fill(FIELD_CHARACTERS.response) });
      const took = process.cpuUsage(begin).user / 1000;
      assert.ok(took < 1000, `${category} ${JSON.stringify(unit)}: ${took} ms`);
    }
  }
  assert.deepEqual(codes('open_qa', { instruction: 'a'.repeat(4001) }), ['TOO_MANY_CHARACTERS']);
});
