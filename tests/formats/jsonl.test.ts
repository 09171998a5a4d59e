import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../../src/errors.ts';
import { findJsonFault } from '../../src/formats/json-text.ts';
import { readJsonl } from '../../src/formats/jsonl.ts';

const folder = mkdtempSync(join(tmpdir(), 'roslin-jsonl-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'a.jsonl');

function read(content: string | Uint8Array, options?: { maxLineBytes?: number }): { line: number; value: unknown }[] {
  writeFileSync(path, content);
  return [...readJsonl(path, options)];
}

/** The message of the InputError, with the file's path as FILE. */
function refusal(content: string | Uint8Array, options?: { maxLineBytes?: number }): string {
  try {
    read(content, options);
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.message.replaceAll(path, 'FILE');
  }
  return assert.fail('was accepted');
}

describe('reading JSON lines', () => {
  test('gives objects with their line numbers; LF, CRLF, blank lines and a missing last end are fine', () => {
    assert.deepEqual(read('{"a":1}\r\n\n  \t\n{"b":"é\\n"}\r\n{"c":[{"d":null}]}'), [
      { line: 1, value: { a: 1 } },
      { line: 4, value: { b: 'é\n' } },
      { line: 5, value: { c: [{ d: null }] } },
    ]);
  });

  test('joins lines that span pieces of the file', () => {
    const long = 'x'.repeat(700_000);
    const rows = read(`{"a":"${long}"}\n{"b":"é${long}"}\r\n{"c":2}\n`);
    assert.equal((rows[0]?.value as { a: string } | undefined)?.a, long);
    assert.equal((rows[1]?.value as { b: string } | undefined)?.b, `é${long}`);
    assert.deepEqual(rows[2], { line: 3, value: { c: 2 } });
  });

  test('yields what came before a fault, and stops there', () => {
    writeFileSync(path, '{"a":1}\n{"b":\n{"c":3}\n');
    const rows = readJsonl(path);
    assert.deepEqual(rows.next().value, { line: 1, value: { a: 1 } });
    assert.throws(() => rows.next(), /line 2 column 6: expected a JSON value, found the end of the line/);
    assert.equal(rows.next().done, true);
  });

  test('keeps a key named __proto__ as a key', () => {
    const value = read('{"__proto__":{"x":1}}')[0]?.value as object;
    assert.deepEqual(Object.keys(value), ['__proto__']);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
  });

  const cases: [string, string | Uint8Array, RegExp][] = [
    ['an empty file', '', /FILE: expected at least one line with a JSON object, found an empty file\. Give/],
    ['blank lines only', '\n \r\n', /found blank lines only/],
    ['a byte order mark', '\ufeff{"a":1}\n', /FILE line 1 byte 0: expected UTF-8 without a byte order mark, found a byte order mark \(EF BB BF\)/],
    ['UTF-16', Buffer.from('\ufeff{"a":1}', 'utf16le'), /found UTF-16 with a byte order mark/],
    ['invalid UTF-8', Buffer.concat([Buffer.from('{"a":1}\n{"b":"é'), Buffer.from([0xe4, 0xb8]), Buffer.from('"}')]), /FILE line 2 byte 16 of the file: expected UTF-8, found an invalid sequence that begins with byte 0xE4/],
    ['Latin-1', Buffer.from('{"a":"caf\xe9"}', 'latin1'), /byte 9 of the file: .* byte 0xE9/],
    ['a cut-off character at the end', Buffer.from([0x7b, 0x7d, 0xf0, 0x9f]), /byte 2 of the file/],
    ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), /byte 1 of the file/],
    ['a missing comma', '{"a":1 "b":2}', /FILE line 1 column 8: expected "," or "}", found "\\"/],
    ['a column in characters, not bytes', '{"é🐑":1,}', /column 9: expected a key in double quotes, found "}"/],
    ['a raw tab in a string', '{"a":"\t"}', /column 7: expected control characters written as escapes, found "\\t"/],
    ['a bad escape', '{"a":"\\x41"}', /column 7: expected a JSON escape/],
    ['text after the object', '{"a":1}{"b":2}', /column 8: expected the end of the value, found "{"/],
    ['an escape sequence in the message', '{"a":\u001b[31m}', /found "\\u001b"/],
    ['a doubled key', '{"a":1,"b":{"c":1},"a":2}', /column 20: expected every key once in an object, found the key "a" twice/],
    ['a doubled key under an escape', '{"a":1,"\\u0061":2}', /the key "a" twice/],
    ['a doubled inner key', '{"a":[{"c":1,"c":1}]}', /the key "c" twice/],
    ['an array', '[1]', /FILE line 1: expected a JSON object, found an array/],
    ['a number', '{"a":1}\n7', /FILE line 2: expected a JSON object, found a number/],
    ['null', 'null', /found null/],
    ['deep nesting', `{"a":${'['.repeat(200_000)}`, /column 69: expected at most 64 levels of nesting/],
    ['NaN', '{"a":NaN}', /column 6: expected a JSON value, found "N"/],
    ['a leading zero', '{"a":01}', /column 7: expected "," or "}", found "1"/],
  ];
  for (const [what, content, message] of cases) {
    test(`refuses ${what}`, () => assert.match(refusal(content), message));
  }

  test('refuses a line of 10 MB by default, without reading on', () => {
    const line = `{"a":"${'x'.repeat(10_000_000)}"}`;
    assert.match(refusal(`{"b":1}\n${line}\n`), /FILE line 2: expected lines of at most 8388608 bytes, found a longer one/);
    assert.equal(read(line, { maxLineBytes: 11_000_000 }).length, 1);
  });

  test('counts a line length without its end', () => {
    const line = '{"a":"12"}';
    assert.equal(read(`${line}\r\n${line}\n`, { maxLineBytes: 10 }).length, 2);
    assert.match(refusal(`${line} \n`, { maxLineBytes: 10 }), /a longer one/);
    assert.match(refusal(`${line} `, { maxLineBytes: 10 }), /a longer one/);
  });

  test('refuses a folder and a missing file', () => {
    const inner = join(folder, 'inner');
    mkdirSync(inner);
    assert.throws(() => [...readJsonl(inner)], /expected a file of JSON lines, found a folder/);
    assert.throws(() => [...readJsonl(join(folder, 'no.jsonl'))], /found nothing there/);
  });
});

describe('the JSON check', () => {
  const agrees = (text: string): void => {
    const fault = findJsonFault(text, 1000);
    let accepted = true;
    try {
      JSON.parse(text);
    } catch {
      accepted = false;
    }
    const doubled = fault?.expected.startsWith('every key once') ?? false;
    assert.equal(fault === undefined || doubled, accepted || doubled, text);
  };

  test('accepts what JSON.parse accepts', () => {
    fc.assert(fc.property(fc.json(), (text) => assert.equal(findJsonFault(text, 1000)?.found, undefined)), { seed: 1, numRuns: 500 });
  });

  test('agrees with JSON.parse on damaged JSON', () => {
    const damaged = fc
      .tuple(fc.json(), fc.nat(), fc.nat(3), fc.string({ maxLength: 3, unit: fc.constantFrom(...Array.from('{}[]",:\\u0e+-. 1tn\n\t')) }))
      .map(([text, at, cut, put]) => {
        const from = at % (text.length + 1);
        return text.slice(0, from) + put + text.slice(from + cut);
      });
    fc.assert(fc.property(damaged, agrees), { seed: 2, numRuns: 3000 });
  });

  test('random bytes as a file are refused or read, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          read(bytes);
        } catch (error) {
          assert.ok(error instanceof InputError, String(error));
        }
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});
