/** Text for terminals: foreign text made harmless, widths, tables, numbers, progress, curves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plot, sparkline } from '../../src/cli/plot.ts';
import { bar, Progress } from '../../src/cli/progress.ts';
import { bytes, count, duration, painter, sanitise, table, truncate, wantsColour, width } from '../../src/cli/terminal.ts';

const HARMLESS: Record<string, [text: string, printed: string]> = {
  'plain text, newline and tab': ['a\tb\nc', 'a\tb\nc'],
  'letters of any script, emoji': ['Größe 羊 שלום 🐑', 'Größe 羊 שלום 🐑'],
  colours: ['\u001b[31mred\u001b[0m', 'red'],
  'a cursor moved': ['a\u001b[2Jb\u001b[1;1Hc', 'abc'],
  'a title set, ended by BEL or by ST': ['a\u001b]0;x\u0007b\u001b]8;;u\u001b\\c', 'abc'],
  'eight-bit sequences': ['a\u009b31mb', 'ab'],
  'an unfinished sequence': ['a\u001b', 'a'],
  'a bare carriage return, which overwrites': ['good\rbad', 'good\nbad'],
  'Windows line ends': ['a\r\nb', 'a\nb'],
  'NUL, backspace, delete': ['a\u0000b\u0008c\u007f', 'a�b�c�'],
  'reading direction turned around': ['a\u202eb\u2066c', 'a�b�c'],
  'half of a surrogate pair': ['a\ud83d', 'a�'],
};
for (const [name, [text, printed]] of Object.entries(HARMLESS)) {
  test(`sanitise: ${name}`, () => assert.equal(sanitise(text), printed));
}

test('sanitise: whatever comes, nothing that steers a terminal is left, and twice is once (seed 2)', () => {
  const piece = fc.oneof(fc.constantFrom('\u001b', '[', ']', '31m', '\u0007', '\\', '\u009b', '\u009d', '\u202e', '\r', ';'), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = sanitise(pieces.join(''));
      assert.doesNotMatch(text, /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u);
      assert.equal(sanitise(text), text);
    }),
    { seed: 2, numRuns: 2000 },
  );
});

test('width counts columns, not characters', () => {
  assert.deepEqual(['abc', '羊', '🐑', 'e\u0301', '\u001b[31mred\u001b[39m', ''].map(width), [3, 2, 2, 1, 3, 0]);
});

test('truncate keeps within the columns and never cuts a character in two', () => {
  assert.equal(truncate('abcdef', 6), 'abcdef');
  assert.equal(truncate('abcdef', 4), 'abc…');
  assert.equal(truncate('羊羊羊', 4), '羊…');
});

test('a table lines its columns up', () => {
  const columns = [{ title: 'category' }, { title: 'rows', align: 'right' }] as const;
  assert.equal(table(columns, [['open_qa', '12'], ['羊', '3,456']]), 'category   rows\nopen_qa      12\n羊        3,456');
});

test('numbers as people read them', () => {
  assert.deepEqual([0, 999, 1000, 1536, 99_960, 999_600, 25e9].map(bytes), ['0 B', '999 B', '1.0 KB', '1.5 KB', '100 KB', '1.0 MB', '25.0 GB']);
  assert.deepEqual([0.04, 9.94, 9.96, 59.4, 59.6, 185, 3599.7, 7620, 273_600, NaN].map(duration), ['0.0 s', '9.9 s', '10 s', '59 s', '1 min 00 s', '3 min 05 s', '1 h 00 min', '2 h 07 min', '3 d 4 h', '?']);
  assert.equal(count(1234567), '1,234,567');
});

test('colours: the conventions first, then whether it is a terminal', () => {
  const tty = { isTTY: true };
  assert.equal(wantsColour(tty, {}), true);
  assert.equal(wantsColour({}, {}), false);
  assert.equal(wantsColour(tty, { NO_COLOR: '1' }), false);
  assert.equal(wantsColour(tty, { NO_COLOR: '' }), true);
  assert.equal(wantsColour(tty, { TERM: 'dumb' }), false);
  assert.equal(wantsColour({}, { FORCE_COLOR: '1', NO_COLOR: '1' }), true);
  assert.equal(wantsColour(tty, { FORCE_COLOR: '0' }), false);
  assert.equal(painter(tty, {})('red', 'x'), '\u001b[31mx\u001b[39m');
  assert.equal(painter({}, {})('red', 'x'), 'x');
});

function screen(isTTY: boolean) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const stream = { isTTY, columns: 20, write: (text: string) => written.push(text) };
  return { written, clock, progress: new Progress({ stream, everySeconds: 10, now: () => clock.ms }) };
}

test('progress on a terminal: one line, redrawn, cut to the width', () => {
  const { written, clock, progress } = screen(true);
  progress.update('step 1');
  progress.update('step 2'); // too soon to draw
  clock.ms = 100;
  progress.update('step 3 of very very many');
  progress.note('saved');
  progress.finish('done');
  assert.equal(written.join(''), 'step 1\r\u001b[Kstep 3 of very ver…\r\u001b[Ksaved\nstep 3 of very ver…\r\u001b[Kdone\n');
});

test('progress in a log: whole lines, now and then, the last one always', () => {
  const { written, clock, progress } = screen(false);
  for (let second = 0; second < 25; second++) {
    clock.ms = second * 1000;
    progress.update(`step ${second}`);
  }
  progress.finish();
  assert.equal(written.join(''), 'step 0\nstep 10\nstep 20\nstep 24\n');
});

test('curves', () => {
  assert.equal(sparkline([0, 1, 2, 3, 4, 5, 6, 7]), '▁▂▃▄▅▆▇█');
  assert.equal(sparkline([1, NaN, 1]), '▁ ▁');
  assert.equal(sparkline([0, 0, 7, 7], 2), '▁█');
  assert.equal(plot([2, 1], 60, 2), '2.000 │█\n1.000 │█▁');
  assert.equal(plot([], 60, 2), '');
  assert.equal(bar(0.5, 4), '━━──');
});
